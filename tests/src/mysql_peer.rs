//! A server that logs clients in as MySQL 8 does, by `caching_sha2_password`, and then is the real
//! server behind it.
//!
//! Owns the exchange as MySQL's internals manual has it ("Caching SHA-2 Pluggable Authentication"),
//! computed here from its words alone. Must not know the gateway. A connection ends when either side
//! does.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wire::mysql::auth::{CACHING_SHA2, NATIVE, put_more};
use wire::mysql::handshake::{Greeting, Response, ResponseHead, put_response};
use wire::mysql::{Capabilities, put_payload};

use crate::certificates::Identity;
use crate::mariadb::APP_NATIVE;

/// The challenge. It is the same each time, for a test looks at one connection.
const SALT: &[u8; 20] = b"abcdefghijklmnopqrst";

/// What is said of somebody who is not let in.
const REFUSED: &[u8] = b"\xff\x15\x04#28000Access denied for user";

/// A server of MySQL 8's.
#[derive(Debug)]
pub struct MysqlPeer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<&'static str>>>,
}

/// What it is.
struct Peer {
    server: SocketAddr,
    password: &'static str,
    /// Whether it has the password's hash in its cache.
    knows: bool,
    tls: Option<TlsAcceptor>,
    key: PrivateDecryptingKey,
    heard: Arc<Mutex<Vec<&'static str>>>,
}

impl MysqlPeer {
    /// In front of a real server, for one password. With an identity it offers TLS.
    ///
    /// # Panics
    /// Where no port or key can be had.
    #[must_use]
    pub fn before(
        server: SocketAddr,
        password: &'static str,
        knows: bool,
        identity: Option<&Identity>,
    ) -> Self {
        let heard = Arc::default();
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let tls = identity.map(acceptor);
        let peer = Arc::new(Peer { server, password, knows, tls, key, heard: Arc::clone(&heard) });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a socket");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((client, _)) = listener.accept().await {
                    let peer = Arc::clone(&peer);
                    // Whoever looks at the greeting and goes is none of this test's.
                    tokio::spawn(async move { peer.serve(client).await.ok() });
                }
            });
        });
        Self { address, heard }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How those who answered its greeting have proved who they are.
    ///
    /// # Panics
    /// Where a connection has.
    #[must_use]
    pub fn heard(&self) -> Vec<&'static str> {
        self.heard.lock().expect("nobody panicked").clone()
    }
}

