//! The bytes of what runs, both ways, and how it ends.
//!
//! Owns the pumps of one channel. Must not know what runs. Both ways go on independently: what
//! waits for one peer never keeps the other from being read. Nothing is kept beyond what windows
//! let peers send. Ends with the upstream's channel, with the client's, or by a change of policy.
//!
//! The end of output is shown to the client only with the exit status, or with the channel's end:
//! a client that has seen both ends of data closes the channel, and the library, as a closing
//! server must, then sends nothing more of it, an exit status least of all.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig, client, server};
use shell::Direction;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::backlog::Backlog;
use super::channel::{Live, Request, Terminal};
use super::desk::{Desk, Ended};
use super::fault::Fault;
use super::open::Open;
use super::output::{Counts, Output};
use super::request::{Content, Plan};
use super::scp::Copy;
use super::typed::Typed;
use super::{run, scp, words};
use crate::session::{CarryOver, OperationOutcome, OutputStream, Receipt, Refusal};

/// How long a terminal's output may be held back for what may follow. Raised, echoed keys lag.
const TERMINAL_IDLE: Duration = Duration::from_millis(50);
/// The same for other output, and for a terminal at which nobody has typed just now: nobody minds a
/// prompt that comes late.
const TEXT_IDLE: Duration = Duration::from_millis(500);
/// The same where what is held back looks like the beginning of what is masked.
const LIKELY_IDLE: Duration = Duration::from_secs(2);
/// How long after a key its echo is waited for.
const ECHOED_WITHIN: Duration = Duration::from_millis(300);
/// How long what runs may take to end after its client has gone, for its status to be known.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// What runs.
pub(super) struct Running {
    /// The right to show what comes of it.
    pub(super) receipt: Arc<Receipt>,
    /// What the upstream sends.
    pub(super) from_upstream: ChannelReadHalf,
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
pub(super) async fn run(mut live: Live, open: &Open, running: Running) {
    let Running { receipt, mut from_upstream, to_upstream, plan, terminal } = running;
    live.in_terminal = terminal.is_some();
    let (mut status, mut counts) = (None, Counts::default());
    let over = match maskers(&open.desk, &plan).await {
        Err(refusal) => Over::Refused(refusal),
        Ok([out, error]) => {
            let Live { from_client, to_client, requests, backlog, gone, client, .. } = &mut live;
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
                ended: false,
                holds_end: false,
                copy: Copy::new(None, &open.desk, &receipt),
            };
            let (sent, shown) = logs(plan.content);
            let mut sent = Copy::new(sent, &open.desk, &receipt);
            down.copy = Copy::new(shown, &open.desk, &receipt);
            let over = tokio::select! {
                biased; // What came before an end is shown before it.
                shown = down.relay(&mut from_upstream) => Over::Upstream(shown),
                () = gone.cancelled() => Over::Client,
                refusal = refused(open, &receipt) => Over::Refused(refusal),
                refusal = upload(from_client, &to_upstream, backlog, typed.as_ref(), &mut sent) => {
                    Over::Refused(refusal)
                }
                never = requested(requests, &to_upstream, &open.desk, &receipt) => match never {},
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
        Over::Client => {
            status = last_words(&to_upstream, &mut from_upstream, status).await;
            OperationOutcome::Abandoned
        }
        Over::Refused(refusal) => {
            // First it ends; then its client is told, who may be reading nothing.
            status = last_words(&to_upstream, &mut from_upstream, status).await;
            run::refuse(&live, &refusal).await;
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

/// The way down.
struct Down<'a> {
    out: Output<'a>,
    error: Output<'a>,
    to_client: &'a ChannelWriteHalf<server::Msg>,
    client: &'a server::Handle,
    fault: &'a Fault,
    /// What is typed, where there is a terminal.
    typed: Option<&'a Mutex<Typed>>,
    status: Option<Status>,
    /// The upstream has ended its output.
    ended: bool,
    /// The upstream has ended its output, and the client does not know yet.
    holds_end: bool,
    copy: Copy<'a>,
}

impl Down<'_> {
    /// Shows what comes until the upstream closes.
    async fn relay(&mut self, from: &mut ChannelReadHalf) -> Result<(), russh::Error> {
        let closed = loop {
            let holding = self.out.is_holding() || self.error.is_holding();
            let message = if holding {
                match timeout(self.idle(), from.wait()).await {
                    Ok(message) => message,
                    Err(_quiet) => {
                        self.let_go().await?;
                        continue;
                    }
                }
            } else {
                from.wait().await
            };
            match message {
                Some(ChannelMsg::Close) => break true,
                Some(message) if self.is_lie(&message) => return Err(russh::Error::Inconsistent),
                Some(message) => self.show(message).await?,
                None => break false,
            }
        };
        self.let_go().await?;
        if !closed {
            let line = words::line("portcullis: the connection to the target is gone", false);
            self.to_client.extended_data_bytes(1, line).await?;
        }
        if self.status.is_none() || self.holds_end {
            self.to_client.eof().await?;
        }
        self.to_client.close().await
    }

    /// How long what is held back waits for what may follow.
    fn idle(&self) -> Duration {
        if self.typed.is_some_and(|typed| typed.lock().is_fresh(ECHOED_WITHIN)) {
            TERMINAL_IDLE
        } else if self.out.is_likely() || self.error.is_likely() {
            LIKELY_IDLE
        } else {
            TEXT_IDLE
        }
    }

    /// Whether this cannot come after what has come. Nothing of it is shown, nor of what follows.
    fn is_lie(&self, message: &ChannelMsg) -> bool {
        let because = match message {
            ChannelMsg::Data { .. } | ChannelMsg::ExtendedData { .. } if self.ended => {
                "the upstream sent output after the end of it"
            }
            ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. }
                if self.status.is_some() =>
            {
                "the upstream said twice how a command ended"
            }
            _ => return false,
        };
        self.fault.note(because);
        true
    }

    async fn show(&mut self, message: ChannelMsg) -> Result<(), russh::Error> {
        match message {
            ChannelMsg::Data { data } => {
                self.copy.shown(&data).await;
                self.out.take(data).await
            }
            // There is no other kind than standard error (RFC 4254 5.2).
            ChannelMsg::ExtendedData { data, .. } => self.error.take(data).await,
            ChannelMsg::Eof => {
                self.ended = true;
                self.let_go().await?;
                if self.status.is_some() { self.to_client.eof().await } else { self.hold_end() }
            }
            ChannelMsg::ExitStatus { exit_status } => {
                // Output may still come: what is held back of it waits for that.
                self.status = Some(Status::Exited(exit_status));
                self.to_client.exit_status(exit_status).await?;
                self.release_end().await
            }
            ChannelMsg::ExitSignal { signal_name, core_dumped, error_message, lang_tag } => {
                self.status = Some(Status::Killed(name(&signal_name).into()));
                let told = self.client.exit_signal_request(
                    self.to_client.id(),
                    signal_name,
                    core_dumped,
                    error_message,
                    lang_tag,
                );
                told.await.map_err(|()| russh::Error::SendError)?;
                self.release_end().await
            }
            ChannelMsg::XonXoff { client_can_do } => {
                let told = self.client.xon_xoff_request(self.to_client.id(), client_can_do);
                told.await.map_err(|()| russh::Error::SendError)
            }
            _ => Ok(()),
        }
    }

    const fn hold_end(&mut self) -> Result<(), russh::Error> {
        self.holds_end = true;
        Ok(())
    }

    async fn release_end(&mut self) -> Result<(), russh::Error> {
        if std::mem::take(&mut self.holds_end) { self.to_client.eof().await } else { Ok(()) }
    }

    async fn let_go(&mut self) -> Result<(), russh::Error> {
        self.out.let_go().await?;
        self.error.let_go().await
    }

    const fn counts(&self) -> Counts {
        let (out, error) = (self.out.counts, self.error.counts);
        Counts {
            bytes: out.bytes + error.bytes,
            unrecorded: out.unrecorded + error.unrecorded,
            masked_values: out.masked_values + error.masked_values,
        }
    }
}

/// Sends what the client sends. Ends only with what may not be sent: the end of a client is not an
/// end of what runs.
async fn upload(
    from: &mut ChannelReadHalf,
    to: &ChannelWriteHalf<client::Msg>,
    backlog: &Backlog,
    typed: Option<&Mutex<Typed>>,
    copy: &mut Copy<'_>,
) -> Refusal {
    while let Some(message) = from.wait().await {
        let sent = match message {
            ChannelMsg::Data { data } => {
                let count = data.len();
                if let Some(typed) = typed {
                    typed.lock().keys(&data);
                }
                if let Err(refusal) = copy.sent(&data).await {
                    backlog.gone(count);
                    return refusal;
                }
                let sent = to.data_bytes(data).await;
                backlog.gone(count);
                sent
            }
            // Clients have no extended data (RFC 4254 5.2).
            ChannelMsg::ExtendedData { data, .. } => {
                backlog.gone(data.len());
                Ok(())
            }
            ChannelMsg::Eof => to.eof().await,
            _ => Ok(()),
        };
        if sent.is_err() {
            break;
        }
    }
    std::future::pending().await
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
    from: &mut ChannelReadHalf,
    known: Option<Status>,
) -> Option<Status> {
    if let Err(error) = to.close().await {
        tracing::debug!(%error, "the upstream was not told of the end");
        return known;
    }
    let mut status = known;
    let heard = timeout(FAREWELL_WITHIN, async {
        while let Some(message) = from.wait().await {
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
