//! One request and its answer.
//!
//! Owns the order of the steps. Must not know how any of them is done. Dropped in the middle (the
//! client went away), the operation has failed and says so.
//!
//! ```text
//!  read ─▶ judge, hold ─▶ strip, log in ─▶ send ─▶ judge the answer ─▶ stages ─▶ client
//!    └─ 400, 421  └─ 403, 503    └─ 502      └─ 502, or gone     └─ 403      └─ 502
//! ```

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;
use model::HttpCredential;
use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::asked::{self, Asked, Place};
use super::body::{AnswerBody, Ending, RequestBody, Stages, Tap};
use super::client_stream::{Line, REFUSED};
use super::coding::Decoder;
use super::credential::{Given, Login};
use super::desk::Desk;
use super::held::{self, Arriving};
use super::scrub::Scrubber;
use super::signature::{self, Signer};
use super::upstream::{SendError, Shared};
use super::{headers, upgrade, words};
use crate::session::{
    BodyKind, BodyMasker, FieldSet, OperationOutcome, OutputStream, Receipt, Refusal, RefusalKind,
};

/// What all requests of a connection share.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) desk: Arc<Desk>,
    /// The session's name, for answers.
    pub(super) session: String,
    pub(super) place: Place,
    /// Where requests go, or why they cannot.
    pub(super) upstream: Result<(Shared, Login), Refusal>,
    /// Of a client of HTTP/1.
    pub(super) line: Option<Arc<Line>>,
    /// The headers that conditions of the policy of now ask for.
    pub(super) wanted: RwLock<Arc<[Arc<str>]>>,
    /// Bytes of a body that are recorded.
    pub(super) recorded_bytes_max: usize,
    /// Bytes of a body that is read to be signed, and of a message that is masked.
    pub(super) message_bytes_max: usize,
    /// What upgrades have become.
    pub(super) upgraded: TaskTracker,
    /// Ends it.
    pub(super) cut: CancellationToken,
}

/// The upstream closed before a request was sent: the client is shown just that.
#[derive(Debug, thiserror::Error)]
#[error("the upstream has closed the connection")]
pub(super) struct Gone;

/// A refusal, and the status that says it better than its kind.
struct Refused {
    refusal: Refusal,
    status: Option<StatusCode>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, status: None }
    }
}

/// Why there is no answer to pass on.
enum Failed {
    Refused(Refused),
    Gone,
}

impl<T: Into<Refused>> From<T> for Failed {
    fn from(refused: T) -> Self {
        Self::Refused(refused.into())
    }
}

