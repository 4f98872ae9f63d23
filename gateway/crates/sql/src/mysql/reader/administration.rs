//! Locks, tending of tables, privileges, other sessions.
//!
//! Owns their forms.

use model::Action;
use sqlparser::tokenizer::Token;

use super::{Read, Reader};
use crate::mysql::command::{Answer, Command, On, Plain};
use crate::statement::StatementKind;

impl Reader {
    pub(super) fn administration(&mut self, first: &str) -> Read<Command> {
        self.parser.advance_token();
        let plain = match first {
            "ANALYZE" if !self.tends_tables() => {
                self.format()?;
                return self.explained(true);
            }
            "ANALYZE" => self.tend("analyze", Answer::Harmless)?,
            "CHECK" if self.tends_tables() => self.tend("check", Answer::Harmless)?,
            "OPTIMIZE" if self.tends_tables() => self.tend("optimize", Answer::Harmless)?,
            "REPAIR" if self.tends_tables() => self.tend("repair", Answer::Harmless)?,
            // It shows whether the content has changed.
            "CHECKSUM" if self.tends_tables() => self.tend("checksum", Answer::Opaque)?,
            "FLUSH" => self.flush()?,
            "KILL" => match self.kill() {
                Some(plain) => plain,
                None => return Ok(self.unknown()),
            },
            "LOCK" if self.take_any(&["TABLES", "TABLE"]) => self.lock()?,
            "UNLOCK" if self.take_any(&["TABLES", "TABLE"]) => Plain::new(StatementKind::Lock),
            "TRUNCATE" => {
                let _ = self.take(&["TABLE"]);
                let name = self.name()?;
                self.wait();
                Plain::new(StatementKind::Truncate).needs(Action::Truncate, On::Relation(name))
            }
            "GRANT" | "REVOKE" => self.grant(first)?,
            _ => return Ok(self.unknown()),
        };
        Ok(Command::Plain(plain))
    }

    fn tends_tables(&self) -> bool {
        self.is_any(&["TABLE", "TABLES"])
            || (self.is_any(&["NO_WRITE_TO_BINLOG", "LOCAL"])
                && (self.is_at(1, "TABLE") || self.is_at(1, "TABLES")))
    }

    fn tend(&mut self, what: &'static str, answer: Answer) -> Read<Plain> {
        let _ = self.take_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        self.parser.advance_token();
        let tables = self.list(|this| {
            let name = this.name()?;
            this.statistics()?;
            Ok(name)
        })?;
        while self.take_any(&["QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED", "USE_FRM", "FORCE"])
            || self.take(&["FOR", "UPGRADE"])
        {}
        self.wait();
        let mut plain = Plain::new(StatementKind::Maintain { what }).answers(answer);
        for table in tables {
            plain = plain.needs(Action::Maintain, On::Relation(table));
        }
        Ok(plain)
    }

