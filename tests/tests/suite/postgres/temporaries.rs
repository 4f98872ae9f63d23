//! Temporary tables, where something else is classified: what a report keeps in one is its own.
//!
//! Owns what is shown of them. How copying into them is refused is among the leaks.

use tests::client::Client;
use tests::client::messages::{bind, describe_portal, error, execute, parse, rows, sync};
use tests::cluster::Cluster;
use tests::world::World;

fn run(client: &mut Client, text: &str) {
    assert!(error(&client.query(text)).is_none(), "{text}");
}

fn world() -> (World, String) {
    let world = World::with(Cluster::shared(), |usual| usual.all_understood_allowed());
    let database = world.cluster().fresh_database();
    (world, database)
}

#[test]
fn a_temporary_table_is_shown_as_it_is() {
    let (world, database) = world();
    let mut client = world.login(&database).unwrap();
    for (open, close) in [("SELECT 1", "SELECT 1"), ("BEGIN", "COMMIT")] {
        run(&mut client, open);
        let made = "CREATE TEMP TABLE totals AS SELECT user_id, amount::int AS sum FROM orders WHERE id < 3";
        assert!(error(&client.query(made)).is_none());
        run(&mut client, "CREATE INDEX ON totals (sum)");
        assert!(error(&client.query("INSERT INTO totals VALUES (7, 9)")).is_none());
        for format in [0, 1] {
            let text = "SELECT sum FROM totals WHERE user_id = 7";
            let shown = client.extended(text, format);
            let row = shown.iter().find(|one| one.tag == b'D').unwrap().values();
            let nine: &[u8] = if format == 0 { b"9" } else { &[0, 0, 0, 9] };
            assert_eq!(row[0].as_deref(), Some(nine));
        }
        assert_eq!(rows(&client.query("SELECT * FROM totals WHERE user_id = 7")), [["7", "9"]]);
        assert_eq!(rows(&client.query("SELECT sum(sum), max(user_id) FROM totals")), [["22", "7"]]);
        assert_eq!(
            rows(&client.query("SELECT sum + 1 FROM pg_temp.totals ORDER BY 1 DESC"))[0],
            ["10"]
        );
        let joined =
            "SELECT t.sum, o.item FROM totals t JOIN orders o ON o.id = t.user_id ORDER BY 1";
        assert_eq!(rows(&client.query(joined))[1], ["7", "item 3"]);
        let missing = client.query("SELECT nothing FROM totals");
        assert_eq!(error(&missing).unwrap().get(b'M'), "column \"nothing\" does not exist");
        run(&mut client, close);
        run(&mut client, "ROLLBACK");
        run(&mut client, "DROP TABLE IF EXISTS totals");
    }
}

#[test]
fn what_comes_in_the_place_of_a_temporary_table_is_not_taken_for_it() {
    let (world, database) = world();
    let mut client = world.login(&database).unwrap();
    let raw = |client: &mut Client, text: &str| {
        let shown = format!("{:?}", rows(&client.query(text))).to_lowercase();
        assert!(!shown.contains("customer1@"), "{text}: {shown}");
    };
    // A prepared statement and a cursor go on meaning what was there before.
    raw(&mut client, "PREPARE q AS SELECT upper(email) AS e FROM users WHERE id = 1");
    raw(&mut client, "BEGIN");
    raw(&mut client, "DECLARE c CURSOR FOR SELECT upper(email) AS e FROM users WHERE id = 1");
    raw(&mut client, "CREATE TEMP TABLE users (id int, email text)");
    raw(&mut client, "EXECUTE q");
    raw(&mut client, "FETCH ALL FROM c");
    raw(&mut client, "ROLLBACK");
    raw(&mut client, "SELECT upper(email) FROM users");
    // It is dropped, and the name means the other again.
    raw(&mut client, "CREATE TEMP TABLE users (id int, email text)");
    raw(&mut client, "SELECT upper(email) FROM users");
    raw(&mut client, "DROP TABLE users; SELECT upper(email) FROM users");
    raw(&mut client, "SELECT upper(email) FROM users");
    // A view under a temporary name, and a table that a rule makes one.
    raw(&mut client, "CREATE TEMP VIEW shows AS SELECT upper(email) AS e FROM users");
    raw(&mut client, "SELECT e FROM shows");
    raw(&mut client, "CREATE TEMP TABLE ruled (e text)");
    raw(&mut client, "SELECT e FROM ruled");
    let rule = "CREATE RULE \"_RETURN\" AS ON SELECT TO ruled DO INSTEAD SELECT upper(email) AS e FROM users";
    raw(&mut client, &format!("{rule}; SELECT e FROM ruled"));
    raw(&mut client, rule);
    raw(&mut client, "SELECT e FROM ruled");
    // A table of the transaction's own that another's rows are put under.
    raw(&mut client, "BEGIN");
    raw(&mut client, "CREATE TABLE parent (email text)");
    raw(&mut client, "ALTER TABLE users INHERIT parent");
    raw(&mut client, "PREPARE p AS SELECT upper(email) AS e FROM parent ORDER BY 1");
    raw(&mut client, "CREATE TEMP TABLE parent (email text)");
    raw(&mut client, "EXECUTE p");
    raw(&mut client, "SELECT upper(email) FROM public.parent ORDER BY 1");
    raw(&mut client, "ROLLBACK");
}

#[test]
fn an_unnamed_statement_outlives_what_others_change_for_a_moment_and_is_never_read_by_old_names() {
    let (world, database) = world();
    let (mut client, mut other) =
        (world.login(&database).unwrap(), world.login(&database).unwrap());
    let parsed = [parse("", "SELECT id FROM orders WHERE id = 1", &[]), sync()].concat();
    let run = [bind("", "", &[], &[]), describe_portal(""), execute("", 0), sync()].concat();
    client.send(&parsed).unwrap();
    assert!(error(&client.until_ready()).is_none());
    assert!(error(&other.query("CREATE TABLE another (id int)")).is_none());
    client.send(&run).unwrap();
    assert_eq!(rows(&client.until_ready()), [["1"]]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    // What names mean is asked first, over which the server forgets the statement.
    client.send(&run).unwrap();
    let forgotten = client.until_ready();
    assert_eq!(error(&forgotten).map(|error| error.code().to_owned()).as_deref(), Some("26000"));
    client.send(&[parsed, run].concat()).unwrap();
    assert!(error(&client.until_ready()).is_none());
    assert_eq!(rows(&client.until_ready()), [["1"]]);
}
