//! A channel that speaks SFTP, between its peers and the relay that reads it.
//!
//! Owns the pumps and the order of the end. Must not know a packet: `sftp` reads and judges each.
//! Both ways are bounded: what one side does not take is not granted to the other. Ends with either
//! side.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::Operation;
use russh::server::Msg;
use russh::{ChannelMsg, ChannelWriteHalf, client};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::channel::Live;
use super::desk::{self, Desk};
use super::inflow::Inflow;
use super::open::Open;
use super::relay::{Running, Status, last_words};
use super::sftp::{self, Authority, Ended, Ends, Judged, Over};
use super::words;
use crate::session::{Held, Judgement, OperationOutcome, Permit, Receipt, Refusal};

/// Pieces that wait in each of the four queues of the relay.
const PIECES_WAITING_MAX: usize = 16;
/// How long a server of SFTP may take to end after its data.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Relays until the end.
pub(super) async fn run(
    live: &mut Live,
    from_client: &mut Inflow,
    open: &Arc<Open>,
    running: Running,
) {
    let Running { receipt, mut from_upstream, to_upstream, .. } = running;
    let (client_in, client_data) = mpsc::channel(PIECES_WAITING_MAX);
    let (to_client, client_out) = mpsc::channel(PIECES_WAITING_MAX);
    let (upstream_in, upstream_data) = mpsc::channel(PIECES_WAITING_MAX);
    let (to_upstream_in, upstream_out) = mpsc::channel(PIECES_WAITING_MAX);
    let ends = Ends {
        from_client: client_data,
        to_client,
        from_upstream: upstream_data,
        to_upstream: to_upstream_in,
    };
    let clerk = Clerk { open: Arc::clone(open), to_client: Arc::clone(&live.to_client) };
    let mut status = None;
    let over = {
        let Live { to_client, requests, gone, .. } = &mut *live;
        let relayed = async {
            let (over, ()) = tokio::join!(
                sftp::relay(clerk, ends, open.strict_paths),
                shown(client_out, to_client),
            );
            over
        };
        tokio::select! {
            biased; // What is under way beats a client that has gone.
            over = relayed => Some(over),
            () = gone.cancelled() => None,
            never = sent(from_client, client_in) => match never {},
            never = forwarded(upstream_out, &to_upstream) => match never {},
            never = answered(&mut from_upstream, upstream_in, &mut status) => match never {},
            never = unasked(requests) => match never {},
        }
    };
    let outcome = match over {
        Some(Over::Upstream) => {
            status = last_status(&mut from_upstream, status).await;
            OperationOutcome::Completed
        }
        Some(Over::Client) | None => {
            status = last_words(&to_upstream, &mut from_upstream, status).await;
            OperationOutcome::Abandoned
        }
        Some(Over::BrokenByClient(violation)) => {
            tell(&live.to_client, &format!("portcullis: {violation}")).await;
            status = last_words(&to_upstream, &mut from_upstream, status).await;
            OperationOutcome::Refused
        }
        Some(Over::BrokenByUpstream(because)) => {
            tracing::warn!(because, "the upstream breaks SFTP");
            tell(&live.to_client, "portcullis: the target breaks the protocol").await;
            status = last_words(&to_upstream, &mut from_upstream, status).await;
            OperationOutcome::Failed
        }
    };
    let closed = [end(live, status.as_ref()).await, to_upstream.close().await];
    if let Some(error) = closed.into_iter().find_map(Result::err) {
        tracing::debug!(%error, "a side was not shown the end");
    }
    let status = status.map_or_else(String::new, |status| status.to_string());
    let ended = desk::Ended { outcome: Some(outcome), status, ..desk::Ended::default() };
    open.desk.finished(receipt, ended).await;
}

async fn end(live: &Live, status: Option<&Status>) -> Result<(), russh::Error> {
    if let Some(Status::Exited(status)) = status {
        live.to_client.exit_status(*status).await?;
    }
    live.to_client.eof().await
}

async fn sent(from: &mut Inflow, to: mpsc::Sender<Bytes>) -> Infallible {
    while let Some(message) = from.next().await {
        let goes_on = match message {
            ChannelMsg::Data { data } => from.meanwhile(to.send(data)).await.is_ok(),
            ChannelMsg::Eof | ChannelMsg::Close => false,
            // Clients have no extended data (RFC 4254 5.2).
            _ => true,
        };
        if !goes_on {
            break;
        }
    }
    drop(to);
    rest(from).await
}

/// Takes what still comes, for nobody.
async fn rest(from: &mut Inflow) -> Infallible {
    from.discard().await;
    std::future::pending().await
}

