//! COPY through the gateway, both ways, in every format.
//!
//! Owns the shape of the data and its masks.

use tests::client::Client;
use tests::client::messages::{error, message, query, rows, tags};
use tests::cluster::Cluster;
use tests::world::World;

fn data(client: &mut Client, text: &str) -> (String, Vec<u8>) {
    client.send(&query(text)).unwrap();
    let shown = client.until_ready();
    let bytes = shown.iter().filter(|one| one.tag == b'd').flat_map(|one| one.body.clone());
    (tags(&shown), bytes.collect())
}

#[test]
fn copied_rows_are_masked_in_text_and_csv() {
    let world = World::new();
    let mut client = world.session();
    for text in [
        "COPY (SELECT id, email FROM users ORDER BY id) TO STDOUT",
        "COPY users (id, email) TO STDOUT",
        "COPY users (id, email) TO STDOUT (FORMAT csv, HEADER)",
        "COPY users TO STDOUT (FORMAT csv, FORCE_QUOTE *)",
        "COPY users (email, id) TO STDOUT (DELIMITER '|', NULL 'nothing')",
    ] {
        let (order, bytes) = data(&mut client, text);
        let shown = String::from_utf8(bytes).unwrap();
        assert!(order.starts_with("Hd") && order.ends_with("cCZ"), "{text}: {order}");
        assert!(!shown.contains("customer1@mail.example"), "{text}: {shown}");
        assert!(shown.contains("c***@***"), "{text}: {shown}");
        let count = rows(&client.query("SELECT count(*) FROM users"))[0][0].clone();
        let header = usize::from(text.contains("HEADER"));
        assert_eq!(shown.lines().count() - header, count.parse::<usize>().unwrap(), "{text}");
    }
}

#[test]
fn copied_rows_are_masked_in_binary() {
    let world = World::new();
    let mut client = world.session();
    let (order, bytes) = data(&mut client, "COPY users (id, email) TO STDOUT (FORMAT binary)");
    assert!(order.ends_with("cCZ"), "{order}");
    assert!(bytes.starts_with(b"PGCOPY\n\xff\r\n\0"));
    assert!(bytes.ends_with(&[255, 255]));
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!shown.contains("customer1@mail.example"));
    assert!(shown.contains("c***@***"));
}

#[test]
fn copied_in_rows_arrive_and_a_failed_copy_leaves_the_session_usable() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    client.send(&query("COPY orders FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    for id in 5000..5200 {
        client.send(&message(b'd', format!("{id}\t1\tx\t7\t2024-01-01\n").as_bytes())).unwrap();
    }
    client.send(&message(b'c', b"")).unwrap();
    assert_eq!(tags(&client.until_ready()), "CZ");
    let count = client.query("SELECT count(*) FROM orders WHERE id BETWEEN 5000 AND 5199");
    assert_eq!(rows(&count), [["200"]]);

    client.send(&query("COPY orders FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    client.send(&message(b'd', b"not a number\t1\tx\t7\t2024-01-01\n")).unwrap();
    client.send(&message(b'd', b"1\t1\tx\t7\t2024-01-01\n")).unwrap();
    client.send(&message(b'c', b"")).unwrap();
    let failed = client.until_ready();
    assert_eq!(error(&failed).unwrap().code(), "22P02");
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);

    client.send(&query("COPY orders FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    client.send(&message(b'f', b"changed my mind\0")).unwrap();
    assert_eq!(error(&client.until_ready()).unwrap().code(), "57014");
    assert_eq!(rows(&client.query("SELECT 2")), [["2"]]);
}

#[test]
fn a_copy_that_fails_leaves_nothing_that_a_question_of_ours_would_wait_for() {
    let rule = "{ id: paths, effect: allow, target: shop, sql: { actions: [set], objects: [search_path] } }";
    let world = World::with(Cluster::shared(), |usual| usual.rule(rule));
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    for before in ["SET search_path = pg_catalog, public", "SELECT 1"] {
        assert!(error(&client.query(before)).is_none());
        for ended_by in [b"1\t1\tx\t7\t2024-01-01\n".as_slice(), b"not a number\n"] {
            client.send(&query("COPY orders FROM STDIN")).unwrap();
            assert_eq!(client.receive().unwrap().tag, b'G');
            client.send(&[message(b'd', b"neither\n"), message(b'd', ended_by)].concat()).unwrap();
            client.send(&message(b'c', b"")).unwrap();
            assert_eq!(error(&client.until_ready()).unwrap().code(), "22P02");
            assert_eq!(rows(&client.query("SELECT 1")), [["1"]], "after {before}");
        }
    }
}

#[test]
fn copy_into_what_is_not_granted_is_refused_and_its_data_is_ignored() {
    let world = World::new();
    let mut client = world.session();
    let all = [
        query("COPY users (id) FROM STDIN"),
        message(b'd', b"1\n"),
        message(b'c', b""),
        query("SELECT 1"),
    ];
    client.send(&all.concat()).unwrap();
    assert_eq!(error(&client.until_ready()).unwrap().code(), "42501");
    assert_eq!(rows(&client.until_ready()), [["1"]]);
}
