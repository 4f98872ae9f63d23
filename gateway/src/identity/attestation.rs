//! From the kernel's record of a socket to what can be said about who opened it.
//!
//! Owns the order of the questions and which of them may stay unanswered: without a living cgroup
//! there is no answer at all, without a living process only the executable is missing, and a rule
//! that needs it denies. Must not know workloads or tokens.

use std::sync::Arc;

use model::{Attestation, Binding, Clock};

use super::cgroup::{CgroupError, CgroupPaths, CgroupTree};
use super::process::{ExecutableUnknown, HostProcesses, LiveProcess, ProcessError, ProcessTable};
use super::unit;
use super::user::{HostUsers, UserDatabase, UserNames};

/// Why nothing can be said about a socket's owner.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// Its cgroup has no path.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
}

/// Why attestation cannot begin on this host.
#[derive(Debug, thiserror::Error)]
pub enum AttestorError {
    /// The cgroup tree cannot be used.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// The process table cannot be used.
    #[error("the process table cannot be used: {0}")]
    Processes(#[from] std::io::Error),
}

/// Where the answers come from.
#[derive(Clone, Debug)]
pub struct Attestor {
    cgroups: Arc<dyn CgroupPaths>,
    processes: Arc<dyn ProcessTable>,
    users: Arc<UserNames>,
}

/// What was found out, and the process while it is known to be the recorded one.
#[derive(Clone, Debug)]
pub struct Attested {
    /// What was found out.
    pub attestation: Arc<Attestation>,
    /// The living process.
    pub process: Result<Arc<dyn LiveProcess>, ProcessError>,
}

impl Attestor {
    /// Over this host's cgroups, processes and users.
    ///
    /// # Errors
    /// Where cgroup2 or `/proc` is not usable here.
    pub fn of_host(clock: Arc<dyn Clock>) -> Result<Self, AttestorError> {
        let (cgroups, processes) = (CgroupTree::open()?, HostProcesses::open()?);
        Ok(Self::new(Arc::new(cgroups), Arc::new(processes), Arc::new(HostUsers), clock))
    }

    /// Over given sources.
    #[must_use]
    pub fn new(
        cgroups: Arc<dyn CgroupPaths>,
        processes: Arc<dyn ProcessTable>,
        users: Arc<dyn UserDatabase>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { cgroups, processes, users: Arc::new(UserNames::new(users, clock)) }
    }

    /// Finds out what can be said about the owner of a socket.
    ///
    /// # Errors
    /// Where the cgroup is gone or cannot be looked up: refuse the socket.
    pub async fn attest(&self, binding: &Binding) -> Result<Attested, AttestationError> {
        let cgroup_path = self.cgroups.path_of(binding.cgroup)?;
        let process = self.processes.find(&binding.process);
        let executable = match &process {
            Ok(process) => process.executable(),
            Err(error) => Err(ExecutableUnknown::Process(error.clone())),
        };
        let (executable, unknown_because) = match executable {
            Ok(path) => (Some(path), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let facts = unit::read_path(&cgroup_path);
        let attestation = Attestation {
            cgroup_path: cgroup_path.as_ref().to_owned(),
            systemd_unit: facts.unit,
            container: facts.container,
            user_name: self.users.name_of(binding.user.uid).await,
            executable,
            executable_file: binding.process.executable,
            executable_unknown_because: unknown_because,
        };
        Ok(Attested { attestation: Arc::new(attestation), process })
    }
}

#[cfg(test)]
mod tests;
