//! `portcullis trust revert`: takes back what `apply` did.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::{Exit, Failure};
use super::super::look::Look;
use super::super::settings;
use super::apply::{Failed, failed};
use super::host::{HostArguments, STATE_DIRECTORY, failure, reload_systemd};
use crate::trust::{Files, Journal, revert};

const EXAMPLES: &str = "\
Examples:
  sudo portcullis trust revert
  sudo portcullis trust revert --state-directory /var/lib/portcullis   # without a configuration
  sudo portcullis trust revert --force";

/// Take back everything that apply did
///
/// A file that nobody has changed since is what it was, byte for byte, with its rights and times. In
/// one that others have changed, only what is the gateway's goes. A file of the gateway's own that
/// somebody has changed is left alone and named. Exit status 1 where something was left.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) host: HostArguments,
    /// The state directory, where there is no configuration any more
    #[arg(long, value_name = "DIR")]
    pub(super) state_directory: Option<PathBuf>,
    /// Also remove files of the gateway's that somebody has changed
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) restored: Vec<String>,
    pub(super) edited: Vec<String>,
    pub(super) refused: Vec<Failed>,
    pub(super) notes: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let state_directory = match &arguments.state_directory {
        Some(directory) => directory.clone(),
        None => {
            settings(&arguments.host.config)
                .map_err(|failure| {
                    let says = format!("Or name it: `--state-directory {STATE_DIRECTORY}`.");
                    failure.with_remedy(says)
                })?
                .state_directory
        }
    };
    let files = Files::below(&arguments.host.root);
    let mut journal =
        Journal::open(&files, &state_directory).map_err(|error| failure(&error.into()))?;
    let done = revert(&files, &mut journal, arguments.force).map_err(|error| failure(&error))?;
    let mut notes = Vec::new();
    if done.restored.iter().chain(&done.edited).any(|one| one.starts_with("/etc/systemd")) {
        notes.extend(reload_systemd(&files));
    }
    let texts = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
    let denied =
        !done.refused.is_empty() && done.refused.iter().all(|(_, error)| error.is_permission());
    let report = Report {
        restored: texts(&done.restored),
        edited: texts(&done.edited),
        refused: failed(&done.refused),
        notes,
    };
    context.show(&report, render)?;
    Ok(match report.refused.is_empty() {
        true => Exit::Done,
        false if denied => Exit::NotPermitted,
        false => Exit::NotGood,
    })
}

pub(super) fn render(report: &Report, look: &Look) -> String {
    let mut text = String::new();
    for path in &report.restored {
        _ = writeln!(text, "{}  {path}", look.good("as it was "));
    }
    for path in &report.edited {
        let says = "others have changed it; what was ours is out";
        _ = writeln!(text, "{}  {path}: {says}", look.warning("taken out "));
    }
    for Failed { path, because } in &report.refused {
        _ = writeln!(text, "{}  {path}: {because}", look.bad("LEFT ALONE"));
    }
    for note in &report.notes {
        _ = writeln!(text, "{}: {note}", look.warning("warning"));
    }
    let count = report.restored.len() + report.edited.len();
    let verdict = match (count, report.refused.len()) {
        (0, 0) => String::from("nothing was applied"),
        (count, 0) => {
            look.good(&format!("{count} taken back; this host no longer trusts the gateway"))
        }
        (count, left) => look.bad(&format!("{count} taken back, {left} left alone")),
    };
    _ = writeln!(text, "{verdict}");
    text
}
