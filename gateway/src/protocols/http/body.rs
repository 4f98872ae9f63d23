//! Bodies on their way through.
//!
//! Owns the way of each chunk through the [`Stages`] and into the recording. Must not know what a
//! stage does. Nothing but a short answer is held whole: what one side does not take, the other is
//! not asked for. The end of an answer's body, whether it was read or dropped, is the end of its
//! operation.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep, timeout};

use super::answer;
use super::blame::Blame;
use super::client_stream::Busy;
use super::desk::{Desk, Ended, Note};
use super::stages::{BodyError, Stages};
use crate::session::{BodyMasker, OperationOutcome, OutputStream, Receipt, Refusal};

/// Bytes of an answer that is read whole before its head is sent, where its length changes: a head
/// that says the length is what clients know. Raised, each such answer holds more.
const WHOLE_BYTES_MAX: u64 = 64 * 1024;
/// How long that may take. What is slower is passed on as it comes.
const WHOLE_WITHIN: Duration = Duration::from_millis(5);

/// Records the beginning of a body.
#[derive(Debug)]
pub(super) struct Tap {
    desk: Arc<Desk>,
    receipt: Weak<Receipt>,
    stream: OutputStream,
    /// Bytes that are still recorded.
    left: usize,
    /// Masks what is heard before anybody has.
    masker: Option<BodyMasker>,
}

impl Tap {
    /// Records what was masked, of what is heard as it was sent.
    pub(super) fn masked_by(mut self, masker: Option<BodyMasker>) -> Self {
        self.masker = masker;
        self
    }

    /// Whether anything is still recorded.
    pub(super) const fn listens(&self) -> bool {
        self.left > 0
    }

    /// Records what is still recorded of it.
    pub(super) fn hear(&mut self, bytes: &Bytes) {
        if self.left == 0 || bytes.is_empty() {
            return;
        }
        let bytes = match &mut self.masker {
            None => bytes.clone(),
            Some(masker) => {
                let mut masked = Vec::with_capacity(bytes.len());
                // What cannot be read cannot be masked: nothing more of it is kept.
                if masker.push(bytes, &mut masked).is_err() {
                    self.left = 0;
                }
                masked.into()
            }
        };
        let bytes = bytes.slice(..bytes.len().min(self.left));
        self.left -= bytes.len();
        if bytes.is_empty() {
            return;
        }
        let receipt = Weak::clone(&self.receipt);
        self.desk.tell(Note::Output { receipt, stream: self.stream, bytes });
    }
}

/// The end of an operation, told once.
#[derive(Debug)]
pub(super) struct Ending {
    desk: Arc<Desk>,
    /// Taken when the end is told: whoever is told needs it for himself.
    receipt: Option<Arc<Receipt>>,
    ended: Ended,
    _busy: Option<Busy>,
}

impl Ending {
    /// Until it is told otherwise, the answer did not come to its end.
    pub(super) fn new(desk: Arc<Desk>, receipt: Receipt, busy: Option<Busy>) -> Self {
        let status = String::from("not sent");
        let ended = Ended { outcome: OperationOutcome::Failed, status, bytes: 0, masked_values: 0 };
        Self { desk, receipt: Some(Arc::new(receipt)), ended, _busy: busy }
    }

    /// It came to its end, and did what was asked or not.
    pub(super) const fn complete(&mut self, outcome: OperationOutcome) {
        self.ended.outcome = outcome;
    }

    /// How it ended, for whoever goes on with it.
    pub(super) const fn ended(&mut self) -> &mut Ended {
        &mut self.ended
    }

    /// There is an answer, and the client does not see it.
    pub(super) fn not_shown(&mut self) {
        self.ended.status.push_str(" (not shown)");
    }

    /// The right to show the answer.
    pub(super) fn receipt(&self) -> Result<&Receipt, Refusal> {
        self.receipt.as_deref().ok_or_else(super::desk::over)
    }

    /// The operation, for who notes something down about it while it lasts.
    pub(super) fn handle(&self) -> Weak<Receipt> {
        self.receipt.as_ref().map(Arc::downgrade).unwrap_or_default()
    }

