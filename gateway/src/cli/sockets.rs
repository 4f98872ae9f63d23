//! `portcullis sockets`: who is connected, as whom, to what, and what was decided last.
//!
//! Owns the table and the watching. Ends on Ctrl-C or when the daemon does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use model::Timestamp;

use super::context::{Context, block_on};
use super::failure::{Exit, Failure};
use super::look::Look;
use super::wording::{bytes, span};
use crate::control::view::{SocketPhase, SocketView};
use crate::recording::replay::plain;

const EXAMPLES: &str = "\
Examples:
  portcullis sockets
  portcullis sockets --workload nightly-report
  portcullis sockets --watch                # until Ctrl-C
  portcullis sockets --watch --json         # one line of JSON a second

SENT and RECEIVED are the workload's bytes by the kernel's count; where marked ~, by the proxy's.
A narrow terminal shows no session ids.";

/// Show the live sockets: process, unit, principal, target, last decision
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Show them again and again
    #[arg(long, short)]
    watch: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "watch",
        value_parser = clap::value_parser!(u32).range(1..=3600))]
    every: u32,
    /// Of this workload only
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// To this target only
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

impl Arguments {
    fn admits(&self, socket: &SocketView) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
        is(&self.workload, socket.workload.as_str()) && is(&self.target, socket.target.as_str())
    }
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if arguments.watch {
        return block_on(watch(arguments, context))?;
    }
    let mut sockets = context.ask(async |client| client.sockets().await)?;
    sockets.retain(|socket| arguments.admits(socket));
    context.show(&sockets, |sockets, look| render(sockets, now(), look))?;
    Ok(Exit::Done)
}

async fn watch(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let every = Duration::from_secs(u64::from(arguments.every));
    let mut watch = context.client().watch_sockets(every).await?;
    loop {
        let next = tokio::select! {
            biased; // Ctrl-C beats another line.
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
            next = watch.next() => next,
        };
        let Some(sockets) = next else {
            return Err(Failure::new(Exit::NoAnswer, "the daemon ended"));
        };
        let mut sockets = sockets?;
        sockets.retain(|socket| arguments.admits(socket));
        if context.json() {
            let mut line = serde_json::to_string(&sockets)
                .map_err(|error| Failure::new(Exit::NotGood, error.to_string()))?;
            line.push('\n');
            context.print(&line)?;
            continue;
        }
        // Home and clear to the end, on a terminal only.
        let clear = if context.look().width.is_some() { "\u{1b}[H\u{1b}[2J" } else { "" };
        context.print(&format!("{clear}{}", render(&sockets, now(), context.look())))?;
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since)
}

pub(super) fn render(sockets: &[SocketView], now: Timestamp, look: &Look) -> String {
    if sockets.is_empty() {
        return "no live sockets\n".to_owned();
    }
    let rows: Vec<_> = sockets.iter().map(|socket| row(socket, now)).collect();
    let whole = look.list(&HEADER, rows.clone());
    let Some(width) = look.width.map(usize::from) else { return whole };
    let natural = Look { width: None, color: false }.list(&HEADER, rows.clone());
    if natural.lines().all(|line| line.chars().count() <= width) {
        return whole;
    }
    // The session's id is what a narrow terminal can do without: --pid explains as well.
    let (_, header) = HEADER.split_last().unwrap_or((&"", &[]));
    let shorter = rows.into_iter().map(|mut row| {
        row.pop();
        row
    });
    look.list(header, shorter.collect())
}

const HEADER: [&str; 11] = [
    "PROCESS",
    "UNIT",
    "PRINCIPAL",
    "TO",
    "TARGET",
    "STATE",
    "LAST DECISION",
    "SENT",
    "RECEIVED",
    "AGE",
    "SESSION",
];

fn row(socket: &SocketView, now: Timestamp) -> Vec<String> {
    let unit = socket.unit.as_deref().or(socket.container.as_deref()).unwrap_or(&socket.cgroup);
    let target = match &socket.database {
        Some(database) => format!("{}/{} {}", socket.target, plain(database), socket.protocol),
        None => format!("{} {}", socket.target, socket.protocol),
    };
    let state = match socket.phase {
        SocketPhase::Opening => "opening",
        SocketPhase::Live => "live",
        SocketPhase::Held => "HELD",
        SocketPhase::Ending => "ending",
    };
    let last = socket.last.as_ref().map_or_else(
        || "-".to_owned(),
        |last| match &last.rule {
            Some(rule) => format!("{} {} ({rule})", last.effect, last.kind),
            None => format!("{} {}", last.effect, last.kind),
        },
    );
    let counted =
        |kernel: Option<u64>, own: u64| kernel.map_or_else(|| format!("~{}", bytes(own)), bytes);
    vec![
        format!("{}[{}]", plain(&socket.comm), socket.pid),
        plain(unit),
        plain(&socket.principal),
        socket.original.to_string(),
        target,
        state.to_owned(),
        last,
        counted(socket.kernel_bytes_from_client, socket.bytes_from_client),
        counted(socket.kernel_bytes_to_client, socket.bytes_to_client),
        span(now.since(socket.accepted_us)),
        socket.session.to_string(),
    ]
}
