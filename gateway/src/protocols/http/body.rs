//! Bodies on their way through.
//!
//! Owns what becomes of each chunk: decoded, scrubbed, masked, recorded, counted. Must not know why.
//! Nothing is held whole: what one side does not take, the other is not asked for. The end of an
//! answer's body, whether it was read or dropped, is the end of its operation.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::super::idle;
use super::blame::Blame;
use super::client_stream::Busy;
use super::coding::Decoder;
use super::desk::{Desk, Ended, Note};
use super::scrub::{Needles, Scrubber};
use super::{answer, headers};
use crate::session::{BodyMasker, OperationOutcome, OutputStream, Receipt, Refusal};

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::protocols) enum BodyError {
    /// The other side failed.
    #[error(transparent)]
    Peer(#[from] hyper::Error),
    /// What it sent cannot be shown.
    #[error("the answer cannot be shown: {0}")]
    Unshowable(String),
}

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

/// A request's body.
#[derive(Debug)]
pub(super) enum RequestBody {
    /// As it comes.
    Streamed(Box<(Incoming, Tap)>),
    /// It was read before it was approved.
    Whole(Option<Bytes>),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Streamed(streamed) => {
                let (incoming, tap) = &mut **streamed;
                let polled = Pin::new(incoming).poll_frame(cx);
                if let Poll::Ready(Some(Ok(frame))) = &polled
                    && let Some(data) = frame.data_ref()
                {
                    tap.hear(data);
                }
                polled.map(|frame| frame.map(|frame| frame.map(with_fit_trailers)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Streamed(streamed) => streamed.0.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Streamed(streamed) => streamed.0.size_hint(),
        }
    }
}

/// A frame whose trailers, where it has them, say nothing that belongs into the head.
fn with_fit_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            headers::take_from_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// What is done to an answer's body.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// Undoes its compression.
    pub(super) decoder: Option<Decoder>,
    /// Takes out the gateway's own credential.
    pub(super) scrubber: Option<Scrubber>,
    /// Masks.
    pub(super) masker: Option<BodyMasker>,
    /// What must not stand in trailers.
    pub(super) needles: Arc<Needles>,
}

impl Stages {
    /// Whether what is shown can differ in more than what secrets are starred with.
    pub(super) const fn changes_bytes(&self) -> bool {
        self.decoder.is_some() || self.masker.is_some()
    }

    /// Whether every byte that came has been passed on, and the length stays as it was.
    fn is_through(&self) -> bool {
        !self.changes_bytes() && self.scrubber.as_ref().is_none_or(Scrubber::is_through)
    }

    fn push(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let chunk = match &mut self.decoder {
            None => chunk,
            Some(decoder) => decoder.push(&chunk).map_err(unshowable)?.into(),
        };
        self.show(chunk)
    }

    fn show(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let chunk = match &mut self.scrubber {
            None => chunk,
            Some(scrubber) => scrubber.push(chunk),
        };
        self.mask(chunk)
    }

    fn mask(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let Some(masker) = &mut self.masker else { return Ok(chunk) };
        let mut out = Vec::with_capacity(chunk.len());
        masker.push(&chunk, &mut out).map_err(unshowable)?;
        Ok(out.into())
    }

    /// How long what is held back waits for what may follow; `None` where nothing is that a reader
    /// could be waiting for.
    fn waits(&self) -> Option<Duration> {
        if self.masker.as_ref().is_some_and(|masker| masker.is_holding() && masker.is_likely()) {
            return Some(idle::held_for(false, true));
        }
        let holds = self.scrubber.as_ref().is_some_and(Scrubber::is_holding)
            || self.masker.as_ref().is_some_and(BodyMasker::is_holding);
        holds.then_some(idle::held_for(false, false))
    }

    /// Shows that, because nothing has come for a while.
    fn let_go(&mut self) -> Result<Bytes, BodyError> {
        let held = self.scrubber.as_mut().map(Scrubber::let_go).unwrap_or_default();
        let mut out = self.mask(held)?.to_vec();
        if let Some(masker) = &mut self.masker {
            masker.flush(&mut out);
        }
        Ok(out.into())
    }

    fn finish(&mut self) -> Result<Bytes, BodyError> {
        let mut out = Vec::new();
        if let Some(decoder) = self.decoder.take() {
            let rest = decoder.finish().map_err(unshowable)?;
            out.extend_from_slice(&self.show(rest.into())?);
        }
        if let Some(scrubber) = &mut self.scrubber {
            let rest = scrubber.finish();
            out.extend_from_slice(&self.mask(rest)?);
        }
        if let Some(masker) = &mut self.masker {
            masker.finish(&mut out).map_err(unshowable)?;
        }
        Ok(out.into())
    }

    fn masked(&self) -> u64 {
        self.masker.as_ref().map_or(0, BodyMasker::masked)
            + self.scrubber.as_ref().map_or(0, Scrubber::found)
    }
}

fn unshowable(error: impl std::fmt::Display) -> BodyError {
    BodyError::Unshowable(error.to_string())
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
}

impl Shown {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            let frame = match Pin::new(&mut self.upstream).poll_frame(cx) {
                Poll::Pending => return self.poll_quiet(cx),
                Poll::Ready(Some(Err(error))) => {
                    if super::upstream::is_malformed(&error) {
                        self.blame.upstream("the framing of the upstream's answer is malformed");
                    }
                    return Poll::Ready(Some(Err(error.into())));
                }
                Poll::Ready(Some(Ok(frame))) => Some(frame),
                Poll::Ready(None) => None,
            };
            self.quiet = None;
            let out = match frame.map(Frame::into_data) {
                Some(Ok(data)) => self.stages.push(data),
                Some(Err(frame)) => {
                    self.trailers = frame.into_trailers().ok();
                    if let Some(trailers) = &mut self.trailers {
                        self.masked_before += answer::star_fields(trailers, &self.stages.needles);
                    }
                    self.end()
                }
                None => self.end(),
            };
            if let Some(shown) = self.shown(out) {
                return Poll::Ready(Some(shown));
            }
        }
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
                if self.upstream.is_end_stream() && self.stages.is_through() {
                    self.done();
                }
                Some(Ok(Frame::data(bytes)))
            }
            Err(error) => {
                tracing::warn!(%error, "an answer was cut off");
                self.blame.upstream(&format!("what the upstream sent: {error}"));
                Some(Err(error))
            }
        }
    }

    fn end(&mut self) -> Result<Bytes, BodyError> {
        if self.is_over {
            return Ok(Bytes::new());
        }
        self.is_over = true;
        let rest = self.stages.finish()?;
        self.done();
        Ok(rest)
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
            Self::Shown(shown) => shown.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Shown(shown) => {
                shown.trailers.is_none()
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
            Self::Shown(_) => SizeHint::default(),
        }
    }
}
