//! Signatures of requests for AWS and what speaks like it (Signature Version 4).
//!
//! Owns what is signed. Must not know where the key is kept. What the workload signed with whatever
//! key it had is taken out and signed anew.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign as sign_request,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::HeaderName;
use http::request::Parts;
use http::uri::PathAndQuery;
use model::{HttpCredential, Secret, Timestamp};

const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// What stands for the body's hash where the body is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNSIGNED_WITH_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// Names of a query that are a signature in an address.
const PRESIGNED: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// What a signature needs beside the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer<'a> {
    /// `https` or `http`.
    pub(super) scheme: &'static str,
    /// The host, with its port where it has one.
    pub(super) authority: &'a str,
    /// The body, where it was read.
    pub(super) body: Option<&'a Bytes>,
}

/// Whether the body must be read to be signed: it is signed everywhere but at S3, where a hash that
/// the client gives will do, or none.
pub(super) fn needs_body(credential: Option<&str>, parts: &Parts) -> bool {
    credential.is_some_and(|service| service != "s3") && given_hash(parts).is_none()
}

/// The hash that the client says its body has; the upstream compares it.
fn given_hash(parts: &Parts) -> Option<&str> {
    let given = parts.headers.get(CONTENT_SHA256)?.to_str().ok()?;
    let is_hash = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash || given == UNSIGNED || given == UNSIGNED_WITH_TRAILER).then_some(given)
}

/// Signs a request.
///
/// # Errors
/// Why it cannot be signed, for people.
pub(super) fn sign(
    parts: &mut Parts,
    credential: &HttpCredential<Secret<String>>,
    signer: Signer<'_>,
    now: Timestamp,
) -> Result<(), String> {
    let HttpCredential::Aws { access_key_id, secret_access_key, session_token, region, service } =
        credential
    else {
        return Err(String::from("it is no key of AWS"));
    };
    let is_s3 = service == "s3";
    let streams = parts
        .headers
        .get(CONTENT_SHA256)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|given| given.starts_with("STREAMING-AWS4"));
    if streams {
        return Err(String::from(
            "each chunk of the body is signed with the workload's key; \
             set payload_signing_enabled = false in its S3 configuration",
        ));
    }
    let hash = given_hash(parts).map(ToOwned::to_owned);
    strip(parts)?;
    let mut settings = SigningSettings::default();
    if is_s3 {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let identity = Credentials::new(
        access_key_id.as_str(),
        secret_access_key.expose().trim_end(),
        session_token.as_ref().map(|token| token.expose().trim_end().to_owned()),
        None,
        "portcullis",
    )
    .into();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_seconds());
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("{}://{}{path}", signer.scheme, signer.authority);
    let body = match (&hash, signer.body) {
        (Some(hash), _) => SignableBody::Precomputed(hash.clone()),
        (None, Some(body)) => SignableBody::Bytes(body),
        (None, None) if is_s3 => SignableBody::UnsignedPayload,
        (None, None) => SignableBody::Bytes(b""),
    };
    let names: Vec<(String, String)> = parts
        .headers
        .iter()
        .filter(|(name, _)| is_signed(name))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let pairs = names.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(parts.method.as_str(), uri, pairs, body)
        .map_err(|error| error.to_string())?;
    let (instructions, _signature) =
        sign_request(request, &params).map_err(|error| error.to_string())?.into_parts();
    let mut signed = http::Request::new(());
    *signed.method_mut() = parts.method.clone();
    *signed.uri_mut() = parts.uri.clone();
    *signed.headers_mut() = std::mem::take(&mut parts.headers);
    instructions.apply_to_request_http1x(&mut signed);
    parts.headers = std::mem::take(signed.headers_mut());
    Ok(())
}

/// What is signed: what a signature of AWS must cover, and nothing that is written on the way.
fn is_signed(name: &HeaderName) -> bool {
    let name = name.as_str();
    name == "content-type" || name == "content-md5" || name.starts_with("x-amz-")
}

/// Takes the workload's own signature out, wherever it stands.
fn strip(parts: &mut Parts) -> Result<(), String> {
    for name in ["x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        parts.headers.remove(name);
    }
    let sent = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let Some((path, query)) = sent.split_once('?') else { return Ok(()) };
    let kept: Vec<&str> = query.split('&').filter(|part| !is_presigned(part)).collect();
    if kept.len() == query.split('&').count() {
        return Ok(());
    }
    let kept = kept.join("&");
    let left = if kept.is_empty() { path.to_owned() } else { format!("{path}?{kept}") };
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(left.parse().map_err(|_| "its address cannot be written anew")?);
    parts.uri = http::Uri::from_parts(uri).map_err(|error| error.to_string())?;
    Ok(())
}

/// Whether a part of a query is of a signature that stands in the address ("presigned").
fn is_presigned(part: &str) -> bool {
    let name = part.split('=').next().unwrap_or_default();
    PRESIGNED.iter().any(|known| known.eq_ignore_ascii_case(name))
}
