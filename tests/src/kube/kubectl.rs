//! The unchanged clients, and what they are told of a cluster.
//!
//! Owns the kubeconfig and the home of each. Programs run in a mount namespace in which `/etc/hosts`
//! is the fixture's. Must not know whether a gateway is in between: the same name is given to
//! programs in either case, and only its meaning differs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Account, KubeCluster, making};
use crate::programs::{self, Said};

/// What clients know the API server by.
pub const NAME: &str = "kubernetes";

/// Enters the namespace and runs the rest of the command line there.
const ENTER: &str = r#"
mount --bind "$1/hosts" /etc/hosts
shift
exec "$@"
"#;

/// A machine on which clients run: one user's home, with a kubeconfig.
#[derive(Debug)]
pub struct KubeStation {
    home: tempfile::TempDir,
}

/// A `kubectl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kubectl {
    /// Debian's, 1.20.
    Old,
    /// The newest that this machine has.
    Current,
}

impl Kubectl {
    /// Those that setup has found.
    ///
    /// # Panics
    /// Where it has not found Debian's.
    #[must_use]
    pub fn all() -> Vec<Self> {
        assert!(Self::Old.path().exists(), "no kubectl: run `cargo xtask setup --kubernetes`");
        [Self::Old, Self::Current].into_iter().filter(|one| one.path().exists()).collect()
    }

    /// Its program.
    #[must_use]
    pub fn path(self) -> PathBuf {
        making::program(match self {
            Self::Old => "kubectl-1.20",
            Self::Current => "kubectl-current",
        })
    }
}

impl KubeStation {
    /// A home whose kubeconfig has this account's token for the cluster, which is at this address.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn new(cluster: &KubeCluster, at: SocketAddr, account: Account) -> Self {
        let home = tempfile::Builder::new()
            .prefix("portcullis-station-")
            .tempdir()
            .expect("a temporary directory");
        let authority = cluster.authority_file();
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{name: test, cluster: {{server: 'https://{NAME}:{}', \
             certificate-authority: {}}}}}]\n\
             users: [{{name: {user}, user: {{token: {}}}}}]\n\
             contexts: [{{name: test, context: {{cluster: test, user: {user}, namespace: shop}}}}]\n",
            at.port(),
            authority.display(),
            account.token,
            user = account.name,
        );
        let hosts = format!("127.0.0.1 localhost\n{} {NAME}\n", at.ip());
        fs::write(home.path().join("hosts"), hosts).expect("a file");
        fs::create_dir(home.path().join(".kube")).expect("a directory");
        fs::write(home.path().join(".kube/config"), config).expect("a kubeconfig");
        Self { home }
    }

    /// A directory of the user's.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command of this user's.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--", "sh", "-ec", ENTER, "enter"]);
        command.arg(self.home()).arg(program.as_ref());
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.home());
        command.env("KUBECONFIG", self.home().join(".kube/config")).env("LANG", "C.UTF-8");
        command.current_dir(self.home());
        command
    }

    /// A program for the client of Python's.
    ///
    /// # Panics
    /// Where setup has not fetched it.
    #[must_use]
    pub fn python(&self, program: &str) -> Command {
        let python = programs::cache().join("python-kubernetes/bin/python");
        assert!(python.exists(), "no {}: `cargo xtask setup --kubernetes`", python.display());
        let mut command = self.command(python);
        command.args(["-c", program]);
        command
    }

    /// Runs a `kubectl` to its end.
    #[must_use]
    pub fn kubectl(&self, which: Kubectl, arguments: &[&str]) -> Said {
        programs::run(self.command(which.path()).args(arguments))
    }
}
