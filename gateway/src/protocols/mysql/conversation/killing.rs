//! Ending a statement of another connection by its number.
//!
//! Owns the reading of `KILL` in its plainest form. Must not know whose the numbers are. Anything
//! else that ends statements is judged like every statement.

use std::sync::Arc;

use wire::mysql::answer::OkPacket;
use wire::mysql::command::{code, put_command};

use super::Conversation;
use super::requests::{Judged, JudgedKind};
use crate::protocols::mysql::connections::Killing;
use crate::protocols::mysql::lines::Lines;
use crate::session::{Answer, Judgement, Statements};

/// What a `KILL` is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    /// The connection's number.
    pub(super) connection: u32,
    /// Whether the connection stays and only its statement ends.
    pub(super) statement_only: bool,
}

/// Reads `KILL [CONNECTION | QUERY] number`; nothing where there is anything more to it.
pub(super) fn read(text: &str) -> Option<Kill> {
    let text = text.trim_ascii();
    let text = text.strip_suffix(';').unwrap_or(text);
    let mut words = text.split_ascii_whitespace();
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    if !is(words.next()?, "kill") {
        return None;
    }
    let mut word = words.next()?;
    let statement_only = is(word, "query");
    if statement_only || is(word, "connection") {
        word = words.next()?;
    }
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let connection = word.parse().ok().filter(|_| digits)?;
    words.next().is_none().then_some(Kill { connection, statement_only })
}

impl Conversation {
    /// Ends a statement or a connection of the same principal: an operation that no rule needs to
    /// grant, for it concerns nobody else. False where no such connection is known; then it is a
    /// statement like any.
    pub(super) fn kill(&mut self, lines: &mut Lines, kill: Kill, text: &str) -> bool {
        let connections = Arc::clone(self.ticket.connections());
        let found = connections.find(self.ticket.owner(), kill.connection);
        let mut message = Vec::new();
        let mut due = 1;
        match found {
            Killing::Nobody => return false,
            Killing::Hold(_) => {}
            Killing::Upstream(number) => {
                let what = if kill.statement_only { "QUERY" } else { "CONNECTION" };
                let text = format!("KILL {what} {number}");
                due = put_command(&mut message, code::QUERY, text.as_bytes());
            }
        }
        let statements = Statements::own("kill", text);
        let judgement = self.session.judge_statements(&statements, &[]);
        match (found, judgement) {
            (Killing::Hold(held), Judgement::Allowed(permit)) => {
                held.cancel();
                // The server has nothing to do with it.
                let receipt = lines.gate.forward(permit, &[]);
                self.session.finished(receipt, &Answer::done());
                let ok = self.our_ok();
                let client = self.place.client;
                lines.shown.put(|out| ok.put(out, client));
            }
            (_, judgement) => {
                let (kind, text) = (JudgedKind::Query, text.into());
                self.carry_out(lines, judgement, Judged { kind, statements, text, message, due });
            }
        }
        true
    }

    /// An OK of our own.
    pub(super) const fn our_ok(&self) -> OkPacket<'static> {
        OkPacket {
            affected: 0,
            last_insert_id: 0,
            status: self.status,
            warnings: 0,
            info: b"",
            changes: b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plainest_form_is_read() {
        let kill = |connection, statement_only| Some(Kill { connection, statement_only });
        for (text, want) in [
            ("KILL QUERY 7", kill(7, true)),
            ("kill query 2147483655 ;", kill(2_147_483_655, true)),
            (" KILL\n7", kill(7, false)),
            ("KILL CONNECTION 7;", kill(7, false)),
            ("KILL", None),
            ("KILL QUERY", None),
            ("KILL QUERY +7", None),
            ("KILL QUERY 7 8", None),
            ("KILL QUERY 7; DROP TABLE t", None),
            ("KILL QUERY 4294967296", None),
            ("KILL QUERY (SELECT 7)", None),
            ("KILL HARD 7", None),
            ("KILL USER 'app'", None),
            ("KILL /* x */ 7", None),
            ("SELECT 7", None),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }
}
