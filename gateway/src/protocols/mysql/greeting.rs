//! What a client says before it is let in: encryption, who it is, what it wants.
//!
//! Owns the packets before the first command, on the client's side. Must not know who the client
//! really is (its socket says that) nor whether it may come in. Ends with an [`Opening`], whose
//! client waits for an OK or an ERR, or with the socket closed.
//!
//! ```text
//!  greeting ─▶ SSLRequest ─▶ TLS ─┐
//!       └──────────────────────── ▼
//!                     HandshakeResponse ─ mysql_native_password ──────────────▶ Opening
//!                                       ├ caching_sha2_password ─ its own dance ─▶
//!                                       └ another ─ switched to the first ───────▶
//! ```
//!
//! Any password is good, because the socket is the identity. It is never asked for as it is, only
//! as the answer to a challenge, and that is dropped unread. Packets are read to their exact
//! length, so that nothing sent in the clear can be taken for something sent in TLS.

use std::io;
use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use model::Limits;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use wire::mysql::auth::{CACHING_SHA2, FAST_SUCCESS, NATIVE, put_more, put_switch};
use wire::mysql::frame::{HEADER_BYTES, packet_header};
use wire::mysql::handshake::{Greeting, RESPONSE_HEAD_BYTES, Response, ResponseHead, SALT_BYTES};
use wire::mysql::{Capabilities, Violation, packet, status};

use super::seen::Server;
use super::words::{Complaint, code};
use crate::session::Stream;

/// A client that waits to be let in.
#[derive(Debug)]
pub(super) struct Opening {
    /// Its stream, encrypted if it asked for that.
    pub(super) stream: Stream,
    /// The number of the next packet to it.
    pub(super) sequence: u8,
    /// What it asked for.
    pub(super) wanted: Wanted,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The name it gave. It decides nothing.
    pub(super) user: String,
    /// The database, where it names one.
    pub(super) database: Option<String>,
    /// What was agreed on with it.
    pub(super) capabilities: Capabilities,
    /// The collation it wants.
    pub(super) collation: u8,
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

/// What a client is greeted with.
#[derive(Debug)]
pub(super) struct Hello<'a> {
    /// What the server behind is.
    pub(super) server: Server,
    /// The connection's number.
    pub(super) connection: u32,
    /// What TLS is spoken with, where it is offered.
    pub(super) tls: Option<&'a Arc<ServerConfig>>,
}

/// Greets a client and hears it out, within the limits for one that nobody has let in yet.
///
/// # Errors
/// Where it goes away, breaks the protocol, takes too long, or asks for what is not accepted.
pub(super) async fn greet(
    stream: Stream,
    limits: &Limits,
    hello: Hello<'_>,
) -> Result<Opening, GreetingError> {
    let greeting = Meeting { stream, sequence: 0, bytes_max: limits.startup_bytes_max };
    tokio::time::timeout(limits.handshake_within, greeting.hear(hello))
        .await
        .unwrap_or(Err(GreetingError::TimedOut))
}

struct Meeting {
    stream: Stream,
    sequence: u8,
    bytes_max: usize,
}

impl Meeting {
    async fn hear(mut self, hello: Hello<'_>) -> Result<Opening, GreetingError> {
        let tls = hello.tls.filter(|_| matches!(self.stream, Stream::Plain(_)));
        let mut offered = Capabilities::OFFERED;
        if tls.is_some() {
            offered = offered | Capabilities::SSL;
        }
        let salt = challenge()?;
        let greeting = Greeting {
            version: &hello.server.version,
            connection: hello.connection,
            capabilities: offered,
            collation: hello.server.collation,
            status: status::AUTOCOMMIT,
            salt,
            method: NATIVE,
        };
        self.say(|out| greeting.put(out)).await?;
        let mut payload = self.read().await?;
        let first = self.checked(ResponseHead::read(&payload)).await?;
        if first.capabilities.has(Capabilities::SSL) {
            let (Some(config), RESPONSE_HEAD_BYTES) = (tls, payload.len()) else {
                let complaint = Complaint::new(
                    code::OUT_OF_ORDER,
                    "portcullis: TLS was asked for where it is not offered",
                );
                return Err(self.turn_away(&complaint).await);
            };
            self = self.accept_tls(config).await?;
            payload = self.read().await?;
        }
        let wanted = {
            let read = Response::read(&payload, offered);
            let response = self.checked(read).await?;
            match wanted(&response) {
                Ok(wanted) => {
                    let (method, answered) = (response.method.map(<[u8]>::to_vec), response);
                    // The answer to the challenge is of no use: whatever it is, it is right.
                    let _ = answered;
                    self.finish_authentication(method.as_deref()).await?;
                    wanted
                }
                Err(complaint) => return Err(self.turn_away(&complaint).await),
            }
        };
        Ok(Opening { stream: self.stream, sequence: self.sequence, wanted })
    }

