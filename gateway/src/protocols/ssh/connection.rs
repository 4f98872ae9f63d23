//! The life of one connection.
//!
//! Owns its stages, and while it is open the session at its desk. Must not know what a channel
//! does. Ends with either side, or with the session; channels get a moment to say how what they
//! ran ended, and the client is told why it is sent away.
//!
//! ```text
//!  greet ─ version line, host identity, library ─▶ login ─▶ open, dial, log in ─▶ attend ─▶ farewell
//! ```

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::audit::SessionEnd;
use russh::Disconnect;
use russh::server::{Handle, RunningSession, run_stream};
use tokio::io::AsyncWriteExt;
use tokio::sync::{OnceCell, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client_stream::{ClientStream, Line};
use super::desk::{Counter, Next};
use super::forwards::{self, Granted};
use super::front::Front;
use super::inflow::Budget;
use super::open::Open;
use super::{server, trust, upstream, words};
use crate::session::{Change, Login, Pending, Refusal, RefusalKind, Session, Stream};

/// Messages' worth of bytes that a stranger may send: two key exchanges, every key of an agent.
const STRANGE_MESSAGES_MAX: usize = 16;
/// How long a client may take to go away once it is told to.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);
/// How long channels may take to say how what they ran ended.
const CHANNELS_WITHIN: Duration = Duration::from_secs(6);

/// A client that speaks the protocol.
struct Client {
    line: Arc<Line>,
    handle: Handle,
    running: RunningSession<Front>,
    login: oneshot::Receiver<Arc<str>>,
    /// What it is to read before it is told that it is let in, said once.
    banner: Option<oneshot::Sender<Option<String>>>,
    open: watch::Sender<Option<Arc<Open>>>,
    channels: TaskTracker,
    budget: Budget,
    gone: CancellationToken,
}

/// Serves one connection.
pub(super) async fn serve(stream: Stream, pending: Pending) -> SessionEnd {
    let deadline = Instant::now() + pending.limits().handshake_within;
    let mut client = match greet(stream, &pending, deadline).await {
        Ok(client) => client,
        Err(cause) => return cause,
    };
    let user = tokio::select! {
        biased; // Who has logged in and is gone is found out next.
        Ok(user) = &mut client.login => user,
        ended = &mut client.running => return left(&client.line, &pending, ended),
        () = sleep_until(deadline) => {
            client.line.cut();
            return SessionEnd::ProtocolViolation { because: "the login took too long".into() };
        }
    };
    let card = Arc::clone(pending.card());
    let strict_paths = pending.target().ssh.as_ref().is_none_or(|ssh| ssh.strict_paths);
    let opened = unless_ended(card.ending().ended(), open(pending, user, &client.gone)).await;
    match opened {
        Ok(house) => attend(client, house, strict_paths).await,
        Err(Unopened { refusal, session, cause }) => {
            client.say(None);
            client.turn_away(&refusal).await;
            session.map_or(cause.clone(), |session| session.close(cause))
        }
    }
}

/// Meets the client and lets the library exchange keys with it.
async fn greet(stream: Stream, pending: &Pending, deadline: Instant) -> Result<Client, SessionEnd> {
    let strange_bytes_max = STRANGE_MESSAGES_MAX * pending.limits().startup_bytes_max;
    let card = Arc::clone(pending.card());
    let met = ClientStream::meet(stream, card, strange_bytes_max as u64).await;
    let (mut stream, line) = met.map_err(|error| {
        tracing::debug!(%error, "the client left before it said what it is");
        SessionEnd::Client
    })?;
    let identity = match pending.host_identity(line.version().map(|version| &**version)) {
        Ok(identity) => identity,
        Err(refusal) => {
            pending.failed(&*refusal.message);
            // Servers may say something before their version (RFC 4253 4.2).
            let line = words::line(&refusal.message, true);
            drop(timeout(LEAVES_WITHIN, stream.write_all(&line)).await);
            return Err(SessionEnd::Internal { because: Arc::clone(&refusal.message) });
        }
    };
    let (login_is, login) = oneshot::channel();
    let (banner, banner_is) = oneshot::channel();
    let (open, is_open) = watch::channel(None);
    let (channels, gone) = (TaskTracker::new(), CancellationToken::new());
    let budget = Budget::new();
    let (tasks, windows, leaves) = (channels.clone(), budget.clone(), gone.clone());
    let front = Front::new(Arc::clone(&line), login_is, banner_is, is_open, tasks, windows, leaves);
    match timeout_at(deadline, run_stream(server::config(identity), stream, front)).await {
        Ok(Ok(running)) => {
            let handle = running.handle();
            let banner = Some(banner);
            Ok(Client { line, handle, running, login, banner, open, channels, budget, gone })
        }
        Ok(Err(error)) => Err(left(&line, pending, Err(error))),
        Err(_) => {
            Err(SessionEnd::ProtocolViolation { because: "the greeting took too long".into() })
        }
    }
}

/// What became of a client that left before it logged in.
fn left(line: &Line, pending: &Pending, ended: Result<(), russh::Error>) -> SessionEnd {
    if line.key_refused() {
        let version = line.version().map(|version| &**version);
        let remedy = trust::remedy(version, pending.shows_enrolled_host_key());
        pending.host_key_refused(version.unwrap_or("unknown"), remedy);
    }
    ended.map_or_else(|error| end_of(&error), |()| SessionEnd::Client)
}

/// Whose fault an end is.
fn end_of(error: &russh::Error) -> SessionEnd {
    use russh::Error;
    match error {
        Error::IO(_) | Error::HUP | Error::Disconnect | Error::SendError | Error::RecvError => {
            SessionEnd::Client
        }
        Error::Join(_) => SessionEnd::Internal { because: "the SSH library failed".into() },
        violation => SessionEnd::ProtocolViolation { because: violation.to_string().into() },
    }
}

/// An open session, before anything is done in it.
struct House {
    session: Session,
    user: Arc<str>,
    upstream: upstream::LoggedIn,
}

/// Why a session is not open.
struct Unopened {
    refusal: Refusal,
    session: Option<Session>,
    cause: SessionEnd,
}

impl From<Refusal> for Unopened {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, session: None, cause: SessionEnd::Refused }
    }
}

