//! Goes through a recording block by block and believes nothing.
//!
//! Owns the checks of structure, chain and signatures that `verify` and the reader share. Must not
//! know what to make of a finding. Ends at the seal's footer, at the end of a file without one, or
//! at the first problem.

use std::io::{self, Read};

use super::encoding::{self, EncodingError};
use super::header::{FileHeader, SealBody};
use super::key::{PublicKey, Trust};
use super::layout::{
    self, BlockKind, FOOTER_BYTES, HEAD_BYTES, Head, Link, PLAIN_BYTES_MAX, PREAMBLE_BYTES,
};
use super::record::Entry;

/// What is wrong with a recording, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {kind}")]
pub struct Problem {
    /// Where the block (or the preamble) begins.
    pub offset: u64,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The file does not begin as a recording does.
    #[error("this is not a recording, or one of a later version")]
    NotARecording,
    /// The header cannot be read.
    #[error("the header cannot be read: {0}")]
    Header(String),
    /// It is signed by a key that is not trusted.
    #[error("it names signing key {0}, which is not this host's")]
    ForeignKey(PublicKey),
    /// What should be a block is none.
    #[error("this is not a block")]
    NotABlock,
    /// A block is not the one that was written here: it is edited, moved or from elsewhere, or the
    /// header before the first block is.
    #[error("the block does not fit the chain: it, or what stands before it, was edited or moved")]
    ChainBroken,
    /// Records are missing or too many before it, or its own count is wrong.
    #[error("the block's records are not those its head announces")]
    RecordCount,
    /// A block's content cannot be read although it fits the chain.
    #[error("the block's content cannot be read: {0}")]
    Unreadable(String),
    /// A signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// The file ends in a footer, but no seal stands before it; or the footer is wrong.
    #[error("the seal and the footer do not fit together: something was cut out or added")]
    SealMisplaced,
}

/// A step of the walk.
#[derive(Debug)]
pub(super) enum Step {
    /// A block of records.
    Records(Vec<Entry>),
    /// A signature over everything before it.
    Checkpoint,
    /// The seal: nothing follows.
    Sealed(SealBody),
    /// The file ends without a seal; `torn` bytes of a block that was never finished follow the
    /// last whole one.
    Ended { torn: u64 },
}

/// Why the walk stops.
#[derive(Debug)]
pub(super) enum Stop {
    Problem(Problem),
    Io(io::Error),
}

/// The walk.
#[derive(Debug)]
pub(super) struct Walk<R> {
    source: R,
    size: u64,
    offset: u64,
    link: Link,
    next_record: u64,
    key: PublicKey,
    header: FileHeader,
    /// The file ends in a footer's magic: an end without a seal is then a cut.
    has_footer: bool,
    /// Counted for reports.
    pub(super) blocks: u64,
    /// Records covered by the last signature that held.
    pub(super) signed_records: u64,
}

impl<R: Read> Walk<R> {
    /// Reads the preamble. `size` is the file's length and `has_footer` whether its last bytes are
    /// a footer's.
    pub(super) fn begin(
        mut source: R,
        size: u64,
        has_footer: bool,
        trust: &Trust,
    ) -> Result<Self, Stop> {
        let problem = |kind| Stop::Problem(Problem { offset: 0, kind });
        let mut start = [0; PREAMBLE_BYTES];
        read_or(&mut source, &mut start, || problem(ProblemKind::NotARecording))?;
        let length =
            layout::header_length(&start).ok_or_else(|| problem(ProblemKind::NotARecording))?;
        let mut json = vec![0; length];
        read_or(&mut source, &mut json, || problem(ProblemKind::Header("it is cut".into())))?;
        let header: FileHeader = serde_json::from_slice(&json)
            .map_err(|error| problem(ProblemKind::Header(error.to_string())))?;
        let key = PublicKey::from_hex(&header.key)
            .ok_or_else(|| problem(ProblemKind::Header("it names no signing key".into())))?;
        if !trust.accepts(&key) {
            return Err(problem(ProblemKind::ForeignKey(key)));
        }
        let preamble = [start.as_slice(), &json].concat();
        Ok(Self {
            source,
            size,
            offset: preamble.len() as u64,
            link: layout::first_link(&preamble),
            next_record: 1,
            key,
            header,
            has_footer,
            blocks: 0,
            signed_records: 0,
        })
    }

    pub(super) const fn header(&self) -> &FileHeader {
        &self.header
    }

    pub(super) const fn link(&self) -> &Link {
        &self.link
    }

    /// Records of the blocks so far.
    pub(super) const fn records(&self) -> u64 {
        self.next_record - 1
    }

