//! `portcullis sessions`: recordings, and ending a live session.
//!
//! Owns the choice of the subcommand. Recordings are read as files; only `kill` asks the daemon.

mod export;
mod facts;
mod har;
mod replay;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use model::{SessionId, Timestamp};

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use super::wording::{bytes, moment, span};
use super::{CONFIG_VARIABLE, DEFAULT_CONFIG, settings};
use crate::recording::replay::{Options, Replay, plain};
use crate::recording::{self, Filter, PublicKey, ReadError, Reader, Record, Trust};
use facts::{SessionFacts, ShownFacts, VerifyFacts};

const EXAMPLES: &str = "\
Examples:
  portcullis sessions list --workload nightly-report --since 24h
  portcullis sessions show ses_0190c0ffee0070008000000000000001
  portcullis sessions replay ses_0190c0ffee0070008000000000000001
  portcullis sessions export ses_0190c0ffee0070008000000000000001 --output deploy.cast
  portcullis sessions verify ses_0190c0ffee0070008000000000000001
  portcullis sessions kill ses_0190c0ffee0070008000000000000001";

/// List, show, replay, export and verify recorded sessions; end a live one
///
/// Recordings are files: all but `kill` read them and need no daemon, but the right to read them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List recorded sessions, the newest first
    #[command(after_help = "Examples:\n  portcullis sessions list --since 24h --limit 20\n  \
        portcullis sessions list --target analytics --json")]
    List(ListArguments),
    /// Show who a session was, what it asked, what was decided, and how it ended
    #[command(
        after_help = "Examples:\n  portcullis sessions show ses_0190c0ffee0070008000000000000001"
    )]
    Show(OneArguments),
    /// Print a session as it went: statements, decisions, what the workload saw
    ///
    /// A session that had a terminal is played in yours, where standard output is one or an option
    /// under `Playing` is given. Sequences that would steer your terminal beyond drawing (clipboard,
    /// titles, reports, keys) are left out.
    #[command(after_help = replay::EXAMPLES)]
    Replay(replay::Arguments),
    /// Write a session to a file that other tools read: a screen, or requests of HTTP
    ///
    /// An asciicast (version 2) of one terminal, or of a command that had none: times are those of
    /// the recording; gaps and remarks are markers. Of a session of HTTP an archive (HAR 1.2): a
    /// recording has no headers, and of bodies what `limits` keep, as they were shown.
    #[command(after_help = export::EXAMPLES)]
    Export(export::Arguments),
    /// Check that a recording is whole and unchanged
    ///
    /// Exit status 1 where it is not, or where it is not sealed (the session runs, or the daemon
    /// died). Compare the chain head with the `recording_sealed` line of the audit log.
    #[command(
        after_help = "Examples:\n  portcullis sessions verify ses_0190c0ffee0070008000000000000001\n  \
        portcullis sessions verify --all --key 64_HEX_DIGITS"
    )]
    Verify(VerifyArguments),
    /// End a live session
    #[command(
        after_help = "Examples:\n  portcullis sessions kill ses_0190c0ffee0070008000000000000001"
    )]
    Kill {
        /// The session
        #[arg(value_name = "ID")]
        id: SessionId,
    },
}

/// Where recordings are.
#[derive(Debug, Args)]
struct Place {
    /// The configuration that says where recordings are
    #[arg(long, short, value_name = "PATH", env = CONFIG_VARIABLE, hide_env_values = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The directory of recordings, instead of the configuration's
    #[arg(long, value_name = "PATH")]
    directory: Option<PathBuf>,
}

impl Place {
    fn directory(&self) -> Result<PathBuf, Failure> {
        match &self.directory {
            Some(directory) => Ok(directory.clone()),
            None => Ok(settings(&self.config)?.recording.directory),
        }
    }
}

#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    place: Place,
    /// Of this workload only
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// To this target only
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Started within this span: 90s, 30m, 24h, 7d
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Duration>,
    /// At most so many; 0 is all
    #[arg(long, value_name = "COUNT", default_value = "50")]
    limit: usize,
}

#[derive(Debug, Args)]
struct OneArguments {
    #[command(flatten)]
    place: Place,
    /// The session
    #[arg(value_name = "ID")]
    id: SessionId,
}

