//! From the text of an exec request to the words it would run.
//!
//! Owns the verdict: one simple command of literal words, or opaque and why. Must not know what a
//! rule grants. Two readings are made, by our lexer and by the grammar of `brush-parser`; where
//! they differ, the text is opaque.
//!
//! Accepted is what every shell reads alike: bare words, single quotes, double quotes without
//! expansions, and a backslash before one character. The guard comes first: a text that holds
//! anything with a nesting never reaches the grammar, whose recursion is therefore bounded.

use crate::command::{self, Command};
use crate::grammar;
use crate::lexer::{self, Lexeme};
use crate::transfer::{Direction, Transfer};

/// Bytes of the longest text that is read. Longer ones are opaque. Raised, one request costs more
/// time and memory; no command line of a person or a tool comes near.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// One simple command of literal words.
    Command(Command),
    /// Anything else: a script, an expansion, something that shells read differently.
    Opaque {
        /// Why, as the end of "the command is opaque: ".
        because: &'static str,
    },
}

/// Reads the text of an exec request.
#[must_use]
pub fn read(text: &[u8]) -> Reading {
    match words(text) {
        Ok(command) => Reading::Command(command),
        Err(because) => Reading::Opaque { because },
    }
}

fn words(text: &[u8]) -> Result<Command, &'static str> {
    if text.len() > TEXT_BYTES_MAX {
        return Err("it is longer than 64 KiB");
    }
    let text = str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
    // A newline at the end only ends the command; programs that build command lines leave one.
    let text = text.trim_end_matches('\n');
    let mut lexemes = lexer::split(text)?;
    let home = home_to_relative(&mut lexemes);
    let words = lexemes.iter().map(|lexeme| lexeme.word.as_str());
    command::check(words)?;
    if !grammar::agrees(text, &lexemes) {
        return Err("two readings of it differ");
    }
    let words: Vec<_> = lexemes.into_iter().map(|lexeme| lexeme.word.into()).collect();
    let command = Command::checked(words.into());
    match home {
        Home::Unnamed => Ok(command),
        home if home.stays_the_same(&command) => Ok(command),
        Home::Below | Home::Itself => Err("it holds a `~` that the shell replaces"),
    }
}

/// What `~` a command line holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    Unnamed,
    /// `~/x`.
    Below,
    /// `~`.
    Itself,
}

impl Home {
    /// Whether the command does the same with paths relative to the home: it takes them from
    /// there, and the name of the home itself, which `.` does not say, is of no use to it.
    fn stays_the_same(self, command: &Command) -> bool {
        match crate::transfer(command.words()) {
            Ok(Some(transfer @ (Transfer::Scp(_) | Transfer::Rsync(_)))) => {
                self == Self::Below || transfer.direction() == Direction::Upload
            }
            _ => false,
        }
    }
}

/// Writes `~/x` as `./x`. The servers of scp and rsync start in the login's home and take paths,
/// and their clients send `~` bare; for other programs the word itself may matter, and the text
/// stays opaque.
fn home_to_relative(lexemes: &mut [Lexeme<'_>]) -> Home {
    let mut home = Home::Unnamed;
    for lexeme in lexemes.iter_mut().filter(|lexeme| lexeme.home) {
        let named = if lexeme.word == "~" { Home::Itself } else { Home::Below };
        home = home.max(named);
        let below = lexeme.word.trim_start_matches('~').trim_start_matches('/');
        lexeme.word = match named {
            Home::Below => format!("./{below}"),
            Home::Itself | Home::Unnamed => String::from("."),
        };
    }
    home
}
