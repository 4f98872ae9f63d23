//! `INSERT`, `REPLACE`, `UPDATE`, `DELETE`, `LOAD DATA`.
//!
//! Owns their clauses, also those of several tables that the library does not read.

use sqlparser::ast::{Expr, ObjectName};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Read, Reader};
use crate::mysql::command::{Command, Delete, Insert, InsertSource, LoadFile, Tail, Update};
use crate::mysql::lexer::tangled;

impl Reader {
    pub(super) fn insert(&mut self) -> Read<Command> {
        let replace = self.is("REPLACE");
        self.parser.advance_token();
        while self.take_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]) {}
        let _ = self.take(&["INTO"]);
        let table = self.name()?;
        if self.take(&["PARTITION"]) {
            self.skip_parentheses()?;
        }
        let columns = self.insert_columns()?;
        let source = self.insert_source()?;
        let row_alias = if self.take(&["AS"]) {
            let name = self.ident()?;
            let mut columns = Vec::new();
            if self.takes(&Token::LParen) {
                columns = self.list(Self::ident)?;
                self.expects(&Token::RParen)?;
            }
            Some((name, columns))
        } else {
            None
        };
        let on_duplicate = if self.take(&["ON", "DUPLICATE", "KEY", "UPDATE"]) {
            self.list(Self::assignment)?
        } else {
            Vec::new()
        };
        let returning = self.returning()?;
        let insert = Insert { replace, table, columns, source, row_alias, on_duplicate, returning };
        Ok(Command::Insert(Box::new(insert)))
    }

    fn insert_columns(&mut self) -> Read<Vec<ObjectName>> {
        let queries = ["SELECT", "WITH", "VALUES", "TABLE"];
        let opens = self.parser.peek_token_ref().token == Token::LParen;
        let nested = self.parser.peek_nth_token_ref(1).token == Token::LParen
            || queries.iter().any(|word| self.is_at(1, word));
        if !opens || nested {
            return Ok(Vec::new());
        }
        self.expects(&Token::LParen)?;
        if self.takes(&Token::RParen) {
            return Ok(Vec::new());
        }
        let columns = self.list(Self::name)?;
        self.expects(&Token::RParen)?;
        Ok(columns)
    }

    fn insert_source(&mut self) -> Read<InsertSource> {
        if self.take_any(&["VALUES", "VALUE"]) {
            return Ok(InsertSource::Rows(self.list(Self::row)?));
        }
        if self.take(&["SET"]) {
            return Ok(InsertSource::Set(self.list(Self::assignment)?));
        }
        if self.is("TABLE") {
            return match self.table_query()? {
                Command::Query { query, .. } => Ok(InsertSource::Query(query)),
                _ => Err(self.unexpected("a query")),
            };
        }
        self.parse(Parser::parse_query).map(InsertSource::Query)
    }

    fn row(&mut self) -> Read<Vec<Expr>> {
        let _ = self.take(&["ROW"]);
        self.expects(&Token::LParen)?;
        if self.takes(&Token::RParen) {
            return Ok(Vec::new());
        }
        let row = self.list(Self::expression)?;
        self.expects(&Token::RParen)?;
        Ok(row)
    }

    /// `column = value`.
    fn assignment(&mut self) -> Read<(ObjectName, Expr)> {
        let name = self.name()?;
        if !self.takes(&Token::Eq) {
            self.expects(&Token::Assignment)?;
        }
        Ok((name, self.expression()?))
    }

    pub(super) fn update(&mut self) -> Read<Command> {
        self.expect(&["UPDATE"])?;
        while self.take_any(&["LOW_PRIORITY", "IGNORE"]) {}
        let tables = self.list(|this| this.parse(Parser::parse_table_and_joins))?;
        self.expect(&["SET"])?;
        let assignments = self.list(Self::assignment)?;
        let tail = self.tail()?;
        Ok(Command::Update(Box::new(Update { tables, assignments, tail })))
    }

    pub(super) fn delete(&mut self) -> Read<Command> {
        self.expect(&["DELETE"])?;
        while self.take_any(&["LOW_PRIORITY", "QUICK", "IGNORE"]) {}
        let mut targets = Vec::new();
        if self.take(&["FROM"]) {
            if self.has_using() {
                targets = self.list(Self::target)?;
                self.expect(&["USING"])?;
            }
        } else {
            targets = self.list(Self::target)?;
            self.expect(&["FROM"])?;
        }
        let tables = self.list(|this| this.parse(Parser::parse_table_and_joins))?;
        let tail = self.tail()?;
        Ok(Command::Delete(Box::new(Delete { targets, tables, tail })))
    }

    /// `t` or `t.*`.
    fn target(&mut self) -> Read<ObjectName> {
        let name = self.name()?;
        if self.takes(&Token::Period) {
            self.expects(&Token::Mul)?;
        }
        Ok(name)
    }

    /// Whether `USING` divides targets from tables: it follows a list of bare names.
    fn has_using(&self) -> bool {
        for ahead in 0.. {
            match &self.parser.peek_nth_token_ref(ahead).token {
                Token::Word(_) if self.is_at(ahead, "USING") => return true,
                Token::Word(word)
                    if word.quote_style.is_some()
                        || !crate::mysql::words::is_reserved(&word.value) => {}
                Token::Comma | Token::Period | Token::Mul => {}
                _ => return false,
            }
        }
        false
    }

    pub(super) fn tail(&mut self) -> Read<Tail> {
        let mut tail = Tail::default();
        if self.take(&["WHERE"]) {
            tail.condition = Some(self.expression()?);
        }
        if self.take(&["ORDER", "BY"]) {
            tail.order = self.list(|this| this.parse(Parser::parse_order_by_expr))?;
        }
        if self.take(&["LIMIT"]) {
            tail.limit = self.list(Self::expression)?;
            if self.take(&["OFFSET"]) {
                tail.limit.push(self.expression()?);
            }
        }
        tail.returning = self.returning()?;
        Ok(tail)
    }

    fn returning(&mut self) -> Read<Option<Vec<sqlparser::ast::SelectItem>>> {
        if !self.take(&["RETURNING"]) {
            return Ok(None);
        }
        self.list(|this| this.parse(Parser::parse_select_item)).map(Some)
    }

    pub(super) fn load(&mut self) -> Read<Command> {
        if !self.take(&["LOAD", "DATA"]) {
            return Ok(self.unknown());
        }
        while self.take_any(&["LOW_PRIORITY", "CONCURRENT"]) {}
        if self.is("LOCAL") {
            return Err(tangled("a file of the client, which is never asked for (LOCAL INFILE)"));
        }
        self.expect(&["INFILE"])?;
        let file = self.text()?;
        let _ = self.take_any(&["REPLACE", "IGNORE"]);
        self.expect(&["INTO", "TABLE"])?;
        let table = self.name()?;
        let mut load = LoadFile { file, table, columns: Vec::new(), assignments: Vec::new() };
        // What is written how in the file: words and strings.
        while !self.at_end() {
            match &self.parser.peek_token_ref().token {
                Token::LParen if load.columns.is_empty() => {
                    self.expects(&Token::LParen)?;
                    load.columns = self.list(Self::expression)?;
                    self.expects(&Token::RParen)?;
                }
                Token::Word(_) if self.is("PARTITION") => {
                    self.parser.advance_token();
                    self.skip_parentheses()?;
                }
                Token::Word(_) if self.is("SET") && !load.columns.is_empty() => {
                    self.parser.advance_token();
                    load.assignments = self.list(Self::assignment)?;
                    break;
                }
                Token::Word(_)
                | Token::SingleQuotedString(_)
                | Token::HexStringLiteral(_)
                | Token::Number(..) => self.parser.advance_token(),
                _ => return Err(self.unexpected("the description of a file")),
            }
        }
        Ok(Command::LoadFile(Box::new(load)))
    }
}
