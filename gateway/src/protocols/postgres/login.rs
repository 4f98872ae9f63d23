//! Logging in upstream with the target's credential.
//!
//! Owns TLS negotiation and authentication as a client. Must not know the workload's client, nor
//! keep the credential longer than the login. Treats the server as hostile: bounded messages,
//! no downgrade, no secret in an error. Ends with a stream that is ready for statements.
//!
//! ```text
//!  SSLRequest ─ 'S' ─▶ TLS ─▶ Startup ─▶ SCRAM(-PLUS) | MD5 | password (verified TLS only) | nothing
//!                                             │
//!                        AuthenticationOk ◀───┘ ─▶ ParameterStatus*, KeyData ─▶ ReadyForQuery
//! ```

use model::Secret;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::postgres::Violation;
use wire::postgres::backend::{Authentication, Fields, KeyData, Kind, ParameterStatus};
use wire::postgres::frame::{Frame, Framer, Step};
use wire::postgres::frontend::{put_password, put_sasl_initial_response, put_sasl_response};
use wire::postgres::startup::{Version, put_ssl_request, put_startup};

use super::cancel::UpstreamKey;
use super::parameters::{PINS, Wanted};
use crate::session::{Stream, Upstream, UpstreamError};

/// Bytes of the longest message a server may send before it is logged in to.
const LOGIN_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Messages a server may send before it is ready; real ones send about twenty.
const LOGIN_MESSAGES_MAX: usize = 1_000;

/// A server that is ready for statements.
#[derive(Debug)]
pub(super) struct LoggedIn {
    /// The stream.
    pub(super) stream: Stream,
    /// What has been read from it and not looked at.
    pub(super) framer: Framer,
    /// Name and value of each parameter it reported.
    pub(super) parameters: Vec<(String, String)>,
    /// What cancels there; some servers give none.
    pub(super) key: Option<UpstreamKey>,
    /// The database user.
    pub(super) user: String,
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
    /// The server asks for something we do not give.
    #[error("the upstream asks for {0}")]
    Method(&'static str),
    /// The server could not prove that it knows the password, or did not try.
    #[error("the upstream did not prove that it knows the credential")]
    Unproven,
    /// The server said no.
    #[error("the upstream refused the login (SQLSTATE {sqlstate})")]
    Refused {
        /// Its code; `XX000` where it gave none.
        sqlstate: String,
    },
}

/// Logs in. The caller bounds the time.
///
/// # Errors
/// Where the server cannot be trusted, says no, or breaks the protocol.
pub(super) async fn log_in(upstream: Upstream, wanted: &Wanted) -> Result<LoggedIn, LoginError> {
    let mut upstream = negotiate_tls(upstream).await?;
    let credential = upstream.credential.take().ok_or(LoginError::Method("a credential"))?;
    let mut login = Login {
        verified: upstream.is_verified(),
        channel_binding: upstream.channel_binding().map(<[u8]>::to_vec),
        stream: upstream.stream,
        framer: Framer::new(8 * 1024, 256 * 1024),
        user: credential.user.ok_or(LoginError::Method("a user name"))?,
        password: credential.password,
        proof: Proof::NotAsked,
    };
    login.start(wanted).await?;
    login.finish().await
}

/// Asks for TLS where the target's configuration does.
///
/// # Errors
/// Where the server has none, or cannot be trusted.
pub(super) async fn negotiate_tls(mut upstream: Upstream) -> Result<Upstream, LoginError> {
    if !upstream.wants_tls() {
        return Ok(upstream);
    }
    let mut request = Vec::new();
    put_ssl_request(&mut request);
    upstream.stream.write_all(&request).await?;
    upstream.stream.flush().await?;
    // Exactly one byte: what follows must be TLS, never something said in the clear.
    match upstream.stream.read_u8().await? {
        b'S' => upstream.start_tls().await.map_err(LoginError::Tls),
        b'N' => Err(LoginError::NoTls),
        // An ErrorResponse at this point comes from nobody we know (CVE-2024-10977 class).
        _ => Err(LoginError::Unexpected("something other than an answer to SSLRequest")),
    }
}

/// How far the server has got with proving itself.
enum Proof {
    /// It has not asked for anything.
    NotAsked,
    /// A SCRAM exchange is under way: only its end may bring `AuthenticationOk`.
    Scram(Box<ScramSha256>),
    /// SCRAM has ended well, or a password was sent.
    Done,
    /// `AuthenticationOk` has come.
    In,
}

struct Login {
    /// Whether it is known who answers.
    verified: bool,
    channel_binding: Option<Vec<u8>>,
    stream: Stream,
    framer: Framer,
    user: String,
    password: Option<Secret<String>>,
    proof: Proof,
}

impl Login {
    async fn start(&mut self, wanted: &Wanted) -> Result<(), LoginError> {
        let mut packet = Vec::new();
        let fixed = [("user", self.user.as_str()), ("database", wanted.database.as_str())];
        let chosen = wanted.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = fixed.into_iter().chain(chosen).chain(PINS.iter().copied());
        put_startup(
            &mut packet,
            Version::V3_0,
            pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        );
        self.send(&packet).await
    }

