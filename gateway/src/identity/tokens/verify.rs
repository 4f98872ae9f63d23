//! Verification of one token (JWS compact form, RFC 7515 and 7519; advice of RFC 8725).
//!
//! Owns the rules and their order. Must not know where the token or the keys came from. The
//! algorithm comes from the key and the configuration, never from the header: the header may only
//! agree. Time is told, not asked for.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};
use model::{Group, Timestamp, TokenSubject};
use serde_json::{Map, Value};

use super::claims::{ClaimsError, GroupsClaim};
use super::jwks::VerifyingKey;
use super::{TOKEN_BYTES_MAX, timestamp_of};

/// Bytes of `sub`. Raised, every audit line can grow by as much.
const SUBJECT_BYTES_MAX: usize = 512;

/// Why a token is not valid. The texts hold nothing of the token but its claims' names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is not three parts of base64url with a header we can read, or too long.
    #[error("it is not a signed JWT: {0}")]
    Malformed(&'static str),
    /// The header asks for something that is never done.
    #[error("its header has `{0}`, which is not accepted")]
    Header(&'static str),
    /// The header's algorithm is not one that this key has and the provider's settings allow.
    #[error("its algorithm {0} is not one that its key and the provider's settings allow")]
    Algorithm(String),
    /// The signature is not the key's.
    #[error("its signature is not that of the provider's key")]
    Signature,
    /// Another issuer.
    #[error("its issuer (`iss`) is not the provider's")]
    Issuer,
    /// For somebody else.
    #[error("it is for another audience (`aud`)")]
    Audience,
    /// No longer.
    #[error("it expired (`exp`) at {}", shown(*.0))]
    Expired(Timestamp),
    /// Not yet.
    #[error("it is not valid yet (`{0}`)")]
    NotYet(&'static str),
    /// A claim is missing or of the wrong kind.
    #[error("its claim `{0}` is missing or not as RFC 7519 says")]
    Claim(&'static str),
    /// The groups cannot be read.
    #[error(transparent)]
    Groups(#[from] ClaimsError),
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Issuer, subject and end.
    pub subject: TokenSubject,
    /// The groups; none where the claim is missing.
    pub groups: BTreeSet<Group>,
    /// The `jti` claim.
    pub id: Option<String>,
}

/// What a provider's tokens must be.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) groups: GroupsClaim,
    pub(super) algorithms: HashSet<jsonwebtoken::Algorithm>,
    pub(super) leeway: Duration,
}

/// A token whose header was looked at; nothing of it is believed yet.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    text: &'a str,
    header: Header,
    pub(super) key_id: String,
}

impl<'a> Unverified<'a> {
    /// Looks at the header.
    pub(super) fn read(text: &'a str) -> Result<Self, InvalidToken> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(InvalidToken::Malformed("it is too long"));
        }
        if memchr::memchr_iter(b'.', text.as_bytes()).count() != 2 {
            return Err(InvalidToken::Malformed("it has not three parts"));
        }
        // An unknown `alg`, `none` among them, is an error here already.
        let header = jsonwebtoken::decode_header(text)
            .map_err(|_| InvalidToken::Malformed("its header cannot be read"))?;
        refuse_header(&header)?;
        let key_id = header.kid.clone().filter(|kid| !kid.is_empty() && kid.len() <= 512);
        let key_id = key_id.ok_or(InvalidToken::Malformed("its header names no key (`kid`)"))?;
        Ok(Self { text, header, key_id })
    }

    /// Verifies it with the key that its header names, at a moment.
    pub(super) fn verify(
        &self,
        key: &VerifyingKey,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<VerifiedToken, InvalidToken> {
        let allowed: Vec<_> = key
            .algorithms()
            .iter()
            .copied()
            .filter(|algorithm| rules.algorithms.contains(algorithm))
            .collect();
        if !allowed.contains(&self.header.alg) {
            return Err(InvalidToken::Algorithm(format!("{:?}", self.header.alg)));
        }
        let claims = self.signed_claims(key, allowed)?;
        check_claims(&claims, rules, now)
    }

    /// The claims, once the signature holds. Claims are judged by us, with the time we are told.
    fn signed_claims(
        &self,
        key: &VerifyingKey,
        algorithms: Vec<jsonwebtoken::Algorithm>,
    ) -> Result<Map<String, Value>, InvalidToken> {
        let validation = Validation {
            algorithms,
            required_spec_claims: HashSet::new(),
            validate_exp: false,
            validate_nbf: false,
            validate_aud: false,
            ..Validation::default()
        };
        jsonwebtoken::decode::<Map<String, Value>>(self.text, key.decoding_key(), &validation)
            .map(|verified| verified.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::Json(_) | ErrorKind::Utf8(_) => {
                    InvalidToken::Malformed("its claims are not a JSON object")
                }
                ErrorKind::InvalidAlgorithm => {
                    InvalidToken::Algorithm(format!("{:?}", self.header.alg))
                }
                _ => InvalidToken::Signature,
            })
    }
}

/// Whoever could choose where keys come from, or what must be understood, would choose.
fn refuse_header(header: &Header) -> Result<(), InvalidToken> {
    let refused = [
        ("crit", header.crit.is_some()),
        ("jku", header.jku.is_some()),
        ("x5u", header.x5u.is_some()),
        ("jwk", header.jwk.is_some()),
        ("enc", header.enc.is_some()),
        ("zip", header.zip.is_some()),
        ("b64", header.extras.inner().contains_key("b64")),
    ];
    if let Some((name, _)) = refused.iter().find(|(_, present)| *present) {
        return Err(InvalidToken::Header(name));
    }
    // Other kinds of JWT (logout tokens, DPoP proofs, ...) name themselves; they are no access.
    let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    if !matches!(kind, "jwt" | "at+jwt" | "jose") {
        return Err(InvalidToken::Header("typ"));
    }
    Ok(())
}

fn check_claims(
    claims: &Map<String, Value>,
    rules: &Rules,
    now: Timestamp,
) -> Result<VerifiedToken, InvalidToken> {
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or(InvalidToken::Claim("iss"))?;
    if issuer != rules.issuer {
        return Err(InvalidToken::Issuer);
    }
    check_audience(claims.get("aud"), &rules.audiences)?;
    let expires_at = date(claims, "exp")?.ok_or(InvalidToken::Claim("exp"))?;
    if now >= expires_at.after(rules.leeway) {
        return Err(InvalidToken::Expired(expires_at));
    }
    for name in ["nbf", "iat"] {
        if date(claims, name)?.is_some_and(|begins| begins > now.after(rules.leeway)) {
            return Err(InvalidToken::NotYet(name));
        }
    }
    let subject = claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|sub| !sub.is_empty() && sub.len() <= SUBJECT_BYTES_MAX)
        .filter(|sub| !sub.chars().any(char::is_control))
        .ok_or(InvalidToken::Claim("sub"))?;
    let id = match claims.get("jti") {
        None => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(InvalidToken::Claim("jti")),
    };
    let groups = rules.groups.groups_in(claims)?;
    let subject =
        TokenSubject { issuer: issuer.to_owned(), subject: subject.to_owned(), expires_at };
    Ok(VerifiedToken { subject, groups, id })
}

