//! Cutting a text into words, strictly.
//!
//! Owns what is literal and what is not. Must not know which words make sense. Whatever is not
//! known to be literal in every shell is refused with its reason; nothing is guessed.

use std::iter::Peekable;
use std::str::CharIndices;

/// One word.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lexeme<'t> {
    /// The word, its quoting removed.
    pub(crate) word: String,
    /// As it stands in the text.
    pub(crate) raw: &'t str,
    /// Whether it begins with an unquoted `~/` (or is `~`), which `word` still holds.
    pub(crate) home: bool,
}

/// Cuts a text into words.
///
/// # Errors
/// The reason, where any part of it is not literal.
pub(crate) fn split(text: &str) -> Result<Vec<Lexeme<'_>>, &'static str> {
    if text.contains('\n') {
        return Err("it has more than one line");
    }
    if text.chars().any(|char| char.is_control() && char != '\t') {
        return Err("it holds a control character");
    }
    let mut lexer = Lexer { text, chars: text.char_indices().peekable() };
    let mut lexemes = Vec::new();
    while let Some(start) = lexer.skip_blanks() {
        lexemes.push(lexer.word(start, lexemes.is_empty())?);
    }
    Ok(lexemes)
}

struct Lexer<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
}

const fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

impl<'t> Lexer<'t> {
    /// Where the next word begins.
    fn skip_blanks(&mut self) -> Option<usize> {
        while self.chars.next_if(|(_, char)| is_blank(*char)).is_some() {}
        self.chars.peek().map(|(at, _)| *at)
    }

    fn word(&mut self, start: usize, first: bool) -> Result<Lexeme<'t>, &'static str> {
        let mut word = String::new();
        let mut home = false;
        // Characters that are only literal as a whole word: `[`, `{}`.
        let mut whole_only = false;
        let mut before = None;
        while let Some((at, char)) = self.chars.next_if(|(_, char)| !is_blank(*char)) {
            match char {
                '\'' => self.single_quoted(&mut word)?,
                '"' => self.double_quoted(&mut word)?,
                '\\' => word.push(self.chars.next().ok_or("it ends with a backslash")?.1),
                '[' | '{' | '}' => {
                    whole_only = true;
                    word.push(char);
                }
                '~' if at == start && self.at_home() => {
                    home = true;
                    word.push(char);
                }
                _ => {
                    literal(char, before, first)?;
                    word.push(char);
                }
            }
            before = Some(char);
        }
        let end = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        let raw = self.text.get(start..end).unwrap_or_default();
        if whole_only && !(raw == "[" || (raw == "{}" && !first)) {
            return Err("it holds a pattern or braces that the shell replaces");
        }
        Ok(Lexeme { word, raw, home })
    }

    /// Whether a `~` that begins a word stands for the login's own home.
    fn at_home(&mut self) -> bool {
        self.chars.peek().is_none_or(|(_, next)| is_blank(*next) || *next == '/')
    }

    fn single_quoted(&mut self, word: &mut String) -> Result<(), &'static str> {
        loop {
            match self.chars.next().ok_or("a quote is not closed")?.1 {
                '\'' => return Ok(()),
                char => word.push(char),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut String) -> Result<(), &'static str> {
        loop {
            match self.chars.next().ok_or("a quote is not closed")?.1 {
                '"' => return Ok(()),
                '$' | '`' => return Err(EXPANSION),
                '\\' => match self.chars.next().ok_or("a quote is not closed")?.1 {
                    escaped @ ('$' | '`' | '"' | '\\') => word.push(escaped),
                    other => word.extend(['\\', other]),
                },
                char => word.push(char),
            }
        }
    }
}

const EXPANSION: &str = "it holds an expansion";

/// Whether an unquoted character stands for itself. `before` is the character before it in the
/// word, `None` at its beginning.
const fn literal(char: char, before: Option<char>, first: bool) -> Result<(), &'static str> {
    match (char, before) {
        ('$' | '`', _) => Err(EXPANSION),
        (';' | '&' | '|', _) => Err("it is more than one command, or runs in the background"),
        ('<' | '>', _) => Err("it redirects"),
        ('(' | ')', _) => Err("it holds a parenthesis"),
        ('*' | '?', _) => Err("it holds a pattern that the shell replaces"),
        ('#', None) => Err("it holds a comment"),
        ('~', None | Some('=' | ':')) => Err("it holds a `~` that the shell replaces"),
        ('=', None) => Err("it holds a `=` that zsh replaces"),
        ('%', None) if first => Err("it names a job"),
        _ => Ok(()),
    }
}
