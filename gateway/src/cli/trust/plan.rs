//! `portcullis trust plan`: what would be done, where, for whom, why and at what risk.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::{Exit, Failure};
use super::super::look::Look;
use super::host::{Host, HostArguments, OptionArguments, failure};
use crate::trust::{Authority, Layer, State, Step, state};

const EXAMPLES: &str = "\
Examples:
  portcullis trust plan
  portcullis trust plan --bind --scan /srv
  portcullis trust plan --kubeconfig /etc/jobs/kubeconfig
  portcullis trust plan --json";

/// Print what this host needs to trust the gateway, and change nothing
///
/// Looks for the system's store, for bundles that Python's libraries bring, for Java keystores, and
/// at the units that the configuration governs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) host: HostArguments,
    #[command(flatten)]
    pub(super) options: OptionArguments,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) authority: Option<Authority>,
    pub(super) steps: Vec<Row>,
    pub(super) layers: Vec<Reason>,
    pub(super) notes: Vec<String>,
    pub(super) exports: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    pub(super) step: Step,
    pub(super) state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unreadable: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Reason {
    layer: Layer,
    why: &'static str,
    risk: &'static str,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let host = Host::open(&arguments.host)?;
    let report = report(&host, &arguments.options)?;
    context.show(&report, render)?;
    Ok(Exit::Done)
}

pub(super) fn report(host: &Host, options: &OptionArguments) -> Result<Report, Failure> {
    let plan = host.plan(options)?;
    let layers: BTreeSet<Layer> = plan.steps.iter().map(|step| step.layer).collect();
    let reason = |layer: Layer| Reason { layer, why: layer.why(), risk: layer.risk() };
    let mut steps = Vec::new();
    for step in plan.steps {
        let (state, unreadable) = match state(&host.files, &host.journal, &step) {
            Ok(state) => (Some(state), None),
            Err(error) if error.is_permission() => (None, Some(error.to_string())),
            Err(error) => return Err(failure(&error)),
        };
        steps.push(Row { step, state, unreadable });
    }
    Ok(Report {
        authority: host.subject.authority.clone(),
        steps,
        layers: layers.into_iter().map(reason).collect(),
        notes: plan.notes,
        exports: plan.exports,
    })
}

/// How a step stands, in a word.
pub(super) const fn word(state: Option<State>) -> &'static str {
    match state {
        Some(State::Applied) => "applied",
        Some(State::Missing) => "missing",
        Some(State::Outdated) => "outdated",
        Some(State::Changed) => "changed since",
        None => "not readable",
    }
}

pub(super) fn render(report: &Report, look: &Look) -> String {
    let mut text = String::new();
    let rows = report.steps.iter().map(|row| {
        let step = &row.step;
        vec![
            step.layer.to_string(),
            step.path.display().to_string(),
            step.what.clone(),
            step.needed_by.join(", "),
            word(row.state).to_owned(),
        ]
    });
    text.push_str(&look.table(&["LAYER", "FILE", "WHAT", "FOR", "NOW"], rows.collect()));
    for reason in &report.layers {
        _ = writeln!(text, "\n{}", look.bold(&reason.layer.to_string()));
        _ = writeln!(text, "  why   {}", reason.why);
        _ = writeln!(text, "  risk  {}", reason.risk);
    }
    if !report.notes.is_empty() {
        _ = writeln!(text, "\n{}", look.bold("notes"));
    }
    for note in &report.notes {
        _ = writeln!(text, "  - {note}");
    }
    if !report.exports.is_empty() {
        _ = writeln!(text, "\n{}", look.bold("lines"));
    }
    for line in &report.exports {
        _ = writeln!(text, "  {line}");
    }
    let missing = report.steps.iter().filter(|row| row.state != Some(State::Applied)).count();
    let verdict = match (report.steps.len(), missing) {
        (0, _) => look.good("nothing is to be done"),
        (_, 0) => look.good("everything is done; see whether it works: portcullis trust verify"),
        (_, 1) => look.warning("1 step is to be done: portcullis trust apply"),
        (_, count) => {
            look.warning(&format!("{count} steps are to be done: portcullis trust apply"))
        }
    };
    _ = writeln!(text, "\n{verdict}");
    text
}
