//! `portcullis doctor`: what this host has, and what is missing.
//!
//! Owns the looks at the host and their remedies. Asks no daemon, changes nothing.

mod facts;
mod findings;

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use facts::HostFacts;
use findings::{Finding, State, findings};

const EXAMPLES: &str = "\
Examples:
  portcullis doctor
  sudo portcullis doctor --json";

/// Check what this host has for the daemon, and say what is missing
///
/// Needs no daemon. Run it as the user the daemon runs as: capabilities are those of this process.
/// Exit status 1 where something that is required is missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

#[derive(Debug, Serialize)]
struct Report {
    ready: bool,
    findings: Vec<Finding>,
}

pub(super) fn run(_: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let findings = findings(&HostFacts::read(Path::new("/")));
    let ready = findings.iter().all(|finding| finding.state != State::Missing);
    let report = Report { ready, findings };
    context.show(&report, |report, look| render(&report.findings, look))?;
    Ok(if ready { Exit::Done } else { Exit::NotGood })
}

fn render(findings: &[Finding], look: &Look) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.state {
            State::Good => look.good("good    "),
            State::Optional => look.warning("optional"),
            State::Missing => look.bad("MISSING "),
        };
        _ = writeln!(text, "{word}  {:<16} {}", finding.name, finding.found);
        if let Some(remedy) = &finding.remedy {
            _ = writeln!(text, "{:>10}{:<16} {}", "", "", look.dim(remedy));
        }
    }
    let missing = findings.iter().filter(|finding| finding.state == State::Missing).count();
    let verdict = match missing {
        0 => look.good("this host is ready"),
        1 => look.bad("1 thing is missing"),
        count => look.bad(&format!("{count} things are missing")),
    };
    _ = writeln!(text, "\n{verdict}");
    text
}

#[cfg(test)]
mod tests;
