//! The startup, byte by byte: what is accepted, what is refused and in which words; cancellation.
//!
//! Owns the packets before the first message and beside the session.

use std::time::Duration;

use tests::assert_eventually;
use tests::client::messages::{cancel_request, error, query, rows, ssl_request, startup_of};
use tests::client::{Client, LoginFailure};
use tests::cluster::SHOP;
use tests::world::{WORKLOAD, World};

fn refused(world: &World, parameters: &[(&str, &str)]) -> (String, String) {
    let mut all = vec![("user", WORKLOAD.name), ("database", SHOP)];
    all.extend(parameters);
    let mut client = world.connect();
    let failure = client.start(WORKLOAD, &all).expect_err("the startup was accepted");
    let fields = failure.refused();
    (fields.code().to_owned(), fields.get(b'M').to_owned())
}

#[test]
fn parameters_that_change_what_statements_mean_are_refused() {
    let world = World::new();
    for (name, value) in [
        ("replication", "database"),
        ("options", "-c standard_conforming_strings=off"),
        ("client_encoding", "SJIS"),
        ("role", "postgres"),
    ] {
        let (code, message) = refused(&world, &[(name, value)]);
        assert_eq!(code, "0A000", "{name}: {message}");
    }
}

#[test]
fn honest_options_reach_the_server() {
    let world = World::new();
    let mut client = world.connect();
    let parameters = [
        ("user", WORKLOAD.name),
        ("database", SHOP),
        ("application_name", "nightly"),
        ("options", "-c statement_timeout=4321ms"),
    ];
    let started: Result<(), LoginFailure> = client.start(WORKLOAD, &parameters);
    started.unwrap();
    assert_eq!(rows(&client.query("SHOW statement_timeout")), [["4321ms"]]);
    assert_eq!(rows(&client.query("SHOW application_name")), [["nightly"]]);
}

#[test]
fn a_newer_protocol_is_negotiated_down_and_gets_a_long_key() {
    let world = World::new();
    let mut client = world.connect();
    let parameters = [("user", WORKLOAD.name), ("database", SHOP), ("_pq_.unknown", "1")];
    client.send(&startup_of(0x0003_0002, &parameters)).unwrap();
    let said = client.until_ready();
    assert_eq!(said[0].tag, b'v', "{said:?}");
    let key = said.iter().find(|one| one.tag == b'K').unwrap();
    assert_eq!(key.body.len(), 4 + 32);
}

#[test]
fn a_statement_is_cancelled_by_its_key_and_by_no_other() {
    let world = World::new();
    let mut client = world.connect();
    let parameters = [("user", WORKLOAD.name), ("database", SHOP)];
    client.send(&startup_of(0x0003_0000, &parameters)).unwrap();
    let said = client.until_ready();
    let key = said.iter().find(|one| one.tag == b'K').unwrap().body.clone();
    client
        .send(&query("SELECT count(*) FROM generate_series(1, 200000000) AS n WHERE n < 0"))
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let mut wrong = key.clone();
    *wrong.last_mut().unwrap() ^= 1;
    for key in [wrong, key] {
        let mut other = world.connect();
        other.send(&cancel_request(&key)).unwrap();
        // As with the server: closed without a word.
        assert!(other.receive().is_err());
    }
    let answer = client.until_ready();
    assert_eq!(error(&answer).unwrap().code(), "57014");
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
}

#[test]
fn a_held_statement_is_cancelled_before_it_runs() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.connect();
    let parameters = [("user", WORKLOAD.name), ("database", database.as_str())];
    client.send(&startup_of(0x0003_0000, &parameters)).unwrap();
    let said = client.until_ready();
    let key = said.iter().find(|one| one.tag == b'K').unwrap().body.clone();
    client.send(&query("DROP TABLE old_reports")).unwrap();
    let _hold = world.hold();
    world.connect().send(&cancel_request(&key)).unwrap();
    let answer = client.until_ready();
    assert_eq!(error(&answer).unwrap().code(), "57014", "{answer:?}");
    assert_eventually!(world.holds().is_empty());
    assert_eq!(rows(&client.query("SELECT count(*) FROM old_reports")).len(), 1);
}

#[test]
fn bytes_in_the_clear_behind_a_request_for_tls_are_refused() {
    let world = World::new();
    // The binding goes by the source port, so the usual way in is taken and then used raw.
    let mut client = world.connect();
    let parameters = [("user", WORKLOAD.name), ("database", SHOP)];
    client.send(&[ssl_request(), startup_of(0x0003_0000, &parameters)].concat()).unwrap();
    let said = client.receive();
    assert!(
        said.as_ref().is_ok_and(|one| one.tag == b'E') || said.is_err(),
        "the smuggled startup was heard: {said:?}"
    );
    assert!(Client::login(world.address(), WORKLOAD, SHOP).is_err());
}

#[test]
fn an_unmodified_psql_works_over_tls() {
    let world = World::new();
    let said = world.psql(SHOP, &["-Atc", "SELECT id, email FROM users WHERE id = 1"]);
    let out = said.success();
    assert!(out.starts_with("1|") && !out.contains("customer1@mail.example"), "{out}");
}