    /// Plays the client's method to its end. A client answers the challenge of the method that it
    /// names; one that names another than it was greeted with waits for that one's challenge.
    async fn finish_authentication(&mut self, method: Option<&[u8]>) -> Result<(), GreetingError> {
        let switch = match method {
            None | Some(NATIVE) => return Ok(()),
            Some(CACHING_SHA2) => CACHING_SHA2,
            Some(_) => NATIVE,
        };
        let salt = challenge()?;
        self.say(|out| put_switch(out, switch, &salt)).await?;
        let answer = self.read().await?;
        // An empty password is answered by nothing, or by a NUL, and nothing follows.
        if switch == CACHING_SHA2 && answer.len() > 1 {
            self.say(|out| put_more(out, &[FAST_SUCCESS])).await?;
        }
        Ok(())
    }

    async fn checked<T>(&mut self, read: Result<T, Violation>) -> Result<T, GreetingError> {
        match read {
            Ok(read) => Ok(read),
            Err(violation) => {
                let complaint = Complaint::new(
                    code::OUT_OF_ORDER,
                    format!("portcullis: invalid answer to the greeting: {violation}"),
                );
                self.turn_away(&complaint).await;
                Err(violation.into())
            }
        }
    }

    /// Reads one packet to its exact length.
    async fn read(&mut self) -> Result<Vec<u8>, GreetingError> {
        let mut header = [0; HEADER_BYTES];
        self.stream.read_exact(&mut header).await?;
        let (length, sequence) = packet_header(header);
        if sequence != self.sequence {
            let expected = self.sequence;
            return self.checked(Err(Violation::OutOfOrder { got: sequence, expected })).await;
        }
        self.sequence = sequence.wrapping_add(1);
        if length > self.bytes_max {
            let limit = self.bytes_max;
            return self.checked(Err(Violation::TooLong { length, limit })).await;
        }
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok(payload)
    }

    async fn say(&mut self, body: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut out = Vec::new();
        packet(&mut out, &mut self.sequence, body);
        self.stream.write_all(&out).await?;
        self.stream.flush().await
    }

    async fn accept_tls(self, config: &Arc<ServerConfig>) -> Result<Self, GreetingError> {
        let Stream::Plain(tcp) = self.stream else {
            return Err(GreetingError::Refused(String::from("TLS within TLS")));
        };
        let session = TlsAcceptor::from(Arc::clone(config)).accept(tcp).await?;
        Ok(Self { stream: Stream::TlsServer(Box::new(session)), ..self })
    }

    /// Tells the client that it may not come in, and why.
    async fn turn_away(&mut self, complaint: &Complaint) -> GreetingError {
        farewell(&mut self.stream, &mut self.sequence, complaint).await;
        GreetingError::Refused(complaint.message.clone())
    }
}

/// Sends a last message and closes our side, as far as the client still listens.
pub(super) async fn farewell(stream: &mut Stream, sequence: &mut u8, complaint: &Complaint) {
    let mut out = Vec::new();
    packet(&mut out, sequence, |out| complaint.put(out));
    if stream.write_all(&out).await.is_ok() && stream.flush().await.is_ok() {
        // A failed shutdown changes nothing: the stream is dropped next.
        stream.shutdown().await.unwrap_or_default();
    }
}

/// What the client wants, as far as it is text.
fn wanted(response: &Response<'_>) -> Result<Wanted, Complaint> {
    let text = |bytes: &[u8], what: &str| {
        String::from_utf8(bytes.to_vec()).map_err(|_| {
            Complaint::new(
                code::WRONG_STRING,
                format!("portcullis: the name of the {what} is not valid UTF-8"),
            )
        })
    };
    Ok(Wanted {
        user: text(response.user, "user")?,
        database: response.database.map(|name| text(name, "database")).transpose()?,
        capabilities: response.head.capabilities,
        collation: response.head.collation,
    })
}

