//! What every command shares: the options that stand before or after any of them, and the way
//! output goes.
//!
//! Owns the choice of socket, form and colour. Output goes to standard output, errors to standard
//! error; a reader that goes away (`| head`) ends the command quietly.

use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::failure::{Exit, Failure};
use super::look::{self, Look};
use crate::control::{Client, ClientError, DEFAULT_SOCKET};

/// When to use colour; `Auto` is on a terminal, unless `NO_COLOR` is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorWhen {
    #[default]
    Auto,
    Always,
    Never,
}

/// The heading of the options that every command takes.
pub(super) const SHARED: &str = "Shared options";

#[derive(Clone, Debug, Args)]
pub(super) struct SharedArguments {
    /// The daemon's control socket
    #[arg(
        long,
        global = true,
        help_heading = SHARED,
        value_name = "PATH",
        env = "PORTCULLIS_SOCKET",
        hide_env_values = true
    )]
    pub(super) control: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true, help_heading = SHARED)]
    pub(super) json: bool,
    /// When to use colour
    #[arg(long, global = true, help_heading = SHARED, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
}

/// What a command has at hand.
#[derive(Debug)]
pub(super) struct Context {
    shared: SharedArguments,
    look: Look,
}

impl Context {
    pub(super) fn new(shared: SharedArguments) -> Self {
        let stdout = io::stdout();
        let color = match shared.color {
            ColorWhen::Auto => {
                anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never
            }
            ColorWhen::Always => true,
            ColorWhen::Never => false,
        };
        let width = stdout.is_terminal().then(crossterm::terminal::size).and_then(Result::ok);
        Self { shared, look: Look { color, width: width.map(|(columns, _)| columns) } }
    }

    pub(super) const fn json(&self) -> bool {
        self.shared.json
    }

    pub(super) const fn look(&self) -> &Look {
        &self.look
    }

    pub(super) fn control(&self) -> Option<PathBuf> {
        self.shared.control.clone()
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.control().unwrap_or_else(|| DEFAULT_SOCKET.into()))
    }

    /// Asks the daemon.
    pub(super) fn ask<T>(
        &self,
        question: impl AsyncFnOnce(Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        block_on(question(self.client()))?.map_err(Failure::from)
    }

    /// Prints the facts: as JSON, or as the text that `render` makes of them.
    pub(super) fn show<T: Serialize>(
        &self,
        facts: &T,
        render: impl FnOnce(&T, &Look) -> String,
    ) -> Result<(), Failure> {
        if self.json() {
            let mut text = serde_json::to_string_pretty(facts)
                .map_err(|error| Failure::new(Exit::NotGood, error.to_string()))?;
            text.push('\n');
            return self.print(&text);
        }
        self.print(&render(facts, &self.look))
    }

    /// Prints text as it is.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::NotGood, format!("cannot write the output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Says on standard error what went wrong and what to do about it.
    pub(super) fn show_failure(&self, failure: &Failure) {
        let color = match self.shared.color {
            ColorWhen::Auto => {
                anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
            }
            ColorWhen::Always => true,
            ColorWhen::Never => false,
        };
        let look = Look { color, width: self.look.width };
        let _unwritten = io::stderr().lock().write_all(look::failure(failure, &look).as_bytes());
    }
}

/// Runs one question to its end on this thread.
pub(super) fn block_on<T>(question: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::NoAnswer, format!("cannot start: {error}")))?;
    Ok(runtime.block_on(question))
}
