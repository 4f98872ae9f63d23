//! Blocks of records made small.
//!
//! Owns the compressor, its level and the room for what it makes. Must not know records or files. A
//! writer has one: what a block is packed into is written over by the next.

use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, compress_bound};

/// zstd's fastest regular level: recordings are written more often than read.
const LEVEL: i32 = 1;

/// Bytes that must come again to be taken for a repetition. Lowered, columns of numbers, in which
/// every few digits have stood somewhere before, take twice the time and become no smaller.
const REPETITION_BYTES_MIN: u32 = 7;

/// Room larger than this is not kept: it was made while the disk stood still.
const ROOM_BYTES_MAX: usize = 256 * 1024;

/// Packs blocks, one after another.
pub(super) struct Packer {
    compressor: Compressor<'static>,
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
        Ok(Self { compressor, packed: Vec::new() })
    }

    /// The block as it is written.
    ///
    /// # Errors
    /// Only for want of memory.
    pub(super) fn pack(&mut self, plain: &[u8]) -> io::Result<&[u8]> {
        let needed = compress_bound(plain.len());
        if self.packed.capacity() > ROOM_BYTES_MAX.max(needed) {
            self.packed = Vec::new();
        }
        self.packed.clear();
        self.packed.reserve(needed);
        self.compressor.compress_to_buffer(plain, &mut self.packed)?;
        Ok(&self.packed)
    }
}
