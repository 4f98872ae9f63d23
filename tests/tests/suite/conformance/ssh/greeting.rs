//! Clients that break off, or say what no client says, before anybody is logged in.
//!
//! Owns the raw bytes. Must not know what is said once keys are exchanged.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use tests::assert_eventually;
use tests::eventually::WITHIN;
use tests::middle::Middle;
use tests::world::World;

use super::{PLACE, Ssh, session};
use crate::conformance::subject::{Deed, Peer, Subject};
use crate::conformance::{world_behind, world_of};

const LINE: &[u8] = b"SSH-2.0-OpenSSH_9.2p1\r\n";

/// A cleartext packet (RFC 4253 6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 16 - (5 + payload.len()) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    let head = [&length.to_be_bytes()[..], &[u8::try_from(padding).unwrap()]].concat();
    [&head[..], payload, &vec![0; padding]].concat()
}

/// An offer of algorithms like a client's.
fn offer() -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([7; 16]);
    let lists = [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes256-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];
    for list in lists {
        payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
        payload.extend(list.as_bytes());
    }
    payload.extend([0; 5]);
    packet(&payload)
}

/// Says something, and gives what comes until the gateway hangs up.
fn said(world: &World, bytes: &[u8], leaves: bool) -> Vec<u8> {
    let mut stream = world.open_as(&world.usual_opener());
    stream.set_read_timeout(Some(WITHIN)).unwrap();
    // A gateway that has hung up is what is looked for.
    let _ = stream.write_all(bytes);
    if leaves {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut heard = Vec::new();
    let ended = stream.read_to_end(&mut heard);
    assert!(
        !ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "the gateway did not hang up"
    );
    heard
}

#[test]
fn a_greeting_that_is_broken_off_anywhere_ends_that_connection_alone() {
    let middle = Middle::before(Ssh.server().address());
    let world = world_behind(&Ssh, &middle);
    let mut other = session(&world, PLACE);
    let whole = [LINE, &offer()].concat();
    for cut in (0..whole.len()).step_by(11) {
        let _ = said(&world, whole.get(..cut).unwrap(), true);
    }
    assert_eventually!(world.open_connections() == 1, "connections are left over");
    assert!(!other.run(&Deed::allowed()).refused());
    assert_eq!(middle.accepted(), 1, "the upstream heard of a greeting");
    assert!(world.events("session_ended").iter().all(|line| line["cause"] != "internal"));
}

#[test]
fn what_is_no_greeting_ends_at_once_and_never_reaches_the_upstream() {
    let middle = Middle::before(Ssh.server().address());
    let world = world_behind(&Ssh, &middle);
    let after_line = |bytes: &[u8]| [LINE, bytes].concat();
    let sent: Vec<(&str, Vec<u8>)> = vec![
        ("the largest length", after_line(&[0x7f, 0xff, 0xff, 0xff, 4, 20, 0, 0])),
        ("a negative length", after_line(&[0xff; 64])),
        ("a length of nothing", after_line(&[0; 64])),
        (
            "padding beyond the packet",
            after_line(&[&[0, 0, 0, 12, 255, 20][..], &[0; 64]].concat()),
        ),
        ("a channel before keys", after_line(&packet(&[90, 0, 0, 0, 0]))),
        ("an endless line", vec![b'x'; 64 * 1024]),
        ("an old version", b"SSH-1.5-old\r\n\r\n".to_vec()),
        ("another protocol", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ];
    for (what, bytes) in sent {
        let before = world.events("session_ended").len();
        let began = std::time::Instant::now();
        let _ = said(&world, &bytes, false);
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
        assert_eventually!(world.events("session_ended").len() > before, "{what}");
    }
    assert_eventually!(world.open_connections() == 0);
    assert_eq!(middle.accepted(), 0);
    assert!(!session(&world, PLACE).run(&Deed::allowed()).refused());
}

#[test]
fn channels_beyond_the_limit_are_rejected_and_the_others_go_on() {
    let world = world_of(&Ssh);
    let mut peer = session(&world, PLACE);
    let opened = peer.connection.open_channels(600);
    assert!((500..=512).contains(&opened), "{opened}");
    assert!(!peer.run(&Deed::allowed()).refused());
}
