//! The connection to the upstream.
//!
//! Owns the library's handle of it and how it ends. Must not know a request's meaning. One for each
//! connection of a client; where it ends, the client's ends.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::request_body::RequestBody;
use crate::session::Upstream;

/// Fields of an upstream's head. Clients that take fewer refuse more by themselves.
const FIELDS_MAX: usize = 256;
/// Bytes of an upstream's head.
const HEAD_BYTES_MAX: usize = 256 * 1024;
/// Bytes in flight to and from an upstream on one stream, and on all of a connection (HTTP/2). The
/// library ends a connection of which so many small frames wait that their overhead (256 bytes each)
/// passes half of the latter: a stream of the smallest messages of gRPC, of which nobody takes any,
/// must fit in there. Raised, each connection holds more; the first also where it waits for a client.
pub(super) const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
pub(super) const CONNECTION_WINDOW_BYTES: u32 = 32 * 1024 * 1024;

/// Sends requests.
#[derive(Debug)]
pub(super) enum Sender {
    /// One after the other.
    Http1(InTurn),
    /// Side by side.
    Http2(http2::SendRequest<RequestBody>),
}

/// A connection that answers one request after the other, until it goes on in another protocol.
#[derive(Debug)]
pub(super) struct InTurn {
    sender: tokio::sync::Mutex<http1::SendRequest<RequestBody>>,
    gone: CancellationToken,
    /// Set while it may switch: then the library's end of the connection is not the upstream's.
    may_switch: Arc<AtomicBool>,
}

/// A request that was not sent, or whose answer did not come.
#[derive(Debug)]
pub(super) enum SendError {
    /// The upstream had closed before: the client is to see just that.
    Closed,
    /// It failed afterwards.
    Failed(hyper::Error),
}

/// Runs what the library and requests start, as tasks of the connection.
#[derive(Clone, Debug)]
pub(super) struct Tasks(pub(super) TaskTracker);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// Begins to speak with an upstream. `gone` is cancelled when the connection has ended.
pub(super) async fn begin(
    upstream: Upstream,
    over_http2: bool,
    tasks: &Tasks,
    gone: CancellationToken,
) -> Result<Sender, hyper::Error> {
    let io = TokioIo::new(upstream.stream);
    if over_http2 {
        let (sender, connection) = http2::Builder::new(tasks.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .handshake(io)
            .await?;
        tasks.0.spawn(ended(connection, gone, Arc::default()));
        return Ok(Sender::Http2(sender));
    }
    let (sender, connection) = http1::Builder::new()
        .preserve_header_case(true)
        .max_headers(FIELDS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .handshake(io)
        .await?;
    let may_switch = Arc::<AtomicBool>::default();
    let sender = tokio::sync::Mutex::new(sender);
    let in_turn = InTurn { sender, gone: gone.clone(), may_switch: Arc::clone(&may_switch) };
    tasks.0.spawn(ended(connection.with_upgrades(), gone, may_switch));
    Ok(Sender::Http1(in_turn))
}

async fn ended(
    connection: impl Future<Output = Result<(), hyper::Error>>,
    gone: CancellationToken,
    may_switch: Arc<AtomicBool>,
) {
    let ended = connection.await;
    if let Err(error) = &ended {
        tracing::debug!(%error, "the connection to the upstream ended");
    }
    // A client that was told of an end with the news of the switch would not go on.
    if ended.is_err() || !may_switch.load(Ordering::SeqCst) {
        gone.cancel();
    }
}

impl InTurn {
    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, SendError> {
        let mut sender = self.sender.lock().await;
        sender.ready().await.map_err(|_| SendError::Closed)?;
        let wants_switch = request.headers().contains_key(header::UPGRADE);
        self.may_switch.store(wants_switch, Ordering::SeqCst);
        let sent = sender.try_send_request(request);
        // The answer is waited for without the sender: others may see that it is closed.
        drop(sender);
        let answered = sent.await.map_err(|mut error| match error.take_message() {
            Some(_) => SendError::Closed,
            None => SendError::Failed(error.into_error()),
        });
        let switches =
            |response: &Response<_>| response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if wants_switch && !answered.as_ref().is_ok_and(switches) {
            self.may_switch.store(false, Ordering::SeqCst);
            // It has ended meanwhile: nobody else says so any more.
            if self.sender.lock().await.is_closed() {
                self.gone.cancel();
            }
        }
        answered
    }
}

impl Sender {
    /// Whether it is HTTP/2.
    pub(super) const fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        match self {
            Self::Http1(in_turn) => in_turn.send(request).await,
            Self::Http2(sender) => {
                let mut sender = sender.clone();
                sender.ready().await.map_err(|_| SendError::Closed)?;
                sender.try_send_request(request).await.map_err(|mut error| {
                    match error.take_message() {
                        Some(_) => SendError::Closed,
                        None => SendError::Failed(error.into_error()),
                    }
                })
            }
        }
    }
}

/// Whether an error is the peer's going away and nothing else.
pub(super) fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

/// Whether what an upstream sent is not HTTP, other than by being cut off.
pub(super) fn is_malformed(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    let kind = source.and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    error.is_parse()
        || matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}

/// Whether an upstream went away without an answer.
pub(super) fn is_gone(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    let kind = source.and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    error.is_incomplete_message() || kind == Some(io::ErrorKind::ConnectionReset)
}

/// Kept so that the type of a shared sender is written once.
pub(super) type Shared = Arc<crate::session::Guarded<Sender>>;
