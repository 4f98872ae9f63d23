//! `cargo xtask demo`: the whole way of a connection, in a minute, on this machine.
//!
//! Owns the frame of each demo: what is built, counted and judged, and how it ends. Must not know
//! what a demo plays. Ends with one line of JSON that says what was counted; where a figure is not as
//! it must be, the exit status is 1. Everything is cleared, also on an interrupt, and what a killed
//! run left is cleared by the next.

mod api;
mod daemon;
mod job;
mod kubernetes;
mod leaks;
mod mysql;
mod narrator;
mod plot;
mod postgres;
mod running;
mod ssh;
mod tally;

use clap::{Args, ValueEnum};

use crate::fault::{Fault, Outcome};
use crate::setup::{self, Need};
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
    /// A nightly export from a database of MySQL's kind
    Mysql,
    /// A release on a cluster; wants an API server, which takes ten minutes to build
    Kubernetes,
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
        Which::Mysql => Need::Mysql,
        Which::Kubernetes => Need::Kubernetes,
    };
    setup::ensure(&[Need::Build, Need::Kernel, Need::Stage, servers])
}

/// Plays a demo with a daemon that is built.
pub(crate) fn play(arguments: &DemoArguments) -> Outcome {
    let narrator = Narrator { silent: arguments.json };
    let mut tally = Tally::default();
    let (narrator, tally_of) = (&narrator, &mut tally);
    let plot = match arguments.which {
        Which::Postgres => {
            postgres::PLOT.play(&postgres::Scene::set_up()?, narrator, tally_of)?;
            postgres::PLOT
        }
        Which::Ssh => {
            ssh::PLOT.play(&ssh::Scene::set_up()?, narrator, tally_of)?;
            ssh::PLOT
        }
        Which::Api => {
            api::PLOT.play(&api::Scene::set_up()?, narrator, tally_of)?;
            api::PLOT
        }
        Which::Mysql => {
            mysql::PLOT.play(&mysql::Scene::set_up()?, narrator, tally_of)?;
            mysql::PLOT
        }
        Which::Kubernetes => {
            kubernetes::PLOT.play(&kubernetes::Scene::set_up()?, narrator, tally_of)?;
            kubernetes::PLOT
        }
    };
    anstream::println!("{}", tally.json());
    let wrong = tally.wrong(&plot);
    if wrong.is_empty() { Ok(()) } else { Fault::because(wrong.join("\n")) }
}
