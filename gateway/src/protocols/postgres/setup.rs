//! Between login and the first statement: what the database holds, and where names are looked for.
//!
//! Owns the questions asked on our own account and the checks of their answers. Must not know the
//! client. Ends with a session that can read statements, behind a [`Gate`].

use std::sync::Arc;

use tokio::io::AsyncReadExt;
use wire::postgres::backend::{DataRow, Fields, Kind};
use wire::postgres::frame::{Framer, Step};
use wire::postgres::frontend::put_query;

use super::DIALECT;
use super::cancel::UpstreamKey;
use super::catalog::{self, Collector};
use super::conversation::Place;
use super::login::LoggedIn;
use super::parameters::Wanted;
use super::reported::{self, Report};
use super::search_path;
use crate::session::{Gate, Refusal, RefusalKind, Session};

/// What the session is held to, asked of the server itself: what it reports may be less than what
/// is in force. Every name is qualified, because the search path is not known yet.
const EFFECTIVE: &str = "SELECT pg_catalog.current_setting('search_path'), \
     pg_catalog.current_setting('standard_conforming_strings'), \
     pg_catalog.current_setting('client_encoding'), \
     pg_catalog.current_setting('backslash_quote'), \
     pg_catalog.current_database()::pg_catalog.text, \
     pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(nspname::pg_catalog.text) \
     FROM pg_catalog.pg_namespace \
     WHERE NOT pg_catalog.has_schema_privilege(oid, 'USAGE')), ', ')";

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
    /// What the client is told of the server.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) key: Option<UpstreamKey>,
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
    let LoggedIn { stream, framer, parameters, key, user } = logged_in;
    let mut asking = Asking { gate: session.gate(stream), framer };
    let parameters = match admit_reports(parameters) {
        Ok(parameters) => parameters,
        Err(refusal) => return Err(Box::new(Failed { session, refusal })),
    };
    match settle(&mut session, &mut asking, &user, wanted).await {
        Ok(place) => {
            let Asking { gate, framer } = asking;
            Ok(Ready { session, gate, framer, place, parameters, key })
        }
        Err(refusal) => {
            session.upstream_failed(&refusal.message);
            Err(Box::new(Failed { session, refusal }))
        }
    }
}

fn admit_reports(reported: Vec<(String, String)>) -> Result<Vec<(String, String)>, Refusal> {
    let mut shown = Vec::with_capacity(reported.len());
    for (name, value) in reported {
        match reported::judge(name.as_bytes(), value.as_bytes()) {
            Report::Show | Report::FreeText => shown.push((name, value)),
            Report::Hide => {}
            Report::Broken(name) => return Err(not_pinned(name, &value)),
        }
    }
    Ok(shown)
}

async fn settle(
    session: &mut Session,
    asking: &mut Asking,
    user: &str,
    wanted: &Wanted,
) -> Result<Place, Refusal> {
    let effective = asking.effective().await?;
    let [path, strings, encoding, quote, database, closed] = &effective;
    for (name, value, pinned) in [
        ("standard_conforming_strings", strings, "on"),
        ("client_encoding", encoding, "UTF8"),
        ("backslash_quote", quote, "safe_encoding"),
    ] {
        if value != pinned {
            return Err(not_pinned(name, value));
        }
    }
    if *database != wanted.database {
        return Err(refusal(format!(
            "portcullis: the upstream logged in to database \"{database}\", not \"{}\"",
            wanted.database
        )));
    }
    let unreadable = || refusal("portcullis: the upstream's search_path cannot be read".into());
    let closed = search_path::read(closed).ok_or_else(unreadable)?;
    let mut schemas = search_path::read(path).ok_or_else(unreadable)?;
    // The server passes over schemas that the user may not use; looking in them here would give a
    // name another meaning.
    schemas.retain(|schema| {
        let meant = if **schema == *"$user" { user } else { &**schema };
        !closed.iter().any(|name| **name == *meant)
    });
    let place = Place {
        database: wanted.database.as_str().into(),
        user: user.into(),
        search_path: schemas.into(),
    };
    let snapshot = match session.fresh_catalog(&place.database, &place.user) {
        Some(snapshot) => snapshot,
        None => {
            let collector = asking.catalog(session.next_catalog_version()).await?;
            let catalog = collector
                .finish(&place.database)
                .map_err(|error| refusal(format!("portcullis: {error}")))?;
            session.keep_catalog(&place.database, &place.user, catalog)
        }
    };
    session.set_database(DIALECT, snapshot, Arc::clone(&place.search_path));
    Ok(place)
}

/// Questions on our own account, before anybody else asks any.
struct Asking {
    gate: Gate,
    framer: Framer,
}

impl Asking {
    async fn effective(&mut self) -> Result<[String; 6], Refusal> {
        let mut row: Option<Vec<String>> = None;
        self.ask(EFFECTIVE, |kind, body| {
            if kind == Kind::DataRow {
                row = texts(body);
            }
        })
        .await?;
        row.and_then(|row| row.try_into().ok())
            .ok_or_else(|| refusal("portcullis: the upstream does not tell its settings".into()))
    }

    async fn catalog(&mut self, version: u64) -> Result<Collector, Refusal> {
        let mut collector = Collector::new(version);
        self.ask(&catalog::query(), |kind, body| match kind {
            Kind::DataRow => collector.row(body),
            Kind::CommandComplete => collector.statement_ended(),
            Kind::Error => {
                let fields = Fields::read(body).ok();
                collector.refused(fields.as_ref().and_then(Fields::sqlstate));
            }
            _ => {}
        })
        .await?;
        Ok(collector)
    }

    /// Sends a query and shows every message of its answer to `take`.
    async fn ask(&mut self, query: &str, mut take: impl FnMut(Kind, &[u8])) -> Result<(), Refusal> {
        let mut out = Vec::new();
        put_query(&mut out, query.as_bytes());
        self.gate.protocol(&out);
        self.gate.flush().await.map_err(|_| gone())?;
        loop {
            let step = self
                .framer
                .step(ANSWER_BYTES_MAX)
                .map_err(|violation| refusal(format!("portcullis: the upstream: {violation}")))?;
            match step {
                Step::Frame(frame) => {
                    let kind = Kind::from_tag(frame.tag).ok_or_else(gone)?;
                    take(kind, self.framer.body(&frame));
                    self.framer.consume();
                    if kind == Kind::ReadyForQuery {
                        return Ok(());
                    }
                }
                Step::NeedMore { missing } => {
                    let count =
                        self.gate.read(self.framer.space(missing)).await.map_err(|_| gone())?;
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

fn texts(body: &[u8]) -> Option<Vec<String>> {
    let row = DataRow::read(body).ok()?;
    row.values().map(|value| String::from_utf8(value.ok()??.to_vec()).ok()).collect()
}

fn refusal(message: String) -> Refusal {
    Refusal::new(RefusalKind::Upstream, message)
}

fn gone() -> Refusal {
    refusal("portcullis: the upstream broke off while the session was prepared".into())
}

fn not_pinned(name: &str, value: &str) -> Refusal {
    refusal(format!("portcullis: the upstream has {name} at \"{value}\" and does not change it"))
        .with_hint("The gateway reads statements as UTF-8 with standard strings; the server must read them so too.")
}
