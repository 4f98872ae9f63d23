//! Patterns over the paths of files.
//!
//! Owns reading and matching one. Must not know what is done to a file, nor follow a link. A
//! pattern is absolute; within a component `*` stands for any run of characters and `?` for one; a
//! component that is `**` alone stands for any number of components, none included, so that
//! `/srv/app/**` is the directory and all below it. A backslash takes the next character as it is.
//! Both ends are anchored and case counts.
//!
//! A path that ends in `/**` speaks of a directory with all below it (a recursive transfer), and
//! `*` of one that is not known. What grants must match all of it for certain
//! ([`matches`](FilePattern::matches)), what restricts needs only to be possible
//! ([`may_match`](FilePattern::may_match)).

use std::fmt;

use serde::Serialize;

use super::{Piece, UNKNOWN_PART, glob_matches};

/// Stands, as the last component of a path, for all below it.
const ALL_BELOW: &str = "**";

/// A compiled pattern over paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilePattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Any number of components.
    Deep,
    /// One component.
    One(Vec<Piece>),
}

/// Why a pattern over paths could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilePatternError {
    /// It does not begin with a slash.
    #[error("a path begins with /")]
    Relative,
    /// Nothing between two slashes, or a slash at the end.
    #[error("the path has an empty component; write /srv/app/** for all below /srv/app")]
    Empty,
    /// `.` or `..`.
    #[error("a path is compared without . and .., so this never matches")]
    Dots,
    /// `**` beside other characters.
    #[error("** stands for components and is one alone: /srv/**/x")]
    Deep,
    /// Something that shells expand and we do not.
    #[error("[ and {{ have no meaning here; write \\[ for the character itself")]
    Bracket,
    /// A backslash at the end.
    #[error("a backslash is followed by the character it is for")]
    Escape,
    /// A character that no path we match has.
    #[error("the path has a control character or one that is no character at all")]
    Character,
}

impl FilePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it is not absolute, not normal, or has what it cannot have.
    pub fn parse(text: &str) -> Result<Self, FilePatternError> {
        let rest = text.strip_prefix('/').ok_or(FilePatternError::Relative)?;
        if text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
            return Err(FilePatternError::Character);
        }
        let parts = if rest.is_empty() {
            Vec::new()
        } else {
            rest.split('/').map(parse_part).collect::<Result<_, _>>()?
        };
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path matches for certain: a directory with all below it only where all of it
    /// does; one that is not known, not normal or not text never.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let Some(components) = components(path) else { return false };
        if path.contains(char::REPLACEMENT_CHARACTER) {
            return false;
        }
        let alive = self.run(&components);
        alive.last().is_some_and(|ends| *ends)
    }

    /// Whether the path, or some path that it stands for, could match.
    #[must_use]
    pub fn may_match(&self, path: &str) -> bool {
        let Some(components) = components(path) else { return true };
        match components.split_last() {
            Some((&ALL_BELOW, directory)) => self.reaches(directory),
            _ => self.run(&components).last().is_some_and(|ends| *ends),
        }
    }

    /// Whether the path, or one below it, could match: for what is done to a directory and so to
    /// all that is in it.
    #[must_use]
    pub fn may_match_below(&self, path: &str) -> bool {
        let Some(components) = components(path) else { return true };
        match components.split_last() {
            Some((&ALL_BELOW, directory)) => self.reaches(directory),
            _ => self.reaches(&components),
        }
    }

    /// Whether what follows these components could complete a match.
    fn reaches(&self, components: &[&str]) -> bool {
        self.run(components).contains(&true)
    }

    /// Which parts may come next after these components; the last place is the end.
    fn run(&self, components: &[&str]) -> Vec<bool> {
        let mut alive = vec![false; self.parts.len() + 1];
        if let Some(first) = alive.first_mut() {
            *first = true;
        }
        self.skip_deep(&mut alive);
        for component in components {
            let mut next = vec![false; alive.len()];
            for (at, part) in self.parts.iter().enumerate() {
                if !alive.get(at).is_some_and(|alive| *alive) {
                    continue;
                }
                let to = match part {
                    Part::Deep => at,
                    Part::One(pieces) if part_matches(pieces, component) => at + 1,
                    Part::One(_) => continue,
                };
                if let Some(to) = next.get_mut(to) {
                    *to = true;
                }
            }
            self.skip_deep(&mut next);
            alive = next;
        }
        alive
    }

    /// `**` may stand for nothing.
    fn skip_deep(&self, alive: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate() {
            if *part == Part::Deep
                && alive.get(at).is_some_and(|alive| *alive)
                && let Some(next) = alive.get_mut(at + 1)
            {
                *next = true;
            }
        }
    }
}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for FilePattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// What stands for all below is matched by `**` alone.
fn part_matches(pieces: &[Piece], component: &str) -> bool {
    component != ALL_BELOW && glob_matches(pieces, component)
}

/// The components of an absolute and normal path; `None` for any other.
fn components(path: &str) -> Option<Vec<&str>> {
    if path == UNKNOWN_PART {
        return None;
    }
    let rest = path.strip_prefix('/')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let components: Vec<&str> = rest.split('/').collect();
    let odd = |one: &&str| matches!(*one, "" | "." | "..");
    (!components.iter().any(odd)).then_some(components)
}

fn parse_part(text: &str) -> Result<Part, FilePatternError> {
    match text {
        "" => return Err(FilePatternError::Empty),
        "." | ".." => return Err(FilePatternError::Dots),
        ALL_BELOW => return Ok(Part::Deep),
        _ => {}
    }
    let mut pieces = Vec::new();
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        pieces.push(match next {
            '*' if pieces.last() == Some(&Piece::Run) => return Err(FilePatternError::Deep),
            '*' => Piece::Run,
            '?' => Piece::One,
            '[' | '{' => return Err(FilePatternError::Bracket),
            '\\' => Piece::Char(chars.next().ok_or(FilePatternError::Escape)?),
            other => Piece::Char(other),
        });
    }
    Ok(Part::One(pieces))
}

#[cfg(test)]
mod tests;
