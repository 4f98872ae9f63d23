//! What a channel runs, from the question whether it may to its beginning.
//!
//! Owns the order of asking, waiting and starting. Must not know how a command is read
//! (`request`) or how bytes pass (`relay`). Nothing of a channel reaches the upstream before its
//! start is permitted. Ends where the relay begins, with a refusal, or with the client.
//!
//! ```text
//!  start ── readable? ── may it? ── held: line on stderr, wait ── open upstream ── relay
//!              └ no        └ no             └ no, or gone
//!              ▼           ▼                ▼
//!          stderr: why; exit status 126; end
//! ```

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::{Action, Object};
use russh::{ChannelMsg, ChannelWriteHalf, client};
use tokio::time::timeout;

use super::channel::{Asked, Display, Live, Start, Terminal};
use super::desk::Ended;
use super::forwards::Granted;
use super::inflow::Inflow;
use super::open::Open;
use super::relay::{self, Running};
use super::request::{self, Content, Forward, Plan};
use super::upstream::UpstreamHandle;
use super::{files, words};
use crate::session::{Held, Judgement, OperationOutcome, Permit, Refusal, RefusalKind};

/// The status of a command that may not run, as shells have it for what cannot be executed.
const REFUSED: u32 = 126;
/// How long a client may take to read why it is refused.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// What becomes of a channel next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is closed.
    Close,
    /// The client may ask for something else on it.
    Ask,
}

