//! One question over `https`, for the gateway's own needs: keys of providers, tokens of targets.
//!
//! Owns one bounded request: no redirect is followed, the answer's size and the whole time are
//! capped, trust is the platform's or a given file's. Must not know what is asked. Ends with the
//! call.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// For name look-up, connection, handshake and answer together.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpsError {
    /// The address is not `https://HOST[:PORT][/PATH]`.
    #[error("`{0}` is no https address")]
    Address(String),
    /// Trust in the server cannot be set up.
    #[error("its certificates cannot be verified here: {0}")]
    Trust(String),
    /// The server cannot be reached or trusted.
    #[error("{0}")]
    Connection(String),
    /// It answered something else than what was asked for.
    #[error("{0}")]
    Answer(String),
    /// It did not answer in time.
    #[error("no answer within {0} seconds")]
    Slow(u64),
}

/// Opens connections: the daemon as any program does, tests where they like.
pub trait DialHost: Send + Sync + std::fmt::Debug {
    /// Connects to a host name or address.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<TcpStream>>;
}

/// Connects as any program does.
#[derive(Debug)]
pub struct HostDialer;

impl DialHost for HostDialer {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<TcpStream>> {
        Box::pin(TcpStream::connect((host, port)))
    }
}

/// An `https` address that can be asked.
#[derive(Debug)]
pub struct HttpsAddress {
    uri: Uri,
    host: String,
    port: u16,
    ca_file: Option<PathBuf>,
    dialer: Arc<dyn DialHost>,
}

impl HttpsAddress {
    /// Checks the address; nothing is connected yet.
    ///
    /// # Errors
    /// Where it is not `https`, or holds a user name.
    pub fn new(
        url: &str,
        ca_file: Option<PathBuf>,
        dialer: Arc<dyn DialHost>,
    ) -> Result<Self, HttpsError> {
        let wrong = || HttpsError::Address(url.to_owned());
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

    /// Asks for what is there, as one of the media types of `accept`. An answer of more than
    /// `bytes_max` is none.
    ///
    /// # Errors
    /// Where there is no answer of status 200 within the bounds.
    pub async fn get(&self, accept: &str, bytes_max: usize) -> Result<Vec<u8>, HttpsError> {
        let request = Request::get(self.path()).header("accept", accept);
        self.within(request.body(Full::default()), bytes_max).await
    }

    /// Sends a form and takes JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post_form(
        &self,
        form: String,
        authorization: Option<http::HeaderValue>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, HttpsError> {
        let mut request = Request::post(self.path())
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        self.within(request.body(Full::from(form)), bytes_max).await
    }

    fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    async fn within(
        &self,
        request: Result<Request<Full<Bytes>>, http::Error>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, HttpsError> {
        let request = request.map_err(|error| HttpsError::Answer(error.to_string()))?;
        match tokio::time::timeout(ANSWER_WITHIN, self.ask(request, bytes_max)).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpsError::Slow(ANSWER_WITHIN.as_secs())),
        }
    }

    async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, HttpsError> {
        let connection = |error: &dyn std::fmt::Display| {
            HttpsError::Connection(format!("{}:{}: {error}", self.host, self.port))
        };
        let ca_file = self.ca_file.clone();
        // Certificates are read anew each time: the operator may have replaced them.
        let trust = tokio::task::spawn_blocking(move || trust(ca_file.as_deref())).await;
        let trust = trust.map_err(|error| HttpsError::Trust(error.to_string()))??;
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| HttpsError::Address(self.uri.to_string()))?;
        let tcp =
            self.dialer.dial(&self.host, self.port).await.map_err(|error| connection(&error))?;
        let tls = TlsConnector::from(Arc::new(trust)).connect(name, tcp);
        let tls = tls.await.map_err(|error| connection(&error))?;
        let (sender, driver) =
            http1::handshake(TokioIo::new(tls)).await.map_err(|error| connection(&error))?;
        let exchange = self.exchange(sender, request, bytes_max);
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
        mut sender: http1::SendRequest<Full<Bytes>>,
        mut request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, HttpsError> {
        let wrong = |text: String| HttpsError::Answer(format!("{}: {text}", self.uri));
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let host = http::HeaderValue::from_str(authority);
        let host = host.map_err(|error| wrong(error.to_string()))?;
        let agent =
            http::HeaderValue::from_static(concat!("portcullis/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert("host", host);
        request.headers_mut().insert("user-agent", agent);
        let answer =
            sender.send_request(request).await.map_err(|error| wrong(error.to_string()))?;
        if answer.status() != StatusCode::OK {
            return Err(wrong(format!("status {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        let body = body.map_err(|error| wrong(error.to_string()))?;
        Ok(body.to_bytes().to_vec())
    }
}

/// Trust in the platform's certificates, or in those of a file and no others.
fn trust(ca_file: Option<&Path>) -> Result<ClientConfig, HttpsError> {
    let failed = |error: &dyn std::fmt::Display| HttpsError::Trust(error.to_string());
    let provider = super::crypto_provider();
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
                HttpsError::Trust(format!("{}: {error}", path.display()))
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
