//! TLS towards upstreams.
//!
//! Owns the modes and the handshake. Must not know a protocol. Verification is on by default and
//! complete; the one mode without it says so in its name. Made once per target and kept: tickets
//! are remembered within it and nowhere else.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Secret;
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::end_point::{EndPointHash, end_point_hash};
use super::failure::UpstreamTlsFailure;
use super::verifier::{Authorities, Demand, Verifier};

/// Bytes of a key's file; an RSA key of 16,384 bits has less.
const KEY_BYTES_MAX: usize = 64 * 1024;
/// Rights that a key's file must not give: all of others, and writing by its group.
const OPEN_TO_OTHERS: u32 = 0o027;

/// Whether and how an upstream is verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UpstreamTlsMode {
    /// A trusted authority signed the certificate, and it is for the server's name.
    #[default]
    VerifyFull,
    /// An authority of the given file signed the certificate, whoever it is for.
    VerifyCa,
    /// Encrypted to whoever answers.
    InsecureNoVerify,
    /// No TLS.
    Disable,
}

/// How an upstream is reached by TLS, as the configuration gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UpstreamTlsSettings {
    /// The mode.
    pub mode: UpstreamTlsMode,
    /// Certificates to trust instead of the platform's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The name to verify and to send (SNI), where it is not the address's own.
    pub server_name: Option<String>,
    /// The gateway's own certificate, for upstreams that ask for one.
    pub client_certificate: Option<ClientCertificateFiles>,
}

/// A certificate chain and its key, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientCertificateFiles {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamTlsError {
    /// The name is none.
    #[error("`{0}` is neither a DNS name nor an address that a certificate could be for")]
    Name(String),
    /// `verify-ca` without a file.
    #[error(
        "verify-ca without a file of certificates would trust every certificate that any public \
         authority ever signed; give `ca_file`, or use verify-full"
    )]
    AuthorityWithoutFile,
    /// A file cannot be used.
    #[error("{}: {because}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        because: String,
    },
    /// The platform's certificates cannot be used.
    #[error("the platform's certificates cannot be used: {0}; give `ca_file`")]
    Platform(String),
    /// The rest.
    #[error("TLS cannot be set up: {0}")]
    Other(#[from] rustls::Error),
}

/// How one target is reached by TLS.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    mode: UpstreamTlsMode,
    config: Option<Arc<ClientConfig>>,
    server_name: ServerName<'static>,
}

/// An encrypted connection to an upstream.
#[derive(Debug)]
pub struct SecuredUpstream<S> {
    /// The connection.
    pub stream: TlsStream<S>,
    /// The channel binding of the certificate it presented; `None` where it is not defined.
    pub end_point: Option<EndPointHash>,
}

impl UpstreamTls {
    /// Checks settings and reads their files. `address_name` is the DNS name or the address that
    /// the target is configured with; `alpn` the application protocols offered.
    ///
    /// # Errors
    /// Where a file, a name or their combination cannot be used.
    pub fn new(
        settings: &UpstreamTlsSettings,
        address_name: &str,
        alpn: &[&[u8]],
    ) -> Result<Self, UpstreamTlsError> {
        let name = settings.server_name.as_deref().unwrap_or(address_name);
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| UpstreamTlsError::Name(name.to_owned()))?;
        let config = match verifier(settings)? {
            None => None,
            Some(verifier) => Some(Arc::new(client_config(settings, verifier, alpn)?)),
        };
        Ok(Self { mode: settings.mode, config, server_name })
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> UpstreamTlsMode {
        self.mode
    }

    /// Whether the upstream has to prove who it is.
    #[must_use]
    pub const fn verifies(&self) -> bool {
        matches!(self.mode, UpstreamTlsMode::VerifyFull | UpstreamTlsMode::VerifyCa)
    }