impl OneArguments {
    fn reader(&self) -> Result<Reader, Failure> {
        recording::open(&self.place.directory()?, self.id, &Trust::AnyKey).map_err(unreadable)
    }
}

#[derive(Debug, Args)]
struct VerifyArguments {
    #[command(flatten)]
    place: Place,
    /// The session
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    id: Option<SessionId>,
    /// Every recording there is
    #[arg(long)]
    all: bool,
    /// Trust only this public key; without one, the key that the recording itself names
    #[arg(long, value_name = "HEX", value_parser = parse_key)]
    key: Option<PublicKey>,
}

fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number and s, m, h or d, such as 24h".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let number = text.get(..text.len() - 1).unwrap_or_default();
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

fn parse_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::from_hex(text).ok_or_else(|| "expected 64 hexadecimal digits".to_owned())
}

pub(super) fn run(arguments: Arguments, context: &Context) -> Result<Exit, Failure> {
    match arguments.command {
        Command::List(arguments) => list(&arguments, context),
        Command::Show(arguments) => show(&arguments, context),
        Command::Replay(arguments) => replay::run(&arguments, context),
        Command::Export(arguments) => export::run(&arguments, context),
        Command::Verify(arguments) => verify(&arguments, context),
        Command::Kill { id } => {
            let done = context.ask(async |client| client.kill(id).await)?;
            context.show(&done, |done, _| format!("{}\n", done.message))?;
            Ok(Exit::Done)
        }
    }
}

fn unreadable(error: ReadError) -> Failure {
    let message = error.to_string();
    match error {
        ReadError::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Failure::new(Exit::NotPermitted, message)
                .with_remedy("Recordings are readable by the daemon's user only: run it as root.")
        }
        ReadError::NotFound { .. } => Failure::new(Exit::Impossible, message)
            .with_remedy("List what there is with `portcullis sessions list`."),
        ReadError::File { .. } | ReadError::Damaged { .. } => Failure::new(Exit::NotGood, message),
    }
}

fn list(arguments: &ListArguments, context: &Context) -> Result<Exit, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = arguments.since.map(|span| Timestamp::default().after(now.saturating_sub(span)));
    let filter = Filter {
        workload: arguments.workload.as_deref().map(Into::into),
        target: arguments.target.as_deref().map(Into::into),
        since,
        until: None,
        limit: arguments.limit,
    };
    let found = recording::list(&arguments.place.directory()?, &filter).map_err(unreadable)?;
    let sessions: Vec<SessionFacts> = found.into_iter().map(SessionFacts::from).collect();
    context.show(&sessions, |sessions, look| render_list(sessions, look))?;
    Ok(Exit::Done)
}

fn show(arguments: &OneArguments, context: &Context) -> Result<Exit, Failure> {
    let (facts, story) = story(&arguments.place.directory()?, arguments.id)?;
    context.show(&facts, |facts, look| format!("{story}\n{}", render_end(facts, look)))?;
    Ok(Exit::Done)
}

/// The facts of a session and its statements and decisions as text.
fn story(directory: &Path, id: SessionId) -> Result<(ShownFacts, String), Failure> {
    let path = recording::find(directory, id).map_err(unreadable)?;
    let report = recording::verify(&path, &Trust::AnyKey).map_err(unreadable)?;
    let reader = recording::open(directory, id, &Trust::AnyKey).map_err(unreadable)?;
    let session = SessionFacts {
        header: reader.header().clone(),
        seal: report.seal.clone(),
        file_bytes: std::fs::metadata(&path).map_or(0, |found| found.len()),
        path: path.clone(),
    };
    let mut replay = Replay::new(SHOWN);
    let mut text = replay.header(reader.header());
    for entry in reader {
        let entry = entry.map_err(unreadable)?;
        if !is_of_result(&entry.record) {
            text.push_str(&replay.entry(&entry));
        }
    }
    Ok((ShownFacts { session, verified: VerifyFacts::new(path, &report) }, text))
}

/// A command's output by its first lines; a terminal's not at all.
const SHOWN: Options = Options { output_lines_max: 20, terminal_lines_max: 0, ..Options::DEFAULT };

