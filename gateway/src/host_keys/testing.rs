//! What the tests of host keys share: keys made by the real `ssh-keygen`, and a clock set by hand.
//!
//! Owns nothing that runs on. Must not be used outside tests.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::{Clock, Timestamp};
use russh::keys::{Certificate, PublicKey};

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Still(pub(crate) Timestamp);

impl Still {
    /// The time of the test's start: what `ssh-keygen` signs is good at this hour.
    pub(crate) fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Self(Timestamp::from_seconds(since.as_secs()))
    }
}

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Runs `ssh-keygen` in a directory.
pub(crate) fn keygen(directory: &Path, arguments: &[&str]) -> String {
    let ran = Command::new("ssh-keygen").current_dir(directory).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "ssh-keygen {arguments:?}: {said}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Makes a key pair, and says where the private one is.
pub(crate) fn key(directory: &Path, name: &str, kind: &str) -> PathBuf {
    let mut arguments = vec!["-q", "-t", kind, "-N", "", "-C", name, "-f", name];
    if kind == "rsa" {
        arguments.extend(["-b", "2048"]);
    }
    keygen(directory, &arguments);
    directory.join(name)
}

/// The public half of a key.
pub(crate) fn public(key: &Path) -> PublicKey {
    PublicKey::from_openssh(public_text(key).trim()).unwrap()
}

/// The public half of a key, as its file has it.
pub(crate) fn public_text(key: &Path) -> String {
    fs::read_to_string(beside(key, ".pub")).unwrap()
}

/// Signs a certificate for a key and reads it.
pub(crate) fn certify(authority: &Path, key: &Path, arguments: &[&str]) -> Certificate {
    let directory = key.parent().unwrap();
    let (authority, public) = (authority.to_str().unwrap(), beside(key, ".pub"));
    let mut all = vec!["-q", "-s", authority, "-I", "a-test"];
    all.extend(arguments);
    all.push(public.to_str().unwrap());
    keygen(directory, &all);
    Certificate::from_openssh(fs::read_to_string(beside(key, "-cert.pub")).unwrap().trim()).unwrap()
}

/// Writes a file with the given mode.
pub(crate) fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
