//! The client's bytes, before the library has them.
//!
//! Owns the strict reading of HTTP/1 in front of the library's lenient one: no head reaches it that
//! was not found sound, so what it makes of it cannot differ. Instead of one with a fault it gets a
//! request of ours, [`REFUSED`], which is answered in its turn with what is wrong; then the
//! connection ends. Must not know what a request means. A head that takes too long is a fault too.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};
use tokio_util::io::poll_read_buf;
use tokio_util::sync::CancellationToken;
use wire::http::{Expects, Fault, RequestLexer, encode_target};

use crate::session::{Card, Stream};

/// The method of the request that stands for one with a fault. No client can send it.
pub(super) const REFUSED: &str = "*REFUSED";
const STAND_IN: &[u8] = b"*REFUSED / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";
/// Bytes asked of the socket at once.
const READ_BYTES: usize = 32 * 1024;

/// What the stream and those who serve it tell each other.
#[derive(Debug, Default)]
pub(super) struct Line {
    state: Mutex<State>,
    /// The client has closed its side.
    over: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    lexer: RequestLexer,
    fault: Option<Complaint>,
    waiting: Option<Waker>,
    between: Option<Between>,
    /// Exchanges that are not at their end.
    busy: usize,
}

/// An exchange that is not at its end: until then the client's end of its side is kept from the
/// library, which would take it for the end of all.
#[derive(Debug)]
pub(super) struct Busy(Arc<Line>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.busy = state.busy.saturating_sub(1);
        if state.busy == 0
            && let Some(waiting) = state.waiting.take()
        {
            waiting.wake();
        }
    }
}

/// What is written between two answers.
#[derive(Debug)]
struct Between {
    bytes: Bytes,
    /// Told when it is written.
    written: oneshot::Sender<()>,
}

/// Why a client is turned away in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// What it sent.
    Fault(Fault),
    /// How long it took.
    Slow,
}

impl Complaint {
    /// The status that says it.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Fault(Fault::TooLong) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Fault(_) => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// For people.
    pub(super) const fn because(self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.because(),
            Self::Slow => "the request took too long to arrive",
        }
    }
}

impl Line {
    /// Whether the last request asks to switch protocols, and nothing is read before its answer.
    pub(super) fn awaits_switch(&self) -> bool {
        self.state.lock().lexer.expects() == Expects::Answer
    }

    /// The answer is given: whether the protocol is switched.
    pub(super) fn answered(&self, switched: bool) {
        let mut state = self.state.lock();
        state.lexer.answered(switched);
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
    }

    /// Has something written between the last answer and the next, which must not begin before this
    /// is done.
    pub(super) async fn between(&self, bytes: Bytes) {
        let (tell, written) = oneshot::channel();
        self.state.lock().between = Some(Between { bytes, written: tell });
        // Not told, the connection is over.
        let _ = written.await;
    }

    /// An exchange begins.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.state.lock().busy += 1;
        Busy(Arc::clone(self))
    }

    /// Cancelled when the client has closed its side: it may still read.
    pub(super) const fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// What was wrong, once something was.
    pub(super) fn complaint(&self) -> Option<Complaint> {
        self.state.lock().fault
    }
}

/// What comes of looking at the bytes that are held.
enum Looked {
    /// So many may be passed on.
    Clear(usize),
    /// More is needed.
    More,
    /// The answer to an upgrade is needed.
    Waiting,
    /// Nothing more will be passed on.
    Broken(Complaint),
}

/// The client's side of a connection.
#[derive(Debug)]
pub(super) struct ClientStream {
    stream: Stream,
    card: Arc<Card>,
    /// `None` where the library's own framing is strict (HTTP/2).
    line: Option<Arc<Line>>,
    /// What of that is being written.
    between: Option<Between>,
    held: BytesMut,
    /// Bytes of `held` that may be passed on.
    clear: usize,
    head_within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    is_over: bool,
}

impl ClientStream {
    /// Over a stream of HTTP/1, or of HTTP/2 where there is no line.
    pub(super) fn new(
        stream: Stream,
        card: Arc<Card>,
        line: Option<Arc<Line>>,
        head_within: Duration,
    ) -> Self {
        Self {
            stream,
            card,
            line,
            between: None,
            held: BytesMut::new(),
            clear: 0,
            head_within,
            deadline: None,
            is_over: false,
        }
    }

