//! Patterns over the paths of requests.
//!
//! Owns what the paths of requests have more than those of files (`file`): a slash at the end, and
//! servers that read one path in several ways. A pattern begins with `/`; `*` stands for any run
//! of characters within a part and `?` is refused, because whoever writes it means a query; `**`
//! alone stands for any number of parts, none included, with a slash at the end or without:
//! `/v1/users/*`, `/v1/**`. A backslash takes the next character as it is.
//!
//! What grants must match for certain ([`matches`](RoutePattern::matches)): a slash at the end
//! counts, and so does case. What restricts needs only to be possible
//! ([`may_match`](RoutePattern::may_match)): a server may ignore case, a slash at the end and what
//! follows a `;`, and may take `%2F` for a slash.

use std::fmt;

use serde::Serialize;

use super::{FilePattern, FilePatternError};

/// A slash that is not one, as it is kept in a path.
const ENCODED_SLASH: &str = "%2F";

/// A compiled pattern over the paths of requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoutePattern {
    text: String,
    exact: FilePattern,
    /// In lower case, for servers that ignore case.
    folded: FilePattern,
    ending: Ending,
}

/// What may stand at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Ending {
    Slash,
    NoSlash,
    Either,
}

/// Why a pattern over the paths of requests could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoutePatternError {
    /// What is wrong with paths of files is wrong here.
    #[error(transparent)]
    Path(#[from] FilePatternError),
    /// A URL instead of its path.
    #[error("this is a whole URL; the host goes under hosts")]
    Url,
    /// A query or fragment, or a `?` that is meant as one character.
    #[error("a path has neither a query nor a fragment; names and values go under query")]
    Query,
    /// Something percent-encoded.
    #[error("paths are compared decoded; only %2F is kept, where the target takes it")]
    Encoded,
}

impl RoutePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it is not absolute, not normal, or has what it cannot have.
    pub fn parse(text: &str) -> Result<Self, RoutePatternError> {
        if text.contains("://") {
            return Err(RoutePatternError::Url);
        }
        if has_bare(text, &['?', '#']) {
            return Err(RoutePatternError::Query);
        }
        if encodes_more_than_slashes(text) {
            return Err(RoutePatternError::Encoded);
        }
        let (path, ending) = match bare(text) {
            (path, true) => (path, Ending::Slash),
            _ if text == "/" || text.ends_with("/**") => (text, Ending::Either),
            _ => (text, Ending::NoSlash),
        };
        Ok(Self {
            text: text.to_owned(),
            exact: FilePattern::parse(path)?,
            folded: FilePattern::parse(&path.to_lowercase())?,
            ending,
        })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path matches for certain. One that a server might take to lead elsewhere never
    /// does.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let (bare, has_slash) = bare(path);
        let ends = match self.ending {
            Ending::Slash => has_slash,
            Ending::NoSlash => !has_slash,
            Ending::Either => true,
        };
        ends && !climbs(bare) && self.exact.matches(bare)
    }

    /// Whether the path could match, for some server.
    #[must_use]
    pub fn may_match(&self, path: &str) -> bool {
        let folded = path.to_lowercase();
        let fits = |path: &str| self.folded.may_match(bare(path).0);
        if fits(&folded) {
            return true;
        }
        // The readings that servers are known for, one after the other and together.
        let plain = without_parameters(&folded);
        let split = folded.replace(&ENCODED_SLASH.to_lowercase(), "/");
        (plain != folded && fits(&plain))
            || (split != folded && (fits(&split) || fits(&without_parameters(&split))))
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for RoutePattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The path without the one slash at its end, and whether there was one. The root is only that
/// slash.
fn bare(path: &str) -> (&str, bool) {
    match path.strip_suffix('/') {
        Some(bare) if !bare.is_empty() && !bare.ends_with('/') => (bare, true),
        _ => (path, false),
    }
}

/// Whether an encoded slash hides a part that leads elsewhere: `..%2F..%2Fadmin`.
fn climbs(path: &str) -> bool {
    let odd = |part: &str| matches!(part, "" | "." | "..");
    let hides = |segment: &str| {
        let folded = segment.to_ascii_uppercase();
        folded.contains(ENCODED_SLASH) && folded.split(ENCODED_SLASH).any(odd)
    };
    path.split('/').any(hides)
}

/// The path without what follows a `;` in each part.
fn without_parameters(path: &str) -> String {
    let parts: Vec<&str> =
        path.split('/').map(|part| part.split(';').next().unwrap_or(part)).collect();
    parts.join("/")
}

/// Whether one of the characters stands there without a backslash before it.
fn has_bare(text: &str, wanted: &[char]) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let found = !escaped && wanted.contains(&c);
        escaped = !escaped && c == '\\';
        found
    })
}

/// Whether it has an encoded character other than a slash.
fn encodes_more_than_slashes(text: &str) -> bool {
    let is_hexadecimal =
        |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.match_indices('%').any(|(at, _)| {
        let code = text.get(at + 1..at + 3).unwrap_or_default();
        is_hexadecimal(code) && code != "2F"
    })
}

#[cfg(test)]
mod tests;
