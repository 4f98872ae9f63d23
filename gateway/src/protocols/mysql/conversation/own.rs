//! Questions of our own in the middle of a session: what the server holds now, and the pins again.
//!
//! Owns when one is asked and what becomes of the answer. Must not know a request's meaning beyond
//! the words that a question in between would falsify. The client sees nothing of it.

use std::time::Duration;

use wire::mysql::command::{code, put_command};
use wire::mysql::status::{AUTOCOMMIT, IN_TRANSACTION};

use super::answers::upstream_violation;
use super::expected::{About, Owed, Own};
use super::{Conversation, Ended};
use crate::protocols::mysql::DIALECT;
use crate::protocols::mysql::catalog::{CATALOG, Collector};
use crate::protocols::mysql::lines::Lines;
use crate::protocols::mysql::pins;
use crate::protocols::mysql::reply::{Part, Reply};

/// How often a session looks whether its catalogue is stale.
const CATALOG_CHECK_EVERY: Duration = Duration::from_secs(1);

/// Words of statements that ask about the statement before them: a question of ours in between
/// would be what they are answered about.
const ABOUT_THE_LAST: &[&str] = &[
    "found_rows",
    "row_count",
    "warnings",
    "errors",
    "warning_count",
    "error_count",
    "diagnostics",
];

impl Conversation {
    /// Asks the server what it holds now, where what we know is too old and nothing is under way.
    /// Says whether the request at hand must wait for that.
    pub(super) fn refresh_catalog(&mut self, lines: &mut Lines, text: &str) -> bool {
        // Outside of transactions, and where reading does not begin one.
        let idle = self.status & IN_TRANSACTION == 0 && self.status & AUTOCOMMIT != 0;
        let due = self.catalog_due && !self.session.reads_alike(text);
        let due = due || self.catalog_checked.elapsed() >= CATALOG_CHECK_EVERY;
        if !idle || !due || asks_about_the_last(text) {
            return false;
        }
        self.catalog_due = false;
        self.catalog_checked = tokio::time::Instant::now();
        if !self.session.catalog_is_stale() {
            return false;
        }
        if let Some(snapshot) = self.session.fresh_catalog(CATALOG, &self.place.user) {
            self.session.set_database(DIALECT, snapshot, self.place.path());
            return false;
        }
        let collector = Collector::new(self.session.next_catalog_version());
        self.ask(lines, About::Catalog(Box::new(collector)));
        true
    }

    /// Pins the session again, as after login.
    pub(super) fn pin(&mut self, lines: &mut Lines) {
        self.ask(lines, About::Pins(0));
    }

    /// Asks what is next.
    pub(super) fn ask(&mut self, lines: &mut Lines, about: About) {
        let text = match &about {
            About::Catalog(collector) => collector.question().unwrap_or("DO 0"),
            About::Pins(done) => {
                self.place.pins.statements().get(*done).map_or("DO 0", String::as_str)
            }
            About::Variables(variables) => variables.question(),
        };
        let mut out = Vec::new();
        lines.expect(put_command(&mut out, code::QUERY, text.as_bytes()));
        lines.gate.protocol(&out);
        self.owed = Owed::Own(Box::new(Own { about, reply: Reply::default() }));
    }

    /// Takes a message of the answer.
    pub(super) fn take_own(
        &mut self,
        lines: &mut Lines,
        mut own: Own,
        payload: &[u8],
    ) -> Result<(), Ended> {
        let part = own.reply.take(payload, self.place.agreed).map_err(upstream_violation)?;
        match part {
            Part::More => self.owed = Owed::Own(Box::new(own)),
            Part::Row => {
                match &mut own.about {
                    About::Catalog(collector) => collector.row(payload),
                    About::Variables(variables) => variables.row(payload),
                    About::Pins(_) => {}
                }
                self.owed = Owed::Own(Box::new(own));
            }
            Part::Done(status) => {
                // Until the last pin is set, the session is as the server makes new ones.
                let pinning = matches!(own.about, About::Pins(done)
                    if done + 1 < self.place.pins.statements().len());
                if !pinning {
                    self.check_status(status)?;
                }
                self.answered(lines, own.about)?;
            }
            Part::Failed(code) => match own.about {
                About::Catalog(mut collector) => {
                    collector.refused(code);
                    self.answered(lines, About::Catalog(collector))?;
                }
                // The statement is judged without them.
                About::Variables(_) => {}
                About::Pins(_) => {
                    let what = format_args!("it refuses to pin the session (error {code})");
                    return Err(Ended::violation("upstream", what));
                }
            },
        }
        Ok(())
    }

    fn answered(&mut self, lines: &mut Lines, about: About) -> Result<(), Ended> {
        match about {
            About::Catalog(mut collector) => {
                collector.answered();
                if collector.question().is_some() {
                    self.ask(lines, About::Catalog(collector));
                    return Ok(());
                }
                // With an old catalogue, statements would be read for what they meant.
                let catalog =
                    collector.finish().map_err(|error| Ended::violation("upstream", error))?;
                let snapshot = self.session.keep_catalog(CATALOG, &self.place.user, catalog);
                self.session.set_database(DIALECT, snapshot, self.place.path());
            }
            About::Variables(variables) => self.put_in(&variables),
            About::Pins(done) => {
                if done + 1 < self.place.pins.statements().len() {
                    self.ask(lines, About::Pins(done + 1));
                    return Ok(());
                }
                // The client has been waiting for the answer to its reset.
                let ok = self.our_ok();
                let client = self.place.client;
                lines.shown.put(|out| ok.put(out, client));
            }
        }
        Ok(())
    }

    /// Takes note of the session's status.
    ///
    /// # Errors
    /// The end, where the server reads statements otherwise than we do from now on.
    pub(super) fn check_status(&mut self, status: u16) -> Result<(), Ended> {
        self.status = status;
        pins::breaks(status).map_or(Ok(()), |name| Err(no_longer_pinned(name)))
    }
}

pub(super) fn no_longer_pinned(name: &str) -> Ended {
    let what = format_args!("{name} is not what this session was started with");
    Ended::violation("upstream", what)
}

fn asks_about_the_last(text: &str) -> bool {
    // Such statements are short; a long one is not searched.
    let head = text.get(..text.floor_char_boundary(512)).unwrap_or_default().to_ascii_lowercase();
    ABOUT_THE_LAST.iter().any(|word| head.contains(word))
}
