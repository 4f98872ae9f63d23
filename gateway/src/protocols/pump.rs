//! The one task of a live session of a database: waits for what happens next and lets it happen.
//!
//! Owns the loop. Must not know a message, nor which protocol it serves: a protocol lends it its two
//! connections ([`Lines`]) and what it makes of them ([`Talk`]). One task drives both directions, so
//! that a statement and its answer cost one wake-up each. Ends when either side does, when the
//! session is ended from outside, or when the protocol is broken; a drain lets the answer under way
//! finish first.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use model::audit::SessionEnd;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::session::{Change, Changes, Gate, Refusal, RefusalKind, Session, Stream};

/// Patience with a peer that does not take its last message.
const FAREWELL_WITHIN: Duration = Duration::from_secs(5);
/// Bytes that may wait for the upstream before the client is read no further.
const STAGED_BYTES_MAX: usize = 256 * 1024;

/// What has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Bytes of the client.
    Client,
    /// The client's end.
    ClientEnd,
    /// Bytes of the upstream.
    Upstream,
    /// The upstream's end.
    UpstreamEnd,
}

/// Which connection failed.
#[derive(Debug)]
pub(super) enum Broken {
    /// The client's.
    Client(io::Error),
    /// The upstream's.
    Upstream(io::Error),
}

/// The two connections of a session. Bounded: the upstream is read only when everything shown has
/// reached the client's socket, the client only while little waits for the upstream.
pub(super) trait Lines: Send {
    /// The client's.
    fn client(&mut self) -> &mut Stream;

    /// The way to the upstream.
    fn gate(&mut self) -> &mut Gate;

    /// The client's, and room for what it says next.
    fn request_space(&mut self) -> (&mut Stream, &mut [u8]);

    /// So much of the room has been filled.
    fn requests_came(&mut self, count: usize);

    /// The way to the upstream, and room for what it says next. Called only where nothing waits for
    /// the client: what waits may lie where room is made.
    fn answer_space(&mut self) -> (&mut Gate, &mut [u8]);

    /// So much of the room has been filled.
    fn answers_came(&mut self, count: usize);

    /// Whether something that is shown has not reached the client's socket.
    fn client_waits(&self) -> bool;

    /// Writes everything shown, as far as the client still listens.
    fn poll_flush_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Writes what waits and reads what is there; resolves when something has been read.
    fn poll(&mut self, cx: &mut Context<'_>, read_client: bool) -> Poll<Result<Read, Broken>> {
        if let Poll::Ready(Err(error)) = self.poll_flush_client(cx) {
            return Poll::Ready(Err(Broken::Client(error)));
        }
        let gate = self.gate();
        if gate.waits()
            && let Poll::Ready(Err(error)) = gate.poll_flush(cx)
        {
            return Poll::Ready(Err(Broken::Upstream(error)));
        }
        let takes_requests = read_client && gate.staged_bytes() < STAGED_BYTES_MAX;
        if !self.client_waits()
            && let Poll::Ready(read) = poll_upstream(self, cx)
        {
            return Poll::Ready(read.map_err(Broken::Upstream));
        }
        if takes_requests && let Poll::Ready(read) = poll_client(self, cx) {
            return Poll::Ready(read.map_err(Broken::Client));
        }
        Poll::Pending
    }
}

fn poll_upstream<L: Lines + ?Sized>(lines: &mut L, cx: &mut Context<'_>) -> Poll<io::Result<Read>> {
    let (gate, space) = lines.answer_space();
    let count = ready!(poll_read(gate, space, cx))?;
    if count == 0 {
        return Poll::Ready(Ok(Read::UpstreamEnd));
    }
    lines.answers_came(count);
    Poll::Ready(Ok(Read::Upstream))
}

fn poll_client<L: Lines + ?Sized>(lines: &mut L, cx: &mut Context<'_>) -> Poll<io::Result<Read>> {
    let (client, space) = lines.request_space();
    let count = ready!(poll_read(client, space, cx))?;
    if count == 0 {
        return Poll::Ready(Ok(Read::ClientEnd));
    }
    lines.requests_came(count);
    Poll::Ready(Ok(Read::Client))
}

