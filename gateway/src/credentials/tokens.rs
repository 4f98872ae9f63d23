//! Tokens that are fetched with a client's own credentials (RFC 6749 section 4.4).
//!
//! Owns the tokens in use and when to fetch anew. Must not know who uses them. For one client one
//! request is under way at a time; those who need its token wait for it. A provider that fails is
//! not asked again at once. A token is wiped when the last holder drops it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Clock, HttpCredential, Secret, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;

use crate::tls::{DialHost, HttpsAddress, HttpsError};

/// Bytes of a provider's answer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A token is not used in the last moments of its life, nor is it known how long it travels.
const RENEWED_BEFORE: Duration = Duration::from_secs(30);
/// How long a token is used whose provider does not say.
const LIVES_BY_DEFAULT: Duration = Duration::from_secs(300);
/// How long a provider that failed is left alone.
const FAILURE_STANDS_FOR: Duration = Duration::from_secs(2);
/// Clients remembered; one for each target, so this is never reached.
const CLIENTS_MAX: usize = 4_096;

/// Why there is no token. The texts name the provider, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The provider could not be asked, or refused.
    #[error("the token provider gives no token: {0}")]
    Provider(#[from] HttpsError),
    /// It answered something else.
    #[error("the token provider's answer is no bearer token: {0}")]
    Answer(&'static str),
    /// The credential is of another kind.
    #[error("this credential is not one that is fetched")]
    Kind,
    /// It failed a moment ago.
    #[error("the token provider failed a moment ago: {0}")]
    Lately(String),
}

/// What makes a token another one.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Client {
    token_url: String,
    client_id: String,
    scopes: Vec<String>,
    audience: Option<String>,
}

#[derive(Default)]
struct Slot {
    token: Option<(Secret<String>, Timestamp)>,
    failed: Option<(Timestamp, String)>,
}

/// The tokens in use.
pub struct Tokens {
    dialer: Arc<dyn DialHost>,
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<Client, Arc<tokio::sync::Mutex<Slot>>>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

impl Tokens {
    /// None yet.
    #[must_use]
    pub fn new(dialer: Arc<dyn DialHost>, clock: Arc<dyn Clock>) -> Self {
        Self { dialer, clock, slots: Mutex::default() }
    }

    /// The token of now for a credential of the kind `oauth2`.
    ///
    /// # Errors
    /// Where the provider gives none.
    pub async fn token(
        &self,
        credential: &HttpCredential<Secret<String>>,
    ) -> Result<Secret<String>, TokenError> {
        let HttpCredential::OAuth2 { token_url, client_id, scopes, audience, .. } = credential
        else {
            return Err(TokenError::Kind);
        };
        let client = Client {
            token_url: token_url.clone(),
            client_id: client_id.clone(),
            scopes: scopes.clone(),
            audience: audience.clone(),
        };
        let slot = self.slot(client);
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some((token, until)) = &slot.token
            && now < *until
        {
            return Ok(token.clone());
        }
        if let Some((at, because)) = &slot.failed
            && now.since(*at) < FAILURE_STANDS_FOR
        {
            return Err(TokenError::Lately(because.clone()));
        }
        match self.fetch(credential).await {
            Ok((token, lives)) => {
                let until = self.clock.now().after(lives.saturating_sub(RENEWED_BEFORE));
                *slot = Slot { token: Some((token.clone(), until)), failed: None };
                Ok(token)
            }
            Err(error) => {
                slot.failed = Some((self.clock.now(), error.to_string()));
                Err(error)
            }
        }
    }

    fn slot(&self, client: Client) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock();
        if slots.len() >= CLIENTS_MAX && !slots.contains_key(&client) {
            slots.clear();
        }
        Arc::clone(slots.entry(client).or_default())
    }

    async fn fetch(
        &self,
        credential: &HttpCredential<Secret<String>>,
    ) -> Result<(Secret<String>, Duration), TokenError> {
        let HttpCredential::OAuth2 { token_url, client_id, client_secret, scopes, audience, ca } =
            credential
        else {
            return Err(TokenError::Kind);
        };
        let address = HttpsAddress::new(token_url, ca.clone(), Arc::clone(&self.dialer))?;
        let mut form = String::from("grant_type=client_credentials");
        for (name, value) in [("scope", Some(scopes.join(" "))), ("audience", audience.clone())] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                form.push_str(&format!("&{name}={}", encoded(&value)));
            }
        }
        // Both are encoded before they are joined (RFC 6749 section 2.3.1).
        let pair = Secret::new(format!(
            "{}:{}",
            encoded(client_id),
            encoded(client_secret.expose().trim_end())
        ));
        let basic = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
        let mut authorization = http::HeaderValue::from_str(basic.expose())
            .map_err(|_| TokenError::Answer("the client's secret cannot be sent"))?;
        authorization.set_sensitive(true);
        let answer = address.post_form(form, Some(authorization), ANSWER_BYTES_MAX).await?;
        let answer = Secret::new(answer);
        let read: Answer = serde_json::from_slice(answer.expose())
            .map_err(|_| TokenError::Answer("it has no access_token and token_type"))?;
        if !read.token_type.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::Answer("its token_type is not Bearer"));
        }
        let lives = read.expires_in.map_or(LIVES_BY_DEFAULT, Duration::from_secs);
        Ok((Secret::new(read.access_token), lives))
    }
}

/// `application/x-www-form-urlencoded`.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push('+');
        } else if write!(out, "%{byte:02X}").is_err() {
            break;
        }
    }
    out
}
