//! Streams over SPDY/3.1.
//!
//! Owns the relay of frames: which stream carries what, by the names that the client opens it with;
//! output is passed on as it may be shown, everything else as it came. Must not know masks. Ends when
//! both sides have ended, or with the first frame that neither could honestly send.

use std::io;
use std::time::Instant;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;
use wire::spdy::frame::{FLAG_FIN, kind, names_of, stream_of};
use wire::spdy::{FrameHead, HEAD_BYTES, NameReader};

use super::super::http::{Output, Pieces, Side, Stage, Terminal};
use super::super::idle;
use super::streams::{Kind, broken, ended, size};

/// Streams of one connection. A client opens five.
const STREAMS_MAX: usize = 32;
/// Bytes of a frame that is no data.
const CONTROL_BYTES_MAX: u32 = 64 * 1024;
/// Bytes of the last word, and of sizes told at once.
const WORD_BYTES_MAX: u32 = 64 * 1024;
/// Bytes of output in one frame.
const FRAME_BYTES_MAX: usize = 1 << 20;
/// What a client opens a stream with, that says what it carries.
const STREAM_TYPE: &str = "streamtype";

/// What both directions know.
#[derive(Default)]
struct Shared {
    streams: FxHashMap<u32, Kind>,
    /// When the last key came.
    typed: Option<Instant>,
}

/// Relays until both sides are done.
pub(super) async fn relay(client: Side, upstream: Side, stage: &mut Stage) -> io::Result<()> {
    let shared = Mutex::new(Shared::default());
    let (from_client, to_client) = split(client);
    let (from_upstream, to_upstream) = split(upstream);
    let Stage { out, error, terminal, ended, others } = stage;
    let mut up = Up {
        from: Pieces::new(from_client),
        to: to_upstream,
        shared: &shared,
        terminal,
        names: NameReader::default(),
    };
    let mut down = Down {
        from: Pieces::new(from_upstream),
        to: to_client,
        shared: &shared,
        out,
        error,
        ended,
        others,
    };
    tokio::try_join!(up.pass(), down.pass()).map(|_| ())
}

