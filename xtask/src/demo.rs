//! `cargo xtask demo`: the whole way of a connection, in a minute, on this machine.
//!
//! Owns the frame of each demo: what is built, counted and judged, and how it ends. Must not know
//! what a demo plays. Ends with one line of JSON that says what was counted; where a figure is not as
//! it must be, the exit status is 1. Everything is cleared, also on an interrupt, and what a killed
//! run left is cleared by the next.

mod api;
mod daemon;
mod job;
mod leaks;
mod narrator;
mod postgres;
mod running;
mod scene;
mod ssh;
mod tally;

use clap::{Args, ValueEnum};

use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::setup::{self, Need};
use daemon::Daemon;
use narrator::Narrator;
use tally::Tally;

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// What is shown
    #[arg(value_enum, default_value_t = Which::Postgres)]
    pub(crate) which: Which,
    /// Print only the line of JSON that ends the demo
    #[arg(long)]
    pub(crate) json: bool,
}

/// The demos there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// A nightly report on a database
    Postgres,
    /// A deploy job on a host
    Ssh,
    /// A sync with an API
    Api,
}

/// `cargo xtask demo`.
pub(crate) fn run(arguments: &DemoArguments) -> Outcome {
    need(arguments.which)?;
    daemon::build()?;
    play(arguments)
}

/// Gets what a demo needs beside the daemon.
pub(crate) fn need(which: Which) -> Outcome {
    let servers = match which {
        Which::Postgres => Need::Postgres,
        Which::Ssh => Need::Ssh,
        Which::Api => Need::Http,
    };
    setup::ensure(&[Need::Build, Need::Kernel, Need::Stage, servers])
}

/// Plays a demo with a daemon that is built.
pub(crate) fn play(arguments: &DemoArguments) -> Outcome {
    let narrator = Narrator { silent: arguments.json };
    let mut tally = Tally::default();
    let plot = match arguments.which {
        Which::Postgres => {
            postgres::play(&narrator, &mut tally)?;
            postgres::PLOT
        }
        Which::Ssh => {
            ssh::play(&narrator, &mut tally)?;
            ssh::PLOT
        }
        Which::Api => {
            api::play(&narrator, &mut tally)?;
            api::PLOT
        }
    };
    anstream::println!("{}", tally.json());
    let wrong = tally.wrong(&plot);
    if wrong.is_empty() { Ok(()) } else { Fault::because(wrong.join("\n")) }
}

/// What is left to look at, and the counting. Shows the session in whose replay `telling` stands.
fn afterwards(
    daemon: &Daemon,
    sensitive: &[impl AsRef<str>],
    telling: &str,
    narrator: &Narrator,
    tally: &mut Tally,
) -> Outcome {
    narrator.act("Afterwards: every session can be read again, and shown to be untouched");
    daemon.wait_for_ended_sessions()?;
    narrator.show("portcullis sessions list", &daemon.recordings(&["list"])?);
    let sessions = daemon.sessions()?;
    tally.verified = !sessions.is_empty();
    for session in &sessions {
        let replayed = daemon.recordings(&["replay", session])?;
        if replayed.contains(telling) {
            narrator.show(&format!("portcullis sessions replay {session}"), &replayed);
        }
        tally.heard.push(replayed);
        let verified = daemon.recordings(&["verify", session]);
        if let Err(fault) = &verified {
            console::warned(&fault.to_string());
        }
        tally.verified &= verified.is_ok();
    }
    let audit = daemon.audit_log()?;
    tally.count_events(&audit).during("the audit log")?;
    tally.heard.push(audit);
    tally.heard.push(daemon.log());
    tally.leaked = leaks::count(sensitive, &tally.heard);
    Ok(())
}
