//! The login at the target.
//!
//! Owns the client leg of the SSH library. Must not know a channel.

use russh::client;
use russh::keys::PublicKeyOrCertificate;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::session::{Refusal, RefusalKind, Shown, Stream, Upstream};

/// The upstream, logged in to.
pub(super) type UpstreamHandle = client::Handle<Below>;

/// What the upstream says on its own account.
#[derive(Debug)]
pub(super) struct Below {
    upstream: Upstream,
    _gone: DropGuard,
}

impl client::Handler for Below {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let shown = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => Shown::Key(key),
            PublicKeyOrCertificate::Certificate(certificate) => Shown::Certificate(certificate),
        };
        let verdict = self.upstream.host_key_verdict(shown);
        if let Err(error) = &verdict {
            tracing::warn!(%error, "the upstream is not trusted");
        }
        Ok(verdict.is_ok())
    }
}

/// An upstream that is logged in to.
pub(super) struct LoggedIn {
    /// The way to it.
    pub(super) handle: UpstreamHandle,
    /// Cancelled when it is gone.
    pub(super) gone: CancellationToken,
}

pub(super) async fn log_in(mut upstream: Upstream, user: &str) -> Result<LoggedIn, Refusal> {
    let gone = CancellationToken::new();
    let credential = upstream.credential.take();
    let nothing = Stream::Memory(tokio::io::duplex(1).0);
    let stream = std::mem::replace(&mut upstream.stream, nothing);
    let below = Below { upstream, _gone: gone.clone().drop_guard() };
    let refused = |text: String| Refusal::new(RefusalKind::Upstream, format!("portcullis: {text}"));
    let config = std::sync::Arc::new(client::Config {
        window_size: 4 * 1024 * 1024,
        maximum_packet_size: 65_535,
        nodelay: true,
        ..client::Config::default()
    });
    let mut handle = client::connect_stream(config, stream, below)
        .await
        .map_err(|error| refused(error.to_string()))?;
    let credential = credential.ok_or_else(|| refused(String::from("no credential")))?;
    let user = credential.user.as_deref().unwrap_or(user);
    let key = credential.private_key.ok_or_else(|| refused(String::from("no key")))?;
    let key = russh::keys::PrivateKey::from_openssh(key.expose())
        .map_err(|error| refused(error.to_string()))?;
    let key = russh::keys::PrivateKeyWithHashAlg::new(std::sync::Arc::new(key), None);
    let done = handle.authenticate_publickey(user, key).await;
    if done.map_err(|error| refused(error.to_string()))?.success() {
        Ok(LoggedIn { handle, gone })
    } else {
        Err(refused(String::from("the target refused the login")))
    }
}
