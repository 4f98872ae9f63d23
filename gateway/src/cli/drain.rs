//! `portcullis drain`: no new sessions.
//!
//! Owns the words. The daemon ends by itself afterwards.

use clap::Args;

use super::context::Context;
use super::failure::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  portcullis drain && systemctl stop portcullis";

/// Take no new sessions; let live ones end
///
/// New connections of governed workloads are refused meanwhile, never let past. Answers at once;
/// `portcullis status` shows how many sessions are left.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let done = context.ask(async |client| client.drain().await)?;
    context.show(&done, |done, _| format!("{}\n", done.message))?;
    Ok(Exit::Done)
}
