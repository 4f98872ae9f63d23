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

use super::again::Again;
use super::answer::{self, Way};
use super::asked::{self, Asked, Place};
use super::blame::Blame;
use super::body::{AnswerBody, Ending, Tap};
use super::client_stream::{Busy, Line, REFUSED};
use super::credential::{Given, Login};
use super::desk::Desk;
use super::held::{self, Arriving};
use super::interim::Interim;
use super::meaning::{Masks, Recorded};
use super::request_body::{Arrival, RequestBody};
use super::signature::{self, Signer};
use super::upstream::{SendError, Shared, is_gone, is_malformed};
use super::{address, headers, upgrade};
use crate::session::{BodyKind, BodyMasker, FieldSet, OutputStream, Receipt, Refusal, RefusalKind};

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
    /// Bytes of a request's target that are read.
    pub(super) target_bytes_max: usize,
    /// The requests that were read last.
    pub(super) again: Again,
    /// Bytes of a body that are recorded.
    pub(super) recorded_bytes_max: usize,
    /// Bytes of a body that is read to be signed, and of a message that is masked.
    pub(super) message_bytes_max: usize,
    /// What upgrades have become.
    pub(super) upgraded: TaskTracker,
    /// Ends it.
    pub(super) cut: CancellationToken,
    /// Whose fault its end is, where that is known.
    pub(super) blame: Blame,
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

