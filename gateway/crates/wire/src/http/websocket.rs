//! WebSocket frames (RFC 6455 section 5).
//!
//! Owns the head of a frame and the unmasking of its payload. Must not know messages: fragments are
//! put together by whoever relays them. No extension is accepted, so a reserved bit is an error.

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// The rest of a message.
    Continuation,
    /// A message of text, or its beginning.
    Text,
    /// A message of bytes, or its beginning.
    Binary,
    /// The end.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

impl Opcode {
    const fn read(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn code(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    /// Whether it stands by itself, between the frames of a message too.
    #[must_use]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Whether it ends its message.
    pub is_last: bool,
    /// What it is.
    pub opcode: Opcode,
    /// The key that its payload is masked with; clients mask, servers do not.
    pub mask: Option<[u8; 4]>,
    /// Bytes of its payload.
    pub payload_bytes: u64,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameError {
    /// A reserved bit: an extension that nobody agreed on.
    #[error("a frame uses an extension that was not agreed on")]
    Reserved,
    /// No such code.
    #[error("a frame has an unknown opcode")]
    Opcode,
    /// A length that could have been said shorter, or is beyond 63 bits.
    #[error("a frame's length is malformed")]
    Length,
    /// A control frame that is long or a fragment.
    #[error("a control frame is fragmented or too long")]
    Control,
}

/// Bytes of a control frame's payload.
const CONTROL_BYTES_MAX: u64 = 125;

impl FrameHead {
    /// Reads a head; `None` where more bytes are needed. With it comes how many bytes it has.
    ///
    /// # Errors
    /// Where it breaks the protocol.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(FrameError::Reserved);
        }
        let opcode = Opcode::read(first & 0x0f).ok_or(FrameError::Opcode)?;
        let (payload_bytes, rest, length_bytes) = match second & 0x7f {
            126 => {
                let [a, b, rest @ ..] = rest else { return Ok(None) };
                let length = u64::from(u16::from_be_bytes([*a, *b]));
                if length < 126 {
                    return Err(FrameError::Length);
                }
                (length, rest, 2)
            }
            127 => {
                let Some((length, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
                let length = u64::from_be_bytes(*length);
                if length <= u64::from(u16::MAX) || length > i64::MAX as u64 {
                    return Err(FrameError::Length);
                }
                (length, rest, 8)
            }
            short => (u64::from(short), rest, 0),
        };
        let (mask, mask_bytes) = if second & 0x80 == 0 {
            (None, 0)
        } else {
            let Some(key) = rest.first_chunk::<4>() else { return Ok(None) };
            (Some(*key), 4)
        };
        let is_last = first & 0x80 != 0;
        if opcode.is_control() && (!is_last || payload_bytes > CONTROL_BYTES_MAX) {
            return Err(FrameError::Control);
        }
        Ok(Some((Self { is_last, opcode, mask, payload_bytes }, 2 + length_bytes + mask_bytes)))
    }

    /// Appends it.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_last) << 7 | self.opcode.code());
        let masked = u8::from(self.mask.is_some()) << 7;
        match self.payload_bytes {
            length @ 0..126 => out.push(masked | u8::try_from(length).unwrap_or(0)),
            length => match u16::try_from(length) {
                Ok(length) => {
                    out.push(masked | 126);
                    out.extend_from_slice(&length.to_be_bytes());
                }
                Err(_) => {
                    out.push(masked | 127);
                    out.extend_from_slice(&length.to_be_bytes());
                }
            },
        }
        if let Some(key) = self.mask {
            out.extend_from_slice(&key);
        }
    }
}

/// Masks or unmasks a part of a payload in place; `offset` is where in the payload it begins.
pub fn apply_mask(key: [u8; 4], offset: u64, payload: &mut [u8]) {
    let [a, b, c, d] = key;
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= match (offset.wrapping_add(index as u64)) & 3 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_written_as_they_are_read() {
        for payload_bytes in [0, 1, 125, 126, 65_535, 65_536, 1 << 40] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let head = FrameHead { is_last: false, opcode: Opcode::Text, mask, payload_bytes };
                let mut out = Vec::new();
                head.write(&mut out);
                for cut in 0..out.len() {
                    assert_eq!(FrameHead::read(&out[..cut]), Ok(None));
                }
                assert_eq!(FrameHead::read(&out), Ok(Some((head, out.len()))));
            }
        }
    }

    #[test]
    fn what_breaks_the_protocol_is_refused() {
        for (bytes, error) in [
            (&[0xc1, 0][..], FrameError::Reserved),
            (&[0x83, 0], FrameError::Opcode),
            (&[0x8b, 0], FrameError::Opcode),
            (&[0x81, 126, 0, 125], FrameError::Length),
            (&[0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255], FrameError::Length),
            (&[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], FrameError::Length),
            (&[0x09, 0], FrameError::Control),
            (&[0x89, 126, 0, 126], FrameError::Control),
        ] {
            assert_eq!(FrameHead::read(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn masking_twice_is_nothing_wherever_it_is_cut() {
        let text = b"a message that is longer than its key".to_vec();
        for cut in 0..text.len() {
            let mut masked = text.clone();
            let (before, after) = masked.split_at_mut(cut);
            apply_mask([9, 8, 7, 6], 0, before);
            apply_mask([9, 8, 7, 6], cut as u64, after);
            apply_mask([9, 8, 7, 6], 0, &mut masked);
            assert_eq!(masked, text);
        }
    }
}
