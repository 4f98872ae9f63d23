//! Tokens changed to others that mean the same, where the grammar knows only those.
//!
//! Owns the list of such changes; each is one that changes neither which relations and columns a
//! statement names nor where a value comes from. Must not know statements.

mod forms;
mod tables;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::reader::is_word;
use super::words;

/// Changes the tokens of one statement.
pub(super) fn rewrite(tokens: &mut Vec<TokenWithSpan>) {
    for index in 0..tokens.len() {
        match word_at(tokens, index) {
            Some("LOCK") if follows(tokens, index, &["IN", "SHARE", "MODE"]) => {
                replace(tokens, index, Token::make_word("FOR", None));
                replace(tokens, index + 1, Token::make_word("SHARE", None));
                replace(tokens, index + 2, REMOVED);
                replace(tokens, index + 3, REMOVED);
            }
            Some("SOUNDS") if follows(tokens, index, &["LIKE"]) && ends_value(tokens, index) => {
                replace(tokens, index, REMOVED);
            }
            Some("MOD") if ends_value(tokens, index) => replace(tokens, index, Token::Mod),
            // What a text is made of by `CAST` is not told from what it is.
            Some("CHARACTER") if is_type(tokens, index) && follows(tokens, index, &["SET"]) => {
                for of in index..index + 3 {
                    replace(tokens, of, REMOVED);
                }
            }
            Some("CHARSET") if is_type(tokens, index) => {
                replace(tokens, index, REMOVED);
                replace(tokens, index + 1, REMOVED);
            }
            // How long an interval is changes nothing; these words are names nowhere.
            Some(
                "YEAR_MONTH" | "DAY_HOUR" | "DAY_MINUTE" | "DAY_SECOND" | "DAY_MICROSECOND"
                | "HOUR_MINUTE" | "HOUR_SECOND" | "HOUR_MICROSECOND" | "MINUTE_SECOND"
                | "MINUTE_MICROSECOND" | "SECOND_MICROSECOND",
            ) => replace(tokens, index, Token::make_word("DAY", None)),
            Some("CHAR") => character_set(tokens, index + 1),
            Some("SELECT") => options(tokens, index + 1),
            Some("DUAL") if index > 0 && word_at(tokens, index - 1) == Some("FROM") => {
                let next = tokens.get(index + 1).map(|one| &one.token);
                if !matches!(next, Some(Token::Comma)) {
                    replace(tokens, index - 1, REMOVED);
                    replace(tokens, index, REMOVED);
                }
            }
            _ => {}
        }
    }
    forms::rewrite(tokens);
    tokens.retain(|one| one.token != REMOVED);
    tables::rewrite(tokens);
}

/// What stands in a place that is to go.
const REMOVED: Token = Token::EOF;

/// `CHAR(77, 121 USING utf8mb4)`: in which character set bytes are read changes nothing about where
/// they come from. `opens` is where the parenthesis would open.
fn character_set(tokens: &mut [TokenWithSpan], opens: usize) {
    if tokens.get(opens).is_none_or(|one| one.token != Token::LParen) {
        return;
    }
    let mut depth = 0_usize;
    for index in opens..tokens.len() {
        match tokens.get(index).map(|one| &one.token) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let names_one = matches!(
                tokens.get(index - 1).map(|one| &one.token),
                Some(Token::Word(_) | Token::SingleQuotedString(_))
            );
            if names_one && index > opens + 3 && is_word(tokens.get(index - 2), "USING") {
                replace(tokens, index - 2, REMOVED);
                replace(tokens, index - 1, REMOVED);
            }
            return;
        }
    }
}

/// The options of a `SELECT`: how rows are found or counted changes nothing about them.
fn options(tokens: &mut [TokenWithSpan], from: usize) {
    for index in from.. {
        match word_at(tokens, index) {
            Some("ALL" | "DISTINCT") => {}
            Some("DISTINCTROW") => replace(tokens, index, Token::make_word("DISTINCT", None)),
            Some(
                "HIGH_PRIORITY"
                | "STRAIGHT_JOIN"
                | "SQL_SMALL_RESULT"
                | "SQL_BIG_RESULT"
                | "SQL_BUFFER_RESULT"
                | "SQL_NO_CACHE"
                | "SQL_CACHE"
                | "SQL_CALC_FOUND_ROWS",
            ) => replace(tokens, index, REMOVED),
            _ => return,
        }
    }
}

/// The keyword at this place, in upper case, unless it is a name for sure.
fn word_at(tokens: &[TokenWithSpan], index: usize) -> Option<&'static str> {
    word_of(tokens.get(index))
}

fn word_of(token: Option<&TokenWithSpan>) -> Option<&'static str> {
    const WORDS: [&str; 37] = [
        "LOCK",
        "IN",
        "SHARE",
        "MODE",
        "SOUNDS",
        "LIKE",
        "MOD",
        "SELECT",
        "HIGH_PRIORITY",
        "STRAIGHT_JOIN",
        "JOIN",
        "SQL_SMALL_RESULT",
        "SQL_BIG_RESULT",
        "SQL_BUFFER_RESULT",
        "SQL_NO_CACHE",
        "SQL_CACHE",
        "SQL_CALC_FOUND_ROWS",
        "DISTINCTROW",
        "DUAL",
        "FROM",
        "ALL",
        "DISTINCT",
        "CHAR",
        "CHARACTER",
        "CHARSET",
        "SET",
        "YEAR_MONTH",
        "DAY_HOUR",
        "DAY_MINUTE",
        "DAY_SECOND",
        "DAY_MICROSECOND",
        "HOUR_MINUTE",
        "HOUR_SECOND",
        "HOUR_MICROSECOND",
        "MINUTE_SECOND",
        "MINUTE_MICROSECOND",
        "SECOND_MICROSECOND",
    ];
    match &token?.token {
        Token::Word(word) if word.quote_style.is_none() => {
            WORDS.iter().copied().find(|known| known.eq_ignore_ascii_case(&word.value))
        }
        _ => None,
    }
}

fn follows(tokens: &[TokenWithSpan], index: usize, words: &[&str]) -> bool {
    words.iter().enumerate().all(|(ahead, word)| word_at(tokens, index + 1 + ahead) == Some(*word))
}

/// Whether a character set stands after `CHAR` or `CHAR(10)`, by its name.
fn is_type(tokens: &[TokenWithSpan], index: usize) -> bool {
    let before = index.checked_sub(1);
    let typed = before.is_some_and(|before| {
        word_at(tokens, before) == Some("CHAR")
            || tokens.get(before).is_some_and(|one| one.token == Token::RParen)
    });
    let name = if word_at(tokens, index) == Some("CHARACTER") { index + 2 } else { index + 1 };
    typed && matches!(tokens.get(name).map(|one| &one.token), Some(Token::Word(_)))
}

/// Whether a value ends before this place, so that an operator may follow.
fn ends_value(tokens: &[TokenWithSpan], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    match before.map(|before| &before.token) {
        Some(
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::HexStringLiteral(_)
            | Token::Placeholder(_)
            | Token::RParen,
        ) => true,
        Some(Token::Word(word)) => {
            word.quote_style.is_some()
                || matches!(
                    word.keyword,
                    Keyword::END | Keyword::NULL | Keyword::TRUE | Keyword::FALSE
                )
                || !words::is_reserved(&word.value)
        }
        _ => false,
    }
}

fn replace(tokens: &mut [TokenWithSpan], index: usize, with: Token) {
    if let Some(token) = tokens.get_mut(index) {
        token.token = with;
    }
}
