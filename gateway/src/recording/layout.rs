//! The file format of a recording.
//!
//! Owns where things stand in a file and what the hash chain covers. Must not know records
//! (`encoding`), files (`file`) or what a finding means (`verify`). Integers are little-endian.
//! ```text
//! file     := preamble block* [seal footer]
//! preamble := "PTCLREC" version:u8 length:u32 header        header: JSON of `FileHeader`, in clear
//! block    := head payload                                  head: 80 bytes
//! head     := "PTBK" kind:u8 zero:u8[3]                      0
//!             payload_length:u32 plain_length:u32            8
//!             records:u32 zero:u32                           16  records in the block
//!             first_record:u64                               24  number of the first, from 1
//!             first_at_us:u64 last_at_us:u64                 32  times since the session's start
//!             chain:u8[32]                                   48
//! chain    := SHA-256(chain before, head[0..48], payload)
//!             the chain before the first block is SHA-256("portcullis recording 1\0", preamble)
//! kind 1   records:    payload is one zstd frame of `plain_length` bytes: encoded records
//! kind 2   checkpoint: payload is a signature of the chain before it
//! kind 3   seal:       payload is a signature, then JSON of `SealBody`
//! footer   := seal_length:u32 zero:u32 "PTCLRECE"            seal_length counts head and payload
//! ```
//! Each record is covered by its block's link; its place by its order in the block and the block's
//! `first_record`. The preamble holds the session's id, so a block of another recording fits nowhere.
//! A signature is ed25519 over [`signed_message`].

use aws_lc_rs::digest::{Context, SHA256};
use model::SessionId;

use super::encoding::RECORD_BYTES_MAX;
use super::key::SIGNATURE_BYTES;

/// The first bytes of every recording, the last one its version.
pub(super) const MAGIC: &[u8; 8] = b"PTCLREC\x01";
/// Bytes before the header.
pub(super) const PREAMBLE_BYTES: usize = 12;
/// Bytes of the header. Raised, a hostile file makes a reader allocate more.
pub(super) const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a block's head.
pub(super) const HEAD_BYTES: usize = 80;
/// Bytes of a block's records before compression: the most a session may have waiting, and a record.
pub(super) const PLAIN_BYTES_MAX: usize = PENDING_BYTES_MAX + RECORD_BYTES_MAX + 64;
/// Bytes of a payload: a block that does not compress grows a little.
pub(super) const PAYLOAD_BYTES_MAX: usize = PLAIN_BYTES_MAX + PLAIN_BYTES_MAX / 128 + 1024;
/// Bytes a session may have waiting for the writer. Raised, a stalled disk costs more memory.
pub(super) const PENDING_BYTES_MAX: usize = 512 * 1024;
/// Bytes of the footer.
pub(super) const FOOTER_BYTES: usize = 16;

const BLOCK_MAGIC: &[u8; 4] = b"PTBK";
pub(super) const FOOTER_MAGIC: &[u8; 8] = b"PTCLRECE";
const CHAINED_BYTES: usize = 48;

/// A link of the chain.
pub(super) type Link = [u8; 32];

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Records,
    Checkpoint,
    Seal,
}

/// A block's head without its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: BlockKind,
    pub(super) payload_length: u32,
    pub(super) plain_length: u32,
    pub(super) records: u32,
    pub(super) first_record: u64,
    pub(super) first_at_us: u64,
    pub(super) last_at_us: u64,
}

impl Head {
    /// The head of a signature's block: no records, and the number the next one will have.
    pub(super) const fn of_signature(
        kind: BlockKind,
        payload_length: u32,
        next_record: u64,
        at_us: u64,
    ) -> Self {
        Self {
            kind,
            payload_length,
            plain_length: payload_length,
            records: 0,
            first_record: next_record,
            first_at_us: at_us,
            last_at_us: at_us,
        }
    }

    /// The part the chain covers.
    pub(super) fn chained_bytes(&self) -> [u8; CHAINED_BYTES] {
        let mut bytes = [0; CHAINED_BYTES];
        let fields: [&[u8]; 9] = [
            BLOCK_MAGIC,
            &[self.kind_code(), 0, 0, 0],
            &self.payload_length.to_le_bytes(),
            &self.plain_length.to_le_bytes(),
            &self.records.to_le_bytes(),
            &[0; 4],
            &self.first_record.to_le_bytes(),
            &self.first_at_us.to_le_bytes(),
            &self.last_at_us.to_le_bytes(),
        ];
        let flat = fields.iter().flat_map(|field| field.iter());
        bytes.iter_mut().zip(flat).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Reads a head and its link. `None` where a field has a value no writer gives it.
    pub(super) fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<(Self, Link)> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (payload_length, rest) = take_u32(rest)?;
        let (plain_length, rest) = take_u32(rest)?;
        let (records, rest) = take_u32(rest)?;
        let (reserved, rest) = take_u32(rest)?;
        let (first_record, rest) = take_u64(rest)?;
        let (first_at_us, rest) = take_u64(rest)?;
        let (last_at_us, rest) = take_u64(rest)?;
        let link = Link::try_from(rest).ok()?;
        let kind = match kind {
            [1, 0, 0, 0] => BlockKind::Records,
            [2, 0, 0, 0] => BlockKind::Checkpoint,
            [3, 0, 0, 0] => BlockKind::Seal,
            _ => return None,
        };
        let head = Self {
            kind,
            payload_length,
            plain_length,
            records,
            first_record,
            first_at_us,
            last_at_us,
        };
        (magic == BLOCK_MAGIC && reserved == 0 && head.is_bounded()).then_some((head, link))
    }

