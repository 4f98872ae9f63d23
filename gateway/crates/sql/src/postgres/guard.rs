//! A look at the raw text for what the grammar's lexer reads in more than linear time.
//!
//! Owns the bounds on block comments and runs of operator characters: 120 KB of `/*/*/*..` cost
//! the lexer 47 s, 120 KB of `+` cost it 20 s. It only needs to know strings and comments apart
//! well enough to leave honest ones alone; what a statement means is the grammar's to say.

use crate::Unreadable;

/// Block comments that begin inside one another.
const COMMENT_DEPTH_MAX: usize = 32;
/// Block comments of one text.
const COMMENTS_MAX: usize = 2_000;
/// Operator characters in a row; the server takes names of up to 63.
const OPERATOR_MAX: usize = 64;

/// Refuses what the lexer would choke on.
pub(super) fn check(text: &str) -> Result<(), Unreadable> {
    let mut rest = text.as_bytes();
    let mut comments = 0;
    let mut operator = 0;
    let mut before = b' ';
    while let Some((&byte, after)) = rest.split_first() {
        let (length, keeps_operator) = match (byte, after.first()) {
            (b'-', Some(b'-')) => (line_length(rest), false),
            (b'/', Some(b'*')) => (comment_length(rest, &mut comments)?, false),
            (b'\'', _) => (quoted_length(rest, b'\'', is_escape_string(text, rest)), false),
            (b'"', _) => (quoted_length(rest, b'"', false), false),
            (b'$', _) if !is_identifier(before) => (dollar_length(rest), false),
            (byte, _) => (1, is_operator(byte)),
        };
        operator = if keeps_operator { operator + 1 } else { 0 };
        if operator > OPERATOR_MAX {
            return Err(Unreadable::Tangled { what: "an operator that is too long" });
        }
        let (taken, left) = rest.split_at_checked(length.max(1)).unwrap_or((rest, &[]));
        // After a parameter or a dollar quote another one may begin at once.
        let closed = byte == b'$' && length > 1;
        before = taken.last().copied().filter(|_| !closed).unwrap_or(b' ');
        rest = left;
    }
    Ok(())
}

const fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

const fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn line_length(rest: &[u8]) -> usize {
    rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len())
}

fn comment_length(rest: &[u8], comments: &mut usize) -> Result<usize, Unreadable> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match (rest.get(at), rest.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                *comments += 1;
                at += 2;
                if depth > COMMENT_DEPTH_MAX || *comments > COMMENTS_MAX {
                    return Err(Unreadable::Tangled { what: "too many comments" });
                }
            }
            (Some(b'*'), Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Ok(at);
                }
            }
            (Some(_), _) => at += 1,
            (None, _) => return Ok(rest.len()),
        }
    }
}

/// A doubled quote ends one string and begins the next, which comes to the same.
fn quoted_length(rest: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        at += 1;
        if *byte == quote {
            return at;
        }
        if escapes && *byte == b'\\' {
            at += 1;
        }
    }
    rest.len()
}

/// Whether the quote at the start of `rest` follows a lone `E`.
fn is_escape_string(text: &str, rest: &[u8]) -> bool {
    let mut before = text.as_bytes().iter().take(text.len() - rest.len()).rev();
    matches!(before.next(), Some(b'e' | b'E'))
        && !before.next().is_some_and(|byte| is_identifier(*byte))
}

/// `$tag$ .. $tag$`, or only the dollar where no such quote begins.
fn dollar_length(rest: &[u8]) -> usize {
    let digit = rest.get(1).is_some_and(u8::is_ascii_digit);
    let Some(tag_end) = rest.iter().skip(1).position(|byte| *byte == b'$').map(|end| end + 2)
    else {
        return 1;
    };
    let Some(tag) = rest.get(..tag_end) else { return 1 };
    let inside = tag.iter().skip(1).take(tag_end - 2);
    if digit || !inside.clone().all(|byte| is_identifier(*byte)) {
        // A parameter: its digits are not part of a name.
        let digits = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        return 1 + digits;
    }
    let body = rest.get(tag_end..).unwrap_or_default();
    let end = find(body, tag);
    end.map_or(rest.len(), |end| tag_end + end + tag_end)
}

fn find(body: &[u8], tag: &[u8]) -> Option<usize> {
    body.windows(tag.len()).position(|window| window == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_texts_pass_whatever_their_strings_and_comments_hold() {
        let long = "=".repeat(300);
        let nested = "/*".repeat(300);
        for text in [
            format!("-- {long}\nSELECT 1"),
            format!("/* {long} */ SELECT 1"),
            format!(
                "SELECT '{long}', \"{long}\", $${nested}$$, $a${nested} $$ $a$, E'\\'{nested}'"
            ),
            format!("SELECT 'it''s {nested}'"),
            format!("SELECT $1, a$b$c FROM t -- {nested}"),
            "/* /* two */ */ SELECT a->>'b' <> $1 AND -1 = - -1".into(),
        ] {
            assert_eq!(check(&text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_the_lexer_chokes_on_is_refused() {
        for text in [
            "/*".repeat(60_000),
            "/**/".repeat(30_000),
            format!("SELECT {}1", "+".repeat(100)),
            format!("SELECT '' {}1", "-@".repeat(100)),
            format!("SELECT ne'\\' {}", "+".repeat(100)),
            format!("SELECT $1$a$ $a$ {}", "+".repeat(100)),
        ] {
            assert!(matches!(check(&text), Err(Unreadable::Tangled { .. })), "{text:.40}");
        }
    }
}
