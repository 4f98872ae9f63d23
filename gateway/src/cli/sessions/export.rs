//! `portcullis sessions export`: one screen, or the requests of a session, as a file.
//!
//! Owns the choice of the form, of the screen and of the place it is written to. Must not know a form's content.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use model::{OperationNumber, Protocol};

use super::har::Archive;
use super::{OneArguments, unreadable};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::recording::Reader;
use crate::recording::replay::plain;
use crate::recording::terminal::{Asciicast, Screen, Survey};

pub(super) const EXAMPLES: &str = "\
Examples:
  portcullis sessions export ses_0190c0ffee0070008000000000000001 --output deploy.cast
  portcullis sessions export ses_0190c0ffee0070008000000000000001 --format asciicast --operation 3
  portcullis sessions export ses_0190c0ffee0070008000000000000002 --format har --output crm.har";

/// Forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Version 2, for asciinema and its players
    Asciicast,
    /// HTTP Archive, version 1.2: every request of the session, with bodies as far as recorded
    Har,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    one: OneArguments,
    /// The form of the file [default: har for sessions of HTTP, else asciicast]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The operation whose screen is wanted; needed where the session had more than one
    #[arg(long, value_name = "N")]
    operation: Option<u64>,
    /// The file; standard output where none is named. Made readable by its owner only
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Keep the sequences that steer a terminal beyond drawing: a player may obey them
    #[arg(long)]
    raw: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if context.json() {
        return Err(Failure::new(Exit::Impossible, "an export has a form of its own")
            .with_remedy("Leave out --json: what is exported is JSON already."));
    }
    let exported = match format(arguments)? {
        Format::Asciicast => Exported::Screen(only(screens(&arguments.one, arguments.operation)?)?),
        Format::Har if arguments.operation.is_some() || arguments.raw => {
            return Err(Failure::new(Exit::Impossible, "an archive is of the whole session")
                .with_remedy("Leave out --operation and --raw."));
        }
        Format::Har => Exported::Exchanges,
    };
    match &arguments.output {
        None => write(arguments, exported, |line| context.print(line)),
        Some(path) => {
            let unwritable = |error: std::io::Error| {
                Failure::new(Exit::NotGood, format!("cannot write {}: {error}", path.display()))
            };
            let mut file = BufWriter::new(create(path).map_err(unwritable)?);
            write(arguments, exported, |line| file.write_all(line.as_bytes()).map_err(unwritable))?;
            file.flush().map_err(unwritable)
        }
    }?;
    Ok(Exit::Done)
}

/// What is exported.
enum Exported {
    Screen(Screen),
    Exchanges,
}

/// What was asked for, or what suits the session.
fn format(arguments: &Arguments) -> Result<Format, Failure> {
    let protocol = arguments.one.reader()?.header().protocol;
    let speaks_http = matches!(protocol, Protocol::Http | Protocol::Kubernetes);
    match arguments.format {
        Some(Format::Har) if !speaks_http => {
            let message = format!("a session of {protocol} has no requests of HTTP");
            Err(Failure::new(Exit::Impossible, message)
                .with_remedy("`portcullis sessions replay` prints what it did."))
        }
        Some(Format::Asciicast) if speaks_http => {
            Err(Failure::new(Exit::Impossible, "nothing of this session went to a screen")
                .with_remedy("Leave out --format: a session of HTTP is exported as an archive."))
        }
        Some(format) => Ok(format),
        None if speaks_http => Ok(Format::Har),
        None => Ok(Format::Asciicast),
    }
}

fn create(path: &Path) -> std::io::Result<std::fs::File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn write(
    arguments: &Arguments,
    exported: Exported,
    mut line: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let reader = arguments.one.reader()?;
    let Exported::Screen(screen) = exported else { return write_archive(reader, line) };
    let mut cast = Asciicast::new(screen, arguments.raw);
    line(&cast.header(reader.header()))?;
    for entry in reader {
        let events = cast.entry(&entry.map_err(unreadable)?);
        if !events.is_empty() {
            line(&events)?;
        }
    }
    Ok(())
}

fn write_archive(
    reader: Reader,
    mut line: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut archive = Archive::new(reader.header());
    line(&archive.head(reader.header()))?;
    for entry in reader {
        let exchange = archive.entry(&entry.map_err(unreadable)?);
        if !exchange.is_empty() {
            line(&exchange)?;
        }
    }
    line(&archive.end())
}

/// The screens of a session, or the one of the operation that is asked for.
pub(super) fn screens(one: &OneArguments, operation: Option<u64>) -> Result<Vec<Screen>, Failure> {
    let mut survey = Survey::default();
    for entry in one.reader()? {
        survey.entry(&entry.map_err(unreadable)?);
    }
    let Some(number) = operation else { return Ok(survey.screens()) };
    let found = survey.of(OperationNumber(number)).ok_or_else(|| {
        let message = format!("operation #{number} of this session put nothing on a screen");
        Failure::new(Exit::Impossible, message)
            .with_remedy(format!("See what it did with `portcullis sessions show {}`.", one.id))
    })?;
    Ok(vec![found])
}

fn only(screens: Vec<Screen>) -> Result<Screen, Failure> {
    let many: Vec<String> = screens.iter().map(named).collect();
    let mut screens = screens.into_iter();
    match (screens.next(), screens.next()) {
        (Some(screen), None) => Ok(screen),
        (None, _) => {
            Err(Failure::new(Exit::Impossible, "nothing of this session went to a screen")
                .with_remedy("`portcullis sessions replay` prints what it did."))
        }
        (Some(_), Some(_)) => {
            let message = format!("this session had {} screens: {}", many.len(), many.join(", "));
            Err(Failure::new(Exit::Impossible, message)
                .with_remedy("Choose one with --operation N."))
        }
    }
}

/// `#3 exec top`.
pub(super) fn named(screen: &Screen) -> String {
    let text = if screen.text == screen.kind { "" } else { screen.text.as_str() };
    let name = format!("#{} {} {text}", screen.operation, screen.kind);
    plain(name.trim_end())
}
