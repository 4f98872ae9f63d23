//! `cargo xtask`: every chore of the repository as one command each.
//!
//! Owns the command line and the exit status. Must not know how a chore is done, nor link any
//! other crate of the workspace: it has to build on a machine that has nothing yet but Rust. Ends
//! with status 0 when the chore is done, 1 when it failed.

mod bench;
mod call;
mod ci;
mod console;
mod demo;
mod dist;
mod fault;
mod places;
mod setup;
mod stage;
mod suite;
mod tidy;

use clap::{Parser, Subcommand};

use crate::fault::Outcome;

/// Chores of the Portcullis repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what building, testing and the demo need; done already, it says so and ends
    Setup(setup::SetupArguments),
    /// Show the whole way of a connection, with an unchanged job and a real server
    Demo(demo::DemoArguments),
    /// Set up, then run every test: unit, integration, kernel; leftovers fail the run
    Test(suite::TestArguments),
    /// What the gate runs: formatting, lints, tidy, dependencies, tests
    Ci,
    /// Measure against direct connections and other proxies in the same run
    Bench(bench::BenchArguments),
    /// Check the rules of the house: who imports whom, module heads, names, sizes, documents
    Tidy,
    /// Write the documents that are made from the code: docs/reference
    Gen,
    /// Build a release tarball: binary, systemd unit, example configuration
    Dist(dist::DistArguments),
}

fn main() -> std::process::ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(fault) => {
            console::failed(&fault.to_string());
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    match &arguments.chore {
        Chore::Setup(arguments) => setup::run(arguments),
        Chore::Demo(arguments) => demo::run(arguments),
        Chore::Test(arguments) => suite::run(arguments),
        Chore::Ci => ci::run(),
        Chore::Bench(arguments) => bench::run(arguments),
        Chore::Tidy => tidy::run(),
        Chore::Gen => tidy::write_references(),
        Chore::Dist(arguments) => dist::run(arguments),
    }
}
