//! Patterns over the fields of JSON documents and forms.
//!
//! Owns reading one and what its parts say. Must not know how a document is read, nor go through
//! one: the parts are given out, and whoever reads the document keeps its place among them. A
//! pattern is names divided by dots, from the root of the document down. Within a name `*` stands
//! for any run of characters and `?` for one, so that `*` alone is any one name; a part that is
//! `**` alone stands for any number of names, none included; a part in double quotes is taken
//! literally (`""` is one quote). An element of an array has its index, counted from 0, as its
//! name. Names are compared as they read once escapes are resolved; both ends are anchored and
//! case counts.

use std::fmt;

use serde::Serialize;

use super::{Chars, Piece, glob_matches, parse_quoted};

/// Stands, as a part, for any number of names.
const ANY_DEPTH: &str = "**";

/// A compiled pattern over fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPattern {
    text: String,
    parts: Vec<FieldPart>,
}

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldPart {
    /// `**`: any number of names. Two never stand side by side.
    Deep,
    /// `*`: any one name.
    Any,
    /// One name, as it is.
    Name(String),
    /// One name that a glob matches.
    Glob(NameGlob),
}

/// The glob of one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameGlob(Vec<Piece>);

/// Why a pattern over fields could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldPatternError {
    /// Nothing, or nothing between two dots.
    #[error("the field has an empty part; write * for any name")]
    Empty,
    /// `**` beside other characters.
    #[error("** stands for names and is a part alone: **.email")]
    Deep,
    /// A double quote without its end, or text before or after a quoted part.
    #[error("a double quote is not closed, or stands beside other text: \"first.name\".x")]
    Quote,
    /// Something of another notation: a `$` root or an index in brackets.
    #[error(
        "$ and [0] have no meaning here; write users.0.email, users.*.email, or quote the part"
    )]
    Notation,
}

impl NameGlob {
    /// Whether the name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        glob_matches(&self.0, name)
    }
}

impl FieldPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where a part is empty, a quote is not closed, or it is written in another notation.
    pub fn parse(text: &str) -> Result<Self, FieldPatternError> {
        let mut parts: Vec<FieldPart> = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            let part = parse_part(&mut rest)?;
            // Two that follow each other say what one says.
            if part != FieldPart::Deep || parts.last() != Some(&FieldPart::Deep) {
                parts.push(part);
            }
            match rest.next() {
                None => return Ok(Self { text: text.to_owned(), parts }),
                Some('.') => {}
                Some(_) => return Err(FieldPatternError::Quote),
            }
        }
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same pattern below another: where what it is about stands within something else.
    #[must_use]
    pub fn below(&self, outer: &Self) -> Self {
        let text = format!("{}.{}", outer.text, self.text);
        let mut parts = outer.parts.clone();
        // Two `**` that follow each other say what one says.
        let doubled = parts.last() == Some(&FieldPart::Deep) && self.parts.first() == parts.last();
        parts.extend(self.parts.iter().skip(usize::from(doubled)).cloned());
        Self { text, parts }
    }

    /// What this pattern is about of a member of the root, and nothing else: patterns that begin with
    /// its name. None where the pattern is not about it.
    #[must_use]
    pub fn within(&self, name: &str) -> Vec<Self> {
        let mut found = Vec::new();
        let mut parts = self.parts.as_slice();
        while let Some((part, rest)) = parts.split_first() {
            let is_deep = *part == FieldPart::Deep;
            let passes = match part {
                FieldPart::Deep | FieldPart::Any => true,
                FieldPart::Name(own) => own == name,
                FieldPart::Glob(glob) => glob.matches(name),
            };
            if passes {
                let mut own = vec![FieldPart::Name(name.to_owned())];
                own.extend(if is_deep { parts } else { rest }.iter().cloned());
                found.push(Self { text: self.text.clone(), parts: own });
            }
            // It may stand for no name: then the name is the next part's.
            if !is_deep {
                break;
            }
            parts = rest;
        }
        found
    }

    /// Whether it is about the field at this path, or about what the field is in.
    #[must_use]
    pub fn covers(&self, path: &[&str]) -> bool {
        covers(&self.parts, path)
    }

    /// Its parts, the outermost first; never none.
    #[must_use]
    pub fn parts(&self) -> &[FieldPart] {
        &self.parts
    }
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for FieldPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Whether the parts match the path, or the beginning of it.
fn covers(parts: &[FieldPart], path: &[&str]) -> bool {
    let Some((part, behind)) = parts.split_first() else { return true };
    let rest = path.split_first().map(|(name, rest)| (*name, rest));
    match (part, rest) {
        (FieldPart::Deep, rest) => {
            covers(behind, path) || rest.is_some_and(|(_, rest)| covers(parts, rest))
        }
        (_, None) => false,
        (FieldPart::Any, Some((_, rest))) => covers(behind, rest),
        (FieldPart::Name(own), Some((name, rest))) => own == name && covers(behind, rest),
        (FieldPart::Glob(glob), Some((name, rest))) => glob.matches(name) && covers(behind, rest),
    }
}

