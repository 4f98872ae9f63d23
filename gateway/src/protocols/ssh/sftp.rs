//! SFTP: the relay between a client's channel and the upstream's.
//!
//! Owns the life of one channel that speaks SFTP: the greeting, the order of requests, what is
//! open. Must not know a socket, a library's types, nor who decides: bytes come and go by queues,
//! and an [`Authority`] is asked. Ends when either side does, or breaks the protocol.
//!
//! ```text
//!  INIT ─▶ our INIT ─▶ VERSION ─▶ our REALPATH "." ─▶ VERSION, less what cannot be judged
//!
//!  request ─┬─ on a handle ── granted when it was opened ──────────────▶ forward
//!           ├─ for a path's full form ── answered here, lexically
//!           └─ on paths ── resolve ── judge ── hold? ── permit ────────▶ forward
//!                                       └─ no ──▶ STATUS permission denied, same id
//! ```
//!
//! Requests are taken in their order, one decision at a time. While people are waited for,
//! requests on what is already open go on, unless they concern the same files. Ids upstream are
//! ours, so that our own questions and the client's cannot be confused.
//!
//! What is forwarded on paths is written anew, with those that were judged: in strict mode as the
//! target resolved them, else the lexical ones. What is on handles goes on as it came, but for its id. Names that a directory lists are shown where the
//! directory may be listed, whatever else may be done to them.
//!
//! | file | what it holds |
//! |---|---|
//! | `authority` | the seam to the session |
//! | `plan` | what a request needs |
//! | `front` | the request that is being decided |
//! | `requests`, `answers` | the two directions |
//! | `owed`, `handles`, `content` | what is owed, open, and went through |
//! | `queue`, `paths` | packets to be written; paths |

mod answers;
mod authority;
mod content;
mod front;
mod handles;
mod owed;
mod paths;
mod plan;
mod queue;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use wire::ssh::sftp::{Framer, Packet, Version, Violation};

pub(super) use authority::{Authority, Ended, File, Judged};
pub(super) use content::Content;

use front::{Front, Step};
use handles::Handles;
use owed::Owed;
use queue::{Queue, Upstream};

/// Bytes that wait to be written to one side before the other is not read any more. Raised, a
/// stalled reader costs more memory; lowered below a packet, nothing passes.
const QUEUED_BYTES_MAX: usize = 512 * 1024;
/// Requests that wait for the one that is being decided.
const WAITING_MAX: usize = 64;
/// Bytes of these.
const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// Answers that are owed before the client is not read any more. Clients ask 64 at once.
const OWED_MAX: usize = 1024;
/// Things that are open at once.
const HANDLES_MAX: usize = 1024;
/// Refusals that people are told of on standard error; each has its answer anyway.
const TOLD_MAX: usize = 16;

/// The four ways in and out. A queue of input that is closed is the end of that side's data; a
/// queue of output that is closed by its reader is the end of the channel. What is pushed to a
/// queue at once is at most a packet, or 32 KiB of small ones.
pub(super) struct Ends {
    /// What the client sends.
    pub(super) from_client: mpsc::Receiver<Bytes>,
    /// What the client is sent.
    pub(super) to_client: mpsc::Sender<Bytes>,
    /// What the upstream sends.
    pub(super) from_upstream: mpsc::Receiver<Bytes>,
    /// What the upstream is sent. Dropped when the client's data has ended.
    pub(super) to_upstream: mpsc::Sender<Bytes>,
}

/// Why the relay stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The upstream's data has ended, and the client was sent all of it.
    Upstream,
    /// The client is gone.
    Client,
    /// The client breaks the protocol.
    BrokenByClient(Violation),
    /// The upstream breaks the protocol.
    BrokenByUpstream(String),
}

/// How far the greeting has come.
enum Phase {
    /// The client has said nothing.
    Silent,
    /// The upstream was greeted.
    Greeted,
    /// The upstream was asked for the login's home.
    Asked(Version),
    /// Requests are taken.
    Open(Version),
}

struct Relay<A: Authority> {
    authority: A,
    strict: bool,
    phase: Phase,
    home: Vec<u8>,
    client: Framer,
    upstream: Framer,
    to_client: Queue,
    to_upstream: Upstream,
    waiting: VecDeque<Packet>,
    waiting_bytes: usize,
    front: Option<Front<A>>,
    handles: Handles<A::Receipt>,
    owed: HashMap<u32, Owed<A::Receipt>>,
    next_id: u32,
    told: usize,
}

/// Relays until the end. `strict`: paths are judged as the target resolves them.
pub(super) async fn relay<A: Authority>(authority: A, ends: Ends, strict: bool) -> Over {
    let mut relay = Relay {
        authority,
        strict,
        phase: Phase::Silent,
        home: Vec::new(),
        client: Framer::default(),
        upstream: Framer::default(),
        to_client: Queue::default(),
        to_upstream: Upstream::default(),
        waiting: VecDeque::new(),
        waiting_bytes: 0,
        front: None,
        handles: Handles::new(),
        owed: HashMap::new(),
        next_id: 0,
        told: 0,
    };
    let over = relay.run(ends).await;
    // A hold that is dropped is given up; what is open is closed by the upstream with the channel.
    relay.front = None;
    relay.abandon().await;
    over
}

