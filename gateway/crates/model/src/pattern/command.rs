//! Patterns over commands: the words that a program is given.
//!
//! Owns reading and matching one. Must not know how a command line is split into words. A pattern
//! is words in the quoting of a shell. Outside quotes `*` in a word stands for any run of
//! characters without a slash and `?` for one character; `**` as the last word stands for any
//! further words. `systemctl restart app`, `tail -n * /var/log/app/*.log`, `ls **`.
//!
//! What grants matches exactly ([`matches`](CommandPattern::matches)):
//! - A word that begins with `-` is matched by no word of a pattern that begins with a wildcard.
//! - A word with a `..` in it is matched by the same word only, spelt out.
//! - A wildcard never stands for `.` or for nothing as a component of a path.
//! - A program without a slash is the bare word, wherever the target finds it.
//! - An [interpreter](crate::command::is_interpreter) is matched by its name only, spelt out, and
//!   so is an [option that runs a program](crate::command::is_running_option).
//!
//! What restricts matches what is possible ([`may_match`](CommandPattern::may_match)): the program
//! by its base name, with or without a version; wildcards over slashes; options in between; paths
//! in their normal form; and the words that a wrapper would run.

use std::fmt;

use serde::Serialize;

use super::{Piece, glob_matches};
use crate::command::{
    base_name, is_interpreter, is_running_option, runs_its_words, without_version,
};

/// A compiled pattern over commands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommandPattern {
    text: String,
    program: Word,
    words: Vec<Word>,
    /// Whether any words may follow.
    rest: bool,
}

/// One word of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Word {
    Literal(String),
    Glob(Vec<Piece>),
}

/// Why a pattern over commands could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandPatternError {
    /// No word.
    #[error("the pattern has no word")]
    Empty,
    /// A quote without its end, or a backslash at the end.
    #[error("a quote is not closed, or a backslash stands at the end")]
    Quote,
    /// `**` elsewhere than as the last word.
    #[error("** is the last word alone, and not the first one; it stands for any further words")]
    Rest,
    /// A character that means something to shells.
    #[error("{0:?} means something to a shell; put it in quotes to mean the character itself")]
    Special(char),
    /// A control character.
    #[error("a command with a control character is never run")]
    Control,
    /// An assignment before the command.
    #[error(
        "a command with an assignment before it is not one of plain words; grant opaque for it"
    )]
    Assignment,
}

