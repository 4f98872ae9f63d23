//! The extended query: `Parse`, `Bind`, `Describe`, `Execute`, `Close`, `Sync`, `Flush`.
//!
//! Owns their fields and those that we originate. Must not know which statement a name stands
//! for. Borrows the bodies.

use crate::postgres::write::{message, put_cstr, put_i16};
use crate::postgres::{Format, Reader, Violation};

/// `Parse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parse<'a> {
    /// Name of the statement; empty for the unnamed one.
    pub name: &'a [u8],
    /// Its text.
    pub text: &'a [u8],
    /// Declared parameter types, four bytes each; 0 leaves it to the server.
    types: &'a [u8],
}

impl<'a> Parse<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let name = reader.cstr("statement name")?;
        let text = reader.cstr("statement text")?;
        let count = reader.count("number of parameter types")?;
        let types = reader.bytes(count * 4, "parameter types")?;
        reader.finish()?;
        Ok(Self { name, text, types })
    }

    /// The declared parameter types.
    pub fn types(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.types.as_chunks::<4>().0.iter().map(|four| u32::from_be_bytes(*four))
    }
}

/// A list of format codes as messages carry it: none (all text), one (for all) or one each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Formats<'a> {
    codes: &'a [u8],
}

impl<'a> Formats<'a> {
    /// Reads a count and that many codes.
    ///
    /// # Errors
    /// Where it is truncated or a code is neither 0 nor 1.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Violation> {
        let count = reader.count("number of format codes")?;
        let codes = reader.bytes(count * 2, "format codes")?;
        let formats = Self { codes };
        for code in formats.codes() {
            Format::from_code(code)?;
        }
        Ok(formats)
    }

    fn codes(&self) -> impl Iterator<Item = i16> + use<'a> {
        self.codes.as_chunks::<2>().0.iter().map(|two| i16::from_be_bytes(*two))
    }

    /// How many codes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.codes.len() / 2
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The format of the value at `index`, of `count` values; `None` where the list does not fit
    /// that many.
    #[must_use]
    pub fn of(&self, index: usize, count: usize) -> Option<Format> {
        let at = match self.len() {
            0 => return Some(Format::Text),
            1 => 0,
            n if n == count => index,
            _ => return None,
        };
        self.codes().nth(at).and_then(|code| Format::from_code(code).ok())
    }
}

/// `Bind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind<'a> {
    /// Name of the portal; empty for the unnamed one.
    pub portal: &'a [u8],
    /// Name of the statement.
    pub statement: &'a [u8],
    /// Formats of the parameters.
    pub parameter_formats: Formats<'a>,
    /// How many parameters follow.
    pub parameter_count: usize,
    parameters: &'a [u8],
    /// Formats asked for the result's columns.
    pub result_formats: Formats<'a>,
    /// Everything from the parameter formats on, as sent: what an approval is bound to.
    pub bound: &'a [u8],
}

impl<'a> Bind<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly, or a format code is unknown.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let portal = reader.cstr("portal name")?;
        let statement = reader.cstr("statement name")?;
        let bound = reader.rest();
        let parameter_formats = Formats::read(&mut reader)?;
        let parameter_count = reader.count("number of parameters")?;
        let before = reader.rest();
        for _ in 0..parameter_count {
            reader.value("parameter")?;
        }
        let parameters = before.get(..before.len() - reader.rest().len()).unwrap_or_default();
        let result_formats = Formats::read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            portal,
            statement,
            parameter_formats,
            parameter_count,
            parameters,
            result_formats,
            bound,
        })
    }

    /// Each parameter's bytes; `None` is NULL.
    pub fn parameters(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut reader = Reader::new(self.parameters);
        (0..self.parameter_count).map_while(move |_| reader.value("parameter").ok())
    }
}

/// What `Describe` and `Close` are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A prepared statement.
    Statement,
    /// A portal.
    Portal,
}

impl Subject {
    const fn byte(self) -> u8 {
        match self {
            Self::Statement => b'S',
            Self::Portal => b'P',
        }
    }
}

/// `Describe` and `Close`, which look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Describe<'a> {
    /// What kind of thing.
    pub subject: Subject,
    /// Its name.
    pub name: &'a [u8],
}

impl<'a> Describe<'a> {
    /// Reads the body of a `Describe` or `Close`.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let subject = match reader.u8("subject")? {
            b'S' => Subject::Statement,
            b'P' => Subject::Portal,
            _ => return Err(Violation::Value { field: "subject" }),
        };
        let name = reader.cstr("name")?;
        reader.finish()?;
        Ok(Self { subject, name })
    }
}

/// `Execute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execute<'a> {
    /// Name of the portal.
    pub portal: &'a [u8],
    /// Rows after which the portal is suspended; 0 or less for no limit.
    pub rows_max: i32,
}

impl<'a> Execute<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let portal = reader.cstr("portal name")?;
        let rows_max = reader.i32("row limit")?;
        reader.finish()?;
        Ok(Self { portal, rows_max })
    }
}