/// A challenge: random bytes, none of which ends a text.
fn challenge() -> io::Result<Vec<u8>> {
    let mut salt = vec![0; SALT_BYTES];
    SystemRandom::new().fill(&mut salt).map_err(|_| io::Error::other("no randomness"))?;
    for byte in &mut salt {
        *byte = *byte % 94 + 33;
    }
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::DuplexStream;
    use wire::mysql::answer::ErrPacket;
    use wire::mysql::auth::{ED25519, Verdict};
    use wire::mysql::handshake::put_response;
    use wire::mysql::put_payload;

    type Greeted = tokio::task::JoinHandle<Result<Opening, GreetingError>>;

    fn start() -> (DuplexStream, Greeted) {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let greeting = tokio::spawn(async move {
            let hello = Hello { server: Server::default(), connection: 7, tls: None };
            greet(Stream::Memory(server), &Limits::default(), hello).await
        });
        (client, greeting)
    }

    async fn read(client: &mut DuplexStream) -> (u8, Vec<u8>) {
        let mut header = [0; HEADER_BYTES];
        client.read_exact(&mut header).await.unwrap();
        let (length, sequence) = packet_header(header);
        let mut payload = vec![0; length];
        client.read_exact(&mut payload).await.unwrap();
        (sequence, payload)
    }

    fn response(method: &[u8]) -> Vec<u8> {
        let head = ResponseHead {
            capabilities: Capabilities::OFFERED | Capabilities::LOCAL_FILES,
            packet_bytes_max: 1 << 24,
            collation: 28,
        };
        let mut payload = Vec::new();
        let none = std::iter::empty();
        put_response(&mut payload, &head, b"amy", &[9; 20], Some(b"shop"), method, none);
        let (mut out, mut sequence) = (Vec::new(), 1);
        put_payload(&mut out, &mut sequence, &payload);
        out
    }

    #[tokio::test]
    async fn a_client_is_greeted_and_heard_in_single_bytes() {
        let (mut client, greeting) = start();
        let (sequence, payload) = read(&mut client).await;
        let hello = Greeting::read(&payload).unwrap();
        assert_eq!((sequence, hello.connection, hello.method), (0, 7, NATIVE));
        assert_eq!(hello.salt.len(), SALT_BYTES);
        assert!(!hello.capabilities.has(Capabilities::SSL));
        for byte in response(NATIVE) {
            client.write_all(&[byte]).await.unwrap();
        }
        let opening = greeting.await.unwrap().unwrap();
        assert_eq!((opening.sequence, opening.wanted.user.as_str()), (2, "amy"));
        assert_eq!(opening.wanted.database.as_deref(), Some("shop"));
        assert!(!opening.wanted.capabilities.has(Capabilities::LOCAL_FILES));
    }

    #[tokio::test]
    async fn a_client_of_another_method_gets_its_own_or_the_one_all_speak() {
        for (method, switched, password) in [
            (CACHING_SHA2, CACHING_SHA2, true),
            (CACHING_SHA2, CACHING_SHA2, false),
            (ED25519, NATIVE, true),
            (b"mysql_clear_password", NATIVE, true),
        ] {
            let (mut client, greeting) = start();
            let _ = read(&mut client).await;
            client.write_all(&response(method)).await.unwrap();
            let (sequence, payload) = read(&mut client).await;
            let verdict = Verdict::read(&payload, Capabilities::OFFERED).unwrap();
            let Verdict::Switch { method, salt } = verdict else { panic!("a switch") };
            assert_eq!((sequence, method, salt.len()), (2, switched, SALT_BYTES + 1));
            let (mut out, mut next) = (Vec::new(), 3);
            let answer: &[u8] = if password { &[5; 32] } else { &[] };
            put_payload(&mut out, &mut next, answer);
            client.write_all(&out).await.unwrap();
            let dance = switched == CACHING_SHA2 && password;
            if dance {
                let (sequence, payload) = read(&mut client).await;
                assert_eq!((sequence, payload), (4, vec![1, FAST_SUCCESS]));
            }
            assert_eq!(greeting.await.unwrap().unwrap().sequence, if dance { 5 } else { 4 });
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_to_a_greeting_is_refused_in_words() {
        let ssl = {
            let head = ResponseHead {
                capabilities: Capabilities::OFFERED | Capabilities::SSL,
                packet_bytes_max: 0,
                collation: 8,
            };
            let mut payload = Vec::new();
            head.put(&mut payload);
            payload
        };
        let oversize = vec![0; 10_001];
        for (payload, number) in
            [(&b"hi"[..], 1), (&[0; 32][..], 1), (&ssl[..], 1), (&oversize[..], 1), (&b"x"[..], 9)]
        {
            let (mut client, greeting) = start();
            let _ = read(&mut client).await;
            let (mut out, mut sequence) = (Vec::new(), number);
            put_payload(&mut out, &mut sequence, payload);
            client.write_all(&out).await.unwrap();
            let (_, payload) = read(&mut client).await;
            assert!(ErrPacket::read(&payload).unwrap().message.starts_with(b"portcullis: "));
            assert!(greeting.await.unwrap().is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_at_any_byte_is_cut_off() {
        let response = response(NATIVE);
        for sent in 0..response.len() {
            let (mut client, greeting) = start();
            client.write_all(&response[..sent]).await.unwrap();
            let ended = greeting.await.unwrap();
            assert!(matches!(ended, Err(GreetingError::TimedOut)), "after {sent} bytes");
        }
    }
}
