//! `portcullis trust apply`: does what the plan says.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::{Exit, Failure};
use super::super::look::Look;
use super::host::{Host, HostArguments, OptionArguments, failure, reload_systemd};
use crate::trust::{Layer, TrustError, apply};

const EXAMPLES: &str = "\
Examples:
  sudo portcullis trust apply
  sudo portcullis trust apply --bind
  sudo portcullis trust apply --kubeconfig /etc/jobs/kubeconfig
  sudo portcullis trust apply && sudo portcullis trust verify";

/// Do what the plan says, with a journal
///
/// Doing it again changes nothing; after an upgrade, a new target or a new authority it brings
/// everything up to date, and takes back what is no longer needed. What was cut off is finished.
/// Exit status 1 where a step failed; the others are done.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) host: HostArguments,
    #[command(flatten)]
    pub(super) options: OptionArguments,
    /// Overwrite files of the gateway's that somebody has changed
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) changed: Vec<String>,
    pub(super) unchanged: usize,
    pub(super) taken_back: Vec<String>,
    pub(super) failed: Vec<Failed>,
    pub(super) restart: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// A file that was left as it is, and why.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    pub(super) path: String,
    pub(super) because: String,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let (report, exit) = report(arguments)?;
    context.show(&report, render)?;
    Ok(exit)
}

pub(super) fn report(arguments: &Arguments) -> Result<(Report, Exit), Failure> {
    let mut host = Host::open(&arguments.host)?;
    let plan = host.plan(&arguments.options)?;
    let done = apply(&host.files, &plan, &mut host.journal, arguments.force)
        .map_err(|error| failure(&error))?;
    let drop_ins = |one: &&std::path::PathBuf| one.starts_with("/etc/systemd");
    let units = done.changed.iter().chain(&done.taken_back).filter(drop_ins).count();
    let mut notes = Vec::new();
    let mut restart = Vec::new();
    if units > 0 {
        notes.extend(reload_systemd(&host.files));
        let steps = plan.steps.iter().filter(|step| {
            step.layer == Layer::Environment
                && done.changed.contains(&step.path)
                && drop_ins(&&step.path)
        });
        restart.extend(steps.flat_map(|step| step.needed_by.clone()));
    }
    let texts = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    let denied =
        !done.failed.is_empty() && done.failed.iter().all(|(_, error)| error.is_permission());
    let report = Report {
        changed: texts(&done.changed),
        unchanged: done.unchanged,
        taken_back: texts(&done.taken_back),
        failed: failed(&done.failed),
        restart,
        notes,
    };
    let exit = match report.failed.is_empty() {
        true => Exit::Done,
        false if denied => Exit::NotPermitted,
        false => Exit::NotGood,
    };
    Ok((report, exit))
}

pub(super) fn failed(all: &[(std::path::PathBuf, TrustError)]) -> Vec<Failed> {
    let one = |(path, error): &(std::path::PathBuf, TrustError)| Failed {
        path: path.display().to_string(),
        because: match error.is_permission() {
            true => format!("{error}; run it as root"),
            false => error.to_string(),
        },
    };
    all.iter().map(one).collect()
}

pub(super) fn render(report: &Report, look: &Look) -> String {
    let mut text = String::new();
    for path in &report.changed {
        _ = writeln!(text, "{}  {path}", look.good("done      "));
    }
    for path in &report.taken_back {
        _ = writeln!(text, "{}  {path}", look.warning("taken back"));
    }
    for Failed { path, because } in &report.failed {
        _ = writeln!(text, "{}  {path}: {because}", look.bad("FAILED    "));
    }
    for note in &report.notes {
        _ = writeln!(text, "{}: {note}", look.warning("warning"));
    }
    if !report.restart.is_empty() {
        _ = writeln!(text, "to be restarted: systemctl restart {}", report.restart.join(" "));
    }
    let (changed, unchanged) = (report.changed.len(), report.unchanged);
    let summary = format!("{changed} changed, {unchanged} as they were");
    let verdict = match report.failed.len() {
        0 => look.good(&summary),
        count => look.bad(&format!("{summary}, {count} failed")),
    };
    _ = writeln!(text, "{verdict}");
    text
}
