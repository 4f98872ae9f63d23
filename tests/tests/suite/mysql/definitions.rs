//! Sequences of definitions: migrations, dumps that are restored.
//!
//! Owns how often the server is asked for its catalogue over them, and that nothing is read by an old
//! one that has changed meanwhile.

use std::time::Instant;

use tests::mariadb::MariaDb;
use tests::mysql_client::MysqlClient;
use tests::world::World;

const DEFINITIONS: usize = 60;

/// Questions that make up one catalogue.
const QUESTIONS: usize = 6;

fn client() -> (World, MysqlClient) {
    let world = World::with(MariaDb::shared(), |usual| usual.all_understood_allowed());
    let database = world.mariadb().fresh_database();
    let stream = world.open_as(&world.usual_opener());
    let client = MysqlClient::login(stream, &database).unwrap();
    (world, client)
}

fn run(client: &mut MysqlClient, text: &str) {
    assert_eq!(client.query(text).error, None, "{text}");
}

/// How many queries this session has asked, the gateway's own among them.
fn queries(client: &mut MysqlClient) -> usize {
    let rows = client.query("SHOW SESSION STATUS LIKE 'Com_select'").rows;
    rows.first().and_then(|row| row.last()).unwrap().parse().unwrap()
}

#[test]
fn the_catalogue_is_not_fetched_between_definitions() {
    let (_world, mut client) = client();
    let (before, begun) = (queries(&mut client), Instant::now());
    for number in 0..DEFINITIONS {
        run(&mut client, &format!("CREATE TABLE m{number} (id int PRIMARY KEY, n int)"));
        run(&mut client, &format!("CREATE INDEX i ON m{number} (n)"));
        run(&mut client, &format!("ALTER TABLE m{number} ADD COLUMN o int"));
        run(&mut client, "DO 1");
    }
    run(&mut client, "SELECT * FROM m1");
    let fetched = (queries(&mut client) - before) / QUESTIONS;
    // What others change is looked for once a second.
    let looked = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!((1..=3 + looked).contains(&fetched), "{fetched} times in {looked} seconds");
}

#[test]
fn what_was_defined_is_known_when_it_is_used() {
    let (_world, mut client) = client();
    let one = |client: &mut MysqlClient, text: &str| {
        let rows = client.query(text).rows;
        rows.concat().concat()
    };
    run(&mut client, "CREATE TABLE a (id int, n int)");
    run(&mut client, "CREATE TABLE c (id int)");
    run(&mut client, "INSERT INTO a VALUES (1, 2)");
    assert_eq!(one(&mut client, "SELECT n FROM a"), "2");
    run(&mut client, "ALTER TABLE a ADD COLUMN m int DEFAULT 3");
    run(&mut client, "ALTER TABLE a ADD COLUMN o int DEFAULT 4");
    assert_eq!(one(&mut client, "SELECT * FROM a"), "1234");
    run(&mut client, "CREATE TABLE b (id int)");
    run(&mut client, "START TRANSACTION");
    run(&mut client, "INSERT INTO b VALUES (5)");
    assert_eq!(one(&mut client, "SELECT id FROM b"), "5");
    run(&mut client, "COMMIT");
    run(&mut client, "DROP TABLE a");
    run(&mut client, "CREATE TABLE a (id int, other varchar(9) DEFAULT 'x')");
    run(&mut client, "INSERT INTO a (id) VALUES (1)");
    assert_eq!(one(&mut client, "SELECT other FROM a"), "x");
    run(&mut client, "ALTER TABLE a RENAME TO z");
    assert_eq!(one(&mut client, "SELECT other FROM z"), "x");
}

#[test]
fn the_catalogue_is_fetched_after_calls_that_may_define_something_only() {
    let (world, mut client) = client();
    let rows = client.query("SELECT DATABASE()").rows;
    let database = rows.first().and_then(|row| row.last()).unwrap();
    for text in [
        "CREATE TABLE {}.m (id int)",
        "CREATE PROCEDURE {}.adds() BEGIN CREATE TEMPORARY TABLE IF NOT EXISTS own (id int); INSERT INTO m VALUES (1); END",
        "CREATE PROCEDURE {}.makes() CREATE TABLE made (id int DEFAULT 5)",
    ] {
        let script = format!("DELIMITER //\n{}//", text.replace("{}", database));
        let _ = world.mariadb().script(database, &script).success();
    }
    run(&mut client, "CREATE TABLE here (id int)");
    run(&mut client, "SELECT * FROM here");
    let (before, begun) = (queries(&mut client), Instant::now());
    for _ in 0..DEFINITIONS {
        run(&mut client, "CALL adds()");
    }
    let fetched = (queries(&mut client) - before) / QUESTIONS;
    let looked = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!(fetched <= 1 + looked, "{fetched} times in {looked} seconds");
    run(&mut client, "CALL makes()");
    run(&mut client, "INSERT INTO made VALUES ()");
    assert_eq!(client.query("SELECT id FROM made").rows, [["5"]]);
}
