//! PostgreSQL: the driver of protocol version 3.
//!
//! Owns the way of one connection through the protocol. Must not know policy, credentials,
//! approvals, recording or masking: it asks the [`Session`](crate::session::Session). A
//! connection ends when either side does, or when the session is ended.
//!
//! ```text
//!  greeting ─ Cancel ──▶ cancel keys ──▶ upstream, or the hold
//!     │
//!     └ Startup ─▶ Pending::open ─▶ dial ─▶ login ─▶ catalogue, search path ─▶ welcome ─▶ pump
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `greeting`, `parameters` | the client's side of the startup |
//! | `login`, `setup`, `catalog`, `search_path` | the upstream's side of the startup |
//! | `lines` | the buffers of both connections; `protocols::pump` drives them |
//! | `conversation` | requests, answers, and the state between them |
//! | `shape`, `copy_out` | values on their way through the masks |
//! | `cancel`, `names`, `reported`, `words` | keys, names, reports, errors |

mod cancel;
mod catalog;
mod conversation;
mod copy_out;
mod greeting;
mod lines;
mod login;
mod names;
mod parameters;
mod reported;
mod search_path;
mod setup;
mod shape;
mod words;

use std::sync::Arc;

use model::Protocol;
use model::audit::SessionEnd;
use tokio::io::AsyncWriteExt;
use wire::postgres::TransactionStatus;
use wire::postgres::backend::{
    Severity, put_authentication_ok, put_key_data, put_negotiate_version, put_parameter_status,
    put_ready,
};
use wire::postgres::startup::{Version, put_cancel};

use self::cancel::{CancelKeys, Cancelling, Owner, Ticket};
use self::conversation::Conversation;
use self::greeting::{Greeted, Opening, farewell, greet};
use self::lines::Lines;
use self::login::{LoggedIn, LoginError, log_in, negotiate_tls};
use self::words::put_refusal;
use super::Driver;
use super::pump;
use crate::session::sql::postgres::DIALECT;
use crate::session::{
    BoxFuture, ConnectPermit, Dialect, Login, Pending, Refusal, RefusalKind, Session, Stream,
};

/// The driver.
#[derive(Debug, Default)]
pub struct Postgres {
    keys: Arc<CancelKeys>,
}

impl Driver for Postgres {
    fn protocol(&self) -> Protocol {
        Protocol::Postgres
    }

    fn client_alpn(&self) -> &'static [&'static [u8]] {
        &[greeting::ALPN]
    }

    fn dialect(&self) -> Option<Dialect> {
        Some(DIALECT)
    }

    fn serve<'a>(&'a self, client: Stream, pending: Pending) -> BoxFuture<'a, SessionEnd> {
        Box::pin(self.serve_connection(client, pending))
    }
}

impl Postgres {
    async fn serve_connection(&self, client: Stream, pending: Pending) -> SessionEnd {
        match greet(client, pending.limits(), pending.client_tls()).await {
            Ok(Greeted::Cancel { pid, key }) => {
                self.cancel(&pending, pid, &key).await;
                SessionEnd::Client
            }
            Ok(Greeted::Session(opening)) => self.open(*opening, pending).await,
            Err(error) => {
                tracing::info!(%error, "startup failed");
                match error {
                    greeting::GreetingError::Gone(_) => SessionEnd::Client,
                    greeting::GreetingError::Refused(_) => SessionEnd::Refused,
                    greeting::GreetingError::Violation(_) | greeting::GreetingError::TimedOut => {
                        SessionEnd::ProtocolViolation { because: error.to_string().into() }
                    }
                }
            }
        }
    }

