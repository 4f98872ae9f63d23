//! `portcullis status`: the daemon at a glance.
//!
//! Owns the layout. Must not know what makes the daemon well: it says so itself.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use model::Protocol;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::look::Look;
use super::trust;
use super::wording::{moment, span};
use crate::control::view::{DaemonState, StatusView};

const EXAMPLES: &str = "\
Examples:
  portcullis status
  portcullis status --json | jq .policy
  portcullis status --metrics               # Prometheus text format";

/// Show how the daemon is: policy, targets, kernel programs, health
///
/// Exit status 1 where something is not as it should be: a reload that was refused, a recorder
/// that cannot write, a drain.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print all metrics instead
    #[arg(long, conflicts_with = "json")]
    metrics: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if arguments.metrics {
        let metrics = context.ask(async |client| client.metrics().await)?;
        context.print(&metrics)?;
        return Ok(Exit::Done);
    }
    let status = context.ask(async |client| client.status().await)?;
    let trusted = trust::is_installed(Path::new(trust::SYSTEM_FILE));
    context.show(&status, |status, look| render(status, trusted, look))?;
    Ok(if status.is_healthy() { Exit::Done } else { Exit::NotGood })
}

/// `trusted` says whether the system's SSH clients know the gateway's authority.
pub(super) fn render(status: &StatusView, trusted: bool, look: &Look) -> String {
    let mut text = String::new();
    let state = match status.state {
        DaemonState::Starting => look.warning("starting"),
        DaemonState::Serving => look.good("serving"),
        DaemonState::Draining => look.warning("draining"),
    };
    let up = span(status.now_us.since(status.started_us));
    look.labelled(
        &mut text,
        "daemon",
        &format!("{state}, version {}, pid {}, up {up}", status.version, status.pid),
    );
    look.labelled(&mut text, "config", &status.config);
    let digest: String = status.policy.chars().take(16).collect();
    let since = moment(status.policy_since_us);
    look.labelled(&mut text, "policy", &format!("{digest}, in force since {since}"));
    let held = if status.holds > 0 { format!(", {} held", status.holds) } else { String::new() };
    look.labelled(&mut text, "sessions", &format!("{} live{held}", status.sessions));
    let kernel = &status.interception;
    let facts = format!(
        "{} programs at {}, {} network namespaces, {} captured, {} refused",
        kernel.programs, kernel.pinned_at, kernel.namespaces, kernel.captured, kernel.refused
    );
    look.labelled(&mut text, "kernel", &facts);
    look.labelled(&mut text, "governs", &kernel.governed.join(", "));
    for check in &status.checks {
        let word = if check.healthy { look.good("well") } else { look.bad("failing") };
        let detail =
            if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
        look.labelled(&mut text, &check.name, &format!("{word}{detail}"));
    }
    if status.targets.iter().any(|target| target.protocol == Protocol::Ssh) {
        let line = if trusted {
            look.good("known to the clients of this host")
        } else {
            look.warning("not known to the clients of this host: portcullis trust ssh")
        };
        look.labelled(&mut text, "host keys", &line);
    }
    if !status.targets.is_empty() {
        let header = ["TARGET", "PROTOCOL", "ENVIRONMENT", "ADDRESSES", "POLICY", "SESSIONS"];
        let rows = status.targets.iter().map(|target| {
            vec![
                target.name.to_string(),
                target.protocol.to_string(),
                target.environment.clone().unwrap_or_else(|| "-".to_owned()),
                target.addresses.join(" "),
                if target.enforced { "enforced" } else { "OBSERVED ONLY" }.to_owned(),
                target.sessions.to_string(),
            ]
        });
        text.push('\n');
        text.push_str(&look.table(&header, rows.collect()));
    }
    if !status.reload_errors.is_empty() {
        _ = writeln!(
            text,
            "\n{}",
            look.bad("the last reload was refused; the policy above stays:")
        );
        for error in &status.reload_errors {
            _ = writeln!(text, "  {}", error.replace('\n', "\n  "));
        }
    }
    text
}