    async fn finish(mut self) -> Result<LoggedIn, LoginError> {
        let mut parameters = Vec::new();
        let mut key = None;
        for _ in 0..LOGIN_MESSAGES_MAX {
            let frame = self.next().await?;
            let body = self.framer.body(&frame).to_vec();
            match Kind::from_tag(frame.tag) {
                Some(Kind::Authentication) => self.authenticate(&body).await?,
                Some(Kind::Error) => return Err(refused(&body)),
                Some(Kind::Notice | Kind::NegotiateVersion) => {}
                Some(kind) if !matches!(self.proof, Proof::In) => {
                    return Err(LoginError::Unexpected(match kind {
                        Kind::ReadyForQuery => "ReadyForQuery before AuthenticationOk",
                        _ => "something before AuthenticationOk",
                    }));
                }
                Some(Kind::ParameterStatus) => {
                    let status = ParameterStatus::read(&body)?;
                    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                    parameters.push((text(status.name), text(status.value)));
                }
                Some(Kind::KeyData) => {
                    let data = KeyData::read(&body)?;
                    let secret = Secret::new(data.key.to_vec());
                    key = Some(UpstreamKey { pid: data.pid, key: secret });
                }
                Some(Kind::ReadyForQuery) => {
                    self.framer.consume();
                    return Ok(LoggedIn {
                        stream: self.stream,
                        framer: self.framer,
                        parameters,
                        key,
                        user: self.user,
                    });
                }
                _ => return Err(LoginError::Unexpected("a message that does not belong there")),
            }
        }
        Err(LoginError::Unexpected("too many messages"))
    }

