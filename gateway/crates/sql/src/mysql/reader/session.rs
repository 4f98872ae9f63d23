//! Statements about the session: settings, prepared statements, calls.
//!
//! Owns their forms. What begins with a word that nobody knows ends here as unknown.

use model::Action;
use sqlparser::ast::{Expr, Value};
use sqlparser::tokenizer::Token;

use super::{Read, Reader};
use crate::Unreadable;
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
            "XA" => match self.distributed()? {
                Some(plain) => plain,
                None => return Ok(self.unknown()),
            },
            // What it reads from is known to who opened it, which another statement did.
            "HANDLER" => {
                let (what, instead) = ("HANDLER", "SELECT .. ORDER BY .. LIMIT");
                return Err(Unreadable::NotRead { what, instead });
            }
            _ => return Ok(self.unknown()),
        };
        Ok(Command::Plain(plain))
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
        if self.is("STATEMENT") && !self.is_assigned(1) {
            return self.set_for_statement();
        }
        if self.is_any(&["PASSWORD", "ROLE", "DEFAULT", "RESOURCE"]) && !self.is_assigned(1) {
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

    /// Whether what stands `ahead` places on gives a value to what stands before it.
    fn is_assigned(&self, ahead: usize) -> bool {
        matches!(self.parser.peek_nth_token_ref(ahead).token, Token::Eq | Token::Assignment)
    }

    /// `SET STATEMENT a = 1, b = 2 FOR ..`: settings for one statement. One that runs or keeps
    /// another text, or sets for its part, is not read.
    fn set_for_statement(&mut self) -> Read<Command> {
        self.parser.advance_token();
        let assignments = self.list(Self::setting)?;
        self.expect(&["FOR"])?;
        let opens = self.parser.peek_token_ref().token == Token::LParen;
        let statements = [
            "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE",
            "TRUNCATE", "CALL", "DO", "CREATE", "ALTER", "DROP", "RENAME", "ANALYZE", "OPTIMIZE",
            "CHECK", "REPAIR", "SHOW", "EXPLAIN", "DESCRIBE", "DESC",
        ];
        if !opens && !self.is_any(&statements) {
            return Ok(self.unknown());
        }
        let inner = Box::new(self.any_statement()?);
        Ok(Command::SetFor { assignments, inner })
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
        if self.is("DEFAULT") {
            let value = if wide { None } else { self.server_wide(&name) };
            self.parser.advance_token();
            return Ok(Assignment::Setting { name, wide, value });
        }
        // Words that are no expression to the library.
        let value = if self.is_any(&["ON", "BINARY", "ALL"]) {
            let word = self.word().unwrap_or_default();
            self.parser.advance_token();
            Expr::value(Value::SingleQuotedString(word))
        } else {
            self.expression()?
        };
        Ok(Assignment::Setting { name, wide, value: Some(value) })
    }

    /// What a pinned setting's `DEFAULT`, which stands here, is taken from: the server's own.
    fn server_wide(&self, name: &str) -> Option<Expr> {
        const PINNED: [&str; 5] = [
            "sql_mode",
            "character_set_client",
            "character_set_connection",
            "character_set_results",
            "collation_connection",
        ];
        let variable = Value::Placeholder(format!("@@global.{name}"));
        let span = self.parser.peek_token_ref().span;
        PINNED.contains(&name).then(|| Expr::Value(variable.with_span(span)))
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
    let value = value.map(|text| Expr::value(Value::SingleQuotedString(text)));
    Assignment::Setting { name: name.into(), wide: false, value }
}

/// What the session may be told of itself.
pub(super) const fn told(kind: StatementKind, answer: Answer) -> Plain {
    Plain::new(kind).answers(answer)
}