/// The rows the workload was shown, which `replay` is for.
const fn is_of_result(record: &Record<'_>) -> bool {
    matches!(
        record,
        Record::ResultColumns { .. } | Record::ResultRow { .. } | Record::ResultOmitted { .. }
    )
}

fn render_end(shown: &ShownFacts, look: &Look) -> String {
    let facts = &shown.session;
    let mut text = String::new();
    let Some(seal) = &facts.seal else {
        _ = writeln!(text, "{}", look.warning("not sealed: the session runs, or the daemon died"));
        return text;
    };
    let counts = &seal.counts;
    let lasted = span(seal.ended_us.since(facts.header.started_us));
    look.labelled(&mut text, "ended", &format!("after {lasted}: {}", facts.end_word()));
    let line = format!(
        "{} operations, {} denied, {} held, {} failed, {} rows, {} values masked",
        counts.operations,
        counts.denied,
        counts.held,
        counts.failed,
        counts.rows,
        counts.masked_values,
    );
    look.labelled(&mut text, "did", &line);
    let line = format!("{} ({})", facts.path.display(), bytes(facts.file_bytes));
    look.labelled(&mut text, "recording", &line);
    text.push_str(&render_verify(std::slice::from_ref(&shown.verified), look));
    text
}

fn verify(arguments: &VerifyArguments, context: &Context) -> Result<Exit, Failure> {
    let directory = arguments.place.directory()?;
    let trust = arguments.key.map_or(Trust::AnyKey, |key| Trust::Keys(vec![key]));
    let paths = match arguments.id {
        Some(id) => vec![recording::find(&directory, id).map_err(unreadable)?],
        None => {
            let all = recording::list(&directory, &Filter::default()).map_err(unreadable)?;
            all.into_iter().map(|summary| summary.path).collect()
        }
    };
    let check = |path: PathBuf| {
        let report = recording::verify(&path, &trust).map_err(unreadable)?;
        Ok(VerifyFacts::new(path, &report))
    };
    let reports = paths.into_iter().map(check).collect::<Result<Vec<_>, Failure>>()?;
    let good = reports.iter().all(|report| report.good);
    context.show(&reports, |reports, look| render_verify(reports, look))?;
    Ok(if good { Exit::Done } else { Exit::NotGood })
}

fn render_list(sessions: &[SessionFacts], look: &Look) -> String {
    if sessions.is_empty() {
        return "no recorded sessions\n".to_owned();
    }
    let header = [
        "SESSION",
        "STARTED",
        "LASTED",
        "WORKLOAD",
        "TARGET",
        "OPERATIONS",
        "DENIED",
        "HELD",
        "MASKED",
        "END",
    ];
    let row = |facts: &SessionFacts| {
        let seal = facts.seal.as_ref();
        let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
        vec![
            facts.header.session.to_string(),
            moment(facts.header.started_us),
            seal.map_or_else(
                || "-".to_owned(),
                |seal| span(seal.ended_us.since(facts.header.started_us)),
            ),
            plain(&facts.header.principal.to_string()),
            facts.header.target.to_string(),
            count(seal.map(|seal| seal.counts.operations)),
            count(seal.map(|seal| seal.counts.denied)),
            count(seal.map(|seal| seal.counts.held)),
            count(seal.map(|seal| seal.counts.masked_values)),
            facts.end_word(),
        ]
    };
    look.table(&header, sessions.iter().map(row).collect())
}

fn render_verify(reports: &[VerifyFacts], look: &Look) -> String {
    let mut text = String::new();
    for report in reports {
        let word = if report.good { look.good(&report.verdict) } else { look.bad(&report.verdict) };
        _ = writeln!(text, "{word} {}", report.session);
        _ = writeln!(
            text,
            "  {} records in {} blocks, {} signed ({}), chain head {}",
            report.records,
            report.blocks,
            report.signed_records,
            report.signature,
            report.chain_head,
        );
        if let Some(problem) = &report.problem {
            _ = writeln!(text, "  {problem}");
        }
    }
    if reports.is_empty() {
        text.push_str("no recordings\n");
    }
    text
}

#[cfg(test)]
mod tests;
