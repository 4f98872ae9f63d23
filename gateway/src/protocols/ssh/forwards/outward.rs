//! Connections that a client opens through the target.
//!
//! Owns the way of one of them from its request to its tunnel. Must not know what it carries. A
//! connection that is held waits with its channel unopened, as one to a slow host does. Ends with
//! the tunnel, or with the reason why there is none.

use std::sync::Arc;

use model::Action;
use russh::{Channel, client};
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::channel::{Origin, opened};
use super::super::desk::Ended;
use super::super::inflow::Inflow;
use super::super::open::Open;
use super::destination::{self, Destination};
use super::tunnel::Tunnel;
use super::{Wanted, failed, failure};
use crate::session::{Judgement, OperationOutcome, Permit, Receipt, Refusal, RefusalKind};

/// Who is said to connect, where the client does not say it usefully.
const NOBODY: &str = "127.0.0.1";

/// Serves one connection: `originator` is who connected at the client, by its word.
pub(in crate::protocols::ssh) async fn serve(
    origin: Origin,
    wanted: Wanted,
    originator: (String, u32),
    mut open: watch::Receiver<Option<Arc<Open>>>,
) {
    let Origin { channel, reply, requests, budget, gone, .. } = origin;
    let begun = tokio::select! {
        biased; // A client that is gone needs nothing.
        () = gone.cancelled() => return,
        open = opened(&mut open) => match open {
            Some(open) => open,
            None => return,
        },
    };
    let open = begun;
    let begun = tokio::select! {
        biased;
        () = gone.cancelled() => return,
        begun = begin(&open, &wanted, &originator) => begun,
    };
    match begun {
        Ok((receipt, upstream)) => {
            reply.accept().await;
            let (from_client, to_client) = channel.split();
            let (from_upstream, to_upstream) = upstream.split();
            let from_client = Inflow::new(from_client, &budget);
            let from_upstream = Inflow::new(from_upstream, &budget);
            let tunnel = Tunnel { from_client, to_client, from_upstream, to_upstream, gone };
            tunnel.carry(&open, receipt).await;
            drop(requests);
        }
        Err(refusal) => reply.reject(failure(&refusal)).await,
    }
}

async fn begin(
    open: &Open,
    wanted: &Wanted,
    originator: &(String, u32),
) -> Result<(Arc<Receipt>, Channel<client::Msg>), Refusal> {
    let destination = match Destination::of(wanted) {
        Ok(destination) => destination,
        Err(odd) => {
            let refusal = Refusal::new(RefusalKind::Unreadable, format!("portcullis: {odd}"));
            return Err(open
                .desk
                .refuse(&destination::unreadable("forward", wanted), refusal)
                .await);
        }
    };
    let operation = destination.operation(Action::Forward, "forward", "forward to");
    let permit = permitted(open, open.desk.judge(&operation).await).await?;
    let (receipt, upstream) = open.upstream.open(permit);
    let receipt = Arc::new(receipt);
    let reached = timeout(open.upstream_within, async {
        match destination.asked() {
            Wanted::Port { host, port } => {
                let (address, from_port) = said(originator);
                upstream.channel_open_direct_tcpip(host, port, address, from_port).await
            }
            Wanted::Socket { path } => upstream.channel_open_direct_streamlocal(path).await,
        }
    });
    let because = match reached.await {
        Ok(Ok(channel)) => return Ok((receipt, channel)),
        Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
            format!("the target does not connect ({})", reason.description().to_lowercase())
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "no connection through the upstream");
            String::from("the connection to the target is gone")
        }
        Err(_) => String::from("the target did not answer in time"),
    };
    let outcome = Some(OperationOutcome::Failed);
    let ended = Ended { outcome, status: because.clone(), ..Ended::default() };
    open.desk.finished(receipt, ended).await;
    Err(failed(&because))
}

/// Waits until a judgement is a permit. Dropped while it waits (the client is gone), the hold ends.
async fn permitted(open: &Open, judged: Judgement) -> Result<Permit, Refusal> {
    match judged {
        Judgement::Allowed(permit) => Ok(permit),
        Judgement::Denied(refusal) => Err(refusal),
        Judgement::Held(mut held) => {
            held.wait().await;
            open.desk.settle(held, false).await
        }
    }
}

/// Who connected, where that is an address; what else a client may write is not passed on.
fn said((address, port): &(String, u32)) -> (String, u32) {
    match (address.parse::<std::net::IpAddr>(), u16::try_from(*port)) {
        (Ok(address), Ok(port)) => (address.to_string(), u32::from(port)),
        _ => (NOBODY.to_owned(), 0),
    }
}
