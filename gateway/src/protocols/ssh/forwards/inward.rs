//! Connections that the target opens to the client: at ports it listens on for it, to its agent, to
//! its display.
//!
//! Owns the way of each from the upstream's request to its tunnel. Must not trust the upstream: what
//! the client has not had granted is rejected, before the client hears of it. Ends with the
//! connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::{Access, Action, Operation};
use russh::{Channel, server};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::channel::named;
use super::super::desk::Ended;
use super::super::inflow::Inflow;
use super::super::open::Open;
use super::super::upstream::{OpenedBelow, OpenedFor};
use super::tunnel::Tunnel;
use super::{Wanted, failed, failure, listening};
use crate::session::{OperationOutcome, Receipt, Refusal};

/// Takes what the upstream opens until nothing more may begin.
pub(in crate::protocols::ssh) async fn accept(
    mut opened: mpsc::Receiver<OpenedBelow>,
    open: Arc<Open>,
    client: server::Handle,
    tasks: TaskTracker,
    gone: CancellationToken,
) {
    loop {
        let one = tokio::select! {
            biased; // Nothing new begins at the end.
            () = open.closing.cancelled() => return,
            one = opened.recv() => one,
        };
        let Some(one) = one else { return };
        // One that may not come is dropped, and with it rejected.
        let OpenedBelow { from, channel, reply } = one;
        drop(open.granted.asking.lock().await);
        if let Some((from, operation)) = expected(&open, from) {
            let (one, open) = (OpenedBelow { from, channel, reply }, Arc::clone(&open));
            let (client, gone) = (client.clone(), gone.child_token());
            tasks.spawn(async move { serve(one, operation, &open, client, gone).await });
        }
    }
}

/// What it takes, and where it comes from in the client's words; `None` where the client has not
/// had it granted.
fn expected(open: &Open, from: OpenedFor) -> Option<(OpenedFor, Arc<Operation>)> {
    let login = |action, kind: &str| {
        let access: Access = named(action, "login", &open.user);
        let text = format!("{kind} of {}", open.user).into();
        Arc::new(Operation { kind: kind.into(), text, accesses: [access].into() })
    };
    let at = match &from {
        OpenedFor::Agent => {
            let granted = open.granted.agent.load(Ordering::Relaxed);
            return granted.then(|| (from, login(Action::Agent, "agent")));
        }
        OpenedFor::X11 { .. } => {
            let granted = open.granted.x11.load(Ordering::Relaxed);
            return granted.then(|| (from, login(Action::X11, "x11")));
        }
        OpenedFor::Port { address, port, .. } => {
            Wanted::Port { host: address.clone(), port: *port }
        }
        OpenedFor::Socket { path } => Wanted::Socket { path: path.clone() },
    };
    let mut listening = open.granted.listening.lock();
    let Some(found) = listening.iter_mut().find(|one| one.at == at) else {
        tracing::debug!(?at, "the upstream forwards what it was not asked for");
        return None;
    };
    found.connections = found.connections.saturating_add(1);
    let operation = found.destination.operation(Action::Listen, "forwarded", "connection to");
    let from = match (from, &found.told) {
        (OpenedFor::Port { originator, originator_port, .. }, Wanted::Port { host, port }) => {
            OpenedFor::Port { address: host.clone(), port: *port, originator, originator_port }
        }
        (_, Wanted::Socket { path }) => OpenedFor::Socket { path: path.clone() },
        (from, _) => from,
    };
    Some((from, operation))
}

async fn serve(
    opened: OpenedBelow,
    operation: Arc<Operation>,
    open: &Open,
    client: server::Handle,
    gone: CancellationToken,
) {
    let OpenedBelow { from, channel, reply } = opened;
    match begin(&from, &operation, open, &client).await {
        Ok((receipt, near)) => {
            reply.accept().await;
            let (from_client, to_client) = near.split();
            let (from_upstream, to_upstream) = channel.split();
            let from_client = Inflow::new(from_client, &open.budget);
            let from_upstream = Inflow::new(from_upstream, &open.budget);
            let tunnel = Tunnel { from_client, to_client, from_upstream, to_upstream, gone };
            tunnel.carry(open, receipt).await;
        }
        Err(refusal) => reply.reject(failure(&refusal)).await,
    }
}

async fn begin(
    from: &OpenedFor,
    operation: &Arc<Operation>,
    open: &Open,
    client: &server::Handle,
) -> Result<(Arc<Receipt>, Channel<server::Msg>), Refusal> {
    let judged = open.desk.judge(operation).await;
    let Some(permit) = listening::at_once(open, judged).await else {
        return Err(failed("this connection is not granted"));
    };
    // The tunnel's end upstream is there already: the permit is for carrying.
    let (receipt, _) = open.upstream.open(permit);
    let receipt = Arc::new(receipt);
    let reached = timeout(open.upstream_within, async {
        match from.clone() {
            OpenedFor::Port { address, port, originator, originator_port } => {
                client
                    .channel_open_forwarded_tcpip(address, port, originator, originator_port)
                    .await
            }
            OpenedFor::Socket { path } => client.channel_open_forwarded_streamlocal(path).await,
            OpenedFor::Agent => client.channel_open_agent().await,
            OpenedFor::X11 { originator, originator_port } => {
                client.channel_open_x11(originator, originator_port).await
            }
        }
    });
    if let Ok(Ok(channel)) = reached.await {
        return Ok((receipt, channel));
    }
    let status = String::from("the client does not take it");
    let outcome = Some(OperationOutcome::Failed);
    open.desk.finished(receipt, Ended { outcome, status, ..Ended::default() }).await;
    Err(failed("the client does not take this connection"))
}
