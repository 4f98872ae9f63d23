//! A provider's keys, kept fresh.
//!
//! Owns the cache: when to ask again, how often, and how long the last good answer is believed
//! while the source fails. Must not know tokens. One request is under way at a time; while it is,
//! others use what is there. Holds no task: everything happens in the call that needs a key, so
//! it ends with its callers.

mod file;
mod https;
mod set;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use model::{Clock, Timestamp};
use parking_lot::Mutex;

use crate::tls::HttpsError;

pub use https::HttpsKeys;
pub(super) use set::VerifyingKey;
use set::{KeyLookup, KeySet};

use crate::files::Looks;

/// How long keys from an address are used before it is asked again.
const KEYS_FRESH: Duration = Duration::from_secs(300);
/// Least time between two requests, whatever tokens name: a flood of unknown key ids is not passed
/// on to the provider.
const ASK_INTERVAL_MIN: Duration = Duration::from_secs(10);
/// Bytes of a JWK set.
const JWKS_BYTES_MAX: usize = 256 * 1024;

/// Why a key is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The provider has no such key, as far as we could ask.
    #[error(
        "identity provider `{provider}` has no key `{key_id}` that can verify signatures{hint}"
    )]
    Unknown {
        /// The provider.
        provider: String,
        /// The key's id, printable and shortened.
        key_id: String,
        /// What failed at the last refresh, if something did.
        hint: String,
    },
    /// Its keys have never been read, or too long ago.
    #[error("the keys of identity provider `{provider}` are not to be had: {because}")]
    Unavailable {
        /// The provider.
        provider: String,
        /// What failed.
        because: String,
    },
}

/// Why a JWK set could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Their address gives no answer.
    #[error(transparent)]
    Https(#[from] HttpsError),
    /// What was found is no JWK set.
    #[error("{0}")]
    Answer(String),
    /// A file cannot be read.
    #[error("{}: {because}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        because: String,
    },
}

/// Gets the text of a JWK set; the network in the daemon, something exact in tests.
pub trait FetchKeys: Send + Sync + std::fmt::Debug {
    /// The text of the JWK set.
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, FetchError>>;
}

/// Where keys come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// A file, looked at on every use.
    File(PathBuf),
    /// Somebody who must be asked.
    Asked(Arc<dyn FetchKeys>),
}

/// A provider's keys.
#[derive(Debug)]
pub(super) struct Keys {
    provider: String,
    origin: Origin,
    believed: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Counts changes of the set of keys, for whoever verified with an earlier one.
    generation: AtomicU64,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When the keys were last read or confirmed.
    good_at: Timestamp,
    /// When the source was last asked.
    asked_at: Option<Timestamp>,
    /// What went wrong then.
    failure: Option<FetchError>,
    /// How the file looked when it was last read.
    file: Option<Looks>,
}

