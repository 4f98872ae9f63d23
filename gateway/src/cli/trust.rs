//! `portcullis trust`: what clients on this host must know to take the gateway for their targets.
//!
//! Owns the commands and what they print. Must not touch a file of the host's itself: the part
//! `trust` does, with its journal.

mod apply;
mod host;
mod plan;
mod revert;
mod ssh;
mod ssh_config;
mod status;
#[cfg(test)]
mod tests;
mod verify;

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::{Exit, Failure};

pub(super) use ssh::{SYSTEM_FILE, is_installed};

const EXAMPLES: &str = "\
Examples:
  portcullis trust plan                  # what would be done, and why
  sudo portcullis trust apply
  sudo portcullis trust verify           # a real handshake by every runtime
  sudo portcullis trust revert";

/// Have clients on this host trust the gateway
///
/// The gateway shows clients certificates of an authority of its own, made on this host and good for
/// the configured targets only. These commands put it where the runtimes of this host look, try that
/// they do, and take it out again. None of them needs the daemon to run; it must have been started
/// once, to make the authority.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Status(status::Arguments),
    Verify(verify::Arguments),
    Revert(revert::Arguments),
    Ssh(ssh::Arguments),
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.what {
        What::Plan(arguments) => plan::run(arguments, context),
        What::Apply(arguments) => apply::run(arguments, context),
        What::Status(arguments) => status::run(arguments, context),
        What::Verify(arguments) => verify::run(arguments, context),
        What::Revert(arguments) => revert::run(arguments, context),
        What::Ssh(arguments) => ssh::run(arguments, context),
    }
}