    /// The next block, checked.
    pub(super) fn step(&mut self) -> Result<Step, Stop> {
        let left = self.size.saturating_sub(self.offset);
        if left < HEAD_BYTES as u64 {
            return self.end(left);
        }
        let mut bytes = [0; HEAD_BYTES];
        self.source.read_exact(&mut bytes).map_err(Stop::Io)?;
        let (head, link) =
            Head::parse(&bytes).ok_or_else(|| self.problem(ProblemKind::NotABlock))?;
        if left < HEAD_BYTES as u64 + u64::from(head.payload_length) {
            return self.end(left);
        }
        let mut payload = vec![0; head.payload_bytes()];
        self.source.read_exact(&mut payload).map_err(Stop::Io)?;
        if layout::next_link(&self.link, &head, &payload) != link {
            return Err(self.problem(ProblemKind::ChainBroken));
        }
        if head.first_record != self.next_record {
            return Err(self.problem(ProblemKind::RecordCount));
        }
        let step = match head.kind {
            BlockKind::Records => self.records_of(&head, &payload)?,
            BlockKind::Checkpoint | BlockKind::Seal => self.signature_of(&head, &payload)?,
        };
        self.link = link;
        self.blocks += 1;
        self.offset += HEAD_BYTES as u64 + u64::from(head.payload_length);
        if matches!(step, Step::Sealed(_)) {
            self.footer(&head)?;
        }
        Ok(step)
    }

    fn records_of(&mut self, head: &Head, payload: &[u8]) -> Result<Step, Stop> {
        let plain = self.decompress(head, payload)?;
        let mut rest = plain.as_slice();
        let mut entries = Vec::new();
        let mut number = self.next_record;
        while !rest.is_empty() {
            let taken = encoding::take(&mut rest).map_err(|error| self.unreadable(error))?;
            // A kind of a later version keeps its number and is passed over.
            if let Some(record) = taken.record {
                entries.push(Entry { number, at: taken.at, record });
            }
            number += 1;
        }
        if number - self.next_record != u64::from(head.records) {
            return Err(self.problem(ProblemKind::RecordCount));
        }
        self.next_record = number;
        Ok(Step::Records(entries))
    }

    fn decompress(&self, head: &Head, payload: &[u8]) -> Result<Vec<u8>, Stop> {
        let length = usize::try_from(head.plain_length).unwrap_or(usize::MAX).min(PLAIN_BYTES_MAX);
        let plain = zstd::bulk::decompress(payload, length)
            .map_err(|error| self.problem(ProblemKind::Unreadable(error.to_string())))?;
        if plain.len() != length {
            return Err(self.problem(ProblemKind::Unreadable("its length is wrong".into())));
        }
        Ok(plain)
    }

    fn signature_of(&mut self, head: &Head, payload: &[u8]) -> Result<Step, Stop> {
        let offset = self.offset;
        let bad = || Stop::Problem(Problem { offset, kind: ProblemKind::BadSignature });
        let (signature, body) = layout::split_signature(payload).ok_or_else(bad)?;
        let session = self.header.session.session;
        let records = self.records();
        let message = layout::signed_message(head.kind, session, &self.link, records, body);
        if head.records != 0 || !self.key.verifies(&message, signature) {
            return Err(bad());
        }
        self.signed_records = records;
        if head.kind != BlockKind::Seal {
            return if body.is_empty() { Ok(Step::Checkpoint) } else { Err(bad()) };
        }
        let seal: SealBody = serde_json::from_slice(body)
            .map_err(|error| self.problem(ProblemKind::Unreadable(error.to_string())))?;
        if seal.records != records {
            return Err(self.problem(ProblemKind::RecordCount));
        }
        Ok(Step::Sealed(seal))
    }

    /// After the seal: the footer, exactly, and nothing else.
    fn footer(&mut self, head: &Head) -> Result<(), Stop> {
        let mut footer = [0; FOOTER_BYTES];
        let misplaced = self.problem(ProblemKind::SealMisplaced);
        let right = self.size - self.offset == FOOTER_BYTES as u64
            && self.source.read_exact(&mut footer).is_ok()
            && layout::seal_length(&footer).map(u64::from)
                == Some(HEAD_BYTES as u64 + u64::from(head.payload_length));
        if right { Ok(()) } else { Err(misplaced) }
    }

    fn end(&self, torn: u64) -> Result<Step, Stop> {
        if self.has_footer {
            return Err(self.problem(ProblemKind::SealMisplaced));
        }
        Ok(Step::Ended { torn })
    }

    fn unreadable(&self, error: EncodingError) -> Stop {
        self.problem(ProblemKind::Unreadable(error.to_string()))
    }

    const fn problem(&self, kind: ProblemKind) -> Stop {
        Stop::Problem(Problem { offset: self.offset, kind })
    }
}

/// Fills `into`; a source that is too short gives what `short` says.
fn read_or(
    source: &mut impl Read,
    into: &mut [u8],
    short: impl FnOnce() -> Stop,
) -> Result<(), Stop> {
    source.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => short(),
        _ => Stop::Io(error),
    })
}
