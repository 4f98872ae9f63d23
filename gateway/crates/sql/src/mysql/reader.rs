//! The grammar of statements: what each begins with and in which order its parts come.
//!
//! Owns the statements; queries and expressions inside are read by `sqlparser`, from the same
//! tokens. A statement is taken whole or refused: nothing may be left over. A statement that is
//! not known here becomes [`Plain::unknown`]. Must not know what a statement needs.

mod administration;
mod definition;
mod select;
mod session;
mod show;
mod transaction;
mod writing;

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::command::{Command, Plain};
use super::{lexer, words};
use crate::{AnalysisLimits, Unreadable};

static DIALECT: MySqlDialect = MySqlDialect {};

/// The tokens of one statement, and how far they have been read.
pub(super) struct Reader {
    parser: Parser<'static>,
}

pub(super) type Read<T> = Result<T, Unreadable>;

/// Reads the tokens of one statement.
pub(super) fn read(mut tokens: Vec<TokenWithSpan>, limits: &AnalysisLimits) -> Read<Command> {
    let begins = |word: &str| is_word(tokens.first(), word);
    let selects = ["SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE"];
    let opens = matches!(tokens.first().map(|one| &one.token), Some(Token::LParen));
    let into = if opens || selects.iter().any(|word| begins(word)) {
        select::take_into(&mut tokens)?
    } else {
        None
    };
    super::rewrite::rewrite(&mut tokens);
    let parser = Parser::new(&DIALECT)
        .with_recursion_limit(limits.depth_max)
        .with_tokens_with_locations(tokens);
    let mut reader = Reader { parser };
    let mut command = reader.statement()?;
    if let Some(into) = into {
        match &mut command {
            Command::Query { into: slot, .. } => *slot = Some(into),
            _ => return Err(lexer::tangled("an INTO where none may stand")),
        }
    }
    Ok(command)
}

impl Reader {
    fn statement(&mut self) -> Read<Command> {
        let command = self.any_statement()?;
        self.end()?;
        Ok(command)
    }

    pub(super) fn any_statement(&mut self) -> Read<Command> {
        let Some(first) = self.word() else {
            return match &self.parser.peek_token_ref().token {
                Token::LParen => self.query(),
                _ => Err(self.unexpected("a statement")),
            };
        };
        match first.as_str() {
            "SELECT" | "VALUES" => self.query(),
            "TABLE" => self.table_query(),
            "WITH" => self.with(),
            "INSERT" | "REPLACE" => self.insert(),
            "UPDATE" => self.update(),
            "DELETE" => self.delete(),
            "LOAD" => self.load(),
            "EXPLAIN" | "DESCRIBE" | "DESC" => self.explain(),
            "SHOW" => self.show(),
            "ANALYZE" | "CHECK" | "CHECKSUM" | "OPTIMIZE" | "REPAIR" | "FLUSH" | "KILL"
            | "LOCK" | "UNLOCK" | "GRANT" | "REVOKE" | "TRUNCATE" => self.administration(&first),
            "CREATE" | "ALTER" | "DROP" | "RENAME" => self.definition(&first),
            _ => self.session(&first),
        }
    }

    /// Everything that is left, unread.
    pub(super) fn unknown(&mut self) -> Command {
        self.skip_rest();
        Command::Plain(Plain::unknown())
    }

    pub(super) fn skip_rest(&mut self) {
        while self.parser.next_token().token != Token::EOF {}
    }

    /// The word at this place in upper case, unless it is a name for sure.
    pub(super) fn word(&self) -> Option<String> {
        match &self.parser.peek_token_ref().token {
            Token::Word(word) if word.quote_style.is_none() => {
                Some(word.value.to_ascii_uppercase())
            }
            _ => None,
        }
    }

