//! Waiting for the end of a connection, and what befalls it until then.
//!
//! Owns the order of precedence: an order to end, a change of the policy, a client or an upstream that
//! goes. Must not know what a request asks for. Ends with the first of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::audit::SessionEnd;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client_stream::Line;
use super::connection::violation;
use super::exchange::Open;
use super::served::Connection;
use crate::session::{Card, Change, Changes};

/// How long a client that has closed its side is still answered while nothing more comes for it.
const SILENT_WITHIN: Duration = Duration::from_secs(5);

/// Waiting for the end of a connection.
pub(super) struct Attending {
    /// Also the session.
    pub(super) open: Arc<Open>,
    /// What befalls the session.
    pub(super) changes: Changes,
    /// Cancelled when the upstream's connection has ended.
    pub(super) gone: CancellationToken,
    /// What upgrades have become.
    pub(super) upgraded: TaskTracker,
    /// How long a drain lets answers arrive.
    pub(super) drain_within: Duration,
    /// Of a client of HTTP/1.
    pub(super) over: Option<Arc<Line>>,
    /// Where bytes are counted.
    pub(super) card: Arc<Card>,
}

impl Attending {
    /// Waits, and says whose end it is.
    pub(super) async fn until_the_end(mut self, connection: impl Connection) -> SessionEnd {
        tokio::pin!(connection);
        let mut drained_by = None::<Instant>;
        let (mut is_served, mut upstream_ended) = (false, false);
        let silent = silent(self.over.take(), Arc::clone(&self.card));
        tokio::pin!(silent);
        let ended = loop {
            tokio::select! {
                biased; // An order to end, or to judge again, beats everything.
                change = self.changes.next(), if drained_by.is_none() => match change {
                    Change::Policy => match self.open.desk.rejudge().await {
                        Ok(()) => self.follow().await,
                        Err(_) => break SessionEnd::PolicyChanged,
                    },
                    Change::End(SessionEnd::Drained) => {
                        if !is_served {
                            connection.as_mut().wind_down();
                        }
                        drained_by = Some(Instant::now() + self.drain_within);
                    }
                    Change::End(cause) => break cause,
                },
                () = &mut silent, if !is_served => break SessionEnd::Client,
                () = drained(drained_by) => break SessionEnd::Drained,
                // As the upstream has closed, so do we: not before what it sent has been passed on.
                () = self.gone.cancelled(), if !upstream_ended && !is_served => {
                    upstream_ended = true;
                    connection.as_mut().wind_down();
                }
                served = &mut connection, if !is_served => {
                    is_served = true;
                    self.upgraded.close();
                    if let Err(error) = served {
                        break end_of(&error);
                    }
                }
                () = self.upgraded.wait(), if is_served => {
                    break if upstream_ended { SessionEnd::Upstream } else { SessionEnd::Client };
                }
            }
        };
        if drained_by.is_some() { SessionEnd::Drained } else { ended }
    }

    /// Takes over what the policy of now asks for.
    async fn follow(&self) {
        let wanted = self.open.desk.ask(|session| session.request_headers()).await;
        if let Some(wanted) = wanted {
            *self.open.wanted.write() = wanted;
        }
    }
}

/// The client has closed its side, and nothing was sent to it for a while: it is taken to be gone. One
/// that still reads cannot be told from one that does not, other than by sending it something.
async fn silent(line: Option<Arc<Line>>, card: Arc<Card>) {
    let Some(line) = line else { return std::future::pending().await };
    line.over().cancelled().await;
    loop {
        let before = card.bytes_to_client.load(Ordering::Relaxed);
        tokio::time::sleep(SILENT_WITHIN).await;
        if card.bytes_to_client.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

async fn drained(by: Option<Instant>) {
    match by {
        Some(by) => sleep_until(by).await,
        None => std::future::pending().await,
    }
}

/// Whose fault an end is.
fn end_of(error: &hyper::Error) -> SessionEnd {
    if error.is_user() || error.is_body_write_aborted() {
        return SessionEnd::Upstream;
    }
    if error.is_parse() {
        return violation(error.to_string());
    }
    SessionEnd::Client
}
