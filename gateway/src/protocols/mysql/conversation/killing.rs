//! Ending a statement of another connection by its number.
//!
//! Owns the reading of `KILL` in its plainest form. Must not know whose the numbers are. Anything
//! else that ends statements is judged like every statement.

use wire::mysql::answer::OkPacket;
use wire::mysql::command::{code, put_command};

use super::Conversation;
use super::expected::{Owed, Word};
use crate::protocols::mysql::connections::Killing;
use crate::protocols::mysql::lines::Lines;

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
    /// Ends a statement or a connection of the same workload. False where no such is known.
    pub(super) fn kill(&mut self, lines: &mut Lines, kill: Kill) -> bool {
        let connections = self.ticket.connections();
        match connections.kill(self.ticket.owner(), kill.connection) {
            Killing::Nobody => false,
            Killing::Hold => {
                let ok = self.our_ok();
                let client = self.place.client;
                lines.shown.put(|out| ok.put(out, client));
                true
            }
            Killing::Upstream(number) => {
                let what = if kill.statement_only { "QUERY" } else { "CONNECTION" };
                let mut out = Vec::new();
                let text = format!("KILL {what} {number}");
                lines.expect(put_command(&mut out, code::QUERY, text.as_bytes()));
                lines.gate.protocol(&out);
                self.owed = Owed::Word(Word::Kill);
                true
            }
        }
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