impl Peer {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect(self.server).await?;
        let (_, greeting) = read(&mut server).await?;
        let greeting = Greeting::read(&greeting).map_err(io::Error::other)?;
        let without_tls = Capabilities(u64::from(u32::MAX) & !Capabilities::SSL.0);
        let mut offered = greeting.capabilities & without_tls | Capabilities::LONG_PASSWORD;
        if self.tls.is_some() {
            offered = offered | Capabilities::SSL;
        }
        let own = Greeting {
            version: b"8.0.36",
            connection: greeting.connection,
            capabilities: offered,
            collation: 45,
            status: 2,
            salt: SALT.to_vec(),
            method: CACHING_SHA2,
        };
        let (mut out, mut payload) = (Vec::new(), Vec::new());
        own.put(&mut payload);
        put_payload(&mut out, &mut 0, &payload);
        client.write_all(&out).await?;
        let (sequence, first) = read(&mut client).await?;
        let head = ResponseHead::read(&first).map_err(io::Error::other)?;
        match &self.tls {
            Some(tls) if head.capabilities.has(Capabilities::SSL) => {
                let mut client = tls.accept(client).await?;
                let (sequence, response) = read(&mut client).await?;
                self.log_in(
                    &mut client,
                    true,
                    sequence,
                    &response,
                    offered,
                    &mut server,
                    &greeting,
                )
                .await?;
                copy_bidirectional(&mut client, &mut server).await?;
            }
            _ => {
                self.log_in(&mut client, false, sequence, &first, offered, &mut server, &greeting)
                    .await?;
                copy_bidirectional(&mut client, &mut server).await?;
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "both sides of one login")]
    async fn log_in(
        &self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        encrypted: bool,
        sequence: u8,
        response: &[u8],
        offered: Capabilities,
        server: &mut TcpStream,
        greeting: &Greeting<'_>,
    ) -> io::Result<()> {
        let response = Response::read(response, offered).map_err(io::Error::other)?;
        let mut next = sequence.wrapping_add(1);
        let proved = if self.knows {
            self.note("fast");
            response.answer == self.scramble() && {
                say(client, &mut next, |out| put_more(out, &[3])).await?;
                true
            }
        } else {
            say(client, &mut next, |out| put_more(out, &[4])).await?;
            self.told_in_full(client, encrypted, &mut next).await?
        };
        if !proved {
            say(client, &mut next, |out| out.extend_from_slice(REFUSED)).await?;
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // From here on it is the real server, logged in to as that one wants it.
        let without_tls = Capabilities(response.head.capabilities.0 & !Capabilities::SSL.0);
        let head = ResponseHead { capabilities: without_tls, ..response.head };
        let (mut out, mut payload) = (Vec::new(), Vec::new());
        let proof = native(APP_NATIVE.password.as_bytes(), &greeting.salt);
        let user = APP_NATIVE.name.as_bytes();
        let none = std::iter::empty();
        put_response(&mut payload, &head, user, &proof, response.database, NATIVE, none);
        put_payload(&mut out, &mut 1, &payload);
        server.write_all(&out).await?;
        let (_, ok) = read(server).await?;
        say(client, &mut next, |out| out.extend_from_slice(&ok)).await
    }

    /// The password itself: in TLS as it is, otherwise under our key.
    async fn told_in_full(
        &self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        encrypted: bool,
        next: &mut u8,
    ) -> io::Result<bool> {
        let (sequence, mut told) = read(client).await?;
        *next = sequence.wrapping_add(1);
        if encrypted {
            self.note("in full over TLS");
        } else {
            self.note("asked for the key");
            if told != [2] {
                return Ok(false);
            }
            let pem = self.public_key();
            say(client, next, |out| put_more(out, pem.as_bytes())).await?;
            let (sequence, sealed) = read(client).await?;
            *next = sequence.wrapping_add(1);
            let key = OaepPrivateDecryptingKey::new(self.key.clone()).map_err(io::Error::other)?;
            let mut plain = vec![0; key.min_output_size()];
            let plain = key.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut plain, None);
            let plain = plain.map_err(io::Error::other)?;
            told = plain.iter().zip(SALT.iter().cycle()).map(|(one, other)| one ^ other).collect();
            self.note("under the key");
        }
        Ok(told.strip_suffix(&[0]) == Some(self.password.as_bytes()))
    }

    fn public_key(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der().expect("a public key");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// XOR(SHA256(password), SHA256(SHA256(SHA256(password)), challenge)).
    fn scramble(&self) -> Vec<u8> {
        let once = digest(&SHA256, self.password.as_bytes());
        let twice = digest(&SHA256, once.as_ref());
        let covered = digest(&SHA256, &[twice.as_ref(), SALT].concat());
        xor(once.as_ref(), covered.as_ref())
    }

    fn note(&self, what: &'static str) {
        self.heard.lock().expect("nobody panicked").push(what);
    }
}

fn acceptor(identity: &Identity) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key.expect("a key"));
    TlsAcceptor::from(Arc::new(config.expect("a certificate with its key")))
}

/// XOR(SHA1(password), SHA1(challenge, SHA1(SHA1(password)))).
fn native(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let sha1 = |bytes: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let once = sha1(password);
    let covered = sha1(&[salt, sha1(once.as_ref()).as_ref()].concat());
    xor(once.as_ref(), covered.as_ref())
}

fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let [a, b, c, sequence] = header;
    let mut payload = vec![0; usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16];
    stream.read_exact(&mut payload).await?;
    Ok((sequence, payload))
}

async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    next: &mut u8,
    what: impl FnOnce(&mut Vec<u8>),
) -> io::Result<()> {
    let (mut out, mut payload) = (Vec::new(), Vec::new());
    what(&mut payload);
    put_payload(&mut out, next, &payload);
    stream.write_all(&out).await?;
    stream.flush().await
}
