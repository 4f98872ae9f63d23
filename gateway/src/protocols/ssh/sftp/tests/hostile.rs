//! An upstream that lies ends the channel.

use bytes::Bytes;
use wire::ssh::sftp::{Body, Request, StatusCode, answer};

use super::stand::{Got, World, open};
use crate::protocols::ssh::sftp::Over;

/// A packet with an id and one string.
fn with_string(kind: u8, id: u32, string: &[u8]) -> Bytes {
    let length = |count: usize| u32::try_from(count).unwrap().to_be_bytes();
    let mut out = Vec::new();
    out.extend(length(9 + string.len()));
    out.push(kind);
    out.extend(id.to_be_bytes());
    out.extend(length(string.len()));
    out.extend(string);
    out.into()
}

/// What the relay says of an upstream that answers like this.
async fn broken(body: Body<'_>, with: impl Fn(u32) -> Bytes) -> String {
    let mut world = World::scripted(false).await;
    world.send(body).await;
    let sent = world.scripted_mut().packet().await.unwrap();
    let id = Request::read(&sent).unwrap().id;
    world.scripted_mut().answer(with(id)).await;
    match world.end().await {
        Over::BrokenByUpstream(because) => because,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn answers_that_nobody_asked_for_end_the_channel() {
    let stat = Body::Stat { path: b"x" };
    let unasked = broken(stat, |id| answer::write_status(id + 1, StatusCode::Ok, "")).await;
    assert!(unasked.contains("nobody asked"), "{unasked}");
    let data = broken(stat, |id| with_string(103, id, b"secret")).await;
    assert!(data.contains("does not fit"), "{data}");
    let handle = broken(stat, |id| with_string(102, id, b"h")).await;
    assert!(handle.contains("does not fit"), "{handle}");
    let opened = broken(open("x", 1), |id| with_string(103, id, b"secret")).await;
    assert!(opened.contains("does not fit"), "{opened}");
    let done = broken(open("x", 1), |id| answer::write_status(id, StatusCode::Ok, "")).await;
    assert!(done.contains("does not fit"), "{done}");
    let torn = broken(stat, |_| Bytes::from_static(&[0, 0, 0, 3, 101, 0, 0])).await;
    assert!(torn.contains("ends inside"), "{torn}");
    let long = broken(stat, |_| Bytes::from_static(&[0xff; 4])).await;
    assert!(long.contains("bytes"), "{long}");
}

#[tokio::test]
async fn a_handle_given_twice_or_more_content_than_was_asked_for_ends_the_channel() {
    let mut world = World::scripted(false).await;
    for path in ["x", "y"] {
        world.send(open(path, 1)).await;
        let sent = world.scripted_mut().packet().await.unwrap();
        let id = Request::read(&sent).unwrap().id;
        world.scripted_mut().answer(with_string(102, id, b"h")).await;
        if path == "x" {
            assert!(matches!(world.answer().await.1, Got::Handle(_)));
        }
    }
    assert!(matches!(world.end().await, Over::BrokenByUpstream(_)));

    let mut world = World::scripted(false).await;
    world.send(open("x", 1)).await;
    let sent = world.scripted_mut().packet().await.unwrap();
    let id = Request::read(&sent).unwrap().id;
    world.scripted_mut().answer(with_string(102, id, b"h")).await;
    world.answer().await;
    world.send(Body::Read { handle: b"h", offset: 0, length: 2 }).await;
    let sent = world.scripted_mut().packet().await.unwrap();
    let id = Request::read(&sent).unwrap().id;
    world.scripted_mut().answer(with_string(103, id, b"abc")).await;
    assert!(matches!(world.end().await, Over::BrokenByUpstream(_)));
}

#[tokio::test]
async fn a_link_to_nowhere_that_the_target_cannot_resolve_is_not_followed() {
    let mut world = World::scripted(true).await;
    let id = world.send(open("dangling", 0x1a)).await;
    // The path as a whole: no such file.
    for expected in ["realpath", "lstat"] {
        let sent = world.scripted_mut().packet().await.unwrap();
        let request = Request::read(&sent).unwrap();
        let reply = match request.body {
            Body::RealPath { path: b"/home/u/dangling" } if expected == "realpath" => {
                answer::write_status(request.id, StatusCode::NoSuchFile, "none")
            }
            // But there is something: a link.
            Body::Lstat { path: b"/home/u/dangling" } if expected == "lstat" => {
                let mut out = vec![0, 0, 0, 9, 105];
                out.extend(request.id.to_be_bytes());
                out.extend([0; 4]);
                out.into()
            }
            other => panic!("{other:?}"),
        };
        world.scripted_mut().answer(reply).await;
    }
    let (answered, got) = world.answer().await;
    assert_eq!(answered, id);
    assert!(matches!(got, Got::Status(4, _)), "{got:?}");
    assert!(world.scripted_mut().sent.try_recv().is_err());
}

#[tokio::test]
async fn an_upstream_that_ends_ends_the_channel_with_all_it_said() {
    let mut world = World::scripted(false).await;
    let id = world.send(Body::Stat { path: b"x" }).await;
    let sent = world.scripted_mut().packet().await.unwrap();
    let own = Request::read(&sent).unwrap().id;
    world.scripted_mut().answer(answer::write_status(own, StatusCode::NoSuchFile, "no")).await;
    world.scripted = None;
    assert_eq!(world.answer().await, (id, Got::Status(2, "no".into())));
    assert_eq!(world.end().await, Over::Upstream);
}
