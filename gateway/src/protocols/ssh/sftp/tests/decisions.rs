//! What is judged is what is done, and what is denied is not.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use model::Action;
use wire::ssh::sftp::{Body, Extension, Request, answer, request};

use super::stand::{Got, Verdict, World, open};
use crate::protocols::ssh::sftp::Over;

const DENIED: u32 = 3;

#[tokio::test]
async fn what_is_denied_is_answered_with_its_id_and_not_done() {
    let mut world = World::new(true).await;
    fs::write(world.path("x"), b"1").unwrap();
    world.rule(|operation| {
        let removes = operation.accesses.iter().any(|access| access.action == Action::Remove);
        if removes { Verdict::Deny } else { Verdict::Allow }
    });
    let got = world.ask(Body::Remove { path: b"x" }).await;
    assert_eq!(got, Got::Status(DENIED, "portcullis: not granted".into()));
    assert!(world.path("x").exists());
    world.logged("told portcullis: not granted");
    assert_eq!(world.ask(Body::Stat { path: b"x" }).await, Got::Other);
}

#[tokio::test]
async fn every_kind_of_request_can_be_denied() {
    let mut world = World::new(true).await;
    fs::create_dir(world.path("d")).unwrap();
    fs::write(world.path("x"), b"1").unwrap();
    let (none, x) = (wire::ssh::sftp::Attributes::NONE, &b"x"[..]);
    let handle = world.opened("x", 3).await;
    world.rule(|_| Verdict::Deny);
    for body in [
        open("x", 1),
        open("new", 0x1a),
        open("new", 0x2a),
        Body::OpenDir { path: b"." },
        Body::Stat { path: x },
        Body::Lstat { path: x },
        Body::ReadLink { path: x },
        Body::SetStat { path: x, attributes: none },
        Body::FsetStat { handle: &handle, attributes: none },
        Body::Remove { path: x },
        Body::RmDir { path: b"d" },
        Body::MkDir { path: b"new", attributes: none },
        Body::Rename { from: x, to: b"y" },
        Body::SymLink { target: x, link: b"y" },
        Body::Extended(Extension::PosixRename { from: x, to: b"y" }),
        Body::Extended(Extension::HardLink { from: x, to: b"y" }),
        Body::Extended(Extension::StatVfs { path: x }),
        Body::Extended(Extension::LsetStat { path: x, attributes: none }),
        Body::Extended(Extension::ExpandPath { path: b"~root/x" }),
        Body::Extended(Extension::UsersGroupsById { users: b"\0\0\0\0", groups: b"" }),
    ] {
        let got = world.ask(body).await;
        let is_offered = !matches!(got, Got::Status(8, _));
        assert!(matches!(got, Got::Status(DENIED, _)) || !is_offered, "{body:?}: {got:?}");
    }
    let mut left: Vec<_> =
        fs::read_dir(world.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["d", "x"]);
}

#[tokio::test]
async fn strict_paths_are_judged_as_the_target_resolves_them() {
    let outside = tempfile::TempDir::new().unwrap();
    let real = fs::canonicalize(outside.path()).unwrap();
    fs::write(real.join("secret"), b"s").unwrap();
    let secret = real.join("secret").to_str().unwrap().to_owned();
    for strict in [true, false] {
        let mut world = World::new(strict).await;
        symlink(&real, world.path("in")).unwrap();
        symlink(real.join("secret"), world.path("s")).unwrap();
        symlink(real.join("made"), world.path("nowhere")).unwrap();
        let handle = world.opened("in/secret", 1).await;
        world.opened("s", 1).await;
        world.opened("nowhere", 0x1a).await;
        assert_eq!(world.status(Body::Close { handle: &handle }).await, 0);
        world.status(Body::Remove { path: b"s" }).await;
        let lexical = world.text("in/secret");
        let link = world.text("s");
        if strict {
            world.logged(&format!("Allow sftp open {secret} to read: read on {secret}"));
            world.logged(&format!("write on {}", real.join("made").to_str().unwrap()));
            assert!(!world.log().iter().any(|line| line.contains(&lexical)));
        } else {
            world.logged(&format!("Allow sftp open {lexical} to read: read on {lexical}"));
            world.logged(&format!("write on {}", world.text("nowhere")));
        }
        // Removing a link is about the link.
        world.logged(&format!("Allow sftp remove {link}: remove on {link}"));
    }
}

