//! `portcullis reload`: the configuration anew.
//!
//! Owns the report of what changed. The daemon keeps the old configuration where the new is bad.

use std::fmt::Write as _;

use clap::Args;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use crate::control::view::ReloadView;

const EXAMPLES: &str = "\
Examples:
  portcullis check && portcullis reload";

/// Read the configuration again and put it in force
///
/// The new policy is compiled whole, then swapped in; live sessions are judged by it from their
/// next operation. With errors the old one stays and the exit status is 1.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let reloaded = context.ask(async |client| client.reload().await)?;
    context.show(&reloaded, render)?;
    Ok(if reloaded.applied { Exit::Done } else { Exit::NotGood })
}

pub(super) fn render(reloaded: &ReloadView, look: &Look) -> String {
    let digest: String = reloaded.policy.chars().take(16).collect();
    if reloaded.applied {
        return format!("{}: policy {digest} is in force\n", look.good("reloaded"));
    }
    let mut text = String::new();
    for error in &reloaded.errors {
        _ = writeln!(text, "{error}\n");
    }
    _ = writeln!(text, "{}: policy {digest} stays in force", look.bad("not reloaded"));
    text
}
