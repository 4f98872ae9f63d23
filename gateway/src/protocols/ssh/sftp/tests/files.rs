//! Files go through a real server as they were sent, and are recorded as they went.

use std::fs;

use wire::ssh::sftp::{Body, Extension};

use super::stand::{Got, World, open, within};
use crate::protocols::ssh::sftp::Over;

#[tokio::test]
async fn a_file_goes_up_and_comes_down_with_its_hash_recorded() {
    let mut world = World::new(true).await;
    let content: Vec<u8> = (0..200_000u32).flat_map(u32::to_be_bytes).collect();
    let handle = world.opened("up", 0x1a).await;
    let mut ids = Vec::new();
    for (index, data) in content.chunks(32_000).enumerate() {
        let offset = index as u64 * 32_000;
        ids.push(world.send(Body::Write { handle: &handle, offset, data: data.into() }).await);
    }
    for id in ids {
        assert_eq!(world.answer().await, (id, Got::Status(0, "Success".into())));
    }
    assert_eq!(world.status(Body::Close { handle: &handle }).await, 0);
    assert_eq!(fs::read(world.path("up")).unwrap(), content);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let up = world.text("up");
    world.logged(&format!("Completed sftp open {up} to write: wrote 800000 bytes, sha256 {hex}"));

    let handle = world.opened(&up, 1).await;
    let mut read = Vec::new();
    // A client that reads no answer is not heard once half a megabyte waits for it.
    for asked in [0..13, 13..26u64] {
        let mut ids = Vec::new();
        for index in asked {
            let body = Body::Read { handle: &handle, offset: index * 32_000, length: 32_000 };
            ids.push(world.send(body).await);
        }
        for id in ids {
            match world.answer().await {
                (answered, Got::Data(data)) if answered == id => read.extend(data),
                (answered, Got::Status(1, _)) if answered == id => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(world.status(Body::Close { handle: &handle }).await, 0);
    assert_eq!(read, content);
    world.logged(&format!("Completed sftp open {up} to read: read 800000 bytes, sha256 {hex}"));
    assert_eq!(world.end().await, Over::Upstream);
}

#[tokio::test]
async fn requests_in_pieces_of_any_length_are_the_same_requests() {
    for piece in [1, 2, 3, 5, 7, 100] {
        let mut world = World::new(true).await;
        world.in_pieces(piece);
        let handle = world.opened("x", 0x1a).await;
        assert_eq!(
            world.status(Body::Write { handle: &handle, offset: 0, data: b"abc".into() }).await,
            0
        );
        assert_eq!(world.status(Body::Close { handle: &handle }).await, 0);
        assert_eq!(fs::read(world.path("x")).unwrap(), b"abc");
    }
}

#[tokio::test]
async fn every_request_of_a_session_reaches_the_server() {
    let mut world = World::new(true).await;
    let none = wire::ssh::sftp::Attributes::NONE;
    fs::write(world.path("f"), b"1").unwrap();
    assert_eq!(world.status(Body::MkDir { path: b"d", attributes: none }).await, 0);
    assert_eq!(world.status(Body::Rename { from: b"f", to: b"d/g" }).await, 0);
    let rename = Extension::PosixRename { from: b"d/g", to: b"d/h" };
    assert_eq!(world.status(Body::Extended(rename)).await, 0);
    let link = Extension::HardLink { from: b"d/h", to: b"d/i" };
    assert_eq!(world.status(Body::Extended(link)).await, 0);
    assert_eq!(world.status(Body::SymLink { target: b"h", link: b"d/j" }).await, 0);
    assert_eq!(fs::read_link(world.path("d/j")).unwrap().to_str(), Some("h"));
    assert_eq!(world.ask(Body::ReadLink { path: b"d/j" }).await, Got::Name("h".into()));
    assert_eq!(world.ask(Body::Stat { path: b"d/j" }).await, Got::Other);
    assert_eq!(world.ask(Body::Lstat { path: b"d/j" }).await, Got::Other);
    assert_eq!(world.ask(Body::Extended(Extension::StatVfs { path: b"d" })).await, Got::Other);
    assert_eq!(world.ask(Body::Extended(Extension::Limits)).await, Got::Other);
    let home = world.text("");
    let home = home.trim_end_matches('/').to_owned();
    assert_eq!(world.ask(Body::RealPath { path: b"." }).await, Got::Name(home.clone()));
    let expand = Extension::ExpandPath { path: b"~/d" };
    assert_eq!(world.ask(Body::Extended(expand)).await, Got::Name(format!("{home}/d")));
    let Got::Handle(handle) = world.ask(Body::OpenDir { path: b"d" }).await else { panic!() };
    assert!(matches!(world.ask(Body::ReadDir { handle: &handle }).await, Got::Name(_)));
    assert_eq!(world.status(Body::ReadDir { handle: &handle }).await, 1);
    assert_eq!(world.status(Body::Close { handle: &handle }).await, 0);
    let handle = world.opened("d/h", 3).await;
    assert_eq!(world.ask(Body::Fstat { handle: &handle }).await, Got::Other);
    assert_eq!(world.status(Body::FsetStat { handle: &handle, attributes: none }).await, 0);
    assert_eq!(world.status(Body::Extended(Extension::Fsync { handle: &handle })).await, 0);
    let to = world.opened("copy", 0x1a).await;
    let copy = Extension::CopyData { from: &handle, offset: 0, length: 0, to: &to, at: 0 };
    assert_eq!(world.status(Body::Extended(copy)).await, 0);
    assert_eq!(world.status(Body::Close { handle: &to }).await, 0);
    assert_eq!(fs::read(world.path("copy")).unwrap(), b"1");
    for path in ["d/h", "d/i", "d/j"] {
        assert_eq!(world.status(Body::Remove { path: path.as_bytes() }).await, 0);
    }
    assert_eq!(world.status(Body::RmDir { path: b"d" }).await, 0);
    assert!(!world.path("d").exists());
}

#[tokio::test]
async fn failures_are_the_servers_own_words() {
    let mut world = World::new(true).await;
    for body in [
        open("nowhere/x", 1),
        open("nothing", 1),
        Body::Stat { path: b"nothing" },
        Body::Stat { path: b"no/where" },
        Body::Remove { path: b"nothing" },
        Body::OpenDir { path: b"no/where" },
    ] {
        let got = world.ask(body).await;
        assert_eq!(got, Got::Status(2, "No such file".into()), "{body:?}");
    }
    world.logged("Failed sftp stat");
}

#[tokio::test]
async fn what_is_open_when_the_client_goes_is_recorded_as_abandoned() {
    let mut world = World::new(true).await;
    let handle = world.opened("x", 0x1a).await;
    world.status(Body::Write { handle: &handle, offset: 9, data: b"abc".into() }).await;
    let path = world.text("x");
    let (over, log) = world.go().await;
    assert_eq!(over, Over::Client);
    let line = format!("Abandoned sftp open {path} to write: wrote 3 bytes, partial [3]");
    assert!(log.contains(&line), "{log:#?}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_either() {
    let mut world = World::new(false).await;
    fs::write(world.path("big"), vec![7; 8_000_000]).unwrap();
    let handle = world.opened("big", 1).await;
    let mut sent = 0;
    let read = Body::Read { handle: &handle, offset: 0, length: 200_000 };
    let all = async {
        for _ in 0..4_000 {
            world.send(read).await;
            sent += 1;
        }
    };
    let stalled = tokio::time::timeout(std::time::Duration::from_millis(700), all).await;
    assert!(stalled.is_err(), "everything was taken");
    assert!(sent < 2_200, "{sent} requests were taken, each for 200 kB");
    for _ in 0..sent {
        let (_, got) = within(world.answer()).await;
        assert!(matches!(got, Got::Data(_)), "{got:?}");
    }
}
