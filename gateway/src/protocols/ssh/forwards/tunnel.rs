//! The bytes of one tunnel, both ways.
//!
//! Owns the pumps: what one side sends is granted only as the other takes it, and each side ends its
//! sending by itself. Must not change a byte. Ends when either side closes, when the client is
//! gone, or when it may not go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use russh::{ChannelId, ChannelMsg, ChannelWriteHalf, client, server};
use tokio_util::sync::CancellationToken;

use super::super::desk::Ended;
use super::super::inflow::Inflow;
use super::super::open::Open;
use super::super::relay;
use crate::session::{OperationOutcome, Receipt};

/// How long what a client sent before it went may take to go upstream.
const DRAINED_WITHIN: Duration = Duration::from_secs(10);

/// A tunnel that is open at both ends.
pub(super) struct Tunnel {
    /// What the client sends.
    pub(super) from_client: Inflow,
    /// What the client is sent.
    pub(super) to_client: ChannelWriteHalf<server::Msg>,
    /// What the upstream sends.
    pub(super) from_upstream: Inflow,
    /// What the upstream is sent.
    pub(super) to_upstream: ChannelWriteHalf<client::Msg>,
    /// Cancelled when the client has closed it, or is gone.
    pub(super) gone: CancellationToken,
}

/// What went one way.
#[derive(Debug, Default)]
struct Way {
    bytes: AtomicU64,
}

/// Why a tunnel ended.
enum Over {
    Client,
    Upstream,
    Refused,
}

impl Tunnel {
    /// Carries until the end, and records it under `receipt`.
    pub(super) async fn carry(mut self, open: &Open, receipt: Arc<Receipt>) {
        let (up, down) = (Way::default(), Way::default());
        let inside = parking_lot::Mutex::new(None);
        let over = tokio::select! {
            biased; // What came before an end is carried before it.
            () = carry(&mut self.from_client, &self.to_upstream, &up, |data| {
                inside.lock().get_or_insert_with(|| protocol_of(data));
            }) => Over::Client,
            () = carry(&mut self.from_upstream, &self.to_client, &down, |_| ()) => Over::Upstream,
            _ = relay::refused(open, &receipt) => Over::Refused,
            () = left(&self.gone) => Over::Client,
        };
        for closed in [self.to_client.close().await, self.to_upstream.close().await] {
            if let Err(error) = closed {
                tracing::debug!(%error, "a side of the tunnel is gone");
            }
        }
        let (up, down) = (up.bytes.into_inner(), down.bytes.into_inner());
        let inside = inside.into_inner().flatten();
        open.desk.finished(receipt, ended(&over, up, down, inside)).await;
    }
}

fn ended(over: &Over, up: u64, down: u64, inside: Option<&str>) -> Ended {
    let outcome = match over {
        Over::Client | Over::Upstream => OperationOutcome::Completed,
        Over::Refused => OperationOutcome::Refused,
    };
    let by = match over {
        Over::Client => "closed by the client",
        Over::Upstream => "closed by the target",
        Over::Refused => "cut: no longer granted",
    };
    let inside = inside.map(|name| format!("; carried {name}")).unwrap_or_default();
    Ended {
        outcome: Some(outcome),
        status: format!("{by}, {up} bytes up, {down} bytes down{inside}"),
        bytes: up.saturating_add(down),
        unrecorded: up.saturating_add(down),
        masked_values: 0,
        files: Vec::new(),
    }
}

/// Resolves a moment after the client has left: what it sent goes first.
async fn left(gone: &CancellationToken) {
    gone.cancelled().await;
    tokio::time::sleep(DRAINED_WITHIN).await;
}

/// Carries one way until its sender closes.
async fn carry<M>(
    from: &mut Inflow,
    to: &ChannelWriteHalf<M>,
    way: &Way,
    mut took: impl FnMut(&[u8]),
) where
    M: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
{
    while let Some(message) = from.next().await {
        let sent = match message {
            ChannelMsg::Data { data } => {
                way.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                took(&data);
                from.meanwhile(to.data_bytes(data)).await
            }
            ChannelMsg::Eof => to.eof().await,
            ChannelMsg::Close => return,
            _ => Ok(()),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the other side of the tunnel is gone");
            return;
        }
    }
}

/// What a tunnel carries, by its first bytes from the client.
fn protocol_of(first: &[u8]) -> Option<&'static str> {
    match first {
        [b'S', b'S', b'H', b'-', ..] => Some("SSH"),
        // A handshake record of any version (RFC 8446 5.1).
        [0x16, 0x03, ..] => Some("TLS"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_known_by_their_first_bytes() {
        assert_eq!(protocol_of(b"SSH-2.0-OpenSSH_9.2"), Some("SSH"));
        assert_eq!(protocol_of(&[0x16, 0x03, 0x01, 0x02]), Some("TLS"));
        assert_eq!(protocol_of(b"GET / HTTP/1.1"), None);
        assert_eq!(protocol_of(b""), None);
    }

    #[test]
    fn the_record_says_how_much_went_where() {
        let said = ended(&Over::Client, 10, 20, Some("SSH"));
        assert_eq!(said.status, "closed by the client, 10 bytes up, 20 bytes down; carried SSH");
        assert_eq!(said.bytes, 30);
    }
}
