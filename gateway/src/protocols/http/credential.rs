//! What the gateway logs in with, put into each request.
//!
//! Owns the place of each kind of credential in a request, and taking the workload's own out. Must
//! not know where a secret is kept. Lives as long as the connection; a token that is fetched is
//! asked for anew with every request, which is cheap while it is good.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use model::{Clock, HttpCredential, Secret};

use super::scrub::Needles;
use super::signature::{self, Signer};
use super::{address, headers};
use crate::session::{Refusal, RefusalKind, Tokens};

/// What one connection logs in with.
pub(super) struct Login {
    kind: HttpCredential<Secret<String>>,
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
    needles: Arc<Needles>,
    /// What is put into every request, where that is always the same field.
    field: Option<Result<(HeaderName, HeaderValue), Refusal>>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// Whether the credential is where the request asks for it.
fn unusable(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Upstream, format!("portcullis: the credential of this target {what}"))
        .with_hint("Operator: see the daemon's log for the whole story.")
}

impl Login {
    /// With a credential of the target's.
    pub(super) fn new(
        kind: HttpCredential<Secret<String>>,
        tokens: Arc<Tokens>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut needles = Needles::default();
        match &kind {
            HttpCredential::None | HttpCredential::Aws { session_token: None, .. } => {}
            HttpCredential::Bearer(secret)
            | HttpCredential::Header { value: secret, .. }
            | HttpCredential::Query { value: secret, .. }
            | HttpCredential::OAuth2 { client_secret: secret, .. }
            | HttpCredential::Aws { session_token: Some(secret), .. } => {
                needles.add(secret.expose().trim_end().as_bytes());
            }
            HttpCredential::Basic { user, password } => {
                needles.add(password.expose().trim_end().as_bytes());
                needles.add(basic(user, password).expose().as_bytes());
            }
        }
        if let HttpCredential::Query { value, .. } = &kind {
            needles.add(encode_query(value.expose().trim_end()).as_bytes());
        }
        let field = match &kind {
            HttpCredential::Bearer(token) => Some(bearer(token)),
            HttpCredential::Basic { user, password } => {
                let value = Secret::new(format!("Basic {}", basic(user, password).expose()));
                Some(field(header::AUTHORIZATION, &value))
            }
            HttpCredential::Header { name, value } => Some(
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| unusable("has no header name"))
                    .and_then(|name| field(name, value)),
            ),
            _ => None,
        };
        Self { kind, tokens, clock, needles: Arc::new(needles), field }
    }

    /// What it is.
    pub(super) const fn kind(&self) -> &HttpCredential<Secret<String>> {
        &self.kind
    }

    /// Whether there is one at all.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self.kind, HttpCredential::None)
    }

    /// What must not come back. Tokens that are fetched come and go: `of` has the one in use.
    pub(super) fn needles(&self, of: &Given) -> Arc<Needles> {
        match &of.token {
            None => Arc::clone(&self.needles),
            Some(token) => {
                let mut needles = Needles::default();
                needles.add(token.expose().as_bytes());
                Arc::new(needles)
            }
        }
    }

    /// Takes the workload's own credential out of a request and puts the gateway's in.
    ///
    /// # Errors
    /// Where it is not to be had now, or cannot be put in.
    pub(super) async fn put(
        &self,
        parts: &mut Parts,
        signer: Signer<'_>,
    ) -> Result<Given, Refusal> {
        let mut given = Given::default();
        if self.is_none() {
            return Ok(given);
        }
        headers::take_login(&mut parts.headers);
        if let Some(field) = &self.field {
            let (name, value) = field.clone()?;
            headers::take_others(&mut parts.headers, &name);
            parts.headers.insert(name, value);
        }
        match &self.kind {
            HttpCredential::None
            | HttpCredential::Bearer(_)
            | HttpCredential::Basic { .. }
            | HttpCredential::Header { .. } => {}
            HttpCredential::Query { name, value } => put_query(parts, name, value)?,
            HttpCredential::Aws { .. } => {
                let now = self.clock.now();
                signature::sign(parts, &self.kind, signer, now)
                    .map_err(|because| unusable(&format!("cannot sign: {because}")))?;
            }
            HttpCredential::OAuth2 { .. } => {
                let token = self.tokens.token(&self.kind).await.map_err(|error| {
                    tracing::warn!(%error, "no token for an upstream");
                    unusable("cannot be fetched")
                })?;
                let (name, value) = bearer(&token)?;
                parts.headers.insert(name, value);
                given.token = Some(token);
            }
        }
        Ok(given)
    }
}

/// What was put into one request, beyond what is always the same.
#[derive(Debug, Default)]
pub(super) struct Given {
    token: Option<Secret<String>>,
}

fn basic(user: &str, password: &Secret<String>) -> Secret<String> {
    let pair = Secret::new(format!("{user}:{}", password.expose().trim_end()));
    Secret::new(STANDARD.encode(pair.expose()))
}

fn bearer(token: &Secret<String>) -> Result<(HeaderName, HeaderValue), Refusal> {
    let value = Secret::new(format!("Bearer {}", token.expose().trim_end()));
    field(header::AUTHORIZATION, &value)
}

fn field(name: HeaderName, value: &Secret<String>) -> Result<(HeaderName, HeaderValue), Refusal> {
    let mut value = HeaderValue::from_str(value.expose().trim_end())
        .map_err(|_| unusable("holds what no header can"))?;
    // Kept out of tables of compressed headers, and of what is shown when one is debugged.
    value.set_sensitive(true);
    Ok((name, value))
}

/// Puts a name into the query, in the place of any that the workload gave it.
fn put_query(parts: &mut Parts, name: &str, value: &Secret<String>) -> Result<(), Refusal> {
    let sent = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
    let mut kept: Vec<String> = query
        .split('&')
        .filter(|part| {
            let given = part.split('=').next().unwrap_or_default();
            !part.is_empty() && decoded(given) != name
        })
        .map(ToOwned::to_owned)
        .collect();
    kept.push(format!("{}={}", encode_query(name), encode_query(value.expose().trim_end())));
    let joined = format!("{path}?{}", kept.join("&"));
    address::replace(parts, joined.into_bytes())
        .map_err(|_| unusable("cannot be put into the query"))
}

/// A query's name, decoded as servers do.
fn decoded(name: &str) -> String {
    let sent = format!("/?{name}");
    let read = wire::http::Target::read(&sent, wire::http::Slashes::Opaque);
    read.ok()
        .and_then(|target| target.query.first().map(|(name, _)| name.to_string()))
        .unwrap_or_default()
}

/// Encodes all but what is never anything else.
fn encode_query(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else if write!(out, "%{byte:02X}").is_err() {
            break;
        }
    }
    out
}
