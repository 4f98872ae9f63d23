//! A request's body on its way to the upstream.
//!
//! Owns that what came along with a head goes on along with it, and that trailers say nothing that
//! belongs into a head. Must not know whether the request may be sent. Ends with the body, or with
//! whoever takes it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::body::Tap;
use super::headers;

/// A request's body.
#[derive(Debug)]
pub(super) enum RequestBody {
    /// As it comes.
    Streamed(Box<Arrival>),
    /// It was read before it was approved.
    Whole(Option<Bytes>),
}

/// A body that is still coming.
#[derive(Debug)]
pub(super) struct Arrival {
    /// What came along with its head.
    first: Option<Result<Frame<Bytes>, hyper::Error>>,
    rest: Incoming,
    tap: Tap,
}

impl Arrival {
    /// Takes what has come by now, so that it goes on along with the head, as it came.
    pub(super) async fn begin(mut rest: Incoming, tap: Tap) -> Self {
        let first = tokio::select! {
            biased; // What is there needs no waiting.
            first = std::future::poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx)) => first,
            () = tokio::task::yield_now() => None,
        };
        Self { first, rest, tap }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = match self.first.take() {
            Some(first) => Some(first),
            None => std::task::ready!(Pin::new(&mut self.rest).poll_frame(cx)),
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.tap.hear(data);
        }
        Poll::Ready(frame.map(|frame| frame.map(with_fit_trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.rest.size_hint();
        let first = match &self.first {
            Some(Ok(frame)) => frame.data_ref().map_or(0, |data| data.len() as u64),
            _ => 0,
        };
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower().saturating_add(first));
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper.saturating_add(first));
        }
        whole
    }
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
            Self::Streamed(arrival) => arrival.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Streamed(arrival) => arrival.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Streamed(arrival) => arrival.size_hint(),
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
