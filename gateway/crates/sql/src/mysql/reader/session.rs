//! Statements about the session: settings, transactions, prepared statements, calls.
//!
//! Owns their forms. What begins with a word that nobody knows ends here as unknown.

use model::Action;
use sqlparser::tokenizer::Token;

use super::{Read, Reader};
use crate::mysql::command::{Answer, Assignment, Command, On, Plain};
use crate::statement::{SettingValue, StatementKind};

impl Reader {
    pub(super) fn session(&mut self, first: &str) -> Read<Command> {
        let plain = match first {
            "SET" => return self.set(),
            "PREPARE" => return self.prepare(),
            "EXECUTE" => return self.execute(),
            "CALL" => return self.call(),
            "DO" => {
                self.parser.advance_token();
                return Ok(Command::Do(self.list(Self::expression)?));
            }
            "USE" => {
                self.parser.advance_token();
                let name = self.ident()?.value;
                let value = SettingValue::Text(name.as_str().into());
                let kind = StatementKind::Set {
                    name: "database".into(),
                    value,
                    local: false,
                    pinned: false,
                };
                Plain::new(kind)
            }
            "DEALLOCATE" => {
                self.parser.advance_token();
                self.expect(&["PREPARE"])?;
                let name = self.ident()?.value.to_lowercase();
                Plain::new(StatementKind::Deallocate { name: Some(name.into()) })
            }
            "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => {
                match self.transaction(first)? {
                    Some(kind) => Plain::new(kind),
                    None => return Ok(self.unknown()),
                }
            }
            _ => return Ok(self.unknown()),
        };
        Ok(Command::Plain(plain))
    }

    fn transaction(&mut self, first: &str) -> Read<Option<StatementKind>> {
        self.parser.advance_token();
        Ok(Some(match first {
            "BEGIN" => {
                let _ = self.take(&["WORK"]);
                if !self.at_end() {
                    // A block of statements.
                    return Ok(None);
                }
                StatementKind::Begin
            }
            "START" => {
                if !self.take(&["TRANSACTION"]) {
                    return Ok(None);
                }
                while !self.at_end() {
                    let words = self.take(&["WITH", "CONSISTENT", "SNAPSHOT"])
                        || self.take(&["READ", "ONLY"])
                        || self.take(&["READ", "WRITE"])
                        || self.takes(&Token::Comma);
                    if !words {
                        return Err(self.unexpected("the kind of a transaction"));
                    }
                }
                StatementKind::Begin
            }
            "COMMIT" | "ROLLBACK" => {
                let _ = self.take(&["WORK"]);
                if first == "ROLLBACK" && self.take(&["TO"]) {
                    let _ = self.take(&["SAVEPOINT"]);
                    let name = self.ident()?.value.into();
                    return Ok(Some(StatementKind::RollbackTo { name }));
                }
                let mut chain = false;
                if self.take(&["AND"]) {
                    chain = !self.take(&["NO"]);
                    self.expect(&["CHAIN"])?;
                } else if !self.at_end() && !self.is_any(&["RELEASE", "NO"]) {
                    return Err(self.unexpected("the end of a transaction"));
                }
                if self.take(&["NO", "RELEASE"]) || !self.take(&["RELEASE"]) {
                    if first == "COMMIT" {
                        StatementKind::Commit { chain }
                    } else {
                        StatementKind::Rollback { chain }
                    }
                } else {
                    // The connection ends with it.
                    return Ok(None);
                }
            }
            "SAVEPOINT" => StatementKind::Savepoint { name: self.ident()?.value.into() },
            _ => {
                self.expect(&["SAVEPOINT"])?;
                StatementKind::Release { name: self.ident()?.value.into() }
            }
        }))
    }

    fn prepare(&mut self) -> Read<Command> {
        self.parser.advance_token();
        let name = self.ident()?.value.to_lowercase();
        self.expect(&["FROM"])?;
        let text = self.literal_text()?;
        Ok(Command::Prepare { name, text })
    }

    /// A string that stands alone until the end or `USING`, or else something computed.
    fn literal_text(&mut self) -> Read<Option<String>> {
        let alone = self.parser.peek_nth_token_ref(1).token == Token::EOF || self.is_at(1, "USING");
        if alone && let Ok(text) = self.text() {
            return Ok(Some(text));
        }
        self.expression()?;
        Ok(None)
    }

    fn execute(&mut self) -> Read<Command> {
        self.parser.advance_token();
        if self.take(&["IMMEDIATE"]) {
            let text = self.literal_text()?;
            if self.at_end() {
                return Ok(Command::Immediately(text));
            }
            return Ok(self.unknown());
        }
        let name = self.ident()?.value.to_lowercase();
        let values = if self.take(&["USING"]) { self.list(Self::expression)? } else { Vec::new() };
        Ok(Command::Execute { name, values })
    }

    fn call(&mut self) -> Read<Command> {
        self.parser.advance_token();
        let name = self.name()?;
        let mut arguments = Vec::new();
        if self.takes(&Token::LParen) && !self.takes(&Token::RParen) {
            arguments = self.list(Self::expression)?;
            self.expects(&Token::RParen)?;
        }
        Ok(Command::Call { name, arguments })
    }

    fn set(&mut self) -> Read<Command> {
        self.parser.advance_token();
        if self.is_any(&["STATEMENT", "PASSWORD", "ROLE", "DEFAULT", "RESOURCE"])
            && self.parser.peek_nth_token_ref(1).token != Token::Eq
            && self.parser.peek_nth_token_ref(1).token != Token::Assignment
        {
            return Ok(self.set_account());
        }
        if self.is("TRANSACTION")
            || (self.is_any(&["SESSION", "LOCAL", "GLOBAL"]) && self.is_at(1, "TRANSACTION"))
        {
            let wide = self.is("GLOBAL");
            self.skip_transaction_modes()?;
            if wide {
                return Ok(self.unknown());
            }
            return Ok(Command::Plain(Plain::new(StatementKind::SetTransaction)));
        }
        Ok(Command::Set(self.list(Self::setting)?))
    }

    fn set_account(&mut self) -> Command {
        if !self.is_any(&["ROLE", "DEFAULT"]) {
            return self.unknown();
        }
        self.skip_rest();
        let plain = Plain::new(StatementKind::Grant { what: "set role" })
            .needs(Action::Grant, On::Global("role", "*".into()));
        Command::Plain(plain)
    }

    fn skip_transaction_modes(&mut self) -> Read<()> {
        while !self.at_end() {
            let known = self.take_any(&[
                "SESSION",
                "LOCAL",
                "GLOBAL",
                "TRANSACTION",
                "ISOLATION",
                "LEVEL",
                "READ",
                "WRITE",
                "ONLY",
                "COMMITTED",
                "UNCOMMITTED",
                "REPEATABLE",
                "SERIALIZABLE",
            ]);
            if !known && !self.takes(&Token::Comma) {
                return Err(self.unexpected("the kind of a transaction"));
            }
        }
        Ok(())
    }

    /// One assignment of `SET`.
    fn setting(&mut self) -> Read<Assignment> {
        if self.take(&["NAMES"]) {
            let charset = self.charset()?;
            if self.take(&["COLLATE"]) {
                let _ = self.charset()?;
            }
            return Ok(setting("names", charset));
        }
        if self.take(&["CHARACTER", "SET"]) || self.take(&["CHARSET"]) {
            let charset = self.charset()?;
            return Ok(setting("names", charset));
        }
        let mut wide = false;
        if let Token::Placeholder(name) = &self.parser.peek_token_ref().token {
            let name = name.clone();
            self.parser.advance_token();
            return match name.strip_prefix("@@") {
                Some(name) => self.system_variable(name),
                None if name.len() > 1 => {
                    self.assigned()?;
                    let value = self.expression()?;
                    Ok(Assignment::Variable { name, value })
                }
                None => Err(self.unexpected("a variable")),
            };
        }
        if self.is_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY", "SESSION", "LOCAL"])
            && self.parser.peek_nth_token_ref(1).token != Token::Eq
        {
            wide = self.is_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]);
            self.parser.advance_token();
        }
        let name = self.name()?.to_string().replace('`', "").to_ascii_lowercase();
        self.setting_value(name, wide)
    }

    fn system_variable(&mut self, name: &str) -> Read<Assignment> {
        let (scope, own) = name.split_once('.').unwrap_or(("", name));
        match scope {
            "" | "session" | "local" => self.setting_value(own.to_owned(), false),
            _ => self.setting_value(own.to_owned(), true),
        }
    }

    fn setting_value(&mut self, name: String, wide: bool) -> Read<Assignment> {
        self.assigned()?;
        if self.take(&["DEFAULT"]) {
            return Ok(Assignment::Setting { name, wide, value: None });
        }
        // Words that are no expression to the library.
        let value = if self.is_any(&["ON", "BINARY", "ALL"]) {
            let word = self.word().unwrap_or_default();
            self.parser.advance_token();
            sqlparser::ast::Expr::value(sqlparser::ast::Value::SingleQuotedString(word))
        } else {
            self.expression()?
        };
        Ok(Assignment::Setting { name, wide, value: Some(value) })
    }

    fn assigned(&mut self) -> Read<()> {
        if self.takes(&Token::Eq) { Ok(()) } else { self.expects(&Token::Assignment) }
    }

    /// A character set or collation: a word, a string, or nothing for the default.
    fn charset(&mut self) -> Read<Option<String>> {
        if self.take(&["DEFAULT"]) {
            return Ok(None);
        }
        if self.take(&["BINARY"]) {
            return Ok(Some("binary".into()));
        }
        match self.text() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Ok(Some(self.ident()?.value)),
        }
    }
}

fn setting(name: &str, value: Option<String>) -> Assignment {
    use sqlparser::ast::{Expr, Value};
    let value = value.map(|text| Expr::value(Value::SingleQuotedString(text)));
    Assignment::Setting { name: name.into(), wide: false, value }
}

/// What the session may be told of itself.
pub(super) const fn told(kind: StatementKind, answer: Answer) -> Plain {
    Plain::new(kind).answers(answer)
}