fn poll_read(
    from: &mut (impl AsyncRead + Unpin),
    space: &mut [u8],
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut space = ReadBuf::new(space);
    ready!(Pin::new(from).poll_read(cx, &mut space))?;
    Poll::Ready(Ok(space.filled().len()))
}

/// How a conversation ended, with what the client is told of it.
pub(super) trait Ending: Send + Sized {
    /// The client said goodbye or is gone.
    fn client() -> Self;

    /// The upstream is gone.
    fn upstream() -> Self;

    /// The session may not go on.
    fn refused(cause: SessionEnd, refusal: &Refusal) -> Self;

    /// Why it ended.
    fn cause(self) -> SessionEnd;

    /// It was ended from outside.
    fn ordered(cause: SessionEnd) -> Self {
        let message = match &cause {
            SessionEnd::PolicyChanged => "portcullis: the policy no longer allows this session",
            SessionEnd::TokenExpired => "portcullis: the workload's token is no longer valid",
            SessionEnd::Killed => "portcullis: an operator ended this session",
            SessionEnd::Drained => "portcullis: the gateway is shutting down",
            _ => "portcullis: this session has been ended",
        };
        Self::refused(cause, &Refusal::new(RefusalKind::Ending, message))
    }
}

/// What a protocol makes of what is read.
pub(super) trait Talk: Send + Sized {
    /// Its connections.
    type Lines: Lines;
    /// How it ends.
    type Ended: Ending;

    /// The session it is about.
    fn session(&mut self) -> &mut Session;

    /// Tells whoever may cancel requests how things stand.
    fn update_ticket(&self);

    /// Whether nothing is owed and nothing is held.
    fn is_quiet(&self) -> bool;

    /// Whether a request is held.
    fn is_held(&self) -> bool;

    /// Whether the client may be read: what it says next can be taken in.
    fn wants_requests(&self, lines: &Self::Lines) -> bool;

    /// Resolves when a hold is over; says whether the client has cancelled it. Never, where nothing
    /// is held. Cancel-safe.
    fn hold_over(&mut self) -> impl Future<Output = bool> + Send;

    /// The held request's hold has ended, or is `cancelled` by the client.
    fn settle_hold(
        &mut self,
        lines: &mut Self::Lines,
        cancelled: bool,
    ) -> impl Future<Output = ()> + Send;

    /// Shows what the upstream has said, as far as it has said it.
    ///
    /// # Errors
    /// The end, where it breaks the protocol or its answers cannot be shown.
    fn show_answers(&mut self, lines: &mut Self::Lines) -> Result<(), Self::Ended>;

    /// Whether requests that have been read could be taken in now.
    fn has_requests(&self, lines: &Self::Lines) -> bool;

    /// Takes in what has been read of the client, as far as it goes.
    ///
    /// # Errors
    /// The end, where the client breaks the protocol or leaves.
    fn take_requests(&mut self, lines: &mut Self::Lines) -> Result<(), Self::Ended>;

    /// Puts the last message for the client, if there is one and one may follow.
    fn put_last(&mut self, lines: &mut Self::Lines, ended: &Self::Ended);

    /// How the upstream is told goodbye.
    fn farewell() -> Vec<u8>;

    /// Ends the session: what has not been answered never will be.
    fn end(self, cause: SessionEnd) -> impl Future<Output = SessionEnd> + Send;
}

/// What happened.
enum Event {
    Changed(Change, Changes),
    HoldOver { cancelled: bool },
    DrainOver,
    Io(Result<Read, Broken>),
}

/// Drives a conversation to its end.
pub(super) async fn run<T: Talk>(mut lines: T::Lines, mut talk: T) -> SessionEnd {
    let ended = match drive(&mut lines, &mut talk).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    };
    talk.put_last(&mut lines, &ended);
    say_goodbye(&mut lines, &T::farewell()).await;
    talk.end(ended.cause()).await
}