/// Serves one request.
pub(super) async fn serve(
    open: Arc<Open>,
    mut request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Gone> {
    let upgrades = open.line.as_ref().is_some_and(|line| line.awaits_switch());
    let on_upgrade = upgrades.then(|| hyper::upgrade::on(&mut request));
    let is_grpc = asked::is_grpc(request.headers());
    let is_old = request.version() < Version::HTTP_2;
    let answered = answer(&open, request, on_upgrade).await;
    let switched = matches!(&answered, Ok(response)
        if response.status() == StatusCode::SWITCHING_PROTOCOLS);
    if let Some(line) = &open.line {
        line.answered(switched);
    }
    match answered {
        Ok(response) => Ok(response),
        Err(Failed::Gone) => Err(Gone),
        Err(Failed::Refused(Refused { refusal, status })) => {
            let mut response = words::refused(&refusal, status, &open.session, is_grpc);
            // What is left of the request's body is not waited for.
            if is_old && refusal.kind == RefusalKind::Unreadable {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }
}

async fn answer(
    open: &Arc<Open>,
    request: Request<Incoming>,
    on_upgrade: Option<OnUpgrade>,
) -> Result<Response<AnswerBody>, Failed> {
    let (mut parts, body) = request.into_parts();
    let asked = read(open, &parts, on_upgrade.is_some()).await?;
    let (shared, login) = open.upstream.as_ref().map_err(Refusal::clone)?;
    let (permit, mut body) = held::permit(&open.desk, &asked.operation, body).await?;
    if login.signs_body(&parts)
        && let Arriving::Streamed(incoming) = body
    {
        body = Arriving::Whole(held::read(incoming, open.message_bytes_max).await?);
    }
    let switch = upgrade::Wanted::of(&parts.headers);
    let given = prepare(open, &asked, &mut parts, login, &body).await?;
    let (receipt, sender) = shared.open(permit);
    let receipt = Arc::new(receipt);
    let fields = fields(open, &receipt, &asked).await?;
    if fields.is_some() {
        headers::take_parts(&mut parts.headers);
    }
    if fields.is_some() || !login.is_none() {
        parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let is_http2 = sender.is_http2();
    address(open, &asked, &mut parts, is_http2)?;
    if asked.upgrades {
        switch.put(&mut parts.headers, fields.is_some())?;
    }
    let is_head = parts.method == Method::HEAD;
    let tap = |stream| Tap::new(Arc::clone(&open.desk), &receipt, stream, open.recorded_bytes_max);
    let body = match body {
        Arriving::Whole(bytes) => RequestBody::Whole(Some(bytes)),
        Arriving::Streamed(incoming) if incoming.is_end_stream() => RequestBody::Whole(None),
        Arriving::Streamed(incoming) => {
            RequestBody::Streamed(Box::new((incoming, tap(OutputStream::Input))))
        }
    };
    let mut ending = Ending::new(Arc::clone(&open.desk), Arc::clone(&receipt), String::new());
    let response = match sender.send(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(SendError::Closed) => {
            ending.ended().status = String::from("closed before it was sent");
            return Err(Failed::Gone);
        }
        Err(SendError::Failed(error)) => {
            tracing::warn!(%error, "an upstream did not answer");
            ending.ended().status = String::from("no answer");
            return Err(upstream_failed("did not answer").into());
        }
    };
    ending.ended().status = status_of(&response);
    judge(open, &asked, &receipt, &response).await?;
    drop(receipt);
    let needles = login.needles(&given);
    let way = Way { fields, needles, is_head, tap: tap_of(open, &ending) };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return match on_upgrade {
            Some(client) => Ok(upgrade::switch(open, client, response, ending, way)),
            None => Err(upstream_failed("switched protocols, which nobody asked for").into()),
        };
    }
    show(response, way, ending)
}

async fn read(open: &Open, parts: &Parts, upgrades: bool) -> Result<Asked, Failed> {
    let complaint = (parts.method.as_str() == REFUSED)
        .then(|| open.line.as_ref().and_then(|line| line.complaint()))
        .flatten();
    let read = match complaint {
        Some(complaint) => Err(asked::Unfit {
            status: complaint.status(),
            because: complaint.because().to_owned(),
        }),
        None => {
            let wanted = Arc::clone(&open.wanted.read());
            Asked::read(parts, &open.place, upgrades, &wanted)
        }
    };
    match read {
        Ok(asked) => Ok(asked),
        Err(unfit) => {
            let message = format!("portcullis: {}", unfit.because);
            let refusal = Refusal::new(RefusalKind::Unreadable, message);
            let refusal = open.desk.refuse(&asked::unread(parts), refusal).await;
            Err(Refused { refusal, status: Some(unfit.status) }.into())
        }
    }
}

/// Takes out what is not passed on, and puts the credential in.
async fn prepare(
    open: &Open,
    asked: &Asked,
    parts: &mut Parts,
    login: &Login,
    body: &Arriving,
) -> Result<Given, Refusal> {
    headers::take_connection(&mut parts.headers);
    headers::take_identity(&mut parts.headers);
    // The gateway itself has answered it.
    parts.headers.remove(header::EXPECT);
    let authority = open.place.authority(&asked.facts.host);
    let signer = Signer {
        scheme: open.place.scheme(),
        authority: &authority,
        body: match body {
            Arriving::Whole(bytes) => Some(bytes),
            Arriving::Streamed(_) => None,
        },
    };
    let put = login.put(parts, signer).await;
    match put {
        Ok(given) => Ok(given),
        Err(refusal) => {
            open.desk.ask(|session| session.upstream_failed(&refusal.message)).await;
            Err(refusal)
        }
    }
}

/// What is masked in the answer.
async fn fields(
    open: &Open,
    receipt: &Receipt,
    asked: &Asked,
) -> Result<Option<Arc<FieldSet>>, Refusal> {
    if receipt.masks().is_empty() {
        return Ok(None);
    }
    open.desk.fields(receipt, &asked.facts.path).await
}

/// Addresses the request as the upstream's version of the protocol does.
fn address(open: &Open, asked: &Asked, parts: &mut Parts, is_http2: bool) -> Result<(), Refusal> {
    let unaddressed = |_| upstream_failed("cannot be sent this request");
    let path = parts.uri.path_and_query().cloned();
    let mut uri = http::uri::Parts::default();
    uri.path_and_query = path;
    let authority = match parts.uri.authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => match parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()) {
            Some(host) => host.to_owned(),
            None => open.place.authority(&asked.facts.host),
        },
    };
    if is_http2 {
        uri.scheme = Some(if open.place.is_encrypted {
            http::uri::Scheme::HTTPS
        } else {
            http::uri::Scheme::HTTP
        });
        uri.authority = Some(authority.parse().map_err(unaddressed)?);
        parts.headers.remove(header::HOST);
        parts.version = Version::HTTP_2;
    } else {
        let host = HeaderValue::from_str(&authority)
            .map_err(|_| upstream_failed("cannot be sent this request"))?;
        parts.headers.insert(header::HOST, host);
        parts.version = Version::HTTP_11;
    }
    parts.uri =
        http::Uri::from_parts(uri).map_err(|_| upstream_failed("cannot be sent this request"))?;
    Ok(())
}

async fn judge(
    open: &Open,
    asked: &Asked,
    receipt: &Receipt,
    response: &Response<Incoming>,
) -> Result<(), Refused> {
    let operation = asked.answered(response.status());
    let judged = open.desk.judge_answer(receipt, &operation).await;
    // Whatever was done is done: the workload is told that it may not see the answer.
    judged.map_err(Refused::from)
}

fn tap_of(open: &Open, ending: &Ending) -> Option<Tap> {
    let receipt = ending.receipt()?;
    let desk = Arc::clone(&open.desk);
    Some(Tap::new(desk, receipt, OutputStream::Output, open.recorded_bytes_max))
}

/// What an answer's body goes through.
pub(super) struct Way {
    pub(super) fields: Option<Arc<FieldSet>>,
    needles: Arc<super::scrub::Needles>,
    is_head: bool,
    pub(super) tap: Option<Tap>,
}

fn show(
    response: Response<Incoming>,
    way: Way,
    mut ending: Ending,
) -> Result<Response<AnswerBody>, Failed> {
    let (mut parts, body) = response.into_parts();
    let closes = has_close(&parts.headers);
    headers::take_connection(&mut parts.headers);
    // Where else the server can be reached is not where the gateway is.
    parts.headers.remove(header::ALT_SVC);
    if closes {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    scrub_headers(&mut parts.headers, &way.needles, &mut ending);
    let is_empty = way.is_head || body.is_end_stream() || has_no_body(parts.status);
    let stages = if is_empty && !way.is_head {
        Stages::default()
    } else {
        match stages(&parts.headers, &way) {
            Ok(stages) => stages,
            Err(because) => {
                ending.ended().status = format!("{} (not shown)", ending.ended().status);
                let refusal = Refusal::new(
                    RefusalKind::Masking,
                    "portcullis: the answer cannot be masked, so it is not shown",
                );
                return Err(refusal.because(because).into());
            }
        }
    };
    if stages.changes_bytes() {
        headers::take_bytes(&mut parts.headers);
        parts.headers.remove(header::CONTENT_ENCODING);
    }
    let outcome = if parts.status.as_u16() < 400 {
        OperationOutcome::Completed
    } else {
        OperationOutcome::Failed
    };
    let stages = if is_empty { Stages::default() } else { stages };
    let Some(tap) = way.tap else { return Err(super::desk::over().into()) };
    // The answer begins in the version that the client speaks; the library sees to that.
    parts.version = Version::HTTP_11;
    Ok(Response::from_parts(parts, AnswerBody::shown(body, stages, tap, outcome, ending)))
}

/// Chooses what the body goes through.
///
/// # Errors
/// Why it cannot be shown, for people.
fn stages(headers: &http::HeaderMap, way: &Way) -> Result<Stages, String> {
    let text = |name: &header::HeaderName| {
        headers.get(name).map_or(Ok(""), |value| value.to_str()).unwrap_or("?")
    };
    let coding = text(&header::CONTENT_ENCODING);
    let several = headers.get_all(header::CONTENT_ENCODING).iter().count() > 1
        || headers.get_all(header::CONTENT_TYPE).iter().count() > 1;
    let scrubs = !way.needles.is_empty();
    let Some(fields) = &way.fields else {
        // A body that is compressed cannot hold what was sent to it a moment ago, unless the
        // server compresses what it was asked not to; then it is undone to be looked at.
        let decoder = if scrubs { Decoder::of(coding).ok().flatten() } else { None };
        let is_plain = coding.is_empty() || coding.eq_ignore_ascii_case("identity");
        let scrubber = (scrubs && (is_plain || decoder.is_some()))
            .then(|| Scrubber::new(Arc::clone(&way.needles)));
        return Ok(Stages { decoder, scrubber, masker: None });
    };
    let kind = kind_of(text(&header::CONTENT_TYPE)).filter(|_| !several);
    let masker = match kind {
        Some(BodyKind::Text) if fields.has_fields() => {
            return Err(String::from("Its type has no fields that could be masked."));
        }
        Some(kind) => Some(BodyMasker::new(kind, Arc::clone(fields))),
        None if fields.has_fields() => {
            return Err(String::from("Its type is not one that can be masked."));
        }
        // Detectors look through text; what is none passes.
        None => None,
    };
    let decoder = match (Decoder::of(coding), &masker) {
        (Ok(decoder), _) => decoder,
        (Err(_), None) => None,
        (Err(error), Some(_)) => return Err(format!("{error}.")),
    };
    let scrubber = scrubs.then(|| Scrubber::new(Arc::clone(&way.needles)));
    Ok(Stages { decoder, scrubber, masker })
}

/// How a body of this type is read; `None` where it is not.
fn kind_of(content_type: &str) -> Option<BodyKind> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = content_type.to_ascii_lowercase();
    let charset = charset
        .split("charset=")
        .nth(1)
        .map(|rest| rest.split(';').next().unwrap_or_default().trim().trim_matches('"').to_owned());
    // Other character sets write the same letters otherwise.
    if charset.is_some_and(|set| {
        !matches!(set.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii" | "iso-8859-1" | "latin1")
    }) {
        return None;
    }
    Some(match essence.as_str() {
        // One document is a sequence of one; many servers call a sequence by the name of one.
        "application/json"
        | "text/json"
        | "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/json-lines"
        | "application/problem+json" => BodyKind::JsonLines,
        "application/x-www-form-urlencoded" => BodyKind::Form,
        "text/event-stream" => BodyKind::EventStream,
        "application/xml"
        | "application/javascript"
        | "application/x-yaml"
        | "application/yaml"
        | "application/toml"
        | "application/sql"
        | "application/graphql" => BodyKind::Text,
        other if other.ends_with("+json") => BodyKind::JsonLines,
        other if other.starts_with("text/") || other.ends_with("+xml") => BodyKind::Text,
        other if other.starts_with("multipart/") => BodyKind::Text,
        _ => return None,
    })
}

/// Stars the gateway's credential where a header holds it.
fn scrub_headers(
    headers: &mut http::HeaderMap,
    needles: &super::scrub::Needles,
    ending: &mut Ending,
) {
    if needles.is_empty() {
        return;
    }
    for value in headers.values_mut() {
        if needles.touch(value.as_bytes()) {
            let mut bytes = value.as_bytes().to_vec();
            ending.ended().masked_values += needles.star(&mut bytes);
            *value =
                HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("***"));
        }
    }
}

fn has_close(headers: &http::HeaderMap) -> bool {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("close"))
}

fn has_no_body(status: StatusCode) -> bool {
    status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}

fn status_of(response: &Response<Incoming>) -> String {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match kind {
        Some(kind) => format!("{} {kind}", response.status().as_u16()),
        None => response.status().as_u16().to_string(),
    }
}

fn upstream_failed(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Upstream, format!("portcullis: the upstream {what}"))
        .with_hint("Operator: see the daemon's log for the whole story.")
}

impl Login {
    /// Whether the body must be read whole to be signed.
    fn signs_body(&self, parts: &Parts) -> bool {
        let service = match self.kind() {
            HttpCredential::Aws { service, .. } => Some(service.as_str()),
            _ => None,
        };
        signature::needs_body(service, parts)
    }
}
