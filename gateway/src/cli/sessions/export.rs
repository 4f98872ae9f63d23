//! `portcullis sessions export`: one screen as a file.
//!
//! Owns the choice of the screen and of the place it is written to. Must not know a form's content.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use model::OperationNumber;

use super::{OneArguments, unreadable};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::recording::replay::plain;
use crate::recording::terminal::{Asciicast, Screen, Survey};

pub(super) const EXAMPLES: &str = "\
Examples:
  portcullis sessions export ses_0190c0ffee0070008000000000000001 --output deploy.cast
  portcullis sessions export ses_0190c0ffee0070008000000000000001 --format asciicast --operation 3";

/// Forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Version 2, for asciinema and its players
    Asciicast,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    one: OneArguments,
    /// The form of the file
    #[arg(long, value_name = "FORMAT", default_value = "asciicast")]
    format: Format,
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
            .with_remedy("Leave out --json: each line of an asciicast is JSON already."));
    }
    let Format::Asciicast = arguments.format;
    let screens = screens(&arguments.one, arguments.operation)?;
    let screen = only(screens)?;
    match &arguments.output {
        None => write(arguments, screen, |line| context.print(line)),
        Some(path) => {
            let unwritable = |error: std::io::Error| {
                Failure::new(Exit::NotGood, format!("cannot write {}: {error}", path.display()))
            };
            let mut file = BufWriter::new(create(path).map_err(unwritable)?);
            write(arguments, screen, |line| file.write_all(line.as_bytes()).map_err(unwritable))?;
            file.flush().map_err(unwritable)
        }
    }?;
    Ok(Exit::Done)
}

fn create(path: &Path) -> std::io::Result<std::fs::File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn write(
    arguments: &Arguments,
    screen: Screen,
    mut line: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let reader = arguments.one.reader()?;
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
