//! Keys from an `https` address.
//!
//! Owns one bounded request: no redirect is followed, the answer's size and the whole time are
//! capped, trust is the platform's or a given file's. Must not know keys. Ends with the call.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{FetchError, FetchKeys, JWKS_BYTES_MAX};

/// For name look-up, connection, handshake and answer together.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Opens connections: the daemon marks its own sockets, tests go where they like.
pub trait Dial: Send + Sync + std::fmt::Debug {
    /// Connects to a host name or address.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<TcpStream>>;
}

/// Connects as any program does.
#[derive(Debug)]
pub struct HostDialer;

impl Dial for HostDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<TcpStream>> {
        Box::pin(TcpStream::connect((host, port)))
    }
}

/// A JWK set behind an `https` address.
#[derive(Debug)]
pub struct HttpsKeys {
    uri: Uri,
    host: String,
    port: u16,
    ca_file: Option<PathBuf>,
    dialer: Arc<dyn Dial>,
}

impl HttpsKeys {
    /// Checks the address; nothing is connected yet.
    ///
    /// # Errors
    /// Where it is not `https`, or holds a user name.
    pub fn new(
        url: &str,
        ca_file: Option<PathBuf>,
        dialer: Arc<dyn Dial>,
    ) -> Result<Self, FetchError> {
        let wrong = || FetchError::Address(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return Err(wrong());
        }
        // A literal IPv6 address stands in brackets in an address and nowhere else.
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let has_port = authority.as_str().len() > authority.host().len();
        let port = if has_port { authority.port_u16().ok_or_else(wrong)? } else { 443 };
        if host.is_empty() || ServerName::try_from(host.as_str()).is_err() {
            return Err(wrong());
        }
        Ok(Self { host, port, uri, ca_file, dialer })
    }

    async fn ask(&self) -> Result<Vec<u8>, FetchError> {
        let connection = |error: &dyn std::fmt::Display| {
            FetchError::Connection(format!("{}:{}: {error}", self.host, self.port))
        };
        let ca_file = self.ca_file.clone();
        // Certificates are read anew each time: the operator may have replaced them.
        let trust = tokio::task::spawn_blocking(move || trust(ca_file.as_deref())).await;
        let trust = trust.map_err(|error| FetchError::Trust(error.to_string()))??;
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| FetchError::Address(self.uri.to_string()))?;
        let tcp =
            self.dialer.dial(&self.host, self.port).await.map_err(|error| connection(&error))?;
        let tls = TlsConnector::from(Arc::new(trust)).connect(name, tcp);
        let tls = tls.await.map_err(|error| connection(&error))?;
        let (sender, driver) =
            http1::handshake(TokioIo::new(tls)).await.map_err(|error| connection(&error))?;
        let exchange = self.exchange(sender);
        tokio::pin!(exchange, driver);
        tokio::select! {
            // The answer first: a server that closes right after it has still answered.
            biased;
            answer = &mut exchange => answer,
            ended = &mut driver => match ended {
                // All bytes are here; what is left is to read them.
                Ok(()) => exchange.await,
                Err(error) => Err(connection(&error)),
            },
        }
    }

    async fn exchange(
        &self,
        mut sender: http1::SendRequest<Empty<Bytes>>,
    ) -> Result<Vec<u8>, FetchError> {
        let wrong = |text: String| FetchError::Answer(format!("{}: {text}", self.uri));
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path)
            .header("host", authority)
            .header("accept", "application/jwk-set+json, application/json")
            .header("user-agent", concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|error| wrong(error.to_string()))?;
        let answer =
            sender.send_request(request).await.map_err(|error| wrong(error.to_string()))?;
        if answer.status() != StatusCode::OK {
            return Err(wrong(format!("status {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), JWKS_BYTES_MAX).collect().await;
        let body = body.map_err(|error| wrong(error.to_string()))?;
        Ok(body.to_bytes().to_vec())
    }
}

impl FetchKeys for HttpsKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, FetchError>> {
        Box::pin(async {
            match tokio::time::timeout(ANSWER_WITHIN, self.ask()).await {
                Ok(answer) => answer,
                Err(_) => Err(FetchError::Slow(ANSWER_WITHIN.as_secs())),
            }
        })
    }
}

/// Trust in the platform's certificates, or in those of a file and no others.
fn trust(ca_file: Option<&Path>) -> Result<ClientConfig, FetchError> {
    let failed = |error: &dyn std::fmt::Display| FetchError::Trust(error.to_string());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let builder = match ca_file {
        None => {
            let platform = rustls_platform_verifier::Verifier::new(provider)
                .map_err(|error| failed(&error))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(platform))
        }
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            let unreadable = |error: &dyn std::fmt::Display| {
                FetchError::Trust(format!("{}: {error}", path.display()))
            };
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests;
