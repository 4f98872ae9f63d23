//! `CREATE`, `ALTER`, `DROP`, `RENAME`.
//!
//! Owns which objects they define and which others they name. Bodies of routines are code that
//! nobody reads. Columns and options of tables are looked through for names of other tables and
//! for what reaches beyond the table.

mod tables;

use model::Action;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Read, Reader};
use crate::mysql::command::{Command, On, Plain};
use crate::statement::StatementKind;

/// Objects of a database by their words, and the word of accesses.
const IN_DATABASE: [(&str, &str); 6] = [
    ("PROCEDURE", "procedure"),
    ("FUNCTION", "function"),
    ("TRIGGER", "trigger"),
    ("EVENT", "event"),
    ("PACKAGE", "package"),
    ("SEQUENCE", "sequence"),
];

impl Reader {
    pub(super) fn definition(&mut self, first: &str) -> Read<Command> {
        self.parser.advance_token();
        match first {
            "CREATE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" => self.drop(),
            _ => self.rename(),
        }
    }

    fn create(&mut self) -> Read<Command> {
        let replace = self.take(&["OR", "REPLACE"]);
        if self.take(&["TEMPORARY"]) {
            return self.create_table(replace, true);
        }
        if self.is("TABLE") {
            return self.create_table(replace, false);
        }
        self.definer()?;
        if self.is_any(&["UNIQUE", "FULLTEXT", "SPATIAL", "INDEX"]) {
            return self.create_index();
        }
        if self.take(&["VIEW"]) {
            return self.create_view(replace);
        }
        let _ = self.take(&["AGGREGATE"]);
        if self.take_any(&["DATABASE", "SCHEMA"]) {
            let _ = self.take(&["IF", "NOT", "EXISTS"]);
            let name = self.ident()?.value;
            self.skip_rest();
            let kind = StatementKind::Create { object: "database" };
            let plain = Plain::new(kind).needs(Action::Create, On::Global("database", name));
            return Ok(Command::Plain(plain));
        }
        if self.is_any(&["USER", "ROLE"]) {
            return Ok(self.account("create role"));
        }
        self.coded(Action::Create)
    }

    /// `DEFINER = ..`, `ALGORITHM = ..`, `SQL SECURITY ..` before what is created.
    fn definer(&mut self) -> Read<()> {
        loop {
            if self.take(&["ALGORITHM"]) || self.take(&["DEFINER"]) {
                self.expects(&Token::Eq)?;
                self.parser.advance_token();
                if matches!(self.parser.peek_token_ref().token, Token::Placeholder(_)) {
                    self.parser.advance_token();
                }
                if self.takes(&Token::LParen) {
                    self.expects(&Token::RParen)?;
                }
            } else if self.take(&["SQL", "SECURITY"]) {
                self.parser.advance_token();
            } else {
                return Ok(());
            }
        }
    }

    /// A routine, trigger or event: its body is code.
    fn coded(&mut self, action: Action) -> Read<Command> {
        for (word, kind) in IN_DATABASE {
            if !self.take(&[word]) {
                continue;
            }
            let _ = self.take(&["BODY"]);
            let _ = self.take(&["IF", "NOT", "EXISTS"]) || self.take(&["IF", "EXISTS"]);
            let name = self.name()?;
            self.skip_rest();
            let statement = match action {
                Action::Create => StatementKind::Create { object: kind },
                Action::Alter => StatementKind::Alter { object: kind },
                _ => StatementKind::Drop { object: kind },
            };
            let mut plain = Plain::new(statement).needs(action, On::InDatabase(kind, name.clone()));
            if action != Action::Drop && kind != "sequence" {
                plain = plain.needs(Action::Code, On::InDatabase(kind, name));
            }
            return Ok(Command::Plain(plain));
        }
        Ok(self.unknown())
    }

    fn account(&mut self, what: &'static str) -> Command {
        self.skip_rest();
        let plain = Plain::new(StatementKind::Grant { what })
            .needs(Action::Grant, On::Global("role", "*".into()));
        Command::Plain(plain)
    }

