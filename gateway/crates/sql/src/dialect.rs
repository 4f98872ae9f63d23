//! A dialect of SQL, and which of its texts are read alike.
//!
//! Owns telling texts that differ in nothing but numbers they compare with. Must not know a grammar: what
//! cannot be told from the signs alone is told apart.

use crate::{Analysis, AnalysisLimits, Scope, Unreadable};

/// How the statements of one kind of server are read.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Reads a text.
    pub analyse: fn(&str, &Scope<'_>, &AnalysisLimits) -> Result<Analysis, Unreadable>,
    /// The signs that begin and end what is no number, whatever stands in it.
    pub(crate) quotes: &'static [u8],
}

/// Digits of a number that is of the same type as any other of its length: more may be beyond four bytes.
const DIGITS_MAX: usize = 9;

/// Signs of operators, in any dialect.
const OPERATOR_SIGNS: &[u8] = b"+-*/<>=~!@#%^&|`?:";

/// The operators after which a number is a value and nothing else.
const COMPARISONS: [&[u8]; 7] = [b"=", b"<", b">", b"<=", b">=", b"<>", b"!="];

impl Dialect {
    /// The text with other digits in place of those of each number that it compares with, as long as it was:
    /// every text with the same pattern has the same analysis, byte for byte. `None` where there is no such
    /// number, or the text is not a `SELECT` of plain words, signs and quoted parts: a comment, a backslash, a
    /// dollar or a variable in it, and it is like no other.
    #[must_use]
    pub fn pattern(&self, text: &str) -> Option<String> {
        let first = text.trim_start().get(..7)?;
        if !first.get(..6)?.eq_ignore_ascii_case("SELECT") || !first.ends_with([' ', '\n', '\t']) {
            return None;
        }
        let mut made = text.as_bytes().to_vec();
        let mut found = false;
        let mut at = 0;
        while let Some(&byte) = made.get(at) {
            match byte {
                quote if self.quotes.contains(&quote) => {
                    let inside = made.get(at + 1..)?;
                    let length = inside.iter().position(|byte| *byte == quote || *byte == b'\\')?;
                    if inside.get(length) != Some(&quote) {
                        return None;
                    }
                    at += length + 2;
                }
                b'0'..=b'9' => {
                    let length = word_length(made.get(at..)?);
                    let (before, rest) = made.split_at_mut_checked(at)?;
                    let (number, after) = rest.split_at_mut_checked(length)?;
                    let is_whole = number.iter().all(u8::is_ascii_digit)
                        && length <= DIGITS_MAX
                        && after.first() != Some(&b'.');
                    if is_whole && is_compared(before) {
                        number.fill(b'1');
                        found = true;
                    }
                    at += length;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => at += word_length(made.get(at..)?),
                b' ' | b'\n' | b'\t' | b'\r' | b',' | b'.' | b'(' | b')' | b'[' | b']' | b'='
                | b'<' | b'>' | b'!' | b'+' | b'*' | b'%' | b':' => at += 1,
                b';' if made.get(at + 1..)?.trim_ascii().is_empty() => at += 1,
                _ => return None,
            }
        }
        if found { String::from_utf8(made).ok() } else { None }
    }
}

/// Bytes of the word or number that begins here, as far as it goes in any dialect.
fn word_length(bytes: &[u8]) -> usize {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    bytes.iter().position(|byte| !in_word(byte)).unwrap_or(bytes.len())
}

/// Whether what comes next is what something is compared with.
fn is_compared(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let signs = before.iter().rev().take_while(|byte| OPERATOR_SIGNS.contains(byte)).count();
    let (rest, operator) = before.split_at(before.len() - signs);
    if signs > 0 {
        return COMPARISONS.contains(&operator);
    }
    let letters = rest.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (rest, word) = rest.split_at(rest.len() - letters);
    // Not the end of a longer name, nor a name behind a dot or within quotes.
    rest.ends_with(b" ")
        && (word.eq_ignore_ascii_case(b"AND") || word.eq_ignore_ascii_case(b"BETWEEN"))
}

#[cfg(test)]
mod tests {
    use crate::{mysql, postgres};

    #[test]
    fn numbers_that_are_compared_with_are_all_that_changes() {
        for (text, pattern) in [
            ("SELECT c FROM t WHERE id=50321", "SELECT c FROM t WHERE id=11111"),
            (
                "select c from t where id >= 7 and n < 89;\n",
                "select c from t where id >= 1 and n < 11;\n",
            ),
            (
                "SELECT c FROM t WHERE id BETWEEN 499 AND 598 ORDER BY 1",
                "SELECT c FROM t WHERE id BETWEEN 111 AND 111 ORDER BY 1",
            ),
            (
                "SELECT \"a=5\".b FROM t WHERE n = 'x=5' AND id<>5 LIMIT 5",
                "SELECT \"a=5\".b FROM t WHERE n = 'x=5' AND id<>1 LIMIT 5",
            ),
            (
                "SELECT f(2, 'it''s=2') FROM t2 WHERE a2 = 2",
                "SELECT f(2, 'it''s=2') FROM t2 WHERE a2 = 1",
            ),
        ] {
            assert_eq!(postgres::DIALECT.pattern(text).as_deref(), Some(pattern));
            assert_eq!(mysql::DIALECT.pattern(text).as_deref(), Some(pattern));
        }
        let quoted = "SELECT `a=5` FROM t WHERE id = 5";
        assert_eq!(mysql::DIALECT.pattern(quoted).unwrap(), "SELECT `a=5` FROM t WHERE id = 1");
        assert_eq!(postgres::DIALECT.pattern(quoted), None);
    }

    #[test]
    fn what_may_be_anything_else_is_left_as_it_is() {
        for text in [
            "SELECT 1",
            "SELECT",
            "SELECTED FROM t WHERE a = 5",
            "SELECT c FROM t ORDER BY 5",
            "SELECT c FROM t LIMIT 5, 10",
            "SELECT c FROM t WHERE id = 5.5",
            "SELECT c FROM t WHERE id = 5e5",
            "SELECT c FROM t WHERE id = 0x55",
            "SELECT c FROM t WHERE id = 5555555555",
            "SELECT c FROM t WHERE id = 5é",
            "SELECT c FROM t WHERE id = 5$",
            "SELECT f(a => 5) FROM t",
            "SELECT d -> 5 FROM t",
            "SELECT d <@ 5 FROM t",
            "SELECT c FROM t WHERE a := 5",
            "SELECT @a = 5",
            "SELECT c FROM t WHERE id = 5 -- five",
            "SELECT c FROM t WHERE id = 5 # five",
            "SELECT c FROM t /*! WHERE id = 5 */",
            "SELECT c FROM t WHERE n = 'a\\' AND id = 5 AND n = ''",
            "SELECT c FROM t WHERE n = $$ = 5 $$",
            "SELECT c FROM t WHERE n = 'open AND id = 5",
            "SELECT c FROM t WHERE id = 5; SET a = 5",
            "SET sql_mode = 5",
            "UPDATE t SET a = 5",
            "SELECT a_and 5",
            "SELECT t.and 5",
        ] {
            assert_eq!(mysql::DIALECT.pattern(text), None, "{text}");
            assert_eq!(postgres::DIALECT.pattern(text), None, "{text}");
        }
    }
}
