//! Blocks of records made small.
//!
//! Owns the compressor, its level and the room for what it makes. Must not know records or files. A
//! writer has one: what a block is packed into is written over by the next.

use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, ParamSwitch, compress_bound};

/// zstd's fastest regular level: recordings are written more often than read.
const LEVEL: i32 = 1;

/// The level at which repetitions are hardly looked for, and each byte takes as few bits as it needs:
/// a third of the time over digits and keys, which repeat nothing.
const LEVEL_WITHOUT_REPETITIONS: i32 = -10;

/// Bytes that must come again to be taken for a repetition. Lowered, columns of numbers, in which
/// every few digits have stood somewhere before, take twice the time and become no smaller.
const REPETITION_BYTES_MIN: u32 = 7;

/// Blocks of a recording that are packed without looking for repetitions once there were none.
const BLOCKS_WITHOUT: u8 = 15;

/// A block shorter than this says nothing about those to come.
const TELLING_BYTES_MIN: usize = 16 * 1024;

/// Room larger than this is not kept: it was made while the disk stood still.
const ROOM_BYTES_MAX: usize = 256 * 1024;

/// What a recording's blocks have shown so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Experience {
    /// Blocks to come that are packed without looking for repetitions.
    without: u8,
}

impl Experience {
    fn level(self) -> i32 {
        if self.without > 0 { LEVEL_WITHOUT_REPETITIONS } else { LEVEL }
    }

    /// Digits alone take less than half of their bytes; what has repetitions takes a third and less.
    fn learn(&mut self, plain: usize, packed: usize) {
        self.without = match self.without {
            0 if plain >= TELLING_BYTES_MIN && packed * 5 > plain * 2 => BLOCKS_WITHOUT,
            left => left.saturating_sub(1),
        };
    }
}

/// Packs blocks, one after another.
pub(super) struct Packer {
    compressor: Compressor<'static>,
    /// The level that the compressor is set to.
    level: i32,
    /// What the last block became. Kept, since room as large as a block's comes from the kernel
    /// each time, which clears it.
    packed: Vec<u8>,
}

impl Packer {
    /// # Errors
    /// Where there is no memory for a compressor.
    pub(super) fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::MinMatch(REPETITION_BYTES_MIN))?;
        // zstd would leave bytes without repetitions as they are below level 1.
        compressor.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
        Ok(Self { compressor, level: LEVEL, packed: Vec::new() })
    }

    /// A recording's next block as it is written.
    ///
    /// # Errors
    /// Only for want of memory.
    pub(super) fn pack(&mut self, plain: &[u8], experience: &mut Experience) -> io::Result<&[u8]> {
        let level = experience.level();
        if level != self.level {
            self.compressor.set_parameter(CParameter::CompressionLevel(level))?;
            self.level = level;
        }
        let needed = compress_bound(plain.len());
        if self.packed.capacity() > ROOM_BYTES_MAX.max(needed) {
            self.packed = Vec::new();
        }
        self.packed.clear();
        self.packed.reserve(needed);
        self.compressor.compress_to_buffer(plain, &mut self.packed)?;
        experience.learn(plain.len(), self.packed.len());
        Ok(&self.packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits without an order.
    fn digits(count: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            b'0' + u8::try_from(state % 10).unwrap()
        })
        .take(count)
        .collect()
    }

    #[test]
    fn what_repeats_nothing_is_packed_as_small_with_less_effort_and_then_tried_again() {
        let (mut packer, mut experience) = (Packer::new().unwrap(), Experience::default());
        let numbers = digits(64 * 1024);
        let mut lengths = Vec::new();
        for _ in 0..=BLOCKS_WITHOUT {
            lengths.push(packer.pack(&numbers, &mut experience).unwrap().len());
        }
        assert_eq!(experience.level(), LEVEL);
        let first = lengths[0];
        assert!(first * 2 < numbers.len(), "{first}");
        assert!(lengths.iter().all(|length| length * 20 < first * 21), "{lengths:?}");
        let unpacked = zstd::bulk::decompress(&packer.packed, numbers.len()).unwrap();
        assert_eq!(unpacked, numbers);
        let text = b"SELECT c FROM sbtest1 WHERE id=17\0allowed by usual\0".repeat(1000);
        let repeated = packer.pack(&text, &mut experience).unwrap().len();
        assert!(repeated * 50 < text.len(), "{repeated}");
        assert_eq!(experience.level(), LEVEL);
    }

    #[test]
    fn one_recordings_experience_is_not_anothers() {
        let mut packer = Packer::new().unwrap();
        let (mut numbers, mut text) = (Experience::default(), Experience::default());
        let _ = packer.pack(&digits(64 * 1024), &mut numbers).unwrap();
        let _ = packer.pack(&b"one and the same ".repeat(4000), &mut text).unwrap();
        assert_eq!((numbers.level(), text.level()), (LEVEL_WITHOUT_REPETITIONS, LEVEL));
    }
}