/// The next head; `None` at the end.
async fn head<R: AsyncRead + Unpin>(from: &mut Pieces<R>) -> io::Result<Option<FrameHead>> {
    loop {
        if let Some(bytes) = from.held().first_chunk::<HEAD_BYTES>() {
            let head = FrameHead::read(*bytes).map_err(broken)?;
            from.advance(HEAD_BYTES);
            return Ok(Some(head));
        }
        if !from.more().await? {
            return if from.held().is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

/// The whole payload of a frame that is short.
async fn payload<R: AsyncRead + Unpin>(
    from: &mut Pieces<R>,
    head: FrameHead,
    most: u32,
) -> io::Result<Vec<u8>> {
    if head.length() > most {
        return Err(broken("a frame is too long"));
    }
    let length = usize::try_from(head.length()).unwrap_or(usize::MAX);
    Ok(from.whole(length).await?.to_vec())
}

/// The way up.
struct Up<'a, R, W> {
    from: Pieces<R>,
    to: W,
    shared: &'a Mutex<Shared>,
    terminal: &'a Terminal,
    names: NameReader,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Up<'_, R, W> {
    async fn pass(&mut self) -> io::Result<()> {
        while let Some(head) = head(&mut self.from).await? {
            match head {
                FrameHead::Data { stream, .. } => self.data(head, stream).await?,
                FrameHead::Control { kind, .. } => {
                    let payload = payload(&mut self.from, head, CONTROL_BYTES_MAX).await?;
                    self.read(kind, &payload)?;
                    self.to.write_all(&head.write()).await?;
                    self.to.write_all(&payload).await?;
                }
            }
            self.to.flush().await?;
        }
        self.to.shutdown().await
    }

    /// Learns what a stream carries before anybody is told of it.
    fn read(&mut self, frame: u16, payload: &[u8]) -> io::Result<()> {
        if !matches!(frame, kind::SYN_STREAM | kind::HEADERS) {
            return Ok(());
        }
        // What is compressed later depends on it, whatever it is.
        let names = names_of(frame, payload).ok_or_else(|| broken("a frame is too short"))?;
        let names = self.names.read(names).map_err(broken)?;
        if frame == kind::HEADERS {
            return Ok(());
        }
        let stream = stream_of(payload).ok_or_else(|| broken("a frame is too short"))?;
        let mut types = names.iter().filter(|(name, _)| name == STREAM_TYPE);
        let (Some((_, name)), None) = (types.next(), types.next()) else {
            return Err(broken("a stream does not say what it carries"));
        };
        let kind = Kind::named(name).ok_or_else(|| broken("a stream carries what is not known"))?;
        let mut shared = self.shared.lock();
        if shared.streams.len() >= STREAMS_MAX || shared.streams.insert(stream, kind).is_some() {
            return Err(broken("a stream is opened twice, or too many are"));
        }
        Ok(())
    }

    async fn data(&mut self, head: FrameHead, stream: u32) -> io::Result<()> {
        let kind = self.shared.lock().streams.get(&stream).copied();
        let kind = kind.ok_or_else(|| broken("bytes of a stream that was not opened"))?;
        if kind == Kind::Resize {
            let told = payload(&mut self.from, head, WORD_BYTES_MAX).await?;
            if let Some((columns, rows)) = size(&told) {
                self.terminal.resizes(columns, rows);
            }
            self.to.write_all(&head.write()).await?;
            return self.to.write_all(&told).await;
        }
        if kind == Kind::Input {
            self.shared.lock().typed = Some(Instant::now());
        }
        self.to.write_all(&head.write()).await?;
        let mut left = u64::from(head.length());
        while left > 0 {
            let piece = self.from.piece(left).await?;
            left -= piece.len() as u64;
            self.to.write_all(&piece).await?;
        }
        Ok(())
    }
}

/// The way down.
struct Down<'a, R, W> {
    from: Pieces<R>,
    to: W,
    shared: &'a Mutex<Shared>,
    out: &'a mut Output,
    error: &'a mut Output,
    ended: &'a mut Option<(String, bool)>,
    others: &'a mut u64,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Down<'_, R, W> {
    async fn pass(&mut self) -> io::Result<()> {
        loop {
            let next = if self.out.is_holding() || self.error.is_holding() {
                match timeout(self.idle(), head(&mut self.from)).await {
                    Ok(next) => next?,
                    Err(_quiet) => {
                        self.let_go().await?;
                        continue;
                    }
                }
            } else {
                head(&mut self.from).await?
            };
            match next {
                None => break,
                Some(FrameHead::Data { stream, flags, length }) => {
                    self.data(stream, flags, length).await?;
                }
                Some(FrameHead::Control { kind: kind::SYN_STREAM, .. }) => {
                    return Err(broken("the upstream opens a stream, which only clients do"));
                }
                Some(head) => {
                    let payload = payload(&mut self.from, head, CONTROL_BYTES_MAX).await?;
                    self.let_go().await?;
                    self.to.write_all(&head.write()).await?;
                    self.to.write_all(&payload).await?;
                }
            }
            self.to.flush().await?;
        }
        self.let_go().await?;
        self.to.shutdown().await
    }

    fn idle(&self) -> std::time::Duration {
        let typed = self.shared.lock().typed;
        let typed = typed.is_some_and(|at| at.elapsed() < idle::ECHOED_WITHIN);
        idle::held_for(typed, self.out.is_likely() || self.error.is_likely())
    }

    async fn data(&mut self, stream: u32, flags: u8, length: u32) -> io::Result<()> {
        let kind = self.shared.lock().streams.get(&stream).copied();
        match kind.ok_or_else(|| broken("bytes of a stream that nobody opened"))? {
            Kind::Output | Kind::Error => self.show(stream, flags, length).await,
            kind => {
                let head = FrameHead::Data { stream, flags, length };
                let word = payload(&mut self.from, head, WORD_BYTES_MAX).await?;
                // The client may leave with the last word: what came before it is shown first.
                self.let_go().await?;
                if kind == Kind::Status && !word.is_empty() {
                    *self.ended = Some(ended(&word));
                }
                *self.others += word.len() as u64;
                self.to.write_all(&head.write()).await?;
                self.to.write_all(&word).await
            }
        }
    }

    async fn show(&mut self, stream: u32, flags: u8, length: u32) -> io::Result<()> {
        let mut left = u64::from(length);
        while left > 0 {
            let piece = self.from.piece(left).await?;
            left -= piece.len() as u64;
            let shown = self.output(stream).take(&piece);
            self.send(stream, 0, &shown).await?;
        }
        if flags & FLAG_FIN != 0 {
            let rest = self.output(stream).let_go();
            self.send(stream, 0, &rest).await?;
            let head = FrameHead::Data { stream, flags, length: 0 };
            self.to.write_all(&head.write()).await?;
        }
        Ok(())
    }

    fn output(&mut self, stream: u32) -> &mut Output {
        match self.shared.lock().streams.get(&stream) {
            Some(Kind::Error) => self.error,
            _ => self.out,
        }
    }

    /// Shows what is held back.
    async fn let_go(&mut self) -> io::Result<()> {
        for kind in [Kind::Output, Kind::Error] {
            let output = if kind == Kind::Error { &mut *self.error } else { &mut *self.out };
            if !output.is_holding() {
                continue;
            }
            let rest = output.let_go();
            let stream = {
                let shared = self.shared.lock();
                shared.streams.iter().find(|(_, own)| **own == kind).map(|(stream, _)| *stream)
            };
            if let Some(stream) = stream {
                self.send(stream, 0, &rest).await?;
            }
        }
        self.to.flush().await
    }

    async fn send(&mut self, stream: u32, flags: u8, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(FRAME_BYTES_MAX) {
            let length = u32::try_from(chunk.len()).unwrap_or_default();
            self.to.write_all(&FrameHead::Data { stream, flags, length }.write()).await?;
            self.to.write_all(chunk).await?;
        }
        Ok(())
    }
}
