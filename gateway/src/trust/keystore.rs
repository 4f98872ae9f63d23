//! Java keystores that the system does not keep.
//!
//! Owns the calls of `keytool`: it works on a copy, which takes the keystore's place when all is
//! well. The password is the one that every distribution ships ("changeit"): a keystore of trusted
//! certificates holds no secret.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::TrustError;
use super::children;
use super::files::Files;
use super::owners::{Owner, owner};
use super::scan::is_program;

const WITHIN: Duration = Duration::from_secs(60);
const PASSWORD: &str = "changeit";

/// The `keytool` for a keystore: that of its runtime, or of the system. Never one that anybody but
/// root can change.
pub(super) fn tool(files: &Files, keystore: &Path) -> Option<PathBuf> {
    // JAVA_HOME/lib/security/cacerts, or JAVA_HOME/jre/lib/security/cacerts.
    let near = keystore.ancestors().skip(3).take(2).map(|home| home.join("bin/keytool"));
    near.chain([PathBuf::from("/usr/bin/keytool")])
        .find(|tool| is_program(files, tool) && owner(files, [tool.as_path()]) == Owner::Root)
}

/// Whether the alias is there.
pub(super) fn has(files: &Files, tool: &Path, keystore: &[u8], alias: &str, pem: &str) -> bool {
    let listed = on_copy(files, tool, keystore, &["-list", "-rfc", "-alias", alias]);
    let base64 = |text: &str| -> String { text.split_whitespace().collect() };
    listed.is_ok_and(|(said, _)| base64(&said).contains(&base64(pem)))
}

/// The keystore with the certificate under the alias.
pub(super) fn with(
    files: &Files,
    tool: &Path,
    keystore: &[u8],
    alias: &str,
    pem: &str,
) -> Result<Vec<u8>, TrustError> {
    let keystore = without(files, tool, keystore, alias).unwrap_or_else(|_| keystore.to_vec());
    let directory = scratch()?;
    let file = directory.join("certificate.pem");
    let put = fs::write(&file, pem).map_err(TrustError::from).and_then(|()| {
        let file = file.display().to_string();
        on_copy(
            files,
            tool,
            &keystore,
            &["-importcert", "-noprompt", "-alias", alias, "-file", &file],
        )
    });
    let _left_behind = fs::remove_dir_all(&directory);
    put.map(|(_, bytes)| bytes)
}

/// The keystore without the alias.
pub(super) fn without(
    files: &Files,
    tool: &Path,
    keystore: &[u8],
    alias: &str,
) -> Result<Vec<u8>, TrustError> {
    on_copy(files, tool, keystore, &["-delete", "-alias", alias]).map(|(_, bytes)| bytes)
}

fn on_copy(
    files: &Files,
    tool: &Path,
    keystore: &[u8],
    arguments: &[&str],
) -> Result<(String, Vec<u8>), TrustError> {
    let directory = scratch()?;
    let copy = directory.join("keystore");
    let done = (|| {
        fs::write(&copy, keystore)?;
        let mut command = Command::new(files.outside(tool));
        command.args(arguments).arg("-keystore").arg(&copy).args(["-storepass", PASSWORD]);
        command.env_clear().env("PATH", children::PATH).env("LC_ALL", "C.UTF-8");
        let ended = children::run(&mut command, WITHIN)?;
        if !ended.succeeded() {
            let program = format!("{} {}", tool.display(), arguments.first().unwrap_or(&""));
            return Err(TrustError::Program { program, said: ended.complaint() });
        }
        Ok((ended.output, fs::read(&copy)?))
    })();
    let _left_behind = fs::remove_dir_all(&directory);
    done
}

/// A directory for root alone.
pub(super) fn scratch() -> std::io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let mut random = [0_u8; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| std::io::Error::other("no randomness"))?;
    let name = format!("portcullis-trust-{:016x}", u64::from_ne_bytes(random));
    let directory = std::env::temp_dir().join(name);
    fs::DirBuilder::new().mode(0o700).create(&directory)?;
    Ok(directory)
}
