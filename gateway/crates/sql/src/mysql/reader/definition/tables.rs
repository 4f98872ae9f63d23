//! `CREATE TABLE` and `ALTER TABLE`, as far as they reach beyond the table.
//!
//! Owns the words that name other tables, other servers or files. What is in a column's
//! definition cannot hold a query; it is looked through, not understood.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::mysql::command::{Changes, Command, CreateTable};
use crate::mysql::reader::{Read, Reader};

/// Storage engines that keep a table's rows in the server's own files and nowhere else.
const OWN_ENGINES: [&str; 10] = [
    "INNODB",
    "MYISAM",
    "ARIA",
    "MEMORY",
    "HEAP",
    "ARCHIVE",
    "BLACKHOLE",
    "CSV",
    "ROCKSDB",
    "SEQUENCE",
];

impl Reader {
    pub(super) fn create_table(&mut self, replace: bool, temporary: bool) -> Read<Command> {
        self.expect(&["TABLE"])?;
        let _ = self.take(&["IF", "NOT", "EXISTS"]);
        let name = Some(self.name()?);
        let mut table = CreateTable { temporary, replace, name, ..CreateTable::default() };
        if self.take(&["LIKE"]) {
            table.like = Some(self.name()?);
            return Ok(Command::CreateTable(Box::new(table)));
        }
        if self.parser.peek_token_ref().token == Token::LParen {
            if self.is_at(1, "LIKE") {
                self.parser.advance_token();
                self.parser.advance_token();
                table.like = Some(self.name()?);
                self.expects(&Token::RParen)?;
                return Ok(Command::CreateTable(Box::new(table)));
            }
            if !self.is_at(1, "SELECT") && !self.is_at(1, "WITH") {
                self.columns(&mut table)?;
            }
        }
        while !self.at_end() && !self.begins_query() {
            table.reaches_out |= self.option_reaches_out()?;
        }
        if !self.at_end() {
            let _ = self.take_any(&["IGNORE", "REPLACE"]);
            let _ = self.take(&["AS"]);
            table.query = Some(self.parse(Parser::parse_query)?);
        }
        Ok(Command::CreateTable(Box::new(table)))
    }

    fn begins_query(&self) -> bool {
        self.is_any(&["SELECT", "AS", "WITH", "VALUES", "REPLACE", "IGNORE"])
            || (self.parser.peek_token_ref().token == Token::LParen
                && (self.is_at(1, "SELECT") || self.is_at(1, "WITH")))
    }

