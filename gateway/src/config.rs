//! The configuration: YAML files read into checked settings, with every error of all files in
//! one run.
//!
//! Owns the way from text to [`Settings`]: a tree that knows its places (`tree`), raw structs read
//! from it without stopping at an error (`read`, `raw`), checks (`check`) that turn them into
//! settings and a compiled policy, and the generated schema and reference. Must not know what
//! the settings are used for, and reads nothing but the configuration itself: whether a file it
//! refers to exists is asked through a closure, what is in one is for others. Settings never
//! change; a reload reads new ones.

mod check;
mod error;
mod raw;
mod read;
mod reference;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};

pub use self::error::{ConfigError, ConfigErrors, ConfigWarning};
pub use self::reference::{reference, schema};
pub use self::settings::{
    ApproverMembers, AuditSettings, ClientCertificate, ClientHostKeySettings, ClientTls,
    ControlSettings, CredentialSettings, Enforcement, Govern, Governed, HostKeySettings,
    HttpSettings, IdentityProviderSettings, JwksSource, OnRecordingFailure, RecordingSettings,
    SecretSource, Settings, SignatureAlgorithm, SshSettings, TargetAddress, TargetSettings,
    UnlistedDestinations, UntrustingClients, UpstreamTls, UpstreamTlsMode, UserMatch,
    WorkloadIdentity, WorkloadMatch, WorkloadSettings,
};

use self::report::Report;
use self::tree::{Entry, FILE_BYTES_MAX, Node, Value};

/// A file of the configuration: its path, for errors, and its text.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Settings {
    /// Reads a file, or all `*.yaml` files of a directory, sorted by name.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        Self::parse(&read_files(path)?)
    }

    /// Checks files that were read already. Their lists are joined; any other key may stand in
    /// one of them only.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn parse(files: &[ConfigFile]) -> Result<Self, ConfigErrors> {
        let mut report = Report::default();
        let roots = parse_files(files, &mut report);
        refuse_repeated_keys(&report);
        let whole = merge(roots, &report);
        let settings = whole.and_then(|root| {
            let raw = read::read(&root, &report)?;
            check::check(&raw, root.spot, &report)
        });
        match settings {
            Some(settings) if report.is_clean() => Ok(settings),
            _ => Err(report.into_errors()),
        }
    }

    /// Checks that the files exist that the configuration refers to on this host.
    ///
    /// # Errors
    /// One for each file that does not.
    pub fn check_files(&self, exists: impl Fn(&Path) -> bool) -> Result<(), ConfigErrors> {
        let missing = self.referenced.iter().filter(|file| !exists(&file.path));
        let errors: Vec<ConfigError> = missing.map(|file| file.missing.clone()).collect();
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    }
}

/// Reads the file, or the files of the directory.
fn read_files(path: &Path) -> Result<Vec<ConfigFile>, ConfigErrors> {
    let mut paths = vec![path.to_path_buf()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(path, &error))?;
        paths.retain(|file| {
            let hidden =
                file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            !hidden && file.extension().is_some_and(|extension| extension == "yaml")
        });
        paths.sort();
        if paths.is_empty() {
            return Err(whole_file(path, "there is no *.yaml file in this directory".to_owned()));
        }
    }
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match read_file(&path) {
            Ok(text) => files.push(ConfigFile { path, text }),
            Err(ConfigErrors(more)) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(ConfigErrors(errors)) }
}

fn read_file(path: &Path) -> Result<String, ConfigErrors> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    // One byte more than the limit tells a file that is larger.
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole_file(path, format!("the file is larger than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| whole_file(path, "the file is not UTF-8".to_owned()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigErrors {
    whole_file(path, format!("cannot be read: {error}"))
}

fn whole_file(path: &Path, reason: String) -> ConfigErrors {
    ConfigErrors(vec![ConfigError {
        file: path.to_path_buf(),
        line: 0,
        column: 0,
        key: String::new(),
        value: None,
        reason,
        remedy: None,
    }])
}

/// The roots of the files that are YAML.
fn parse_files(files: &[ConfigFile], report: &mut Report) -> Vec<Node> {
    let mut roots = Vec::new();
    for file in files {
        match report.places.parse(&file.path, &file.text) {
            Ok(root) => roots.push(root),
            Err(error) => {
                let spot = report.places.file(&file.path, error.line, error.column);
                let reason = format!("this is not YAML: {}", error.reason);
                report.refuse(
                    spot,
                    reason,
                    Some("correct the line, or the one before it".to_owned()),
                );
            }
        }
    }
    roots
}

fn refuse_repeated_keys(report: &Report) {
    for spot in &report.places.repeated {
        report.refuse(*spot, "the key is written twice", Some("keep one of the two".to_owned()));
    }
}

/// Joins the roots of several files into one map.
fn merge(roots: Vec<Node>, report: &Report) -> Option<Node> {
    let mut whole: Option<(Node, Vec<Entry>)> = None;
    for root in roots {
        let entries = match root.value {
            Value::Map(entries) => entries,
            // An empty file adds nothing.
            Value::Null => Vec::new(),
            _ => {
                report.refuse(root.spot, "a configuration is a map of keys to values", None);
                continue;
            }
        };
        let (_, joined) =
            whole.get_or_insert_with(|| (Node { spot: root.spot, value: Value::Null }, Vec::new()));
        for entry in entries {
            join(joined, entry, report);
        }
    }
    let (root, entries) = whole?;
    if entries.is_empty() && report.is_clean() {
        report.refuse(root.spot, "the configuration is empty", None);
        return None;
    }
    Some(Node { spot: root.spot, value: Value::Map(entries) })
}

fn join(joined: &mut Vec<Entry>, entry: Entry, report: &Report) {
    let Some(earlier) = joined.iter_mut().find(|earlier| earlier.key == entry.key) else {
        joined.push(entry);
        return;
    };
    match (&mut earlier.node.value, entry.node.value) {
        (Value::List(items), Value::List(more)) => items.extend(more),
        _ => {
            let place = report.places.written(earlier.spot);
            let place = place.map_or_else(String::new, |written| {
                format!("{}:{}", written.file.display(), written.line)
            });
            report.refuse(
                entry.spot,
                format!("the key is set in another file already, at {place}"),
                Some("only lists can be spread over several files".to_owned()),
            );
        }
    }
}
