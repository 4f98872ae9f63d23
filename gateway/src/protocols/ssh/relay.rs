//! The bytes of what runs, both ways, and how it ends.
//!
//! Owns the pumps of one channel. Must not know what runs. Both ways go on independently: what
//! waits for one peer never keeps the other from being read. Nothing is kept beyond what windows
//! let peers send. Ends with the upstream's channel, or by a change of policy.
//!
//! Each side's ends are shown to the other as they come and in their order: the end of data, the
//! exit status, the end of the channel. A client that closes the channel first (it has read
//! enough, or does not wait) still gets the exit status, as from OpenSSH's server:
//!
//! ```text
//!  upstream: EOF, status, CLOSE ────────────────────────▶ client, in this order
//!  client: CLOSE ─▶ what it sent before goes up ─▶ CLOSE upstream ─▶ status ─▶ client ─▶ CLOSE
//! ```

mod down;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use russh::{ChannelMsg, ChannelWriteHalf, Sig, client};
use shell::Direction;
use tokio::sync::mpsc;
use tokio::time::timeout;

use self::down::Down;
use super::channel::{Live, Request, Terminal};
use super::desk::{Desk, Ended};
use super::inflow::Inflow;
use super::open::Open;
use super::output::{Counts, Output};
use super::request::{Content, Plan};
use super::scp::Copy;
use super::typed::Typed;
use super::{run, scp};
use crate::session::{CarryOver, OperationOutcome, OutputStream, Receipt, Refusal};

/// How long what runs may take to end after its client has gone, for its status to be known.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// What runs.
pub(super) struct Running {
    /// The right to show what comes of it.
    pub(super) receipt: Arc<Receipt>,
    /// What the upstream sends.
    pub(super) from_upstream: Inflow,
    /// What the upstream is sent.
    pub(super) to_upstream: ChannelWriteHalf<client::Msg>,
    /// What it is.
    pub(super) plan: Plan,
    /// Its terminal.
    pub(super) terminal: Option<Terminal>,
}

/// Why the relay stopped.
enum Over {
    /// The upstream's channel is at its end; whether the client was shown all of it.
    Upstream(Result<(), russh::Error>),
    /// The client closed the channel, or is gone.
    Client,
    /// It may not go on.
    Refused(Refusal),
}

/// How what ran ended upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// With this status.
    Exited(u32),
    /// By this signal.
    Killed(Arc<str>),
}

/// Relays until the end.
pub(super) async fn run(live: &mut Live, from_client: &mut Inflow, open: &Open, running: Running) {
    let Running { receipt, mut from_upstream, to_upstream, plan, terminal } = running;
    live.in_terminal = terminal.is_some();
    let (mut status, mut counts) = (None, Counts::default());
    let over = match maskers(&open.desk, &plan).await {
        Err(refusal) => Over::Refused(refusal),
        Ok([out, error]) => {
            let Live { to_client, requests, gone, left, client, .. } = &mut *live;
            let recorded = recorded(open, &plan, terminal.is_some());
            let output = |stream, masker| {
                Output::new(&open.desk, &receipt, to_client, stream, masker, recorded)
            };
            let typed = terminal.is_some().then(Mutex::<Typed>::default);
            let mut down = Down {
                out: output(OutputStream::Output, out).with_typed(typed.as_ref()),
                error: output(OutputStream::Error, error),
                to_client,
                client,
                fault: &open.fault,
                typed: typed.as_ref(),
                status: None,
                told: false,
                ended: false,
                copy: Copy::new(None, &open.desk, &receipt),
            };
            let (sent, shown) = logs(plan.content);
            let mut sent = Copy::new(sent, &open.desk, &receipt);
            down.copy = Copy::new(shown, &open.desk, &receipt);
            let over = {
                let upload = upload(from_client, &to_upstream, typed.as_ref(), &mut sent);
                tokio::pin!(upload);
                let mut uploaded = false;
                let over = tokio::select! {
                    biased; // What came before an end is shown before it.
                    shown = down.relay(&mut from_upstream) => Over::Upstream(shown),
                    () = gone.cancelled() => Over::Client,
                    refusal = refused(open, &receipt) => Over::Refused(refusal),
                    refusal = &mut upload => {
                        uploaded = true;
                        refusal.map_or(Over::Client, Over::Refused)
                    }
                    never = requested(requests, &to_upstream, &open.desk, &receipt) => match never {},
                };
                if matches!(over, Over::Client) {
                    let rest = (!uploaded).then_some(upload);
                    down.wind_down(&mut from_upstream, &to_upstream, rest, left).await;
                }
                over
            };
            (status, counts) = (down.status.take(), down.counts());
            sent.end().await;
            down.copy.end().await;
            over
        }
    };
    let outcome = match over {
        Over::Upstream(Err(russh::Error::Inconsistent)) => OperationOutcome::Failed,
        Over::Upstream(shown) => {
            if let Err(error) = shown {
                tracing::debug!(%error, "the client was not shown the end");
            }
            status.as_ref().map_or(OperationOutcome::Failed, outcome)
        }
        Over::Client => OperationOutcome::Abandoned,
        Over::Refused(refusal) => {
            // First it ends; then its client is told, who may be reading nothing.
            status = last_words(&to_upstream, &mut from_upstream, status).await;
            from_client.meanwhile(run::refuse(live, &refusal)).await;
            OperationOutcome::Refused
        }
    };
    let ended = Ended {
        outcome: Some(outcome),
        status: status.map_or_else(String::new, |status| status.to_string()),
        bytes: counts.bytes,
        unrecorded: counts.unrecorded,
        masked_values: counts.masked_values,
        files: Vec::new(),
    };
    open.desk.finished(receipt, ended).await;
    if let Err(error) = to_upstream.close().await {
        tracing::debug!(%error, "the upstream is gone before its channel");
    }
}

