//! WebSocket messages on their way through.
//!
//! Owns the relay of frames: masks text that the workload is shown, records text both ways. Must not
//! know what messages mean. A frame that breaks the protocol ends both sides. Without masks nothing
//! is held back; with them a message is held until it is whole, within a bound.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use wire::http::websocket::{FrameHead, Opcode, apply_mask};

use super::answer::Way;
use super::body::{Ending, Tap};
use super::exchange::Open;
use super::pieces::Pieces;
use super::scrub::Needles;
use crate::session::{FieldSet, OutputStream, mask_message};

/// Relays one connection.
pub(super) struct Relay<'a> {
    fields: Option<Arc<FieldSet>>,
    needles: Arc<Needles>,
    bytes_max: usize,
    sent: Tap,
    shown: Tap,
    ending: &'a mut Ending,
}

impl<'a> Relay<'a> {
    /// Of an operation that has been switched.
    pub(super) fn new(
        open: &Arc<Open>,
        way: Way,
        bytes_max: usize,
        ending: &'a mut Ending,
    ) -> Self {
        let sent = ending.tap(OutputStream::Input, open.recorded_bytes_max);
        let Way { fields, needles, tap: shown, .. } = way;
        Self { fields, needles, bytes_max, sent, shown, ending }
    }

    /// Relays until either side is done.
    pub(super) async fn run(self, client: Upgraded, upstream: Upgraded) -> io::Result<()> {
        let (from_client, to_client) = tokio::io::split(TokioIo::new(client));
        let (from_upstream, to_upstream) = tokio::io::split(TokioIo::new(upstream));
        let mut up = Direction {
            from: Frames::new(from_client, true),
            to: to_upstream,
            tap: self.sent,
            fields: None,
            needles: Arc::default(),
            bytes_max: self.bytes_max,
            shown: 0,
            masked: 0,
        };
        let mut down = Direction {
            from: Frames::new(from_upstream, false),
            to: to_client,
            tap: self.shown,
            fields: self.fields,
            needles: self.needles,
            bytes_max: self.bytes_max,
            shown: 0,
            masked: 0,
        };
        let relayed = tokio::try_join!(up.pass(), down.pass());
        let ended = self.ending.ended();
        ended.bytes += down.shown;
        ended.masked_values += down.masked;
        relayed.map(|_| ())
    }
}

/// Frames of one side.
pub(in crate::protocols) struct Frames<R> {
    from: Pieces<R>,
    /// Whether they must be masked with a key: a client's must, a server's must not.
    are_masked: bool,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Of one side.
    pub(in crate::protocols) fn new(from: R, are_masked: bool) -> Self {
        Self { from: Pieces::new(from), are_masked }
    }

    /// The next head; `None` at the end.
    pub(in crate::protocols) async fn head(&mut self) -> io::Result<Option<FrameHead>> {
        loop {
            match FrameHead::read(self.from.held()).map_err(broken)? {
                Some((head, length)) => {
                    self.from.advance(length);
                    if head.mask.is_some() != self.are_masked {
                        return Err(broken("a frame is not masked as its sender must"));
                    }
                    return Ok(Some(head));
                }
                None if !self.from.more().await? => {
                    return if self.from.held().is_empty() {
                        Ok(None)
                    } else {
                        Err(io::ErrorKind::UnexpectedEof.into())
                    };
                }
                None => {}
            }
        }
    }

    /// At most `most` bytes of a payload.
    pub(in crate::protocols) async fn piece(&mut self, most: u64) -> io::Result<BytesMut> {
        self.from.piece(most).await
    }

    /// So many bytes of a payload, which somebody has found to be few.
    pub(in crate::protocols) async fn whole(&mut self, length: u64) -> io::Result<BytesMut> {
        self.from.whole(usize::try_from(length).unwrap_or(usize::MAX)).await
    }
}

