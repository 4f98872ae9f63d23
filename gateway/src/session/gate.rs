//! The only way upstream: a stream whose writing half takes permits.
//!
//! Owns the bytes staged for the upstream and the stream itself. Must not know what the bytes
//! mean. Ends with the session; what was staged and not flushed is then lost on purpose.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::permit::{Permit, Receipt};
use super::stream::Stream;

/// An upstream that is logged in to. Reading is free; writing an operation takes a [`Permit`].
#[derive(Debug)]
pub struct Gate {
    stream: Stream,
    staged: BytesMut,
    /// Whether something was written that the stream may still have.
    unflushed: bool,
    bytes_sent: u64,
}

impl Gate {
    /// Closes the gate over a stream whose login is done.
    #[must_use]
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, staged: BytesMut::with_capacity(16 * 1024), unflushed: false, bytes_sent: 0 }
    }

    /// Stages one permitted operation. [`Self::poll_flush`] sends it.
    #[must_use = "the receipt is what the answer is shown with"]
    pub fn forward(&mut self, permit: Permit, frames: &[u8]) -> Receipt {
        self.staged.extend_from_slice(frames);
        permit.consume()
    }

    /// Stages more bytes of an operation that is under way (the data of a bulk load).
    pub fn continue_operation(&mut self, _of: &Receipt, frames: &[u8]) {
        self.staged.extend_from_slice(frames);
    }

    /// Stages a message that is no operation: synchronisation, flow control, goodbye, and what
    /// the driver asks on its own account. Never anything the workload wrote.
    pub fn protocol(&mut self, frames: &[u8]) {
        self.staged.extend_from_slice(frames);
    }

    /// How many bytes wait to be sent; drivers stop reading the client above their bound.
    #[must_use]
    pub fn staged_bytes(&self) -> usize {
        self.staged.len()
    }

    /// Whether [`Self::poll_flush`] has something to do.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.unflushed || !self.staged.is_empty()
    }

    /// How many bytes have been sent.
    #[must_use]
    pub const fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// Sends what is staged.
    ///
    /// # Errors
    /// The stream's own errors; a stream that takes nothing is [`io::ErrorKind::WriteZero`].
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.staged.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.staged))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.bytes_sent = self.bytes_sent.saturating_add(sent as u64);
            self.staged.advance(sent);
            self.unflushed = true;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Sends what is staged.
    ///
    /// # Errors
    /// As [`Self::poll_flush`].
    pub async fn flush(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Says goodbye to the upstream's reading half.
    ///
    /// # Errors
    /// The stream's own errors.
    pub async fn shut_down(&mut self) -> io::Result<()> {
        self.flush().await?;
        std::future::poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await
    }
}

impl AsyncRead for Gate {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}