/// Appends a `Parse` that declares no types.
pub fn put_parse(out: &mut Vec<u8>, name: &[u8], text: &[u8]) {
    message(out, b'P', |out| {
        put_cstr(out, name);
        put_cstr(out, text);
        put_i16(out, 0);
    });
}

/// Appends a `Describe`.
pub fn put_describe(out: &mut Vec<u8>, subject: Subject, name: &[u8]) {
    message(out, b'D', |out| {
        out.push(subject.byte());
        put_cstr(out, name);
    });
}

/// Appends a `Close`.
pub fn put_close(out: &mut Vec<u8>, subject: Subject, name: &[u8]) {
    message(out, b'C', |out| {
        out.push(subject.byte());
        put_cstr(out, name);
    });
}

/// Appends a `Sync`.
pub fn put_sync(out: &mut Vec<u8>) {
    message(out, b'S', |_| {});
}

/// Appends a `Flush`.
pub fn put_flush(out: &mut Vec<u8>) {
    message(out, b'H', |_| {});
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::write::put_i32;
    use proptest::prelude::*;

    fn bind_body(formats: &[i16], parameters: &[Option<Vec<u8>>], results: &[i16]) -> Vec<u8> {
        let mut body = Vec::new();
        put_cstr(&mut body, b"portal");
        put_cstr(&mut body, b"statement");
        let put_codes = |body: &mut Vec<u8>, codes: &[i16]| {
            put_i16(body, i16::try_from(codes.len()).unwrap());
            codes.iter().for_each(|code| put_i16(body, *code));
        };
        put_codes(&mut body, formats);
        put_i16(&mut body, i16::try_from(parameters.len()).unwrap());
        for parameter in parameters {
            match parameter {
                None => put_i32(&mut body, -1),
                Some(bytes) => {
                    put_i32(&mut body, i32::try_from(bytes.len()).unwrap());
                    body.extend_from_slice(bytes);
                }
            }
        }
        put_codes(&mut body, results);
        body
    }

    #[test]
    fn formats_are_none_one_or_one_each() {
        let body = bind_body(&[], &[], &[0, 1]);
        let bind = Bind::read(&body).unwrap();
        assert_eq!(bind.parameter_formats.of(3, 9), Some(Format::Text));
        assert_eq!(bind.result_formats.of(0, 2), Some(Format::Text));
        assert_eq!(bind.result_formats.of(1, 2), Some(Format::Binary));
        assert_eq!(bind.result_formats.of(1, 3), None);
        let body = bind_body(&[], &[], &[1]);
        assert_eq!(Bind::read(&body).unwrap().result_formats.of(7, 8), Some(Format::Binary));
        assert!(Bind::read(&bind_body(&[2], &[], &[])).is_err());
    }

    #[test]
    fn a_parse_gives_its_declared_types() {
        let body = b"s\0SELECT $1\0\0\x02\0\0\0\x17\0\0\0\0";
        let parse = Parse::read(body).unwrap();
        assert_eq!((parse.name, parse.text), (&b"s"[..], &b"SELECT $1"[..]));
        assert_eq!(parse.types().collect::<Vec<_>>(), [23, 0]);
        for cut in 0..body.len() {
            assert!(Parse::read(&body[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_we_write_we_read() {
        let mut out = Vec::new();
        put_parse(&mut out, b"s", b"SELECT 1");
        let parse = Parse::read(&out[5..]).unwrap();
        assert_eq!(
            (parse.name, parse.text, parse.types().count()),
            (&b"s"[..], &b"SELECT 1"[..], 0)
        );
        let mut out = Vec::new();
        put_describe(&mut out, Subject::Portal, b"p");
        assert_eq!(
            Describe::read(&out[5..]),
            Ok(Describe { subject: Subject::Portal, name: b"p" })
        );
        let mut out = Vec::new();
        put_close(&mut out, Subject::Statement, b"");
        assert_eq!(
            Describe::read(&out[5..]),
            Ok(Describe { subject: Subject::Statement, name: b"" })
        );
        assert!(Describe::read(b"Xname\0").is_err());
        assert_eq!(Execute::read(b"\0\0\0\0\x05"), Ok(Execute { portal: b"", rows_max: 5 }));
        assert!(Execute::read(b"\0\0\0\0").is_err());
    }

    proptest! {
        #[test]
        fn bound_values_come_back_and_no_cut_is_accepted(
            parameters in prop::collection::vec(
                prop::option::of(prop::collection::vec(any::<u8>(), 0..20)), 0..6),
            formats in prop::collection::vec(0i16..2, 0..3),
            results in prop::collection::vec(0i16..2, 0..3),
        ) {
            let body = bind_body(&formats, &parameters, &results);
            let bind = Bind::read(&body).unwrap();
            let back: Vec<_> = bind.parameters().map(|one| one.map(<[u8]>::to_vec)).collect();
            prop_assert_eq!(back, parameters);
            for cut in 0..body.len() {
                prop_assert!(Bind::read(&body[..cut]).is_err());
            }
        }

        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Bind::read(&body);
            let _ = Parse::read(&body);
            let _ = Describe::read(&body);
            let _ = Execute::read(&body);
        }
    }
}
