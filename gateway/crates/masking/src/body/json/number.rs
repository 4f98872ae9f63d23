//! Numbers of JSON (RFC 8259 section 6).
//!
//! Owns their grammar. Must not know their value.

/// Bytes at the beginning that may be of a number.
#[inline]
pub(super) fn number_len(bytes: &[u8]) -> usize {
    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    bytes.iter().take_while(is_part).count()
}

/// Whether this is a number: `-`? (`0` | digits that begin with another) (`.` digits)? (`e` sign?
/// digits)?
#[inline]
pub(super) fn is_number(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, mut rest) = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned.starts_with(b"0")) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (len, behind) = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = behind;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let unsigned = match exponent {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            unsigned => unsigned,
        };
        let (len, behind) = digits(unsigned);
        return len > 0 && behind.is_empty();
    }
    rest.is_empty()
}

#[inline]
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (len, text.get(len..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_numbers_is_kept() {
        for number in ["0", "-0", "10", "-1.5", "0.00", "1e9", "1E+9", "1.5e-10", "123456789012345"]
        {
            assert!(is_number(number.as_bytes()), "{number}");
        }
        for other in
            ["", "-", "01", "-01", "+1", "1.", ".5", "1e", "1e+", "1.e5", "--1", "1-1", "1e5.0"]
        {
            assert!(!is_number(other.as_bytes()), "{other}");
        }
    }
}
