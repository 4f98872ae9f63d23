//! Cursors that functions open: no text of the session tells what they read.
//!
//! Owns what fetching from one needs and shows. The functions are made beside the gateway.

use tests::client::Client;
use tests::client::messages::{bind, describe_portal, error, execute, parse, rows, sync};
use tests::cluster::{APP, Cluster};
use tests::world::World;

const FUNCTIONS: &str = "
    CREATE FUNCTION open_orders(name refcursor) RETURNS refcursor LANGUAGE plpgsql AS $$
        BEGIN OPEN name FOR SELECT id, item FROM orders ORDER BY id LIMIT 2; RETURN name; END $$;
    CREATE FUNCTION open_emails(name refcursor) RETURNS refcursor LANGUAGE plpgsql AS $$
        BEGIN OPEN name FOR SELECT id, email, upper(email), 'x' FROM users WHERE id = 1;
        RETURN name; END $$";

fn run(client: &mut Client, text: &str) {
    assert!(error(&client.query(text)).is_none(), "{text}");
}

fn world(more: &str) -> (World, String) {
    let cluster = Cluster::shared();
    let world = World::with(cluster, |usual| {
        usual.rule(more).rule(
            "{ id: open, effect: allow, target: shop, sql: { actions: [execute], functions: [\"*.open_*\"] } }",
        )
    });
    let database = cluster.fresh_database();
    let mut beside =
        Client::login(([127, 0, 0, 1], cluster.port()).into(), APP, &database).unwrap();
    assert!(error(&beside.query(FUNCTIONS)).is_none());
    (world, database)
}

const PATHS: &str =
    "{ id: paths, effect: allow, target: shop, sql: { actions: [set], objects: [search_path] } }";

#[test]
fn what_a_function_has_opened_is_fetched() {
    let (world, database) = world(PATHS);
    let mut client = world.login(&database).unwrap();
    let missing = client.query("FETCH ALL FROM c");
    assert_eq!(error(&missing).unwrap().code(), "34000");
    assert_eq!(error(&missing).unwrap().get(b'M'), "cursor \"c\" does not exist");
    run(&mut client, "BEGIN");
    assert_eq!(rows(&client.query("SELECT open_orders('c')")).len(), 1);
    assert_eq!(rows(&client.query("FETCH 1 FROM c")), [["1", "item 1"]]);
    assert_eq!(rows(&client.query("FETCH ALL IN \"c\"")), [["2", "item 2"]]);
    run(&mut client, "COMMIT");
    // Now the words are the server's own.
    let gone = client.query("FETCH ALL FROM c");
    assert_eq!(error(&gone).unwrap().code(), "34000");
    // In one text, and by the extended protocol.
    let both = rows(&client.query("BEGIN; SELECT open_orders('d'); FETCH 1 FROM d; COMMIT"));
    assert_eq!(both[1], ["1", "item 1"]);
    run(&mut client, "BEGIN; SELECT open_orders('e')");
    let fetch = [
        parse("", "FETCH ALL FROM e", &[]),
        bind("", "", &[], &[]),
        describe_portal(""),
        execute("", 0),
        sync(),
    ];
    client.send(&fetch.concat()).unwrap();
    assert_eq!(rows(&client.until_ready()), [["1", "item 1"], ["2", "item 2"]]);
}

#[test]
fn rows_of_a_function_s_cursor_are_masked_as_those_of_a_function() {
    let (world, database) = world(PATHS);
    let mut client = world.login(&database).unwrap();
    run(&mut client, "BEGIN; SELECT open_emails('c')");
    let shown = rows(&client.query("FETCH ALL FROM c"));
    assert_eq!(shown[0][0], "1");
    assert_eq!(shown[0][1], "c***@***.example");
    assert!(!shown[0][2].contains("CUSTOMER"), "{shown:?}");
}

#[test]
fn a_cursor_of_the_session_s_own_is_not_read_as_a_function_s_under_another_path() {
    let (world, database) = world(PATHS);
    let mut client = world.login(&database).unwrap();
    run(&mut client, "BEGIN; SELECT open_orders('c')");
    run(&mut client, "DECLARE own CURSOR FOR SELECT upper(email) FROM users");
    assert!(error(&client.query("FETCH 1 FROM own")).is_none());
    run(&mut client, "SET search_path = pg_catalog");
    let lost = client.query("FETCH 1 FROM own");
    assert_eq!(error(&lost).unwrap().code(), "34000");
}