    fn look(&mut self, line: &Line) -> Looked {
        let mut state = line.state.lock();
        if self.held.is_empty() {
            return match state.lexer.expects() {
                Expects::Answer => Looked::Waiting,
                _ => Looked::More,
            };
        }
        let in_head = state.lexer.expects() == Expects::Head;
        let mut read = state.lexer.read(&self.held);
        if read == Err((0, Fault::Unencoded)) {
            encode_first_line(&mut self.held);
            read = state.lexer.read(&self.held);
        }
        match read {
            Ok(0) if state.lexer.expects() == Expects::Answer => Looked::Waiting,
            Ok(0) => Looked::More,
            Ok(clear) => Looked::Clear(clear),
            // What comes before the fault is sound; the fault is met again after it.
            Err((clear, _)) if clear > 0 => Looked::Clear(clear),
            Err((_, fault)) => {
                state.fault = Some(Complaint::Fault(fault));
                drop(state);
                self.refuse(Complaint::Fault(fault), in_head)
            }
        }
    }

    /// In a head, something else is passed on in its place. In a body nothing can be.
    fn refuse(&mut self, complaint: Complaint, in_head: bool) -> Looked {
        self.is_over = true;
        self.held.clear();
        if !in_head {
            return Looked::Broken(complaint);
        }
        self.held.extend_from_slice(STAND_IN);
        Looked::Clear(STAND_IN.len())
    }

    fn pass(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.clear.min(buffer.remaining());
        if let Some(bytes) = self.held.get(..length) {
            buffer.put_slice(bytes);
        }
        self.held.advance(length);
        self.clear -= length;
    }

    /// The client has closed its side. Where it has asked all it wanted, it is answered first.
    fn poll_over(&self, cx: &Context<'_>, line: &Line) -> Poll<io::Result<()>> {
        line.over.cancel();
        let mut state = line.state.lock();
        let is_between = self.held.is_empty() && state.lexer.expects() == Expects::Head;
        if !is_between || state.busy == 0 {
            return Poll::Ready(Ok(()));
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Writes what has begun to be written between two answers.
    fn poll_between(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(between) = &mut self.between {
            if between.bytes.is_empty() {
                if let Some(between) = self.between.take() {
                    let _ = between.written.send(());
                }
                return Poll::Ready(Ok(()));
            }
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &between.bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            count(&self.card.bytes_to_client, written);
            between.bytes.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// A head that has begun must end in time; one that has not may be waited for.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let within = self.head_within;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(within)));
        deadline.as_mut().poll(cx)
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(line) = this.line.clone() else {
            let before = buffer.filled().len();
            let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
            count(&this.card.bytes_from_client, buffer.filled().len() - before);
            return polled;
        };
        loop {
            if this.clear > 0 {
                this.pass(buffer);
                return Poll::Ready(Ok(()));
            }
            // An end would be taken for the client's, and its answer not be given any more.
            if this.is_over {
                return Poll::Pending;
            }
            match this.look(&line) {
                Looked::Clear(clear) => {
                    this.deadline = None;
                    this.clear = clear;
                    continue;
                }
                Looked::Broken(complaint) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, complaint.because());
                    return Poll::Ready(Err(error));
                }
                Looked::Waiting => {
                    line.state.lock().waiting = Some(cx.waker().clone());
                    // Answered in between: nobody will wake us.
                    if !line.awaits_switch() {
                        continue;
                    }
                    // Whether the client is still there is looked at all the same.
                    if this.held.len() >= READ_BYTES {
                        return Poll::Pending;
                    }
                }
                Looked::More => {}
            }
            this.held.reserve(READ_BYTES);
            match poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.held) {
                Poll::Ready(Ok(0)) => return this.poll_over(cx, &line),
                Poll::Ready(Ok(read)) => count(&this.card.bytes_from_client, read),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if this.held.is_empty() => return Poll::Pending,
                Poll::Pending => {
                    let in_head = line.state.lock().lexer.expects() == Expects::Head;
                    if !in_head || this.poll_deadline(cx).is_pending() {
                        return Poll::Pending;
                    }
                    line.state.lock().fault = Some(Complaint::Slow);
                    if let Looked::Clear(clear) = this.refuse(Complaint::Slow, true) {
                        this.clear = clear;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_between(cx))?;
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        counted(&this.card, polled)
    }

    /// The library flushes when it has written all it has: while a request waits for its answer,
    /// that is the end of the last one.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.between.is_none()
            && let Some(line) = &this.line
        {
            this.between = line.state.lock().between.take();
        }
        ready!(this.poll_between(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_between(cx))?;
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        counted(&this.card, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Writes the target of a request as addresses have it. The library takes it only so, and what it takes
/// is what is judged and sent.
fn encode_first_line(held: &mut BytesMut) {
    let end = held.iter().position(|byte| *byte == b'\n').unwrap_or(held.len());
    let rest = held.split_off(end);
    let mut encoded = BytesMut::from(encode_target(held).as_slice());
    encoded.extend_from_slice(&rest);
    *held = encoded;
}

fn counted(card: &Card, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    if let Poll::Ready(Ok(written)) = &polled {
        count(&card.bytes_to_client, *written);
    }
    polled
}

fn count(counter: &std::sync::atomic::AtomicU64, bytes: usize) {
    counter.fetch_add(bytes as u64, Ordering::Relaxed);
}
