//! Settings of the system's SSH client that keep it from reading what we write.
//!
//! Owns the look for them (ssh_config(5)). Must not change anything, and need not be exact: it
//! gives warnings. A user's own settings are not looked at.

use std::fs;
use std::path::{Path, PathBuf};

/// Files included by files.
const DEPTH_MAX: usize = 8;
/// Bytes of one of them.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What keeps clients from reading `file` or from taking host certificates.
pub(super) fn warnings(config: &Path, file: &Path) -> Vec<String> {
    let mut found = Vec::new();
    look(config, file, 0, &mut found);
    found
}

fn look(config: &Path, file: &Path, depth: usize, found: &mut Vec<String>) {
    let small = fs::metadata(config).is_ok_and(|about| about.len() <= FILE_BYTES_MAX);
    if depth > DEPTH_MAX || !small {
        return;
    }
    let Ok(text) = fs::read_to_string(config) else { return };
    for (index, line) in text.lines().enumerate() {
        let Some((keyword, values)) = setting(line) else { continue };
        let at = format!("{} line {}", config.display(), index + 1);
        match keyword.as_str() {
            "include" => {
                for pattern in values {
                    for included in matching(config, pattern) {
                        look(&included, file, depth + 1, found);
                    }
                }
            }
            "globalknownhostsfile" if !values.iter().any(|value| Path::new(value) == file) => {
                found.push(format!(
                    "{at} sets GlobalKnownHostsFile without {}: clients that it applies to do not \
                     read the line; add the file there",
                    file.display()
                ));
            }
            "hostkeyalgorithms" if excludes_certificates(&values) => {
                found.push(format!(
                    "{at} sets HostKeyAlgorithms without certificates: clients that it applies to \
                     do not take one; add ssh-ed25519-cert-v01@openssh.com there"
                ));
            }
            _ => {}
        }
    }
}

/// The keyword in lower case and its values, quoted or not.
fn setting(line: &str) -> Option<(String, Vec<&str>)> {
    let line = line.trim();
    let (keyword, rest) = line.split_once(|c: char| c.is_whitespace() || c == '=')?;
    if keyword.starts_with('#') {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches('=');
    let values = rest.split_whitespace().map(|value| value.trim_matches('"')).collect();
    Some((keyword.to_ascii_lowercase(), values))
}

/// A list that begins with a sign changes the default, which has certificates.
fn excludes_certificates(values: &[&str]) -> bool {
    values.first().is_some_and(|list| match list.as_bytes().first() {
        Some(b'+' | b'^') => false,
        Some(b'-') => list.contains("cert"),
        _ => !list.contains("-cert-v01@openssh.com"),
    })
}

/// The files of a pattern whose last part may hold one `*`.
fn matching(config: &Path, pattern: &str) -> Vec<PathBuf> {
    let beside = config.parent().unwrap_or_else(|| Path::new("/"));
    let path = beside.join(pattern);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some((prefix, suffix)) = name.as_deref().and_then(|name| name.split_once('*')) else {
        return vec![path];
    };
    let Some(Ok(entries)) = path.parent().map(fs::read_dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && name.ends_with(suffix)
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_keep_clients_from_the_line_are_found_also_where_they_are_included() {
        let directory = tempfile::tempdir().unwrap();
        let main = directory.path().join("ssh_config");
        let parts = directory.path().join("ssh_config.d");
        fs::create_dir(&parts).unwrap();
        let file = Path::new("/etc/ssh/ssh_known_hosts2");
        let tried = |text: &str| {
            fs::write(parts.join("x.conf"), text).unwrap();
            fs::write(&main, "Include ssh_config.d/*.conf\nHost *\n  SendEnv LANG\n").unwrap();
            warnings(&main, file).len()
        };
        for (text, expected) in [
            ("", 0),
            ("# GlobalKnownHostsFile /x", 0),
            ("GlobalKnownHostsFile /x", 1),
            ("  globalknownhostsfile=/x", 1),
            ("GlobalKnownHostsFile = \"/x\"", 1),
            ("GlobalKnownHostsFile /x /etc/ssh/ssh_known_hosts2", 0),
            ("HostKeyAlgorithms ssh-ed25519", 1),
            ("HostKeyAlgorithms +ssh-rsa", 0),
            ("HostKeyAlgorithms -ssh-*-cert-v01@openssh.com", 1),
            ("HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519", 0),
            ("Include ssh_config.d/x.conf", 0),
        ] {
            assert_eq!(tried(text), expected, "{text}");
        }
        assert!(warnings(&directory.path().join("none"), file).is_empty());
    }
}