    /// `PERSISTENT FOR ALL`, `PERSISTENT FOR COLUMNS (a, b) INDEXES ALL`.
    fn statistics(&mut self) -> Read<()> {
        if !self.take(&["PERSISTENT", "FOR"]) || self.take(&["ALL"]) {
            return Ok(());
        }
        for what in ["COLUMNS", "INDEXES"] {
            self.expect(&[what])?;
            if !self.take(&["ALL"]) {
                self.skip_parentheses()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Read<Plain> {
        let _ = self.take_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        let mut plain = Plain::new(StatementKind::Maintain { what: "flush" })
            .needs(Action::Maintain, On::Global("server", "flush".into()));
        if !self.take_any(&["TABLES", "TABLE"]) {
            self.skip_rest();
            return Ok(plain);
        }
        if !self.at_end() && !self.is("WITH") {
            for table in self.list(Self::name)? {
                plain = plain.needs(Action::Lock, On::Relation(table));
            }
        }
        if self.take(&["WITH", "READ", "LOCK"]) {
            plain = plain.needs(Action::Lock, On::Global("server", "tables".into()));
        }
        let _ = self.take(&["FOR", "EXPORT"]);
        Ok(plain)
    }

    /// `KILL [HARD | SOFT] [CONNECTION | QUERY [ID]] number` or `.. USER account`; nothing where
    /// the number is computed.
    fn kill(&mut self) -> Option<Plain> {
        let _ = self.take_any(&["HARD", "SOFT"]);
        let _ = self.take_any(&["CONNECTION", "QUERY"]);
        let _ = self.take_any(&["ID"]);
        if self.is("USER") {
            self.skip_rest();
        } else if !matches!(
            self.parser.next_token().token,
            Token::Number(..) | Token::Placeholder(_)
        ) {
            return None;
        }
        let plain = Plain::new(StatementKind::Maintain { what: "kill" });
        Some(plain.needs(Action::Execute, On::Builtin("kill")))
    }

    fn lock(&mut self) -> Read<Plain> {
        let mut plain = Plain::new(StatementKind::Lock);
        for (table, writes) in self.list(Self::locked)? {
            // A lock for reading keeps others from writing, which reading does not.
            let _ = writes;
            plain = plain.needs(Action::Lock, On::Relation(table));
        }
        self.wait();
        Ok(plain)
    }

    /// `WAIT 3`, `NOWAIT`: for how long others' locks are waited for.
    fn wait(&mut self) {
        if !self.take(&["NOWAIT"])
            && self.is("WAIT")
            && matches!(self.parser.peek_nth_token_ref(1).token, Token::Number(..))
        {
            self.parser.advance_token();
            self.parser.advance_token();
        }
    }

    fn locked(&mut self) -> Read<(sqlparser::ast::ObjectName, bool)> {
        let table = self.name()?;
        let modes = ["READ", "WRITE", "LOW_PRIORITY"];
        if self.take(&["AS"]) || !self.is_any(&modes) {
            self.ident()?;
        }
        let _ = self.take(&["LOW_PRIORITY"]);
        let writes = self.is("WRITE");
        if !self.take_any(&["READ", "WRITE"]) {
            return Err(self.unexpected("READ or WRITE"));
        }
        let _ = self.take_any(&["LOCAL", "CONCURRENT"]);
        Ok((table, writes))
    }

    /// `GRANT .. ON t TO ..`, `GRANT role TO ..`: what is granted on what is enough to know.
    fn grant(&mut self, first: &str) -> Read<Plain> {
        let what = if first == "GRANT" { "grant" } else { "revoke" };
        let plain = Plain::new(StatementKind::Grant { what });
        if self.is("PROXY") {
            self.skip_rest();
            return Ok(plain.needs(Action::Grant, On::Global("role", "*".into())));
        }
        while !self.at_end() && !self.is("ON") && !self.is_any(&["TO", "FROM"]) {
            if self.parser.peek_token_ref().token == Token::LParen {
                self.skip_parentheses()?;
            } else {
                self.parser.advance_token();
            }
        }
        if !self.take(&["ON"]) {
            self.skip_rest();
            return Ok(plain.needs(Action::Grant, On::Global("role", "*".into())));
        }
        let routine = self.take_any(&["PROCEDURE", "FUNCTION", "PACKAGE"]);
        let _ = self.take(&["BODY"]) || self.take(&["TABLE"]);
        if self.takes(&Token::Mul) || self.is_at(0, "PROXY") {
            self.skip_rest();
            return Ok(plain.needs(Action::Grant, On::Global("database", "*".into())));
        }
        let name = self.name()?;
        let whole = self.takes(&Token::Period);
        self.skip_rest();
        let on = match (whole, routine) {
            (true, _) => On::Global("database", name.to_string().replace('`', "")),
            (false, true) => On::InDatabase("routine", name),
            (false, false) => On::Relation(name),
        };
        Ok(plain.needs(Action::Grant, on))
    }
}
