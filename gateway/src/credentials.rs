//! The real credentials of targets, which no workload ever sees.
//!
//! Owns where they come from and the care taken in reading them. Must not know who uses them, nor
//! a protocol. A value is read when it is needed and again when its source changes; it is wiped
//! when the last holder drops it.

mod file;
mod store;
mod tokens;

use std::path::PathBuf;

use model::Secret;

pub use file::FileError;
pub use store::{CredentialStore, Environment, HostEnvironment};
pub use tokens::{TokenError, Tokens};

/// Bytes of a secret. Raised, a wrong path can make us read more.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceSettings {
    /// A file of root's or the daemon's user, unreadable for others.
    File(PathBuf),
    /// A variable of the daemon's environment.
    Environment(String),
    /// A credential that systemd hands the daemon (`LoadCredential=`), by its name.
    Systemd(String),
}

/// A target's credential as the configuration gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CredentialSettings {
    /// The user name at the target; none where the client's own is used.
    pub user: Option<String>,
    /// Where the password is; none for targets that ask for none.
    pub password: Option<SourceSettings>,
    /// Where the private key is.
    pub private_key: Option<SourceSettings>,
    /// The file with the certificate of that key. It is no secret.
    pub certificate: Option<PathBuf>,
    /// What a target of HTTP has instead of all that.
    pub http: Option<HttpCredentialSettings>,
}

/// A credential for HTTP as the configuration gives it.
pub type HttpCredentialSettings = model::HttpCredential<SourceSettings>;

/// A credential for HTTP, its secrets read.
pub type HttpCredential = model::HttpCredential<Secret<String>>;

/// What logs in to a target.
#[derive(Clone, Debug, Default)]
pub struct Credential {
    /// The user name; none where the client's own is used.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret<String>>,
    /// The private key, as its file has it.
    pub private_key: Option<Secret<String>>,
    /// The certificate of that key, as its file has it.
    pub certificate: Option<String>,
    /// What a target of HTTP has instead of all that.
    pub http: Option<HttpCredential>,
}

/// Why a credential is not to be had. The texts name sources, never contents.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// From a file or a systemd credential.
    #[error(transparent)]
    File(#[from] FileError),
    /// The variable is not set, or empty.
    #[error("the environment variable `{0}` is not set for the daemon, or empty")]
    NoVariable(String),
    /// The variable is not text.
    #[error("the environment variable `{0}` is not UTF-8")]
    NotText(String),
    /// systemd hands over no credentials.
    #[error(
        "the credential `{0}` was not handed over: $CREDENTIALS_DIRECTORY is not set; add \
         LoadCredential={0}:/path to the daemon's unit"
    )]
    NoSystemd(String),
    /// The name is a path.
    #[error("`{0}` is no name of a systemd credential")]
    Name(String),
}
