//! Forms that the grammar does not know, where another one means the same: hints on indexes,
//! `GROUP BY a DESC`, `MATCH a AGAINST (..)`, `TRIM(BOTH FROM a)`, `BINARY a`, ..
//!
//! Owns the list; each form is looked for from the one word that it cannot be without. A search
//! ends where the next such word stands, so that a long text costs no more than its length.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{REMOVED, replace};
use crate::mysql::reader::is_word;
use crate::mysql::words;

/// Rewrites all of a statement's.
pub(super) fn rewrite(tokens: &mut Vec<TokenWithSpan>) {
    let mut lists = Vec::new();
    for index in 0..tokens.len() {
        match keyword_at(tokens, index) {
            Keyword::TRIM => trim(tokens, index + 1),
            Keyword::INT => integer(tokens, index),
            Keyword::BINARY => binary(tokens, index),
            Keyword::INTERVAL => interval(tokens, index),
            Keyword::GROUP if is_at(tokens, index + 1, "BY") => grouped(tokens, index + 2),
            Keyword::INDEX | Keyword::KEY => hint(tokens, index),
            // A column may be called so, too.
            Keyword::DUPLICATE if is_at(tokens, index + 1, "KEY") => duplicate(tokens, index),
            Keyword::ROWS if is_at(tokens, index + 1, "EXAMINED") => examined(tokens, index),
            Keyword::CYCLE => cycle(tokens, index),
            Keyword::MATCH => lists.extend(matched(tokens, index + 1)),
            Keyword::SELECT => first_of_several(tokens, index),
            _ => {}
        }
    }
    // From the end, so that the places before stay.
    for (start, end) in lists.into_iter().rev() {
        let Some(span) = tokens.get(start).map(|one| one.span) else { continue };
        tokens.insert(end, TokenWithSpan { token: Token::RParen, span });
        tokens.insert(start, TokenWithSpan { token: Token::LParen, span });
    }
}

/// `TRIM(LEADING FROM a)`: what is taken away is a blank.
fn trim(tokens: &mut [TokenWithSpan], opens: usize) {
    let sided = ["LEADING", "TRAILING", "BOTH"].iter().any(|side| is_at(tokens, opens + 1, side));
    if sided && is_at(tokens, opens + 2, "FROM") && sign_at(tokens, opens) == Some(&Token::LParen) {
        replace(tokens, opens + 1, REMOVED);
        replace(tokens, opens + 2, REMOVED);
    }
}

/// `CAST(a AS UNSIGNED INT)`.
fn integer(tokens: &mut [TokenWithSpan], index: usize) {
    let before = index.wrapping_sub(1);
    let signed = is_at(tokens, before, "SIGNED") || is_at(tokens, before, "UNSIGNED");
    if signed && sign_at(tokens, index + 1) == Some(&Token::RParen) {
        replace(tokens, index, REMOVED);
    }
}

/// `BINARY a`, given as the minus that `!` is given as, too: it binds as one.
fn binary(tokens: &mut [TokenWithSpan], index: usize) {
    let Some(before) = index.checked_sub(1).and_then(|before| sign_at(tokens, before)) else {
        return;
    };
    let begins = match before {
        Token::LParen
        | Token::Comma
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::LtEq
        | Token::Gt
        | Token::GtEq
        | Token::Spaceship => true,
        Token::Word(word) if word.quote_style.is_none() => matches!(
            word.keyword,
            Keyword::SELECT
                | Keyword::DISTINCT
                | Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::NOT
                | Keyword::BETWEEN
                | Keyword::BY
                | Keyword::WHERE
                | Keyword::WHEN
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::CASE
                | Keyword::ON
                | Keyword::LIKE
                | Keyword::HAVING
        ),
        _ => false,
    };
    let value = match sign_at(tokens, index + 1) {
        Some(
            Token::SingleQuotedString(_)
            | Token::HexStringLiteral(_)
            | Token::Number(..)
            | Token::Placeholder(_),
        ) => true,
        Some(Token::Word(word)) => word.quote_style.is_some() || !words::is_reserved(&word.value),
        _ => false,
    };
    if begins && value {
        replace(tokens, index, Token::Minus);
    }
}