/// One direction.
struct Direction<R, W> {
    from: Frames<R>,
    to: W,
    tap: Tap,
    fields: Option<Arc<FieldSet>>,
    needles: Arc<Needles>,
    bytes_max: usize,
    shown: u64,
    masked: u64,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Direction<R, W> {
    async fn pass(&mut self) -> io::Result<()> {
        let mut message: Option<(Opcode, Vec<u8>)> = None;
        let mut kind = Opcode::Binary;
        while let Some(head) = self.from.head().await? {
            match head.opcode {
                Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => {}
                opcode => kind = opcode,
            }
            let looks = self.fields.is_some() || !self.needles.is_empty();
            if looks && !head.opcode.is_control() {
                self.collect(head, &mut message).await?;
            } else {
                self.stream(head, kind).await?;
            }
            if head.opcode == Opcode::Close {
                return self.to.flush().await;
            }
        }
        // Gone without a word: the other side waits for one, unless it is told.
        self.to.shutdown().await
    }

    /// Passes a frame on as it comes.
    async fn stream(&mut self, head: FrameHead, kind: Opcode) -> io::Result<()> {
        let mut out = Vec::with_capacity(16);
        head.write(&mut out);
        self.to.write_all(&out).await?;
        let mut at = 0;
        while at < head.payload_bytes {
            let piece = self.from.piece(head.payload_bytes - at).await?;
            self.to.write_all(&piece).await?;
            if kind == Opcode::Text && !head.opcode.is_control() {
                let mut text = piece.clone();
                if let Some(key) = head.mask {
                    apply_mask(key, at, &mut text);
                }
                self.hear(&text.freeze());
            }
            at += piece.len() as u64;
            self.shown += piece.len() as u64;
        }
        self.to.flush().await
    }

    /// Puts a message together, and passes it on masked once it is whole.
    async fn collect(
        &mut self,
        head: FrameHead,
        message: &mut Option<(Opcode, Vec<u8>)>,
    ) -> io::Result<()> {
        let (opcode, mut bytes) = match (head.opcode, message.take()) {
            (Opcode::Continuation, Some(begun)) => begun,
            (Opcode::Continuation, None) | (_, Some(_)) => {
                return Err(broken("a message begins or goes on in the middle of another"));
            }
            (opcode, None) => (opcode, Vec::new()),
        };
        let mut left = head.payload_bytes;
        if left.saturating_add(bytes.len() as u64) > self.bytes_max as u64 {
            return Err(broken("a message is too long to be looked through"));
        }
        while left > 0 {
            let piece = self.from.piece(left).await?;
            left -= piece.len() as u64;
            bytes.extend_from_slice(&piece);
        }
        if !head.is_last {
            *message = Some((opcode, bytes));
            return Ok(());
        }
        let shown = self.mask(opcode, bytes)?;
        let mut out = Vec::with_capacity(shown.len() + 16);
        let payload_bytes = shown.len() as u64;
        FrameHead { is_last: true, opcode, mask: None, payload_bytes }.write(&mut out);
        out.extend_from_slice(&shown);
        self.to.write_all(&out).await?;
        self.shown += payload_bytes;
        if opcode == Opcode::Text {
            self.hear(&shown.into());
        }
        self.to.flush().await
    }

    fn mask(&mut self, opcode: Opcode, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut bytes = bytes;
        self.masked += self.needles.star(&mut bytes);
        let Some(fields) = &self.fields else { return Ok(bytes) };
        if opcode == Opcode::Binary {
            return if fields.has_fields() {
                Err(broken("a message of bytes cannot be masked"))
            } else {
                Ok(bytes)
            };
        }
        let mut out = Vec::with_capacity(bytes.len());
        self.masked += mask_message(fields, &bytes, &mut out);
        Ok(out)
    }

    fn hear(&mut self, text: &Bytes) {
        self.tap.hear(text);
    }
}

fn broken(because: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, because)
}
