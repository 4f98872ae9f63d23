//! Between a client and the API server: what they say to each other, decrypted.
//!
//! Owns a listener that clients take for the API server, for it has a certificate of the same
//! authority, and the record of each connection. Must not know what the bytes mean. It ends with
//! the test process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::kubectl::NAME;
use super::{KubeCluster, client};

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The client.
    Client,
    /// The API server.
    Server,
}

/// What one said before the other said something.
pub type Turn = (Speaker, Vec<u8>);

/// The turns of each connection.
type Record = Arc<Mutex<Vec<Vec<Turn>>>>;

/// A recorder.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    record: Record,
    _runtime: tokio::runtime::Runtime,
}

impl Recorder {
    /// A recorder before this cluster. It speaks HTTP/1.1 alone, so that it can be read.
    ///
    /// # Panics
    /// Where it cannot listen.
    #[must_use]
    pub fn before(cluster: &KubeCluster) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener =
            runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a port to listen on");
        let address = listener.local_addr().expect("its address");
        let record = Record::default();
        let (server, kept) = (cluster.address(), Arc::clone(&record));
        let acceptor = acceptor(cluster);
        let connector =
            TlsConnector::from(Arc::new(client::trusting(cluster.authority().certificate_pem())));
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let _ = relay(tcp, server, acceptor, connector, kept).await;
                });
            }
        });
        Self { address, record, _runtime: runtime }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was said so far, connection by connection.
    ///
    /// # Panics
    /// Where a relay panicked.
    #[must_use]
    pub fn connections(&self) -> Vec<Vec<Turn>> {
        self.record.lock().expect("nobody panicked").clone()
    }
}

fn acceptor(cluster: &KubeCluster) -> TlsAcceptor {
    let identity = cluster.authority().issue(&[NAME]);
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key)
        .expect("an identity");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn relay(
    tcp: TcpStream,
    server: SocketAddr,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    record: Record,
) -> std::io::Result<()> {
    let mut near = acceptor.accept(tcp).await?;
    let name = ServerName::from(server.ip());
    let mut far = connector.connect(name, TcpStream::connect(server).await?).await?;
    let connection = {
        let mut record = record.lock().expect("nobody panicked");
        record.push(Vec::new());
        record.len() - 1
    };
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let (speaker, said) = tokio::select! {
            read = near.read(&mut from_client) => (Speaker::Client, (read?, &from_client)),
            read = far.read(&mut from_server) => (Speaker::Server, (read?, &from_server)),
        };
        let said = said.1.get(..said.0).unwrap_or_default();
        keep(&record, connection, speaker, said);
        match (speaker, said.is_empty()) {
            (Speaker::Client, true) => return far.shutdown().await,
            (Speaker::Server, true) => return near.shutdown().await,
            (Speaker::Client, false) => far.write_all(said).await?,
            (Speaker::Server, false) => near.write_all(said).await?,
        }
        far.flush().await?;
        near.flush().await?;
    }
}

fn keep(record: &Record, connection: usize, speaker: Speaker, said: &[u8]) {
    let mut record = record.lock().expect("nobody panicked");
    let turns = record.get_mut(connection).expect("a connection");
    match turns.last_mut() {
        _ if said.is_empty() => {}
        Some((last, bytes)) if *last == speaker => bytes.extend_from_slice(said),
        _ => turns.push((speaker, said.to_vec())),
    }
}