    /// Records one side of the operation, up to so many bytes.
    pub(super) fn tap(&self, stream: OutputStream, bytes_max: usize) -> Tap {
        let receipt = self.handle();
        Tap { desk: Arc::clone(&self.desk), receipt, stream, left: bytes_max, masker: None }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(receipt) = self.receipt.take() {
            let ended = self.ended.clone();
            self.desk.tell(Note::Finished { receipt, ended });
        }
    }
}

/// An upstream's answer on its way.
#[derive(Debug)]
pub(in crate::protocols) struct Shown {
    upstream: Incoming,
    stages: Stages,
    tap: Tap,
    /// What was read before the head was sent.
    early: Option<Bytes>,
    /// What went wrong meanwhile.
    failed: Option<BodyError>,
    /// What came before a fault had its turn to be written.
    gave_way: bool,
    trailers: Option<HeaderMap>,
    /// When what is held back is shown.
    quiet: Option<Pin<Box<Sleep>>>,
    is_over: bool,
    outcome: OperationOutcome,
    /// Values masked in the head.
    masked_before: u64,
    blame: Blame,
    // Dropped last: what was recorded comes before the end.
    ending: Ending,
}

/// An answer's body.
#[derive(Debug)]
pub(in crate::protocols) enum AnswerBody {
    /// Of the gateway itself.
    Whole(Option<Bytes>),
    /// Of the upstream.
    Shown(Box<Shown>),
}

impl AnswerBody {
    /// Of the gateway itself.
    pub(in crate::protocols) fn whole(text: String) -> Self {
        Self::Whole(Some(text.into()))
    }

    /// None.
    pub(super) const fn empty() -> Self {
        Self::Whole(None)
    }

    /// Of the upstream.
    pub(super) fn shown(
        upstream: Incoming,
        stages: Stages,
        tap: Tap,
        outcome: OperationOutcome,
        mut ending: Ending,
        blame: Blame,
    ) -> Self {
        let masked_before = ending.ended().masked_values;
        let mut shown = Shown {
            upstream,
            stages,
            tap,
            early: None,
            failed: None,
            gave_way: false,
            trailers: None,
            quiet: None,
            is_over: false,
            outcome,
            masked_before,
            blame,
            ending,
        };
        if shown.upstream.is_end_stream() && shown.stages.is_through() {
            shown.ending.complete(outcome);
        }
        Self::Shown(Box::new(shown))
    }

    /// Reads a short answer whose length changes to its end. The length that is shown, where it is
    /// known by then.
    ///
    /// # Errors
    /// Where it cannot be shown.
    pub(super) async fn read_short(&mut self) -> Result<Option<u64>, BodyError> {
        let Self::Shown(shown) = self else { return Ok(None) };
        let is_short = shown.upstream.size_hint().exact().is_some_and(|all| all <= WHOLE_BYTES_MAX);
        if !(is_short && shown.stages.changes_bytes()) {
            return Ok(None);
        }
        match timeout(WHOLE_WITHIN, shown.read_to_end()).await {
            Ok(Err(error @ BodyError::Unshowable(_))) => {
                shown.blame.upstream(&format!("what the upstream sent: {error}"));
                shown.ending.not_shown();
                return Err(error);
            }
            // It is passed on where it belongs: after what came before.
            Ok(Err(error)) => shown.failed = Some(error),
            Ok(Ok(())) | Err(_) => {}
        }
        let length = shown.early.as_ref().map_or(0, |early| early.len() as u64);
        Ok(shown.is_over.then_some(length))
    }
}

impl Shown {
    /// The library writes what it has where nothing more is there yet, and lets it go where a fault is:
    /// so a fault comes after the head, and after the bytes before it.
    fn poll_giving_way(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.poll(cx);
        let Poll::Ready(Some(Err(error))) = polled else { return polled };
        if std::mem::replace(&mut self.gave_way, true) {
            return Poll::Ready(Some(Err(error)));
        }
        self.failed = Some(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(early) = self.early.take()
                && let Some(shown) = self.shown(Ok(early))
            {
                return Poll::Ready(Some(shown));
            }
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            if self.is_over {
                self.done();
                return Poll::Ready(None);
            }
            let out = match self.poll_upstream(cx) {
                Poll::Pending => return self.poll_quiet(cx),
                Poll::Ready(out) => out,
            };
            self.quiet = None;
            if let Some(shown) = self.shown(out) {
                return Poll::Ready(Some(shown));
            }
        }
    }