impl<A: Authority> Relay<A> {
    async fn run(&mut self, ends: Ends) -> Over {
        let Ends { mut from_client, to_client, mut from_upstream, to_upstream } = ends;
        let mut to_upstream = Some(to_upstream);
        let (mut upstream_ended, mut client_ended, mut upstream_deaf) = (false, false, false);
        let mut standing = self.authority.standing();
        standing.mark_unchanged();
        loop {
            if upstream_ended && self.to_client.is_empty() {
                return Over::Upstream;
            }
            if upstream_deaf || client_ended && self.is_idle() {
                to_upstream = None;
            }
            let progress = tokio::select! {
                biased; // Changes of policy first; then what makes room, then what takes it.
                () = changed(&mut standing) => self.judge_handles_again().await,
                room = to_client.reserve(), if !self.to_client.is_empty() => match room {
                    Ok(room) => self.to_client.pop().map_or(Ok(()), |bytes| {
                        room.send(bytes);
                        Ok(())
                    }),
                    Err(_) => Err(Over::Client),
                },
                room = room(to_upstream.as_ref()), if !self.to_upstream.is_empty() => {
                    match (room, self.to_upstream.pop()) {
                        (Some(room), Some(bytes)) => room.send(bytes),
                        // Why it takes no more, its answers explain, or its end.
                        _ => upstream_deaf = true,
                    }
                    Ok(())
                }
                step = step(&mut self.front, &self.authority) => self.stepped(step).await,
                bytes = from_upstream.recv(), if self.has_room_for_answers(upstream_ended) => {
                    match bytes {
                        Some(bytes) => self.take_answers(bytes).await,
                        None => {
                            upstream_ended = true;
                            Ok(())
                        }
                    }
                }
                bytes = from_client.recv(), if !client_ended && self.has_room_for_requests() => {
                    match bytes {
                        Some(bytes) => self.take_requests(bytes),
                        None => {
                            client_ended = true;
                            Ok(())
                        }
                    }
                }
                () = to_client.closed() => Err(Over::Client),
            };
            if let Err(over) = progress {
                return over;
            }
            self.advance();
        }
    }

    const fn has_room_for_answers(&self, ended: bool) -> bool {
        !ended && self.to_client.bytes() < QUEUED_BYTES_MAX
    }

    fn has_room_for_requests(&self) -> bool {
        self.waiting.len() < WAITING_MAX
            && self.waiting_bytes < WAITING_BYTES_MAX
            && self.owed.len() < OWED_MAX
            && self.to_upstream.bytes() < QUEUED_BYTES_MAX
            && self.to_client.bytes() < QUEUED_BYTES_MAX
    }

    /// Whether nothing is left to send upstream.
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.front.is_none() && self.to_upstream.is_empty()
    }

    /// An id upstream that no owed answer has.
    fn id(&mut self) -> u32 {
        loop {
            self.next_id = self.next_id.wrapping_add(1);
            if !self.owed.contains_key(&self.next_id) {
                return self.next_id;
            }
        }
    }

    /// What is open may not stay granted under a new policy.
    async fn judge_handles_again(&mut self) -> Result<(), Over> {
        for handle in self.handles.values_mut().filter(|handle| !handle.revoked) {
            if let Err(refusal) = self.authority.admit(&handle.receipt).await {
                handle.revoked = true;
                self.authority.tell(&refusal.message).await;
            }
        }
        Ok(())
    }

    /// Records that what was under way came to no end.
    async fn abandon(&mut self) {
        for (_, handle) in self.handles.drain() {
            let (receipt, ended) = handle.ended(false);
            self.authority.finished(receipt, ended).await;
        }
        for (_, owed) in self.owed.drain() {
            if let Owed::Open { receipt, .. } | Owed::Path { receipt, .. } = owed {
                let ended = Ended {
                    outcome: crate::session::OperationOutcome::Abandoned,
                    status: String::from("no answer"),
                    bytes: 0,
                    files: Vec::new(),
                };
                self.authority.finished(receipt, ended).await;
            }
        }
    }
}

async fn changed(standing: &mut watch::Receiver<u64>) {
    if standing.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// `None` where the reader is gone; never, once that is known.
async fn room(to: Option<&mpsc::Sender<Bytes>>) -> Option<mpsc::Permit<'_, Bytes>> {
    match to {
        Some(to) => to.reserve().await.ok(),
        None => std::future::pending().await,
    }
}

async fn step<A: Authority>(front: &mut Option<Front<A>>, authority: &A) -> Step<A> {
    match front {
        Some(front) => front.step(authority).await,
        None => std::future::pending().await,
    }
}
