//! The command line: one file a command.
//!
//! Owns the words of commands and options, how answers are shown, and the exit status. Must not
//! know the inside of the daemon: it asks over the control socket, or reads files that are made
//! for reading. The two entries that are more than a question (running the daemon, removing its
//! pins) come in from the binary as functions. Ends with the process.
//!
//! Adding a command: a file with its `Arguments` (doc comments are the help) and its `run`, a
//! variant of [`Command`], an arm in [`dispatch`]; the tests and the reference find it.

mod approvals;
mod check;
mod context;
mod doctor;
mod drain;
mod explain;
mod failure;
mod look;
mod reference;
mod reload;
mod run;
mod sessions;
mod sockets;
mod status;
mod trust;
mod uninstall;
mod wording;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use context::{Context, SharedArguments};
use failure::{Exit, Failure};

pub use reference::reference;

/// Where the configuration is unless told otherwise.
const DEFAULT_CONFIG: &str = "/etc/portcullis";
/// The environment variable that tells otherwise.
const CONFIG_VARIABLE: &str = "PORTCULLIS_CONFIG";

const EXIT_STATUS: &str = "\
Exit status:
  0  done, and the answer is good
  1  the answer is not good: a wrong configuration, a broken recording, an unready host
  2  the command line is wrong
  3  the daemon does not answer
  4  you may not do this
  5  what you named does not exist, or it cannot be done now";

/// A gateway for the database connections of automation workloads.
#[derive(Debug, Parser)]
#[command(name = "portcullis", bin_name = "portcullis", version, about, after_help = EXIT_STATUS)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    shared: SharedArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Check(check::Arguments),
    Status(status::Arguments),
    Sockets(sockets::Arguments),
    Explain(explain::Arguments),
    Approvals(approvals::Arguments),
    Sessions(sessions::Arguments),
    Reload(reload::Arguments),
    Drain(drain::Arguments),
    Trust(trust::Arguments),
    Doctor(doctor::Arguments),
    Uninstall(uninstall::Arguments),
}

/// How the daemon is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// The configuration file or directory.
    pub config: PathBuf,
    /// The control socket, where it is not the configuration's.
    pub control: Option<PathBuf>,
}

/// What the binary lends the command line.
#[derive(Clone, Copy)]
pub struct Entries {
    /// Runs the daemon until it ends.
    pub run: fn(RunOptions) -> ExitCode,
    /// Detaches the programs of an instance and removes their pins.
    pub uninstall: fn(&str) -> Result<(), Box<dyn Error + Send + Sync>>,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entries")
    }
}

/// Reads the command line of this process and does what it says.
#[must_use]
pub fn main(entries: Entries) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _unprinted = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let context = Context::new(arguments.shared);
    match dispatch(arguments.command, &context, entries) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            context.show_failure(&failure);
            failure.exit().into()
        }
    }
}

fn dispatch(command: Command, context: &Context, entries: Entries) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => Ok(run::run(arguments, context, entries)),
        Command::Check(arguments) => check::run(&arguments, context),
        Command::Status(arguments) => status::run(&arguments, context),
        Command::Sockets(arguments) => sockets::run(&arguments, context),
        Command::Explain(arguments) => explain::run(arguments, context),
        Command::Approvals(arguments) => approvals::run(arguments, context),
        Command::Sessions(arguments) => sessions::run(arguments, context),
        Command::Reload(arguments) => reload::run(&arguments, context),
        Command::Drain(arguments) => drain::run(&arguments, context),
        Command::Trust(arguments) => trust::run(&arguments, context),
        Command::Doctor(arguments) => doctor::run(&arguments, context),
        Command::Uninstall(arguments) => uninstall::run(&arguments, context, entries),
    }
}

/// Reads the settings, every error at once.
fn settings(config: &Path) -> Result<crate::config::Settings, Failure> {
    crate::config::Settings::load(config)
        .map_err(|errors| Failure::new(Exit::NotGood, errors.to_string()))
}

#[cfg(test)]
mod tests;