async fn drive<T: Talk>(lines: &mut T::Lines, talk: &mut T) -> Result<Infallible, T::Ended> {
    let mut change = pin!(next_change(Some(talk.session().changes())));
    let mut draining: Option<Instant> = None;
    loop {
        talk.update_ticket();
        if let Some(deadline) = draining
            && talk.is_quiet()
        {
            // What the client is owed goes out first, as far as it takes it in time.
            let flushed = timeout_at(deadline, poll_fn(|cx| lines.poll_flush_client(cx))).await;
            if let Ok(Err(error)) = flushed {
                tracing::debug!(%error, "client connection failed");
            }
            return Err(Ending::ordered(SessionEnd::Drained));
        }
        if talk.is_quiet() {
            talk.session().forget_aside();
        }
        let read_client = draining.is_none() && talk.wants_requests(lines);
        let is_held = talk.is_held();
        let event = tokio::select! {
            biased; // An order to end beats everything; a hold's end beats more bytes.
            (change, rest) = &mut change => Event::Changed(change, rest),
            cancelled = talk.hold_over(), if is_held => Event::HoldOver { cancelled },
            () = over(draining), if draining.is_some() => Event::DrainOver,
            read = poll_fn(|cx| lines.poll(cx, read_client)) => Event::Io(read),
        };
        match event {
            Event::Io(Ok(Read::Upstream)) => {
                talk.show_answers(lines)?;
                take_requests_if_any(lines, talk).await?;
            }
            Event::Io(Ok(Read::Client)) => {
                take_requests(lines, talk).await?;
            }
            Event::Io(Ok(Read::ClientEnd)) => return Err(Ending::client()),
            Event::Io(Ok(Read::UpstreamEnd)) => return Err(Ending::upstream()),
            Event::Io(Err(Broken::Client(error))) => {
                tracing::debug!(%error, "client connection failed");
                return Err(Ending::client());
            }
            Event::Io(Err(Broken::Upstream(error))) => {
                tracing::debug!(%error, "upstream connection failed");
                return Err(Ending::upstream());
            }
            Event::HoldOver { cancelled } => {
                talk.settle_hold(lines, cancelled).await;
                take_requests_if_any(lines, talk).await?;
            }
            Event::Changed(Change::Policy, rest) => {
                change.set(next_change(Some(rest)));
                if let Err(refusal) = talk.session().rejudge().await {
                    return Err(Ending::refused(SessionEnd::PolicyChanged, &refusal));
                }
            }
            Event::Changed(Change::End(SessionEnd::Drained), _) if draining.is_none() => {
                // The end itself does not come twice.
                change.set(next_change(None));
                draining = Some(Instant::now() + talk.session().limits().drain_within);
            }
            Event::Changed(Change::End(cause), _) => return Err(Ending::ordered(cause)),
            Event::DrainOver => return Err(Ending::ordered(SessionEnd::Drained)),
        }
    }
}

/// Takes in what has been read of the client and could not be taken in so far.
async fn take_requests_if_any<T: Talk>(lines: &mut T::Lines, talk: &mut T) -> Result<(), T::Ended> {
    if !talk.has_requests(lines) {
        return Ok(());
    }
    take_requests(lines, talk).await
}

/// Takes in what has been read of the client. Before a long text it is read aside.
async fn take_requests<T: Talk>(lines: &mut T::Lines, talk: &mut T) -> Result<(), T::Ended> {
    loop {
        ready(talk).await?;
        talk.take_requests(lines)?;
        if !talk.session().read_aside().await {
            return Ok(());
        }
    }
}

/// Makes the session ready to judge what has been read.
async fn ready<T: Talk>(talk: &mut T) -> Result<(), T::Ended> {
    let session = talk.session();
    session.ready().await.map_err(|refusal| {
        let cause = session.card().ending().cause().cloned();
        Ending::refused(cause.unwrap_or(SessionEnd::Refused), &refusal)
    })
}

/// The next change; `None` for one that never comes.
async fn next_change(changes: Option<Changes>) -> (Change, Changes) {
    match changes {
        Some(mut changes) => (changes.next().await, changes),
        None => pending().await,
    }
}

async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Tells both sides, as far as they still listen.
async fn say_goodbye(lines: &mut impl Lines, farewell: &[u8]) {
    let told = async {
        poll_fn(|cx| lines.poll_flush_client(cx)).await?;
        lines.client().shutdown().await
    };
    if let Ok(Err(error)) = timeout(FAREWELL_WITHIN, told).await {
        tracing::debug!(%error, "the client did not take its last message");
    }
    let gate = lines.gate();
    gate.protocol(farewell);
    if let Ok(Err(error)) = timeout(FAREWELL_WITHIN, gate.shut_down()).await {
        tracing::debug!(%error, "the upstream did not take the goodbye");
    }
}