impl CommandPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it is not words, or has what no command of plain words has.
    pub fn parse(text: &str) -> Result<Self, CommandPatternError> {
        let mut words = split(text)?;
        let is_rest = |word: &Word| *word == Word::Glob(vec![Piece::Run, Piece::Run]);
        let rest = words.last().is_some_and(is_rest);
        if rest {
            words.pop();
        }
        let doubled = |word: &Word| match word {
            Word::Glob(pieces) => pieces.windows(2).any(|two| two == [Piece::Run, Piece::Run]),
            Word::Literal(_) => false,
        };
        if words.iter().any(doubled) {
            return Err(CommandPatternError::Rest);
        }
        let mut words = words.into_iter();
        let Some(program) = words.next() else {
            return Err(if rest { CommandPatternError::Rest } else { CommandPatternError::Empty });
        };
        Ok(Self { text: text.to_owned(), program, words: words.collect(), rest })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The words that are spelt out, from the program on to the first that is not.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        let words = std::iter::once(&self.program).chain(&self.words);
        words.map_while(|word| match word {
            Word::Literal(literal) => Some(literal.as_str()),
            Word::Glob(_) => None,
        })
    }

    /// Whether the command matches for certain.
    #[must_use]
    pub fn matches<S: AsRef<str>>(&self, words: &[S]) -> bool {
        let Some((program, words)) = words.split_first() else { return false };
        let program = program.as_ref();
        let named = match &self.program {
            Word::Literal(literal) => literal == program,
            glob @ Word::Glob(_) => !is_interpreter(program) && glob.is(program),
        };
        let Some((fixed, further)) = words.split_at_checked(self.words.len()) else { return false };
        let fits = |(own, word): (&Word, &S)| {
            let word = word.as_ref();
            let runs = matches!(own, Word::Glob(_)) && is_running_option(program, word);
            !runs && own.is(word)
        };
        let passes = |word: &S| {
            let word = word.as_ref();
            !climbs(word) && !is_odd(word) && !is_running_option(program, word)
        };
        named
            && self.words.iter().zip(fixed).all(fits)
            && (further.is_empty() || (self.rest && further.iter().all(passes)))
    }

    /// Whether the command, or one that it runs, could match.
    #[must_use]
    pub fn may_match<S: AsRef<str>>(&self, words: &[S]) -> bool {
        let Some((program, arguments)) = words.split_first() else { return true };
        if self.may_be(words) {
            return true;
        }
        runs_its_words(program.as_ref())
            && (0..arguments.len()).any(|at| {
                arguments.get(at..).is_some_and(|inner| self.may_be(inner))
                    || arguments.get(at).is_some_and(|word| self.is_named_in(word.as_ref()))
            })
    }

    /// Whether the command itself could match. Options may stand anywhere in between, each with a
    /// value: which words are read as what is the program's affair.
    fn may_be<S: AsRef<str>>(&self, words: &[S]) -> bool {
        let Some((program, arguments)) = words.split_first() else { return false };
        if !self.may_name(program.as_ref()) {
            return false;
        }
        // For each number of words of the pattern that were met: whether so many can have been,
        // and whether what comes next may be an option's value.
        let mut met = vec![(false, false); self.words.len() + 1];
        if let Some(first) = met.first_mut() {
            first.0 = true;
        }
        for word in arguments {
            met = self.step(&met, word.as_ref());
        }
        met.last().is_some_and(|(all, _)| *all)
    }

    fn step(&self, met: &[(bool, bool)], word: &str) -> Vec<(bool, bool)> {
        let mut next = vec![(false, false); met.len()];
        let is_option = word.starts_with('-');
        for (at, (alive, after_option)) in met.iter().copied().enumerate() {
            if !alive {
                continue;
            }
            let own = self.words.get(at);
            if let Some(here) = next.get_mut(at) {
                here.0 |= is_option || after_option || (own.is_none() && self.rest);
                here.1 |= is_option;
            }
            if own.is_some_and(|own| own.may_be(word))
                && let Some(further) = next.get_mut(at + 1)
            {
                further.0 = true;
            }
        }
        next
    }

    /// Whether the program could be the one that is meant, by its base name.
    fn may_name(&self, program: &str) -> bool {
        let base = base_name(program);
        match &self.program {
            Word::Literal(literal) => {
                let own = base_name(literal);
                own == base || own == without_version(base)
            }
            Word::Glob(pieces) => {
                let slash = pieces.iter().rposition(|piece| *piece == Piece::Char('/'));
                let own = slash.and_then(|at| pieces.get(at + 1..)).unwrap_or(pieces);
                glob_matches(own, base)
            }
        }
    }

    /// Whether a text that a shell would read names the program.
    fn is_named_in(&self, script: &str) -> bool {
        let of_name = |c: char| c.is_alphanumeric() || "_./+-".contains(c);
        let mut tokens = script.split(|c: char| !of_name(c)).filter(|token| !token.is_empty());
        // One word is an argument like any other; it was compared as a command already.
        script.contains(|c: char| !of_name(c)) && tokens.any(|token| self.may_name(token))
    }
}

impl Word {
    /// Whether the word matches for certain.
    fn is(&self, word: &str) -> bool {
        let pieces = match self {
            Self::Literal(literal) => return literal == word,
            Self::Glob(pieces) => pieces,
        };
        if climbs(word) || is_odd(word) {
            return false;
        }
        let wild = !matches!(pieces.first(), Some(Piece::Char(_)));
        if wild && word.starts_with('-') {
            return false;
        }
        let mut own = pieces.split(|piece| *piece == Piece::Char('/'));
        let mut components = word.split('/');
        loop {
            match (own.next(), components.next()) {
                (None, None) => return true,
                (Some(own), Some(component)) if component_is(own, component) => {}
                _ => return false,
            }
        }
    }

