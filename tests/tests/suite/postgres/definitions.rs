//! Sequences of definitions: migrations, dumps that are restored.
//!
//! Owns how often the server is asked for its catalogue over them, and that nothing is read by an old
//! one that has changed meanwhile.

use std::time::Instant;

use tests::client::Client;
use tests::client::messages::{error, rows};
use tests::cluster::Cluster;
use tests::world::World;

const DEFINITIONS: usize = 100;

fn world() -> (World, String) {
    let world = World::with(Cluster::shared(), |usual| usual.all_understood_allowed());
    let database = world.cluster().fresh_database();
    (world, database)
}

fn run(client: &mut Client, text: &str) {
    assert_eq!(error(&client.query(text)), None, "{text}");
}

/// How often a table has been read whole that only the gateway's own question reads so.
fn catalogues(world: &World, client: &mut Client, database: &str) -> usize {
    run(client, "SELECT pg_stat_force_next_flush()");
    let count = "SELECT pg_stat_get_numscans('pg_operator'::regclass)";
    world.cluster().as_superuser(database, count).success().trim().parse().unwrap()
}

#[test]
fn the_catalogue_is_not_fetched_between_definitions() {
    let (world, database) = world();
    let mut client = world.login(&database).unwrap();
    let (before, begun) = (catalogues(&world, &mut client, &database), Instant::now());
    for number in 0..DEFINITIONS {
        run(&mut client, &format!("CREATE TABLE m{number} (id int PRIMARY KEY, n int)"));
        run(&mut client, &format!("CREATE INDEX ON m{number} (n)"));
        run(&mut client, &format!("COMMENT ON TABLE m{number} IS 'one of many'"));
        let extended = format!("ALTER TABLE m{number} ADD FOREIGN KEY (n) REFERENCES users (id)");
        assert_eq!(error(&client.extended(&extended, 0)), None);
        run(&mut client, "SELECT count(*) FROM users");
    }
    run(&mut client, "SELECT * FROM m1");
    let fetched = catalogues(&world, &mut client, &database) - before;
    // What others change is looked for once a second.
    let looked = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!((1..=3 + looked).contains(&fetched), "{fetched} times in {looked} seconds");
}

#[test]
fn what_was_defined_is_known_when_it_is_used() {
    let (world, database) = world();
    let mut client = world.login(&database).unwrap();
    let one = |client: &mut Client, text: &str| rows(&client.query(text)).concat().concat();
    run(&mut client, "CREATE TABLE a (id int, n int); CREATE TABLE c (id int)");
    run(&mut client, "INSERT INTO a VALUES (1, 2)");
    assert_eq!(one(&mut client, "SELECT n FROM a"), "2");
    run(&mut client, "ALTER TABLE a ADD COLUMN m int DEFAULT 3");
    run(&mut client, "ALTER TABLE a ADD COLUMN o int DEFAULT 4");
    assert_eq!(one(&mut client, "SELECT * FROM a"), "1234");
    run(&mut client, "CREATE TABLE b (id int)");
    run(&mut client, "BEGIN");
    run(&mut client, "INSERT INTO b VALUES (5)");
    assert_eq!(one(&mut client, "SELECT id FROM b"), "5");
    run(&mut client, "COMMIT");
    run(&mut client, "DROP TABLE a");
    run(&mut client, "CREATE TABLE a (id int, other text DEFAULT 'x')");
    run(&mut client, "CREATE INDEX ON a (upper(other))");
    run(&mut client, "INSERT INTO a VALUES (1)");
    assert_eq!(one(&mut client, "SELECT other FROM a"), "x");
}

#[test]
fn what_hides_a_classified_column_is_seen_at_once() {
    let (world, database) = world();
    let mut client = world.login(&database).unwrap();
    run(&mut client, "CREATE SCHEMA app");
    run(&mut client, "SET search_path = app, public");
    for (define, ask) in [
        ("CREATE TABLE app.first (id int)", "SELECT email FROM users WHERE id = 1"),
        ("CREATE TABLE app.grown () INHERITS (users)", "SELECT email FROM users WHERE id = 1"),
        ("CREATE VIEW app.shown AS SELECT email AS n FROM users", "SELECT n FROM shown"),
        ("CREATE TABLE app.second (id int)", "SELECT n FROM shown LIMIT 1"),
        ("DROP VIEW app.shown", "SELECT email FROM public.users WHERE id = 1"),
    ] {
        // Refused or done: nothing may be shown after it.
        let _ = client.query(define);
        let shown = format!("{:?}", rows(&client.query(ask)));
        assert!(!shown.contains("customer1@"), "{define}; {ask}: {shown}");
    }
    // A table that comes before another of its name is meant, and not masked as that one is.
    run(&mut client, "CREATE TABLE app.orders (id int, amount text)");
    run(&mut client, "INSERT INTO orders VALUES (1, 'own')");
    assert_eq!(rows(&client.query("SELECT amount FROM orders")), [["own"]]);
}

#[test]
fn the_catalogue_is_fetched_after_calls_that_may_define_something_only() {
    let (world, database) = world();
    let script = "CREATE TABLE m (id int); GRANT ALL ON m TO public; \
        CREATE PROCEDURE adds() LANGUAGE plpgsql AS 'BEGIN INSERT INTO m VALUES (1); END'; \
        CREATE PROCEDURE makes() LANGUAGE plpgsql AS 'BEGIN CREATE TABLE made AS SELECT 5 AS id; END'";
    let _ = world.cluster().as_superuser(&database, script).success();
    let mut client = world.login(&database).unwrap();
    let (before, begun) = (catalogues(&world, &mut client, &database), Instant::now());
    for _ in 0..DEFINITIONS {
        run(&mut client, "CALL adds()");
    }
    let fetched = catalogues(&world, &mut client, &database) - before;
    let looked = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!(fetched <= 1 + looked, "{fetched} times in {looked} seconds");
    run(&mut client, "CALL makes()");
    assert_eq!(rows(&client.query("SELECT id FROM made")), [["5"]]);
    assert!(catalogues(&world, &mut client, &database) > before + fetched);
}

#[test]
fn what_a_transaction_has_made_is_known_whoever_looks_meanwhile() {
    let (world, database) = world();
    let mut client = world.login(&database).unwrap();
    for simple in [true, false] {
        run(&mut client, "DROP TABLE IF EXISTS late");
        run(&mut client, "BEGIN");
        run(&mut client, "CREATE TABLE late (id int, note text)");
        run(&mut client, "INSERT INTO late VALUES (1, 'shown')");
        // Another session fetches the catalogue, in which the table is not.
        let mut other = world.login(&database).unwrap();
        run(&mut other, "SELECT 1");
        let end = if simple { client.query("COMMIT") } else { client.extended("COMMIT", 0) };
        assert_eq!(error(&end), None);
        assert_eq!(rows(&client.query("SELECT note FROM late")), [["shown"]]);
    }
}
