//! What a client does before it is let in: encryption, and what it wants.
//!
//! Owns the packets before the first tagged message. Must not know who the client is (its socket
//! says that) nor whether it may come in. Ends with a [`Greeted`], or with the socket closed.
//!
//! ```text
//!  first byte 22 ──▶ TLS at once, ALPN "postgresql" ─┐
//!  GSSENCRequest ──▶ 'N' ──▶ again                   │
//!  SSLRequest ──▶ 'S' ──▶ TLS ───────────────────────┤
//!             └─▶ 'N' ──▶ again                      ▼
//!  CancelRequest ──▶ Cancel          StartupMessage ──▶ Session
//! ```
//!
//! Each request is taken once. Packets are read to their exact length, so that nothing sent in the
//! clear can be taken for something sent in TLS; a client that sends on without waiting for our
//! answer to `SSLRequest` is turned away (CVE-2021-23214 class).

use std::io;
use std::sync::Arc;

use model::Limits;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use wire::postgres::Violation;
use wire::postgres::backend::Severity;
use wire::postgres::startup::{self, Packet, Version};

use super::parameters::{self, Wanted};
use super::words::{Complaint, state};
use crate::session::Stream;

/// The protocol's name in ALPN.
pub(super) const ALPN: &[u8] = b"postgresql";
/// The first byte of a TLS record that begins a handshake.
const TLS_HANDSHAKE: u8 = 22;

/// What the client wants.
#[derive(Debug)]
pub(super) enum Greeted {
    /// A statement of another connection cancelled.
    Cancel {
        /// The process id we gave out.
        pid: i32,
        /// The key we gave out.
        key: Vec<u8>,
    },
    /// A session.
    Session(Box<Opening>),
}

/// A client that wants a session and waits for the answer.
#[derive(Debug)]
pub(super) struct Opening {
    /// Its stream, encrypted if it asked for that and we can.
    pub(super) stream: Stream,
    /// The version it asked for.
    pub(super) version: Version,
    /// What it asked for.
    pub(super) wanted: Wanted,
}

