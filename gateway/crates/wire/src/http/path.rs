//! The path and query of a request, read once and for all.
//!
//! Owns the one reading that is authorised; the bytes themselves are forwarded unchanged. A path
//! that servers are known to read in more than one way is refused: dot segments in any spelling,
//! empty segments, backslashes, path parameters, encoded slashes, what is encoded twice. Must not
//! know patterns. Source: RFC 3986, with less tolerance.

use std::borrow::Cow;

/// What an encoded slash (`%2F`) in a path is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slashes {
    /// A reason to refuse.
    #[default]
    Refuse,
    /// Three characters of a segment: for servers that keep it so (`/projects/group%2Fname`).
    Opaque,
}

/// A name of a query and its value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A path and query, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path: begins with `/`, has no empty, `.` or `..` segment but an empty last one; `*` for
    /// the server as a whole (OPTIONS).
    pub path: Cow<'a, str>,
    /// Names and values of the query, in order. Bytes that are not UTF-8 are replacement characters.
    pub query: Vec<Pair<'a>>,
}

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash.
    #[error("the path does not begin with /")]
    Relative,
    /// `//`.
    #[error("the path has an empty segment (//)")]
    EmptySegment,
    /// `.` or `..`, however spelled.
    #[error("the path has a segment . or ..")]
    DotSegment,
    /// A backslash, however spelled.
    #[error("the path has a backslash")]
    Backslash,
    /// `;`.
    #[error("the path has parameters (;)")]
    Parameters,
    /// `%2F`.
    #[error("the path has an encoded slash (%2F)")]
    EncodedSlash,
    /// A control character, however spelled.
    #[error("the path has a control character")]
    Control,
    /// A percent sign without two digits behind it.
    #[error("a percent sign stands without two hexadecimal digits")]
    Percent,
    /// An encoding of an encoding of what is refused.
    #[error("the path is encoded twice")]
    EncodedTwice,
    /// What is decoded is not UTF-8.
    #[error("the path is not UTF-8")]
    NotText,
    /// A fragment, or a character that no path has.
    #[error("the path has a character that must be encoded")]
    Character,
}

impl<'a> Target<'a> {
    /// Reads the path and query of a request line, as they were sent.
    ///
    /// # Errors
    /// What could be read in more than one way.
    pub fn read(sent: &'a str, slashes: Slashes) -> Result<Self, PathError> {
        let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
        if sent == "*" {
            return Ok(Self { path: Cow::Borrowed("*"), query: Vec::new() });
        }
        Ok(Self { path: read_path(path, slashes)?, query: read_query(query)? })
    }
}

fn read_path(sent: &str, slashes: Slashes) -> Result<Cow<'_, str>, PathError> {
    let segments = sent.strip_prefix('/').ok_or(PathError::Relative)?;
    if let Some(refused) = sent.bytes().find_map(refused_character) {
        return Err(refused);
    }
    let path = if sent.contains('%') {
        Cow::Owned(decode_path(sent, slashes)?)
    } else {
        Cow::Borrowed(sent)
    };
    // What was decoded holds no slash that was not one.
    let decoded = path.strip_prefix('/').unwrap_or_default();
    let last = segments.split('/').count().saturating_sub(1);
    for (at, segment) in decoded.split('/').enumerate() {
        match segment {
            "." | ".." => return Err(PathError::DotSegment),
            "" if at != last => return Err(PathError::EmptySegment),
            _ => {}
        }
    }
    Ok(path)
}

const fn refused_character(byte: u8) -> Option<PathError> {
    match byte {
        b'\\' => Some(PathError::Backslash),
        b';' => Some(PathError::Parameters),
        b'#' | b' ' => Some(PathError::Character),
        0..0x20 | 0x7f => Some(PathError::Control),
        0x80.. => Some(PathError::Character),
        _ => None,
    }
}

fn decode_path(sent: &str, slashes: Slashes) -> Result<String, PathError> {
    let mut out = Vec::with_capacity(sent.len());
    let mut rest = sent.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        if *byte != b'%' {
            out.push(*byte);
            rest = tail;
            continue;
        }
        let (decoded, after) = triplet(rest).ok_or(PathError::Percent)?;
        match decoded {
            b'/' if slashes == Slashes::Opaque => out.extend_from_slice(b"%2F"),
            b'/' => return Err(PathError::EncodedSlash),
            b'\\' => return Err(PathError::Backslash),
            0..0x20 | 0x7f => return Err(PathError::Control),
            b'%' if is_dangerous_again(after) => return Err(PathError::EncodedTwice),
            decoded => out.push(decoded),
        }
        rest = after;
    }
    String::from_utf8(out).map_err(|_| PathError::NotText)
}

