//! Heads of frames.
//!
//! Owns their form: a data frame has a stream and bytes, any other a kind of its own. Must not know
//! what a frame's payload says.
//!
//! ```text
//!  0 │ stream (31 bits)            1 │ version 3 (15 bits) │ kind (16 bits)
//!  flags (8) │ length (24)         flags (8) │ length (24)
//! ```

/// Bytes of a head.
pub const HEAD_BYTES: usize = 8;
/// The flag of the last frame of a stream on its way.
pub const FLAG_FIN: u8 = 0x01;
/// Kinds of control frames.
pub mod kind {
    /// Opens a stream.
    pub const SYN_STREAM: u16 = 1;
    /// Agrees to a stream.
    pub const SYN_REPLY: u16 = 2;
    /// Breaks a stream off.
    pub const RST_STREAM: u16 = 3;
    /// Opens no more streams.
    pub const GOAWAY: u16 = 7;
    /// More names of a stream.
    pub const HEADERS: u16 = 8;
}

const VERSION: u16 = 3;
const CONTROL: u16 = 0x8000;
const STREAM_MASK: u32 = 0x7fff_ffff;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameHead {
    /// Bytes of a stream.
    Data {
        /// The stream.
        stream: u32,
        /// Its flags.
        flags: u8,
        /// Bytes of the payload.
        length: u32,
    },
    /// Any other.
    Control {
        /// What it is.
        kind: u16,
        /// Its flags.
        flags: u8,
        /// Bytes of the payload.
        length: u32,
    },
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameError {
    /// Another version.
    #[error("a frame is not one of SPDY/3")]
    Version,
}

impl FrameHead {
    /// Reads a head.
    ///
    /// # Errors
    /// Where it is of another version.
    pub const fn read(head: [u8; HEAD_BYTES]) -> Result<Self, FrameError> {
        let [a, b, c, d, flags, e, f, g] = head;
        let length = u32::from_be_bytes([0, e, f, g]);
        let (first, kind) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        if first & CONTROL == 0 {
            return Ok(Self::Data { stream: u32::from_be_bytes([a, b, c, d]), flags, length });
        }
        if first != CONTROL | VERSION {
            return Err(FrameError::Version);
        }
        Ok(Self::Control { kind, flags, length })
    }

    /// Writes the head.
    #[must_use]
    pub const fn write(self) -> [u8; HEAD_BYTES] {
        let (first, flags, length) = match self {
            Self::Data { stream, flags, length } => ((stream & STREAM_MASK), flags, length),
            Self::Control { kind, flags, length } => {
                (((CONTROL | VERSION) as u32) << 16 | kind as u32, flags, length)
            }
        };
        let [a, b, c, d] = first.to_be_bytes();
        let [_, e, f, g] = length.to_be_bytes();
        [a, b, c, d, flags, e, f, g]
    }

    /// Bytes of the payload.
    #[must_use]
    pub const fn length(self) -> u32 {
        match self {
            Self::Data { length, .. } | Self::Control { length, .. } => length,
        }
    }
}

/// The stream that a control frame's payload begins with; `None` where it is too short.
#[must_use]
pub fn stream_of(payload: &[u8]) -> Option<u32> {
    payload.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes) & STREAM_MASK)
}

/// The names in the payload of a frame that opens a stream or has more names, still compressed:
/// before them stand the stream, and where it opens one the stream it belongs to and its rank.
#[must_use]
pub fn names_of(kind: u16, payload: &[u8]) -> Option<&[u8]> {
    payload.get(if kind == kind::SYN_STREAM { 10 } else { 4 }..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_written() {
        for head in [
            FrameHead::Data { stream: 0x7fff_ffff, flags: FLAG_FIN, length: 0x00ff_ffff },
            FrameHead::Data { stream: 1, flags: 0, length: 0 },
            FrameHead::Control { kind: kind::SYN_STREAM, flags: 0, length: 20 },
            FrameHead::Control { kind: kind::GOAWAY, flags: 0, length: 8 },
        ] {
            assert_eq!(FrameHead::read(head.write()), Ok(head));
        }
        assert_eq!(FrameHead::read([0x80, 2, 0, 1, 0, 0, 0, 0]), Err(FrameError::Version));
        assert_eq!(stream_of(&[0x80, 0, 0, 5, 9]), Some(5));
        assert_eq!((stream_of(&[0, 0]), names_of(kind::SYN_STREAM, &[0; 9])), (None, None));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_back(bytes: [u8; 8]) {
            if let Ok(head) = FrameHead::read(bytes) {
                prop_assert_eq!(head.write(), bytes);
            }
        }
    }
}
