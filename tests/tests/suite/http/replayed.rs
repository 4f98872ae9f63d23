//! What a recording of HTTP shows people.

use gateway::recording::replay::{Options, render};
use gateway::recording::{self, Filter, Reader, Trust};
use tests::assert_eventually;
use tests::web::TOKEN;
use tests::web::client::request;
use tests::web::people::RAW_VALUES;
use tests::world::World;

/// The one recording of a world as `portcullis sessions replay` prints it.
fn replay(world: &World) -> String {
    let _ = world.event("session_ended", |_| true);
    assert_eventually!(world.recordings().iter().all(|(report, _)| report.ok()));
    let summary = recording::list(&world.recordings_directory(), &Filter::default()).unwrap();
    let trust = Trust::Keys(vec![world.gateway().services().recorder.public_key()]);
    let reader = Reader::open_path(&summary.first().unwrap().path, &trust).unwrap();
    let header = reader.header().clone();
    let entries: Vec<_> = reader.map(|entry| entry.unwrap()).collect();
    render(&header, &entries, &Options::DEFAULT)
}

#[test]
fn a_replay_shows_method_address_decision_status_and_bodies() {
    let (world, _) = super::world();
    let mut client = world.web();
    let body = "{\"question\":\"who\"}";
    let length = format!("Content-Length: {}", body.len());
    // Of a type that can be masked: others are not recorded where fields are.
    let fields = [&*length, "Content-Type: application/json"];
    client.send(request("POST", "/people/json?page=2&token=abc", &fields) + body);
    assert_eq!(client.answer().unwrap().status, 200);
    let _ = client.ask("DELETE", "/users/7", &[]);
    let _ = client.get("/status/404");
    drop(client);
    let text = replay(&world);
    for part in [
        "POST http://api.test",
        "/people/json?page=2&token=***",
        "question",
        "Ann",
        "200 application/json",
        "DELETE http://api.test",
        "no-deletes",
        "404",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    for raw in RAW_VALUES.iter().chain([&TOKEN, &"abc"]) {
        assert!(!text.contains(raw), "{raw} is in\n{text}");
    }
}