/// A moment for people, as RFC 3339 writes it.
fn shown(moment: Timestamp) -> String {
    let seconds = i64::try_from(moment.as_seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| String::from("a time beyond the calendar"), |moment| moment.to_string())
}

/// One text or a list of texts, RFC 7519 section 4.1.3.
fn check_audience(claim: Option<&Value>, audiences: &[String]) -> Result<(), InvalidToken> {
    let is_ours = |value: &Value| {
        let value = value.as_str().ok_or(InvalidToken::Claim("aud"))?;
        Ok(audiences.iter().any(|audience| audience == value))
    };
    let ours = match claim {
        Some(one @ Value::String(_)) => is_ours(one)?,
        Some(Value::Array(many)) => {
            let each: Result<Vec<bool>, InvalidToken> = many.iter().map(is_ours).collect();
            each?.contains(&true)
        }
        _ => return Err(InvalidToken::Claim("aud")),
    };
    if ours { Ok(()) } else { Err(InvalidToken::Audience) }
}

/// A `NumericDate`; `None` where the claim is missing.
fn date(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, InvalidToken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().ok_or(InvalidToken::Claim(name))?;
    timestamp_of(seconds).map(Some).ok_or(InvalidToken::Claim(name))
}

#[cfg(test)]
mod tests;
