//! The way from a permit to an upstream: dial, TLS, credential.
//!
//! Owns the order of these steps and their errors. Must not know how a protocol negotiates TLS
//! (the driver asks for [`Upstream::start_tls`] at its moment) nor where a secret is kept.

use std::io;
use std::net::SocketAddr;

use model::Binding;
use tokio::net::TcpStream;

use super::host_identity::HostKeyCheck;
use super::refusal::{Refusal, RefusalKind};
use super::services::Services;
use super::stream::Stream;
use super::target::Target;
use crate::credentials::{Credential, CredentialError};
use crate::tls::{EndPointHash, UpstreamTls, UpstreamTlsFailure};

/// A connection to an upstream that is not logged in to.
#[derive(Debug)]
pub struct Upstream {
    /// The stream.
    pub stream: Stream,
    /// Whom it reaches.
    pub address: SocketAddr,
    /// What to log in with; `None` where none was asked for.
    pub credential: Option<Credential>,
    pub(super) host_key: Option<HostKeyCheck>,
    tls: UpstreamTls,
    channel_binding: Option<EndPointHash>,
    agreed_protocol: Option<Vec<u8>>,
}

/// Why an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It cannot be reached.
    #[error("the upstream {address} cannot be reached: {source}")]
    Unreachable {
        /// Whom.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error("the upstream {address} did not answer in time")]
    TimedOut {
        /// Whom.
        address: SocketAddr,
    },
    /// There is nothing to log in with.
    #[error("the credential of the target cannot be read: {0}")]
    Credential(#[from] CredentialError),
    /// It cannot be trusted.
    #[error("{0}")]
    Tls(#[from] UpstreamTlsFailure),
    /// TLS was asked for on a stream that has it, or cannot have it.
    #[error("TLS cannot be started on this stream")]
    NotPlain,
}

impl UpstreamError {
    /// What the client may know: no path, no address, no secret.
    #[must_use]
    pub fn for_client(&self) -> String {
        match self {
            Self::Credential(_) => String::from("the credential of this target cannot be read"),
            Self::Unreachable { .. } => String::from("the upstream cannot be reached"),
            Self::TimedOut { .. } => String::from("the upstream did not answer in time"),
            Self::Tls(failure) => failure.client_text().to_owned(),
            other => other.to_string(),
        }
    }
}

/// Dials the address the workload meant, from where the workload stands.
pub(super) async fn dial(
    services: &Services,
    target: &Target,
    binding: &Binding,
    with_credential: bool,
) -> Result<Upstream, Refusal> {
    let failed = |error: UpstreamError| {
        tracing::warn!(target = %target.name, error = %error, "upstream failed");
        Refusal::from(error)
    };
    let credential = if with_credential {
        let fetched = services.credentials.credential(&target.credential);
        Some(fetched.map_err(|error| failed(error.into()))?)
    } else {
        None
    };
    let stream = connect(services, binding).await.map_err(failed)?;
    Ok(Upstream {
        stream: Stream::Plain(stream),
        address: binding.original,
        credential,
        host_key: HostKeyCheck::of(services, target, binding),
        tls: target.upstream_tls.clone(),
        channel_binding: None,
        agreed_protocol: None,
    })
}

async fn connect(services: &Services, binding: &Binding) -> Result<TcpStream, UpstreamError> {
    let address = binding.original;
    let dialled = services.dial.dial(binding, address);
    let stream = tokio::time::timeout(services.limits.upstream_within, dialled)
        .await
        .map_err(|_| UpstreamError::TimedOut { address })?
        .map_err(|source| UpstreamError::Unreachable { address, source })?;
    // Small messages both ways: waiting to fill segments would only add latency.
    stream.set_nodelay(true).map_err(|source| UpstreamError::Unreachable { address, source })?;
    Ok(stream)
}

impl Upstream {
    /// Whether the target's configuration asks for TLS.
    #[must_use]
    pub fn wants_tls(&self) -> bool {
        self.tls.is_enabled()
    }

    /// Whether it is known who answers: TLS with a certificate that was verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.stream.is_encrypted() && self.tls.verifies()
    }

    /// Starts TLS and verifies the upstream as the target's configuration says.
    ///
    /// # Errors
    /// Where the upstream cannot be trusted, or does not speak TLS.
    pub async fn start_tls(mut self) -> Result<Self, UpstreamError> {
        let Stream::Plain(stream) = self.stream else { return Err(UpstreamError::NotPlain) };
        let secured = self.tls.secure(stream).await?;
        self.channel_binding = secured.end_point;
        self.stream = Stream::TlsClient(Box::new(secured.stream));
        Ok(self)
    }

    /// Starts TLS as [`Self::start_tls`] does, and offers these protocols (ALPN), the better first.
    ///
    /// # Errors
    /// As there.
    pub async fn start_tls_offering(mut self, alpn: &[&[u8]]) -> Result<Self, UpstreamError> {
        let Stream::Plain(stream) = self.stream else { return Err(UpstreamError::NotPlain) };
        let secured = self.tls.secure_offering(stream, alpn).await?;
        self.channel_binding = secured.end_point;
        self.agreed_protocol = secured.stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        self.stream = Stream::TlsClient(Box::new(secured.stream));
        Ok(self)
    }

    /// The protocol that was agreed on in TLS.
    #[must_use]
    pub fn agreed_protocol(&self) -> Option<&[u8]> {
        self.agreed_protocol.as_deref()
    }

    /// The `tls-server-end-point` channel binding (RFC 5929), where there is TLS.
    #[must_use]
    pub fn channel_binding(&self) -> Option<&[u8]> {
        self.channel_binding.as_ref().map(EndPointHash::as_bytes)
    }
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        Self::new(RefusalKind::Upstream, format!("portcullis: {}", error.for_client()))
            .with_hint("Operator: see the daemon's log for the whole story.")
    }
}

#[cfg(test)]
impl Upstream {
    pub(crate) fn for_test(
        stream: Stream,
        address: SocketAddr,
        credential: Credential,
        host_key: HostKeyCheck,
    ) -> Self {
        let disabled = crate::tls::UpstreamTlsSettings {
            mode: crate::tls::UpstreamTlsMode::Disable,
            ca_file: None,
            server_name: None,
            client_certificate: None,
        };
        Self {
            stream,
            address,
            credential: Some(credential),
            host_key: Some(host_key),
            tls: UpstreamTls::new(&disabled, "upstream.test", &[]).unwrap(),
            channel_binding: None,
            agreed_protocol: None,
        }
    }
}