/// `INTERVAL(a, b, c)`, a function that compares its arguments and gives a number, as `FIELD` does.
fn interval(tokens: &mut [TokenWithSpan], index: usize) {
    let mut depth = 0_usize;
    for at in index + 1..tokens.len() {
        match sign_at(tokens, at) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth = depth.saturating_sub(1),
            Some(Token::Comma) if depth == 1 => {
                return replace(tokens, index, Token::make_word("FIELD", None));
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// `GROUP BY a DESC, b ASC`: the order of rows shows nothing more than `ORDER BY`, and that the
/// columns are sorted is known of a group.
fn grouped(tokens: &mut [TokenWithSpan], from: usize) {
    let mut depth = 0_usize;
    for at in from..tokens.len() {
        match sign_at(tokens, at) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) if depth == 0 => return,
            Some(Token::RParen) => depth -= 1,
            Some(Token::SemiColon) => return,
            _ => {}
        }
        match keyword_at(tokens, at) {
            Keyword::GROUP => return,
            Keyword::HAVING | Keyword::ORDER | Keyword::LIMIT | Keyword::UNION if depth == 0 => {
                return;
            }
            Keyword::ASC | Keyword::DESC if depth == 0 => replace(tokens, at, REMOVED),
            _ => {}
        }
    }
}

/// `USE INDEX FOR JOIN (a, b)`: by which index rows are found changes nothing about them.
fn hint(tokens: &mut [TokenWithSpan], index: usize) {
    let Some(start) = index.checked_sub(1) else { return };
    if !["USE", "FORCE", "IGNORE"].iter().any(|word| is_at(tokens, start, word)) {
        return;
    }
    let mut at = index + 1;
    if is_at(tokens, at, "FOR") {
        at += if is_at(tokens, at + 1, "JOIN") { 2 } else { 3 };
    }
    if sign_at(tokens, at) != Some(&Token::LParen) {
        return;
    }
    at += 1;
    while matches!(sign_at(tokens, at), Some(Token::Word(_) | Token::Comma)) {
        at += 1;
    }
    if sign_at(tokens, at) == Some(&Token::RParen) {
        (start..=at).for_each(|one| replace(tokens, one, REMOVED));
    }
}

/// `SELECT 1 ON DUPLICATE KEY UPDATE ..`: the library would take `ON` for a name of the column.
fn duplicate(tokens: &mut [TokenWithSpan], index: usize) {
    let before = index.checked_sub(1).and_then(|before| tokens.get_mut(before));
    if let Some(Token::Word(on)) = before.map(|one| &mut one.token)
        && on.keyword == Keyword::ON
        && on.quote_style.is_none()
    {
        // A keyword that it takes for no name.
        on.keyword = Keyword::END;
    }
}

/// `LIMIT ROWS EXAMINED 7`, `LIMIT 3 ROWS EXAMINED 7`: after how many the server gives up.
fn examined(tokens: &mut [TokenWithSpan], index: usize) {
    if !matches!(sign_at(tokens, index + 2), Some(Token::Number(..) | Token::Placeholder(_))) {
        return;
    }
    let first = match index.checked_sub(1) {
        Some(before) if is_at(tokens, before, "LIMIT") => before,
        _ => index,
    };
    (first..index + 3).for_each(|one| replace(tokens, one, REMOVED));
}

/// `WITH RECURSIVE .. CYCLE a, b RESTRICT`: which rows are left out when they come again.
fn cycle(tokens: &mut [TokenWithSpan], index: usize) {
    if index.checked_sub(1).and_then(|before| sign_at(tokens, before)) != Some(&Token::RParen) {
        return;
    }
    let mut at = index + 1;
    while matches!(sign_at(tokens, at), Some(Token::Word(_) | Token::Comma)) {
        match keyword_at(tokens, at) {
            Keyword::RESTRICT => {
                return (index..=at).for_each(|one| replace(tokens, one, REMOVED));
            }
            Keyword::CYCLE | Keyword::SELECT => return,
            _ => at += 1,
        }
    }
}

/// `MATCH a, b AGAINST (..)`: where the parenthesis that the library wants begins and ends.
fn matched(tokens: &[TokenWithSpan], start: usize) -> Option<(usize, usize)> {
    let mut at = start;
    while matches!(sign_at(tokens, at)?, Token::Word(_) | Token::Comma | Token::Period) {
        match keyword_at(tokens, at) {
            Keyword::AGAINST if at > start => return Some((start, at)),
            Keyword::MATCH | Keyword::AGAINST => return None,
            _ => at += 1,
        }
    }
    None
}

/// `((SELECT ..) UNION ..)`: the library wants a query to begin with a word. The parenthesis goes
/// where it holds nothing whose meaning depends on it.
fn first_of_several(tokens: &mut [TokenWithSpan], index: usize) {
    let (Some(outer), Some(opens)) = (index.checked_sub(2), index.checked_sub(1)) else { return };
    if [outer, opens].iter().any(|at| sign_at(tokens, *at) != Some(&Token::LParen)) {
        return;
    }
    let mut depth = 0_usize;
    for at in index..tokens.len() {
        match sign_at(tokens, at) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) if depth == 0 => {
                if ["UNION", "EXCEPT", "INTERSECT"].iter().any(|word| is_at(tokens, at + 1, word)) {
                    replace(tokens, opens, REMOVED);
                    replace(tokens, at, REMOVED);
                }
                return;
            }
            Some(Token::RParen) => depth -= 1,
            Some(Token::SemiColon) => return,
            _ => {}
        }
        let depends = depth == 0
            && matches!(
                keyword_at(tokens, at),
                Keyword::UNION
                    | Keyword::EXCEPT
                    | Keyword::INTERSECT
                    | Keyword::ORDER
                    | Keyword::LIMIT
                    | Keyword::OFFSET
                    | Keyword::FETCH
                    | Keyword::INTO
                    | Keyword::FOR
                    | Keyword::LOCK
                    | Keyword::PROCEDURE
            );
        if depends {
            return;
        }
    }
}

fn sign_at(tokens: &[TokenWithSpan], index: usize) -> Option<&Token> {
    tokens.get(index).map(|one| &one.token)
}

fn is_at(tokens: &[TokenWithSpan], index: usize, word: &str) -> bool {
    is_word(tokens.get(index), word)
}

/// The keyword at this place, unless it is a name for sure.
fn keyword_at(tokens: &[TokenWithSpan], index: usize) -> Keyword {
    match sign_at(tokens, index) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}
