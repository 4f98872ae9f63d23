//! What a server has its users read when they log in.
//!
//! Owns the tries.

use std::io::Write as _;

use tempfile::NamedTempFile;
use tests::sshd::SshServer;
use tests::workstation::Workstation;
use tests::world::World;

use super::{allow, role};

/// A server with such a file, and another of its own for each test. The file goes with the test.
fn server(name: &str, text: &[u8]) -> (&'static SshServer, NamedTempFile) {
    let mut file = tempfile::Builder::new().prefix("portcullis-test-banner-").tempfile().unwrap();
    file.write_all(text).unwrap();
    let settings = format!("Banner {}", file.path().display());
    (SshServer::apart(&format!("banner-{name}"), &settings), file)
}

fn world(server: &'static SshServer, classification: Option<&str>) -> World {
    World::with(server, |usual| {
        let usual = role(usual, &[&allow(r#""echo **""#)]);
        match classification {
            Some(text) => usual.classification(text),
            None => usual,
        }
    })
}

#[test]
fn a_banner_is_read_through_the_gateway_before_anything_else() {
    let (server, _file) = server("plain", "Authorised use only.\nGröße 表\n".as_bytes());
    let world = world(server, Some(""));
    let direct = Workstation::direct(server).ssh(&["echo in"]);
    assert!(direct.error.contains("Authorised use only."), "{direct:?}");
    let through = world.workstation().ssh(&["echo in"]);
    assert_eq!(through, direct);
}

#[test]
fn what_is_masked_is_masked_in_a_banner_too() {
    let (server, _file) = server("masked", b"Ask customer1@mail.example.\n");
    let said = world(server, None).workstation().ssh(&["echo in"]);
    assert_eq!(said.output, "in\n", "{said:?}");
    assert!(said.error.contains("Ask ") && !said.error.contains("customer1"), "{said:?}");
}

#[test]
fn a_banner_that_is_not_utf8_keeps_nobody_out() {
    let (server, _file) = server("latin", b"Gr\xf6\xdfe\n");
    let said = world(server, Some("")).workstation().ssh(&["echo in"]);
    assert_eq!((said.status, said.output.as_str()), (Some(0), "in\n"), "{said:?}");
    assert!(said.error.contains("Gr"), "{said:?}");
}