/// Why nothing runs.
enum Stopped {
    /// It may not, or cannot.
    Refused(Refusal),
    /// The target does not have it, and the client has not been told otherwise.
    Absent,
    /// The client is gone.
    Gone,
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Runs what the client started, to its end.
pub(super) async fn run(
    live: &mut Live,
    from_client: &mut Inflow,
    open: &Arc<Open>,
    start: Start,
) -> Next {
    match from_client.meanwhile(begin(live, open, &start)).await {
        Ok(running) => {
            live.answer(true).await;
            if running.plan.content == Content::Files {
                files::run(live, from_client, open, running).await;
            } else {
                relay::run(live, from_client, open, running).await;
            }
        }
        Err(Stopped::Refused(refusal)) => {
            live.answer(true).await;
            give_up(live, open).await;
            from_client.meanwhile(refuse(live, &refusal)).await;
        }
        Err(Stopped::Absent) => {
            live.answer(false).await;
            return Next::Ask;
        }
        Err(Stopped::Gone) => {}
    }
    Next::Close
}

/// Gives up what was asked for and is held: nobody waits for it any more.
pub(super) async fn give_up(live: &mut Live, open: &Open) {
    for (_, judged) in live.asked.drain(..) {
        if let Judgement::Held(held) = judged {
            drop(open.desk.settle(held, true).await);
        }
    }
}

/// Ends what a channel is for with the reason on its standard error.
pub(super) async fn refuse(live: &Live, refusal: &Refusal) {
    let lines = words::refusal_lines(refusal, live.in_terminal);
    let told = tokio::select! {
        biased; // Who has closed the channel reads nothing on it.
        () = live.gone.cancelled() => false,
        told = timeout(TOLD_WITHIN, live.to_client.extended_data_bytes(1, lines)) => {
            matches!(told, Ok(Ok(())))
        }
    };
    if !told {
        tracing::debug!("the client was not told why");
    }
    let ended = async {
        live.to_client.exit_status(REFUSED).await?;
        live.to_client.eof().await
    };
    if let Err(error) = ended.await {
        tracing::debug!(%error, "the client was not told the end");
    }
}

async fn begin(live: &mut Live, open: &Open, start: &Start) -> Result<Running, Stopped> {
    let plan = match request::plan(start, open).await {
        Ok(plan) => plan,
        Err(unreadable) => {
            let refused = open.desk.refuse(&unreadable.operation, unreadable.refusal).await;
            return Err(refused.into());
        }
    };
    let mut granted = Vec::new();
    for (asked, judged) in std::mem::take(&mut live.asked) {
        let permit = permitted(live, open, judged).await?;
        granted.push((asked, permit));
    }
    if let Some(refusal) = masked_content(open, &plan).await {
        return Err(open.desk.refuse(&plan.operation, refusal).await.into());
    }
    let judged = match open.desk.judge(&plan.operation).await {
        Judgement::Denied(refusal) => Judgement::Denied(remarked(refusal, &plan)),
        judged => judged,
    };
    let permit = permitted(live, open, judged).await?;
    start_upstream(live, open, plan, permit, granted).await
}

/// Files whose content must not be seen are not read whole by a program that cannot be masked.
async fn masked_content(open: &Open, plan: &Plan) -> Option<Refusal> {
    for access in &*plan.operation.accesses {
        if let (Action::Read, Object::File { path }) = (access.action, &access.object)
            && let Some(tag) = open.desk.content_mask(path).await
        {
            let message = format!("portcullis: {path} holds {tag}, which must be masked");
            return Some(
                Refusal::new(RefusalKind::Masking, message)
                    .because("A transfer cannot be masked.")
                    .with_hint("Operator: `unmask` grants the tag."),
            );
        }
    }
    None
}

/// Adds what the author of a command may want to know.
fn remarked(mut refusal: Refusal, plan: &Plan) -> Refusal {
    if let Some(remark) = &plan.remark {
        let detail = refusal.detail.as_deref().unwrap_or_default();
        refusal.detail = Some(format!("{remark} {detail}").trim_end().into());
    }
    refusal
}

/// Waits until a judgement is a permit.
async fn permitted(live: &mut Live, open: &Open, judged: Judgement) -> Result<Permit, Stopped> {
    let mut held = match judged {
        Judgement::Allowed(permit) => return Ok(permit),
        Judgement::Denied(refusal) => return Err(refusal.into()),
        Judgement::Held(held) => held,
    };
    // Clients show what they are told only once they have been answered.
    live.answer(true).await;
    let cancelled = tokio::select! {
        biased; // A client that is gone cannot be let do anything, whoever approved.
        () = live.gone.cancelled() => true,
        () = wait(live, &mut held) => false,
    };
    let settled = open.desk.settle(held, cancelled).await;
    if cancelled { Err(Stopped::Gone) } else { Ok(settled?) }
}

/// Tells the client what it waits for, and waits.
async fn wait(live: &Live, held: &mut Held) {
    let notice = words::line(&held.notice(), live.in_terminal);
    if let Err(error) = live.to_client.extended_data_bytes(1, notice).await {
        tracing::debug!(%error, "the client was not told that it waits");
    }
    held.wait().await;
}

/// Begins upstream what is permitted.
async fn start_upstream(
    live: &mut Live,
    open: &Open,
    plan: Plan,
    permit: Permit,
    granted: Vec<(Asked, Permit)>,
) -> Result<Running, Stopped> {
    let (receipt, upstream) = open.upstream.open(permit);
    let receipt = Arc::new(receipt);
    let begun = begin_upstream(live, open, &plan.forward, upstream, granted).await;
    match begun {
        Ok((from, to, terminal)) => {
            if let Some(terminal) = &terminal {
                open.desk.terminal(&receipt, terminal).await;
            }
            Ok(Running { receipt, from_upstream: from, to_upstream: to, plan, terminal })
        }
        Err(stopped) => {
            let outcome = match &stopped {
                Stopped::Refused(_) | Stopped::Absent => OperationOutcome::Failed,
                Stopped::Gone => OperationOutcome::Abandoned,
            };
            let ended = Ended { outcome: Some(outcome), ..Ended::default() };
            open.desk.finished(receipt, ended).await;
            Err(stopped)
        }
    }
}

/// A channel of the upstream's on which something runs.
type Begun = (Inflow, ChannelWriteHalf<client::Msg>, Option<Terminal>);

async fn begin_upstream(
    live: &Live,
    open: &Open,
    what: &Forward,
    upstream: &UpstreamHandle,
    granted: Vec<(Asked, Permit)>,
) -> Result<Begun, Stopped> {
    let channel = in_time(live, open, async {
        upstream.channel_open_session().await.map_err(|error| cannot(error).into())
    });
    let (from, to) = channel.await?.split();
    let mut from = Inflow::new(from, &open.budget);
    let begun = in_time(live, open, async {
        let mut terminal = None;
        for (asked, permit) in granted {
            let (also, _) = open.upstream.open(permit);
            let had = have(&mut from, &to, &asked, &open.granted).await?;
            let outcome = if had { OperationOutcome::Completed } else { OperationOutcome::Failed };
            let ended = Ended { outcome: Some(outcome), ..Ended::default() };
            open.desk.finished(Arc::new(also), ended).await;
            if let (Asked::Terminal(asked), true) = (asked, had) {
                terminal = Some(asked);
            }
        }
        if forward(&mut from, &to, what).await? {
            Ok(terminal)
        } else if live.owes_answer {
            Err(Stopped::Absent)
        } else {
            Err(failed("the target refuses to start this").into())
        }
    });
    match begun.await {
        Ok(terminal) => Ok((from, to, terminal)),
        Err(stopped) => {
            if let Err(error) = to.close().await {
                tracing::debug!(%error, "the upstream is gone before its channel");
            }
            Err(stopped)
        }
    }
}

/// Bounds what the upstream is asked by its time, and by the client's staying. What a client starts
/// on a channel that it closes at once is begun all the same, as by OpenSSH's server.
async fn in_time<T>(
    live: &Live,
    open: &Open,
    work: impl Future<Output = Result<T, Stopped>>,
) -> Result<T, Stopped> {
    tokio::select! {
        biased; // What a client that is gone asked for need not begin.
        () = live.left.cancelled() => Err(Stopped::Gone),
        done = timeout(open.upstream_within, work) => match done {
            Ok(done) => done,
            Err(_) => Err(failed("the target did not answer in time").into()),
        },
    }
}

/// Has the upstream give what was asked for. False where it does not.
async fn have(
    from: &mut Inflow,
    to: &ChannelWriteHalf<client::Msg>,
    asked: &Asked,
    granted: &Granted,
) -> Result<bool, Refusal> {
    match asked {
        Asked::Terminal(Terminal { term, size: [columns, rows, width, height], modes }) => {
            let asked = to.request_pty(true, term, *columns, *rows, *width, *height, modes);
            asked.await.map_err(cannot)?;
            answered(from).await
        }
        Asked::Agent => {
            to.agent_forward(true).await.map_err(cannot)?;
            let had = answered(from).await?;
            if had {
                granted.grant_agent();
            }
            Ok(had)
        }
        Asked::X11(Display { single, protocol, cookie, screen }) => {
            let cookie = cookie.expose().as_str();
            let asked = to.request_x11(true, *single, &**protocol, cookie, *screen);
            asked.await.map_err(cannot)?;
            let had = answered(from).await?;
            if had {
                granted.grant_x11();
            }
            Ok(had)
        }
        // Servers take few variables and say nothing about the others worth knowing.
        Asked::Variable { name, value } => {
            to.set_env(false, &**name, &**value).await.map_err(cannot)?;
            Ok(true)
        }
    }
}

/// Asks for what is to run. False where the target does not start it.
async fn forward(
    from: &mut Inflow,
    to: &ChannelWriteHalf<client::Msg>,
    what: &Forward,
) -> Result<bool, Refusal> {
    let asked = match what {
        Forward::Exec(text) => to.exec(true, &**text).await,
        Forward::Shell => to.request_shell(true).await,
        Forward::Subsystem(name) => to.request_subsystem(true, &**name).await,
    };
    asked.map_err(cannot)?;
    answered(from).await
}

/// The upstream's answer to a request that wants one.
async fn answered(from: &mut Inflow) -> Result<bool, Refusal> {
    loop {
        match from.next().await {
            Some(ChannelMsg::Success) => return Ok(true),
            Some(ChannelMsg::Failure) => return Ok(false),
            // Nothing runs yet that could say anything.
            Some(ChannelMsg::Close) | None => return Err(failed("the target closed the channel")),
            Some(_) => {}
        }
    }
}

fn cannot(error: russh::Error) -> Refusal {
    match error {
        russh::Error::ChannelOpenFailure(reason) => {
            let reason = reason.description().to_lowercase();
            failed(&format!("the target opens no further session ({reason})"))
        }
        other => {
            tracing::info!(error = %other, "the upstream cannot be asked");
            failed("the connection to the target is gone")
        }
    }
}

fn failed(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Upstream, format!("portcullis: {what}"))
}
