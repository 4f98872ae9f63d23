//! The login at the target.
//!
//! Owns the client leg of the SSH library: whom it trusts, what it logs in with, which algorithms
//! it prefers. Must not know a channel of the workload's. Nothing is sent to an upstream whose host
//! key is not known. Ends with [`LoggedIn`]: dropping its handle ends the connection.
//!
//! ```text
//!  connect ─▶ key exchange ─▶ verdict on the host key ─▶ certificate | key | password ─▶ LoggedIn
//! ```

mod authentication;
mod banner;
mod below;
mod preferences;
mod signing;

use std::sync::Arc;

use russh::client;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use banner::Banner;
pub(super) use below::{Below, OpenedBelow, OpenedFor};
use signing::KeyError;

use super::fault::Fault;
use crate::session::{HostKeyError, Refusal, RefusalKind, Session, Upstream};

/// Channels that the upstream has opened and nobody has looked at yet. More are rejected.
const OPENED_WAITING_MAX: usize = 32;

/// The way to an upstream that is logged in to.
pub(super) type UpstreamHandle = client::Handle<Below>;

/// An upstream that is logged in to.
pub(super) struct LoggedIn {
    /// The way to it.
    pub(super) handle: UpstreamHandle,
    /// Cancelled when it is gone.
    pub(super) gone: CancellationToken,
    /// What is wrong with it, once something is.
    pub(super) fault: Fault,
    /// Channels that it opens: forwarded connections, agents, X11.
    pub(super) opened: mpsc::Receiver<OpenedBelow>,
    /// What it has its users read when they log in.
    pub(super) banner: Option<String>,
}

impl std::fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedIn").field("gone", &self.gone).finish_non_exhaustive()
    }
}

/// Why there is no login. The texts are for the operator; none holds a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginError {
    /// The upstream is not who it should be, or that cannot be told.
    #[error("{0}")]
    HostKey(#[from] HostKeyError),
    /// There is nothing to log in with.
    #[error("the target's credential has neither a private key nor a password")]
    NoCredential,
    /// The private key or its certificate cannot be used.
    #[error("the target's {0}")]
    Key(#[from] KeyError),
    /// The upstream said no.
    #[error("the upstream refused the login of \"{user}\" with {tried}{more}")]
    Refused {
        /// The login.
        user: String,
        /// What was tried.
        tried: String,
        /// What else may help.
        more: String,
    },
    /// The upstream asks for more than a password.
    #[error(
        "the upstream asks \"{user}\" something beside a password, which the gateway does not answer"
    )]
    Asked {
        /// The login.
        user: String,
    },
    /// The protocol failed.
    #[error("the connection to the upstream failed: {0}")]
    Protocol(#[from] russh::Error),
}

impl LoginError {
    /// What the client may know.
    fn for_client(&self) -> &'static str {
        match self {
            Self::HostKey(error) => error.for_client(),
            Self::NoCredential | Self::Key(_) => "the credential of this target cannot be used",
            Self::Refused { .. } | Self::Asked { .. } => "the upstream refused the login",
            Self::Protocol(_) => "the connection to the upstream failed",
        }
    }
}

/// Logs in: as the credential's user, or else as the one the client asked for. The caller bounds
/// the time.
///
/// # Errors
/// The refusal, worded for the client; the operator gets the whole story.
pub(super) async fn log_in(
    session: &Session,
    upstream: Upstream,
    user: &str,
) -> Result<LoggedIn, Refusal> {
    connect(upstream, user).await.map_err(|error| {
        session.upstream_failed(&error.to_string());
        tracing::warn!(%error, "no login at the upstream");
        Refusal::new(RefusalKind::Upstream, format!("portcullis: {}", error.for_client()))
            .with_hint("Operator: see the daemon's log for the whole story.")
    })
}

/// Connects, checks who answers, and proves who we are.
async fn connect(mut upstream: Upstream, user: &str) -> Result<LoggedIn, LoginError> {
    let credential = upstream.credential.take().ok_or(LoginError::NoCredential)?;
    let means = authentication::Means::of(credential, user)?;
    let check = upstream.host_key_check()?;
    let config = preferences::config(&check.expected()?);
    let gone = CancellationToken::new();
    let (opening, opened) = mpsc::channel(OPENED_WAITING_MAX);
    let (fault, banner) = (Fault::default(), Banner::default());
    let below = Below::new(check, gone.clone(), fault.clone(), opening, banner.clone());
    let mut handle = client::connect_stream(Arc::new(config), upstream.stream, below).await?;
    authentication::prove(&mut handle, means).await?;
    Ok(LoggedIn { handle, gone, fault, opened, banner: banner.said() })
}

#[cfg(test)]
mod tests;