/// Serves one request. `_busy` goes when it has its answer, of which the body may still come.
pub(super) async fn serve(
    open: Arc<Open>,
    mut request: Request<Incoming>,
    _busy: Option<Busy>,
) -> Result<Response<AnswerBody>, Gone> {
    let upgrades = open.line.as_ref().is_some_and(|line| line.awaits_switch());
    let on_upgrade = upgrades.then(|| hyper::upgrade::on(&mut request));
    let is_grpc = asked::is_grpc(request.headers());
    let is_old = request.version() < Version::HTTP_2;
    let answered = exchange(&open, request, on_upgrade).await;
    let switched = matches!(&answered, Ok(response)
        if response.status() == StatusCode::SWITCHING_PROTOCOLS);
    if let Some(line) = &open.line {
        line.answered(switched);
    }
    match answered {
        Ok(response) => Ok(response),
        Err(Failed::Gone) => Err(Gone),
        Err(Failed::Refused(Refused { refusal, status })) => {
            let mut response = open.place.meaning.refused(&refusal, status, &open.session, is_grpc);
            // After what cannot be read nothing is read any more, of either side.
            let is_over = open.blame.end().is_some()
                || open.line.as_ref().is_some_and(|line| line.complaint().is_some());
            if is_old && is_over {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok(response)
        }
    }
}

async fn exchange(
    open: &Arc<Open>,
    request: Request<Incoming>,
    on_upgrade: Option<OnUpgrade>,
) -> Result<Response<AnswerBody>, Failed> {
    let (mut parts, body) = request.into_parts();
    address::encode(&mut parts);
    let asked = read(open, &parts, on_upgrade.is_some()).await?;
    let (shared, login) = open.upstream.as_ref().map_err(Refusal::clone)?;
    let (permit, mut body) = held::permit(open, &asked.operation, body).await?;
    if login.signs_body(&parts)
        && let Arriving::Streamed(incoming) = body
    {
        body = Arriving::Whole(held::read(incoming, open.message_bytes_max).await?);
    }
    let switch = upgrade::Wanted::of(&parts.headers);
    let given = prepare(open, &asked, &mut parts, login, &body).await?;
    let (receipt, sender) = shared.open(permit);
    // From here on its end is told, however it ends: nobody else keeps the receipt.
    let busy = open.line.as_ref().map(Line::busy);
    let mut ending = Ending::new(Arc::clone(&open.desk), receipt, busy);
    let fields = fields(open, ending.receipt()?, &asked).await?;
    if fields.is_some() {
        headers::take_parts(&mut parts.headers);
    }
    suit(open, &asked, &ending, fields.as_deref(), &mut parts).await?;
    if fields.is_some() || !login.is_none() {
        parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let is_http2 = sender.is_http2();
    let is_old = parts.version < Version::HTTP_11;
    address(open, &asked, &mut parts, is_http2)?;
    let mut streams = None;
    if asked.upgrades {
        streams = open.place.meaning.streams(&asked, switch.name(), &mut parts.headers)?;
        switch.put(&mut parts.headers, fields.is_some() && streams.is_none())?;
    }
    let is_head = parts.method == Method::HEAD;
    let recorded = open.place.meaning.recorded(&asked);
    let mut tap = sent_tap(open, &ending, recorded, fields.as_ref(), &parts);
    let body = match body {
        Arriving::Whole(bytes) => {
            tap.hear(&bytes);
            RequestBody::Whole(Some(bytes))
        }
        Arriving::Streamed(incoming) if incoming.is_end_stream() => RequestBody::Whole(None),
        Arriving::Streamed(incoming) => {
            RequestBody::Streamed(Box::new(Arrival::begin(incoming, tap).await))
        }
    };
    let mut request = Request::from_parts(parts, body);
    let needles = login.needles(&given);
    let interim = if is_old { None } else { Interim::of(open, &mut request, &needles) };
    let sending = sender.send(request);
    let sent = match interim {
        Some(interim) => interim.until(open, &asked, ending.receipt()?, sending).await,
        None => sending.await,
    };
    let response = match sent {
        Ok(response) => response,
        Err(error) => return Err(unanswered(open, error, &mut ending)),
    };
    ending.ended().status = status_of(&response);
    if response.status() == StatusCode::UNAUTHORIZED && !login.is_none() {
        let turned_down = "portcullis: the upstream turned the credential of its target down (401)";
        open.desk.ask(|session| session.upstream_failed(turned_down)).await;
    }
    judge(open, &asked, ending.receipt()?, &response).await?;
    let recorded_bytes_max = if recorded.shown { open.recorded_bytes_max } else { 0 };
    let tap = ending.tap(OutputStream::Output, recorded_bytes_max);
    let way = Way { fields, needles, is_head, tap };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if streams.as_ref().is_some_and(|streams| !streams.agrees(response.headers())) {
            let what = "goes on in another protocol than it was asked to";
            return Err(upstream_failed(what).into());
        }
        return match on_upgrade {
            Some(client) => Ok(upgrade::switch(open, client, response, ending, way, streams)),
            None => Err(upstream_failed("switched protocols, which nobody asked for").into()),
        };
    }
    Ok(answer::show(open.blame.clone(), response, way, ending).await?)
}

/// Why a request that was sent has no answer, and whose fault that is.
fn unanswered(open: &Open, error: SendError, ending: &mut Ending) -> Failed {
    if let Some(complaint) = open.line.as_ref().and_then(|line| line.complaint()) {
        ending.ended().status = String::from("broken off by its sender");
        let message = format!("portcullis: {}", complaint.because());
        let refusal = Refusal::new(RefusalKind::Unreadable, message);
        return Refused { refusal, status: Some(complaint.status()) }.into();
    }
    match error {
        SendError::Closed => {
            ending.ended().status = String::from("closed before it was sent");
            Failed::Gone
        }
        // Clients try again where nothing came, as they do without us.
        SendError::Failed(error) if is_gone(&error) => {
            tracing::info!(%error, "an upstream closed without an answer");
            ending.ended().status = String::from("no answer");
            Failed::Gone
        }
        SendError::Failed(error) => {
            tracing::warn!(%error, "an upstream did not answer");
            ending.ended().status = String::from("no answer");
            if is_malformed(&error) {
                open.blame.upstream("the upstream's answer is malformed");
            }
            upstream_failed("did not answer as it should").into()
        }
    }
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
            let is_common = !upgrades && wanted.is_empty();
            match is_common.then(|| open.again.find(parts)).flatten() {
                Some(asked) => Ok(asked),
                None => asked::within(parts, open.target_bytes_max)
                    .and_then(|()| Asked::read(parts, &open.place, upgrades, &wanted))
                    .inspect(|asked| {
                        if is_common {
                            open.again.keep(parts, asked);
                        }
                    }),
            }
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
    open.place.meaning.strip(&mut parts.headers);
    // The gateway itself has answered it.
    headers::take_one(&mut parts.headers, &header::EXPECT);
    let authority = authority(open, asked, parts);
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
    let meaning = open.place.meaning;
    let fields = open.desk.fields(receipt, &meaning.place(asked)).await?;
    Ok(fields.filter(|fields| fields.has_fields() || meaning.holds_values(asked)))
}

/// Has the meaning of the request see to it that its answer can be masked.
async fn suit(
    open: &Open,
    asked: &Asked,
    ending: &Ending,
    fields: Option<&FieldSet>,
    parts: &mut Parts,
) -> Result<(), Refusal> {
    let profile = Arc::clone(ending.receipt()?.masks());
    let masks = Masks { profile: &profile, fields };
    match open.place.meaning.prepare(asked, masks, &mut parts.headers) {
        Ok(()) => Ok(()),
        Err(refusal) => Err(open.desk.refuse(&asked.operation, refusal).await),
    }
}

/// Records what is sent, masked like what is shown: the record is no way around the masks.
fn sent_tap(
    open: &Open,
    ending: &Ending,
    recorded: Recorded,
    fields: Option<&Arc<FieldSet>>,
    parts: &Parts,
) -> Tap {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_coded = parts.headers.contains_key(header::CONTENT_ENCODING);
    let kind = kind.and_then(answer::kind_of).filter(|_| !is_coded);
    let masker = kind.zip(fields).map(|(kind, fields)| BodyMasker::new(kind, Arc::clone(fields)));
    let has_fields = fields.is_some_and(|fields| fields.has_fields());
    let unread = has_fields && matches!(kind, None | Some(BodyKind::Text));
    let bytes_max = if recorded.sent && !unread { open.recorded_bytes_max } else { 0 };
    ending.tap(OutputStream::Input, bytes_max).masked_by(masker)
}

/// The host as the client wrote it, with the port where it wrote one.
fn authority(open: &Open, asked: &Asked, parts: &Parts) -> String {
    if !open.place.meaning.has_hosts() {
        return open.place.authority(&asked.facts.host);
    }
    if let Some(authority) = parts.uri.authority() {
        return authority.as_str().to_owned();
    }
    match parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()) {
        Some(host) => host.to_owned(),
        None => open.place.authority(&asked.facts.host),
    }
}

/// Addresses the request as the upstream's version of the protocol does.
fn address(open: &Open, asked: &Asked, parts: &mut Parts, is_http2: bool) -> Result<(), Refusal> {
    let unaddressed = |_| upstream_failed("cannot be sent this request");
    let path = parts.uri.path_and_query().cloned();
    let mut uri = http::uri::Parts::default();
    uri.path_and_query = path;
    let authority = authority(open, asked, parts);
    if is_http2 {
        uri.scheme = Some(if open.place.is_encrypted {
            http::uri::Scheme::HTTPS
        } else {
            http::uri::Scheme::HTTP
        });
        uri.authority = Some(authority.parse().map_err(unaddressed)?);
        headers::take_one(&mut parts.headers, &header::HOST);
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
    let judged = open.desk.judge_answer(receipt, || asked.answered(response.status())).await;
    // Whatever was done is done: the workload is told that it may not see the answer.
    judged.map_err(Refused::from)
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
