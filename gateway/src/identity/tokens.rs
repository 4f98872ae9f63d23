//! Tokens: from a file that the workload has to a verified subject with its groups.
//!
//! Owns identity providers, their keys, verification, and the rule that a token belongs to the
//! workload that it came from. Must not know roles or targets. Keys and presenters outlive a
//! reload of the configuration; everything else ends with it.

mod claims;
mod jwks;
mod lease;
mod presenters;
mod provider;
mod source;
#[cfg(test)]
pub(crate) mod testing;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use model::Timestamp;

pub use claims::{ClaimsError, GroupsClaim};
pub use jwks::{FetchError, FetchKeys, HttpsKeys, KeyError};
pub use lease::{Standing, TokenLease};
pub use presenters::{PresenterError, Presenters};
pub use provider::{Provider, Providers};
pub use source::SourceError;
pub(super) use source::{TokenFile, Vantage, read_token};
pub use verify::{InvalidToken, VerifiedToken};

/// Longest token read. Raised, a workload can make us read and hash more per connection.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Greatest clock difference that is forgiven between us and a provider.
pub const LEEWAY_MAX: Duration = Duration::from_secs(60);

/// How long a provider's last good keys are used while their source fails, unless the settings
/// say otherwise; then its tokens are refused.
pub const KEYS_BELIEVED: Duration = Duration::from_secs(24 * 3_600);

/// An identity provider as the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its name, unique.
    pub name: String,
    /// The `iss` that its tokens must have, compared as text.
    pub issuer: String,
    /// One of these must be in the token's `aud`.
    pub audiences: Vec<String>,
    /// Where the groups are: a claim (`groups`) or a path into one (`realm_access.roles`).
    pub groups_claim: String,
    /// Where its keys are.
    pub jwks: JwksSource,
    /// Signature algorithms that are accepted (`RS256`, `ES256`, `EdDSA`, ...); none given means
    /// every asymmetric one.
    pub algorithms: Vec<String>,
    /// Clock difference that is forgiven, at most [`LEEWAY_MAX`].
    pub leeway: Duration,
    /// How long the last good keys are used while their source fails; [`KEYS_BELIEVED`] unless
    /// there is reason for another.
    pub keys_believed: Duration,
}

/// Where a provider's keys are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JwksSource {
    /// A file with a JWK set; read again when it changes.
    File(PathBuf),
    /// An `https` address of a JWK set.
    Url {
        /// The address.
        url: String,
        /// Certificates to trust instead of the platform's.
        ca_file: Option<PathBuf>,
    },
}

/// A workload's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// The name of the provider that must have issued it.
    pub provider: String,
    /// Where it is.
    pub source: TokenSource,
}

/// Where a workload's token is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TokenSource {
    /// A path as the workload sees it: looked up in its root and mount namespace, and read with
    /// no more rights than its user has.
    WorkloadFile(PathBuf),
    /// A path on the host, read by the daemon.
    HostFile(PathBuf),
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity provider `{provider}`, {key}: {reason}; {remedy}")]
pub struct ProviderError {
    /// The provider.
    pub provider: String,
    /// The key within it.
    pub key: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Why a workload that needs a token has no principal.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefusal {
    /// The configuration names no such provider.
    #[error("there is no identity provider `{0}`")]
    NoProvider(String),
    /// The token could not be read.
    #[error("the token cannot be read: {0}")]
    Source(#[from] SourceError),
    /// The provider's keys are not to be had.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The token is not valid.
    #[error("the token is not valid: {0}")]
    Invalid(#[from] InvalidToken),
    /// The token belongs to another workload.
    #[error(transparent)]
    Presenter(#[from] PresenterError),
}

/// From seconds of a `NumericDate` (RFC 7519 section 2) that may have a fraction.
fn timestamp_of(seconds: f64) -> Option<Timestamp> {
    // 2^53 microseconds: every date until the year 2255 exactly, and nothing that overflows.
    let micros = seconds * 1_000_000.0;
    if !(0.0..=9_007_199_254_740_992.0).contains(&micros) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked on the lines above"
    )]
    Some(Timestamp(micros as u64))
}
