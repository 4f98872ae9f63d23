//! One checked definition, and its verdict on a socket.
//!
//! Owns what is legal in a definition. Must not know the other definitions.

use model::{Attestation, WorkloadName};

use super::place::{CgroupPattern, Pinned, UnitName};
use super::{Rank, UserMatch, Verdict, WorkloadDefinition};

/// A definition that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workload `{workload}`, {key}: {reason}; {remedy}")]
pub struct DefinitionError {
    /// The workload.
    pub workload: WorkloadName,
    /// The key within the workload, such as `match.cgroup`.
    pub key: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: &'static str,
}

impl DefinitionError {
    pub(super) fn twice(definition: &WorkloadDefinition) -> Self {
        Self {
            workload: definition.name.clone(),
            key: "name",
            reason: String::from("another workload has this name"),
            remedy: "names are unique: rename one",
        }
    }
}

/// A definition in the form that is compared with sockets.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    unit: Option<UnitName>,
    cgroup: Option<CgroupPattern>,
    container: Option<String>,
    executable: Option<String>,
    user: Option<UserMatch>,
}

impl Checked {
    pub(super) fn of(definition: &WorkloadDefinition) -> Result<Self, Vec<DefinitionError>> {
        let mut errors = Vec::new();
        let mut wrong = |key, reason: String, remedy| {
            let workload = definition.name.clone();
            errors.push(DefinitionError { workload, key, reason, remedy });
        };
        let asked = &definition.matches;
        if *asked == super::WorkloadMatch::default() {
            wrong(
                "match",
                String::from("nothing is asked for, so everything would match"),
                "give at least one of systemd_unit, cgroup, user, executable, container",
            );
        }
        let unit = asked.systemd_unit.as_deref().and_then(|text| {
            UnitName::parse(text)
                .map_err(|reason| {
                    wrong("match.systemd_unit", reason, "write it as systemctl shows it")
                })
                .ok()
        });
        let cgroup = asked.cgroup.as_deref().and_then(|text| {
            CgroupPattern::parse(text)
                .map_err(|reason| {
                    wrong("match.cgroup", reason, "write it as /proc/PID/cgroup shows it")
                })
                .ok()
        });
        if let Some(container) = &asked.container
            && !is_container(container)
        {
            let reason = format!("`{container}` is no container id");
            wrong("match.container", reason, "give at least twelve of its hexadecimal digits");
        }
        if let Some(path) = &asked.executable
            && !is_plain_absolute(path)
        {
            let reason = format!("`{path}` is not a full path");
            wrong("match.executable", reason, "give the path as readlink -f prints it");
        }
        if asked.user == Some(UserMatch::Name(String::new())) {
            wrong("match.user", String::from("the name is empty"), "give a name or an id");
        }
        if definition.token.is_some() && !definition.groups.is_empty() {
            wrong(
                "groups",
                String::from("there is a token as well, and groups come from one place only"),
                "remove `groups` or `token`",
            );
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            unit,
            cgroup,
            container: asked.container.clone(),
            executable: asked.executable.clone(),
            user: asked.user.clone(),
        })
    }

    /// Compares a socket with all that is asked for.
    pub(super) fn judge(&self, attestation: &Attestation, uid: u32) -> Verdict {
        let Some(place) = self.place_in(attestation) else { return Verdict::Other };
        if let Some(user) = &self.user
            && !user.is(attestation.user_name.as_deref(), uid)
        {
            return Verdict::Near(format!("it is another user's than uid {uid}"));
        }
        if let Some(wanted) = &self.executable {
            match (&attestation.executable, &attestation.executable_unknown_because) {
                (Some(path), _) if path == wanted => {}
                (Some(path), _) => {
                    return Verdict::Near(format!("the program is {path}, not {wanted}"));
                }
                // An unknown program is no program: a definition that names one cannot match.
                (None, because) => {
                    let because = because.as_deref().unwrap_or("nothing is known about it");
                    return Verdict::Near(format!("its program is not known: {because}"));
                }
            }
        }
        let (executable, user) = (self.executable.is_some(), self.user.is_some());
        Verdict::Matches(Rank { place, executable, user })
    }

    /// The deepest place that the definition pins; `None` where one of them is another place.
    fn place_in(&self, attestation: &Attestation) -> Option<Pinned> {
        let path = &attestation.cgroup_path;
        let facts = super::super::unit::read_path(path);
        let mut deepest = Pinned::NOWHERE;
        if let Some(cgroup) = &self.cgroup {
            deepest = deepest.max(cgroup.pins(path)?);
        }
        if let Some(unit) = &self.unit {
            let exact = unit.matches(attestation.systemd_unit.as_deref()?)?;
            deepest = deepest.max(Pinned { depth: facts.unit_depth, exact });
        }
        if let Some(container) = &self.container {
            attestation.container.as_deref()?.strip_prefix(container.as_str())?;
            deepest = deepest.max(Pinned { depth: facts.container_depth, exact: true });
        }
        Some(deepest)
    }
}

impl UserMatch {
    fn is(&self, name: Option<&str>, uid: u32) -> bool {
        match self {
            Self::Id(wanted) => *wanted == uid,
            Self::Name(wanted) => name == Some(wanted.as_str()),
        }
    }
}

fn is_container(text: &str) -> bool {
    (12..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_plain_absolute(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|below| {
        !below.is_empty() && below.split('/').all(|part| !matches!(part, "" | "." | ".."))
    })
}
