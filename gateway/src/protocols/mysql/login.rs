//! Logging in upstream with the target's credential.
//!
//! Owns TLS negotiation and authentication as a client. Must not know the workload's client, nor
//! keep the credential longer than the login. Treats the server as hostile: bounded messages,
//! no downgrade, no secret in an error. Ends with a stream that is ready for commands.
//!
//! ```text
//!  greeting ─▶ SSLRequest ─▶ TLS ─▶ response ─┬─ mysql_native_password ───────────────▶ OK
//!       ▲                            ▲        ├─ client_ed25519 ──────────────────────▶
//!       │                            └ switch ┼─ caching_sha2_password, fast ─────────▶
//!   method and challenge                      └─ in full: over verified TLS as it is,
//!                                               on this host by the server's key ─────▶
//! ```

use model::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::mysql::answer::ErrPacket;
use wire::mysql::auth::{
    CACHING_SHA2, CLEAR, ED25519, FAST_SUCCESS, FULL_NEEDED, NATIVE, PUBLIC_KEY_REQUEST, Verdict,
};
use wire::mysql::frame::{HEADER_BYTES, packet_header};
use wire::mysql::handshake::{Greeting, ResponseHead, put_response};
use wire::mysql::{Capabilities, Violation, put_payload};

use super::greeting::Wanted;
use super::scramble;
use super::seen::{Server, read_greeting};
use crate::session::{Stream, Upstream, UpstreamError};

/// Bytes of the longest message a server may send before it is logged in to.
const LOGIN_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Messages a server may send before it is ready; real ones send at most five.
const LOGIN_MESSAGES_MAX: usize = 12;
/// Bytes of the longest packet we want; every server allows that much.
const PACKET_BYTES_MAX: u32 = 1 << 30;
/// The collation of a session whose client wants none of `utf8mb4`.
const UTF8MB4: u8 = 45;

/// A server that is ready for commands.
#[derive(Debug)]
pub(super) struct LoggedIn {
    /// The stream.
    pub(super) stream: Stream,
    /// What was agreed on with it.
    pub(super) capabilities: Capabilities,
    /// What it is.
    pub(super) server: Server,
    /// The status it logged us in with.
    pub(super) status: u16,
}

