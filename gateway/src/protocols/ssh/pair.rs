//! Both ends of a connection of the library's, for tests of what is between them.
//!
//! Owns the two ends. Must not be used outside tests.

use std::sync::Arc;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Msg};
use russh::{Channel, ChannelWriteHalf, ManualChannels, client, server};
use tokio::sync::mpsc;

use super::inflow::{Budget, Inflow, WINDOW};

/// A host key.
pub(super) fn key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))
}

/// The end that opens channels.
pub(super) struct Below;

impl client::Handler for Below {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

/// The other end: it takes every channel.
pub(super) struct Above(mpsc::UnboundedSender<Channel<Msg>>);

impl server::Handler for Above {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        self.0.send(channel).unwrap();
        Ok(())
    }
}

/// Two ends of one connection; each has its channels to itself.
pub(super) struct Pair {
    client: client::Handle<Below>,
    opened: mpsc::UnboundedReceiver<Channel<Msg>>,
}

/// Both ends of a channel.
pub(super) struct Ends {
    pub(super) near: (Inflow, ChannelWriteHalf<client::Msg>),
    pub(super) far: (Inflow, ChannelWriteHalf<Msg>),
}

impl Pair {
    /// Ends that are as ours are, but for little room to wait in.
    pub(super) async fn new() -> Self {
        let manual_channels = ManualChannels { windows: true, close: true };
        let above = server::Config {
            keys: vec![key()],
            window_size: WINDOW,
            channel_buffer_size: 16,
            manual_channels,
            ..server::Config::default()
        };
        let below = client::Config {
            window_size: WINDOW,
            channel_buffer_size: 16,
            manual_channels,
            ..client::Config::default()
        };
        Self::of(above.into(), below).await
    }

    /// Ends of these configurations.
    pub(super) async fn of(above: Arc<server::Config>, below: client::Config) -> Self {
        let (one, other) = tokio::io::duplex(64 * 1024);
        let (opens, opened) = mpsc::unbounded_channel();
        let (served, connected) = tokio::join!(
            server::run_stream(above, one, Above(opens)),
            client::connect_stream(below.into(), other, Below),
        );
        let _served = tokio::spawn(served.unwrap());
        let mut client = connected.unwrap();
        assert!(client.authenticate_none("x").await.unwrap().success());
        Self { client, opened }
    }

    /// Opens a channel.
    pub(super) async fn channel(&mut self) -> Ends {
        let (from, to) = self.client.channel_open_session().await.unwrap().split();
        let budget = Budget::new();
        let near = (Inflow::new(from, &budget), to);
        let (from, to) = self.opened.recv().await.unwrap().split();
        Ends { near, far: (Inflow::new(from, &budget), to) }
    }
}
