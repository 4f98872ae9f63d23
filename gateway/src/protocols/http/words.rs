//! What people are told.
//!
//! Owns the answers of the gateway itself: problem details (RFC 9457), and trailers for gRPC. Must
//! not know why something is refused beyond the [`Refusal`].

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use super::body::AnswerBody;
use crate::session::{Refusal, RefusalKind};

/// Seconds after which it makes sense to ask again for what was not approved in time.
const RETRY_AFTER_SECONDS: u32 = 60;
/// gRPC's codes (`google.rpc.Code`).
const GRPC_PERMISSION_DENIED: u8 = 7;
const GRPC_UNAVAILABLE: u8 = 14;
const GRPC_INVALID_ARGUMENT: u8 = 3;

/// The status of a refusal.
pub(in crate::protocols) const fn status_of(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::Policy
        | RefusalKind::HoldRejected
        | RefusalKind::HoldCancelled
        | RefusalKind::Pinned => StatusCode::FORBIDDEN,
        RefusalKind::HoldExpired | RefusalKind::Ending | RefusalKind::Internal => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        RefusalKind::Unreadable => StatusCode::BAD_REQUEST,
        RefusalKind::Limit => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Masking | RefusalKind::Upstream => StatusCode::BAD_GATEWAY,
    }
}

/// What a refused request is answered with.
pub(super) fn refused(
    refusal: &Refusal,
    status: Option<StatusCode>,
    request: &str,
    is_grpc: bool,
) -> Response<AnswerBody> {
    let status = status.unwrap_or_else(|| status_of(refusal.kind));
    if is_grpc {
        return grpc(refusal, status, request);
    }
    let mut problem = json!({
        "type": format!("urn:portcullis:{}", word_of(refusal.kind)),
        "title": status.canonical_reason().unwrap_or("Refused"),
        "status": status.as_u16(),
        "detail": sentence(refusal),
        "request": request,
    });
    if let Some(members) = problem.as_object_mut() {
        if let Some(rule) = &refusal.rule {
            members.insert("rule".into(), json!(rule.to_string()));
        }
        if let Some(hint) = &refusal.hint {
            members.insert("hint".into(), json!(**hint));
        }
    }
    let body = format!("{problem:#}\n");
    let mut response = Response::new(AnswerBody::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if refusal.kind == RefusalKind::HoldExpired {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    }
    response
}

/// A refusal in one answer without a body, as gRPC wants it ("Trailers-Only").
fn grpc(refusal: &Refusal, status: StatusCode, request: &str) -> Response<AnswerBody> {
    let code = match status {
        StatusCode::FORBIDDEN => GRPC_PERMISSION_DENIED,
        StatusCode::BAD_REQUEST | StatusCode::MISDIRECTED_REQUEST => GRPC_INVALID_ARGUMENT,
        _ => GRPC_UNAVAILABLE,
    };
    let mut response = Response::new(AnswerBody::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", u16::from(code).into());
    let message = percent(&format!("{} (request {request})", sentence(refusal)));
    if let Ok(message) = HeaderValue::from_str(&message) {
        headers.insert("grpc-message", message);
    }
    response
}

/// What is refused and why, in one text.
pub(in crate::protocols) fn sentence(refusal: &Refusal) -> String {
    match &refusal.detail {
        Some(detail) => format!("{}. {detail}", refusal.message),
        None => refusal.message.to_string(),
    }
}

/// What `grpc-message` may hold: visible ASCII, everything else and `%` encoded.
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            out.push(char::from(byte));
        } else if write!(out, "%{byte:02X}").is_err() {
            break;
        }
    }
    out
}

const fn word_of(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Policy => "denied",
        RefusalKind::HoldRejected => "hold-rejected",
        RefusalKind::HoldExpired => "hold-expired",
        RefusalKind::HoldCancelled => "hold-cancelled",
        RefusalKind::Unreadable => "unreadable",
        RefusalKind::Masking => "masking",
        RefusalKind::Pinned => "pinned",
        RefusalKind::Limit => "limit",
        RefusalKind::Internal => "internal",
        RefusalKind::Upstream => "upstream",
        RefusalKind::Ending => "ending",
    }
}
