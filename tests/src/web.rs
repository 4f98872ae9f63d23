//! A web server for tests: real HTTP/1.1 and HTTP/2, in this process.
//!
//! Owns the listener, what reached it, and its certificates. Must not know whether a gateway is in
//! between. It lives as long as the test process; each test that counts what reached it has one of
//! its own.
//!
//! | file | what it holds |
//! |---|---|
//! | `pages` | what it answers |
//! | `aws` | a store of objects and one of items, as AWS has them |
//! | `api`, `streams` | the pages of the API server of a cluster, and its streams |
//! | `replay` | what a real API server said, said again |
//! | `people` | the page that has to be masked, in every form |
//! | `switched` | WebSocket, and an upgrade of another kind |
//! | `client` | a client that sends any bytes |
//! | `station` | the machine that unchanged programs run on |

mod aws;
mod pages;
mod switched;

pub mod api;
pub mod client;
pub mod people;
pub mod replay;
pub mod station;
pub mod streams;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;

/// The name that clients know the server by.
pub const NAME: &str = "api.test";
/// What the gateway logs in with: a bearer token that must be found nowhere.
pub const TOKEN: &str = "canary-web-5f31c0de77aa";

/// A request as it reached the server.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its method.
    pub method: String,
    /// Its target, as sent.
    pub target: String,
    /// Its version, such as `HTTP/2.0`.
    pub version: String,
    /// Its fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The one value of a field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What all connections of a server share.
#[derive(Debug, Default)]
struct State {
    heard: Mutex<Vec<u8>>,
    seen: Mutex<Vec<Seen>>,
    accepted: AtomicUsize,
    tokens: AtomicUsize,
    repositories: Mutex<PathBuf>,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    replay: Mutex<Option<replay::Replay>>,
}

/// A server.
#[derive(Debug)]
pub struct WebServer {
    address: SocketAddr,
    state: Arc<State>,
    authority: Option<Authority>,
}

/// How a server is made.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    tls: bool,
    asks_clients: bool,
    only_http1: bool,
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

impl WebServer {
    /// The one that tests share which do not count: in the clear.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<&'static WebServer> = OnceLock::new();
        SHARED.get_or_init(Self::plain)
    }

    /// A new one in the clear: HTTP/1, or HTTP/2 where a client begins so.
    #[must_use]
    pub fn plain() -> &'static Self {
        Self::open(Manner::default())
    }

    /// A new one with TLS: HTTP/2 or HTTP/1.1, as clients like.
    #[must_use]
    pub fn secure() -> &'static Self {
        Self::open(Manner { tls: true, ..Manner::default() })
    }

    /// A new one with TLS that does not know HTTP/2.
    #[must_use]
    pub fn secure_http1() -> &'static Self {
        Self::open(Manner { tls: true, only_http1: true, ..Manner::default() })
    }

    /// A new one that lets in clients with a certificate of its authority only.
    #[must_use]
    pub fn asking() -> &'static Self {
        Self::open(Manner { tls: true, asks_clients: true, ..Manner::default() })
    }

    fn open(manner: Manner) -> &'static Self {
        let authority = manner.tls.then(|| Authority::new("the web server's authority"));
        let tls = authority.as_ref().map(|authority| acceptor(authority, manner));
        let state = Arc::new(State::default());
        let listener =
            runtime().block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime().spawn(listen(listener, tls, Arc::clone(&state)));
        Box::leak(Box::new(Self { address, state, authority }))
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.authority.is_some()
    }

    /// Who signed its certificate.
    ///
    /// # Panics
    /// Where it has none.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        self.authority.as_ref().expect("a server with TLS")
    }

    /// Offers the repository `repo.git` in this directory.
    pub fn offer(&self, directory: &Path) {
        *self.state.repositories.lock().expect("nobody panicked") = directory.to_path_buf();
    }

    /// Answers as an API server of the recorded exchanges from now on, the one at this place first.
    pub fn replay(&self, at: usize) {
        *self.state.replay.lock().expect("nobody panicked") = Some(replay::Replay::Exchange(at));
    }

    /// Plays a recorded stream from now on.
    pub fn replay_stream(&self, stream: replay::Stream) {
        let replay = replay::Replay::Stream(Box::new(stream));
        *self.state.replay.lock().expect("nobody panicked") = Some(replay);
    }

    /// Every byte that it was sent so far, decrypted.
    #[must_use]
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.state.heard.lock().expect("nobody panicked")).into_owned()
    }

    /// The requests that reached it so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("nobody panicked").clone()
    }

    /// The last of them.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn last_seen(&self) -> Seen {
        self.seen().pop().expect("nothing has reached the server")
    }

    /// How many connections it has taken.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How many tokens it has given out.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.state.tokens.load(Ordering::SeqCst)
    }
}

fn acceptor(authority: &Authority, manner: Manner) -> TlsAcceptor {
    let identity = authority.issue(&[NAME, "localhost", "127.0.0.1"]);
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(identity.certificate_pem.as_bytes())
        .map(|one| one.expect("a certificate"))
        .collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("a key");
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("versions");
    let builder = if manner.asks_clients {
        let mut roots = rustls::RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes());
        roots.add(own.expect("a certificate")).expect("a root");
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
        );
        builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(certificates, key).expect("an identity");
    config.alpn_protocols = if manner.only_http1 {
        vec![b"http/1.1".to_vec()]
    } else {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    };
    TlsAcceptor::from(Arc::new(config))
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    while let Ok((tcp, _)) = listener.accept().await {
        state.accepted.fetch_add(1, Ordering::SeqCst);
        let _ = tcp.set_nodelay(true);
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            match tls {
                None => {
                    let over_http2 = begins_http2(&tcp).await;
                    serve(tcp, over_http2, state).await;
                }
                Some(tls) => {
                    if let Ok(stream) = tls.accept(tcp).await {
                        let over_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        serve(stream, over_http2, state).await;
                    }
                }
            }
        });
    }
}

async fn begins_http2(tcp: &TcpStream) -> bool {
    let mut first = [0; 3];
    matches!(tcp.peek(&mut first).await, Ok(3)) && first == *b"PRI"
}

async fn serve<S>(stream: S, over_http2: bool, state: Arc<State>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(Heard { stream, state: Arc::clone(&state) });
    let service = service_fn(move |request| pages::answer(Arc::clone(&state), request));
    if over_http2 {
        let _ = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .serve_connection(io, service)
            .await;
    } else {
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .preserve_header_case(true)
            .half_close(true)
            .serve_connection(io, service)
            .with_upgrades()
            .await;
    }
}

/// A stream whose bytes are kept as they come in.
struct Heard<S> {
    stream: S,
    state: Arc<State>,
}

/// Bodies of tests that stream are longer; their beginnings are of no interest.
const HEARD_BYTES_MAX: usize = 8 * 1024 * 1024;

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let new = buffer.filled().get(before..).unwrap_or_default();
        let mut heard = this.state.heard.lock().expect("nobody panicked");
        if heard.len() < HEARD_BYTES_MAX {
            heard.extend_from_slice(new);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
