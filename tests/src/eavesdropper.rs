//! A server in the middle that has a certificate: it takes the gateway's TLS and opens its own to
//! the real server, so it hears what is said inside.
//!
//! Owns both connections, what it heard, and the one thing it changes: the SASL mechanisms that
//! the server offers. Must not know what a test makes of it. Every connection ends with either of
//! its ends, and all of them with the value.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::certificates::{Authority, Identity};
use crate::client::messages::{self, message};

/// What becomes of the mechanisms that the server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// They pass as they are.
    Unchanged,
    /// Only these pass.
    Instead(&'static [&'static str]),
    /// The server is not heard: a password in the clear is asked for.
    Password,
}

/// An eavesdropper.
#[derive(Debug)]
pub struct Eavesdropper {
    /// Its tasks end with it.
    _runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

/// What came from the gateway.
#[derive(Clone, Debug, Default)]
struct Heard {
    connections: usize,
    /// Inside TLS, of all connections together.
    inside: Vec<u8>,
}

/// What one connection needs.
struct Means {
    server: SocketAddr,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    offer: Offer,
    heard: Arc<Mutex<Heard>>,
}

impl Eavesdropper {
    /// Before the server, with a certificate of its own; `authority` is the server's.
    ///
    /// # Panics
    /// Where no port can be had or the certificate cannot be used.
    #[must_use]
    pub fn before(server: u16, authority: &Authority, shows: &Identity, offer: Offer) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::<Mutex<Heard>>::default();
        let means = Arc::new(Means {
            server: (Ipv4Addr::LOCALHOST, server).into(),
            acceptor: acceptor(shows),
            connector: connector(authority),
            offer,
            heard: Arc::clone(&heard),
        });
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let means = Arc::clone(&means);
                tokio::spawn(async move { means.serve(client).await });
            }
        });
        Self { _runtime: runtime, address, heard }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections came as far as asking for TLS.
    ///
    /// # Panics
    /// Where one of its tasks panicked.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.heard.lock().expect("nobody panicked").connections
    }

    /// All that the gateway said inside TLS.
    ///
    /// # Panics
    /// Where one of its tasks panicked.
    #[must_use]
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("nobody panicked").inside.clone()
    }

    /// Whether the gateway said this inside TLS.
    #[must_use]
    pub fn has_heard(&self, what: &str) -> bool {
        self.heard().windows(what.len()).any(|window| window == what.as_bytes())
    }
}

impl Means {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut request = [0; 8];
        client.read_exact(&mut request).await?;
        if request != *messages::ssl_request() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.heard.lock().map_err(|_| io::ErrorKind::Other)?.connections += 1;
        client.write_all(b"S").await?;
        let client = self.acceptor.accept(client).await?;
        let server = self.reach().await?;
        let (from_client, to_client) = tokio::io::split(client);
        let (from_server, to_server) = tokio::io::split(server);
        tokio::select! {
            ended = self.listen(from_client, to_server) => ended,
            ended = answer(self.offer, from_server, to_client) => ended,
        }
    }

    async fn reach(&self) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let mut server = TcpStream::connect(self.server).await?;
        server.write_all(&messages::ssl_request()).await?;
        if server.read_u8().await? != b'S' {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        self.connector.connect(name, server).await
    }

    /// Passes on what the gateway says, and remembers it.
    async fn listen(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            let said = buffer.get(..count).unwrap_or_default();
            if said.is_empty() {
                return Ok(());
            }
            self.heard.lock().map_err(|_| io::ErrorKind::Other)?.inside.extend_from_slice(said);
            to.write_all(said).await?;
            to.flush().await?;
        }
    }
}

/// Passes on what the server says, message by message, with its offer changed.
async fn answer(
    offer: Offer,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    loop {
        let tag = from.read_u8().await?;
        let length = from.read_u32().await?;
        let mut body =
            vec![0; usize::try_from(length).map_err(io::Error::other)?.saturating_sub(4)];
        from.read_exact(&mut body).await?;
        if tag == b'R' && body.starts_with(&10_u32.to_be_bytes()) {
            body = changed(offer, body);
        }
        to.write_all(&message(tag, &body)).await?;
        to.flush().await?;
    }
}

/// The body of an authentication request, in which the server offered mechanisms.
fn changed(offer: Offer, body: Vec<u8>) -> Vec<u8> {
    match offer {
        Offer::Unchanged => body,
        Offer::Password => 3_u32.to_be_bytes().to_vec(),
        Offer::Instead(mechanisms) => {
            let mut changed = 10_u32.to_be_bytes().to_vec();
            for mechanism in mechanisms {
                changed.extend_from_slice(mechanism.as_bytes());
                changed.push(0);
            }
            changed.push(0);
            changed
        }
    }
}

fn acceptor(shows: &Identity) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(shows.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(shows.key_pem.as_bytes());
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key.expect("a key"))
        .expect("a certificate that can be shown");
    TlsAcceptor::from(Arc::new(config))
}

fn connector(authority: &Authority) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes());
    roots.add(authority.expect("a certificate")).expect("an authority");
    let config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
