//! The endpoints.
//!
//! Owns the list of them with the role each asks for, and what each does with the handles. Adding
//! one: a handler that takes [`Viewer`] or [`Operator`], a line in [`ROUTES`] and in [`router`],
//! a method of the client; the sweep in the tests then tries it as everybody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, StreamExt};
use model::audit::AuditEvent;
use model::{HoldId, SessionId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::handles::Handles;
use super::peer::Peer;
use super::problem::{Problem, ProblemKind};
use super::view::{
    DoneView, ExplainRequest, ExplainView, HoldView, ReloadView, SocketView, StatusView,
    VoteRequest, VoteView,
};

/// Bytes of a request's body. Raised, a peer can make us hold more; a candidate policy must fit.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Shortest time between two lines of a watch.
const WATCH_EVERY_MIN: Duration = Duration::from_millis(100);
/// Characters of a comment. Raised, audit lines grow.
const COMMENT_CHARS_MAX: usize = 1_000;

/// What a peer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// May open the socket.
    Viewer,
    /// Root, the daemon's own user, or an operator of the configuration.
    Operator,
}

/// Every endpoint.
#[cfg_attr(not(test), expect(dead_code, reason = "the list is what the tests sweep"))]
pub(super) const ROUTES: &[(Method, &str, Role)] = &[
    (Method::GET, "/v1/status", Role::Viewer),
    (Method::GET, "/v1/metrics", Role::Viewer),
    (Method::GET, "/v1/sockets", Role::Viewer),
    (Method::POST, "/v1/explain", Role::Viewer),
    (Method::GET, "/v1/approvals", Role::Viewer),
    // Who may vote is settled by the hold's own requirements.
    (Method::POST, "/v1/approvals/{id}/approve", Role::Viewer),
    (Method::POST, "/v1/approvals/{id}/reject", Role::Viewer),
    (Method::POST, "/v1/sessions/{id}/kill", Role::Operator),
    (Method::POST, "/v1/reload", Role::Operator),
    (Method::POST, "/v1/drain", Role::Operator),
];

/// What every handler has at hand.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) handles: Handles,
    pub(super) operators: BTreeSet<u32>,
    /// Ends watches when the server ends.
    pub(super) token: CancellationToken,
}

type Shared = State<Arc<Api>>;
type Answer<T> = Result<Json<T>, Problem>;

pub(super) fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/metrics", get(metrics))
        .route("/v1/sockets", get(sockets))
        .route("/v1/explain", post(explain))
        .route("/v1/approvals", get(holds))
        .route("/v1/approvals/{id}/approve", post(approve))
        .route("/v1/approvals/{id}/reject", post(reject))
        .route("/v1/sessions/{id}/kill", post(kill))
        .route("/v1/reload", post(reload))
        .route("/v1/drain", post(drain))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(api)
}

/// A peer that may look.
struct Viewer(Arc<Peer>);

/// A peer that may change things.
struct Operator(Arc<Peer>);

fn peer_of(parts: &Parts) -> Result<Arc<Peer>, Problem> {
    // Fails closed: no peer, no answer.
    let peer = parts.extensions.get::<Arc<Peer>>().map(Arc::clone);
    peer.ok_or_else(|| Problem::new(ProblemKind::Forbidden, "the peer is not known"))
}

impl FromRequestParts<Arc<Api>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        peer_of(parts).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let peer = peer_of(parts)?;
        if peer.uid == 0 || api.operators.contains(&peer.uid) {
            return Ok(Self(peer));
        }
        let message = format!("{peer} may look but not change anything");
        Err(Problem::new(ProblemKind::Forbidden, message)
            .with_remedy("Run it as root, or as the user the daemon runs as."))
    }
}

async fn status(State(api): Shared, _: Viewer) -> Json<StatusView> {
    Json(api.handles.daemon.status())
}

async fn metrics(State(api): Shared, _: Viewer) -> Response {
    let format = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (format, api.handles.daemon.metrics()).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SocketsQuery {
    /// Send a line each so many milliseconds until the client goes.
    watch_ms: Option<u64>,
}

async fn sockets(
    State(api): Shared,
    _: Viewer,
    query: Result<Query<SocketsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| bad(&error))?;
    let Some(watch_ms) = query.watch_ms else {
        return Ok(Json::<Vec<SocketView>>(api.handles.sockets.sockets()).into_response());
    };
    let every = Duration::from_millis(watch_ms).max(WATCH_EVERY_MIN);
    let format = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((format, Body::from_stream(watch(api, every))).into_response())
}

