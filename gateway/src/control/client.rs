//! Asking a running daemon.
//!
//! Owns one short connection a question. Must not know who asks or how an answer is shown. Every
//! error says what to do next.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use model::{HoldId, SessionId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::problem::Problem;
use super::view::{
    DoneView, ExplainRequest, ExplainView, HoldView, ReloadView, SocketView, StatusView,
    VoteRequest, VoteView,
};

/// Bytes of an answer: ten thousand sockets with room to spare.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// From the question to the whole answer; a reload compiles a policy.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("the daemon is not running: nothing listens on {}", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// The socket may not be opened.
    #[error("you may not open {}", path.display())]
    NoPermission {
        /// The socket.
        path: PathBuf,
    },
    /// The connection failed.
    #[error("the connection to the daemon failed: {because}")]
    Connection {
        /// What happened.
        because: String,
    },
    /// The answer cannot be read.
    #[error("the daemon's answer cannot be read: {because}")]
    Answer {
        /// Why.
        because: String,
    },
    /// No answer in time.
    #[error("the daemon did not answer within {} s", ANSWER_WITHIN.as_secs())]
    TooLate,
    /// The daemon said no.
    #[error("{0}")]
    Refused(Problem),
}

impl ClientError {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotRunning { .. } => "Start it with `systemctl start portcullis`, or in the \
                foreground with `portcullis run --config PATH`. If it listens elsewhere, give \
                its path with `--control`."
                .to_owned(),
            Self::NoPermission { path } => format!(
                "Run it as root, or as a member of the group that owns the socket: \
                 `stat -c %G {}` names it.",
                path.display()
            ),
            Self::Connection { .. } => {
                "See why in the daemon's log: `journalctl -u portcullis`.".to_owned()
            }
            Self::Answer { .. } => {
                "Client and daemon may be of different versions; restart the daemon after an \
                 upgrade."
                    .to_owned()
            }
            Self::TooLate => {
                "The daemon is very busy or stuck; see `journalctl -u portcullis`.".to_owned()
            }
            Self::Refused(problem) => return problem.remedy.clone(),
        })
    }
}

/// Asks the daemon behind one socket.
#[derive(Clone, Debug)]
pub struct Client {
    path: PathBuf,
}

impl Client {
    /// For the daemon that listens at `path`. Nothing is opened yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn status(&self) -> Result<StatusView, ClientError> {
        self.get("/v1/status").await
    }

    /// All metrics in Prometheus's text format.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let bytes = self.ask(Method::GET, "/v1/metrics", Bytes::new()).await?;
        String::from_utf8(bytes.into()).map_err(unreadable)
    }

    /// All live sockets.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn sockets(&self) -> Result<Vec<SocketView>, ClientError> {
        self.get("/v1/sockets").await
    }

    /// All live sockets, again and again.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn watch_sockets(&self, every: Duration) -> Result<Watch, ClientError> {
        let path = format!("/v1/sockets?watch_ms={}", every.as_millis());
        let response = self.send(Method::GET, &path, Bytes::new()).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Watch { body: response.into_body(), held: BytesMut::new(), searched: 0 });
        }
        Err(refusal(status, &whole(response).await?))
    }

    /// An explanation.
    ///
    /// # Errors
    /// Where there is no answer, or what is asked about does not exist.
    pub async fn explain(&self, request: &ExplainRequest) -> Result<ExplainView, ClientError> {
        self.post("/v1/explain", request).await
    }

    /// Every open hold.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn holds(&self) -> Result<Vec<HoldView>, ClientError> {
        self.get("/v1/approvals").await
    }

    /// Votes for a hold.
    ///
    /// # Errors
    /// Where there is no answer, or the vote does not count.
    pub async fn approve(&self, id: HoldId, vote: &VoteRequest) -> Result<VoteView, ClientError> {
        self.post(&format!("/v1/approvals/{id}/approve"), vote).await
    }

    /// Votes against a hold.
    ///
    /// # Errors
    /// Where there is no answer, or the vote does not count.
    pub async fn reject(&self, id: HoldId, vote: &VoteRequest) -> Result<VoteView, ClientError> {
        self.post(&format!("/v1/approvals/{id}/reject"), vote).await
    }

    /// Ends a live session.
    ///
    /// # Errors
    /// Where there is no answer, or the session is not live.
    pub async fn kill(&self, id: SessionId) -> Result<DoneView, ClientError> {
        self.post(&format!("/v1/sessions/{id}/kill"), &()).await
    }

    /// Puts the configuration in force again.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn reload(&self) -> Result<ReloadView, ClientError> {
        self.post("/v1/reload", &()).await
    }

    /// Takes no new sessions.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn drain(&self) -> Result<DoneView, ClientError> {
        self.post("/v1/drain", &()).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let bytes = self.ask(Method::GET, path, Bytes::new()).await?;
        serde_json::from_slice(&bytes).map_err(unreadable)
    }

    async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(unreadable)?;
        let bytes = self.ask(Method::POST, path, body.into()).await?;
        serde_json::from_slice(&bytes).map_err(unreadable)
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, ClientError> {
        let asked = async {
            let response = self.send(method, path, body).await?;
            let status = response.status();
            let bytes = whole(response).await?;
            if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
        };
        tokio::time::timeout(ANSWER_WITHIN, asked).await.unwrap_or(Err(ClientError::TooLate))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = UnixStream::connect(&self.path).await.map_err(|error| self.closed(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        // Ends when the answer has been read or its body is dropped.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "localhost")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(unreadable)?;
        sender.send_request(request).await.map_err(|error| broken(&error))
    }

    fn closed(&self, error: &io::Error) -> ClientError {
        let path = self.path.clone();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NotRunning { path }
            }
            io::ErrorKind::PermissionDenied => ClientError::NoPermission { path },
            _ => ClientError::Connection { because: error.to_string() },
        }
    }
}

/// Live sockets, line by line. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watch {
    body: Incoming,
    held: BytesMut,
    /// Bytes of `held` that are known to have no line end.
    searched: usize,
}

impl Watch {
    /// The next state of all sockets; `None` when the daemon ends. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Vec<SocketView>, ClientError>> {
        loop {
            let mut fresh = self.held.iter().skip(self.searched);
            if let Some(more) = fresh.position(|byte| *byte == b'\n') {
                let line = self.held.split_to(self.searched + more);
                self.held.advance(1);
                self.searched = 0;
                return Some(serde_json::from_slice(&line).map_err(unreadable));
            }
            if self.held.len() > ANSWER_BYTES_MAX {
                return Some(Err(ClientError::Answer { because: "the line is too long".into() }));
            }
            self.searched = self.held.len();
            match self.body.frame().await? {
                Ok(frame) => self.held.extend_from_slice(frame.data_ref().map_or(&[], |d| d)),
                Err(error) => return Some(Err(broken(&error))),
            }
        }
    }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|error| ClientError::Answer { because: error.to_string() })
}

fn refusal(status: StatusCode, body: &[u8]) -> ClientError {
    match serde_json::from_slice(body) {
        Ok(problem) => ClientError::Refused(problem),
        Err(_) => ClientError::Answer { because: format!("it answers {status}") },
    }
}

fn broken(error: &hyper::Error) -> ClientError {
    ClientError::Connection { because: error.to_string() }
}

fn unreadable(error: impl std::fmt::Display) -> ClientError {
    ClientError::Answer { because: error.to_string() }
}
