//! What the servers of targets have shown themselves to be.
//!
//! Owns the memory: version and collation by target. Must not know a session. In this protocol the
//! server speaks first, so a client is greeted before anybody knows what it wants. Clients choose
//! their words by the version they read there, so it had better be that of the server behind. It
//! is asked of the server itself, by a connection on which nothing is sent; only for somebody who
//! would be let in, and only until it is known.

use std::sync::Arc;
use std::time::Duration;

use model::TargetName;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::io::AsyncReadExt;
use wire::mysql::frame::{HEADER_BYTES, packet_header};
use wire::mysql::handshake::Greeting;

use crate::session::{Pending, Stream};

/// Bytes of the longest greeting.
pub(super) const GREETING_BYTES_MAX: usize = 1_024;

/// What is waited for a server's greeting while a client waits for ours.
const ASK_WITHIN: Duration = Duration::from_secs(3);

/// Bytes of a version that are shown.
const VERSION_BYTES_MAX: usize = 128;

/// What a server shows itself to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) version: Arc<[u8]>,
    pub(super) collation: u8,
}

impl Default for Server {
    /// What clients are told while nothing is known: a version that makes them use what MySQL and
    /// MariaDB have in common.
    fn default() -> Self {
        Self { version: Arc::from(&b"5.7.0-portcullis"[..]), collation: 45 }
    }
}

/// What the servers of targets have shown themselves to be.
#[derive(Debug, Default)]
pub(super) struct Seen {
    servers: Mutex<FxHashMap<TargetName, Server>>,
}

impl Seen {
    /// What to greet a client with.
    pub(super) async fn server_of(&self, pending: &Pending) -> Server {
        let target = &pending.target().name;
        if let Some(known) = self.servers.lock().get(target) {
            return known.clone();
        }
        if !pending.may_look_ahead() {
            return Server::default();
        }
        match tokio::time::timeout(ASK_WITHIN, ask(pending)).await {
            Ok(Some(server)) => {
                self.servers.lock().insert(target.clone(), server.clone());
                server
            }
            Ok(None) | Err(_) => Server::default(),
        }
    }

    /// Remembers what a server has greeted with.
    pub(super) fn note(&self, target: &TargetName, server: Server) {
        self.servers.lock().insert(target.clone(), server);
    }
}

impl Server {
    pub(super) fn of(greeting: &Greeting<'_>) -> Self {
        let version = greeting.version.get(..VERSION_BYTES_MAX).unwrap_or(greeting.version);
        Self { version: version.into(), collation: greeting.collation }
    }
}

async fn ask(pending: &Pending) -> Option<Server> {
    let mut upstream = pending.dial_aside().await.ok()?;
    let payload = read_greeting(&mut upstream.stream).await.ok()??;
    Greeting::read(&payload).ok().map(|greeting| Server::of(&greeting))
}

/// Reads a server's first packet to its exact length: what follows must not be taken for something
/// said in the clear. `None` where it is longer than any greeting.
pub(super) async fn read_greeting(stream: &mut Stream) -> std::io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    let (length, sequence) = packet_header(header);
    if length > GREETING_BYTES_MAX || sequence != 0 {
        return Ok(None);
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    Ok(Some(payload))
}