    fn create_index(&mut self) -> Read<Command> {
        while self.take_any(&["UNIQUE", "FULLTEXT", "SPATIAL"]) {}
        self.expect(&["INDEX"])?;
        let _ = self.take(&["IF", "NOT", "EXISTS"]);
        self.ident()?;
        if self.take(&["USING"]) {
            self.parser.advance_token();
        }
        self.expect(&["ON"])?;
        let table = self.name()?;
        self.skip_parentheses()?;
        self.skip_rest();
        let kind = StatementKind::Create { object: "index" };
        Ok(Command::Plain(Plain::new(kind).needs(Action::Alter, On::Relation(table))))
    }

    fn create_view(&mut self, replace: bool) -> Read<Command> {
        let _ = self.take(&["IF", "NOT", "EXISTS"]);
        let name = self.name()?;
        let mut columns = Vec::new();
        if self.takes(&Token::LParen) {
            columns = self.list(Self::ident)?;
            self.expects(&Token::RParen)?;
        }
        self.expect(&["AS"])?;
        let query = self.parse(Parser::parse_query)?;
        let _ = self.take(&["WITH", "CHECK", "OPTION"])
            || self.take(&["WITH", "CASCADED", "CHECK", "OPTION"])
            || self.take(&["WITH", "LOCAL", "CHECK", "OPTION"]);
        Ok(Command::CreateView { name, columns, query, replace })
    }

    fn alter(&mut self) -> Read<Command> {
        let _ = self.take_any(&["ONLINE", "IGNORE"]);
        if self.take(&["TABLE"]) {
            return self.alter_table();
        }
        self.definer()?;
        if self.take(&["VIEW"]) {
            return self.create_view(true);
        }
        if self.take_any(&["DATABASE", "SCHEMA"]) {
            let name = self.ident()?.value;
            self.skip_rest();
            let kind = StatementKind::Alter { object: "database" };
            let plain = Plain::new(kind).needs(Action::Alter, On::Global("database", name));
            return Ok(Command::Plain(plain));
        }
        if self.is("USER") {
            return Ok(self.account("alter role"));
        }
        self.coded(Action::Alter)
    }

    fn drop(&mut self) -> Read<Command> {
        if self.take(&["PREPARE"]) {
            let name = self.ident()?.value.to_lowercase();
            let kind = StatementKind::Deallocate { name: Some(name.into()) };
            return Ok(Command::Plain(Plain::new(kind)));
        }
        let _ = self.take(&["TEMPORARY"]);
        for (word, object) in [("TABLE", "table"), ("TABLES", "table"), ("VIEW", "view")] {
            if !self.take(&[word]) {
                continue;
            }
            let _ = self.take(&["IF", "EXISTS"]);
            let names = self.list(Self::name)?;
            let _ = self.take_any(&["RESTRICT", "CASCADE"]);
            let mut plain = Plain::new(StatementKind::Drop { object });
            for name in names {
                plain = plain.needs(Action::Drop, On::Relation(name));
            }
            return Ok(Command::Plain(plain));
        }
        if self.take(&["INDEX"]) {
            let _ = self.take(&["IF", "EXISTS"]);
            self.ident()?;
            self.expect(&["ON"])?;
            let table = self.name()?;
            self.skip_rest();
            let kind = StatementKind::Drop { object: "index" };
            return Ok(Command::Plain(Plain::new(kind).needs(Action::Alter, On::Relation(table))));
        }
        if self.take_any(&["DATABASE", "SCHEMA"]) {
            let _ = self.take(&["IF", "EXISTS"]);
            let name = self.ident()?.value;
            let kind = StatementKind::Drop { object: "database" };
            let plain = Plain::new(kind).needs(Action::Drop, On::Global("database", name));
            return Ok(Command::Plain(plain));
        }
        if self.is_any(&["USER", "ROLE"]) {
            return Ok(self.account("drop role"));
        }
        self.coded(Action::Drop)
    }

    fn rename(&mut self) -> Read<Command> {
        if self.is("USER") {
            return Ok(self.account("alter role"));
        }
        if !self.take_any(&["TABLE", "TABLES"]) {
            return Ok(self.unknown());
        }
        let renamed = self.list(|this| {
            let from = this.name()?;
            this.expect(&["TO"])?;
            Ok((from, this.name()?))
        })?;
        Ok(Command::Rename(renamed))
    }
}
