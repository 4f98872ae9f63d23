//! A real OpenSSH server with users and files of its own.
//!
//! Owns its making, its users and its end. Must not know the gateway. The server runs in a mount and
//! a process namespace of its own: `/etc/passwd`, `/etc/shadow` and `/srv` are what the fixture
//! wrote, and nothing of the machine is touched. A keeper process stands between this process and the
//! server: when this process is gone, whatever the reason, the keeper's standard input ends and it
//! ends the server, with every session, and removes its directory.
//!
//! ```text
//! keeper ── unshare ── sshd (process 1 of its namespace)
//!                        └─ reporting shell: notes the command line, then is bash
//! ```

mod making;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A login of the server, with the password that only the gateway should have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub name: &'static str,
    /// Its number.
    pub uid: u32,
    /// Its password: a canary, looked for where it must never be.
    pub password: &'static str,
}

/// Owns everything under `/srv`.
pub const DEPLOY: Login = Login { name: "deploy", uid: 47_110, password: "canary-ssh-5be01c" };
/// Another login of the same server.
pub const ADMIN: Login = Login { name: "admin", uid: 47_111, password: "canary-ssh-77ad31" };

/// Every login.
pub const LOGINS: &[Login] = &[DEPLOY, ADMIN];

/// Values that no workload may see, as they stand in the server's files.
pub const RAW_VALUES: &[&str] =
    &["customer1@mail.example", "private5@home.example", "5555555555554444"];

/// A running server.
#[derive(Debug)]
pub struct SshServer {
    directory: PathBuf,
    port: u16,
    /// Its standard input is the lifeline; never closed while this process lives.
    _keeper: std::process::Child,
}

impl SshServer {
    /// The server that tests share, started on first use.
    ///
    /// # Panics
    /// Where OpenSSH's server is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<SshServer> = OnceLock::new();
        SHARED.get_or_init(|| making::start("shared", ""))
    }

    /// A server for one test alone, with more lines of configuration. Ends with this process.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn apart(name: &str, settings: &str) -> &'static Self {
        Box::leak(Box::new(making::start(name, settings)))
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A file of the fixture's.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// What the gateway trusts: the server's host keys, in the form of `known_hosts`.
    #[must_use]
    pub fn known_hosts_file(&self) -> PathBuf {
        self.file("known_hosts")
    }

    /// The public keys of the server, each as `algorithm base64`.
    ///
    /// # Panics
    /// Where a file is gone.
    #[must_use]
    pub fn host_keys(&self) -> Vec<String> {
        let read = |kind: &&str| {
            let path = self.file(&format!("ssh_host_{kind}_key.pub"));
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            text.split(' ').take(2).collect::<Vec<_>>().join(" ")
        };
        making::HOST_KEYS.iter().map(read).collect()
    }

    /// The fingerprint of its Ed25519 host key, as clients take it.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut command = std::process::Command::new("ssh-keygen");
        command.arg("-lf").arg(self.file("ssh_host_ed25519_key.pub"));
        let shown = crate::programs::run(&mut command).success();
        shown.split(' ').nth(1).expect("a fingerprint").to_owned()
    }

    /// The private host keys of the server: only for an operator that enrols them.
    #[must_use]
    pub fn host_key_files(&self) -> Vec<PathBuf> {
        let path = |kind: &&str| self.file(&format!("ssh_host_{kind}_key"));
        making::HOST_KEYS.iter().map(path).collect()
    }

    /// The private key that every login accepts, and that only the gateway should have.
    #[must_use]
    pub fn gateway_key_file(&self) -> PathBuf {
        self.file("gateway_key")
    }

    /// The directory that the server sees as `/srv`.
    #[must_use]
    pub fn srv(&self) -> PathBuf {
        self.file("srv")
    }

    /// What stands in a file of the server; nothing where there is no such file.
    #[must_use]
    pub fn text(&self, path: &str) -> String {
        let path = self.srv().join(path.trim_start_matches("/srv/"));
        fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// A directory of its own for a test that changes things, with the usual files: its path at the
    /// server.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn fresh_place(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("place-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        making::fill(&self.srv().join(&name));
        format!("/srv/{name}")
    }

    /// Every command line that has reached a shell of the server, one a line.
    #[must_use]
    pub fn reached(&self) -> String {
        self.text("/srv/reached.log")
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("server.log")).unwrap_or_default()
    }

    /// The directory of its files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}
