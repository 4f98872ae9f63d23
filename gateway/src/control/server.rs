//! Listening on the control socket.
//!
//! Owns the socket file and the tasks of its connections. The file appears with its final mode and
//! owner (it is made under another name and renamed), and goes when the server ends. A daemon
//! that is already there is not pushed aside.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::handles::Handles;
use super::peer::Peer;
use super::routes::{Api, router};

/// Connections served at once. Raised, local users can make us hold more.
const CONNECTIONS_MAX: usize = 128;
/// From accept, or from one answer, to the next request's whole head.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// Where to listen and for whom.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Path of the socket file.
    pub path: PathBuf,
    /// Group id that may open it beside the owner; the daemon's own where `None`.
    pub group: Option<u32>,
    /// User ids beside root that may change things.
    pub operators: BTreeSet<u32>,
}

/// Why the control socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another daemon answers there.
    #[error("another daemon listens on {path}; stop it first, or give this one another socket")]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// There is a file of another kind.
    #[error("{path} exists and is not a socket; remove it or give another path")]
    NotASocket {
        /// The file.
        path: PathBuf,
    },
    /// The system says no.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// An open control socket.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    settings: ServerSettings,
}

impl Server {
    /// Opens the socket. Must run within a tokio runtime.
    ///
    /// # Errors
    /// Where another daemon has it, or the file system says no.
    pub fn bind(settings: ServerSettings) -> Result<Self, ServerError> {
        let path = &settings.path;
        let fault = |doing: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::Io { doing, path, source }
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(fault("make the directory", parent))?;
        }
        clear(path)?;
        let fresh = path.with_extension("new");
        if fresh.symlink_metadata().is_ok() {
            fs::remove_file(&fresh).map_err(fault("remove", &fresh))?;
        }
        let listener = UnixListener::bind(&fresh).map_err(fault("listen on", &fresh))?;
        chown(&fresh, None, settings.group).map_err(fault("set the group of", &fresh))?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o660))
            .map_err(fault("set the mode of", &fresh))?;
        fs::rename(&fresh, path).map_err(fault("put in place", path))?;
        Ok(Self { listener, settings })
    }

    /// Serves until the token is cancelled, then finishes the requests in flight.
    pub async fn run(self, handles: Handles, token: CancellationToken) {
        let operators = self.settings.operators.clone();
        let api = Api { handles, operators, token: token.clone() };
        let router = router(Arc::new(api));
        let (tracker, slots) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
        loop {
            let accepted = tokio::select! {
                biased; // An end beats another connection.
                () = token.cancelled() => break,
                accepted = accept(&self.listener, &slots) => accepted,
            };
            match accepted {
                Ok((stream, slot)) => {
                    let (router, token) = (router.clone(), token.clone());
                    tracker.spawn(async move {
                        serve(stream, router, token).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "control socket: accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        tracker.close();
        tracker.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Another daemon may have taken the place; what answers there is not ours to remove.
        if std::os::unix::net::UnixStream::connect(&self.settings.path)
            .is_ok_and(|probe| probe.peer_addr().is_ok() && peer_is_self(&probe))
        {
            let _gone = fs::remove_file(&self.settings.path);
        }
    }
}

fn peer_is_self(probe: &std::os::unix::net::UnixStream) -> bool {
    nix::sys::socket::getsockopt(probe, nix::sys::socket::sockopt::PeerCredentials)
        .is_ok_and(|peer| u32::try_from(peer.pid()) == Ok(std::process::id()))
}

/// Makes room for the socket, unless somebody is there.
fn clear(path: &Path) -> Result<(), ServerError> {
    let Ok(found) = path.symlink_metadata() else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(ServerError::NotASocket { path: path.to_owned() });
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(ServerError::InUse { path: path.to_owned() });
    }
    Ok(())
}

type Accepted = (UnixStream, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &UnixListener, slots: &Arc<Semaphore>) -> io::Result<Accepted> {
    // The slot comes first: what cannot be served waits in the kernel's queue.
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

async fn serve(stream: UnixStream, router: Router, token: CancellationToken) {
    let peer = match stream.peer_cred() {
        Ok(credentials) => Arc::new(Peer::of(&credentials)),
        Err(error) => {
            // Fails closed: who cannot be named is not served.
            tracing::warn!(%error, "control socket: the peer cannot be told");
            return;
        }
    };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&peer));
        let answer = router.clone().oneshot(request.map(Body::new));
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        biased; // A connection that is done needs no shutdown.
        ended = connection.as_mut() => ended,
        () = token.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "control connection ended");
    }
}