async fn shown(mut from: mpsc::Receiver<Bytes>, to: &ChannelWriteHalf<Msg>) {
    while let Some(bytes) = from.recv().await {
        if to.data_bytes(bytes).await.is_err() {
            return;
        }
    }
}

async fn forwarded(
    mut from: mpsc::Receiver<Bytes>,
    to: &ChannelWriteHalf<client::Msg>,
) -> Infallible {
    while let Some(bytes) = from.recv().await {
        if to.data_bytes(bytes).await.is_err() {
            break;
        }
    }
    if let Err(error) = to.eof().await {
        tracing::debug!(%error, "the upstream was not told of the end of data");
    }
    std::future::pending().await
}

async fn answered(
    from: &mut Inflow,
    to: mpsc::Sender<Bytes>,
    status: &mut Option<Status>,
) -> Infallible {
    while let Some(message) = from.next().await {
        let goes_on = match message {
            ChannelMsg::Data { data } => from.meanwhile(to.send(data)).await.is_ok(),
            ChannelMsg::ExitStatus { exit_status } => {
                *status = Some(Status::Exited(exit_status));
                true
            }
            ChannelMsg::Eof | ChannelMsg::Close => false,
            // What a server of SFTP says beside the protocol is for its own log.
            _ => true,
        };
        if !goes_on {
            break;
        }
    }
    drop(to);
    std::future::pending().await
}

/// A server of SFTP takes no signals, and its terminal has no size.
async fn unasked(requests: &mut mpsc::Receiver<super::channel::Request>) -> Infallible {
    while requests.recv().await.is_some() {}
    std::future::pending().await
}

async fn last_status(from: &mut Inflow, known: Option<Status>) -> Option<Status> {
    let mut status = known;
    let heard = timeout(ENDS_WITHIN, async {
        while let Some(message) = from.next().await {
            match message {
                ChannelMsg::ExitStatus { exit_status } => {
                    status = Some(Status::Exited(exit_status));
                }
                ChannelMsg::Close => break,
                _ => {}
            }
        }
    });
    drop(heard.await);
    status
}

async fn tell(to_client: &ChannelWriteHalf<Msg>, line: &str) {
    let line = words::line(line, false);
    if let Err(error) = to_client.extended_data_bytes(1, line).await {
        tracing::debug!(%error, "the client was not told");
    }
}

/// Asks the desk for the relay.
#[derive(Clone)]
struct Clerk {
    open: Arc<Open>,
    to_client: Arc<ChannelWriteHalf<Msg>>,
}

/// A hold of an operation on files. Dropped, it is given up.
struct Waiting {
    held: Option<Held>,
    desk: Desk,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.desk.give_up(held);
        }
    }
}

impl Authority for Clerk {
    type Permit = Permit;
    type Receipt = Arc<Receipt>;
    type Held = Waiting;

    async fn judge(&self, operation: Arc<Operation>) -> Judged<Permit, Waiting> {
        match self.open.desk.judge(&operation).await {
            Judgement::Allowed(permit) => Judged::Allowed(permit),
            Judgement::Denied(refusal) => Judged::Denied(refusal),
            Judgement::Held(held) => {
                Judged::Held(Waiting { held: Some(held), desk: self.open.desk.clone() })
            }
        }
    }

    async fn settle(&self, mut waiting: Waiting) -> Result<Permit, Refusal> {
        if let Some(held) = &mut waiting.held {
            held.wait().await;
        }
        match waiting.held.take() {
            Some(held) => self.open.desk.settle(held, false).await,
            None => Err(desk::over()),
        }
    }

    async fn refuse(&self, operation: Arc<Operation>, refusal: Refusal) -> Refusal {
        self.open.desk.refuse(&operation, refusal).await
    }

    async fn content_mask(&self, path: &str) -> Option<String> {
        self.open.desk.content_mask(path).await
    }

    fn begin(&self, permit: Permit) -> Arc<Receipt> {
        Arc::new(self.open.upstream.open(permit).0)
    }

    async fn admit(&self, receipt: &Arc<Receipt>) -> Result<(), Refusal> {
        self.open.desk.admit(receipt.operation()).await.map(drop)
    }

    fn standing(&self) -> watch::Receiver<u64> {
        self.open.standing.clone()
    }

    async fn finished(&self, receipt: Arc<Receipt>, ended: Ended) {
        let Ended { outcome, status, bytes, files } = ended;
        let ended =
            desk::Ended { outcome: Some(outcome), status, bytes, files, ..desk::Ended::default() };
        self.open.desk.finished(receipt, ended).await;
    }

    async fn tell(&self, line: &str) {
        tell(&self.to_client, line).await;
    }

    fn notice(waiting: &Waiting) -> String {
        waiting.held.as_ref().map_or_else(String::new, Held::notice)
    }
}