    /// The parenthesis with columns and keys.
    fn columns(&mut self, table: &mut CreateTable) -> Read<()> {
        self.expects(&Token::LParen)?;
        let mut depth = 1;
        while depth > 0 {
            if self.take(&["REFERENCES"]) {
                table.references.push(self.name()?);
                continue;
            }
            match &self.parser.peek_token_ref().token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::EOF => return Err(self.unexpected("a closing parenthesis")),
                // No expression of a column may hold one.
                _ if self.is("SELECT") => return Err(self.unexpected("a column")),
                _ => {}
            }
            self.parser.advance_token();
        }
        Ok(())
    }

    /// One word or sign of a table's options; whether it reaches beyond the table.
    fn option_reaches_out(&mut self) -> Read<bool> {
        if self.take_any(&["ENGINE", "TYPE"]) {
            let _ = self.takes(&Token::Eq);
            let own = match &self.parser.peek_token_ref().token {
                Token::Word(word) => word.value.clone(),
                Token::SingleQuotedString(text) => text.clone(),
                _ => return Err(self.unexpected("a storage engine")),
            };
            self.parser.advance_token();
            return Ok(!OWN_ENGINES.iter().any(|engine| engine.eq_ignore_ascii_case(&own)));
        }
        let reaches = self.is_any(&[
            "CONNECTION",
            "UNION",
            "DIRECTORY",
            "TABLESPACE",
            "INSERT_METHOD",
            "SELECT",
        ]);
        if self.parser.peek_token_ref().token == Token::LParen {
            self.skip_parentheses()?;
        } else {
            self.parser.advance_token();
        }
        Ok(reaches)
    }

    pub(super) fn alter_table(&mut self) -> Read<Command> {
        let _ = self.take(&["IF", "EXISTS"]);
        let name = self.name()?;
        let mut changes = Box::new(Changes::default());
        while !self.at_end() {
            self.change(&mut changes)?;
        }
        Ok(Command::AlterTable { name, changes })
    }

    /// One change, or one word of it.
    fn change(&mut self, changes: &mut Changes) -> Read<()> {
        if self.take(&["REFERENCES"]) {
            changes.references.push(self.name()?);
        } else if self.take(&["EXCHANGE", "PARTITION"]) {
            self.ident()?;
            self.expect(&["WITH", "TABLE"])?;
            changes.exchanged = Some(self.name()?);
        } else if self.take(&["CHANGE"]) || self.take(&["RENAME", "COLUMN"]) {
            let _ = self.take(&["COLUMN"]);
            let _ = self.take(&["IF", "EXISTS"]);
            changes.renamed_columns.push(self.ident()?);
        } else if self.take(&["RENAME", "INDEX"]) || self.take(&["RENAME", "KEY"]) {
            let _ = self.take(&["IF", "EXISTS"]);
            self.ident()?;
        } else if self.take(&["RENAME"]) {
            let _ = self.take_any(&["TO", "AS"]) || self.takes(&Token::Eq);
            changes.renamed_to = Some(self.name()?);
        } else if self.take(&["CONVERT"]) {
            // `CONVERT TO CHARACTER SET`, and a partition that becomes a table or the reverse.
            changes.reaches_out |= !self.take(&["TO", "CHARACTER", "SET"]);
        } else if self.take_any(&["GENERATED", "AS"]) {
            changes.computes = true;
        } else if self.take(&["DEFAULT"]) {
            changes.computes |= self.default_computes();
        } else if self.is_any(&["ENGINE", "CONNECTION", "UNION", "DIRECTORY", "TABLESPACE"]) {
            changes.reaches_out |= self.option_reaches_out()?;
        } else if self.is("SELECT") {
            return Err(self.unexpected("a change of a table"));
        } else if self.parser.peek_token_ref().token == Token::LParen {
            self.alter_parentheses(changes)?;
        } else {
            self.parser.advance_token();
        }
        Ok(())
    }

    /// Whether a default, which comes next, may be computed from other columns: a new column then
    /// has their values in every row there is. Whatever is no constant for sure may be.
    fn default_computes(&self) -> bool {
        const CONSTANTS: [&str; 10] = [
            "NULL",
            "TRUE",
            "FALSE",
            "CURRENT_TIMESTAMP",
            "CURRENT_DATE",
            "CURRENT_TIME",
            "LOCALTIME",
            "LOCALTIMESTAMP",
            // Of the table itself.
            "CHARACTER",
            "COLLATE",
        ];
        let next = &self.parser.peek_nth_token_ref(1).token;
        match &self.parser.peek_token_ref().token {
            Token::Number(..) | Token::SingleQuotedString(_) | Token::HexStringLiteral(_) => false,
            Token::Minus | Token::Plus => !matches!(next, Token::Number(..)),
            // `ON DELETE SET DEFAULT`, `ALTER a DROP DEFAULT`.
            Token::Comma | Token::RParen | Token::EOF => false,
            _ if self.is("CHARSET") => *next != Token::Eq,
            _ if self.is("NOW") => *next != Token::LParen,
            _ => !self.is_any(&CONSTANTS),
        }
    }

    /// `ADD (a int, b int AS (..))`, `ADD INDEX (a)`, `DEFAULT (..)`.
    fn alter_parentheses(&mut self, changes: &mut Changes) -> Read<()> {
        let mut depth = 0;
        loop {
            if self.take(&["REFERENCES"]) {
                changes.references.push(self.name()?);
                continue;
            }
            if self.take(&["DEFAULT"]) {
                changes.computes |= self.default_computes();
                continue;
            }
            match &self.parser.peek_token_ref().token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::EOF => return Err(self.unexpected("a closing parenthesis")),
                _ if self.is_any(&["GENERATED", "AS"]) => changes.computes = true,
                _ if self.is("SELECT") => return Err(self.unexpected("a change of a table")),
                _ => {}
            }
            self.parser.advance_token();
            if depth == 0 {
                return Ok(());
            }
        }
    }
}
