//! `portcullis trust verify`: real handshakes by every runtime of this host.

use std::fmt::Write as _;

use clap::Args;

use super::super::context::Context;
use super::super::failure::{Exit, Failure};
use super::super::look::Look;
use super::super::wording;
use super::host::{Host, HostArguments, OptionArguments, failure};
use crate::trust::verify::{Matrix, Row, Trusts, verify};

const EXAMPLES: &str = "\
Examples:
  sudo portcullis trust verify
  sudo portcullis trust verify --scan /srv
  sudo portcullis trust verify --json";

/// Characters of what a program said that are shown.
const SAID_MAX: usize = 160;

/// Try with real handshakes whether the runtimes of this host trust the gateway
///
/// Starts a server on a loopback address with a certificate by the host's authority, and has curl,
/// wget, openssl, git, Go, Java, Node and every Python found ask it: alone, as in a cron job, and
/// with the environment of the governed units. Nothing is changed and nothing leaves the host. A
/// program that another user can change runs as that user. Exit status 1 where a governed unit's
/// runtime does not trust the gateway.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) host: HostArguments,
    #[command(flatten)]
    pub(super) options: OptionArguments,
    /// Exit status 1 where any runtime does not trust the gateway
    #[arg(long)]
    pub(super) all: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let host = Host::open(&arguments.host)?;
    let options = host.options(&arguments.options)?;
    let matrix = verify(&host.files, &host.subject, &host.state_directory, &options)
        .map_err(|error| failure(&error))?;
    context.show(&matrix, render)?;
    let fails = |row: &Row| row.in_units.unwrap_or(row.alone) != Trusts::Yes;
    let bad = matrix.rows.iter().any(|row| row.is_bad() || arguments.all && fails(row));
    Ok(if bad { Exit::NotGood } else { Exit::Done })
}

const fn word(trusts: Trusts) -> &'static str {
    match trusts {
        Trusts::Yes => "yes",
        Trusts::No => "NO",
        Trusts::Unknown => "?",
    }
}

pub(super) fn render(matrix: &Matrix, look: &Look) -> String {
    let mut text = String::new();
    let rows = matrix.rows.iter().map(|row| {
        vec![
            row.runtime.to_owned(),
            wording::shortened(&row.version, 24),
            row.program.display().to_string(),
            word(row.alone).to_owned(),
            row.in_units.map_or("-", word).to_owned(),
            row.by.unwrap_or("-").to_owned(),
            if row.needed_by.is_empty() { String::from("-") } else { row.needed_by.join(", ") },
        ]
    });
    let header = ["RUNTIME", "VERSION", "PROGRAM", "ALONE", "IN UNITS", "BY", "NEEDED BY"];
    text.push_str(&look.table(&header, rows.collect()));
    let failing = matrix.rows.iter().filter(|row| row.remedy.is_some());
    for row in failing {
        let (program, runtime) = (row.program.display(), row.runtime);
        let head = format!("{runtime} ({program})");
        let head = if row.is_bad() { look.bad(&head) } else { look.warning(&head) };
        _ = writeln!(text, "\n{head}");
        if let Some(said) = &row.said {
            _ = writeln!(text, "  said    {}", wording::shortened(said, SAID_MAX));
        }
        if let Some(remedy) = &row.remedy {
            _ = writeln!(text, "  remedy  {remedy}");
        }
    }
    let bad = matrix.rows.iter().filter(|row| row.is_bad()).count();
    let rest = matrix.rows.iter().filter(|row| row.remedy.is_some() && !row.is_bad()).count();
    let asked = format!("asked for {}", matrix.name);
    let verdict = match (bad, rest) {
        (0, 0) => look.good("every runtime trusts the gateway"),
        (0, rest) => {
            look.warning(&format!("{rest} do not, and no governed unit is known to need them"))
        }
        (bad, _) => look.bad(&format!("{bad} that governed units need do not trust the gateway")),
    };
    _ = writeln!(text, "\n{verdict} ({asked})");
    text
}