/// What reads along with what is sent, and with what is shown.
fn logs(content: Content) -> (Option<scp::Log>, Option<scp::Log>) {
    match content {
        Content::Copy(Direction::Upload) => (Some(scp::Log::default()), None),
        Content::Copy(Direction::Download) => (None, Some(scp::Log::default())),
        Content::Text | Content::Binary | Content::Files => (None, None),
    }
}

/// What masks output and error output; nothing for what is no text.
async fn maskers(desk: &Desk, plan: &Plan) -> Result<[Option<CarryOver>; 2], Refusal> {
    if plan.content != Content::Text {
        return Ok([None, None]);
    }
    Ok([desk.masker().await?, desk.masker().await?])
}

/// Bytes of each stream that are handed to the recording.
const fn recorded(open: &Open, plan: &Plan, in_terminal: bool) -> usize {
    match (plan.content, in_terminal) {
        // What was done in a terminal is known by its output alone.
        (Content::Text, true) => usize::MAX,
        (Content::Text, false) => open.recorded_bytes_max,
        (Content::Binary | Content::Copy(_) | Content::Files, _) => 0,
    }
}

const fn outcome(status: &Status) -> OperationOutcome {
    match status {
        Status::Exited(0) => OperationOutcome::Completed,
        Status::Exited(_) | Status::Killed(_) => OperationOutcome::Failed,
    }
}

/// Sends what the client sends, until it closes the channel or is gone; or until it sends what may
/// not be sent: then with the reason. The end of its data is not an end of what runs.
async fn upload(
    from: &mut Inflow,
    to: &ChannelWriteHalf<client::Msg>,
    typed: Option<&Mutex<Typed>>,
    copy: &mut Copy<'_>,
) -> Option<Refusal> {
    while let Some(message) = from.next().await {
        let sent = match message {
            ChannelMsg::Data { data } => {
                if let Some(typed) = typed {
                    typed.lock().keys(&data);
                }
                let sent = async {
                    copy.sent(&data).await?;
                    Ok(to.data_bytes(data).await)
                };
                match from.meanwhile(sent).await {
                    Ok(sent) => sent,
                    Err(refusal) => return Some(refusal),
                }
            }
            ChannelMsg::Eof => to.eof().await,
            ChannelMsg::Close => return None,
            // Clients have no extended data (RFC 4254 5.2).
            _ => Ok(()),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the upstream takes nothing more");
            // How it ended is still to come.
            from.discard().await;
        }
    }
    None
}

/// Passes on what the client asks while something runs.
async fn requested(
    requests: &mut mpsc::Receiver<Request>,
    to: &ChannelWriteHalf<client::Msg>,
    desk: &Desk,
    receipt: &Arc<Receipt>,
) -> Infallible {
    while let Some(request) = requests.recv().await {
        let sent = match request {
            Request::Resized([columns, rows, width, height]) => {
                desk.resized(receipt, columns, rows).await;
                to.window_change(columns, rows, width, height).await
            }
            Request::Signal(signal) => to.signal(signal).await,
            Request::Asked(..) | Request::Start(_) => Ok(()),
        };
        if sent.is_err() {
            break;
        }
    }
    std::future::pending().await
}

/// Resolves when what runs may not go on under a new policy.
pub(super) async fn refused(open: &Open, receipt: &Receipt) -> Refusal {
    let mut standing = open.standing.clone();
    standing.mark_unchanged();
    while standing.changed().await.is_ok() {
        if let Err(refusal) = open.desk.admit(receipt.operation()).await {
            return refusal;
        }
    }
    std::future::pending().await
}

/// Closes the upstream's channel, and waits a moment for how what ran ended.
pub(super) async fn last_words(
    to: &ChannelWriteHalf<client::Msg>,
    from: &mut Inflow,
    known: Option<Status>,
) -> Option<Status> {
    if let Err(error) = to.close().await {
        tracing::debug!(%error, "the upstream was not told of the end");
        return known;
    }
    let mut status = known;
    let heard = timeout(FAREWELL_WITHIN, async {
        while let Some(message) = from.next().await {
            match message {
                ChannelMsg::ExitStatus { exit_status } => {
                    status = Some(Status::Exited(exit_status));
                }
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    status = Some(Status::Killed(name(&signal_name).into()));
                }
                ChannelMsg::Close => break,
                _ => {}
            }
        }
    });
    if heard.await.is_err() {
        tracing::debug!("what ran did not end with its client");
    }
    status
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit {status}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A signal's name (RFC 4254 6.10).
fn name(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}
