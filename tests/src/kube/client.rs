//! Requests to an API server, byte by byte, over TLS.
//!
//! Owns the connection and the form of a request. Must not know what an answer means.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::kubectl::NAME;
use crate::web::client::WebClient;

/// A connection over TLS.
pub type KubeClient = WebClient<StreamOwned<ClientConnection, TcpStream>>;

/// Says that a body is JSON.
pub const JSON: &str = "Content-Type: application/json";
/// Says that a body is a patch whose fields replace.
pub const MERGE_PATCH: &str = "Content-Type: application/merge-patch+json";

/// Connects, and trusts this authority alone.
///
/// # Panics
/// Where nobody listens, or the authority is none.
#[must_use]
pub fn connect(address: SocketAddr, authority_pem: &str) -> KubeClient {
    let stream = TcpStream::connect(address).expect("an API server");
    over(stream, authority_pem)
}

/// The same over a connection that is open, to a server of the usual name.
///
/// # Panics
/// Where the authority is none.
#[must_use]
pub fn over(stream: TcpStream, authority_pem: &str) -> KubeClient {
    let name = ServerName::try_from(NAME).expect("a name");
    let connection =
        ClientConnection::new(Arc::new(trusting(authority_pem)), name).expect("a connection");
    WebClient::over(StreamOwned::new(connection, stream))
}

/// Trusts this authority alone, and speaks HTTP/1.1.
pub(super) fn trusting(authority_pem: &str) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority_pem.as_bytes());
    roots.add(authority.expect("a certificate")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The field that says who asks.
#[must_use]
pub fn authorization(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// Sends one request, its target as it is given.
pub fn send(
    client: &mut KubeClient,
    method: &str,
    uri: &str,
    fields: &[String],
    body: Option<&str>,
) {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let body = body.unwrap_or_default();
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    };
    client.send(format!("{method} {uri} HTTP/1.1\r\nHost: {NAME}\r\n{fields}{length}\r\n{body}"));
}