async fn unless_ended<T>(
    ended: impl Future<Output = SessionEnd>,
    opened: impl Future<Output = Result<T, Unopened>>,
) -> Result<T, Unopened> {
    tokio::select! {
        biased; // Who is told to end need not be let in.
        cause = ended => Err(Unopened { refusal: ending(&cause), session: None, cause }),
        opened = opened => opened,
    }
}

/// Asks for the session, dials and logs in.
async fn open(
    pending: Pending,
    user: Arc<str>,
    gone: &CancellationToken,
) -> Result<House, Unopened> {
    let login = Login { user: Arc::clone(&user), database: None, encrypted: true };
    let (session, permit) = pending.open(login, gone.cancelled()).await?;
    let within = session.limits().upstream_within;
    let reached = timeout(within, async {
        let dialled = session.dial(permit).await?;
        upstream::log_in(&session, dialled, &user).await
    });
    let reached = tokio::select! {
        biased; // Nobody logs in for a client that is gone.
        () = gone.cancelled() => Err((over("the client is gone"), SessionEnd::Client)),
        reached = reached => match reached {
            Ok(reached) => reached.map_err(|refusal| (refusal, SessionEnd::Upstream)),
            Err(_) => Err((over("the target did not answer in time"), SessionEnd::Upstream)),
        },
    };
    match reached {
        Ok(upstream) => Ok(House { session, user, upstream }),
        Err((refusal, cause)) => Err(Unopened { refusal, session: Some(session), cause }),
    }
}

