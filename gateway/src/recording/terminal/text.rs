//! Bytes that come in pieces, as text.
//!
//! Owns the piece of a character that is still to come. What is no UTF-8 becomes U+FFFD, once for
//! each maximal part, as the Unicode standard recommends and asciinema itself does.

/// Decodes one stream.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The beginning of a character whose end has not come: three bytes at most.
    begun: Vec<u8>,
}

impl Decoder {
    /// The text of the next piece. A character is told with the piece that completes it.
    pub(super) fn piece(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        let mut rest = all.as_slice();
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return text;
                }
                Err(error) => error,
            };
            let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
            text.push_str(&String::from_utf8_lossy(valid));
            let Some(bad) = error.error_len() else {
                self.begun = after.to_vec();
                return text;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            rest = after.get(bad..).unwrap_or_default();
        }
    }

    /// What is left when the stream ends.
    pub(super) fn end(&mut self) -> &'static str {
        if std::mem::take(&mut self.begun).is_empty() { "" } else { "\u{fffd}" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_decode_to_what_the_whole_decodes_to(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let (mut decoder, mut text, mut from) = (Decoder::default(), String::new(), 0);
            for cut in cuts {
                text.push_str(&decoder.piece(&bytes[from..cut]));
                from = cut;
            }
            text.push_str(decoder.end());
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
