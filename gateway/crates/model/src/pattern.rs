//! Patterns over object names: the one glob of rules and classifications.
//!
//! Owns parsing and matching. Must not know what the parts of a name mean. A pattern is text with
//! parts divided by dots; a part that is `*` alone stands for one or more parts; within a part
//! `*` stands for any run of characters and `?` for one; a part in double quotes is taken
//! literally (`""` is one quote). Both ends are anchored and case counts.

mod command;
mod endpoint;
mod field;
mod file;
mod host;
mod request;
mod resource;
mod route;

use std::fmt;

use serde::Serialize;

pub use self::command::{CommandPattern, CommandPatternError};
pub use self::endpoint::{EndpointPattern, EndpointPatternError};
pub use self::field::{FieldPart, FieldPattern, FieldPatternError, NameGlob};
pub use self::file::{FilePattern, FilePatternError};
pub use self::host::{HostPattern, HostPatternError};
pub use self::request::{
    QueryPattern, QueryPatternError, RequestPart, RequestPattern, StatusPattern, StatusPatternError,
};
pub use self::resource::{ApiPattern, ResourcePattern, ResourcePatternError};
pub use self::route::{RoutePattern, RoutePatternError};

/// What a name says for a part that could not be found out.
pub const UNKNOWN_PART: &str = "*";

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    text: String,
    parts: Vec<Part>,
    /// Whether each part stands for exactly one: then it is compared part by part.
    fixed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// One or more parts.
    Any,
    Literal(String),
    /// Characters with `None` for `*` and `Some(None)` for `?`.
    Glob(Vec<Piece>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Piece {
    Run,
    One,
    Char(char),
}

/// Why a pattern could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing, or nothing between two dots.
    #[error("the pattern has an empty part; write * for any name")]
    EmptyPart,
    /// A double quote without its end, or text right after a quoted part.
    #[error("a double quote is not closed, or text follows a quoted part without a dot")]
    Quote,
    /// A list of columns that is not closed, or a column that is not one name.
    #[error("the list of columns must be names divided by commas, closed by ) at the end")]
    Columns,
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where a part is empty or a quote is not closed.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            parts.push(if rest.peek() == Some(&'"') {
                rest.next();
                Part::Literal(parse_quoted(&mut rest)?)
            } else {
                parse_bare(&mut rest)?
            });
            match rest.next() {
                None => break,
                Some('.') => {}
                Some(_) => return Err(PatternError::Quote),
            }
        }
        let fixed = !parts.contains(&Part::Any);
        Ok(Self { text: text.to_owned(), parts, fixed })
    }

    /// Reads the pattern of a name that has one part, dots and all: `LC_*`, `first.last`.
    ///
    /// # Errors
    /// Where it is empty.
    pub fn parse_name(text: &str) -> Result<Self, PatternError> {
        let part = text.chars().map(|c| match c {
            '*' => Piece::Run,
            '?' => Piece::One,
            other => Piece::Char(other),
        });
        let part = part_of(part.collect())?;
        let fixed = part != Part::Any;
        Ok(Self { text: text.to_owned(), parts: vec![part], fixed })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern matches a name given by its parts, outermost first.
    #[must_use]
    pub fn matches<S: AsRef<str>>(&self, name: &[S]) -> bool {
        if self.fixed {
            return match_fixed(&self.parts, name, part_matches);
        }
        match_parts(&self.parts, name, part_matches)
    }

    /// Whether the pattern could match a name some of whose parts are not known: a part of the
    /// name that is `*` may be anything. What restricts asks this, what grants asks
    /// [`matches`](Self::matches).
    #[must_use]
    pub fn may_match<S: AsRef<str>>(&self, name: &[S]) -> bool {
        let fits = |part: &Part, candidate: &str| {
            candidate == UNKNOWN_PART || part_matches(part, candidate)
        };
        if self.fixed {
            return match_fixed(&self.parts, name, fits);
        }
        match_parts(&self.parts, name, fits)
    }

    /// What the last part of a name must be for the pattern to match it, where that is one word:
    /// for indexes of patterns.
    #[must_use]
    pub fn last_literal(&self) -> Option<&str> {
        match self.parts.last() {
            Some(Part::Literal(literal)) => Some(literal),
            _ => None,
        }
    }

    /// Whether any name of `arity` parts could match: a pattern that cannot is a mistake.
    #[must_use]
    pub fn can_match_arity(&self, arity: usize) -> bool {
        if self.parts.contains(&Part::Any) {
            self.parts.len() <= arity
        } else {
            self.parts.len() == arity
        }
    }

    /// The pattern without its last part and that last part's pattern, for names whose last part
    /// is looked up on its own (a column of a relation). `None` where there is only one part and
    /// it is not `*`; a trailing `*` may stand for the column alone or for more.
    #[must_use]
    pub fn matches_prefix<S: AsRef<str>>(&self, name: &[S]) -> bool {
        // Some column name would complete it: try with the last part of the pattern left out,
        // and, where that part is `*`, also with it kept (it may cover parts of the prefix).
        let Some((last, head)) = self.parts.split_last() else { return false };
        match_parts(head, name, part_matches)
            || (*last == Part::Any && match_parts(&self.parts, name, part_matches))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for PathPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// The literal of a part in double quotes, whose first quote is read.
fn parse_quoted(rest: &mut Chars<'_>) -> Result<String, PatternError> {
    let mut literal = String::new();
    loop {
        match rest.next() {
            None => return Err(PatternError::Quote),
            Some('"') if rest.peek() == Some(&'"') => {
                rest.next();
                literal.push('"');
            }
            Some('"') if literal.is_empty() => return Err(PatternError::EmptyPart),
            Some('"') => return Ok(literal),
            Some(other) => literal.push(other),
        }
    }
}

fn parse_bare(rest: &mut Chars<'_>) -> Result<Part, PatternError> {
    let mut pieces = Vec::new();
    while let Some(&next) = rest.peek() {
        match next {
            '.' => break,
            '"' => return Err(PatternError::Quote),
            '*' => {
                if pieces.last() != Some(&Piece::Run) {
                    pieces.push(Piece::Run);
                }
            }
            '?' => pieces.push(Piece::One),
            other => pieces.push(Piece::Char(other)),
        }
        rest.next();
    }
    part_of(pieces)
}

fn part_of(pieces: Vec<Piece>) -> Result<Part, PatternError> {
    if pieces.is_empty() {
        return Err(PatternError::EmptyPart);
    }
    if pieces == [Piece::Run] {
        return Ok(Part::Any);
    }
    let literal: Option<String> = pieces
        .iter()
        .map(|piece| if let Piece::Char(c) = piece { Some(*c) } else { None })
        .collect();
    Ok(literal.map_or(Part::Glob(pieces), Part::Literal))
}

/// Compares part by part, the last first: names differ there most often.
fn match_fixed<S: AsRef<str>>(
    parts: &[Part],
    name: &[S],
    fits: impl Fn(&Part, &str) -> bool,
) -> bool {
    parts.len() == name.len()
        && parts.iter().zip(name).rev().all(|(part, candidate)| fits(part, candidate.as_ref()))
}

/// Matches with one remembered way back, as for a one-line glob: a later `*` can take over all
/// that an earlier one could have, so the work is at most parts times names.
fn match_parts<S: AsRef<str>>(
    parts: &[Part],
    name: &[S],
    fits: impl Fn(&Part, &str) -> bool,
) -> bool {
    let (mut at_part, mut at_name) = (0, 0);
    // Where to go on when a later part fails: the part after the last `*`, and the name that
    // the `*` had taken up to.
    let mut back: Option<(usize, usize)> = None;
    while let Some(candidate) = name.get(at_name) {
        match parts.get(at_part) {
            Some(Part::Any) => {
                back = Some((at_part + 1, at_name + 1));
                at_part += 1;
                at_name += 1;
                continue;
            }
            Some(part) if fits(part, candidate.as_ref()) => {
                at_part += 1;
                at_name += 1;
                continue;
            }
            _ => {}
        }
        let Some((part, taken)) = back else { return false };
        back = Some((part, taken + 1));
        at_part = part;
        at_name = taken + 1;
    }
    at_part == parts.len() && at_name == name.len()
}

fn part_matches(part: &Part, candidate: &str) -> bool {
    match part {
        Part::Any => true,
        Part::Literal(literal) => literal == candidate,
        Part::Glob(pieces) => glob_matches(pieces, candidate),
    }
}

fn glob_matches(pieces: &[Piece], candidate: &str) -> bool {
    let (mut rest, mut chars) = (pieces, candidate.chars());
    // The pieces after the last `*` and the text that the `*` has not yet taken.
    let mut back: Option<(&[Piece], std::str::Chars<'_>)> = None;
    loop {
        match rest.split_first() {
            Some((Piece::Run, after)) => {
                back = Some((after, chars.clone()));
                rest = after;
                continue;
            }
            Some((piece, after)) => {
                let fits = chars.next().is_some_and(|have| match piece {
                    Piece::Char(want) => *want == have,
                    Piece::One | Piece::Run => true,
                });
                if fits {
                    rest = after;
                    continue;
                }
            }
            None if chars.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after, mut untaken)) = back else { return false };
        if untaken.next().is_none() {
            return false;
        }
        back = Some((after, untaken.clone()));
        rest = after;
        chars = untaken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        let name: Vec<&str> = name.split('.').collect();
        PathPattern::parse(pattern).unwrap().matches(&name)
    }

    #[test]
    fn a_star_alone_stands_for_one_or_more_parts() {
        assert!(matches("analytics.*", "analytics.public.users"));
        assert!(matches("*.users.email", "shop.public.users.email"));
        assert!(matches("*", "shop"));
        assert!(matches("*.b.*.d", "a.b.c.b.c.d"));
        assert!(!matches("analytics.*", "analytics"));
        assert!(!matches("*.users", "users"));
        assert!(!matches("analytics.*", "other.public.users"));
    }

    #[test]
    fn within_a_part_a_star_stands_for_characters_only() {
        assert!(matches("shop.public.user*", "shop.public.users"));
        assert!(matches("shop.p?blic.*s", "shop.public.users"));
        assert!(matches("a*b*c", "aXbXbXc"));
        assert!(!matches("a*b*c", "aXbXbX"));
        assert!(!matches("shop.pub*", "shop.public.users"));
    }

    #[test]
    fn names_are_compared_as_they_are() {
        assert!(!matches("shop.public.users", "shop.public.Users"));
        assert!(matches("\"a*b\"", "a*b"));
        assert!(!matches("\"a*b\"", "aXb"));
        let dotted = PathPattern::parse("\"a.b\".c").unwrap();
        assert!(dotted.matches(&["a.b", "c"]));
        assert!(!dotted.matches(&["a", "b", "c"]));
    }

    #[test]
    fn a_mistake_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "\"\"", "\"a", "\"a\"b", "a\"b"] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_relation_is_found_by_a_column_pattern() {
        let pattern = PathPattern::parse("*.users.email").unwrap();
        assert!(pattern.matches_prefix(&["shop", "public", "users"]));
        assert!(!pattern.matches_prefix(&["shop", "public", "orders"]));
        assert!(PathPattern::parse("shop.*").unwrap().matches_prefix(&["shop", "public", "users"]));
    }

    #[test]
    fn what_is_not_known_of_a_name_may_match_and_does_not_match() {
        let pattern = PathPattern::parse("shop.pg_catalog.pg_sleep").unwrap();
        assert!(pattern.may_match(&["shop", "*", "pg_sleep"]));
        assert!(!pattern.matches(&["shop", "*", "pg_sleep"]));
        assert!(!pattern.may_match(&["shop", "*", "now"]));
        assert!(!pattern.may_match(&["shop", "*"]));
        assert!(!PathPattern::parse("crm.*").unwrap().may_match(&["shop", "*", "*"]));
    }

    #[test]
    fn the_last_literal_is_the_last_part_of_every_name_that_matches() {
        let last = |text| PathPattern::parse(text).unwrap().last_literal().map(str::to_owned);
        assert_eq!(last("shop.*.users").as_deref(), Some("users"));
        assert_eq!(last("shop.public.\"a.b\"").as_deref(), Some("a.b"));
        assert_eq!(last("shop.public.user*"), None);
        assert_eq!(last("shop.*"), None);
    }

    #[test]
    fn a_glob_counts_characters_not_bytes() {
        assert!(matches("a?c", "a\u{e9}c"));
        assert!(matches("*\u{e9}?", "xx\u{e9}\u{e9}"));
        assert!(!matches("??", "\u{e9}"));
        assert!(matches("*a*a*", "aa"));
        assert!(!matches("*a*a*", "a"));
    }

    #[test]
    fn arity_tells_what_can_never_match() {
        assert!(PathPattern::parse("a.*").unwrap().can_match_arity(3));
        assert!(!PathPattern::parse("public.users").unwrap().can_match_arity(3));
        assert!(!PathPattern::parse("a.b.c.*").unwrap().can_match_arity(3));
    }
}
