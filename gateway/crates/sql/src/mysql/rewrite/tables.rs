//! Parentheses around tables: `FROM (a, b)`, `FROM a, (b, c)`, `LEFT JOIN (a, b JOIN c ON ..) ON ..`,
//! `FROM (a)`, `FROM ((SELECT ..) a)`, `UPDATE a, (b, c)`.
//!
//! Owns their form without commas, which is all that the grammar knows: each comma becomes a
//! `CROSS JOIN`, whose sides stand in parentheses of their own where they are joins, because a comma
//! binds less than one. Parentheses around a single table go. What begins with a query stays as it
//! is, and so does everything that is not in the place of a table.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::word_of;
use crate::mysql::reader::is_word;

/// Rewrites all of a statement's.
pub(super) fn rewrite(tokens: &mut Vec<TokenWithSpan>) {
    if !(0..tokens.len()).any(|index| opens_tables(tokens, index, true)) {
        return;
    }
    let out = Vec::with_capacity(tokens.len() + 16);
    let mut writer = Writer { tokens, at: 0, out, lists: vec![false] };
    while writer.at < writer.tokens.len() {
        writer.pass();
    }
    *tokens = writer.out;
}

/// Words that end the list of tables after a `FROM`.
const AFTER_TABLES: &[&str] = &[
    "EXCEPT",
    "FOR",
    "GROUP",
    "HAVING",
    "INTERSECT",
    "INTO",
    "LIMIT",
    "LOCK",
    "ORDER",
    "PROCEDURE",
    "RETURNING",
    "SELECT",
    "SET",
    "UNION",
    "VALUES",
    "WHERE",
    "WINDOW",
];

/// Whether a parenthesis around tables opens here, in the place of a table. `listed`: a comma stands
/// between tables.
fn opens_tables(tokens: &[TokenWithSpan], index: usize, listed: bool) -> bool {
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    let in_place = listed
        && (before.is_some_and(|one| one.token == Token::Comma)
            || ["UPDATE", "IGNORE", "LOW_PRIORITY"].iter().any(|word| is_word(before, word)))
        || ["FROM", "JOIN", "STRAIGHT_JOIN"].iter().any(|word| is_word(before, word));
    in_place && holds_tables(tokens, index)
}

/// Whether what opens here begins with a table: a name, or a query that is given one.
fn holds_tables(tokens: &[TokenWithSpan], index: usize) -> bool {
    if tokens.get(index).is_none_or(|one| one.token != Token::LParen) {
        return false;
    }
    let opened = tokens.iter().skip(index).take_while(|one| one.token == Token::LParen).count();
    let inner = tokens.get(index + opened);
    if !["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| is_word(inner, word)) {
        return matches!(inner.map(|one| &one.token), Some(Token::Word(_)));
    }
    opened > 1 && is_named(tokens, index + opened - 1)
}

/// Whether a name follows the parenthesis that opens here.
fn is_named(tokens: &[TokenWithSpan], opens: usize) -> bool {
    let mut depth = 0_usize;
    for index in opens..tokens.len() {
        match tokens.get(index).map(|one| &one.token) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let next = tokens.get(index + 1);
            return matches!(next.map(|one| &one.token), Some(Token::Word(_)))
                && !AFTER_TABLES.iter().any(|word| is_word(next, word));
        }
    }
    false
}

/// Whether the tables of an `UPDATE` follow this word: it begins the statement.
fn begins_update(tokens: &[TokenWithSpan], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    is_word(tokens.get(index), "UPDATE")
        && (before.is_none_or(|one| one.token == Token::SemiColon)
            || ["EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "EXTENDED", "PARTITIONS"]
                .iter()
                .any(|word| is_word(before, word)))
}

/// Copies tokens, some of them otherwise.
struct Writer<'t> {
    tokens: &'t [TokenWithSpan],
    at: usize,
    out: Vec<TokenWithSpan>,
    /// For each parenthesis that is open, and outside of all: whether tables are being listed.
    lists: Vec<bool>,
}

/// One side of a comma.
struct Side {
    /// Where it begins in what was written.
    start: usize,
    /// Whether it is more than one table.
    joins: bool,
}

impl Writer<'_> {
    /// Copies one token, or all of a parenthesis around tables.
    fn pass(&mut self) {
        if self.opens_tables() {
            self.parenthesis();
        } else {
            self.copy();
        }
    }

    fn opens_tables(&self) -> bool {
        let listed = self.lists.last().copied().unwrap_or_default();
        opens_tables(self.tokens, self.at, listed)
    }

    fn copy(&mut self) {
        match self.tokens.get(self.at).map(|one| &one.token) {
            Some(Token::LParen) => self.lists.push(false),
            Some(Token::RParen) if self.lists.len() > 1 => drop(self.lists.pop()),
            Some(Token::Word(_)) => {
                let word = self.tokens.get(self.at);
                let begins = is_word(word, "FROM") || begins_update(self.tokens, self.at);
                if let Some(list) = self.lists.last_mut()
                    && (begins || AFTER_TABLES.iter().any(|one| is_word(word, one)))
                {
                    *list = begins;
                }
            }
            // Of one statement, the next knows nothing.
            Some(Token::SemiColon) => self.lists = vec![false],
            _ => {}
        }
        self.out.extend(self.tokens.get(self.at).cloned());
        self.at += 1;
    }

    fn side(&self) -> Side {
        Side { start: self.out.len(), joins: false }
    }

    /// Copies a parenthesis around tables, which opens here.
    fn parenthesis(&mut self) {
        let opens = self.out.len();
        self.copy();
        let mut done = Vec::new();
        let mut side = self.side();
        let mut depth = 0_usize;
        while let Some(one) = self.tokens.get(self.at) {
            let begins = depth == 0 && side.start == self.out.len();
            if self.opens_tables() || begins && holds_tables(self.tokens, self.at) {
                self.parenthesis();
                continue;
            }
            match &one.token {
                Token::RParen if depth == 0 => {
                    done.push(side);
                    return self.close(opens, &done);
                }
                Token::Comma if depth == 0 => {
                    for word in ["CROSS", "JOIN"] {
                        let token = Token::make_word(word, None);
                        self.out.push(TokenWithSpan { token, span: one.span });
                    }
                    self.at += 1;
                    done.push(std::mem::replace(&mut side, self.side()));
                    continue;
                }
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            side.joins |=
                depth == 0 && matches!(word_of(Some(one)), Some("JOIN" | "STRAIGHT_JOIN"));
            self.copy();
        }
        // It does not close: the grammar will say so.
    }

    /// Ends a parenthesis that began at `opens` in what was written.
    fn close(&mut self, opens: usize, sides: &[Side]) {
        if let [Side { joins: false, .. }] = sides {
            self.out.remove(opens);
            self.at += 1;
            self.lists.pop();
            return;
        }
        let span = self.tokens.get(self.at).map(|one| one.span);
        let mut end = self.out.len();
        for side in sides.iter().rev() {
            if side.joins
                && sides.len() > 1
                && let Some(span) = span
            {
                self.out.insert(end, TokenWithSpan { token: Token::RParen, span });
                self.out.insert(side.start, TokenWithSpan { token: Token::LParen, span });
            }
            // Before it are the two words that were its comma.
            end = side.start.saturating_sub(2);
        }
        self.copy();
    }
}
