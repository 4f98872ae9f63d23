//! Streams over WebSocket: one byte before each message says which stream it is of.
//!
//! Owns the relay of messages: output is passed on as it may be shown, in messages of its own, and
//! everything else as it came. Must not know masks. Ends when both sides have ended, or with the first
//! message that neither could honestly send.

use std::io;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;
use wire::http::websocket::{FrameHead, Opcode, apply_mask};

use super::super::http::{Frames, Output, Side, Stage, Terminal};
use super::super::idle;
use super::streams::{Kind, broken, ended, size};

/// Bytes of the last word, and of sizes told at once.
const WORD_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a message that may be a size.
const SIZE_BYTES_MAX: u64 = 1024;
/// The numbers of output and error output.
const OUTPUT: u8 = 1;
const ERROR: u8 = 2;

/// Relays until both sides are done.
pub(super) async fn relay(client: Side, upstream: Side, stage: &mut Stage) -> io::Result<()> {
    let typed = Mutex::new(None);
    let (from_client, to_client) = split(client);
    let (from_upstream, to_upstream) = split(upstream);
    let Stage { out, error, terminal, ended, others } = stage;
    let mut up =
        Up { from: Frames::new(from_client, true), to: to_upstream, typed: &typed, terminal };
    let mut down = Down {
        from: Frames::new(from_upstream, false),
        to: to_client,
        typed: &typed,
        out,
        error,
        ended,
        others,
    };
    tokio::try_join!(up.pass(), down.pass()).map(|_| ())
}

/// The way up.
struct Up<'a, R, W> {
    from: Frames<R>,
    to: W,
    typed: &'a Mutex<Option<Instant>>,
    terminal: &'a Terminal,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Up<'_, R, W> {
    async fn pass(&mut self) -> io::Result<()> {
        while let Some(head) = self.from.head().await? {
            // Python's client types text, and servers take it for the bytes it is made of.
            let is_data = matches!(head.opcode, Opcode::Binary | Opcode::Text);
            if is_data && head.is_last && head.payload_bytes <= SIZE_BYTES_MAX {
                self.message(head).await?;
            } else {
                self.stream(head).await?;
            }
            self.to.flush().await?;
            if head.opcode == Opcode::Close {
                return Ok(());
            }
        }
        // Gone without a word: what it runs is ended by the upstream, which hears of it.
        self.to.shutdown().await
    }

    /// A short message, which may tell a size.
    async fn message(&mut self, head: FrameHead) -> io::Result<()> {
        let sent = self.from.whole(head.payload_bytes).await?;
        let mut plain = sent.clone();
        if let Some(key) = head.mask {
            apply_mask(key, 0, &mut plain);
        }
        match plain.split_first().map(|(number, rest)| (Kind::numbered(*number), rest)) {
            Some((Some(Kind::Resize), told)) => {
                if let Some((columns, rows)) = size(told) {
                    self.terminal.resizes(columns, rows);
                }
            }
            Some((Some(Kind::Input), _)) => *self.typed.lock() = Some(Instant::now()),
            _ => {}
        }
        let mut out = Vec::with_capacity(sent.len() + 16);
        head.write(&mut out);
        out.extend_from_slice(&sent);
        self.to.write_all(&out).await
    }

    async fn stream(&mut self, head: FrameHead) -> io::Result<()> {
        let mut out = Vec::with_capacity(16);
        head.write(&mut out);
        self.to.write_all(&out).await?;
        let mut left = head.payload_bytes;
        while left > 0 {
            let piece = self.from.piece(left).await?;
            left -= piece.len() as u64;
            self.to.write_all(&piece).await?;
        }
        Ok(())
    }
}

/// A message of which not all has come.
#[derive(Default)]
struct Begun {
    number: Option<u8>,
    /// What is not shown before it is whole.
    word: Vec<u8>,
}