impl Keys {
    pub(super) fn new(
        provider: String,
        origin: Origin,
        believed: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            provider,
            origin,
            believed,
            clock,
            state: Mutex::default(),
            generation: AtomicU64::new(0),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Grows when the set of keys changes.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The key with an id, and the generation that it is of.
    pub(super) async fn key(&self, key_id: &str) -> Result<(Arc<VerifyingKey>, u64), KeyError> {
        self.refresh(false).await;
        if let Some(key) = self.known(key_id)? {
            return Ok(key);
        }
        // Perhaps the provider has rotated its keys since.
        self.refresh(true).await;
        self.known(key_id)?.ok_or_else(|| self.unknown(key_id))
    }

    /// The key among those that are believed now.
    fn known(&self, key_id: &str) -> Result<Option<(Arc<VerifyingKey>, u64)>, KeyError> {
        let state = self.state.lock();
        let unavailable =
            |because: String| KeyError::Unavailable { provider: self.provider.clone(), because };
        let failure = || match &state.failure {
            Some(failure) => failure.to_string(),
            None => String::from("they have not been read yet"),
        };
        let Some(keys) = &state.keys else { return Err(unavailable(failure())) };
        if self.clock.now().since(state.good_at) > self.believed {
            return Err(unavailable(format!("the last good ones are too old; {}", failure())));
        }
        match keys.find(key_id) {
            // The number changes under the lock that is held here.
            KeyLookup::One(key) => Ok(Some((key, self.generation()))),
            KeyLookup::None => Ok(None),
            KeyLookup::Several => {
                Err(unavailable(String::from("two of them have the same id, which proves nothing")))
            }
        }
    }

    fn unknown(&self, key_id: &str) -> KeyError {
        let failure = self.state.lock().failure.as_ref().map(ToString::to_string);
        KeyError::Unknown {
            provider: self.provider.clone(),
            key_id: key_id.chars().filter(|c| !c.is_control()).take(64).collect(),
            hint: failure.map(|text| format!(" (refresh failed: {text})")).unwrap_or_default(),
        }
    }

    /// Asks the source again where that is due, though no key is wanted.
    pub(super) async fn keep_fresh(&self) {
        self.refresh(false).await;
    }

    /// Asks the source again where that is due. `missing`: a key is wanted that is not there.
    async fn refresh(&self, missing: bool) {
        match &self.origin {
            Origin::File(path) => self.refresh_file(path).await,
            Origin::Asked(source) => self.refresh_asked(source.as_ref(), missing).await,
        }
    }

    async fn refresh_file(&self, path: &std::path::Path) {
        let known = self.state.lock().file;
        let now = self.clock.now();
        match file::read_if_changed(path.to_owned(), known).await {
            Ok(None) => {
                let mut state = self.state.lock();
                if state.failure.is_none() {
                    state.good_at = now;
                }
            }
            Ok(Some((looks, text))) => {
                self.take(KeySet::parse(&text), now);
                self.state.lock().file = Some(looks);
            }
            Err(error) => self.take(Err(error), now),
        }
    }

    async fn refresh_asked(&self, source: &dyn FetchKeys, missing: bool) {
        let Ok(_asking) = self.asking.try_lock() else {
            // Somebody asks already. Their answer is ours: whoever lacks a key waits for it,
            // others go on with the keys there are.
            if missing || self.state.lock().keys.is_none() {
                let _answered = self.asking.lock().await;
            }
            return;
        };
        if !self.due(missing) {
            return;
        }
        let asked_at = self.clock.now();
        self.state.lock().asked_at = Some(asked_at);
        let answer = source.fetch().await.and_then(|text| KeySet::parse(&text));
        self.take(answer, asked_at);
    }

    fn due(&self, missing: bool) -> bool {
        let now = self.clock.now();
        let state = self.state.lock();
        let rested = state.asked_at.is_none_or(|asked| now.since(asked) >= ASK_INTERVAL_MIN);
        let stale = state.keys.is_none() || now.since(state.good_at) >= KEYS_FRESH;
        rested && (missing || stale)
    }

    /// Takes in what the source said; a failure leaves the last good keys.
    fn take(&self, answer: Result<KeySet, FetchError>, at: Timestamp) {
        let mut state = self.state.lock();
        match answer {
            Ok(keys) => {
                if state.keys.as_deref() != Some(&keys) {
                    let (provider, count) = (&self.provider, keys.len());
                    tracing::info!(%provider, count, "identity provider keys read");
                    state.keys = Some(Arc::new(keys));
                    self.generation.fetch_add(1, Ordering::AcqRel);
                }
                state.good_at = at;
                state.failure = None;
            }
            Err(error) => {
                if state.failure.as_ref() != Some(&error) {
                    tracing::warn!(provider = %self.provider, %error, "identity provider keys not read");
                }
                state.failure = Some(error);
            }
        }
    }
}

/// The key with an id in the text of a set.
#[cfg(test)]
pub(super) fn key_for_tests(jwks: &str, key_id: &str) -> Option<Arc<VerifyingKey>> {
    match KeySet::parse(jwks.as_bytes()).unwrap().find(key_id) {
        KeyLookup::One(key) => Some(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