    /// What comes next, as it may be shown.
    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, BodyError>> {
        let frame = std::task::ready!(Pin::new(&mut self.upstream).poll_frame(cx));
        Poll::Ready(match frame.transpose() {
            Err(error) => {
                if super::upstream::is_malformed(&error) {
                    self.blame.upstream("the framing of the upstream's answer is malformed");
                }
                Err(error.into())
            }
            Ok(None) => self.end(),
            Ok(Some(frame)) => match frame.into_data() {
                Ok(data) => self.stages.push(data),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    if let Some(trailers) = &mut self.trailers {
                        self.masked_before += answer::star_fields(trailers, &self.stages.needles);
                    }
                    self.end()
                }
            },
        })
    }

    /// Reads to the end, and keeps it, unless it grows too long.
    async fn read_to_end(&mut self) -> Result<(), BodyError> {
        while !self.is_over
            && self.early.as_ref().is_none_or(|early| early.len() as u64 <= WHOLE_BYTES_MAX)
        {
            let mut came = std::future::poll_fn(|cx| self.poll_upstream(cx)).await?;
            if self.upstream.is_end_stream() && self.trailers.is_none() && !self.is_over {
                let rest = self.end()?;
                if !rest.is_empty() {
                    came = [came, rest].concat().into();
                }
            }
            self.early = Some(match self.early.take() {
                None => came,
                Some(early) => [early, came].concat().into(),
            });
        }
        Ok(())
    }

    /// Nothing comes: what is held back is shown after a while.
    fn poll_quiet(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(waits) = self.stages.waits() else { return Poll::Pending };
        let quiet = self.quiet.get_or_insert_with(|| Box::pin(sleep(waits)));
        std::task::ready!(quiet.as_mut().poll(cx));
        self.quiet = None;
        let out = self.stages.let_go();
        self.shown(out).map_or(Poll::Pending, |shown| Poll::Ready(Some(shown)))
    }

    /// Counts and records what is shown; `None` where that is nothing.
    fn shown(&mut self, out: Result<Bytes, BodyError>) -> Option<Result<Frame<Bytes>, BodyError>> {
        match out {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => {
                self.tap.hear(&bytes);
                self.ending.ended().bytes += bytes.len() as u64;
                self.ending.ended().masked_values = self.masked_before + self.stages.masked();
                let is_last = self.upstream.is_end_stream() && self.stages.is_through();
                if self.is_over || is_last {
                    self.done();
                }
                Some(Ok(Frame::data(bytes)))
            }
            Err(error) => {
                if matches!(error, BodyError::Unshowable(_)) {
                    tracing::warn!(%error, "an answer was cut off");
                    self.blame.upstream(&format!("what the upstream sent: {error}"));
                }
                Some(Err(error))
            }
        }
    }

    fn end(&mut self) -> Result<Bytes, BodyError> {
        if self.is_over {
            return Ok(Bytes::new());
        }
        self.is_over = true;
        self.stages.finish()
    }

    fn done(&mut self) {
        self.ending.complete(self.outcome);
        self.ending.ended().masked_values = self.masked_before + self.stages.masked();
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Shown(shown) => shown.poll_giving_way(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Shown(shown) => {
                shown.trailers.is_none()
                    && shown.early.is_none()
                    && shown.failed.is_none()
                    && (shown.is_over
                        || (shown.stages.is_through() && shown.upstream.is_end_stream()))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Shown(shown) if !shown.stages.changes_bytes() => {
                // A scrubber may hold some back; the sum stays.
                shown.upstream.size_hint()
            }
            Self::Shown(shown) if shown.is_over && shown.trailers.is_none() => {
                SizeHint::with_exact(shown.early.as_ref().map_or(0, |early| early.len() as u64))
            }
            Self::Shown(_) => SizeHint::default(),
        }
    }
}
