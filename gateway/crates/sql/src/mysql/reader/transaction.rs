//! Transactions: of one server, and those that a coordinator joins with others (`XA`).
//!
//! Owns their forms. A branch that another session has prepared may be ended from any, so that
//! ending one needs a rule.

use model::Action;
use sqlparser::tokenizer::Token;

use super::session::told;
use super::{Read, Reader};
use crate::mysql::command::{Answer, On, Plain};
use crate::statement::StatementKind;

impl Reader {
    pub(super) fn transaction(&mut self, first: &str) -> Read<Option<StatementKind>> {
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

    /// `XA ..`. Where a branch is left to whoever knows its name, and where it is ended by it,
    /// `execute` on `def.mysql.xa` is needed.
    pub(super) fn distributed(&mut self) -> Read<Option<Plain>> {
        self.parser.advance_token();
        let Some(word) = self.word() else { return Ok(None) };
        self.parser.advance_token();
        let rule = |kind| Plain::new(kind).needs(Action::Execute, On::Builtin("xa"));
        Ok(Some(match word.as_str() {
            "START" | "BEGIN" => {
                self.branch()?;
                let _ = self.take_any(&["JOIN", "RESUME"]);
                Plain::new(StatementKind::Begin)
            }
            "END" => {
                let id = self.branch()?;
                if self.take(&["SUSPEND"]) {
                    let _ = self.take(&["FOR", "MIGRATE"]);
                }
                Plain::new(StatementKind::EndBranch { id: id.into() })
            }
            "PREPARE" => rule(StatementKind::PrepareTransaction { id: self.branch()?.into() }),
            "COMMIT" => {
                let id = self.branch()?.into();
                let _ = self.take(&["ONE", "PHASE"]);
                rule(StatementKind::CommitPrepared { id })
            }
            "ROLLBACK" => rule(StatementKind::RollbackPrepared { id: self.branch()?.into() }),
            // Names that others have given.
            "RECOVER" => {
                if self.take(&["FORMAT"]) {
                    self.expects(&Token::Eq)?;
                    self.text()?;
                } else {
                    let _ = self.take(&["CONVERT", "XID"]);
                }
                told(StatementKind::Show { name: "xa recover".into() }, Answer::Opaque)
                    .needs(Action::Execute, On::Builtin("xa"))
            }
            _ => return Ok(None),
        }))
    }

    /// The name of a branch: `'global' [, 'branch' [, format]]`.
    fn branch(&mut self) -> Read<String> {
        let id = self.branch_part()?;
        if self.takes(&Token::Comma) {
            self.branch_part()?;
            if self.takes(&Token::Comma) {
                match self.parser.next_token().token {
                    Token::Number(..) | Token::HexStringLiteral(_) => {}
                    _ => return Err(self.unexpected("the number of a format")),
                }
            }
        }
        Ok(id)
    }

    fn branch_part(&mut self) -> Read<String> {
        match &self.parser.peek_token_ref().token {
            Token::HexStringLiteral(text) => {
                let text = text.clone();
                self.parser.advance_token();
                Ok(text)
            }
            _ => self.text(),
        }
    }

    pub(super) fn skip_transaction_modes(&mut self) -> Read<()> {
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
}
