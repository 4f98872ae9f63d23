//! An upstream of SSH that lies.
//!
//! Owns a server that answers every command with a lie. Must not know what the gateway makes of it.
//! Its tasks end with the value.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::server::{self, Auth, ChannelOpenHandle, Handle, Handler, Msg, Session};
use russh::{Channel, ChannelId};
use tests::sshd::SshServer;
use tests::world::World;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::runtime;

/// Lies that end a session.
pub(super) const LIES: &[&str] = &[AFTER_END, TWO_STATUSES, STATUS_AND_SIGNAL];

const AFTER_END: &str = "more output after its end";
const TWO_STATUSES: &str = "an exit status twice";
const STATUS_AND_SIGNAL: &str = "an exit status, and a signal";
/// What is odd, and no lie: one byte in a packet, and the exit status before the end of a value.
pub(super) const DRIBBLE: &str = "a byte at a time";
/// Channels that nobody asked for.
pub(super) const UNASKED: &str = "channels that nobody asked for";

/// What every answer says.
const OUTPUT: &str = "1 customer1@mail.example call 5555555555554444\n";

/// An upstream.
#[derive(Debug)]
pub(super) struct Liar {
    address: SocketAddr,
    directory: tempfile::TempDir,
    what: Arc<What>,
    _ends: DropGuard,
}

/// What it does, and what was done to it.
#[derive(Debug, Default)]
pub(super) struct What {
    lie: String,
    lies: AtomicBool,
    /// Channels that it opened and that were accepted.
    accepted: AtomicUsize,
    /// Channels that it opened and that were rejected.
    rejected: AtomicUsize,
    /// Attempts to log in.
    logins: AtomicUsize,
}

impl Liar {
    /// With the real server's host key.
    pub(super) fn new(lie: &str) -> Self {
        let keys = SshServer::shared().host_key_files();
        Self::with_key(lie, keys.first().unwrap())
    }

    /// With a host key.
    pub(super) fn with_key(lie: &str, key: &std::path::Path) -> Self {
        let ends = CancellationToken::new();
        let listener = runtime().block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let what = Arc::new(What { lie: lie.to_owned(), ..What::default() });
        let config = Arc::new(server::Config {
            keys: vec![PrivateKey::read_openssh_file(key).unwrap()],
            auth_rejection_time: Duration::ZERO,
            ..server::Config::default()
        });
        let (token, doing) = (ends.clone(), Arc::clone(&what));
        runtime().spawn(token.run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mouth = Mouth { what: Arc::clone(&doing) };
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    if let Ok(running) = server::run_stream(config, stream, mouth).await {
                        drop(running.await);
                    }
                });
            }
        }));
        let directory = tempfile::tempdir().unwrap();
        Self { address, directory, what, _ends: ends.drop_guard() }
    }

    /// The usual world with this upstream, which it knows by the real server's key.
    pub(super) fn world(&self) -> World {
        let known = self.directory.path().join("known_hosts");
        let keys = SshServer::shared().host_keys();
        let line = format!("[127.0.0.1]:{} {}\n", self.address.port(), keys.first().unwrap());
        fs::write(&known, line).unwrap();
        World::with(SshServer::shared(), |usual| {
            let known = format!("{{ known_hosts: {} }}", known.display());
            usual.upstream_at(self.address).host_keys(&known)
        })
    }

    /// From now on it lies.
    pub(super) fn begin(&self) {
        self.what.lies.store(true, Ordering::SeqCst);
    }

    /// How many of its channels were accepted, and how many rejected.
    pub(super) fn channels(&self) -> (usize, usize) {
        (self.what.accepted.load(Ordering::SeqCst), self.what.rejected.load(Ordering::SeqCst))
    }

    /// How often somebody tried to log in.
    pub(super) fn logins(&self) -> usize {
        self.what.logins.load(Ordering::SeqCst)
    }
}

/// One connection.
struct Mouth {
    what: Arc<What>,
}

impl Handler for Mouth {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _: &str,
        _: server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.what.logins.fetch_add(1, Ordering::SeqCst);
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        let (handle, what) = (session.handle(), Arc::clone(&self.what));
        let lie = if what.lies.load(Ordering::SeqCst) { what.lie.clone() } else { String::new() };
        tokio::spawn(async move { say(&handle, channel, &lie, &what).await });
        Ok(())
    }
}

/// Says a lie. Who is not heard any more stops.
async fn say(to: &Handle, channel: ChannelId, lie: &str, what: &What) -> Option<()> {
    let (first, second) = OUTPUT.split_at(12);
    match lie {
        AFTER_END => {
            to.data(channel, first).await.ok()?;
            to.eof(channel).await.ok()?;
            to.data(channel, second).await.ok()?;
        }
        TWO_STATUSES => {
            to.exit_status_request(channel, 0).await.ok()?;
            to.exit_status_request(channel, 1).await.ok()?;
            to.data(channel, OUTPUT).await.ok()?;
        }
        STATUS_AND_SIGNAL => {
            to.exit_status_request(channel, 0).await.ok()?;
            let (text, language) = (OUTPUT.to_owned(), String::new());
            to.exit_signal_request(channel, russh::Sig::TERM, false, text, language).await.ok()?;
        }
        DRIBBLE => {
            for byte in first.bytes() {
                to.data(channel, vec![byte]).await.ok()?;
            }
            to.exit_status_request(channel, 0).await.ok()?;
            for byte in second.bytes() {
                to.data(channel, vec![byte]).await.ok()?;
            }
            to.eof(channel).await.ok()?;
        }
        UNASKED => {
            let opened = [
                to.channel_open_session().await.is_ok(),
                to.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await.is_ok(),
                to.channel_open_direct_streamlocal("/run/docker.sock").await.is_ok(),
                to.channel_open_forwarded_tcpip("127.0.0.1", 8080, "127.0.0.1", 1).await.is_ok(),
                to.channel_open_forwarded_streamlocal("/run/x").await.is_ok(),
                to.channel_open_x11("127.0.0.1", 1).await.is_ok(),
                to.channel_open_agent().await.is_ok(),
            ];
            let accepted = opened.iter().filter(|opened| **opened).count();
            what.accepted.fetch_add(accepted, Ordering::SeqCst);
            what.rejected.fetch_add(opened.len() - accepted, Ordering::SeqCst);
            to.exit_status_request(channel, 0).await.ok()?;
        }
        _ => to.exit_status_request(channel, 0).await.ok()?,
    }
    to.close(channel).await.ok()
}
