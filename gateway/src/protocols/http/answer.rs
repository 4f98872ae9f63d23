//! An upstream's answer on its way to the client.
//!
//! Owns what becomes of its head, and the choice of what its body goes through. Must not know how a
//! stage does its work (`body`), nor whether the answer may be shown. Fails closed: what should be
//! masked and cannot be is not shown.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::{Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};

use super::blame::Blame;
use super::body::{AnswerBody, Ending, Tap};
use super::coding::Decoder;
use super::headers;
use super::scrub::{Needles, Scrubber};
use super::stages::Stages;
use crate::session::{BodyKind, BodyMasker, FieldSet, OperationOutcome, Refusal, RefusalKind};

/// What an answer's body goes through.
pub(super) struct Way {
    pub(super) fields: Option<Arc<FieldSet>>,
    pub(super) needles: Arc<Needles>,
    pub(super) is_head: bool,
    pub(super) tap: Tap,
}

/// Shows it.
///
/// # Errors
/// The refusal, where it cannot be masked.
pub(super) async fn show(
    blame: Blame,
    response: Response<Incoming>,
    way: Way,
    mut ending: Ending,
) -> Result<Response<AnswerBody>, Refusal> {
    let (mut parts, body) = response.into_parts();
    let closes = has_close(&parts.headers);
    frame(&mut parts.headers)?;
    let is_empty = way.is_head || body.is_end_stream() || has_no_body(parts.status);
    let stages = if is_empty && !way.is_head {
        Stages::default()
    } else {
        match stages(&parts.headers, &way) {
            Ok(stages) => stages,
            Err(because) => {
                ending.not_shown();
                return Err(unshowable(because));
            }
        }
    };
    let said_length = parts.headers.contains_key(header::CONTENT_LENGTH);
    headers::take_from_answer(&mut parts.headers, stages.changes_bytes());
    if closes {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    scrub_headers(&mut parts.headers, &way.needles, &mut ending);
    let outcome = if parts.status.as_u16() < 400 {
        OperationOutcome::Completed
    } else {
        OperationOutcome::Failed
    };
    let mut stages = if is_empty { Stages::default() } else { stages };
    stages.needles = Arc::clone(&way.needles);
    // The answer begins in the version that the client speaks; the library sees to that.
    parts.version = Version::HTTP_11;
    let mut body = AnswerBody::shown(body, stages, way.tap, outcome, ending, blame);
    match body.read_short().await {
        Ok(Some(length)) if said_length => {
            parts.headers.insert(header::CONTENT_LENGTH, length.into());
        }
        Ok(_) => {}
        Err(error) => return Err(unshowable(error.to_string())),
    }
    Ok(Response::from_parts(parts, body))
}

fn unshowable(because: String) -> Refusal {
    let message = "portcullis: the answer cannot be masked, so it is not shown";
    Refusal::new(RefusalKind::Masking, message).because(because)
}

/// Takes out what the framing was, which the library has undone. Chunks count more than a length (RFC
/// 9112 6.3); of another coding only a part was undone.
fn frame(headers: &mut http::HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        let message = "portcullis: the upstream's answer has a coding that nobody asked for";
        return Err(Refusal::new(RefusalKind::Upstream, message));
    }
    headers::take_one(headers, &header::CONTENT_LENGTH);
    Ok(())
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
        return Ok(Stages { decoder, scrubber, ..Stages::default() });
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
    Ok(Stages { decoder, scrubber, masker, ..Stages::default() })
}

/// How a body of this type is read; `None` where it is not.
pub(super) fn kind_of(content_type: &str) -> Option<BodyKind> {
    let lower = content_type.to_ascii_lowercase();
    let mut charsets = lower
        .split("charset=")
        .skip(1)
        .map(|rest| rest.split(';').next().unwrap_or_default().trim().trim_matches('"'));
    // Other character sets write the same letters otherwise.
    if !charsets
        .all(|set| matches!(set, "utf-8" | "utf8" | "us-ascii" | "ascii" | "iso-8859-1" | "latin1"))
    {
        return None;
    }
    Some(match lower.split(';').next().unwrap_or_default().trim() {
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
pub(super) fn scrub_headers(headers: &mut http::HeaderMap, needles: &Needles, ending: &mut Ending) {
    ending.ended().masked_values += star_fields(headers, needles);
}

/// The same, and says how often it did.
pub(super) fn star_fields(headers: &mut http::HeaderMap, needles: &Needles) -> u64 {
    if needles.is_empty() {
        return 0;
    }
    let mut found = 0;
    for value in headers.values_mut() {
        if needles.touch(value.as_bytes()) {
            let mut bytes = value.as_bytes().to_vec();
            found += needles.star(&mut bytes);
            *value =
                HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("***"));
        }
    }
    found
}

fn has_close(headers: &http::HeaderMap) -> bool {
    headers::tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close"))
}

fn has_no_body(status: StatusCode) -> bool {
    status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}