    /// Whether there is TLS at all.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.config.is_some()
    }

    /// The name that is verified and sent.
    #[must_use]
    pub const fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// The client configuration; `None` where TLS is disabled.
    #[must_use]
    pub const fn client_config(&self) -> Option<&Arc<ClientConfig>> {
        self.config.as_ref()
    }

    /// Does the handshake over an open connection. Deadlines are the caller's.
    ///
    /// # Errors
    /// Where the upstream cannot be trusted or does not answer as it should.
    pub async fn secure<S>(&self, stream: S) -> Result<SecuredUpstream<S>, UpstreamTlsFailure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = self.connector()?;
        self.secured(connector.connect(self.server_name.clone(), stream).await)
    }

    /// Does the handshake as [`Self::secure`] does, and offers these protocols (ALPN).
    ///
    /// # Errors
    /// As there.
    pub async fn secure_offering<S>(
        &self,
        stream: S,
        alpn: &[&[u8]],
    ) -> Result<SecuredUpstream<S>, UpstreamTlsFailure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = self.connector()?;
        let alpn = alpn.iter().map(|name| name.to_vec()).collect();
        let connector = connector.with_alpn(alpn);
        self.secured(connector.connect(self.server_name.clone(), stream).await)
    }

    fn connector(&self) -> Result<TlsConnector, UpstreamTlsFailure> {
        let config = self.config.as_ref().ok_or_else(|| {
            UpstreamTlsFailure::Protocol(String::from("TLS is disabled for this target"))
        })?;
        Ok(TlsConnector::from(Arc::clone(config)))
    }

    fn secured<S>(
        &self,
        secured: std::io::Result<TlsStream<S>>,
    ) -> Result<SecuredUpstream<S>, UpstreamTlsFailure> {
        let stream = secured
            .map_err(|error| UpstreamTlsFailure::from_io(&error, &self.server_name.to_str()))?;
        let certificates = stream.get_ref().1.peer_certificates();
        let end_point =
            certificates.and_then(<[_]>::first).and_then(|leaf| end_point_hash(leaf.as_ref()));
        Ok(SecuredUpstream { stream, end_point })
    }
}

fn verifier(
    settings: &UpstreamTlsSettings,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, UpstreamTlsError> {
    let provider = super::crypto_provider();
    let demand = match (settings.mode, &settings.ca_file) {
        (UpstreamTlsMode::Disable, _) => return Ok(None),
        (UpstreamTlsMode::InsecureNoVerify, _) => Demand::Nothing,
        (UpstreamTlsMode::VerifyCa, None) => return Err(UpstreamTlsError::AuthorityWithoutFile),
        (UpstreamTlsMode::VerifyCa, Some(path)) => Demand::Authority(read_authorities(path)?),
        (UpstreamTlsMode::VerifyFull, Some(path)) => Demand::Name(read_authorities(path)?),
        (UpstreamTlsMode::VerifyFull, None) => {
            let platform = rustls_platform_verifier::Verifier::new(provider)
                .map_err(|error| UpstreamTlsError::Platform(error.to_string()))?;
            return Ok(Some(Arc::new(platform)));
        }
    };
    Ok(Some(Arc::new(Verifier { demand, provider })))
}

fn client_config(
    settings: &UpstreamTlsSettings,
    verifier: Arc<dyn ServerCertVerifier>,
    alpn: &[&[u8]],
) -> Result<ClientConfig, UpstreamTlsError> {
    let builder = ClientConfig::builder_with_provider(super::crypto_provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.client_certificate {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let chain = read_certificates(&files.certificate)?;
            let key = read_key(&files.key)?;
            builder.with_client_auth_cert(chain, key)?
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

fn read_authorities(path: &Path) -> Result<Authorities, UpstreamTlsError> {
    let themselves = read_certificates(path)?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &themselves {
        roots.add(certificate.clone()).map_err(|error| unusable(path, &error))?;
    }
    Ok(Authorities { roots, themselves })
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, UpstreamTlsError> {
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, &error))?.collect();
    let certificates = read.map_err(|error| unusable(path, &error))?;
    if certificates.is_empty() {
        return Err(unusable(path, &"it holds no certificate"));
    }
    Ok(certificates)
}

/// Reads a key, which nobody may write but its owner and nobody read but its owner and group.
fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, UpstreamTlsError> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = file.map_err(|error| unusable(path, &error))?;
    let found = file.metadata().map_err(|error| unusable(path, &error))?;
    let mode = found.mode() & 0o777;
    if mode & OPEN_TO_OTHERS != 0 {
        let because = format!("others may read or write this key (mode {mode:03o}); chmod 600");
        return Err(unusable(path, &because));
    }
    // Room for everything at once: growing would leave copies behind that nobody wipes.
    let mut text = Vec::with_capacity(KEY_BYTES_MAX);
    let read = file.take(KEY_BYTES_MAX as u64).read_to_end(&mut text);
    let text = Secret::new(text);
    read.map_err(|error| unusable(path, &error))?;
    PrivateKeyDer::from_pem_slice(text.expose()).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> UpstreamTlsError {
    UpstreamTlsError::File { path: path.to_owned(), because: error.to_string() }
}

#[cfg(test)]
mod tests;
