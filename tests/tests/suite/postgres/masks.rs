//! Masks on the wire: formats, types, messages.
//!
//! Owns what must not be seen in any form. Which columns are classified is the configuration's.

use tests::client::messages::{bind, describe_portal, error, execute, parse, rows, sync};
use tests::world::World;

const RAW: &[&str] = &["customer1@mail.example", "private5@home.example", "5555555555554444"];

fn assert_nothing_raw(text: &str, shown: &[tests::client::Message]) {
    let all = shown.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned());
    let all: String = all.collect();
    for raw in RAW {
        assert!(!all.contains(raw), "{text}: {raw} in {all}");
    }
}

#[test]
fn no_way_of_asking_shows_a_classified_value() {
    let world = World::new();
    let mut client = world.session();
    for text in [
        "SELECT email FROM users WHERE id = 1",
        "SELECT * FROM users",
        "SELECT email || '' FROM users",
        "SELECT upper(email) FROM users",
        "SELECT max(email) FROM users",
        "SELECT u FROM users u",
        "SELECT row_to_json(u) FROM users u",
        "SELECT to_jsonb(u) FROM users u",
        "SELECT array_agg(email) FROM users",
        "SELECT string_agg(email, ',') FROM users",
        "WITH w AS (SELECT email AS x FROM users) SELECT x FROM w",
        "SELECT email FROM users UNION ALL SELECT 'x'",
        "SELECT (SELECT email FROM users WHERE id = 1)",
        "SELECT coalesce(email, 'x') FROM users",
        "TABLE users",
        "VALUES ((SELECT email FROM users WHERE id = 1))",
        "SELECT note, card FROM users JOIN payments USING (id)",
    ] {
        for format in [0, 1] {
            let shown = client.extended(text, format);
            assert_nothing_raw(text, &shown);
        }
        let shown = client.query(text);
        assert_nothing_raw(text, &shown);
    }
}

#[test]
fn binary_values_keep_their_types() {
    let world = World::new();
    let mut client = world.session();
    let text = "SELECT id, email, birthday FROM users WHERE id = 1";
    let batch = [
        parse("", text, &[]),
        bind("", "", &[], &[1]),
        describe_portal(""),
        execute("", 0),
        sync(),
    ];
    client.send(&batch.concat()).unwrap();
    let shown = client.until_ready();
    let row = shown.iter().find(|one| one.tag == b'D').unwrap().values();
    assert_eq!(row[0].as_deref(), Some(&[0, 0, 0, 1][..]), "an integer is four bytes");
    let email = String::from_utf8(row[1].clone().unwrap()).unwrap();
    assert!(email.contains('*') && email.contains('@'), "{email}");
}

#[test]
fn an_error_does_not_quote_a_classified_value() {
    let world = World::new();
    let mut client = world.session();
    let text = "SELECT email::integer FROM users WHERE id = 1";
    let failed = client.query(text);
    let fields = error(&failed).unwrap();
    assert_eq!(fields.code(), "22P02");
    assert_nothing_raw(text, &failed);
    assert!(rows(&failed).is_empty());
}
