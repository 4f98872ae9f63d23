//! The client's byte stream, as the SSH library is given it.
//!
//! Owns what was read before the library came, the count of bytes, the bound on what comes before
//! anybody is logged in, and the switch that ends the connection. Must not know a message beyond
//! the cleartext ones of the first key exchange, of which it keeps the types. Ends with the
//! library's task; [`Line::cut`] makes that end soon.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::cleartext::Cleartext;
use crate::session::{Card, Stream};

/// Bytes of an identification line (RFC 4253 4.2).
const LINE_BYTES_MAX: usize = 255;
/// How long we wait for the client's line before we say ours. Clients that wait for ours are told
/// after it, and get what serves every client.
const LINE_WITHIN: Duration = Duration::from_millis(150);

/// What is known of a connection from outside the library.
#[derive(Debug)]
pub(super) struct Line {
    /// Ends the connection, whatever the library is doing.
    cut: CancellationToken,
    /// The client's identification.
    version: OnceLock<Arc<str>>,
    /// The client's part of the first key exchange has come: it has been shown our host key.
    key_shown: AtomicBool,
    /// The client has gone on after it was shown our host key.
    key_taken: AtomicBool,
    /// Somebody is logged in: from now on what comes is bounded by windows.
    logged_in: AtomicBool,
    /// Bytes the client has sent.
    received: AtomicU64,
}

impl Line {
    fn new() -> Self {
        Self {
            cut: CancellationToken::new(),
            version: OnceLock::new(),
            key_shown: AtomicBool::new(false),
            key_taken: AtomicBool::new(false),
            logged_in: AtomicBool::new(false),
            received: AtomicU64::new(0),
        }
    }

    /// Ends the connection now.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Lifts the bound on what a stranger may send.
    pub(super) fn logged_in(&self) {
        self.logged_in.store(true, Ordering::Release);
    }

    /// The client asked for a service after the key exchange: it has taken our host key.
    pub(super) fn key_taken(&self) {
        self.key_taken.store(true, Ordering::Release);
    }

    /// Whether the client has been shown our host key and has not gone on.
    pub(super) fn key_refused(&self) -> bool {
        self.key_shown.load(Ordering::Acquire) && !self.key_taken.load(Ordering::Acquire)
    }

    /// The client's identification, as far as it has come.
    pub(super) fn version(&self) -> Option<&Arc<str>> {
        self.version.get()
    }
}

/// The client's byte stream.
#[derive(Debug)]
pub(super) struct ClientStream {
    stream: Stream,
    /// Read before the library came, and where it goes on.
    unread: (Vec<u8>, usize),
    cleartext: Option<Cleartext>,
    strange_bytes_max: u64,
    line: Arc<Line>,
    card: Arc<Card>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl ClientStream {
    /// Waits a moment for the client's identification, and keeps it for the library.
    ///
    /// # Errors
    /// The stream's own, or that the client went away.
    pub(super) async fn meet(
        mut stream: Stream,
        card: Arc<Card>,
        strange_bytes_max: u64,
    ) -> io::Result<(Self, Arc<Line>)> {
        let mut read = Vec::with_capacity(LINE_BYTES_MAX);
        // What comes late is read by the library.
        if let Ok(ended) =
            tokio::time::timeout(LINE_WITHIN, read_line(&mut stream, &mut read)).await
        {
            ended?;
        }
        let line = Arc::new(Line::new());
        let mut met = Self {
            stream,
            unread: (Vec::new(), 0),
            cleartext: Some(Cleartext::default()),
            strange_bytes_max,
            line: Arc::clone(&line),
            card,
            cut: Box::pin(line.cut.clone().cancelled_owned()),
        };
        met.received(&read)?;
        met.unread.0 = read;
        Ok((met, line))
    }

    /// Takes note of what has come.
    fn received(&mut self, bytes: &[u8]) -> io::Result<()> {
        let count = bytes.len() as u64;
        self.card.bytes_from_client.fetch_add(count, Ordering::Relaxed);
        let before = self.line.received.fetch_add(count, Ordering::Relaxed);
        if let Some(cleartext) = &mut self.cleartext {
            let goes_on = cleartext.observe(bytes);
            if let Some(version) = cleartext.version() {
                self.line.version.get_or_init(|| version.into());
            }
            if cleartext.exchange_seen() {
                self.line.key_shown.store(true, Ordering::Release);
            }
            if !goes_on {
                self.cleartext = None;
            }
        }
        if before.saturating_add(count) > self.strange_bytes_max
            && !self.line.logged_in.load(Ordering::Acquire)
        {
            return Err(io::Error::other("too much was sent before anybody was logged in"));
        }
        Ok(())
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.cut.as_mut().poll(cx).map(|()| io::ErrorKind::ConnectionAborted.into())
    }
}

async fn read_line(stream: &mut Stream, read: &mut Vec<u8>) -> io::Result<()> {
    while !read.contains(&b'\n') && read.len() < LINE_BYTES_MAX {
        // As much as is there: a client may send its first packet with its line.
        let mut piece = [0; LINE_BYTES_MAX];
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
    Ok(())
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.line.cut.is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let (unread, at) = &mut this.unread;
        let rest = unread.get(*at..).unwrap_or_default();
        if !rest.is_empty() {
            let count = rest.len().min(buffer.remaining());
            buffer.put_slice(rest.get(..count).unwrap_or_default());
            *at += count;
            if *at >= unread.len() {
                this.unread = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                let filled = buffer.filled().get(before..).unwrap_or_default();
                Poll::Ready(this.received(filled))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.poll_cut(cx).map(Err),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Ready(Ok(count)) => {
                this.card.bytes_to_client.fetch_add(count as u64, Ordering::Relaxed);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.poll_cut(cx).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