/// Serves the desk until the end.
async fn attend(mut client: Client, house: House, strict_paths: bool) -> SessionEnd {
    let House {
        session,
        user,
        upstream: upstream::LoggedIn { handle, gone: upstream_gone, fault, opened, banner },
    } = house;
    client.say(banner.map(|banner| masked(&session, banner)));
    let limits = Arc::clone(session.limits());
    let (standings, standing) = watch::channel(0_u64);
    let upstream = session.guard(handle);
    let (mut counter, desk) = Counter::open(session);
    let open = Arc::new(Open {
        desk,
        upstream,
        fault: fault.clone(),
        granted: Granted::default(),
        user,
        home: OnceCell::new(),
        budget: client.budget.clone(),
        standing,
        strict_paths,
        text_bytes_max: limits.statement_bytes_max,
        recorded_bytes_max: limits.recorded_result_bytes_max,
        upstream_within: limits.upstream_within,
        closing: CancellationToken::new(),
    });
    client.open.send_replace(Some(Arc::clone(&open)));
    let inward = forwards::accept(
        opened,
        Arc::clone(&open),
        client.handle.clone(),
        client.channels.clone(),
        client.gone.clone(),
    );
    client.channels.spawn(inward);
    client.channels.close();
    let mut drained_by = None;
    let (cause, refusal) = loop {
        let next = tokio::select! {
            biased; // An order to end, or to judge again, beats everything.
            next = counter.next() => next,
            ended = &mut client.running => {
                break (ended.map_or_else(|error| end_of(&error), |()| SessionEnd::Client), None);
            }
            // Whoever broke the protocol is gone next.
            because = fault.found() => {
                let refusal = over("the target broke the protocol");
                break (SessionEnd::ProtocolViolation { because }, Some(refusal));
            }
            () = upstream_gone.cancelled() => {
                let refusal = over("the connection to the target is gone");
                break (SessionEnd::Upstream, Some(refusal));
            }
            () = drained(drained_by, &client.channels) => {
                break (SessionEnd::Drained, Some(ending(&SessionEnd::Drained)));
            }
        };
        match next {
            Next::Asked(ask) => counter.answer(ask).await,
            Next::Changed(Change::Policy) => match counter.session().rejudge().await {
                Ok(()) => standings.send_modify(|number| *number += 1),
                Err(refusal) => break (SessionEnd::PolicyChanged, Some(refusal)),
            },
            Next::Changed(Change::End(SessionEnd::Drained)) => {
                // What runs may end by itself; nothing new begins.
                open.closing.cancel();
                drained_by = Some(Instant::now() + limits.drain_within);
            }
            Next::Changed(Change::End(cause)) => {
                let refusal = ending(&cause);
                break (cause, Some(refusal));
            }
        }
    };
    let farewell = farewell(&mut client, &open, refusal);
    counter.until(farewell).await;
    if let Err(error) = open.upstream.protocol().disconnect(Disconnect::ByApplication, "", "").await
    {
        tracing::debug!(%error, "the upstream was not told of the end");
    }
    counter.close(cause).await
}

/// Resolves when a drain is over: nothing runs any more, or the time is up.
async fn drained(by: Option<Instant>, channels: &TaskTracker) {
    match by {
        Some(by) => drop(timeout_at(by, channels.wait()).await),
        None => std::future::pending().await,
    }
}

/// Sends the client away and waits for its channels.
async fn farewell(client: &mut Client, open: &Open, refusal: Option<Refusal>) {
    open.closing.cancel();
    if let Some(refusal) = refusal {
        client.turn_away(&refusal).await;
    }
    forwards::end(open).await;
    client.line.cut();
    if timeout(CHANNELS_WITHIN, client.channels.wait()).await.is_err() {
        tracing::warn!(left = client.channels.len(), "channels did not end");
    }
}

/// A banner as it may be shown. The target wrote it, and masks hold for all that it writes.
fn masked(session: &Session, banner: String) -> String {
    let Some(mut masker) = session.stream_masker() else { return banner };
    let mut shown = Vec::with_capacity(banner.len());
    masker.push(banner.as_bytes(), &mut shown);
    masker.flush(&mut shown);
    String::from_utf8_lossy(&shown).into_owned()
}

impl Client {
    /// Has the client read something, or nothing, and lets it in.
    fn say(&mut self, banner: Option<String>) {
        if let Some(say) = self.banner.take() {
            // Nobody waits for it any more: it came too late, or the connection is ending.
            drop(say.send(banner));
        }
    }

    /// Tells the client why it must go, and waits a moment until it has.
    async fn turn_away(&mut self, refusal: &Refusal) {
        let reason = match refusal.kind {
            RefusalKind::Policy | RefusalKind::HoldRejected | RefusalKind::HoldExpired => {
                Disconnect::HostNotAllowedToConnect
            }
            RefusalKind::Limit => Disconnect::TooManyConnections,
            _ => Disconnect::ByApplication,
        };
        let told = async {
            let description = words::description(refusal);
            if self.handle.disconnect(reason, description, String::new()).await.is_ok() {
                drop((&mut self.running).await);
            }
        };
        if timeout(LEAVES_WITHIN, told).await.is_err() {
            tracing::debug!("the client did not leave when it was told to");
        }
        self.line.cut();
    }
}

fn over(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Upstream, format!("portcullis: {what}"))
}

/// Words an end that was ordered.
fn ending(cause: &SessionEnd) -> Refusal {
    let message = match cause {
        SessionEnd::PolicyChanged => "portcullis: the policy no longer allows this session",
        SessionEnd::TokenExpired => "portcullis: the workload's token is no longer valid",
        SessionEnd::Killed => "portcullis: an operator ended this session",
        SessionEnd::Drained => "portcullis: the gateway is shutting down",
        _ => "portcullis: this session is ending",
    };
    Refusal::new(RefusalKind::Ending, message)
}