    /// Whether the word could match, as it is or as the path that it means.
    fn may_be(&self, word: &str) -> bool {
        let fits = |word: &str| match self {
            Self::Literal(literal) => literal == word || normal(literal).as_deref() == Some(word),
            Self::Glob(pieces) => glob_matches(pieces, word),
        };
        // What climbs out of a directory that is not known could be anything.
        fits(word) || normal(word).is_none_or(|normal| fits(&normal))
    }
}

/// Whether a component of a word is matched for certain by the pieces between two slashes.
fn component_is(own: &[Piece], component: &str) -> bool {
    let wild = own.iter().any(|piece| !matches!(piece, Piece::Char(_)));
    let stands_elsewhere = matches!(component, "" | "." | "..");
    !(wild && stands_elsewhere) && glob_matches(own, component)
}

/// Whether a word has a `..` where a path, or the value of an option, could have it.
fn climbs(word: &str) -> bool {
    word.split(['/', '=', ':', ',', ';']).any(|part| part == "..")
}

/// Whether a word has what no word that is granted by a wildcard has.
fn is_odd(word: &str) -> bool {
    word.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
}

/// A word as a path in its normal form; itself where it is none. `None` where it climbs out of
/// where it begins.
fn normal(word: &str) -> Option<String> {
    if !word.contains('/') && word != ".." {
        return Some(word.to_owned());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in word.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() && !word.starts_with('/') => return None,
            ".." => {}
            other => parts.push(other),
        }
    }
    let root = if word.starts_with('/') { "/" } else { "" };
    Some(format!("{root}{}", parts.join("/")))
}

impl fmt::Display for CommandPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for CommandPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Characters that mean something to a shell wherever they stand outside quotes.
const SPECIAL: &str = "$`;&|<>(){}[]!^";
/// Those that do at the beginning of a word.
const SPECIAL_FIRST: &str = "~#%=";

/// Splits a pattern into words by the quoting of a shell.
fn split(text: &str) -> Result<Vec<Word>, CommandPatternError> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if chars.peek().is_none() {
            return Ok(words);
        }
        let mut pieces = Vec::new();
        let (mut first, mut quoted) = (true, false);
        while let Some(next) = chars.next_if(|c| !matches!(c, ' ' | '\t')) {
            match next {
                '\'' | '"' => {
                    quoted = true;
                    push_quoted(&mut chars, next, &mut pieces)?;
                }
                '\\' => pieces.push(literal(chars.next().ok_or(CommandPatternError::Quote)?)?),
                '*' => pieces.push(Piece::Run),
                '?' => pieces.push(Piece::One),
                '=' if words.is_empty() => return Err(CommandPatternError::Assignment),
                other if SPECIAL.contains(other) || (first && SPECIAL_FIRST.contains(other)) => {
                    return Err(CommandPatternError::Special(other));
                }
                other => pieces.push(literal(other)?),
            }
            first = false;
        }
        if words.is_empty() && pieces.is_empty() && quoted {
            return Err(CommandPatternError::Empty);
        }
        words.push(word_of(pieces));
    }
}

fn push_quoted(
    chars: &mut impl Iterator<Item = char>,
    quote: char,
    pieces: &mut Vec<Piece>,
) -> Result<(), CommandPatternError> {
    loop {
        match chars.next().ok_or(CommandPatternError::Quote)? {
            end if end == quote => return Ok(()),
            '\\' if quote == '"' => match chars.next().ok_or(CommandPatternError::Quote)? {
                escaped @ ('"' | '\\' | '$' | '`') => pieces.push(Piece::Char(escaped)),
                other => pieces.extend([Piece::Char('\\'), literal(other)?]),
            },
            other => pieces.push(literal(other)?),
        }
    }
}

fn literal(c: char) -> Result<Piece, CommandPatternError> {
    if c.is_control() { Err(CommandPatternError::Control) } else { Ok(Piece::Char(c)) }
}

fn word_of(pieces: Vec<Piece>) -> Word {
    let text: Option<String> = pieces
        .iter()
        .map(|piece| if let Piece::Char(c) = piece { Some(*c) } else { None })
        .collect();
    text.map_or(Word::Glob(pieces), Word::Literal)
}

#[cfg(test)]
mod tests;