    async fn next(&mut self) -> Result<Frame, LoginError> {
        self.framer.consume();
        loop {
            match self.framer.step(LOGIN_MESSAGE_BYTES_MAX)? {
                Step::Frame(frame) => return Ok(frame),
                Step::Large { length, .. } => {
                    let limit = LOGIN_MESSAGE_BYTES_MAX;
                    return Err(Violation::TooLong { length, limit }.into());
                }
                Step::Chunk { .. } => return Err(LoginError::Unexpected("a part of a message")),
                Step::NeedMore { missing } => {
                    let space = self.framer.space(missing);
                    let count = self.stream.read(space).await?;
                    if count == 0 {
                        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
                    }
                    self.framer.filled(count);
                }
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), LoginError> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    async fn authenticate(&mut self, body: &[u8]) -> Result<(), LoginError> {
        let mut out = Vec::new();
        match (Authentication::read(body)?, std::mem::replace(&mut self.proof, Proof::Done)) {
            (Authentication::Ok, Proof::NotAsked | Proof::Done) => {
                self.proof = Proof::In;
                return Ok(());
            }
            (Authentication::Ok, Proof::Scram(_)) => return Err(LoginError::Unproven),
            (Authentication::Cleartext, Proof::NotAsked) => {
                // Whoever answers an unverified connection would only have to ask.
                if !self.verified {
                    return Err(LoginError::Method(
                        "the password in the clear, over a connection that is not verified TLS",
                    ));
                }
                put_password(&mut out, self.password()?.as_bytes());
            }
            (Authentication::Md5 { salt }, Proof::NotAsked) => {
                let password = self.password()?.as_bytes();
                let hash = Secret::new(md5_hash(self.user.as_bytes(), password, salt));
                put_password(&mut out, hash.expose().as_bytes());
            }
            (Authentication::Sasl { mechanisms }, Proof::NotAsked) => {
                let (mechanism, binding) = self.mechanism(
                    mechanisms.offer(SCRAM_SHA_256_PLUS),
                    mechanisms.offer(SCRAM_SHA_256),
                )?;
                let scram = ScramSha256::new(self.password()?.as_bytes(), binding);
                put_sasl_initial_response(&mut out, mechanism, scram.message());
                self.proof = Proof::Scram(Box::new(scram));
            }
            (Authentication::SaslContinue { data }, Proof::Scram(mut scram)) => {
                scram.update(data).map_err(|_| LoginError::Unproven)?;
                put_sasl_response(&mut out, scram.message());
                self.proof = Proof::Scram(scram);
            }
            (Authentication::SaslFinal { data }, Proof::Scram(mut scram)) => {
                return scram.finish(data).map_err(|_| LoginError::Unproven);
            }
            (Authentication::Other { .. }, _) => {
                return Err(LoginError::Method("a method that is not password or SCRAM"));
            }
            _ => return Err(LoginError::Unexpected("authentication out of order")),
        }
        let sent = self.send(&out).await;
        zeroize::Zeroize::zeroize(&mut out);
        sent
    }

    fn password(&self) -> Result<&str, LoginError> {
        self.password
            .as_ref()
            .map(|password| password.expose().as_str())
            .ok_or(LoginError::Method("a password, and the target has none"))
    }

    /// Channel binding wherever both sides can: a man in the middle with a certificate we trust
    /// still cannot log in with our proof.
    fn mechanism(
        &self,
        plus: bool,
        plain: bool,
    ) -> Result<(&'static str, ChannelBinding), LoginError> {
        match &self.channel_binding {
            Some(hash) if plus => {
                Ok((SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash.clone())))
            }
            // We could have and the server does not offer it: it learns that, and complains if it
            // did offer it and somebody took it out.
            Some(_) if plain => Ok((SCRAM_SHA_256, ChannelBinding::unrequested())),
            None if plain => Ok((SCRAM_SHA_256, ChannelBinding::unsupported())),
            _ => Err(LoginError::Method("a SASL mechanism other than SCRAM-SHA-256")),
        }
    }
}

fn refused(body: &[u8]) -> LoginError {
    let sqlstate = Fields::read(body)
        .ok()
        .and_then(|fields| fields.sqlstate().map(str::to_owned))
        .unwrap_or_else(|| String::from("XX000"));
    LoginError::Refused { sqlstate }
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;
    use wire::postgres::{message, put_i32};

    use super::*;

    /// A login against a server that says `script`, message by message, each after the client has
    /// said something. Returns what the client said last.
    async fn against(script: &[Vec<u8>], verified: bool) -> (Result<(), LoginError>, Vec<u8>) {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let script = script.to_vec();
        let server = tokio::spawn(async move {
            let mut last = heard(&mut far).await;
            for said in script {
                far.write_all(&said).await.unwrap();
                last = heard(&mut far).await;
            }
            last
        });
        let mut login = Login {
            verified,
            channel_binding: None,
            stream: Stream::Memory(near),
            framer: Framer::new(64, 1024),
            user: "app".into(),
            password: Some(Secret::new("canary".into())),
            proof: Proof::NotAsked,
        };
        let wanted = Wanted { user: "amy".into(), database: "shop".into(), ..Wanted::default() };
        login.start(&wanted).await.unwrap();
        // The stream goes with what was logged in, so that the server hears the end.
        let end = login.finish().await.map(drop);
        (end, server.await.unwrap())
    }

    async fn heard(far: &mut DuplexStream) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let count = far.read(&mut bytes).await.unwrap();
        bytes.truncate(count);
        bytes
    }

