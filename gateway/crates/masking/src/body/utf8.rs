//! Whether a stream is UTF-8, chunk by chunk.
//!
//! Owns the character that a cut went through. Must not hold the stream.

use super::BodyFault;

/// Checks a stream.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    /// The bytes that came of the character that the last chunk ended in.
    begun: [u8; 4],
    len: usize,
}

impl Utf8Check {
    /// Checks the next chunk.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<(), BodyFault> {
        while self.len > 0 {
            let Some((first, rest)) = chunk.split_first() else { return Ok(()) };
            if let Some(place) = self.begun.get_mut(self.len) {
                *place = *first;
            }
            self.len += 1;
            chunk = rest;
            match std::str::from_utf8(self.begun.get(..self.len).ok_or(BodyFault::Utf8)?) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(BodyFault::Utf8),
            }
        }
        let Err(error) = std::str::from_utf8(chunk) else { return Ok(()) };
        let begun = chunk.get(error.valid_up_to()..).unwrap_or_default();
        let place = self.begun.get_mut(..begun.len()).filter(|_| error.error_len().is_none());
        place.ok_or(BodyFault::Utf8)?.copy_from_slice(begun);
        self.len = begun.len();
        Ok(())
    }

    /// Whether no character is begun.
    pub(super) const fn is_complete(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_stream_is_utf8_exactly_if_the_whole_is(
            pieces in prop::collection::vec(prop_oneof![
                4 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
                1 => prop::collection::vec(any::<u8>(), 1..3),
            ], 0..6),
            size in 1..5_usize,
        ) {
            let whole = pieces.concat();
            let mut check = Utf8Check::default();
            let passed = whole.chunks(size).all(|chunk| check.push(chunk).is_ok());
            prop_assert_eq!(passed && check.is_complete(), std::str::from_utf8(&whole).is_ok());
        }
    }
}
