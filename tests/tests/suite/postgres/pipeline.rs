//! Order, skipping, transaction state and names, where some of a pipeline is refused.
//!
//! Owns the comparison with the server itself: what a client sees of a refusal is what it would
//! see of any error.

use tests::client::messages::{
    bind, close_statement, describe_portal, describe_statement, error, execute, flush, message,
    parse, query, rows, sync, tags, transaction_state,
};
use tests::cluster::SHOP;
use tests::world::World;

fn extended(text: &str) -> Vec<u8> {
    [parse("", text, &[]), bind("", "", &[], &[]), describe_portal(""), execute("", 0)].concat()
}

#[test]
fn a_refusal_within_a_batch_skips_the_rest_and_rolls_the_batch_back() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    let batch = [
        extended("INSERT INTO orders VALUES (9001, 1, 'x', 5, '2024-01-01')"),
        extended("DELETE FROM payments"),
        extended("SELECT 1"),
        sync(),
        extended("SELECT 2"),
        sync(),
    ];
    client.send(&batch.concat()).unwrap();
    let first = client.until_ready();
    assert_eq!(tags(&first), "12nCEZ", "{first:?}");
    assert_eq!(error(&first).unwrap().code(), "42501");
    assert_eq!(transaction_state(&first), Some('I'));
    let second = client.until_ready();
    assert_eq!(rows(&second), [["2"]]);
    // The implicit transaction of the first batch failed as a whole.
    let count = client.query("SELECT count(*) FROM orders WHERE id = 9001");
    assert_eq!(rows(&count), [["0"]]);
}

#[test]
fn a_refusal_in_a_transaction_fails_it_upstream_too() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    assert_eq!(transaction_state(&client.query("BEGIN")), Some('T'));
    let inserted = client.query("INSERT INTO orders VALUES (9002, 1, 'x', 5, '2024-01-01')");
    assert!(error(&inserted).is_none(), "{inserted:?}");
    let refused = client.query("DELETE FROM payments");
    assert_eq!(error(&refused).unwrap().code(), "42501");
    assert_eq!(transaction_state(&refused), Some('E'));
    let after = client.query("SELECT 1");
    assert_eq!(error(&after).unwrap().code(), "25P02");
    let committed = client.query("COMMIT");
    assert_eq!(transaction_state(&committed), Some('I'));
    assert_eq!(rows(&client.query("SELECT count(*) FROM orders WHERE id = 9002")), [["0"]]);
}

#[test]
fn a_message_of_several_statements_is_refused_whole() {
    let world = World::new();
    let mut client = world.session();
    let refused = client.query("SELECT 1; DELETE FROM payments; SELECT 2");
    assert_eq!(tags(&refused), "EZ");
    let allowed = client.query("SELECT 1; SELECT 2");
    assert_eq!(rows(&allowed), [["1"], ["2"]]);
    assert_eq!(tags(&client.query("")), "IZ");
    assert_eq!(tags(&client.query("-- nothing")), "IZ");
}

#[test]
fn sql_and_the_protocol_share_names_and_each_use_is_decided() {
    let world = World::new();
    let mut client = world.session();
    let prepared = client.query("PREPARE who AS SELECT email FROM users WHERE id = $1");
    assert!(error(&prepared).is_none(), "{prepared:?}");
    // By SQL, and by the protocol.
    let shown = client.query("EXECUTE who(1)");
    assert!(!rows(&shown)[0][0].contains("customer1"), "{shown:?}");
    client
        .send(
            &[bind("", "who", &[Some("1")], &[]), describe_portal(""), execute("", 0), sync()]
                .concat(),
        )
        .unwrap();
    let bound = client.until_ready();
    assert_eq!(rows(&bound), rows(&shown), "{bound:?}");
    // By the protocol, then by SQL.
    client
        .send(&[parse("also", "SELECT email FROM users WHERE id = 1", &[]), sync()].concat())
        .unwrap();
    assert_eq!(tags(&client.until_ready()), "1Z");
    assert_eq!(rows(&client.query("EXECUTE also")), rows(&shown));
    let unknown = client.query("EXECUTE nobody");
    assert_eq!(error(&unknown).unwrap().code(), "26000");
    assert!(error(&client.query("DEALLOCATE who")).is_none());
    assert_eq!(error(&client.query("EXECUTE who(1)")).unwrap().code(), "26000");
}