    fn asks(code: i32, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        message(&mut out, b'R', |out| {
            put_i32(out, code);
            out.extend_from_slice(data);
        });
        out
    }

    fn ready() -> Vec<u8> {
        [asks(0, &[]), b"Z\0\0\0\x05I".to_vec()].concat()
    }

    #[tokio::test]
    async fn a_password_is_hashed_for_md5_and_never_sent_in_the_clear_unverified() {
        let (end, _) = against(&[asks(5, &[1, 2, 3, 4]), ready()], false).await;
        assert!(end.is_ok());
        let (end, said) = against(&[asks(3, &[])], false).await;
        assert!(matches!(end, Err(LoginError::Method(_))));
        assert!(!said.windows(6).any(|six| six == b"canary"));
        let (end, _) = against(&[asks(3, &[]), ready()], true).await;
        assert!(end.is_ok());
    }

    #[tokio::test]
    async fn a_server_that_skips_its_proof_is_not_believed() {
        let sasl = asks(10, b"SCRAM-SHA-256\0\0");
        let (end, _) = against(&[sasl.clone(), ready()], false).await;
        assert!(matches!(end, Err(LoginError::Unproven)), "{end:?}");
        // Nor one that asks for something weaker in the middle.
        let (end, said) = against(&[sasl.clone(), asks(5, &[1, 2, 3, 4])], false).await;
        assert!(matches!(end, Err(LoginError::Unexpected(_))), "{end:?}");
        assert!(!said.windows(3).any(|three| three == b"md5"));
        let (end, _) = against(&[sasl, asks(12, b"v=AAAA")], false).await;
        assert!(matches!(end, Err(LoginError::Unproven)), "{end:?}");
    }

    #[tokio::test]
    async fn a_server_that_asks_for_endless_work_is_refused() {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(async move {
            heard(&mut far).await;
            far.write_all(&asks(10, b"SCRAM-SHA-256\0\0")).await.unwrap();
            let first = heard(&mut far).await;
            let text = String::from_utf8_lossy(&first).into_owned();
            let nonce = text.rsplit("r=").next().unwrap().to_owned();
            let challenge = format!("r={nonce}more,s=QUFBQQ==,i=2000000000");
            far.write_all(&asks(11, challenge.as_bytes())).await.unwrap();
            heard(&mut far).await
        });
        let mut login = Login {
            verified: false,
            channel_binding: None,
            stream: Stream::Memory(near),
            framer: Framer::new(64, 1024),
            user: "app".into(),
            password: Some(Secret::new("canary".into())),
            proof: Proof::NotAsked,
        };
        login.start(&Wanted::default()).await.unwrap();
        let end = login.finish().await;
        assert!(matches!(end, Err(LoginError::Unproven)), "{end:?}");
        assert!(server.await.unwrap().is_empty(), "nothing was sent after the challenge");
    }

    #[tokio::test]
    async fn what_does_not_belong_in_a_login_ends_it() {
        let mut error = Vec::new();
        message(&mut error, b'E', |out| out.extend_from_slice(b"Mno code\0\0"));
        let (end, _) = against(&[error], false).await;
        assert!(matches!(end, Err(LoginError::Refused { sqlstate }) if sqlstate == "XX000"));
        for said in [
            b"Z\0\0\0\x05I".to_vec(),
            b"D\0\0\0\x06\0\0".to_vec(),
            asks(7, &[]),
            b"R\x7f\xff\xff\xff".to_vec(),
            b"S\0\0\xff\xff".to_vec(),
        ] {
            let (near, mut far) = tokio::io::duplex(64 * 1024);
            far.write_all(&said).await.unwrap();
            far.shutdown().await.unwrap();
            let login = Login {
                verified: false,
                channel_binding: None,
                stream: Stream::Memory(near),
                framer: Framer::new(64, 1024),
                user: "app".into(),
                password: None,
                proof: Proof::NotAsked,
            };
            assert!(login.finish().await.is_err(), "{said:?}");
        }
    }
}
