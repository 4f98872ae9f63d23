//! The unchanged clients, and what they are told of a cluster.
//!
//! Owns the kubeconfig and the home of each. Must not know whether a gateway is in between: only the
//! address differs.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Account, KubeCluster, making};
use crate::programs::{self, Said};

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
    /// A home whose kubeconfig names the cluster at this address, with this account's token.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn new(cluster: &KubeCluster, at: Ipv4Addr, account: Account) -> Self {
        let home = tempfile::Builder::new()
            .prefix("portcullis-station-")
            .tempdir()
            .expect("a temporary directory");
        let authority = cluster.authority_file();
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{name: test, cluster: {{server: 'https://{at}:{}', \
             certificate-authority: {}}}}}]\n\
             users: [{{name: {user}, user: {{token: {}}}}}]\n\
             contexts: [{{name: test, context: {{cluster: test, user: {user}, namespace: shop}}}}]\n",
            cluster.port(),
            authority.display(),
            account.token,
            user = account.name,
        );
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
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.home());
        command.env("KUBECONFIG", self.home().join(".kube/config")).env("LANG", "C.UTF-8");
        command.current_dir(self.home());
        command
    }

    /// Runs a `kubectl` to its end.
    #[must_use]
    pub fn kubectl(&self, which: Kubectl, arguments: &[&str]) -> Said {
        programs::run(self.command(which.path()).args(arguments))
    }
}