/// Why there is no session. The client has been told, where it could be.
#[derive(Debug, thiserror::Error)]
pub(super) enum GreetingError {
    /// It closed, or its socket failed.
    #[error("the client went away during its startup: {0}")]
    Gone(#[from] io::Error),
    /// It asked for what is not accepted.
    #[error("{0}")]
    Refused(String),
    /// It broke the protocol.
    #[error("{0}")]
    Violation(#[from] Violation),
    /// Its part of the startup took too long.
    #[error("the client did not finish its startup in time")]
    TimedOut,
}

/// Hears the client out, within the limits for one that nobody has let in yet.
///
/// # Errors
/// Where it goes away, breaks the protocol, takes too long, or asks for what is not accepted.
pub(super) async fn greet(
    stream: Stream,
    limits: &Limits,
    tls: Option<&Arc<ServerConfig>>,
) -> Result<Greeted, GreetingError> {
    tokio::time::timeout(limits.handshake_within, hear(stream, limits, tls))
        .await
        .unwrap_or(Err(GreetingError::TimedOut))
}

/// Which requests the client has used up.
#[derive(Default)]
struct Used {
    tls: bool,
    gss: bool,
}

async fn hear(
    mut stream: Stream,
    limits: &Limits,
    tls: Option<&Arc<ServerConfig>>,
) -> Result<Greeted, GreetingError> {
    let mut used = Used::default();
    if let Stream::Plain(tcp) = &stream
        && first_byte(tcp).await? == TLS_HANDSHAKE
    {
        stream = direct_tls(stream, tls).await?;
        used = Used { tls: true, gss: true };
    }
    loop {
        let packet = match read_packet(&mut stream, limits).await? {
            Ok(packet) => packet,
            Err(complaint) => return Err(turn_away(&mut stream, &complaint).await),
        };
        match startup::parse(&packet) {
            Ok(Packet::SslRequest) if !used.tls => {
                used.tls = true;
                stream = answer_ssl(stream, tls).await?;
            }
            Ok(Packet::GssEncRequest) if !used.gss => {
                used.gss = true;
                stream.write_all(b"N").await?;
                stream.flush().await?;
            }
            Ok(Packet::SslRequest | Packet::GssEncRequest) => {
                let complaint = Complaint::new(
                    state::PROTOCOL_VIOLATION,
                    "portcullis: encryption was asked for twice",
                );
                return Err(turn_away(&mut stream, &complaint).await);
            }
            Ok(Packet::Cancel { pid, key }) => {
                return Ok(Greeted::Cancel { pid, key: key.to_vec() });
            }
            Ok(Packet::Startup { version, parameters }) => {
                let wanted = check_version(version).and_then(|()| parameters::read(&parameters));
                return match wanted {
                    Ok(wanted) => {
                        Ok(Greeted::Session(Box::new(Opening { stream, version, wanted })))
                    }
                    Err(complaint) => Err(turn_away(&mut stream, &complaint).await),
                };
            }
            Err(violation) => {
                let complaint = Complaint::new(
                    state::PROTOCOL_VIOLATION,
                    format!("portcullis: invalid startup packet: {violation}"),
                );
                turn_away(&mut stream, &complaint).await;
                return Err(violation.into());
            }
        }
    }
}

async fn first_byte(tcp: &TcpStream) -> io::Result<u8> {
    let mut first = [0];
    if tcp.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let [first] = first;
    Ok(first)
}

/// Reads one packet to its exact length. The inner error is for the client.
async fn read_packet(
    stream: &mut Stream,
    limits: &Limits,
) -> io::Result<Result<Vec<u8>, Complaint>> {
    let mut packet = vec![0; 4];
    stream.read_exact(&mut packet).await?;
    match startup::packet_bytes(&packet, limits.startup_bytes_max) {
        Ok(Some(total)) => {
            packet.resize(total, 0);
            stream.read_exact(packet.get_mut(4..).unwrap_or_default()).await?;
            Ok(Ok(packet))
        }
        Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(violation) => Ok(Err(Complaint::new(
            state::PROTOCOL_VIOLATION,
            format!("portcullis: invalid startup packet: {violation}"),
        ))),
    }
}

fn check_version(version: Version) -> Result<(), Complaint> {
    if version.major == 3 {
        return Ok(());
    }
    Err(Complaint::new(
        state::FEATURE_NOT_SUPPORTED,
        format!(
            "unsupported frontend protocol {}.{}: the gateway supports 3.0 to 3.2",
            version.major, version.minor
        ),
    ))
}

async fn answer_ssl(
    mut stream: Stream,
    tls: Option<&Arc<ServerConfig>>,
) -> Result<Stream, GreetingError> {
    let (Some(config), true) = (tls, matches!(stream, Stream::Plain(_))) else {
        stream.write_all(b"N").await?;
        stream.flush().await?;
        return Ok(stream);
    };
    if let Stream::Plain(tcp) = &stream
        && has_sent_more(tcp)?
    {
        let complaint = Complaint::new(
            state::PROTOCOL_VIOLATION,
            "portcullis: received unencrypted data after the request for encryption",
        );
        return Err(turn_away(&mut stream, &complaint).await);
    }
    stream.write_all(b"S").await?;
    stream.flush().await?;
    accept_tls(stream, config).await
}

/// Whether bytes (or an end) are there before our answer has gone out.
fn has_sent_more(tcp: &TcpStream) -> io::Result<bool> {
    match tcp.try_read(&mut [0]) {
        Ok(count) => Ok(count > 0),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

async fn direct_tls(
    stream: Stream,
    tls: Option<&Arc<ServerConfig>>,
) -> Result<Stream, GreetingError> {
    let Some(config) = tls else {
        return Err(GreetingError::Refused(String::from("TLS is not offered here")));
    };
    let stream = accept_tls(stream, config).await?;
    if let Stream::TlsServer(session) = &stream
        && session.get_ref().1.alpn_protocol() == Some(ALPN)
    {
        return Ok(stream);
    }
    // As the server does: without the name, this may be another protocol's client.
    Err(GreetingError::Refused(String::from("TLS at once needs ALPN \"postgresql\"")))
}

async fn accept_tls(stream: Stream, config: &Arc<ServerConfig>) -> Result<Stream, GreetingError> {
    let Stream::Plain(tcp) = stream else {
        return Err(GreetingError::Refused(String::from("TLS within TLS")));
    };
    let session = TlsAcceptor::from(Arc::clone(config)).accept(tcp).await?;
    Ok(Stream::TlsServer(Box::new(session)))
}

/// Tells the client that it may not come in, and why.
async fn turn_away(stream: &mut Stream, complaint: &Complaint) -> GreetingError {
    let mut out = Vec::new();
    complaint.put(&mut out, Severity::Fatal);
    farewell(stream, &out).await;
    GreetingError::Refused(complaint.message.clone())
}

/// Sends a last message and closes our side, as far as the client still listens.
pub(super) async fn farewell(stream: &mut Stream, last: &[u8]) {
    if stream.write_all(last).await.is_ok() && stream.flush().await.is_ok() {
        // A failed shutdown changes nothing: the stream is dropped next.
        stream.shutdown().await.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::DuplexStream;
    use wire::postgres::backend::Fields;
    use wire::postgres::startup::{put_cancel, put_ssl_request, put_startup};

    fn startup_packet(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        put_startup(&mut out, Version::V3_0, pairs.iter().copied());
        out
    }

    fn start() -> (DuplexStream, tokio::task::JoinHandle<Result<Greeted, GreetingError>>) {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let greeting =
            tokio::spawn(
                async move { greet(Stream::Memory(server), &Limits::default(), None).await },
            );
        (client, greeting)
    }

    async fn told(client: &mut DuplexStream) -> (String, String) {
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all[0], b'E');
        let fields = Fields::read(&all[5..]).unwrap();
        assert!(fields.is_fatal());
        (fields.sqlstate().unwrap().into(), fields.message().into())
    }

    #[tokio::test]
    async fn encryption_is_declined_and_the_startup_goes_on_in_single_bytes() {
        let (mut client, greeting) = start();
        let mut answer = [0];
        client.write_all(&[0, 0, 0, 8, 4, 210, 22, 48]).await.unwrap();
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"N");
        let mut packet = Vec::new();
        put_ssl_request(&mut packet);
        client.write_all(&packet).await.unwrap();
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"N");
        for byte in startup_packet(&[(b"user", b"amy"), (b"database", b"shop")]) {
            client.write_all(&[byte]).await.unwrap();
        }
        let Ok(Greeted::Session(opening)) = greeting.await.unwrap() else { panic!("session") };
        assert_eq!(opening.wanted.database, "shop");
    }

    #[tokio::test]
    async fn encryption_asked_for_twice_is_refused() {
        let (mut client, greeting) = start();
        let mut packet = Vec::new();
        put_ssl_request(&mut packet);
        put_ssl_request(&mut packet);
        client.write_all(&packet).await.unwrap();
        let mut answer = [0];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(told(&mut client).await.0, "08P01");
        assert!(matches!(greeting.await.unwrap(), Err(GreetingError::Refused(_))));
    }

    #[tokio::test]
    async fn an_oversize_startup_is_refused_from_its_length() {
        let (mut client, greeting) = start();
        client.write_all(&10_000_000_i32.to_be_bytes()).await.unwrap();
        let (sqlstate, message) = told(&mut client).await;
        assert_eq!(sqlstate, "08P01");
        assert!(message.contains("10000000"), "{message}");
        assert!(greeting.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn another_major_version_is_refused_in_words() {
        let (mut client, greeting) = start();
        client.write_all(&[0, 0, 0, 9, 0, 2, 0, 0, 0]).await.unwrap();
        assert_eq!(told(&mut client).await.0, "0A000");
        assert!(greeting.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_cancel_request_is_heard_with_keys_of_both_lengths() {
        for key in [&[1u8, 2, 3, 4][..], &[7; 32]] {
            let (mut client, greeting) = start();
            let mut packet = Vec::new();
            put_cancel(&mut packet, 9, key);
            client.write_all(&packet).await.unwrap();
            let Ok(Greeted::Cancel { pid: 9, key: heard }) = greeting.await.unwrap() else {
                panic!("cancel")
            };
            assert_eq!(heard, key);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_at_any_byte_is_cut_off() {
        let packet = startup_packet(&[(b"user", b"amy")]);
        for sent in 0..packet.len() {
            let (mut client, greeting) = start();
            client.write_all(&packet[..sent]).await.unwrap();
            assert!(
                matches!(greeting.await.unwrap(), Err(GreetingError::TimedOut)),
                "after {sent} bytes"
            );
        }
    }
}
