//! The one binary: daemon and client. Lends the command line what only the daemon can do.
//!
//! Owns nothing else. Must not know what a command or the daemon does.

use std::ffi::c_long;
use std::process::ExitCode;

use gateway::{cli, daemon};
use libmimalloc_sys::{mi_option_set, mi_option_t};

/// Statements make many short-lived allocations; the system's allocator takes a quarter of the time
/// of a small one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, version 3.
const PURGE_DELAY: mi_option_t = 15;
/// How long memory that is free is kept before the kernel has it back, milliseconds. Lowered, bulk
/// transfers take memory from the kernel again and again, which clears it each time: a sixth of
/// their processor time at the allocator's own second.
const PURGED_AFTER_MS: c_long = 20_000;

fn main() -> ExitCode {
    cli::main(cli::Entries { run, uninstall: daemon::uninstall })
}

fn run(options: cli::RunOptions) -> ExitCode {
    // SAFETY: it stores a number in a table of the allocator's, and may be called at any time.
    unsafe { mi_option_set(PURGE_DELAY, PURGED_AFTER_MS) };
    daemon::run(&daemon::RunOptions { config: options.config, control: options.control })
}
