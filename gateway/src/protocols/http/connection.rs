//! The life of one connection.
//!
//! Owns its stages. Must not know what a request asks for, nor (`attending`) what befalls it while it is
//! open. Ends with either side, or with the session; a client that is not let in is told
//! so in the answer to its first request.
//!
//! ```text
//!  look ─▶ name ─▶ open ─▶ dial, TLS up ─▶ TLS down ─▶ serve ─▶ farewell
//!                    └─ refused ─▶ TLS down ─▶ 403    └─ the upstream closes: so do we, when idle
//! ```

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::{self, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use model::audit::SessionEnd;
use model::{HttpCredential, Limits};
use rustls::ServerConfig;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::asked::Place;
use super::attending::Attending;
use super::blame::Blame;
use super::client_stream::{ClientStream, Line};
use super::credential::Login as Credentials;
use super::desk::Desk;
use super::distrust::{self, Distrust, Who};
use super::exchange::{self, Open};
use super::greeting::{self, Greeting, Unencrypted};
use super::meaning::Meaning;
use super::splice;
use super::upstream::{self, CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES, Shared, Tasks};
use crate::session::{
    Card, ClientTls, ConnectPermit, HttpTarget, Login, Pending, Refusal, RefusalKind, Session,
    Stream, UntrustingClients, Upstream,
};

/// Requests of one connection that run side by side (HTTP/2).
const STREAMS_MAX: u32 = 256;
/// Bytes of a request's fields (HTTP/2).
const FIELDS_BYTES_MAX: u32 = 64 * 1024;
/// How long a client may take to go away once it was turned away.
const LEAVES_WITHIN: Duration = Duration::from_secs(5);

/// Serves one connection.
pub(in crate::protocols) async fn serve(
    client: Stream,
    pending: Pending,
    distrust: &Distrust,
    meaning: &'static dyn Meaning,
) -> SessionEnd {
    let limits = Arc::clone(pending.limits());
    let greeting = match timeout(limits.handshake_within, greeting::look(&client)).await {
        Ok(Ok(Greeting::Gone)) => return SessionEnd::Client,
        Ok(Ok(greeting)) => greeting,
        Ok(Err(error)) if upstream::is_end(&error) => return SessionEnd::Client,
        Ok(Err(error)) => return violation(error.to_string()),
        Err(_) => return violation("the greeting took too long"),
    };
    let Some(target) = pending.target().http.clone() else {
        return SessionEnd::Internal { because: "the target is none of HTTP".into() };
    };
    let visit = match Visit::new(greeting, target, &pending, meaning) {
        Ok(visit) => visit,
        Err(because) => {
            pending.failed(because.as_str());
            return violation(because);
        }
    };
    let card = Arc::clone(pending.card());
    let login = Login { user: visit.name(), database: None, encrypted: visit.is_encrypted() };
    let opened = tokio::select! {
        biased; // Who is told to end need not be let in.
        cause = card.ending().ended() => return cause,
        opened = pending.open(login, std::future::pending()) => opened,
    };
    match opened {
        Ok((session, permit)) => visit.enter(client, session, permit, distrust).await,
        Err(refusal) => {
            visit.turn_away(client, &card, &refusal, &limits).await;
            SessionEnd::Refused
        }
    }
}

pub(super) fn violation(because: impl Into<Arc<str>>) -> SessionEnd {
    SessionEnd::ProtocolViolation { because: because.into() }
}

/// A client on its way in.
struct Visit {
    greeting: Greeting,
    place: Place,
    who: Who,
    tls: Option<Arc<ServerConfig>>,
}

impl Visit {
    /// # Errors
    /// Why this client cannot be served here, for people.
    fn new(
        greeting: Greeting,
        target: HttpTarget,
        pending: &Pending,
        meaning: &'static dyn Meaning,
    ) -> Result<Self, String> {
        let address = pending.binding().original;
        let tls = pending.client_tls().map(Arc::clone);
        let server_name = match &greeting {
            Greeting::Tls { name, .. } => {
                if tls.is_none() || pending.target().client_tls == ClientTls::Refuse {
                    return Err(String::from("the target is not for connections over TLS"));
                }
                name.clone()
            }
            _ => None,
        };
        if let Some(name) = &server_name
            && !target.serves(name)
        {
            return Err(format!("the name {name} does not belong to this target"));
        }
        let executable = pending.card().attestation.executable.as_deref().unwrap_or("unknown");
        let name = server_name.clone().unwrap_or_else(|| address.ip().to_string().into());
        let is_encrypted = matches!(greeting, Greeting::Tls { .. });
        Ok(Self {
            greeting,
            place: Place { target, server_name, address, is_encrypted, meaning },
            who: Who { executable: executable.into(), name },
            tls,
        })
    }

    fn name(&self) -> Arc<str> {
        Arc::clone(&self.who.name)
    }

    const fn is_encrypted(&self) -> bool {
        self.place.is_encrypted
    }

    /// What the client speaks, the better first.
    fn offered(&self) -> Vec<&[u8]> {
        match &self.greeting {
            Greeting::Tls { alpn, .. } => greeting::offered(alpn),
            Greeting::Http2 => vec![b"h2"],
            Greeting::Http1 | Greeting::Gone => vec![b"http/1.1"],
        }
    }

    /// Whether it named protocols at all.
    fn has_alpn(&self) -> bool {
        matches!(&self.greeting, Greeting::Tls { alpn, .. } if !alpn.is_empty())
    }

    async fn enter(
        self,
        client: Stream,
        session: Session,
        permit: ConnectPermit,
        distrust: &Distrust,
    ) -> SessionEnd {
        let within = session.limits().upstream_within;
        let splices = self.is_encrypted()
            && self.place.target.untrusting_clients == UntrustingClients::Passthrough
            && distrust.is_clear(&self.who);
        let reached = match timeout(within, session.dial(permit)).await {
            Ok(reached) => reached,
            Err(_) => Err(unreached("did not answer in time")),
        };
        if splices {
            return match reached {
                Ok(upstream) => splice::run(session, client, upstream).await,
                Err(_) => session.close(SessionEnd::Upstream),
            };
        }
        let (tasks, gone) = (Tasks(TaskTracker::new()), CancellationToken::new());
        let begun = match reached {
            Err(refusal) => Err(refusal),
            Ok(upstream) => {
                let begun = self.begin(&session, upstream, &tasks, gone.clone());
                match timeout(within, begun).await {
                    Ok(begun) => begun,
                    Err(_) => Err(unreached("did not answer in time")),
                }
            }
        };
        if let Err(refusal) = &begun {
            session.upstream_failed(&refusal.message);
        }
        let over_http2 = match &begun {
            Ok((upstream, _)) => upstream.protocol().is_http2(),
            Err(_) => self.offered().first() == Some(&&b"h2"[..]),
        };
        let encrypted = self.encrypt(client, over_http2, session.limits()).await;
        let client = match encrypted {
            Ok(client) => {
                if self.is_encrypted() {
                    distrust.trusted(&self.who);
                }
                client
            }
            Err(Unencrypted::Distrusts(error)) => {
                tracing::debug!(%error, "a client went away at our certificate");
                if distrust.failed(&self.who) {
                    let remedy = distrust::remedy(&self.who.executable);
                    session.certificate_refused(&self.who.executable, &self.who.name, remedy);
                }
                return session.close(SessionEnd::Client);
            }
            Err(Unencrypted::Failed(error)) => {
                return session.close(violation(error.to_string()));
            }
        };
        let serving = Serving { place: self.place, begun, over_http2, gone, tasks };
        serving.run(client, session).await
    }

    /// TLS and HTTP with the upstream.
    async fn begin(
        &self,
        session: &Session,
        mut upstream: Upstream,
        tasks: &Tasks,
        gone: CancellationToken,
    ) -> Result<(Shared, Credentials), Refusal> {
        let credential = upstream.credential.take().and_then(|credential| credential.http);
        let over_http2 = if upstream.wants_tls() {
            upstream = upstream.start_tls_offering(&self.offered()).await?;
            upstream.agreed_protocol() == Some(b"h2")
        } else {
            matches!(self.greeting, Greeting::Http2)
        };
        if matches!(self.greeting, Greeting::Http2) && !over_http2 {
            return Err(unreached("does not speak HTTP/2, which the client insists on"));
        }
        let sender = upstream::begin(upstream, over_http2, tasks, gone).await.map_err(|error| {
            tracing::warn!(%error, "an upstream does not speak HTTP");
            unreached("does not speak HTTP as it should")
        })?;
        let login = Credentials::new(
            credential.unwrap_or(HttpCredential::None),
            Arc::clone(session.tokens()),
            Arc::clone(session.clock()),
        );
        Ok((Arc::new(session.guard(sender)), login))
    }

    /// TLS with the client, where it speaks it.
    async fn encrypt(
        &self,
        client: Stream,
        over_http2: bool,
        limits: &Limits,
    ) -> Result<Stream, Unencrypted> {
        if !self.is_encrypted() {
            return Ok(client);
        }
        let (Stream::Plain(tcp), Some(tls)) = (client, &self.tls) else {
            return Err(Unencrypted::Failed(std::io::ErrorKind::Unsupported.into()));
        };
        let agreed: &[u8] = if over_http2 { b"h2" } else { b"http/1.1" };
        let agreed = self.has_alpn().then_some(agreed);
        let encrypted = timeout(limits.handshake_within, greeting::encrypt(tcp, tls, agreed)).await;
        encrypted.unwrap_or_else(|_| Err(Unencrypted::Failed(std::io::ErrorKind::TimedOut.into())))
    }

    /// Tells a client that is not let in why, as the answer to whatever it asks first.
    async fn turn_away(self, client: Stream, card: &Arc<Card>, refusal: &Refusal, limits: &Limits) {
        let over_http2 = self.offered().first() == Some(&&b"h2"[..]);
        let client = match self.encrypt(client, over_http2, limits).await {
            Ok(client) => client,
            Err(error) => {
                tracing::debug!(?error, "a client was not told why it is turned away");
                return;
            }
        };
        let session = card.session.to_string();
        let service = service_fn(|request: Request<Incoming>| {
            let is_grpc = super::asked::is_grpc(request.headers());
            let mut response = self.place.meaning.refused(refusal, None, &session, is_grpc);
            if request.version() < http::Version::HTTP_2 {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let line = (!over_http2).then(Arc::<Line>::default);
        let stream = ClientStream::new(client, Arc::clone(card), line, limits.handshake_within);
        let io = TokioIo::new(stream);
        let told = async {
            if over_http2 {
                let tasks = Tasks(TaskTracker::new());
                http2::Builder::new(tasks).serve_connection(io, service).await
            } else {
                http1::Builder::new().keep_alive(false).serve_connection(io, service).await
            }
        };
        drop(timeout(limits.handshake_within + LEAVES_WITHIN, told).await);
    }
}

fn unreached(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Upstream, format!("portcullis: the upstream {what}"))
        .with_hint("Operator: see the daemon's log for the whole story.")
}

/// A client that is in.
struct Serving {
    place: Place,
    begun: Result<(Shared, Credentials), Refusal>,
    over_http2: bool,
    /// Cancelled when the upstream's connection has ended.
    gone: CancellationToken,
    tasks: Tasks,
}

impl Serving {
    async fn run(self, client: Stream, session: Session) -> SessionEnd {
        let (limits, card) = (Arc::clone(session.limits()), Arc::clone(session.card()));
        let changes = session.changes();
        let line = (!self.over_http2).then(Arc::<Line>::default);
        let cut = CancellationToken::new();
        let upgraded = TaskTracker::new();
        let open = Arc::new(Open {
            session: card.session.to_string(),
            wanted: session.request_headers().into(),
            again: super::again::Again::default(),
            desk: Arc::new(Desk::new(session)),
            place: self.place,
            upstream: self.begun,
            line: line.clone(),
            target_bytes_max: limits.statement_bytes_max,
            recorded_bytes_max: limits.recorded_result_bytes_max,
            message_bytes_max: limits.message_bytes_max,
            upgraded: upgraded.clone(),
            cut: cut.clone(),
            blame: Blame::default(),
        });
        let (over, counted) = (line.clone(), Arc::clone(&card));
        let (desk, blame, told) = (Arc::clone(&open.desk), open.blame.clone(), line.clone());
        let stream = ClientStream::new(client, card, line, limits.handshake_within);
        let io = TokioIo::new(stream);
        let served = Arc::clone(&open);
        let service = service_fn(move |request| {
            // Before it is polled: until then the library may ask whether the client has gone.
            let busy = served.line.as_ref().map(Line::busy);
            // In its own memory: the library moves what it is given.
            Box::pin(exchange::serve(Arc::clone(&served), request, busy))
        });
        let attending = Attending {
            open,
            changes,
            gone: self.gone,
            upgraded,
            drain_within: limits.drain_within,
            over,
            card: counted,
        };
        let cause = if self.over_http2 {
            let connection = http2::Builder::new(self.tasks.clone())
                .timer(TokioTimer::new())
                .initial_stream_window_size(STREAM_WINDOW_BYTES)
                .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
                .max_concurrent_streams(STREAMS_MAX)
                .max_header_list_size(FIELDS_BYTES_MAX)
                .auto_date_header(false)
                .serve_connection(io, service);
            attending.until_the_end(connection).await
        } else {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(None)
                .preserve_header_case(true)
                .auto_date_header(false)
                .serve_connection(io, service)
                .with_upgrades();
            attending.until_the_end(connection).await
        };
        cut.cancel();
        self.tasks.0.close();
        // What a client or an upstream did wrong says more than which side closed for it.
        let complaint = told.and_then(|line| line.complaint());
        let cause = match (cause, complaint, blame.end()) {
            (SessionEnd::Client | SessionEnd::Upstream, Some(complaint), _) => {
                violation(complaint.because())
            }
            (SessionEnd::Client | SessionEnd::Upstream, None, Some(end)) => end,
            (cause, ..) => cause,
        };
        match desk.take().await {
            Some(session) => session.close(cause),
            None => cause,
        }
    }
}
