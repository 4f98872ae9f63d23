//! Queries, and what stands around them: `INTO`, `WITH` before other statements, `EXPLAIN`.
//!
//! Owns their order. Must not know what is inside a query.

use sqlparser::ast::{Query, SetExpr, Table};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Read, Reader, is_word};
use crate::mysql::command::{Answer, Command, Into, On, Plain};
use crate::mysql::lexer::tangled;
use crate::statement::StatementKind;
use model::Action;

impl Reader {
    pub(super) fn query(&mut self) -> Read<Command> {
        let query = self.parse(Parser::parse_query)?;
        Ok(Command::Query { query, into: None })
    }

    /// `TABLE t`, which the library reads with a name that says nothing of its quotes.
    pub(super) fn table_query(&mut self) -> Read<Command> {
        self.expect(&["TABLE"])?;
        let name = self.name()?;
        let mut parts = name.0.iter().filter_map(|part| part.as_ident());
        let (one, two) = (parts.next(), parts.next());
        let own = |ident: Option<&sqlparser::ast::Ident>| ident.map(|one| one.value.clone());
        let table = match (one, two, parts.next()) {
            (table, None, None) => Table { table_name: own(table), schema_name: None },
            (schema, table, None) => Table { table_name: own(table), schema_name: own(schema) },
            _ => return Err(self.unexpected("a table")),
        };
        let body = Box::new(SetExpr::Table(Box::new(table)));
        let mut tail = self.tail()?;
        let query = Query {
            with: None,
            body,
            order_by: None,
            limit_clause: None,
            fetch: None,
            locks: Vec::new(),
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators: Vec::new(),
        };
        if tail.condition.take().is_some() || tail.returning.take().is_some() {
            return Err(self.unexpected("the end of the statement"));
        }
        // Sorting and counting the rows of one whole table compares and shows nothing new.
        Ok(Command::Query { query: Box::new(query), into: None })
    }

    /// `WITH .. SELECT`, `WITH .. UPDATE`, `WITH .. DELETE`.
    pub(super) fn with(&mut self) -> Read<Command> {
        let mut depth = 0_usize;
        for ahead in 0.. {
            let token = self.parser.peek_nth_token_ref(ahead);
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::EOF => break,
                _ if depth == 0
                    && (is_word(Some(token), "UPDATE") || is_word(Some(token), "DELETE")) =>
                {
                    // `FOR UPDATE` stands at the end of a query.
                    if ahead > 0 && self.is_at(ahead - 1, "FOR") {
                        break;
                    }
                    return Ok(self.unknown());
                }
                _ => {}
            }
        }
        self.query()
    }

    pub(super) fn explain(&mut self) -> Read<Command> {
        self.parser.advance_token();
        let mut analyze = self.take(&["ANALYZE"]);
        let _ = self.take_any(&["EXTENDED", "PARTITIONS"]);
        self.format()?;
        analyze |= self.take(&["ANALYZE"]);
        if self.is("FOR") {
            return Ok(self.unknown());
        }
        let opens = self.parser.peek_token_ref().token == Token::LParen;
        let statements =
            ["SELECT", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE", "TABLE", "VALUES"];
        if !opens && !self.is_any(&statements) {
            return self.describe();
        }
        self.explained(analyze)
    }

    pub(super) fn format(&mut self) -> Read<()> {
        if self.take(&["FORMAT"]) {
            self.expects(&Token::Eq)?;
            self.parser.advance_token();
        }
        Ok(())
    }

    pub(super) fn explained(&mut self, analyze: bool) -> Read<Command> {
        if self.is_any(&["EXPLAIN", "DESCRIBE", "DESC", "ANALYZE"]) {
            return Err(self.unexpected("a statement to explain"));
        }
        let inner = Box::new(self.any_statement()?);
        Ok(Command::Explain { analyze, inner })
    }

    /// `DESCRIBE t`, `DESCRIBE t column`.
    fn describe(&mut self) -> Read<Command> {
        let name = self.name()?;
        if !self.at_end() && self.text().is_err() {
            self.ident()?;
        }
        let plain = Plain::new(StatementKind::Show { name: "columns".into() })
            .needs(Action::Select, On::Relation(name))
            .answers(Answer::Harmless);
        Ok(Command::Plain(plain))
    }
}

/// Takes the `INTO` of a `SELECT` out of its tokens, wherever the server allows it to stand.
pub(super) fn take_into(tokens: &mut Vec<TokenWithSpan>) -> Read<Option<Into>> {
    let mut depth = 0_usize;
    let mut found = None;
    for (index, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            // Of an INSERT that is explained.
            _ if depth == 0
                && ["INSERT", "REPLACE", "UPDATE", "DELETE"]
                    .iter()
                    .any(|word| is_word(Some(token), word))
                && found.is_none()
                && !is_word(index.checked_sub(1).and_then(|before| tokens.get(before)), "FOR")
                && tokens.get(index + 1).is_none_or(|next| next.token != Token::LParen) =>
            {
                return Ok(None);
            }
            _ if depth == 0 && is_word(Some(token), "INTO") && found.replace(index).is_some() => {
                return Err(tangled("more than one INTO"));
            }
            _ => {}
        }
    }
    let Some(start) = found else { return Ok(None) };
    let at = |index: usize| tokens.get(index).map(|one| &one.token);
    let word = |index: usize, word: &str| is_word(tokens.get(index), word);
    let mut end = start + 1;
    let into = if word(end, "OUTFILE") || word(end, "DUMPFILE") {
        let Some(Token::SingleQuotedString(file)) = at(end + 1) else {
            return Err(tangled("an INTO without a file"));
        };
        let file = file.clone();
        end += 2;
        if word(end, "CHARSET") {
            end += 2;
        } else if word(end, "CHARACTER") && word(end + 1, "SET") {
            end += 3;
        }
        const OPTIONS: [&str; 9] = [
            "FIELDS",
            "COLUMNS",
            "LINES",
            "TERMINATED",
            "ENCLOSED",
            "ESCAPED",
            "STARTING",
            "OPTIONALLY",
            "BY",
        ];
        while OPTIONS.iter().any(|option| word(end, option))
            || (word(end - 1, "BY")
                && matches!(
                    at(end),
                    Some(Token::SingleQuotedString(_) | Token::HexStringLiteral(_))
                ))
        {
            end += 1;
        }
        Into::File(file)
    } else {
        let mut variables = Vec::new();
        while let Some(Token::Placeholder(name)) = at(end)
            && name.len() > 1
        {
            variables.push(name.clone());
            end += 1;
            if at(end) != Some(&Token::Comma) {
                break;
            }
            end += 1;
        }
        if variables.is_empty() || matches!(at(end - 1), Some(Token::Comma)) {
            return Err(tangled("an INTO without a variable"));
        }
        Into::Variables(variables)
    };
    tokens.drain(start..end);
    Ok(Some(into))
}
