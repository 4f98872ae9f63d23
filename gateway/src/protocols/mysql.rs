//! MySQL and MariaDB: the driver of their client/server protocol.
//!
//! Owns the way of one connection through the protocol. Must not know policy, credentials,
//! approvals, recording or masking: it asks the [`Session`](crate::session::Session). A
//! connection ends when either side does, or when the session is ended.
//!
//! ```text
//!  greeting ─▶ who the client is ─▶ Pending::open ─▶ dial ─▶ login ─▶ pins, catalogue ─▶ OK ─▶ pump
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `greeting`, `seen` | the client's side of the startup, and what it is greeted with |
//! | `login`, `scramble`, `setup`, `catalog`, `pins`, `reply` | the upstream's side of the startup |
//! | `lines` | the buffers of both connections; `protocols::pump` drives them |
//! | `conversation` | requests, answers, and the state between them |
//! | `shape` | values on their way through the masks |
//! | `connections`, `words` | connection numbers, errors |

mod catalog;
mod connections;
mod conversation;
mod greeting;
mod lines;
mod login;
mod pins;
mod reply;
mod scramble;
mod seen;
mod setup;
mod shape;
mod words;

use std::sync::Arc;

use model::Protocol;
use model::audit::SessionEnd;
use tokio::io::AsyncWriteExt;
use wire::mysql::answer::OkPacket;
use wire::mysql::packet;

use self::connections::{Connections, Owner, Ticket};
use self::conversation::Conversation;
use self::greeting::{GreetingError, Hello, Opening, Wanted, farewell, greet};
use self::lines::Lines;
use self::login::{LoggedIn, LoginError, log_in};
use self::seen::Seen;
use self::words::Complaint;
use super::Driver;
use super::pump;
use crate::session::sql::mysql::DIALECT;
use crate::session::{
    BoxFuture, ConnectPermit, Dialect, Login, Pending, Refusal, RefusalKind, Session, Stream,
};

/// The driver.
#[derive(Debug, Default)]
pub struct Mysql {
    connections: Arc<Connections>,
    seen: Seen,
}

impl Driver for Mysql {
    fn protocol(&self) -> Protocol {
        Protocol::Mysql
    }

    fn dialect(&self) -> Option<Dialect> {
        Some(DIALECT)
    }

    fn serve<'a>(&'a self, client: Stream, pending: Pending) -> BoxFuture<'a, SessionEnd> {
        Box::pin(self.serve_connection(client, pending))
    }
}

impl Mysql {
    async fn serve_connection(&self, client: Stream, pending: Pending) -> SessionEnd {
        let Some(ticket) = self.connections.register(owner(&pending)) else {
            let because = "the system has no randomness for a connection's number";
            pending.failed(because);
            return SessionEnd::Internal { because: because.into() };
        };
        let hello = Hello {
            server: self.seen.server_of(&pending).await,
            connection: ticket.number(),
            tls: pending.client_tls(),
        };
        match greet(client, pending.limits(), hello).await {
            Ok(opening) => self.open(opening, pending, ticket).await,
            Err(error) => {
                tracing::info!(%error, "startup failed");
                match error {
                    GreetingError::Gone(_) => SessionEnd::Client,
                    GreetingError::Refused(_) => SessionEnd::Refused,
                    GreetingError::Violation(_) | GreetingError::TimedOut => {
                        SessionEnd::ProtocolViolation { because: error.to_string().into() }
                    }
                }
            }
        }
    }

    async fn open(&self, opening: Opening, pending: Pending, ticket: Ticket) -> SessionEnd {
        let Opening { mut stream, mut sequence, wanted } = opening;
        let target = pending.target().name.clone();
        let login = Login {
            user: wanted.user.as_str().into(),
            database: wanted.database.as_deref().map(Into::into),
            encrypted: stream.is_encrypted(),
        };
        let (session, permit) = match pending.open(login, stream.closed()).await {
            Ok(opened) => opened,
            Err(refusal) => {
                farewell(&mut stream, &mut sequence, &Complaint::from(&refusal)).await;
                return SessionEnd::Refused;
            }
        };
        let within = session.limits().upstream_within;
        let reached = tokio::time::timeout(within, reach(&session, permit, &wanted));
        let prepared = match reached.await.unwrap_or_else(|_| Err(timed_out())) {
            Ok(logged_in) => {
                self.seen.note(&target, logged_in.server.clone());
                tokio::time::timeout(within, setup::prepare(session, logged_in, &wanted))
                    .await
                    .map_err(|_| None)
                    .and_then(|prepared| prepared.map_err(Some))
            }
            Err(refusal) => {
                farewell(&mut stream, &mut sequence, &Complaint::from(&refusal)).await;
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
                farewell(&mut stream, &mut sequence, &Complaint::from(&refusal)).await;
                return match session {
                    Some(session) => session.close(SessionEnd::Upstream),
                    None => SessionEnd::Upstream,
                };
            }
        };
        ticket.set_upstream(ready.connection);
        let mut welcome = Vec::new();
        packet(&mut welcome, &mut sequence, |out| {
            let ok = OkPacket {
                affected: 0,
                last_insert_id: 0,
                status: ready.status,
                warnings: 0,
                info: b"",
                changes: b"",
            };
            ok.put(out, wanted.capabilities);
        });
        if stream.write_all(&welcome).await.is_err() || stream.flush().await.is_err() {
            return ready.session.close(SessionEnd::Client);
        }
        let card = Arc::clone(ready.session.card());
        let lines = Lines::new(stream, ready.gate, ready.framer, card);
        let talk = Conversation::new(ready.session, ready.place, ticket, ready.status);
        pump::run(lines, talk).await
    }
}

fn owner(pending: &Pending) -> Owner {
    let principal = pending.principal();
    let token = principal.token.as_ref();
    Owner {
        workload: principal.workload.clone(),
        subject: token.map(|token| (token.issuer.clone(), token.subject.clone())),
        target: pending.target().name.clone(),
    }
}

/// Dials and logs in.
async fn reach(
    session: &Session,
    permit: ConnectPermit,
    wanted: &Wanted,
) -> Result<LoggedIn, Refusal> {
    let upstream = session.dial(permit).await?;
    log_in(upstream, wanted).await.map_err(|error| {
        session.upstream_failed(&error.to_string());
        login_refusal(&error, wanted.database.as_deref())
    })
}

/// The number of the error by which a server says that a database is not there.
const NO_DATABASE: u16 = 1049;

/// What the client may know of a failed login.
fn login_refusal(error: &LoginError, database: Option<&str>) -> Refusal {
    let message = match (error, database) {
        (LoginError::Refused { code: NO_DATABASE }, Some(database)) => {
            format!("portcullis: database \"{database}\" does not exist upstream")
        }
        // Which names and authorities are trusted is the operator's to know.
        (LoginError::Tls(error), _) => format!("portcullis: {}", error.for_client()),
        (other, _) => format!("portcullis: {other}"),
    };
    Refusal::new(RefusalKind::Upstream, message).with_hint(
        "Operator: the target's credential, TLS settings and the server's log tell more.",
    )
}

fn timed_out() -> Refusal {
    Refusal::new(RefusalKind::Upstream, "portcullis: the upstream did not answer in time")
}