#[test]
fn a_name_that_could_not_be_given_keeps_its_old_meaning() {
    let world = World::new();
    let mut client = world.session();
    client
        .send(&[parse("s", "SELECT email FROM users WHERE id = 1", &[]), sync()].concat())
        .unwrap();
    assert_eq!(tags(&client.until_ready()), "1Z");
    // The second Parse fails: the name is taken. The batch after it, sent ahead, still runs the
    // first statement, and must see its masks.
    let batch = [
        parse("s", "SELECT 'plain'", &[]),
        sync(),
        bind("", "s", &[], &[]),
        describe_portal(""),
        execute("", 0),
        sync(),
    ];
    client.send(&batch.concat()).unwrap();
    assert_eq!(error(&client.until_ready()).unwrap().code(), "42P05");
    let shown = client.until_ready();
    let value = rows(&shown)[0][0].clone();
    assert!(value.contains('*') && !value.contains("customer1"), "{value}");
}

#[test]
fn a_cursor_is_masked_wherever_it_is_fetched() {
    let world = World::new();
    let mut client = world.session();
    let _ = client.query("BEGIN");
    let declared = client.query("DECLARE c CURSOR FOR SELECT id, email FROM users ORDER BY id");
    assert!(error(&declared).is_none(), "{declared:?}");
    let fetched = rows(&client.query("FETCH 2 FROM c"));
    assert_eq!(fetched.len(), 2);
    assert!(fetched.iter().all(|row| !row[1].contains("customer")), "{fetched:?}");
    // The cursor is a portal: the protocol can run it.
    client.send(&[execute("c", 1), sync()].concat()).unwrap();
    let run = client.until_ready();
    assert_eq!(tags(&run), "DsZ", "{run:?}");
    assert!(!rows(&run)[0][1].contains("customer"), "{run:?}");
    let _ = client.query("COMMIT");
    assert!(error(&client.query("FETCH 1 FROM c")).is_some());
}

#[test]
fn a_portal_is_run_in_pieces_without_being_described() {
    let world = World::new();
    let mut client = world.session();
    let batch = [
        parse("", "SELECT id, email FROM users ORDER BY id", &[]),
        bind("", "", &[], &[]),
        execute("", 2),
        execute("", 1),
        flush(),
    ];
    client.send(&batch.concat()).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 7 {
        seen.push(client.receive().unwrap());
    }
    // Our own Describe is not seen.
    assert_eq!(tags(&seen), "12DDsDs");
    assert!(rows(&seen).iter().all(|row| row[1].contains('*')), "{seen:?}");
    client.send(&[describe_statement(""), close_statement(""), sync()].concat()).unwrap();
    assert_eq!(tags(&client.until_ready()), "tT3Z");
}

#[test]
fn a_function_call_by_number_is_refused_and_the_session_goes_on() {
    let world = World::new();
    let mut client = world.session();
    let mut body = 3826_u32.to_be_bytes().to_vec();
    body.extend([0, 0, 0, 0, 0, 0]);
    client.send(&message(b'F', &body)).unwrap();
    let refused = client.until_ready();
    assert_eq!(tags(&refused), "EZ");
    assert_eq!(error(&refused).unwrap().code(), "0A000");
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
}

#[test]
fn a_held_statement_in_a_pipeline_keeps_its_place() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    let all = [query("SELECT 1"), query("DROP TABLE old_reports"), query("SELECT 2")];
    client.send(&all.concat()).unwrap();
    // The notice may come before what was asked earlier has been answered.
    let first = client.until_ready();
    assert_eq!(rows(&first), [["1"]]);
    let hold = world.hold();
    assert!(world.approve(hold.id).is_ok());
    let held = client.until_ready();
    assert!(tags(&held).ends_with("CZ"), "{held:?}");
    let notice = first.iter().chain(&held).find(|one| one.tag == b'N').unwrap().fields();
    assert!(notice.get(b'M').contains("approvals approve"), "{notice:?}");
    assert_eq!(rows(&client.until_ready()), [["2"]]);
}

#[test]
fn what_is_pinned_stays_and_sessions_go_on() {
    let world = World::new();
    let mut client = world.session();
    for text in [
        "SET standard_conforming_strings = off",
        "SET client_encoding = 'SJIS'",
        "SELECT set_config('standard_conforming_strings', 'off', false)",
    ] {
        let refused = client.query(text);
        assert!(error(&refused).is_some(), "{text}: {refused:?}");
    }
    assert_eq!(rows(&client.query("SHOW standard_conforming_strings")), [["on"]]);
    assert_eq!(rows(&client.query("SHOW client_encoding")), [["UTF8"]]);
    assert!(world.login(SHOP).is_ok());
}
