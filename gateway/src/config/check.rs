//! From raw values to checked settings, refusing all that is wrong.
//!
//! Owns what makes a value good and what values must agree on. Must not know how YAML is read nor
//! what the policy finds wrong with its rules, beyond passing that on with its place.

mod credential;
mod daemon;
mod http;
mod identity;
mod keys;
mod kubernetes;
mod roles;
mod ssh;
mod target;
mod text;

use std::sync::Arc;

use policy::{Problem, RoleProblem, TargetProblem};

use super::raw::RawConfig;
use super::read::At;
use super::report::Report;
use super::settings::{Govern, ReferencedFile, Settings};
use super::tree::Spot;

/// Checks everything; `None` where anything was refused.
pub(super) fn check(raw: &RawConfig, root: Spot, report: &Report) -> Option<Settings> {
    let checker = Checker { report };
    let state_directory = checker.state_directory(raw);
    let control = checker.control(raw.control.as_ref());
    let workloads = checker.workloads(&raw.workloads, &raw.identity_providers);
    let identity_providers = checker.providers(&raw.identity_providers);
    let audit = checker.audit(raw.audit.as_ref(), &state_directory);
    let audited = checker.audits_allowed(raw.audit.as_ref());
    let targets = checker.targets(&raw.targets, audited);
    let govern = checker.govern(raw, root);
    let source = checker.policy_source(raw);
    let policy = match policy::compile(&source) {
        Ok(policy) => Some(Arc::new(policy)),
        Err(errors) => {
            // What was left out of the source because it was refused is missing from it: an
            // error that follows from that alone would lead astray.
            let whole = report.is_clean();
            let errors = errors.iter().filter(|error| whole || !may_follow(&error.problem));
            for error in errors {
                let spot = Spot(error.origin.0);
                report.refuse(spot, error.to_string(), error.remedy());
            }
            None
        }
    };
    let recording = checker.recording(raw.recording.as_ref(), &state_directory);
    let limits = checker.limits(raw.limits.as_ref());
    let settings = Settings {
        warnings: report.warnings(),
        instance: checker.instance(raw),
        unlisted_destinations: daemon::unlisted(raw.unlisted_destinations.as_ref()),
        listen_port: checker.listen_port(raw.listen.as_ref()),
        metrics_listen: checker.metrics_listen(raw.metrics.as_ref()),
        referenced: checker.referenced(raw),
        govern: govern.unwrap_or(Govern::Parts(Vec::new())),
        state_directory,
        workloads,
        identity_providers,
        targets,
        policy: policy?,
        recording,
        audit,
        control,
        limits,
    };
    report.is_clean().then_some(settings)
}

/// Whether the problem may be there only because something else was refused.
const fn may_follow(problem: &Problem) -> bool {
    use RoleProblem::{Empty, GroupNotYielded, NoGroups, UnknownTag};
    matches!(
        problem,
        Problem::Target(TargetProblem::NotReached)
            | Problem::Role(Empty | GroupNotYielded(_) | NoGroups | UnknownTag { .. })
    )
}

/// Checks values, reporting what it refuses.
#[derive(Clone, Copy)]
struct Checker<'a> {
    report: &'a Report,
}

impl Checker<'_> {
    /// Refuses a value.
    fn refuse<T>(self, at: &At<T>, reason: impl Into<String>, remedy: impl Into<String>) {
        self.report.refuse(at.spot, reason, Some(remedy.into()));
    }

    /// Warns of a value.
    fn warn<T>(self, at: &At<T>, reason: impl Into<String>, remedy: impl Into<String>) {
        self.report.warn(at.spot, reason, remedy);
    }

    /// Refuses names that come twice.
    fn refuse_repeated<'n>(self, what: &str, names: impl IntoIterator<Item = &'n At<String>>) {
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if let Some(text) = name.get()
                && !seen.insert(text)
            {
                self.refuse(
                    name,
                    format!("another {what} has the same name"),
                    "choose another name",
                );
            }
        }
    }

    /// The files on this host that must exist.
    fn referenced(self, raw: &RawConfig) -> Vec<ReferencedFile> {
        let mut files = Vec::new();
        identity::referenced(&raw.identity_providers, &mut files);
        target::referenced(&raw.targets, &mut files);
        ssh::referenced(&raw.targets, &mut files);
        files
            .into_iter()
            .filter_map(|(what, at)| {
                let path = at.get()?.into();
                let reason = format!("{what} does not exist");
                let remedy = Some("create the file, or correct its path".to_owned());
                let mut missing = self.report.error(at.spot, reason, remedy)?;
                // A path is no secret, though it stands where secrets do.
                missing.value = at.get().cloned();
                Some(ReferencedFile { path, missing })
            })
            .collect()
    }
}
