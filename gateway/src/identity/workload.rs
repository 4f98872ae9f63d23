//! Which workload a socket belongs to: exactly one, or none.
//!
//! Owns the definitions and the order among them. Must not know how facts are found out
//! (`attestation`) nor policy. A table is built from one configuration and ends with it.
//!
//! **Order.** A definition matches when everything it asks for holds. Of the definitions that
//! match a socket, one wins when it asks for at least as much as every other one in each of three
//! respects, and for more in one:
//! 1. *place*: how deep in the socket's cgroup path the definition pins it (by `cgroup`,
//!    `systemd_unit` or `container`); at the same depth a name in full is more than a pattern or a
//!    template (`backup@.service`);
//! 2. *executable*: named is more than not named;
//! 3. *user*: named is more than not named.
//!
//! Otherwise the socket is ambiguous and refused: two definitions that each ask for something the
//! other does not are the operator's to put in order, by saying in one what the other says too.

mod definition;
mod place;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Attestation, Group, WorkloadName};

use definition::Checked;
pub use definition::DefinitionError;
use place::Pinned;

use super::tokens::TokenSettings;

/// What a process must be to belong to a workload; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadMatch {
    /// A unit of the system manager: `nightly-report.service`, or `backup@.service` for every
    /// instance of a template.
    pub systemd_unit: Option<String>,
    /// A path below the cgroup2 root, as `/automation.slice`: that cgroup and all below it. A
    /// component may hold `*`, which stands for any run of characters within the component.
    pub cgroup: Option<String>,
    /// The user.
    pub user: Option<UserMatch>,
    /// The path of the executable on the host.
    pub executable: Option<String>,
    /// A container id, or its first twelve or more digits.
    pub container: Option<String>,
}

/// A user, by name or by id in the initial user namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserMatch {
    /// By name, as the host's user database has it.
    Name(String),
    /// By id.
    Id(u32),
}

/// A workload as the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadDefinition {
    /// Its name, unique.
    pub name: WorkloadName,
    /// Who belongs to it.
    pub matches: WorkloadMatch,
    /// The token that proves its groups.
    pub token: Option<TokenSettings>,
    /// Groups that the configuration gives it, where there is no token.
    pub groups: BTreeSet<Group>,
}

/// All workloads of a configuration.
#[derive(Clone, Debug, Default)]
pub struct WorkloadTable {
    workloads: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    definition: Arc<WorkloadDefinition>,
    checked: Checked,
}

/// Why a socket belongs to no workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadRefusal {
    /// None matches.
    #[error("no workload matches {}{}", .cgroup_path, near_text(.near))]
    None {
        /// The cgroup of the socket's process.
        cgroup_path: String,
        /// Workloads that match but for the executable or user, and what was missing.
        near: Vec<(WorkloadName, String)>,
    },
    /// Several match, and none of them asks for more than all others.
    #[error("{} match alike: give one of them what the others ask for too", names_text(.0))]
    Ambiguous(Vec<WorkloadName>),
}

impl WorkloadTable {
    /// Checks the definitions.
    ///
    /// # Errors
    /// Everything that is wrong with them, by workload.
    pub fn new(
        definitions: impl IntoIterator<Item = WorkloadDefinition>,
    ) -> Result<Self, Vec<DefinitionError>> {
        let (mut workloads, mut errors) = (Vec::new(), Vec::new());
        let mut names = BTreeSet::new();
        for definition in definitions {
            if !names.insert(definition.name.clone()) {
                errors.push(DefinitionError::twice(&definition));
            }
            match Checked::of(&definition) {
                Ok(checked) => workloads.push(Entry { definition: Arc::new(definition), checked }),
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(Self { workloads }) } else { Err(errors) }
    }

    /// The definitions, in the order given.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<WorkloadDefinition>> {
        self.workloads.iter().map(|entry| &entry.definition)
    }

    /// The one workload that a socket belongs to.
    ///
    /// # Errors
    /// None matches, or several with equal right: refuse the socket.
    pub fn resolve(
        &self,
        attestation: &Attestation,
        uid: u32,
    ) -> Result<Arc<WorkloadDefinition>, WorkloadRefusal> {
        let mut matching: Vec<(&Entry, Rank)> = Vec::new();
        let mut near = Vec::new();
        for entry in &self.workloads {
            match entry.checked.judge(attestation, uid) {
                Verdict::Matches(rank) => matching.push((entry, rank)),
                Verdict::Near(because) => near.push((entry.definition.name.clone(), because)),
                Verdict::Other => {}
            }
        }
        let winner = matching.iter().enumerate().find(|(at, (_, rank))| {
            matching
                .iter()
                .enumerate()
                .all(|(other, (_, theirs))| other == *at || rank.beats(theirs))
        });
        match (winner, matching.is_empty()) {
            (Some((_, (entry, _))), _) => Ok(Arc::clone(&entry.definition)),
            (None, true) => {
                Err(WorkloadRefusal::None { cgroup_path: attestation.cgroup_path.clone(), near })
            }
            (None, false) => Err(WorkloadRefusal::Ambiguous(
                matching.iter().map(|(entry, _)| entry.definition.name.clone()).collect(),
            )),
        }
    }
}

/// Whether a definition matches a socket.
enum Verdict {
    Matches(Rank),
    /// The place is right, but not the program or user; why, for people.
    Near(String),
    Other,
}

/// How much a matching definition asks for, see the head of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rank {
    place: Pinned,
    executable: bool,
    user: bool,
}

impl Rank {
    fn beats(&self, other: &Self) -> bool {
        self != other
            && self.place >= other.place
            && self.executable >= other.executable
            && self.user >= other.user
    }
}

fn near_text(near: &[(WorkloadName, String)]) -> String {
    near.iter().map(|(name, because)| format!("; not {name}: {because}")).collect()
}

fn names_text(names: &[WorkloadName]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("workloads {}", names.join(", "))
}

#[cfg(test)]
mod tests;
