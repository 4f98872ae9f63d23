//! What a peer has sent beyond the packet at hand.
//!
//! Small packets come many to a read. A large one is read into its own memory, with a little of
//! what follows it, so that its bytes are not copied.

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of one read of small packets. Raised, each idle connection holds more.
const READ_BYTES: usize = 8 * 1024;
/// Bytes read along with a large packet: the next one's length is among them.
const BEYOND_BYTES: usize = 64;

/// Bytes that came after those of the last packet.
#[derive(Debug, Default)]
pub(crate) struct ReadAhead {
    bytes: Vec<u8>,
    /// Those before are used.
    at: usize,
}

impl ReadAhead {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The first bytes of what comes, which stay to be read.
    ///
    /// # Errors
    /// The stream's own, or that it ended.
    pub(crate) async fn first<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        count: usize,
    ) -> std::io::Result<&[u8]> {
        if self.rest().len() < count {
            self.bytes.drain(..self.at);
            self.at = 0;
            self.bytes.reserve(READ_BYTES.max(count) - self.bytes.len());
            while self.bytes.len() < count {
                let room = self.bytes.capacity() - self.bytes.len();
                read(stream, &mut self.bytes, room).await?;
            }
        }
        Ok(self.rest().get(..count).unwrap_or_default())
    }

    /// Puts into `packet` what it lacks of `count` bytes.
    ///
    /// # Errors
    /// The stream's own, or that it ended.
    pub(crate) async fn packet<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        count: usize,
        packet: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        let missing = count.saturating_sub(packet.len());
        if self.rest().len() >= missing {
            packet.reserve_exact(missing);
            packet.extend_from_slice(self.rest().get(..missing).unwrap_or_default());
            self.at += missing;
            return Ok(());
        }
        packet.reserve_exact(missing + BEYOND_BYTES);
        packet.extend_from_slice(self.rest());
        self.bytes.clear();
        self.at = 0;
        while packet.len() < count {
            let room = count + BEYOND_BYTES - packet.len();
            read(stream, packet, room).await?;
        }
        self.bytes.extend_from_slice(packet.get(count..).unwrap_or_default());
        packet.truncate(count);
        Ok(())
    }
}

/// Reads some bytes, at most `room`, into memory that need not be cleared before.
async fn read<R: AsyncRead + Unpin>(
    stream: &mut R,
    into: &mut Vec<u8>,
    room: usize,
) -> std::io::Result<()> {
    match stream.read_buf(&mut into.limit(room)).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