    /// Whether the word `ahead` places on is this one.
    pub(super) fn is_at(&self, ahead: usize, word: &str) -> bool {
        is_word(Some(self.parser.peek_nth_token_ref(ahead)), word)
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Takes these words where they stand one after the other.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.is_at(ahead, word));
        if found {
            words.iter().for_each(|_| self.parser.advance_token());
        }
        found
    }

    pub(super) fn take_any(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        if found {
            self.parser.advance_token();
        }
        found
    }

    pub(super) fn expect(&mut self, words: &[&str]) -> Read<()> {
        if self.take(words) { Ok(()) } else { Err(self.unexpected("another word")) }
    }

    pub(super) fn takes(&mut self, token: &Token) -> bool {
        self.parser.consume_token(token)
    }

    pub(super) fn expects(&mut self, token: &Token) -> Read<()> {
        if self.takes(token) { Ok(()) } else { Err(self.unexpected("another sign")) }
    }

    pub(super) fn at_end(&self) -> bool {
        self.parser.peek_token_ref().token == Token::EOF
    }

    pub(super) fn end(&self) -> Read<()> {
        if self.at_end() { Ok(()) } else { Err(self.unexpected("the end of the statement")) }
    }

    /// A name: a word that is not reserved, or one in backticks.
    pub(super) fn ident(&mut self) -> Read<Ident> {
        match &self.parser.peek_token_ref().token {
            Token::Word(word) if word.quote_style.is_some() || !words::is_reserved(&word.value) => {
                let mut ident = Ident::new(word.value.clone());
                ident.quote_style = Some('`');
                self.parser.advance_token();
                Ok(ident)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// `table` or `database.table`.
    pub(super) fn name(&mut self) -> Read<ObjectName> {
        let mut parts = vec![ObjectNamePart::Identifier(self.ident()?)];
        while self.parser.peek_token_ref().token == Token::Period
            && self.parser.peek_nth_token_ref(1).token != Token::Mul
        {
            self.parser.advance_token();
            parts.push(ObjectNamePart::Identifier(self.ident()?));
        }
        Ok(ObjectName(parts))
    }

    pub(super) fn text(&mut self) -> Read<String> {
        match &self.parser.peek_token_ref().token {
            Token::SingleQuotedString(text) => {
                let text = text.clone();
                self.parser.advance_token();
                Ok(text)
            }
            _ => Err(self.unexpected("a string")),
        }
    }

    /// One after the other, with commas between.
    pub(super) fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.takes(&Token::Comma) {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// Has the library read something.
    pub(super) fn parse<T>(
        &mut self,
        what: impl FnOnce(&mut Parser<'static>) -> Result<T, ParserError>,
    ) -> Read<T> {
        what(&mut self.parser).map_err(|error| self.refused(&error))
    }

    pub(super) fn expression(&mut self) -> Read<sqlparser::ast::Expr> {
        self.parse(Parser::parse_expr)
    }

    /// Takes a parenthesis with everything in it.
    pub(super) fn skip_parentheses(&mut self) -> Read<()> {
        self.expects(&Token::LParen)?;
        let mut depth = 1;
        while depth > 0 {
            match self.parser.next_token().token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::EOF => return Err(self.unexpected("a closing parenthesis")),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Unreadable {
        let token = self.parser.peek_token_ref();
        let message = match &token.token {
            Token::EOF => format!("the statement ends where {wanted} was expected"),
            found => format!("there is {found} where {wanted} was expected"),
        };
        Unreadable::Syntax { message, position: Some(lexer::place(token).start + 1) }
    }

    fn refused(&self, error: &ParserError) -> Unreadable {
        let message = match error {
            ParserError::RecursionLimitExceeded => return lexer::tangled("too many levels"),
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
                // The place that the library adds is in its own coordinates.
                message.split(" at Line:").next().unwrap_or_default().to_owned()
            }
        };
        let position = lexer::place(self.parser.peek_token_ref()).start + 1;
        Unreadable::Syntax { message, position: Some(position) }
    }
}

/// Whether it is this word, and no name for sure.
pub(super) fn is_word(token: Option<&TokenWithSpan>, word: &str) -> bool {
    matches!(
        token.map(|one| &one.token),
        Some(Token::Word(found))
            if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word)
    )
}
