//! Connections through the target: those that are granted work as without a gateway, and those that
//! are not are refused in words that clients show.
//!
//! Owns these tests. Servers stand on loopback, in this process or the workstation's script.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};

use tests::sshd::SshServer;
use tests::workstation::Workstation;
use tests::world::{World, text_of};

const FORWARDS: &str = include_str!("forwards/forwards.py");

/// Answers every connection with its length, until this process ends.
fn counting_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut came = Vec::new();
            let _ = stream.read_to_end(&mut came);
            let _ = stream.write_all(came.len().to_string().as_bytes());
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
    port
}

fn through(station: &Workstation, to: &str) -> (i32, String) {
    let said = station.script("bash", &format!("printf 12345 | ssh -W {to} web 2>&1"), "/");
    (said.status.unwrap_or(-1), said.everything())
}

#[test]
fn what_is_granted_works_as_without_a_gateway() {
    let world = World::with(SshServer::shared(), |usual| usual.everything_allowed());
    let run = |station: &Workstation| {
        let said = station.script("python", FORWARDS, &SshServer::shared().fresh_place());
        said.everything()
    };
    let (meant, shown) =
        (run(&Workstation::direct(SshServer::shared())), run(&world.workstation()));
    assert!(meant.trim_end().ends_with("done"), "direct:\n{meant}");
    assert_eq!(shown, meant);
}

#[test]
fn nothing_is_forwarded_that_is_not_granted() {
    let world = World::with(SshServer::shared(), |usual| usual);
    let (station, port) = (world.workstation(), counting_server());
    let (status, said) = through(&station, &format!("127.0.0.1:{port}"));
    let expected = format!("portcullis: forward on 127.0.0.1:{port} is not granted");
    assert!(said.contains("administratively prohibited") && said.contains(&expected), "{said}");
    assert_ne!(status, 0);
    for what in ["-R 0:127.0.0.1:1", "-R /srv/remote:127.0.0.1:1"] {
        let line = format!("ssh -N -o ExitOnForwardFailure=yes {what} web 2>&1");
        let said = station.script("bash", &line, "/").everything();
        assert!(said.contains("remote port forwarding failed"), "{what}: {said}");
    }
    let recorded: String = world.recordings().iter().map(|(_, one)| text_of(one)).collect();
    assert!(recorded.contains("listen on"), "{recorded}");
}

#[test]
fn a_destination_is_granted_in_its_one_form_and_no_other() {
    let (port, other) = (counting_server(), counting_server());
    let world = World::with(SshServer::shared(), |usual| {
        usual.rule(&format!(
            "{{ id: forward, effect: allow, target: shop, \
             ssh: {{ actions: [forward], destinations: [\"127.0.0.1:{port}\"] }} }}"
        ))
    });
    let station = world.workstation();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]"] {
        assert_eq!(through(&station, &format!("{host}:{port}")), (0, String::from("5")), "{host}");
    }
    for to in [format!("127.0.0.1:{other}"), format!("localhost:{port}"), format!("[::1]:{port}")] {
        let (_, said) = through(&station, &to);
        assert!(said.contains("is not granted"), "{to}: {said}");
    }
    for host in ["127.1", "0x7f000001", "2130706433"] {
        let (_, said) = through(&station, &format!("{host}:{port}"));
        assert!(said.contains("usual form"), "{host}: {said}");
    }
    let recorded: String = world.recordings().iter().map(|(_, one)| text_of(one)).collect();
    assert!(recorded.contains("5 bytes up, 1 bytes down"), "{recorded}");
}

#[test]
fn a_target_that_does_not_connect_says_so() {
    let world = World::with(SshServer::shared(), |usual| usual.everything_allowed());
    let (_, said) = through(&world.workstation(), "127.0.0.1:1");
    assert!(said.contains("connect failed: portcullis: the target does not connect"), "{said}");
}