/// One line of all sockets at once and then each `every`; ends with the server.
fn watch(
    api: Arc<Api>,
    every: Duration,
) -> impl stream::Stream<Item = Result<Bytes, serde_json::Error>> + Send {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = api.token.clone().cancelled_owned();
    let lines = stream::unfold((api, ticks), |(api, mut ticks)| async move {
        ticks.tick().await;
        let line = serde_json::to_vec(&api.handles.sockets.sockets()).map(|mut line| {
            line.push(b'\n');
            Bytes::from(line)
        });
        Some((line, (api, ticks)))
    });
    lines.take_until(ended)
}

async fn explain(State(api): Shared, _: Viewer, body: Bytes) -> Answer<ExplainView> {
    let request: ExplainRequest = parse(&body)?;
    api.handles.explain.explain(request).await.map(Json)
}

async fn holds(State(api): Shared, _: Viewer) -> Json<Vec<HoldView>> {
    Json(api.handles.approvals.holds())
}

async fn approve(
    State(api): Shared,
    Viewer(peer): Viewer,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<VoteView> {
    let (hold, vote) = (hold_id(&id)?, vote_of(&body)?);
    let voted = api.handles.approvals.approve(hold, &peer, vote);
    api.note("approve", &id, &peer, voted.is_ok());
    voted.map(Json)
}

async fn reject(
    State(api): Shared,
    Viewer(peer): Viewer,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<VoteView> {
    let (hold, vote) = (hold_id(&id)?, vote_of(&body)?);
    let voted = api.handles.approvals.reject(hold, &peer, vote);
    api.note("reject", &id, &peer, voted.is_ok());
    voted.map(Json)
}

async fn kill(
    State(api): Shared,
    Operator(peer): Operator,
    Path(id): Path<String>,
) -> Answer<DoneView> {
    let session: SessionId = id.parse().map_err(|error| bad(&error))?;
    let killed = api.handles.sockets.kill(session);
    api.note("kill", &id, &peer, killed);
    if killed {
        return Ok(Json(DoneView { message: format!("session {session} is being ended") }));
    }
    Err(Problem::new(ProblemKind::NotFound, format!("session {session} is not live"))
        .with_remedy("List the live ones with `portcullis sockets`."))
}

async fn reload(State(api): Shared, Operator(peer): Operator) -> Json<ReloadView> {
    let view = api.handles.daemon.reload(peer.to_string()).await;
    api.note("reload", "configuration", &peer, view.applied);
    Json(view)
}

async fn drain(State(api): Shared, Operator(peer): Operator) -> Json<DoneView> {
    api.note("drain", "daemon", &peer, true);
    api.handles.daemon.drain();
    Json(DoneView { message: "draining: no new sessions; live ones end by themselves".to_owned() })
}

async fn nowhere(method: Method, uri: Uri) -> Problem {
    let message = format!("there is no {method} {}", uri.path());
    Problem::new(ProblemKind::NotFound, message)
        .with_remedy("Client and daemon may be of different versions; compare `portcullis status`.")
}

impl Api {
    fn note(&self, action: &'static str, subject: &str, peer: &Peer, accepted: bool) {
        self.handles.daemon.audit(AuditEvent::ControlAction {
            action,
            subject: subject.into(),
            by: peer.to_string().into(),
            accepted,
        });
    }
}

fn hold_id(text: &str) -> Result<HoldId, Problem> {
    text.parse().map_err(|error| bad(&error))
}

fn vote_of(body: &[u8]) -> Result<VoteRequest, Problem> {
    let vote: VoteRequest = if body.is_empty() { VoteRequest::default() } else { parse(body)? };
    let too_long = |text: &String| text.chars().count() > COMMENT_CHARS_MAX;
    if vote.comment.as_ref().is_some_and(too_long) {
        let message = format!("a comment has at most {COMMENT_CHARS_MAX} characters");
        return Err(Problem::new(ProblemKind::BadRequest, message));
    }
    Ok(vote)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| bad(&error))
}

fn bad(error: &dyn std::error::Error) -> Problem {
    Problem::new(ProblemKind::BadRequest, error.to_string())
}
