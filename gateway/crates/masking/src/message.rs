//! Error and notice texts without the values they quote.
//!
//! Owns the closed vocabulary of words that may stay. A server's message mixes fixed words with
//! values (`Key (email)=(bob@example.com) already exists.`), and a value can imitate any quoting,
//! so quotes prove nothing. What stays is therefore chosen by word: those that servers write in
//! their own messages stay where they stand outside quotes and brackets; every other word, name
//! and number becomes `***`. A message in another language, or one a function raised, loses all
//! of it. Must not know which messages need it; the caller decides.

use crate::transform::STARS;

/// Words of server messages that say nothing about a row, in lower case.
const WORDS: &str = "\
    a aborted access aggregate ahead already ambiguous an and any are argument array as at be \
    because been before between block blocks boolean by can canceling cannot cascade cast character \
    characters check column columns command commands compared constraint contains conversion \
    could create current cursor database date deadlock deferred defined delete denied depends \
    detail detected division do does double drop due duplicate encoding end error exceeded \
    exceeds exist exists expected expression failed failing field for foreign found from \
    function group has hint identifier ignored in input insert integer interval into invalid \
    is it json key large length line lock long malformed match matches maximum minimum missing \
    more must name near no not null number numeric object of on only operator or out outside \
    overflow overlaps parameter permission position precision present privilege query range \
    read record reference referenced relation result returned role row rows schema security \
    select sequence serialize server set skipping specified statement still string syntax \
    table text than that the there this time timeout timestamp to token too transaction \
    trigger truncated type types unexpected unique unknown unrecognized unterminated until update \
    used user uuid value values varying view violates was while with within without would xml \
    you zero";

/// Letters of the longest of them.
const WORD_LEN_MAX: usize = 16;

/// The text with everything that may be a value starred.
///
/// `duplicate key value violates unique constraint "users_email_key"` becomes
/// `duplicate key value violates unique constraint "***"`.
#[must_use]
pub fn redact_message(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().min(1024));
    // The quote that would close the quoted text we are in, and how many brackets are open.
    let (mut quote, mut depth) = (None, 0_usize);
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        if is_word(*byte) {
            let len = rest.iter().take_while(|byte| is_word(**byte)).count();
            let (word, after) = rest.split_at_checked(len).unwrap_or((rest, b""));
            if quote.is_none() && depth == 0 && is_known(word) {
                out.extend_from_slice(word);
            } else {
                push_stars(&mut out);
            }
            rest = after;
            continue;
        }
        match byte {
            b'"' | b'\'' | b'`' if quote.is_none() => quote = Some(*byte),
            _ if quote == Some(*byte) => quote = None,
            b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        push_mark(*byte, quote.is_some() || depth > 0, &mut out);
        rest = tail;
    }
    out
}

/// Letters, digits and what may be within a word or value; bytes beyond ASCII among them.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'$' | b'#' | b'%' | 0x80..)
}

fn is_known(word: &[u8]) -> bool {
    let mut lower = [0_u8; WORD_LEN_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).is_ok_and(|word| WORDS.split(' ').any(|known| known == word))
}

/// Stars a word; neighbouring stars run together, so that words are not counted.
fn push_stars(out: &mut Vec<u8>) {
    if out.ends_with(b"*** ") {
        out.pop();
    } else if !out.ends_with(STARS) {
        out.extend_from_slice(STARS);
    }
}

/// Passes punctuation and blanks. Within quotes and brackets only those marks themselves pass.
fn push_mark(byte: u8, inside: bool, out: &mut Vec<u8>) {
    let is_bracket = matches!(byte, b'"' | b'\'' | b'`' | b'(' | b')' | b'[' | b']' | b'{' | b'}');
    match byte {
        _ if is_bracket => out.push(byte),
        _ if inside || out.ends_with(STARS) && !byte.is_ascii_whitespace() && byte != b'=' => {
            push_stars(out);
        }
        b'\n' => out.push(b'\n'),
        _ if byte.is_ascii_whitespace() => out.push(b' '),
        b'.' | b',' | b':' | b';' | b'=' | b'!' | b'?' | b'-' => out.push(byte),
        _ => push_stars(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(text: &str) -> String {
        String::from_utf8(redact_message(text.as_bytes())).unwrap()
    }

    #[test]
    fn every_word_of_the_vocabulary_is_known() {
        for word in WORDS.split(' ') {
            assert!(
                is_known(word.as_bytes()) && is_known(word.to_uppercase().as_bytes()),
                "{word}"
            );
        }
        assert!(!is_known(b"") && !is_known(b"bob") && !is_known(&[b'a'; 64]));
    }

    #[test]
    fn server_messages_keep_their_words_and_lose_their_values() {
        let mut table = String::new();
        for text in [
            "duplicate key value violates unique constraint \"users_email_key\"",
            "Key (email)=(bob@example.com) already exists.",
            "Key (a, b)=(x), y(z) already exists) already exists.",
            "invalid input syntax for type integer: \"amy@example.com\"",
            "invalid input syntax for type integer: \"amy\" secret \"x\"",
            "Failing row contains (1, bob@example.com, null, 4111111111111111).",
            "null value in column \"email\" of relation \"users\" violates not-null constraint",
            "value too long for type character varying(20)",
            "permission denied for table users",
            "division by zero",
            "bob@example.com",
            "email is bob smith and it is secret",
            "la valeur d'une clé dupliquée rompt la contrainte",
            "Token \"bob\" is invalid.",
            "JSON data, line 1: {\"email\": \"bob@example.com\"",
        ] {
            table.push_str(&format!("{text}\n  -> {}\n", redact(text)));
        }
        insta::assert_snapshot!(table);
    }

    proptest::proptest! {
        /// Whatever surrounds it and however it is quoted, a value is not in the output.
        #[test]
        fn a_value_never_passes(
            before in "[a-z \"'()=:,.]{0,20}",
            value in "[A-Za-z0-9@._]{4,12}",
            after in "[a-z \"'()=:,.]{0,20}",
        ) {
            let known = value
                .split(|c: char| !c.is_ascii_alphanumeric())
                .all(|word| word.is_empty() || is_known(word.as_bytes()));
            proptest::prop_assume!(!known && value.bytes().any(|b| b.is_ascii_digit()));
            let text = format!("{before} {value} {after}");
            proptest::prop_assert!(!redact(&text).contains(value.trim_matches('.')));
        }
    }
}
