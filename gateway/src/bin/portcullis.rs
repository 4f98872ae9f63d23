//! The one binary: daemon and client. Lends the command line what only the daemon can do.
//!
//! Owns nothing else. Must not know what a command or the daemon does.

use std::process::ExitCode;

use gateway::{cli, daemon};

/// Statements make many short-lived allocations; the system's allocator takes a quarter of the time
/// of a small one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(cli::Entries { run, uninstall: daemon::uninstall })
}

fn run(options: cli::RunOptions) -> ExitCode {
    daemon::run(&daemon::RunOptions { config: options.config, control: options.control })
}
