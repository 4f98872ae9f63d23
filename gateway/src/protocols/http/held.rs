//! Requests that wait for people.
//!
//! Owns the waiting: the client's connection stays as it is, and when it goes away the hold is given
//! up. What would be held is read whole first, within a bound, so that people see what they approve
//! and an approval is for these bytes. Must not know who approves.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use model::Operation;

use super::desk::{Desk, Note};
use super::exchange::Open;
use crate::session::{Held, Judgement, Permit, Refusal, RefusalKind};

/// Bytes of a body that can be held. Raised, each request that waits holds more memory.
pub(super) const HELD_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a body that approvers are shown.
const SHOWN_BODY_BYTES_MAX: usize = 4 * 1024;

/// A body that may have been read.
#[derive(Debug)]
pub(super) enum Arriving {
    /// Not yet.
    Streamed(Incoming),
    /// It was.
    Whole(Bytes),
}

/// Judges an operation, and where it is held waits until it is not any more.
pub(super) async fn permit(
    open: &Open,
    operation: &Arc<Operation>,
    body: Incoming,
) -> Result<(Permit, Arriving), Refusal> {
    let desk = &open.desk;
    let has_body = !body.is_end_stream();
    let holds =
        has_body && desk.ask(|session| session.would_hold(operation)).await.unwrap_or_default();
    if !holds {
        let permit = settled(open, desk.judge(operation, &[]).await).await?;
        return Ok((permit, Arriving::Streamed(body)));
    }
    let bytes = read(body, HELD_BODY_BYTES_MAX).await?;
    let shown = with_body(operation, &bytes);
    let permit = settled(open, desk.judge(&shown, &[&bytes]).await).await?;
    Ok((permit, Arriving::Whole(bytes)))
}

/// Reads a body whole.
pub(super) async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::new(
            RefusalKind::Limit,
            format!("portcullis: a body of more than {bytes_max} bytes cannot wait here"),
        )),
        Err(_) => {
            Err(Refusal::new(RefusalKind::HoldCancelled, "portcullis: the request was broken off"))
        }
    }
}

async fn settled(open: &Open, judgement: Judgement) -> Result<Permit, Refusal> {
    let desk = &open.desk;
    match judgement {
        Judgement::Allowed(permit) => Ok(permit),
        Judgement::Denied(refusal) => Err(refusal),
        Judgement::Held(held) => {
            let mut waiting = Waiting { desk, held: Some(held) };
            if let Some(held) = &mut waiting.held {
                tokio::select! {
                    biased; // What people have decided counts.
                    () = held.wait() => {}
                    () = left(open) => return Err(super::desk::over()),
                }
            }
            match waiting.held.take() {
                Some(held) => desk.settle(held).await,
                None => Err(super::desk::over()),
            }
        }
    }
}

/// The client has closed its side: nobody waits for what people may decide. (That of HTTP/2 takes
/// its streams with it.)
async fn left(open: &Open) {
    match &open.line {
        Some(line) => line.over().cancelled().await,
        None => std::future::pending().await,
    }
}

/// A hold that is given up when its client goes away.
struct Waiting<'a> {
    desk: &'a Arc<Desk>,
    held: Option<Held>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.desk.tell(Note::GivenUp(Box::new(held)));
        }
    }
}

/// The operation with what of its body people can read.
fn with_body(operation: &Operation, body: &Bytes) -> Arc<Operation> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => {
            let end = text.floor_char_boundary(SHOWN_BODY_BYTES_MAX);
            let cut = if end < text.len() { " ..." } else { "" };
            format!("{}\n\n{}{cut}", operation.text, text.get(..end).unwrap_or_default())
        }
        Err(_) => format!("{}\n\n({} bytes that are no text)", operation.text, body.len()),
    };
    Arc::new(Operation { text: text.into(), ..operation.clone() })
}
