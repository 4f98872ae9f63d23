//! Reading credentials when they are needed.
//!
//! Owns the last value of each file and when to read it again. Must not know targets. A secret is
//! kept only while its file looks the same; every use asks.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use model::Secret;
use parking_lot::Mutex;

use super::{Credential, CredentialError, CredentialSettings, SourceSettings, Tokens, file};
use crate::files::Looks;

/// Files remembered; one per credential of the configuration, so this is never reached.
const FILES_MAX: usize = 4_096;

/// The daemon's environment, or a made-up one in tests.
pub trait Environment: Send + Sync + std::fmt::Debug {
    /// The value of a variable.
    fn variable(&self, name: &str) -> Option<std::ffi::OsString>;
}

/// The environment that the process was started with.
#[derive(Debug)]
pub struct HostEnvironment;

impl Environment for HostEnvironment {
    fn variable(&self, name: &str) -> Option<std::ffi::OsString> {
        std::env::var_os(name)
    }
}

/// Reads credentials.
#[derive(Debug)]
pub struct CredentialStore {
    environment: Arc<dyn Environment>,
    tokens: Arc<Tokens>,
    files: Mutex<HashMap<PathBuf, (Looks, Secret<String>)>>,
}

impl CredentialStore {
    /// Over an environment, and with the tokens that are fetched.
    #[must_use]
    pub fn new(environment: Arc<dyn Environment>, tokens: Arc<Tokens>) -> Self {
        Self { environment, tokens, files: Mutex::default() }
    }

    /// The tokens that are fetched.
    #[must_use]
    pub const fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// The credential of now. A small file is looked at, and read where it changed; that takes
    /// microseconds and may be done on the event loop.
    ///
    /// # Errors
    /// Where its source is missing, empty, too large, not text, or open to others.
    pub fn credential(&self, settings: &CredentialSettings) -> Result<Credential, CredentialError> {
        let secret = |source: &Option<SourceSettings>| {
            source.as_ref().map(|source| self.secret(source)).transpose()
        };
        let certificate = settings.certificate.as_deref().map(file::read_public).transpose()?;
        Ok(Credential {
            user: settings.user.clone(),
            password: secret(&settings.password)?,
            private_key: secret(&settings.private_key)?,
            certificate,
            http: settings
                .http
                .as_ref()
                .map(|http| http.try_map(|source| self.secret(source)))
                .transpose()?,
        })
    }

    /// The secret of now.
    ///
    /// # Errors
    /// As [`Self::credential`].
    pub fn secret(&self, source: &SourceSettings) -> Result<Secret<String>, CredentialError> {
        match source {
            SourceSettings::File(path) => self.in_file(path.clone()),
            SourceSettings::Environment(name) => self.in_environment(name),
            SourceSettings::Systemd(name) => self.of_systemd(name),
        }
    }

    fn in_environment(&self, name: &str) -> Result<Secret<String>, CredentialError> {
        let value = self.environment.variable(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| CredentialError::NoVariable(name.to_owned()))?;
        let value = value.into_string().map_err(|_| CredentialError::NotText(name.to_owned()))?;
        Ok(Secret::new(value))
    }

    fn of_systemd(&self, name: &str) -> Result<Secret<String>, CredentialError> {
        if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
            return Err(CredentialError::Name(name.to_owned()));
        }
        let directory = self.environment.variable("CREDENTIALS_DIRECTORY");
        let directory = directory.ok_or_else(|| CredentialError::NoSystemd(name.to_owned()))?;
        self.in_file(PathBuf::from(directory).join(name))
    }

    fn in_file(&self, path: PathBuf) -> Result<Secret<String>, CredentialError> {
        let mut files = self.files.lock();
        let known = files.get(&path).map(|(looks, _)| *looks);
        match file::read_if_changed(&path, known) {
            Ok(None) => {}
            Ok(Some(read)) => {
                if files.len() >= FILES_MAX {
                    files.clear();
                }
                files.insert(path.clone(), read);
            }
            Err(error) => {
                // What cannot be read any more is not used any more.
                files.remove(&path);
                return Err(error.into());
            }
        }
        let secret = files.get(&path).map(|(_, secret)| secret.clone());
        secret.ok_or_else(|| file::FileError::NotSecret(path).into())
    }
}

#[cfg(test)]
mod tests;