fn parse_part(rest: &mut Chars<'_>) -> Result<FieldPart, FieldPatternError> {
    if rest.next_if_eq(&'"').is_some() {
        let name = parse_quoted(rest).map_err(|_| FieldPatternError::Quote)?;
        return Ok(FieldPart::Name(name));
    }
    let mut text = String::new();
    while let Some(next) = rest.next_if(|next| *next != '.') {
        match next {
            '"' => return Err(FieldPatternError::Quote),
            '$' if text.is_empty() => return Err(FieldPatternError::Notation),
            '[' | ']' => return Err(FieldPatternError::Notation),
            other => text.push(other),
        }
    }
    match text.as_str() {
        "" => Err(FieldPatternError::Empty),
        ANY_DEPTH => Ok(FieldPart::Deep),
        "*" => Ok(FieldPart::Any),
        _ if text.contains(ANY_DEPTH) => Err(FieldPatternError::Deep),
        _ if text.contains(['*', '?']) => Ok(FieldPart::Glob(glob(&text))),
        _ => Ok(FieldPart::Name(text)),
    }
}

fn glob(text: &str) -> NameGlob {
    let piece = |c| match c {
        '*' => Piece::Run,
        '?' => Piece::One,
        other => Piece::Char(other),
    };
    NameGlob(text.chars().map(piece).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<FieldPart> {
        FieldPattern::parse(text).unwrap().parts
    }

    fn name(text: &str) -> FieldPart {
        FieldPart::Name(text.to_owned())
    }

    #[test]
    fn a_pattern_is_read_into_its_parts() {
        assert_eq!(parts("users.*.email"), [name("users"), FieldPart::Any, name("email")]);
        assert_eq!(parts("**.email"), [FieldPart::Deep, name("email")]);
        assert_eq!(parts("\"a.b\".\"\"\"\".0"), [name("a.b"), name("\""), name("0")]);
        assert_eq!(parts("\"**\".\"*\".\"$\""), [name("**"), name("*"), name("$")]);
        assert_eq!(parts("a.**.**.b"), [name("a"), FieldPart::Deep, name("b")]);
        assert_eq!(parts("e\u{301} x.a$b"), [name("e\u{301} x"), name("a$b")]);
    }

    #[test]
    fn a_star_within_a_name_stands_for_any_run_of_characters() {
        let glob = |text| match parts(text).pop() {
            Some(FieldPart::Glob(glob)) => glob,
            other => panic!("{other:?}"),
        };
        let card = glob("card_*");
        assert!(card.matches("card_") && card.matches("card_number") && !card.matches("Card_1"));
        let one = glob("?");
        assert!(one.matches("\u{e9}") && !one.matches("") && !one.matches("ab"));
    }

    #[test]
    fn a_pattern_below_another_reads_as_if_it_had_been_written_so() {
        for (outer, inner) in [("items.*", "data.*"), ("a.**", "**.b"), ("object", "\"x.y\"")] {
            let below =
                FieldPattern::parse(inner).unwrap().below(&FieldPattern::parse(outer).unwrap());
            assert_eq!(below, FieldPattern::parse(&format!("{outer}.{inner}")).unwrap());
        }
    }

    #[test]
    fn a_pattern_within_a_member_is_about_that_alone() {
        for (text, want) in [
            ("data.*", &["data.*"][..]),
            ("*", &["data"]),
            ("d*.x", &["data.x"]),
            ("**", &["data.**"]),
            ("**.x", &["data.**.x"]),
            ("**.data.x", &["data.**.data.x", "data.x"]),
            ("**.*.x", &["data.**.*.x", "data.x"]),
            ("metadata.data", &[]),
            ("stringData.*", &[]),
        ] {
            let within = FieldPattern::parse(text).unwrap().within("data");
            let found: Vec<_> = within.into_iter().map(|pattern| pattern.parts).collect();
            assert_eq!(found, want.iter().map(|text| parts(text)).collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_it_is_about_and_all_in_it() {
        for (text, path, want) in [
            ("a.b", &["a", "b"][..], true),
            ("a", &["a", "b"], true),
            ("a.*", &["a", "b"], true),
            ("**.b", &["a", "b"], true),
            ("**.a", &["a", "b"], true),
            ("**", &["a"], true),
            ("a.b*", &["a", "bc"], true),
            ("a.b", &["a"], false),
            ("a.*.c", &["a", "b"], false),
            ("**.c", &["a", "b"], false),
            ("b", &["a", "b"], false),
        ] {
            assert_eq!(FieldPattern::parse(text).unwrap().covers(path), want, "{text} {path:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, want) in [
            ("", FieldPatternError::Empty),
            ("a..b", FieldPatternError::Empty),
            (".a", FieldPatternError::Empty),
            ("a.", FieldPatternError::Empty),
            ("a**.b", FieldPatternError::Deep),
            ("***", FieldPatternError::Deep),
            ("\"a", FieldPatternError::Quote),
            ("\"a\"b", FieldPatternError::Quote),
            ("a\"b\"", FieldPatternError::Quote),
            ("\"\"", FieldPatternError::Quote),
            ("$.a", FieldPatternError::Notation),
            ("a[0].b", FieldPatternError::Notation),
            ("a[*]", FieldPatternError::Notation),
        ] {
            assert_eq!(FieldPattern::parse(text), Err(want), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_shown_and_stored_as_it_was_written() {
        let pattern = FieldPattern::parse("users.*.\"e.mail\"").unwrap();
        assert_eq!(pattern.to_string(), "users.*.\"e.mail\"");
        assert_eq!(serde_json::to_string(&pattern).unwrap(), r#""users.*.\"e.mail\"""#);
    }
}
