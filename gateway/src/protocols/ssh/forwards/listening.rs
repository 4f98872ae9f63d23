//! Where a client has the target listen for it.
//!
//! Owns asking for it and taking it back. Must not know the connections that come. The library
//! wants the answer to such a request before it reads on, so an approver cannot be waited for: what
//! is held is refused. Ends with the connection: the target stops listening with it.

use std::sync::Arc;
use std::time::Duration;

use model::Action;
use tokio::time::timeout;

use super::super::desk::Ended;
use super::super::open::Open;
use super::super::upstream::UpstreamHandle;
use super::destination::{self, Destination};
use super::{Listening, Wanted};
use crate::session::{Judgement, OperationOutcome, Permit, Refusal, RefusalKind};

/// Places where the target listens for one client.
const LISTENING_MAX: usize = 64;
/// How long the upstream may take to answer. Nothing of the client is read meanwhile, and what
/// keeps the upstream from answering may be waiting for the client: so not long.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Has the target listen. Answers the port, where it was the target's to choose; `None` where it
/// does not listen.
pub(in crate::protocols::ssh) async fn listen(open: &Open, wanted: Wanted) -> Option<u32> {
    let destination = match Destination::listening(&wanted) {
        Ok(destination) => destination,
        Err(odd) => {
            let refusal = Refusal::new(RefusalKind::Unreadable, format!("portcullis: {odd}"));
            open.desk.refuse(&destination::unreadable("listen", &wanted), refusal).await;
            return None;
        }
    };
    let operation = destination.operation(Action::Listen, "listen", "listen on");
    if open.granted.listening.lock().len() >= LISTENING_MAX {
        let message = "portcullis: the target listens at too many places for this connection";
        open.desk.refuse(&operation, Refusal::new(RefusalKind::Limit, message)).await;
        return None;
    }
    let permit = at_once(open, open.desk.judge(&operation).await).await?;
    let (receipt, upstream) = open.upstream.open(permit);
    let receipt = Arc::new(receipt);
    let _asking = open.granted.asking.lock().await;
    match timeout(ANSWERED_WITHIN, ask(upstream, destination.asked())).await {
        Ok(Ok(at)) => {
            let port = if let Wanted::Port { port, .. } = &at { *port } else { 0 };
            let told = match wanted {
                Wanted::Port { host, .. } => Wanted::Port { host, port },
                socket @ Wanted::Socket { .. } => socket,
            };
            let listening = Listening { at, told, destination, receipt, connections: 0 };
            open.granted.listening.lock().push(listening);
            Some(port)
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "the upstream does not listen");
            let status = String::from("the target does not listen there");
            let outcome = Some(OperationOutcome::Failed);
            open.desk.finished(receipt, Ended { outcome, status, ..Ended::default() }).await;
            None
        }
        Err(_) => {
            let status = String::from("the target did not answer in time");
            let outcome = Some(OperationOutcome::Failed);
            open.desk.finished(receipt, Ended { outcome, status, ..Ended::default() }).await;
            None
        }
    }
}

/// Asks, and answers where the upstream says that it listens.
async fn ask(upstream: &UpstreamHandle, wanted: Wanted) -> Result<Wanted, russh::Error> {
    match wanted {
        Wanted::Port { host, port } => {
            let chosen = upstream.tcpip_forward(host.clone(), port).await?;
            Ok(Wanted::Port { host, port: if port == 0 { chosen } else { port } })
        }
        Wanted::Socket { path } => {
            upstream.streamlocal_forward(path.clone()).await?;
            Ok(Wanted::Socket { path })
        }
    }
}

/// Has the target listen no more. False where it did not.
pub(in crate::protocols::ssh) async fn cancel(open: &Open, wanted: &Wanted) -> bool {
    let Ok(asked) = Destination::listening(wanted).map(|destination| destination.asked()) else {
        return false;
    };
    let found = {
        let mut listening = open.granted.listening.lock();
        let place = listening.iter().position(|one| one.at == asked);
        place.map(|place| listening.swap_remove(place))
    };
    let Some(Listening { receipt, connections, .. }) = found else { return false };
    let upstream = open.upstream.under(&receipt);
    let cancelled = timeout(ANSWERED_WITHIN, async {
        match asked {
            Wanted::Port { host, port } => upstream.cancel_tcpip_forward(host, port).await,
            Wanted::Socket { path } => upstream.cancel_streamlocal_forward(path).await,
        }
    });
    let cancelled = matches!(cancelled.await, Ok(Ok(())));
    open.desk.finished(receipt, ended(connections)).await;
    cancelled
}

/// Records the end of all of it.
pub(in crate::protocols::ssh) async fn end(open: &Open) {
    let all = std::mem::take(&mut *open.granted.listening.lock());
    for Listening { receipt, connections, .. } in all {
        open.desk.finished(receipt, ended(connections)).await;
    }
}

fn ended(connections: u64) -> Ended {
    let status = format!("{connections} connections came");
    Ended { outcome: Some(OperationOutcome::Completed), status, ..Ended::default() }
}

/// The permit, where there is one without waiting.
pub(super) async fn at_once(open: &Open, judged: Judgement) -> Option<Permit> {
    match judged {
        Judgement::Allowed(permit) => Some(permit),
        Judgement::Denied(_) => None,
        Judgement::Held(held) => {
            drop(open.desk.settle(held, true).await);
            None
        }
    }
}