    async fn open(&self, opening: Opening, pending: Pending) -> SessionEnd {
        let Opening { mut stream, version, wanted } = opening;
        let owner = owner(&pending);
        let login = Login {
            user: wanted.user.as_str().into(),
            database: Some(wanted.database.as_str().into()),
            encrypted: stream.is_encrypted(),
        };
        let opened = pending.open(login, stream.closed()).await;
        let (session, permit) = match opened {
            Ok(opened) => opened,
            Err(refusal) => {
                turn_away(&mut stream, &refusal).await;
                return SessionEnd::Refused;
            }
        };
        let within = session.limits().upstream_within;
        let reached = tokio::time::timeout(within, reach(&session, permit, &wanted));
        let prepared = match reached.await.unwrap_or_else(|_| Err(timed_out())) {
            Ok(logged_in) => {
                tokio::time::timeout(within, setup::prepare(session, logged_in, &wanted))
                    .await
                    .map_err(|_| None)
                    .and_then(|prepared| prepared.map_err(Some))
            }
            Err(refusal) => {
                turn_away(&mut stream, &refusal).await;
                return session.close(SessionEnd::Upstream);
            }
        };
        let ready = match prepared {
            Ok(ready) => ready,
            Err(failed) => {
                let (refusal, session) = match failed {
                    Some(failed) => (failed.refusal, Some(failed.session)),
                    None => (timed_out(), None),
                };
                turn_away(&mut stream, &refusal).await;
                return match session {
                    Some(session) => session.close(SessionEnd::Upstream),
                    None => SessionEnd::Upstream,
                };
            }
        };
        let long_key = version >= Version::V3_2;
        let ticket = self.keys.register(owner, ready.key, long_key);
        let hello = welcome(version, &wanted.unknown_options, &ready.parameters, ticket.as_ref());
        if stream.write_all(&hello).await.is_err() || stream.flush().await.is_err() {
            return ready.session.close(SessionEnd::Client);
        }
        let card = Arc::clone(ready.session.card());
        let lines = Lines::new(stream, ready.gate, ready.framer, card);
        pump::run(lines, Conversation::new(ready.session, ready.place, ticket)).await
    }

    /// Carries a cancellation out, without a word to whoever asked, as the server does.
    async fn cancel(&self, pending: &Pending, pid: i32, key: &[u8]) {
        let Cancelling::Upstream(upstream_key) = self.keys.cancel(&owner(pending), pid, key) else {
            return;
        };
        let within = pending.limits().upstream_within;
        let sent = tokio::time::timeout(within, async {
            let upstream =
                pending.dial_aside().await.map_err(|refusal| refusal.message.to_string())?;
            let mut upstream = negotiate_tls(upstream).await.map_err(|error| error.to_string())?;
            let mut packet = Vec::new();
            put_cancel(&mut packet, upstream_key.pid, upstream_key.key.expose());
            farewell(&mut upstream.stream, &packet).await;
            Ok::<(), String>(())
        });
        match sent.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(error, "cancellation not sent"),
            Err(_) => tracing::info!("cancellation not sent in time"),
        }
    }
}

fn owner(pending: &Pending) -> Owner {
    Owner { workload: pending.principal().workload.clone(), target: pending.target().name.clone() }
}

/// Dials and logs in.
async fn reach(
    session: &Session,
    permit: ConnectPermit,
    wanted: &parameters::Wanted,
) -> Result<LoggedIn, Refusal> {
    let upstream = session.dial(permit).await?;
    log_in(upstream, wanted).await.map_err(|error| {
        session.upstream_failed(&error.to_string());
        login_refusal(&error, &wanted.database)
    })
}

/// What the client may know of a failed login.
fn login_refusal(error: &LoginError, database: &str) -> Refusal {
    let message = match error {
        LoginError::Refused { sqlstate } if sqlstate == "3D000" => {
            format!("portcullis: database \"{database}\" does not exist upstream")
        }
        // Which names and authorities are trusted is the operator's to know.
        LoginError::Tls(error) => format!("portcullis: {}", error.for_client()),
        other => format!("portcullis: {other}"),
    };
    Refusal::new(RefusalKind::Upstream, message).with_hint(
        "Operator: the target's credential, TLS settings and the server's log tell more.",
    )
}

fn timed_out() -> Refusal {
    Refusal::new(RefusalKind::Upstream, "portcullis: the upstream did not answer in time")
}

async fn turn_away(stream: &mut Stream, refusal: &Refusal) {
    let mut out = Vec::new();
    put_refusal(&mut out, Severity::Fatal, refusal);
    farewell(stream, &out).await;
}

/// What a client is told when it is in.
fn welcome(
    version: Version,
    unknown_options: &[Vec<u8>],
    parameters: &[(String, String)],
    ticket: Option<&Ticket>,
) -> Vec<u8> {
    let mut out = Vec::new();
    if version > Version::V3_2 || !unknown_options.is_empty() {
        let newest = version.min(Version::V3_2);
        put_negotiate_version(&mut out, newest, unknown_options.iter().map(Vec::as_slice));
    }
    put_authentication_ok(&mut out);
    for (name, value) in parameters {
        put_parameter_status(&mut out, name.as_bytes(), value.as_bytes());
    }
    if let Some(ticket) = ticket {
        put_key_data(&mut out, ticket.pid(), ticket.key());
    }
    put_ready(&mut out, TransactionStatus::Idle);
    out
}