#[tokio::test]
async fn what_is_sent_is_the_path_that_was_judged() {
    let mut world = World::scripted(false).await;
    let id = world.send(Body::Remove { path: b"a/./b/../../../../etc//x" }).await;
    let sent = world.scripted_mut().packet().await.unwrap();
    let request = Request::read(&sent).unwrap();
    assert_eq!(request.body, Body::Remove { path: b"/etc/x" });
    world.logged("remove on /etc/x");
    let done = answer::write_status(request.id, wire::ssh::sftp::StatusCode::Ok, "");
    world.scripted_mut().answer(done).await;
    assert_eq!(world.answer().await, (id, Got::Status(0, String::new())));
}

#[tokio::test]
async fn a_path_is_made_full_here_and_tells_nothing_of_the_target() {
    let mut world = World::scripted(true).await;
    world.rule(|_| Verdict::Deny);
    for (path, expected) in [("/root/../etc/x", "/etc/x"), (".", "/home/u"), ("../v", "/home/v")] {
        let got = world.ask(Body::RealPath { path: path.as_bytes() }).await;
        assert_eq!(got, Got::Name(expected.into()));
    }
    assert!(world.scripted_mut().sent.try_recv().is_err());
}

#[tokio::test]
async fn a_hold_delays_its_own_answer_and_what_depends_on_it() {
    let mut world = World::new(true).await;
    fs::write(world.path("x"), b"1").unwrap();
    fs::write(world.path("open"), b"content").unwrap();
    let handle = world.opened("open", 1).await;
    world.rule(|op| if &*op.kind == "sftp remove" { Verdict::Hold } else { Verdict::Allow });
    let remove = world.send(Body::Remove { path: b"x" }).await;
    let stat = world.send(Body::Stat { path: b"x" }).await;
    let read = world.send(Body::Read { handle: &handle, offset: 0, length: 100 }).await;
    assert_eq!(world.answer().await, (read, Got::Data(b"content".to_vec())));
    assert!(world.path("x").exists());
    world.logged("told held sftp remove");
    world.authority.approve.notify_one();
    assert_eq!(world.answer().await, (remove, Got::Status(0, "Success".into())));
    assert_eq!(world.answer().await, (stat, Got::Status(2, "No such file".into())));
}

#[tokio::test]
async fn nothing_overtakes_a_hold_on_the_same_file() {
    let mut world = World::new(true).await;
    let handle = world.opened("x", 0x1a).await;
    world.rule(|op| if &*op.kind == "sftp setstat" { Verdict::Hold } else { Verdict::Allow });
    let none = wire::ssh::sftp::Attributes::NONE;
    let set = world.send(Body::SetStat { path: b"x", attributes: none }).await;
    let write = world.send(Body::Write { handle: &handle, offset: 0, data: b"1".into() }).await;
    let close = world.send(Body::Close { handle: &handle }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fs::read(world.path("x")).unwrap(), b"");
    world.authority.approve.notify_one();
    for id in [set, write, close] {
        assert_eq!(world.answer().await, (id, Got::Status(0, "Success".into())));
    }
    assert_eq!(fs::read(world.path("x")).unwrap(), b"1");
}

#[tokio::test]
async fn content_that_must_be_masked_is_neither_read_nor_given_another_name() {
    let mut world = World::new(true).await;
    fs::create_dir(world.path("exports")).unwrap();
    fs::write(world.path("exports/x"), b"1").unwrap();
    symlink(world.path("exports/x"), world.path("link")).unwrap();
    world.mask(&world.text("exports"));
    let (x, y) = (&b"exports/x"[..], &b"y"[..]);
    for body in [
        open("exports/x", 1),
        open("exports/x", 3),
        open("link", 1),
        Body::Rename { from: x, to: y },
        Body::Rename { from: b"exports", to: y },
        Body::Extended(Extension::PosixRename { from: x, to: y }),
        Body::Extended(Extension::HardLink { from: x, to: y }),
    ] {
        let got = world.ask(body).await;
        assert!(matches!(&got, Got::Status(DENIED, text) if text.contains("masked")), "{got:?}");
    }
    world.opened("exports/new", 0x1a).await;
    assert_eq!(world.ask(Body::Stat { path: x }).await, Got::Other);
}

