//! The first bytes of a client, and TLS with it.
//!
//! Owns telling TLS from HTTP in the clear, and what a client says in its hello, without taking a
//! byte: whether the connection passes as it is, is decided by then. Must not know who the client is.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::Acceptor;
use rustls::{AlertDescription, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use wire::http::Authority;

use crate::session::Stream;

/// The first byte of a TLS record that begins a handshake.
const TLS_HANDSHAKE: u8 = 22;
/// How a client of HTTP/2 begins that knows its server (RFC 9113 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a hello.
const HELLO_BYTES_MAX: usize = 32 * 1024;
/// Between two looks at a hello that comes in pieces: a peek cannot wait for more than one byte.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// What a client begins with.
#[derive(Clone, Debug)]
pub(super) enum Greeting {
    /// TLS.
    Tls {
        /// The name it asks for, in lower case.
        name: Option<Arc<str>>,
        /// The protocols it offers, the better first.
        alpn: Vec<Vec<u8>>,
    },
    /// HTTP/1 in the clear.
    Http1,
    /// HTTP/2 in the clear.
    Http2,
    /// Nothing: it has closed.
    Gone,
}

/// Looks at the first bytes.
///
/// # Errors
/// The socket's, and what is no hello.
pub(super) async fn look(stream: &Stream) -> io::Result<Greeting> {
    match stream {
        Stream::Plain(tcp) => peek(tcp, read).await,
        _ => Ok(Greeting::Http1),
    }
}

/// The host that a client asks for: the name in TLS, or that of its first request in the clear.
/// Whether each of its requests is for this host is seen to later.
pub(in crate::protocols) async fn server_name(tcp: &TcpStream) -> Option<Arc<str>> {
    match peek(tcp, read).await.ok()? {
        Greeting::Tls { name, .. } => name,
        Greeting::Http1 => peek(tcp, read_host).await.ok()?,
        Greeting::Http2 | Greeting::Gone => None,
    }
}

/// The host of a head, once there is the whole of it.
fn read_host(held: &[u8]) -> io::Result<Option<Option<Arc<str>>>> {
    let Some(end) = memchr::memmem::find(held, b"\r\n\r\n") else {
        return Ok(held.is_empty().then_some(None));
    };
    let head = std::str::from_utf8(held.get(..end).unwrap_or_default()).unwrap_or_default();
    let mut hosts = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = hosts.next().and_then(|(_, value)| Authority::read(value.trim()).ok());
    Ok(Some(host.map(|authority| authority.host.as_ref().into())))
}

/// What a client begins with, once that is clear.
fn read(held: &[u8]) -> io::Result<Option<Greeting>> {
    match held.first() {
        None => Ok(Some(Greeting::Gone)),
        Some(&TLS_HANDSHAKE) => read_hello(held),
        Some(_) if held.starts_with(PREFACE) => Ok(Some(Greeting::Http2)),
        Some(_) if !PREFACE.starts_with(held) => Ok(Some(Greeting::Http1)),
        Some(_) => Ok(None),
    }
}

/// Looks at what has come until `read` has found in it what it looks for. At the end of what comes
/// it is given nothing.
async fn peek<T>(tcp: &TcpStream, read: impl Fn(&[u8]) -> io::Result<Option<T>>) -> io::Result<T> {
    let mut bytes = vec![0; 4 * 1024];
    let mut seen = 0;
    loop {
        let length = tcp.peek(&mut bytes).await?;
        let held = bytes.get(..length).unwrap_or_default();
        if let Some(found) = read(held)? {
            return Ok(found);
        }
        if length == bytes.len() {
            if length >= HELLO_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the hello is too long"));
            }
            bytes.resize(length * 2, 0);
        } else if length == seen {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
        seen = length;
    }
}

fn read_hello(mut bytes: &[u8]) -> io::Result<Option<Greeting>> {
    let mut acceptor = Acceptor::default();
    while !bytes.is_empty() {
        acceptor.read_tls(&mut bytes)?;
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                let hello = accepted.client_hello();
                return Ok(Some(Greeting::Tls {
                    name: hello.server_name().map(|name| name.to_ascii_lowercase().into()),
                    alpn: hello
                        .alpn()
                        .map(|names| names.map(<[u8]>::to_vec).collect())
                        .unwrap_or_default(),
                }));
            }
            Ok(None) => {}
            Err((error, _)) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
    Ok(None)
}

/// What the client speaks of what it offers, in the order of its liking; HTTP/1.1 where it offers
/// nothing.
pub(super) fn offered(alpn: &[Vec<u8>]) -> Vec<&[u8]> {
    let known: Vec<&[u8]> =
        alpn.iter().map(Vec::as_slice).filter(|name| super::ALPN.contains(name)).collect();
    if known.is_empty() && alpn.is_empty() { vec![b"http/1.1"] } else { known }
}

/// Why there is no TLS with a client.
#[derive(Debug)]
pub(super) enum Unencrypted {
    /// It saw our certificate and went away.
    Distrusts(io::Error),
    /// Anything else.
    Failed(io::Error),
}

/// Does the handshake. `agreed` is what is spoken with the upstream.
pub(super) async fn encrypt(
    tcp: TcpStream,
    config: &ServerConfig,
    agreed: Option<&[u8]>,
) -> Result<Stream, Unencrypted> {
    let mut config = config.clone();
    config.alpn_protocols = agreed.map(<[u8]>::to_vec).into_iter().collect();
    let accepted = TlsAcceptor::from(Arc::new(config)).accept(tcp).await;
    match accepted {
        Ok(stream) => Ok(Stream::TlsServer(Box::new(stream))),
        Err(error) if is_distrust(&error) => Err(Unencrypted::Distrusts(error)),
        Err(error) => Err(Unencrypted::Failed(error)),
    }
}

/// Some programs say what they think of a certificate, some just hang up.
fn is_distrust(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(alert)) => matches!(
            alert,
            AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::AccessDenied
        ),
        Some(_) => false,
        None => super::upstream::is_end(error),
    }
}