    pub(super) fn payload_bytes(&self) -> usize {
        usize::try_from(self.payload_length).unwrap_or(usize::MAX)
    }

    fn is_bounded(&self) -> bool {
        let plain = usize::try_from(self.plain_length).unwrap_or(usize::MAX);
        self.payload_bytes() <= PAYLOAD_BYTES_MAX && plain <= PLAIN_BYTES_MAX
    }

    const fn kind_code(&self) -> u8 {
        match self.kind {
            BlockKind::Records => 1,
            BlockKind::Checkpoint => 2,
            BlockKind::Seal => 3,
        }
    }
}

/// The link that the first block is chained to.
pub(super) fn first_link(preamble: &[u8]) -> Link {
    digest(&[b"portcullis recording 1\0", preamble])
}

/// The link of a block.
pub(super) fn next_link(before: &Link, head: &Head, payload: &[u8]) -> Link {
    digest(&[before, &head.chained_bytes(), payload])
}

/// What a checkpoint or seal signs: its kind, the session, the chain before it, the records so far,
/// and the seal's body.
pub(super) fn signed_message(
    kind: BlockKind,
    session: SessionId,
    before: &Link,
    records: u64,
    body: &[u8],
) -> Vec<u8> {
    let kind: &[u8] = match kind {
        BlockKind::Seal => b"portcullis recording seal 1\0",
        BlockKind::Checkpoint | BlockKind::Records => b"portcullis recording checkpoint 1\0",
    };
    let session = session.as_u128().to_le_bytes();
    [kind, &session, before, &records.to_le_bytes(), body].concat()
}

/// The file's first bytes.
pub(super) fn preamble(header: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(header.len()).ok()?;
    (header.len() <= HEADER_BYTES_MAX)
        .then(|| [MAGIC.as_slice(), &length.to_le_bytes(), header].concat())
}

/// Length of the header, from the file's first bytes. `None` where they are not a recording's.
pub(super) fn header_length(bytes: &[u8; PREAMBLE_BYTES]) -> Option<usize> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (length, _) = take_u32(rest)?;
    let length = usize::try_from(length).ok()?;
    (magic == MAGIC && length <= HEADER_BYTES_MAX).then_some(length)
}

/// The file's last bytes.
pub(super) fn footer(seal_length: u32) -> [u8; FOOTER_BYTES] {
    let mut bytes = [0; FOOTER_BYTES];
    let flat = seal_length.to_le_bytes().into_iter().chain([0; 4]).chain(*FOOTER_MAGIC);
    bytes.iter_mut().zip(flat).for_each(|(to, from)| *to = from);
    bytes
}

/// Length of the seal's block, from the file's last bytes; `None` where there is no footer.
pub(super) fn seal_length(bytes: &[u8; FOOTER_BYTES]) -> Option<u32> {
    let (length, _) = take_u32(bytes)?;
    (footer(length) == *bytes).then_some(length)
}

/// Splits a signature's payload.
pub(super) fn split_signature(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    payload.split_at_checked(SIGNATURE_BYTES)
}

/// A link in hexadecimal.
pub(super) fn hexadecimal(link: &Link) -> String {
    link.iter().fold(String::with_capacity(64), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('?'));
        }
        text
    })
}

fn digest(parts: &[&[u8]]) -> Link {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut link = [0; 32];
    link.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    link
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk().map(|(taken, rest)| (u32::from_le_bytes(*taken), rest))
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    bytes.split_first_chunk().map(|(taken, rest)| (u64::from_le_bytes(*taken), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_every_single_bit_of_it_matters() {
        let head = Head {
            kind: BlockKind::Records,
            payload_length: 1234,
            plain_length: 5678,
            records: 9,
            first_record: 10,
            first_at_us: 11,
            last_at_us: 12,
        };
        let link = next_link(&[7; 32], &head, b"payload");
        let bytes: Vec<u8> = head.chained_bytes().into_iter().chain(link).collect();
        let bytes: [u8; HEAD_BYTES] = bytes.try_into().unwrap();
        assert_eq!(Head::parse(&bytes), Some((head, link)));
        for bit in 0..CHAINED_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            let chained = Head::parse(&flipped)
                .is_some_and(|(head, link)| next_link(&[7; 32], &head, b"payload") == link);
            assert!(!chained, "bit {bit}");
        }
    }

    #[test]
    fn a_footer_is_exact() {
        let bytes = footer(513);
        assert_eq!(seal_length(&bytes), Some(513));
        for bit in 32..FOOTER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal_length(&flipped), None, "bit {bit}");
        }
    }
}
