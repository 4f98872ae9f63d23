//! `portcullis run`: the daemon.
//!
//! Owns the arguments. Must not know the daemon: the binary lends its entry.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::failure::Exit;
use super::{CONFIG_VARIABLE, DEFAULT_CONFIG, Entries, RunOptions};

const EXAMPLES: &str = "\
Examples:
  portcullis run --config /etc/portcullis
  portcullis run --config ./portcullis.yaml --control /tmp/portcullis.sock";

/// Run the daemon in the foreground
///
/// Loads the kernel programs (or adopts those that are pinned), opens the control socket, tells
/// systemd that it is ready, and serves until SIGTERM. SIGHUP reloads the configuration.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The configuration: a file, or a directory of *.yaml files
    #[arg(long, short, value_name = "PATH", env = CONFIG_VARIABLE, hide_env_values = true, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

pub(super) fn run(arguments: Arguments, context: &Context, entries: Entries) -> Exit {
    let options = RunOptions { config: arguments.config, control: context.control() };
    Exit::Daemon((entries.run)(options))
}
