//! Connections through the target: forwarded ports and sockets, agents, displays.
//!
//! Owns what a client has had granted of them, and the relays. Must not know what goes through: a
//! tunnel is opaque, so it is granted by where it leads, recorded with its sizes, and noted where
//! it begins like another protocol. Every connection is judged by itself; one that may not go on
//! under a new policy is cut. Ends with the connection.
//!
//! ```text
//!  client ── direct-tcpip, direct-streamlocal ─▶ judge ─▶ open upstream ─▶ tunnel      (outward)
//!  client ── tcpip-forward, streamlocal-forward ─▶ judge ─▶ ask upstream ─▶ Granted
//!  upstream ── forwarded-*, auth-agent, x11 ─▶ Granted? ─▶ judge ─▶ open at client ─▶ tunnel (inward)
//! ```

mod destination;
mod inward;
mod listening;
mod outward;
mod tunnel;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use russh::ChannelOpenFailure;

pub(super) use inward::accept;
pub(super) use listening::{cancel, end, listen};
pub(super) use outward::serve;

use self::destination::Destination;
use super::words;
use crate::session::{Receipt, Refusal, RefusalKind};

/// Where a client wants the target to connect to, or to listen, in the client's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A port.
    Port {
        /// Its host.
        host: String,
        /// Its number.
        port: u32,
    },
    /// A socket of the file system.
    Socket {
        /// Its path.
        path: String,
    },
}

/// What a client has had granted that the upstream may make use of.
#[derive(Debug, Default)]
pub(super) struct Granted {
    listening: Mutex<Vec<Listening>>,
    /// Held while the upstream is asked to listen: a connection may come before its answer has been
    /// noted, and waits for that.
    asking: tokio::sync::Mutex<()>,
    agent: AtomicBool,
    x11: AtomicBool,
}

/// Somewhere the target listens for the client.
#[derive(Debug)]
struct Listening {
    /// Where the upstream listens, in the words it was asked in.
    at: Wanted,
    /// The same in the client's words: what comes there is told to the client in them.
    told: Wanted,
    /// What was judged.
    destination: Destination,
    receipt: Arc<Receipt>,
    connections: u64,
}

impl Granted {
    /// The agent may be asked for.
    pub(super) fn grant_agent(&self) {
        self.agent.store(true, Ordering::Relaxed);
    }

    /// The display may be asked for.
    pub(super) fn grant_x11(&self) {
        self.x11.store(true, Ordering::Relaxed);
    }
}

/// Why a channel is not opened, as the peer is told.
fn failure(refusal: &Refusal) -> ChannelOpenFailure {
    let code = match refusal.kind {
        RefusalKind::Upstream => ChannelOpenFailure::ConnectFailed.code(),
        RefusalKind::Limit => ChannelOpenFailure::ResourceShortage.code(),
        _ => ChannelOpenFailure::AdministrativelyProhibited.code(),
    };
    ChannelOpenFailure::Other { code, reason: words::description(refusal) }
}

fn failed(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Upstream, format!("portcullis: {what}"))
}
