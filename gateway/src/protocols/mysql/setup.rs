//! Between login and the first command: the session is pinned, and what the server holds is read.
//!
//! Owns the questions asked on our own account before anybody else asks any, and the checks of
//! their answers. Must not know the client. Ends with a session that can read statements, behind a
//! [`Gate`].

use tokio::io::AsyncReadExt;
use wire::mysql::Capabilities;
use wire::mysql::command::{code, put_command};
use wire::mysql::frame::{Framer, Step};

use super::DIALECT;
use super::catalog::{CATALOG, Collector};
use super::conversation::Place;
use super::greeting::Wanted;
use super::lines::{BUFFER_BYTES, BUFFER_BYTES_MAX};
use super::login::{LoggedIn, is_utf8};
use super::pins::{EFFECTIVE, Effective, Pins};
use super::reply::{Part, Reply, values};
use crate::session::{Gate, Refusal, RefusalKind, Session};

/// Bytes of one message of an answer to our own questions.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A session that is ready for its client.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) session: Session,
    pub(super) gate: Gate,
    /// What has been read from the upstream and not looked at.
    pub(super) framer: Framer,
    pub(super) place: Place,
    /// The upstream's number for the connection.
    pub(super) connection: u32,
    pub(super) status: u16,
}

/// A session that could not be made ready.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) session: Session,
    pub(super) refusal: Refusal,
}

/// Makes a session ready for its client. The caller bounds the time.
pub(super) async fn prepare(
    mut session: Session,
    logged_in: LoggedIn,
    wanted: &Wanted,
) -> Result<Ready, Box<Failed>> {
    let LoggedIn { stream, capabilities, status, .. } = logged_in;
    let mut asking = Asking {
        gate: session.gate(stream),
        framer: Framer::new(BUFFER_BYTES, BUFFER_BYTES_MAX),
        capabilities,
        status,
    };
    match settle(&mut session, &mut asking, wanted).await {
        Ok((place, connection)) => {
            let Asking { gate, framer, status, .. } = asking;
            Ok(Ready { session, gate, framer, place, connection, status })
        }
        Err(refusal) => {
            session.upstream_failed(&refusal.message);
            Err(Box::new(Failed { session, refusal }))
        }
    }
}

async fn settle(
    session: &mut Session,
    asking: &mut Asking,
    wanted: &Wanted,
) -> Result<(Place, u32), Refusal> {
    let pins = Pins::for_session(&asking.effective().await?);
    for statement in pins.statements() {
        asking.ask(statement, |_| {}).await?;
    }
    let effective = asking.effective().await?;
    if let Some((name, value)) = effective.broken() {
        return Err(not_pinned(name, value));
    }
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let database = effective.database.as_deref();
    let is_wanted = match (database, wanted.database.as_deref()) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    };
    if !is_wanted {
        return Err(refusal("portcullis: the upstream logged in to another database".into()));
    }
    let place = Place {
        user: effective.user.as_str().into(),
        database: database.map(Into::into),
        pins,
        agreed: asking.capabilities,
        client: wanted.capabilities,
        speaks_utf8: is_utf8(wanted.collation),
    };
    let snapshot = match session.fresh_catalog(CATALOG, &place.user) {
        Some(snapshot) => snapshot,
        None => {
            let mut collector = Collector::new(session.next_catalog_version());
            while let Some(question) = collector.question() {
                match asking.try_ask(question, |row| collector.row(row)).await? {
                    None => collector.answered(),
                    Some(code) => collector.refused(code),
                }
            }
            let catalog =
                collector.finish().map_err(|error| refusal(format!("portcullis: {error}")))?;
            session.keep_catalog(CATALOG, &place.user, catalog)
        }
    };
    session.set_database(DIALECT, snapshot, place.path());
    Ok((place, effective.connection))
}

/// Questions on our own account, before anybody else asks any.
struct Asking {
    gate: Gate,
    framer: Framer,
    capabilities: Capabilities,
    status: u16,
}

impl Asking {
    async fn effective(&mut self) -> Result<Effective, Refusal> {
        let mut read = None;
        self.ask(EFFECTIVE, |row| read = values(row).as_deref().and_then(Effective::read)).await?;
        read.ok_or_else(|| refusal("portcullis: the upstream does not tell its settings".into()))
    }

    /// Asks what must be answered.
    async fn ask(&mut self, text: &str, row: impl FnMut(&[u8])) -> Result<(), Refusal> {
        match self.try_ask(text, row).await? {
            None => Ok(()),
            Some(code) => Err(refusal(format!(
                "portcullis: the upstream refused to be asked for its settings (error {code})"
            ))),
        }
    }

    /// Asks, and shows each row of the answer to `row`. Says by which number it was refused, if it
    /// was.
    async fn try_ask(
        &mut self,
        text: &str,
        mut row: impl FnMut(&[u8]),
    ) -> Result<Option<u16>, Refusal> {
        let mut out = Vec::new();
        let mut due = put_command(&mut out, code::QUERY, text.as_bytes());
        self.gate.protocol(&out);
        self.gate.flush().await.map_err(|_| gone())?;
        let mut reply = Reply::default();
        let broken = |violation| refusal(format!("portcullis: the upstream: {violation}"));
        loop {
            match self.framer.step(ANSWER_BYTES_MAX).map_err(broken)? {
                Step::Message { range, sequence, next } => {
                    if sequence != due {
                        return Err(gone());
                    }
                    due = next;
                    let payload = self.framer.bytes(range);
                    let part = reply.take(payload, self.capabilities).map_err(broken)?;
                    if part == Part::Row {
                        row(payload);
                    }
                    self.framer.consume();
                    match part {
                        Part::More | Part::Row => {}
                        Part::Done(status) => {
                            self.status = status;
                            return Ok(None);
                        }
                        Part::Failed(code) => return Ok(Some(code)),
                    }
                }
                Step::NeedMore { missing } => {
                    let space = self.framer.space(missing);
                    let count = self.gate.read(space).await.map_err(|_| gone())?;
                    if count == 0 {
                        return Err(gone());
                    }
                    self.framer.filled(count);
                }
                Step::Large { .. } | Step::Chunk { .. } => return Err(gone()),
            }
        }
    }
}

fn refusal(message: String) -> Refusal {
    Refusal::new(RefusalKind::Upstream, message)
}

fn gone() -> Refusal {
    refusal("portcullis: the upstream broke off while the session was prepared".into())
}

fn not_pinned(name: &str, value: &str) -> Refusal {
    refusal(format!("portcullis: the upstream has {name} at \"{value}\" and does not change it"))
        .with_hint("The gateway reads statements as UTF-8, with backslashes as escapes.")
}
