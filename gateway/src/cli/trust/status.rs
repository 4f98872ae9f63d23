//! `portcullis trust status`: how every step stands, and how the authority does.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::super::context::Context;
use super::super::failure::{Exit, Failure};
use super::super::look::Look;
use super::super::wording;
use super::host::{Host, HostArguments, OptionArguments, day};
use super::plan::{Report, report, word};
use crate::trust::State;

const EXAMPLES: &str = "\
Examples:
  portcullis trust status
  sudo portcullis trust status --json";

/// Names that are shown in a line.
const NAMES_SHOWN: usize = 8;

/// Say whether what apply did is still in place, and until when the authority is good
///
/// Exit status 1 where a step is missing, outdated or was changed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) host: HostArguments,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let host = Host::open(&arguments.host)?;
    let report = report(&host, &OptionArguments::default())?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    context.show(&report, |report, look| render(report, now.as_secs(), look))?;
    let good = report.steps.iter().all(|row| row.state == Some(State::Applied));
    Ok(if good { Exit::Done } else { Exit::NotGood })
}

pub(super) fn render(report: &Report, now_seconds: u64, look: &Look) -> String {
    let mut text = String::new();
    if let Some(authority) = &report.authority {
        look.labelled(&mut text, "authority", &authority.file.display().to_string());
        look.labelled(&mut text, "sha256", &authority.fingerprint);
        let until = day(authority.valid_until_seconds);
        let left = authority.valid_until_seconds.saturating_sub(now_seconds);
        let until = match left {
            0 => look.bad(&format!("{until}, it is over: restart the daemon, then apply again")),
            left => format!("{until}, in {}", wording::span(Duration::from_secs(left))),
        };
        look.labelled(&mut text, "good until", &until);
        let mut names = authority.names.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>();
        if authority.names.len() > NAMES_SHOWN {
            names.push(format!("and {} more", authority.names.len() - NAMES_SHOWN));
        }
        look.labelled(&mut text, "names", &names.join(", "));
        text.push('\n');
    }
    let rows = report.steps.iter().map(|row| {
        let step = &row.step;
        let state = match &row.unreadable {
            Some(because) => format!("{}: {because}", word(row.state)),
            None => word(row.state).to_owned(),
        };
        vec![step.layer.to_string(), state, step.path.display().to_string()]
    });
    text.push_str(&look.table(&["LAYER", "STATE", "FILE"], rows.collect()));
    let missing = report.steps.iter().filter(|row| row.state != Some(State::Applied)).count();
    let verdict = match missing {
        0 => look.good("all of it is in place"),
        1 => look.bad("1 step is not in place: portcullis trust apply"),
        count => look.bad(&format!("{count} steps are not in place: portcullis trust apply")),
    };
    _ = writeln!(text, "\n{verdict}");
    text
}