/// Why there is no login. No text here holds a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginError {
    /// The stream failed.
    #[error("the upstream closed or failed during login: {0}")]
    Io(#[from] std::io::Error),
    /// The server broke the protocol.
    #[error("the upstream broke the protocol during login: {0}")]
    Violation(#[from] Violation),
    /// The server sent what does not belong there.
    #[error("the upstream sent {0} during login")]
    Unexpected(&'static str),
    /// TLS is wanted and the server has none.
    #[error("the upstream does not offer TLS, which the target's configuration asks for")]
    NoTls,
    /// TLS failed.
    #[error("{0}")]
    Tls(UpstreamError),
    /// The server is too old.
    #[error("the upstream is older than MySQL 5.7 and MariaDB 10.2")]
    TooOld,
    /// The server asks for something we do not give.
    #[error("the upstream asks for {0}")]
    Method(&'static str),
    /// The server said no.
    #[error("the upstream refused the login (error {code})")]
    Refused {
        /// Its number.
        code: u16,
    },
}

/// Logs in. The caller bounds the time.
///
/// # Errors
/// Where the server cannot be trusted, says no, or breaks the protocol.
pub(super) async fn log_in(upstream: Upstream, wanted: &Wanted) -> Result<LoggedIn, LoginError> {
    let mut upstream = upstream;
    let payload = read_greeting(&mut upstream.stream)
        .await?
        .ok_or(LoginError::Unexpected("something other than a greeting"))?;
    if payload.first() == Some(&0xff) {
        return Err(refused(&ErrPacket::read(&payload)?));
    }
    let greeting = Greeting::read(&payload)?;
    if !greeting.capabilities.has(Capabilities::NEEDED) {
        return Err(LoginError::TooOld);
    }
    let mut head = ResponseHead {
        capabilities: agreed(wanted),
        packet_bytes_max: PACKET_BYTES_MAX,
        collation: collation(wanted.collation),
    };
    let mut sequence = 1;
    if upstream.wants_tls() {
        if !greeting.capabilities.has(Capabilities::SSL) {
            return Err(LoginError::NoTls);
        }
        head.capabilities = head.capabilities | Capabilities::SSL;
        let (mut request, mut out) = (Vec::new(), Vec::new());
        head.put(&mut request);
        put_payload(&mut out, &mut sequence, &request);
        upstream.stream.write_all(&out).await?;
        upstream.stream.flush().await?;
        upstream = upstream.start_tls().await.map_err(LoginError::Tls)?;
    }
    let credential = upstream.credential.take().ok_or(LoginError::Method("a credential"))?;
    let user = credential.user.ok_or(LoginError::Method("a user name"))?;
    let mut login = Login {
        verified: upstream.is_verified(),
        nearby: !upstream.stream.is_encrypted() && upstream.address.ip().is_loopback(),
        stream: upstream.stream,
        sequence,
        password: credential.password.unwrap_or_else(|| Secret::new(String::new())),
        capabilities: head.capabilities,
    };
    let status = login.run(&head, &user, wanted.database.as_deref(), &greeting).await?;
    Ok(LoggedIn {
        stream: login.stream,
        capabilities: head.capabilities,
        server: Server::of(&greeting),
        status,
    })
}

/// What is asked of the server: what is needed, and what the client chose.
fn agreed(wanted: &Wanted) -> Capabilities {
    let mut capabilities = Capabilities::NEEDED
        | Capabilities::LONG_PASSWORD
        | Capabilities::CONNECT_ATTRS
        | (wanted.capabilities & Capabilities::CARRIED);
    if wanted.database.is_some() {
        capabilities = capabilities | Capabilities::CONNECT_WITH_DB;
    }
    capabilities
}

/// Whether it is a collation of utf8, of utf8mb4, or of bytes.
pub(super) const fn is_utf8(collation: u8) -> bool {
    matches!(collation, 33 | 45 | 46 | 63 | 76 | 83 | 192..=247 | 255)
}

/// The client's collation where it is one of `utf8mb4`, whose numbers up to a byte are these.
const fn collation(wanted: u8) -> u8 {
    match wanted {
        45 | 46 | 224..=247 | 255 => wanted,
        _ => UTF8MB4,
    }
}

struct Login {
    /// Whether it is known who answers.
    verified: bool,
    /// Whether the server is on this host, and the connection in the clear.
    nearby: bool,
    stream: Stream,
    sequence: u8,
    password: Secret<String>,
    capabilities: Capabilities,
}

/// How far a method has got.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// The server has all that it needs.
    Answered,
    /// `caching_sha2_password`: the fast way was tried.
    Fast {
        /// Its challenge.
        salt: Vec<u8>,
    },
    /// It knew the user: an OK follows.
    Known,
    /// The server was asked for its key.
    Key {
        /// The challenge.
        salt: Vec<u8>,
    },
}

impl Login {
    async fn run(
        &mut self,
        head: &ResponseHead,
        user: &str,
        database: Option<&str>,
        greeting: &Greeting<'_>,
    ) -> Result<u16, LoginError> {
        // For a method that only a switch can bring, the answer is that of the one all know: empty.
        let known = [NATIVE, CACHING_SHA2].into_iter().find(|known| *known == greeting.method);
        let (proof, mut stage) = match known {
            Some(method) => self.proof(method, &greeting.salt)?,
            None => (Secret::new(Vec::new()), Stage::Answered),
        };
        let mut response = Vec::new();
        let attributes: [(&[u8], &[u8]); 1] = [(b"_client_name", b"portcullis")];
        put_response(
            &mut response,
            head,
            user.as_bytes(),
            proof.expose(),
            database.map(str::as_bytes),
            known.unwrap_or(NATIVE),
            attributes.into_iter(),
        );
        self.send(&Secret::new(response)).await?;
        let mut switched = false;
        for _ in 0..LOGIN_MESSAGES_MAX {
            let payload = self.read().await?;
            match Verdict::read(&payload, self.capabilities)? {
                // Only after the method has run to its end: an early OK proves nothing, and with
                // passwords nothing ever does; the server's certificate is what it is known by.
                Verdict::Ok(ok) => return Ok(ok.status),
                Verdict::Refused(error) => return Err(refused(&error)),
                Verdict::Switch { method, salt } if !switched => {
                    switched = true;
                    let (proof, next) = self.proof(method, salt)?;
                    stage = next;
                    self.send(&proof).await?;
                }
                Verdict::Switch { .. } => return Err(LoginError::Unexpected("a second switch")),
                Verdict::More(data) => stage = self.go_on(stage, data).await?,
            }
        }
        Err(LoginError::Unexpected("too many messages"))
    }

    /// The first answer of a method.
    fn proof(&self, method: &[u8], salt: &[u8]) -> Result<(Secret<Vec<u8>>, Stage), LoginError> {
        let short = LoginError::Unexpected("a challenge that is none");
        match method {
            NATIVE => {
                let proof = scramble::native(&self.password, salt).ok_or(short)?;
                Ok((proof, Stage::Answered))
            }
            CACHING_SHA2 => {
                let proof = scramble::caching_sha2(&self.password, salt).ok_or(short)?;
                Ok((proof, Stage::Fast { salt: salt.to_vec() }))
            }
            ED25519 => {
                let proof = scramble::ed25519(&self.password, salt).ok_or(short)?;
                Ok((proof, Stage::Answered))
            }
            CLEAR if self.verified => Ok((scramble::in_full(&self.password), Stage::Answered)),
            // Whoever answers an unverified connection would only have to ask.
            CLEAR => Err(LoginError::Method(
                "the password in the clear, over a connection that is not verified TLS",
            )),
            _ => Err(LoginError::Method("a method that is not supported")),
        }
    }

    /// Goes on with `caching_sha2_password`.
    async fn go_on(&mut self, stage: Stage, data: &[u8]) -> Result<Stage, LoginError> {
        match (stage, data) {
            (Stage::Fast { .. }, [FAST_SUCCESS]) => Ok(Stage::Known),
            (Stage::Fast { .. }, [FULL_NEEDED]) if self.verified => {
                let password = scramble::in_full(&self.password);
                self.send(&password).await?;
                Ok(Stage::Answered)
            }
            // A key that comes in the clear may be anybody's, unless it comes from this host.
            (Stage::Fast { salt }, [FULL_NEEDED]) if self.nearby => {
                self.send(&Secret::new(vec![PUBLIC_KEY_REQUEST])).await?;
                Ok(Stage::Key { salt })
            }
            (Stage::Fast { .. }, [FULL_NEEDED]) => Err(LoginError::Method(
                "the password itself, over a connection that is not verified TLS",
            )),
            (Stage::Key { salt }, key) => {
                let sealed = scramble::encrypted(&self.password, &salt, key)
                    .ok_or(LoginError::Unexpected("a key that is none"))?;
                self.send(&sealed).await?;
                Ok(Stage::Answered)
            }
            _ => Err(LoginError::Unexpected("more of a method that has ended")),
        }
    }

    async fn send(&mut self, payload: &Secret<Vec<u8>>) -> Result<(), LoginError> {
        let mut out = zeroize::Zeroizing::new(Vec::with_capacity(payload.expose().len() + 4));
        put_payload(&mut out, &mut self.sequence, payload.expose());
        self.stream.write_all(&out).await?;
        self.stream.flush().await?;
        Ok(())
    }

    async fn read(&mut self) -> Result<Vec<u8>, LoginError> {
        let mut header = [0; HEADER_BYTES];
        self.stream.read_exact(&mut header).await?;
        let (length, sequence) = packet_header(header);
        if sequence != self.sequence {
            let expected = self.sequence;
            return Err(Violation::OutOfOrder { got: sequence, expected }.into());
        }
        self.sequence = sequence.wrapping_add(1);
        if length > LOGIN_MESSAGE_BYTES_MAX {
            let limit = LOGIN_MESSAGE_BYTES_MAX;
            return Err(Violation::TooLong { length, limit }.into());
        }
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok(payload)
    }
}

fn refused(error: &ErrPacket<'_>) -> LoginError {
    LoginError::Refused { code: error.code }
}
