//! The one task of a live session: waits for what happens next and lets it happen.
//!
//! Owns the loop. Must not know a message. One task drives both directions, so that a statement
//! and its answer cost one wake-up each. Ends when either side does, when the session is ended
//! from outside, or when the protocol is broken; a drain lets the answer under way finish first.

use std::future::poll_fn;
use std::pin::pin;

use model::audit::SessionEnd;
use tokio::time::{Instant, sleep_until, timeout_at};
use wire::mysql::command::{code, put_command};

use super::connections::Ticket;
use super::conversation::{Conversation, Ended, Parked};
use super::lines::{Broken, Lines, Read};
use crate::session::{Change, Changes};

/// Seconds of patience with a client that does not take its last message.
const FAREWELL_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// What happened.
enum Event {
    Changed(Change, Changes),
    HoldEnded,
    HoldCancelled,
    DrainOver,
    Io(Result<Read, Broken>),
}

/// Drives a conversation to its end.
pub(super) async fn run(mut lines: Lines, mut talk: Conversation) -> SessionEnd {
    let ended = match drive(&mut lines, &mut talk).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    };
    say_goodbye(&mut lines, &talk, &ended).await;
    talk.end(ended.cause).await
}

async fn drive(
    lines: &mut Lines,
    talk: &mut Conversation,
) -> Result<std::convert::Infallible, Ended> {
    let mut change = pin!(next_change(Some(talk.session.changes())));
    let mut draining: Option<Instant> = None;
    loop {
        talk.update_ticket();
        if let Some(deadline) = draining
            && talk.is_quiet()
        {
            // What the client is owed goes out first, as far as it takes it in time.
            if let Ok(Err(error)) = timeout_at(deadline, lines.flush_client()).await {
                tracing::debug!(%error, "client connection failed");
            }
            return Err(Ended::ordered(SessionEnd::Drained));
        }
        let read_client = draining.is_none() && talk.wants_requests(lines);
        let is_parked = talk.parked.is_some();
        let event = {
            let Conversation { parked, ticket, .. } = &mut *talk;
            tokio::select! {
                biased; // An order to end beats everything; a hold's end beats more bytes.
                (change, rest) = &mut change => Event::Changed(change, rest),
                () = hold_ended(parked.as_mut()), if is_parked => Event::HoldEnded,
                () = hold_cancelled(ticket), if is_parked => Event::HoldCancelled,
                () = over(draining), if draining.is_some() => Event::DrainOver,
                read = poll_fn(|cx| lines.poll(cx, read_client)) => Event::Io(read),
            }
        };
        match event {
            Event::Io(Ok(Read::Upstream)) => {
                talk.show_answers(lines)?;
                talk.take_requests_if_any(lines).await?;
            }
            Event::Io(Ok(Read::Client)) => {
                talk.ready().await?;
                talk.take_requests(lines)?;
            }
            Event::Io(Ok(Read::ClientEnd)) => return Err(Ended::client()),
            Event::Io(Ok(Read::UpstreamEnd)) => return Err(Ended::upstream()),
            Event::Io(Err(Broken::Client(error))) => {
                tracing::debug!(%error, "client connection failed");
                return Err(Ended::client());
            }
            Event::Io(Err(Broken::Upstream(error))) => {
                tracing::debug!(%error, "upstream connection failed");
                return Err(Ended::upstream());
            }
            Event::HoldEnded | Event::HoldCancelled => {
                let cancelled = matches!(event, Event::HoldCancelled);
                talk.settle_hold(lines, cancelled).await;
                talk.take_requests_if_any(lines).await?;
            }
            Event::Changed(Change::Policy, rest) => {
                change.set(next_change(Some(rest)));
                if let Err(refusal) = talk.session.rejudge().await {
                    return Err(Ended::refused(SessionEnd::PolicyChanged, &refusal));
                }
            }
            Event::Changed(Change::End(SessionEnd::Drained), _) if draining.is_none() => {
                // The end itself does not come twice.
                change.set(next_change(None));
                draining = Some(Instant::now() + talk.session.limits().drain_within);
            }
            Event::Changed(Change::End(cause), _) => return Err(Ended::ordered(cause)),
            Event::DrainOver => return Err(Ended::ordered(SessionEnd::Drained)),
        }
    }
}

/// The next change; `None` for one that never comes.
async fn next_change(changes: Option<Changes>) -> (Change, Changes) {
    match changes {
        Some(mut changes) => (changes.next().await, changes),
        None => std::future::pending().await,
    }
}

async fn hold_ended(parked: Option<&mut Parked>) {
    match parked {
        Some(parked) => parked.held.wait().await,
        None => std::future::pending().await,
    }
}

async fn hold_cancelled(ticket: &Ticket) {
    ticket.cancelled().await;
}

async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Tells both sides, as far as they still listen.
async fn say_goodbye(lines: &mut Lines, talk: &Conversation, ended: &Ended) {
    // A message that is passing in parts cannot be followed by another.
    if !lines.shown.is_streaming()
        && let Some(complaint) = &ended.last
    {
        if talk.is_quiet() {
            // The client reads it in the place of the answer to what it sends next.
            lines.shown.begin(1);
        }
        lines.shown.put(|out| complaint.put(out));
    }
    let farewell = async {
        lines.flush_client().await?;
        lines.close_client().await
    };
    if let Ok(Err(error)) = tokio::time::timeout(FAREWELL_WITHIN, farewell).await {
        tracing::debug!(%error, "the client did not take its last message");
    }
    let mut quit = Vec::new();
    put_command(&mut quit, code::QUIT, b"");
    lines.gate.protocol(&quit);
    if let Ok(Err(error)) = tokio::time::timeout(FAREWELL_WITHIN, lines.gate.shut_down()).await {
        tracing::debug!(%error, "the upstream did not take the goodbye");
    }
}
