//! `portcullis sessions replay`: a session as text, or played in the reader's terminal.
//!
//! Owns the waiting and the reader's terminal, which is put back however a replay ends. Must not know
//! what is drawn.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;

use super::export::{named, screens};
use super::{OneArguments, parse_span, unreadable};
use crate::cli::context::{self, Context};
use crate::cli::failure::{Exit, Failure};
use crate::recording::replay::{Options, Replay};
use crate::recording::terminal::{Pace, Play, RESTORE, Screen};

pub(super) const EXAMPLES: &str = "\
Examples:
  portcullis sessions replay ses_0190c0ffee0070008000000000000001 --rows 100
  portcullis sessions replay ses_0190c0ffee0070008000000000000001 --operation 3 --speed 4
  portcullis sessions replay ses_0190c0ffee0070008000000000000001 --text";

const PLAYING: &str = "Playing";

/// The status of a command that Ctrl-C ended.
const INTERRUPTED: Exit = Exit::NotGood;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    one: OneArguments,
    /// Rows of each result
    #[arg(long, value_name = "COUNT", default_value = "20")]
    rows: usize,
    /// Print text, also where there is a terminal to play in
    #[arg(long, conflicts_with_all = ["operation", "speed", "idle_limit", "raw"])]
    text: bool,
    /// Play this operation's screen only
    #[arg(long, value_name = "N", help_heading = PLAYING)]
    operation: Option<u64>,
    /// Times the speed it was recorded at [default: 1]
    #[arg(long, value_name = "FACTOR", help_heading = PLAYING, value_parser = parse_speed)]
    speed: Option<f64>,
    /// Longest pause: 500ms, 2s, 1m [default: 2s]
    #[arg(long, value_name = "SPAN", help_heading = PLAYING, value_parser = parse_pause)]
    idle_limit: Option<Duration>,
    /// Play the recorded bytes as they are: they may steer your terminal
    #[arg(long, help_heading = PLAYING)]
    raw: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if context.json() {
        return Err(Failure::new(Exit::Impossible, "a replay has no JSON form")
            .with_remedy("Use `sessions show --json` for the facts of a session."));
    }
    let asked = arguments.operation.is_some()
        || arguments.speed.is_some()
        || arguments.idle_limit.is_some()
        || arguments.raw;
    if !arguments.text && (asked || io::stdout().is_terminal()) {
        let found = screens(&arguments.one, arguments.operation)?;
        if arguments.operation.is_some() || found.iter().any(|one| one.term.is_some()) {
            return context::block_on(play_all(arguments, found))?;
        }
    }
    print(arguments, context)
}

fn print(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let reader = arguments.one.reader()?;
    let options = Options { rows_max: arguments.rows, ..Options::default() };
    let mut replay = Replay::new(options);
    // Printed as it is read: a recording may be larger than memory.
    context.print(&replay.header(reader.header()))?;
    for entry in reader {
        context.print(&replay.entry(&entry.map_err(unreadable)?))?;
    }
    context.print(&replay.finish())?;
    Ok(Exit::Done)
}

/// Plays the screens one after another: what ran at once would be drawn over each other.
async fn play_all(arguments: &Arguments, screens: Vec<Screen>) -> Result<Exit, Failure> {
    let pace = Pace {
        speed: arguments.speed.unwrap_or(1.0),
        idle_max: arguments.idle_limit.unwrap_or(Duration::from_secs(2)),
    };
    for screen in screens {
        let size = format!("{}x{}", screen.size.columns, screen.size.rows);
        say(format!("[{}, {size}]\r\n", named(&screen)).as_bytes())?;
        // However it ends, the reader gets the terminal back as it was.
        let played = tokio::select! {
            biased; // An impatient reader goes first.
            _ = tokio::signal::ctrl_c() => Ok(INTERRUPTED),
            played = play(arguments, screen, pace) => played,
        };
        say(RESTORE.as_bytes())?;
        let exit = played?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

async fn play(arguments: &Arguments, screen: Screen, pace: Pace) -> Result<Exit, Failure> {
    let mut play = Play::new(screen, pace, arguments.raw);
    for entry in arguments.one.reader()? {
        let Some((pause, bytes)) = play.entry(&entry.map_err(unreadable)?) else { continue };
        tokio::time::sleep(pause).await;
        if !say(&bytes)? {
            break;
        }
    }
    Ok(Exit::Done)
}

/// False where the reader has gone away, which ends the command quietly.
fn say(bytes: &[u8]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(Exit::NotGood, format!("cannot write the output: {error}"))),
    }
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "expected a number such as 2 or 0.5".to_owned())?;
    if (0.01..=1000.0).contains(&factor) {
        Ok(factor)
    } else {
        Err("expected a number from 0.01 to 1000".to_owned())
    }
}

fn parse_pause(text: &str) -> Result<Duration, String> {
    if let Some(number) = text.strip_suffix("ms") {
        let number = number.parse().map_err(|_| "expected a span such as 500ms".to_owned())?;
        return Ok(Duration::from_millis(number));
    }
    if let Ok(seconds) = text.parse::<f64>()
        && let Ok(span) = Duration::try_from_secs_f64(seconds)
    {
        return Ok(span);
    }
    parse_span(text)
}
