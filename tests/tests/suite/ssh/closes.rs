//! Channels that their client closes first.
//!
//! Owns a client that closes without reading. OpenSSH's server still says how what ran has ended.

use russh::client::{self, Handle, Handler};
use russh::keys::PublicKeyOrCertificate;
use russh::{ChannelMsg, ManualChannels};
use tests::eventually::WITHIN;
use tests::sshd::DEPLOY;
use tests::world::World;

use super::world;

struct Anyone;

impl Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// What is heard on a channel after it was closed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    status: Option<u32>,
    signalled: bool,
    closed: bool,
}

async fn log_in(world: &World) -> Handle<Anyone> {
    let stream = world.open_as(&world.usual_opener());
    stream.set_nonblocking(true).expect("a socket");
    let stream = tokio::net::TcpStream::from_std(stream).expect("a socket");
    // Heard is what comes until the other side has closed, too; nothing is granted.
    let manual_channels = ManualChannels { windows: true, close: true };
    let config = client::Config { manual_channels, ..client::Config::default() };
    let mut handle = client::connect_stream(config.into(), stream, Anyone).await.expect("a client");
    assert!(handle.authenticate_none(DEPLOY.name).await.expect("an answer").success());
    handle
}

/// Begins a command, sends what it reads, and closes.
async fn close_at_once(handle: &Handle<Anyone>, command: &str, sent: &'static [u8]) -> Heard {
    let mut channel = handle.channel_open_session().await.expect("a channel");
    channel.exec(true, command).await.expect("a request");
    channel.data_bytes(sent).await.expect("room");
    channel.close().await.expect("a channel");
    let mut heard = Heard::default();
    let end = async {
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::ExitStatus { exit_status } => heard.status = Some(exit_status),
                ChannelMsg::ExitSignal { .. } => heard.signalled = true,
                ChannelMsg::Close => heard.closed = true,
                _ => {}
            }
        }
    };
    tokio::time::timeout(WITHIN, end).await.expect("the channel never ends");
    heard
}

#[test]
fn a_client_that_closes_without_reading_is_told_how_it_ended() {
    let world =
        world(&["{ id: scripts, effect: allow, target: shop, ssh: { actions: [opaque] } }"]);
    let ended = |status| Heard { status: Some(status), signalled: false, closed: true };
    world.block_on(async {
        let handle = log_in(&world).await;
        for number in 0..20 {
            let command = format!("trap '' PIPE; echo much 2>/dev/null; exit {number}");
            assert_eq!(close_at_once(&handle, &command, b"").await, ended(number));
        }
        let late = "trap '' PIPE; sleep 0.5; echo late 2>/dev/null; exit 7";
        assert_eq!(close_at_once(&handle, late, b"").await, ended(7));
        // What it sent before goes first.
        let sum = "read a; sleep 0.2; read b; exit $((a + b))";
        assert_eq!(close_at_once(&handle, sum, b"40\n2\n").await, ended(42));
        // More than any window: it ends because nobody reads.
        let much = "trap '' PIPE; head -c 30000000 /dev/zero 2>/dev/null; exit 9";
        assert_eq!(close_at_once(&handle, much, b"").await, ended(9));
        let killed = Heard { status: None, signalled: true, closed: true };
        assert_eq!(close_at_once(&handle, "true; kill -9 $$", b"").await, killed);
    });
}
