//! `SHOW`.
//!
//! Owns the list of what may be shown and what each reads. What is not in it (the binary log,
//! the state of an engine with its last statements, replication) is unknown.

use model::Action;
use sqlparser::tokenizer::Token;

use super::session::told;
use super::{Read, Reader};
use crate::mysql::command::{Answer, Command, On, Plain};
use crate::statement::StatementKind;

impl Reader {
    pub(super) fn show(&mut self) -> Read<Command> {
        self.parser.advance_token();
        while self.take_any(&["FULL", "EXTENDED", "GLOBAL", "SESSION", "LOCAL"]) {}
        let Some(plain) = self.shown()? else { return Ok(self.unknown()) };
        self.filtered(plain)
    }

    fn shown(&mut self) -> Read<Option<Plain>> {
        let Some(word) = self.word() else { return Ok(None) };
        self.parser.advance_token();
        let harmless = |name: &str| told(show(name), Answer::Harmless);
        Ok(Some(match word.as_str() {
            "VARIABLES" | "STATUS" | "ENGINES" | "PLUGINS" | "COLLATION" | "CHARSET"
            | "PRIVILEGES" => harmless(&word),
            "CHARACTER" if self.take(&["SET"]) => harmless("character set"),
            "STORAGE" if self.take(&["ENGINES"]) => harmless("engines"),
            "GRANTS" => {
                if self.take(&["FOR"]) {
                    let own = self.take(&["CURRENT_USER"]);
                    if !own {
                        return Ok(None);
                    }
                    if self.takes(&Token::LParen) {
                        self.expects(&Token::RParen)?;
                    }
                }
                harmless("grants")
            }
            // Their texts may quote any value.
            "WARNINGS" | "ERRORS" => {
                self.limit()?;
                told(show(&word), Answer::Opaque)
            }
            "COUNT" => {
                self.skip_parentheses()?;
                if !self.take_any(&["WARNINGS", "ERRORS"]) {
                    return Ok(None);
                }
                harmless("count")
            }
            "PROCESSLIST" => self.information("processlist", "processlist"),
            "DATABASES" | "SCHEMAS" => self.information("databases", "schemata"),
            "TABLES" => self.of_database("tables", "tables")?,
            "TABLE" if self.take(&["STATUS"]) => self.of_database("table status", "tables")?,
            "TRIGGERS" => self.of_database("triggers", "triggers")?,
            "EVENTS" => self.of_database("events", "events")?,
            "OPEN" if self.take(&["TABLES"]) => self.of_database("open tables", "tables")?,
            "PROCEDURE" | "FUNCTION" if self.take(&["STATUS"]) => {
                self.information("routines", "routines")
            }
            "PACKAGE" if self.take(&["STATUS"]) || self.take(&["BODY", "STATUS"]) => {
                self.information("routines", "routines")
            }
            "COLUMNS" | "FIELDS" => self.of_table("columns")?,
            "INDEX" | "INDEXES" | "KEYS" => self.of_table("index")?,
            "CREATE" => return self.show_create(),
            _ => return Ok(None),
        }))
    }

    fn information(&self, name: &str, table: &'static str) -> Plain {
        told(show(name), Answer::Harmless).needs(Action::Select, On::Information(table))
    }

    /// `[FROM database]`.
    fn of_database(&mut self, name: &str, table: &'static str) -> Read<Plain> {
        if self.take_any(&["FROM", "IN"]) {
            self.ident()?;
        }
        Ok(self.information(name, table))
    }

    /// `FROM table [FROM database]`.
    fn of_table(&mut self, name: &str) -> Read<Plain> {
        if !self.take_any(&["FROM", "IN"]) {
            return Err(self.unexpected("a table"));
        }
        let mut table = self.name()?;
        if self.take_any(&["FROM", "IN"]) {
            let mut parts = self.name()?.0;
            parts.extend(table.0.pop());
            table.0 = parts;
        }
        Ok(told(show(name), Answer::Harmless).needs(Action::Select, On::Relation(table)))
    }

    fn show_create(&mut self) -> Read<Option<Plain>> {
        let Some(word) = self.word() else { return Ok(None) };
        self.parser.advance_token();
        let answers = told(show("create"), Answer::Harmless);
        Ok(Some(match word.as_str() {
            "TABLE" | "VIEW" | "SEQUENCE" => {
                answers.needs(Action::Select, On::Relation(self.name()?))
            }
            "DATABASE" | "SCHEMA" => {
                let _ = self.take(&["IF", "NOT", "EXISTS"]);
                self.ident()?;
                answers.needs(Action::Select, On::Information("schemata"))
            }
            "PROCEDURE" | "FUNCTION" | "PACKAGE" => {
                let _ = self.take(&["BODY"]);
                self.name()?;
                answers.needs(Action::Select, On::Information("routines"))
            }
            "TRIGGER" => {
                self.name()?;
                answers.needs(Action::Select, On::Information("triggers"))
            }
            "EVENT" => {
                self.name()?;
                answers.needs(Action::Select, On::Information("events"))
            }
            _ => return Ok(None),
        }))
    }

    fn limit(&mut self) -> Read<()> {
        if self.take(&["LIMIT"]) {
            self.list(Self::expression)?;
        }
        Ok(())
    }

    /// `LIKE '..'` or `WHERE ..`.
    fn filtered(&mut self, plain: Plain) -> Read<Command> {
        if self.take(&["LIKE"]) {
            self.text()?;
        } else if self.take(&["WHERE"]) {
            let filter = Box::new(self.expression()?);
            return Ok(Command::Filtered { plain, filter });
        }
        Ok(Command::Plain(plain))
    }
}

fn show(name: &str) -> StatementKind {
    StatementKind::Show { name: name.to_ascii_lowercase().into() }
}