/// Whether what follows an encoded percent sign would, decoded once more, be what is refused.
fn is_dangerous_again(after: &[u8]) -> bool {
    let mut again = Vec::with_capacity(3);
    again.push(b'%');
    again.extend(after.iter().take(2));
    matches!(triplet(&again), Some((b'/' | b'\\' | b'.' | b'%' | b';' | 0..0x20 | 0x7f, _)))
}

/// The byte that a percent sign and two digits stand for, and what comes after them.
fn triplet(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, after @ ..] = bytes else { return None };
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? << 4 | digit(low)?, after))
}

fn read_query(sent: &str) -> Result<Vec<Pair<'_>>, PathError> {
    let parts = sent.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode_query(name)?, decode_query(value)?))
        })
        .collect()
}

fn decode_query(sent: &str) -> Result<Cow<'_, str>, PathError> {
    if !sent.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(sent));
    }
    let mut out = Vec::with_capacity(sent.len());
    let mut rest = sent.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let (decoded, after) = match byte {
            b'%' => triplet(rest).ok_or(PathError::Percent)?,
            b'+' => (b' ', tail),
            byte => (*byte, tail),
        };
        out.push(decoded);
        rest = after;
    }
    Ok(Cow::Owned(String::from_utf8_lossy(&out).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(sent: &str) -> Result<String, PathError> {
        Target::read(sent, Slashes::Refuse).map(|target| target.path.into_owned())
    }

    #[test]
    fn honest_paths_are_read_as_they_are_meant() {
        for (sent, read) in [
            ("/", "/"),
            ("/v1/users", "/v1/users"),
            ("/v1/users/", "/v1/users/"),
            ("/a%20b/%C3%A9", "/a b/é"),
            ("/file%2Ejson", "/file.json"),
            ("/100%25", "/100%"),
            ("/a:b@c,d=e!$&'()*+~", "/a:b@c,d=e!$&'()*+~"),
            ("/...", "/..."),
            ("*", "*"),
        ] {
            assert_eq!(path(sent).as_deref(), Ok(read), "{sent}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        use PathError as E;
        for (sent, error) in [
            ("", E::Relative),
            ("v1", E::Relative),
            ("//", E::EmptySegment),
            ("//v1", E::EmptySegment),
            ("/v1//users", E::EmptySegment),
            ("/./v1", E::DotSegment),
            ("/v1/..", E::DotSegment),
            ("/v1/../admin", E::DotSegment),
            ("/v1/%2e%2E/admin", E::DotSegment),
            ("/v1/.%2e/admin", E::DotSegment),
            ("/v1/%2e", E::DotSegment),
            ("/v1\\admin", E::Backslash),
            ("/v1%5cadmin", E::Backslash),
            ("/v1;x=1/users", E::Parameters),
            ("/v1/..;/admin", E::Parameters),
            ("/v1%2fadmin", E::EncodedSlash),
            ("/v1%00", E::Control),
            ("/v1%0d%0aX", E::Control),
            ("/v1%7f", E::Control),
            ("/v1%", E::Percent),
            ("/v1%2", E::Percent),
            ("/v1%zz", E::Percent),
            ("/v1%u002e", E::Percent),
            ("/v1/%252e%252e/admin", E::EncodedTwice),
            ("/v1%252fadmin", E::EncodedTwice),
            ("/v1%25252fadmin", E::EncodedTwice),
            ("/v1%c0%af", E::NotText),
            ("/v1%ff", E::NotText),
            ("/v1#x", E::Character),
            ("/v1/é", E::Character),
        ] {
            assert_eq!(path(sent), Err(error), "{sent}");
        }
    }

    #[test]
    fn an_encoded_slash_that_is_allowed_is_no_slash() {
        let read = Target::read("/projects/group%2fname/%2F", Slashes::Opaque).unwrap();
        assert_eq!(read.path, "/projects/group%2Fname/%2F");
    }

    #[test]
    fn a_query_is_names_and_values_in_order() {
        let read = Target::read("/?a=1&b&a=%32+x&&=&c=a=b", Slashes::Refuse).unwrap();
        let pairs: Vec<_> = read.query.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", ""), ("a", "2 x"), ("", ""), ("c", "a=b")]);
        assert_eq!(Target::read("/?a=%", Slashes::Refuse), Err(PathError::Percent));
        let lossy = Target::read("/?a=%ff", Slashes::Refuse).unwrap();
        assert_eq!(lossy.query.first().map(|(_, value)| value.as_ref()), Some("\u{fffd}"));
    }

    proptest::proptest! {
        /// What is read can be spelled plainly, and that reads as the same: one reading, no other.
        #[test]
        fn a_path_has_one_reading(sent in "/[a-z./%25;2eEfF\\\\é]{0,24}") {
            if let Ok(once) = path(&sent) {
                proptest::prop_assert!(once.starts_with('/'));
                proptest::prop_assert!(!once.split('/').any(|part| part == "." || part == ".."));
                proptest::prop_assert!(!once.contains("//") && !once.contains('\\'));
            }
        }
    }
}