/// The way down.
struct Down<'a, R, W> {
    from: Frames<R>,
    to: W,
    typed: &'a Mutex<Option<Instant>>,
    out: &'a mut Output,
    error: &'a mut Output,
    ended: &'a mut Option<(String, bool)>,
    others: &'a mut u64,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Down<'_, R, W> {
    async fn pass(&mut self) -> io::Result<()> {
        let mut begun = None::<Begun>;
        loop {
            let next = if self.out.is_holding() || self.error.is_holding() {
                match timeout(self.idle(), self.from.head()).await {
                    Ok(next) => next?,
                    Err(_quiet) => {
                        self.let_go().await?;
                        continue;
                    }
                }
            } else {
                self.from.head().await?
            };
            let Some(head) = next else { break };
            match head.opcode {
                Opcode::Text => {
                    return Err(broken("a message of text, where bytes were agreed on"));
                }
                Opcode::Binary if begun.is_some() => {
                    return Err(broken("a message begins in the middle of another"));
                }
                Opcode::Binary => begun = self.part(head, Begun::default()).await?,
                Opcode::Continuation => {
                    let before = begun.take();
                    let before =
                        before.ok_or_else(|| broken("a message goes on that did not begin"))?;
                    begun = self.part(head, before).await?;
                }
                Opcode::Close | Opcode::Ping | Opcode::Pong => self.control(head).await?,
            }
            self.to.flush().await?;
            if head.opcode == Opcode::Close {
                return self.let_go().await;
            }
        }
        self.let_go().await?;
        // Gone without a word: the client waits for one, unless it is told.
        self.to.shutdown().await
    }

    fn idle(&self) -> Duration {
        let typed = self.typed.lock().is_some_and(|at| at.elapsed() < idle::ECHOED_WITHIN);
        idle::held_for(typed, self.out.is_likely() || self.error.is_likely())
    }

    async fn control(&mut self, head: FrameHead) -> io::Result<()> {
        let payload = self.from.whole(head.payload_bytes).await?;
        if head.opcode == Opcode::Close {
            self.let_go().await?;
        }
        self.write(head.opcode, &payload).await
    }

    /// A frame of a message; gives the message back where it goes on.
    async fn part(&mut self, head: FrameHead, mut begun: Begun) -> io::Result<Option<Begun>> {
        let mut left = head.payload_bytes;
        while left > 0 {
            let mut piece = self.from.piece(left).await?;
            left -= piece.len() as u64;
            let number = match begun.number {
                Some(number) => number,
                None => {
                    let first = piece.split_to(1);
                    *begun.number.insert(first.first().copied().unwrap_or_default())
                }
            };
            match Kind::numbered(number) {
                Some(Kind::Output) => {
                    let shown = self.out.take(&piece);
                    self.send(OUTPUT, &shown).await?;
                }
                Some(Kind::Error) => {
                    let shown = self.error.take(&piece);
                    self.send(ERROR, &shown).await?;
                }
                Some(Kind::Status) => {
                    if begun.word.len() as u64 + piece.len() as u64 > WORD_BYTES_MAX {
                        return Err(broken("the last word is too long"));
                    }
                    begun.word.extend_from_slice(&piece);
                }
                _ => return Err(broken("the upstream sends on a stream that only clients do")),
            }
        }
        if !head.is_last {
            return Ok(Some(begun));
        }
        match begun.number {
            Some(number) if Kind::numbered(number) == Some(Kind::Status) => {
                // The client may leave with the last word: what came before it is shown first.
                self.let_go().await?;
                if !begun.word.is_empty() {
                    *self.ended = Some(ended(&begun.word));
                }
                *self.others += begun.word.len() as u64;
                begun.word.insert(0, number);
                self.write(Opcode::Binary, &begun.word).await?;
            }
            // Servers open a stream by a message without anything in it.
            Some(number) if head.payload_bytes == 1 => {
                self.write(Opcode::Binary, &[number]).await?;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Shows what is held back.
    async fn let_go(&mut self) -> io::Result<()> {
        for number in [OUTPUT, ERROR] {
            let output = if number == ERROR { &mut *self.error } else { &mut *self.out };
            if output.is_holding() {
                let rest = output.let_go();
                self.send(number, &rest).await?;
            }
        }
        self.to.flush().await
    }

    async fn send(&mut self, number: u8, shown: &[u8]) -> io::Result<()> {
        if shown.is_empty() {
            return Ok(());
        }
        let mut message = Vec::with_capacity(shown.len() + 1);
        message.push(number);
        message.extend_from_slice(shown);
        self.write(Opcode::Binary, &message).await
    }

    async fn write(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::with_capacity(payload.len() + 16);
        let payload_bytes = payload.len() as u64;
        FrameHead { is_last: true, opcode, mask: None, payload_bytes }.write(&mut out);
        out.extend_from_slice(payload);
        self.to.write_all(&out).await
    }
}
