//! `portcullis trust`: what clients on this host must know to take the gateway for their targets.
//!
//! Owns the commands and what they print. Must not touch a file of the host's unless it is told to,
//! and then nothing but its own block in it.

mod block;
mod ssh;
mod ssh_config;

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::{Exit, Failure};

pub(super) use ssh::{SYSTEM_FILE, is_installed};

const EXAMPLES: &str = "\
Examples:
  portcullis trust ssh
  sudo portcullis trust ssh --apply";

/// Have clients on this host trust the gateway
///
/// Prints what they need, or puts it where they look.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Ssh(ssh::Arguments),
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.what {
        What::Ssh(arguments) => ssh::run(arguments, context),
    }
}
