//! Bytes of a connection, taken in the pieces that a format asks for.
//!
//! Owns what has come and was not asked for yet. Must not know a format. Waiting for more can be
//! given up without losing any.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes asked of a connection at once.
const READ_BYTES: usize = 32 * 1024;

/// What comes from one side.
pub(in crate::protocols) struct Pieces<R> {
    from: R,
    held: BytesMut,
}

impl<R: AsyncRead + Unpin> Pieces<R> {
    /// From a connection.
    pub(in crate::protocols) fn new(from: R) -> Self {
        Self { from, held: BytesMut::with_capacity(4 * 1024) }
    }

    /// What has come.
    pub(in crate::protocols) fn held(&self) -> &[u8] {
        &self.held
    }

    /// Leaves out what was looked at.
    pub(in crate::protocols) fn advance(&mut self, bytes: usize) {
        self.held.advance(bytes.min(self.held.len()));
    }

    /// Waits for more; false at the end.
    pub(in crate::protocols) async fn more(&mut self) -> io::Result<bool> {
        self.held.reserve(READ_BYTES);
        Ok(self.from.read_buf(&mut self.held).await? > 0)
    }

    /// Something, and at most `most` bytes.
    pub(in crate::protocols) async fn piece(&mut self, most: u64) -> io::Result<BytesMut> {
        if self.held.is_empty() && !self.more().await? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.held.len());
        Ok(self.held.split_to(length))
    }

    /// So many bytes.
    pub(in crate::protocols) async fn whole(&mut self, length: usize) -> io::Result<BytesMut> {
        while self.held.len() < length {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.held.split_to(length))
    }
}
