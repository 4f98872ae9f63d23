//! Errors, notices and notifications: what a server says in words.
//!
//! Owns the field lists of `ErrorResponse` and `NoticeResponse`, and `NotificationResponse`. Must
//! not know which words may be shown. Borrows the body. Fields may come in any order, be missing
//! (a hostile server leaves out the SQLSTATE) or be unknown.

use crate::postgres::write::{message, put_cstr};
use crate::postgres::{Reader, Violation};

/// The field list of an error or notice: checked to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    list: &'a [u8],
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Severity, SQLSTATE, position, source file, line, routine: never a value of a table.
    Fixed,
    /// Schema, table, column, data type, constraint: names, not values.
    Name,
    /// Message, detail, hint, internal query, where: may quote values.
    Prose,
}

impl FieldKind {
    /// What the field with this code may hold. Codes that are not known count as prose.
    #[must_use]
    pub const fn of(code: u8) -> Self {
        match code {
            b'S' | b'V' | b'C' | b'P' | b'p' | b'F' | b'L' | b'R' => Self::Fixed,
            b's' | b't' | b'c' | b'd' | b'n' => Self::Name,
            _ => Self::Prose,
        }
    }
}

impl<'a> Fields<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where a field is not ended, or the list is not.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        while reader.u8("field code")? != 0 {
            reader.cstr("field")?;
        }
        reader.finish()?;
        Ok(Self { list: body })
    }

    /// Each code and text, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.list);
        std::iter::from_fn(move || {
            let code = reader.u8("field code").ok().filter(|code| *code != 0)?;
            Some((code, reader.cstr("field").ok()?))
        })
    }

    /// The first field with a code.
    #[must_use]
    pub fn get(&self, code: u8) -> Option<&'a [u8]> {
        self.iter().find(|(candidate, _)| *candidate == code).map(|(_, text)| text)
    }

    /// The SQLSTATE, if there is one and it has its five characters.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&'a str> {
        let code = self.get(b'C')?;
        let well_formed = code.len() == 5
            && code.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        well_formed.then(|| str::from_utf8(code).ok()).flatten()
    }

    /// The message, as far as it is UTF-8.
    #[must_use]
    pub fn message(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.get(b'M').unwrap_or_default())
    }

    /// Whether the server ends the connection after this.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        let severity = self.get(b'V').or_else(|| self.get(b'S')).unwrap_or_default();
        matches!(severity, b"FATAL" | b"PANIC")
    }
}

/// `NotificationResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// The channel.
    pub channel: &'a [u8],
    /// What was sent along.
    pub payload: &'a [u8],
}

impl<'a> Notification<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        reader.i32("process id")?;
        let channel = reader.cstr("channel")?;
        let payload = reader.cstr("payload")?;
        reader.finish()?;
        Ok(Self { channel, payload })
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The statement failed.
    Error,
    /// The connection ends.
    Fatal,
    /// Worth knowing.
    Notice,
    /// Worth worrying.
    Warning,
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
        }
    }
}

/// An error or notice of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words<'a> {
    /// How bad it is.
    pub severity: Severity,
    /// Five characters.
    pub sqlstate: &'a str,
    /// One sentence, lower case, without a full stop.
    pub message: &'a str,
    /// More about it.
    pub detail: Option<&'a str>,
    /// What to do.
    pub hint: Option<&'a str>,
    /// Where in the statement's text, in characters from 1.
    pub position: Option<usize>,
}

/// Appends an `ErrorResponse`.
pub fn put_error(out: &mut Vec<u8>, words: &Words<'_>) {
    put_words(out, b'E', words);
}

/// Appends a `NoticeResponse`.
pub fn put_notice(out: &mut Vec<u8>, words: &Words<'_>) {
    put_words(out, b'N', words);
}

fn put_words(out: &mut Vec<u8>, tag: u8, words: &Words<'_>) {
    message(out, tag, |out| {
        let mut field = |code: u8, text: &str| {
            out.push(code);
            put_cstr(out, text.as_bytes());
        };
        field(b'S', words.severity.word());
        field(b'V', words.severity.word());
        field(b'C', words.sqlstate);
        field(b'M', words.message);
        if let Some(detail) = words.detail {
            field(b'D', detail);
        }
        if let Some(hint) = words.hint {
            field(b'H', hint);
        }
        if let Some(position) = words.position {
            field(b'P', &position.to_string());
        }
        out.push(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn our_words_are_read_back() {
        let mut out = Vec::new();
        let words = Words {
            severity: Severity::Error,
            sqlstate: "42501",
            message: "refused",
            detail: None,
            hint: Some("ask"),
            position: Some(7),
        };
        put_error(&mut out, &words);
        assert_eq!(out[0], b'E');
        let fields = Fields::read(&out[5..]).unwrap();
        assert_eq!(fields.sqlstate(), Some("42501"));
        assert_eq!(fields.message(), "refused");
        assert_eq!(fields.get(b'H'), Some(&b"ask"[..]));
        assert_eq!(fields.get(b'D'), None);
        assert_eq!(fields.get(b'P'), Some(&b"7"[..]));
        assert!(!fields.is_fatal());
        for cut in 5..out.len() {
            assert!(Fields::read(&out[5..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_missing_or_malformed_sqlstate_is_none() {
        assert_eq!(Fields::read(b"Mboom\0\0").unwrap().sqlstate(), None);
        assert_eq!(Fields::read(b"C42\0\0").unwrap().sqlstate(), None);
        assert_eq!(Fields::read(b"C42p\n1\0\0").unwrap().sqlstate(), None);
        assert_eq!(Fields::read(b"\0").unwrap().sqlstate(), None);
    }

    #[test]
    fn unknown_fields_count_as_prose() {
        assert_eq!(FieldKind::of(b'M'), FieldKind::Prose);
        assert_eq!(FieldKind::of(b'Z'), FieldKind::Prose);
        assert_eq!(FieldKind::of(b'C'), FieldKind::Fixed);
        assert_eq!(FieldKind::of(b't'), FieldKind::Name);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(fields) = Fields::read(&body) {
                let _ = (fields.sqlstate(), fields.message(), fields.is_fatal());
            }
            let _ = Notification::read(&body);
        }
    }
}
