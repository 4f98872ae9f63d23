//! Connections that pass as they are.
//!
//! Owns the copying, for clients that do not trust the gateway and that the operator lets pass all
//! the same: the connection itself was decided, by who connects and by the name in TLS. Must not
//! look at a byte. Ends with either side, or with the session.

use std::sync::atomic::Ordering;

use model::audit::SessionEnd;
use tokio::io::copy_bidirectional;

use crate::session::{Card, Change, Session, Stream, Upstream};

/// Copies both ways.
pub(super) async fn run(
    mut session: Session,
    mut client: Stream,
    upstream: Upstream,
) -> SessionEnd {
    let card = std::sync::Arc::clone(session.card());
    let mut changes = session.changes();
    let mut upstream = upstream.stream;
    let copying = copy_bidirectional(&mut client, &mut upstream);
    tokio::pin!(copying);
    let cause = loop {
        tokio::select! {
            biased; // An order to end beats everything.
            change = changes.next() => match change {
                Change::End(cause) => break cause,
                Change::Policy => if session.rejudge().await.is_err() {
                    break SessionEnd::PolicyChanged;
                },
            },
            copied = &mut copying => break match copied {
                Ok((up, down)) => counted(&card, up, down),
                Err(error) => {
                    tracing::debug!(%error, "a connection that passes as it is ended");
                    SessionEnd::Client
                }
            },
        }
    };
    session.close(cause)
}

fn counted(card: &Card, up: u64, down: u64) -> SessionEnd {
    card.bytes_from_client.fetch_add(up, Ordering::Relaxed);
    card.bytes_to_client.fetch_add(down, Ordering::Relaxed);
    SessionEnd::Client
}