#[tokio::test]
async fn moving_a_directory_is_about_everything_in_it() {
    let mut world = World::new(false).await;
    fs::create_dir(world.path("d")).unwrap();
    fs::write(world.path("f"), b"").unwrap();
    assert_eq!(world.status(Body::Rename { from: b"d", to: b"e" }).await, 0);
    assert_eq!(world.status(Body::Rename { from: b"f", to: b"g" }).await, 0);
    let [d, e, f, g] = ["d", "e", "f", "g"].map(|name| world.text(name));
    world.logged(&format!("rename on {d}/**, rename on {e}"));
    world.logged(&format!("rename on {f}, rename on {g}"));
}

#[tokio::test]
async fn a_changed_policy_ends_what_is_open() {
    let mut world = World::new(true).await;
    fs::write(world.path("x"), b"1").unwrap();
    let handle = world.opened("x", 1).await;
    let read = Body::Read { handle: &handle, offset: 0, length: 9 };
    assert_eq!(world.ask(read).await, Got::Data(b"1".to_vec()));
    world.rule(|_| Verdict::Deny);
    world.policy_changed();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(matches!(world.ask(read).await, Got::Status(DENIED, _)));
    assert_eq!(world.status(Body::Close { handle: &handle }).await, 0);
    world.logged("Refused sftp open");
}

#[tokio::test]
async fn a_handle_is_good_only_for_what_it_was_opened_for() {
    let mut world = World::new(true).await;
    fs::write(world.path("x"), b"1").unwrap();
    let reads = world.opened("x", 1).await;
    let writes = world.opened("x", 2).await;
    let write = Body::Write { handle: &reads, offset: 0, data: b"2".into() };
    assert_eq!(world.status(write).await, DENIED);
    assert_eq!(world.status(Body::Read { handle: &writes, offset: 0, length: 1 }).await, DENIED);
    assert_eq!(world.status(Body::ReadDir { handle: &reads }).await, DENIED);
    let copy = Extension::CopyData { from: &writes, offset: 0, length: 0, to: &reads, at: 0 };
    assert_eq!(world.status(Body::Extended(copy)).await, DENIED);
    assert_eq!(world.status(Body::Read { handle: b"zzzz", offset: 0, length: 1 }).await, 4);
    let copy = Extension::CopyData { from: &reads, offset: 0, length: 0, to: b"zz", at: 0 };
    assert_eq!(world.status(Body::Extended(copy)).await, 4);
    assert_eq!(fs::read(world.path("x")).unwrap(), b"1");
}

#[tokio::test]
async fn what_cannot_be_understood_is_answered_and_not_sent() {
    let mut world = World::scripted(true).await;
    for (packet, code) in [
        (&[0, 0, 0, 5, 99, 0, 0, 0, 1][..], 8),
        (&[0, 0, 0, 5, 13, 0, 0, 0, 1], 5),
        (&[0, 0, 0, 11, 13, 0, 0, 0, 1, 0, 0, 0, 2, b'a', 0], 5),
        (&[0, 0, 0, 10, 200, 0, 0, 0, 1, 0, 0, 0, 1, b'x'], 8),
    ] {
        world.send_bytes(packet).await;
        let (id, got) = world.answer().await;
        assert!(id == 1 && matches!(got, Got::Status(found, _) if found == code), "{got:?}");
    }
    assert!(world.scripted_mut().sent.try_recv().is_err());
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_not_served() {
    let world = World::scripted(true).await;
    world.send_bytes(&[0xff; 8]).await;
    assert!(matches!(world.end().await, Over::BrokenByClient(_)));
    assert_eq!(request::id_of(b"x"), None);
}
