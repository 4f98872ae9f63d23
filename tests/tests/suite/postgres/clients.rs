//! Unchanged clients, each run straight to the server and through the gateway: they print the same.
//!
//! Owns the comparison and the features that clients rely on without saying so: the server's own
//! process id, large objects by number, many parameters, `search_path` at connect. The workload
//! may do everything here; what is refused is tried elsewhere.

use std::process::Command;

use tests::client::Client;
use tests::client::messages::{
    describe_statement, error, execute, message, parse, rows, startup_of, sync, tags,
};
use tests::cluster::{APP, Cluster, SHOP};
use tests::programs::{self, Said};
use tests::world::{WORKLOAD, World};

/// What `psql` is made to do: every kind of answer, errors, COPY both ways, names, transactions.
const SCRIPT: &str = include_str!("clients/everything.sql");

const PSYCOPG: &str = include_str!("clients/psycopg.py");
const ASYNCPG: &str = include_str!("clients/asyncpg.py");

fn open_world(cluster: &'static Cluster) -> World {
    World::with(cluster, |usual| usual.everything_allowed().classification(""))
}

/// A program and its arguments, run with libpq's environment for one way to the database.
fn client(port: u16, database: &str, program: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).env("PGHOST", "127.0.0.1").env("PGPORT", port.to_string());
    command.env("PGUSER", APP.name).env("PGPASSWORD", APP.password).env("PGDATABASE", database);
    programs::run(&mut command)
}

/// Runs it both ways and compares all that it prints.
fn same(world: &World, database: &str, program: &str, arguments: &[&str]) -> String {
    let direct = client(world.cluster().port(), database, program, arguments);
    let through = client(world.port(), database, program, arguments);
    let (shown, meant) = (lines(&through), lines(&direct));
    let other = shown.iter().zip(&meant).find(|(shown, meant)| shown != meant);
    let errors = format!("through the gateway:\n{}\ndirect:\n{}", through.error, direct.error);
    assert_eq!(other, None, "through the gateway, and direct: {program}\n{errors}");
    assert_eq!(shown.len(), meant.len(), "{program}\n{}", through.error);
    assert_eq!(through.status, direct.status);
    direct.everything()
}

/// Without what is different in every run: a dump's key, the number of a session's own schema. That
/// number's digits make a column wider, so runs of blanks and dashes are one.
fn lines(said: &Said) -> Vec<String> {
    let differs = |line: &&str| line.contains("restrict ") || line.contains("pg_temp_");
    let narrow = |line: &str| {
        let mut narrow: Vec<char> = line.chars().collect();
        narrow.dedup_by(|next, before| next == before && matches!(next, ' ' | '-'));
        narrow.into_iter().collect::<String>().trim().to_owned()
    };
    said.everything().lines().filter(|line| !differs(line)).map(narrow).collect()
}

fn python(world: &World, program: &str) -> String {
    let python = programs::cache().join("python/bin/python");
    let python = python.to_str().expect("a path in UTF-8");
    // A database of its own: what other tests do to the shared one meanwhile is not asked here.
    same(world, &world.cluster().fresh_database(), python, &["-c", program])
}

#[test]
fn psql_prints_the_same_in_every_format() {
    for cluster in Cluster::all() {
        let world = open_world(cluster);
        let text = "SELECT id, name, birthday, note, attributes FROM users ORDER BY id LIMIT 7";
        for format in ["aligned", "unaligned", "csv", "html", "asciidoc", "wrapped"] {
            let format = format!("format={format}");
            let _ = same(&world, SHOP, "psql", &["-X", "-P", &format, "-c", text]);
        }
        let copy = r"\copy (SELECT * FROM orders ORDER BY id) TO stdout CSV HEADER";
        assert_eq!(same(&world, SHOP, "psql", &["-X", "-c", copy]).lines().count(), 201);
        let _ = same(&world, SHOP, "psql", &["-X", "-v", "FETCH_COUNT=7", "-c", text]);
        let _ = same(&world, SHOP, "psql", &["-X", "-c", "SELECT 1; SELECT 1/0; SELECT 3"]);
    }
}

#[test]
fn a_script_with_everything_in_it_prints_the_same() {
    for cluster in Cluster::all() {
        let world = open_world(cluster);
        let file = world.cluster().directory().join("everything.sql");
        std::fs::write(&file, SCRIPT).unwrap();
        let file = file.to_str().unwrap();
        let printed = same(&world, SHOP, "psql", &["-X", "-f", file]);
        assert!(printed.lines().count() > 100, "{printed}");
        let _ = same(&world, SHOP, "psql", &["-X", "-1", "-f", file]);
    }
}

#[test]
fn a_dump_is_the_same_and_a_copy_restored_from_it_too() {
    let world = open_world(Cluster::shared());
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    let made = client.query("SELECT lo_from_bytea(0, decode(repeat('00ff', 100000), 'hex'))");
    assert!(error(&made).is_none(), "{made:?}");
    let before = same(&world, &database, "pg_dump", &[]);
    assert!(before.contains("lowrite"), "the large object is not in the dump");
    let _ = same(&world, &database, "pg_dump", &["--inserts", "--schema=public"]);
    let archive = world.cluster().directory().join(format!("{database}.dump"));
    let archive = archive.to_str().unwrap();
    let through = |program: &str, arguments: &[&str]| {
        self::client(world.port(), &database, program, arguments)
    };
    let _ = through("pg_dump", &["-Fc", "-f", archive]).success();
    let restored = through("pg_restore", &["--clean", "--if-exists", "-d", &database, archive]);
    let _ = restored.success();
    assert!(same(&world, &database, "pg_dump", &[]).contains("lowrite"));
}

#[test]
fn pgbench_runs_in_every_mode() {
    let world = open_world(Cluster::shared());
    let file = world.cluster().directory().join("pipeline.sql");
    let pipeline = "\\startpipeline\nSELECT 1;\nSELECT count(*) FROM orders;\n\
                    UPDATE orders SET item = item WHERE id = 3;\n\\endpipeline\n";
    std::fs::write(&file, pipeline).unwrap();
    let simple = world.cluster().directory().join("simple.sql");
    std::fs::write(&simple, "\\set id random(1, 40)\nSELECT name FROM users WHERE id = :id;\n")
        .unwrap();
    for (mode, file) in [
        ("simple", &simple),
        ("extended", &simple),
        ("prepared", &simple),
        ("extended", &file),
        ("prepared", &file),
    ] {
        let arguments = ["-n", "-M", mode, "-c", "3", "-t", "20", "-f", file.to_str().unwrap()];
        let said = client(world.port(), SHOP, "pgbench", &arguments).success();
        assert!(said.contains("processed: 60/60"), "{mode} {}: {said}", file.display());
    }
}

#[test]
fn psycopg_sees_the_same() {
    let printed = python(&open_world(Cluster::shared()), PSYCOPG);
    assert!(printed.ends_with("done\n"), "{printed}");
}

#[test]
fn asyncpg_sees_the_same() {
    let printed = python(&open_world(Cluster::shared()), ASYNCPG);
    assert!(printed.ends_with("done\n"), "{printed}");
}

#[test]
fn the_process_id_is_the_servers_own() {
    let world = World::new();
    let mut client = world.connect();
    let parameters = [("user", WORKLOAD.name), ("database", SHOP)];
    client.send(&startup_of(0x0003_0000, &parameters)).unwrap();
    let said = client.until_ready();
    let key = &said.iter().find(|one| one.tag == b'K').unwrap().body;
    let given = i32::from_be_bytes(key[..4].try_into().unwrap());
    assert_eq!(rows(&client.query("SELECT pg_backend_pid()")), [[given.to_string()]]);
}

#[test]
fn where_names_are_looked_for_can_be_chosen_at_connect_and_is_believed() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let made = "CREATE SCHEMA closed; CREATE TABLE closed.users (id int); CREATE SCHEMA open; \
                CREATE TABLE open.orders (email text); GRANT USAGE ON SCHEMA open TO app; \
                GRANT ALL ON open.orders TO app";
    let _ = world.cluster().as_superuser(&database, made).success();
    let mut client = world.connect();
    let path = ("options", "-c search_path=closed,open,public");
    client
        .start(WORKLOAD, &[("user", WORKLOAD.name), ("database", database.as_str()), path])
        .unwrap();
    assert_eq!(rows(&client.query("SHOW search_path")), [["closed,open,public"]]);
    // The server passes over a schema its user may not look into, and so do we.
    let users = client.query("SELECT email FROM users WHERE id = 1");
    let value = rows(&users)[0][0].clone();
    assert!(value.contains('*') && !value.contains("customer1"), "{value}");
    // The rule that allows inserts speaks of public.orders.
    let refused = client.query("INSERT INTO orders VALUES ('x')");
    assert_eq!(error(&refused).unwrap().code(), "42501", "{refused:?}");
}

/// A call by number: arguments and result in binary.
fn call(function: u32, arguments: &[&[u8]]) -> Vec<u8> {
    let mut body = function.to_be_bytes().to_vec();
    body.extend([0, 1, 0, 1]);
    body.extend(u16::try_from(arguments.len()).unwrap().to_be_bytes());
    for argument in arguments {
        body.extend(u32::try_from(argument.len()).unwrap().to_be_bytes());
        body.extend(*argument);
    }
    body.extend([0, 1]);
    message(b'F', &body)
}

fn called(client: &mut Client, function: u32, arguments: &[&[u8]]) -> Vec<u8> {
    client.send(&call(function, arguments)).unwrap();
    let answer = client.until_ready();
    assert_eq!(tags(&answer), "VZ", "{answer:?}");
    let value = answer.first().and_then(|one| one.body.get(4..));
    value.expect("a length and a value").to_vec()
}

#[test]
fn large_objects_are_worked_with_by_number() {
    let world = open_world(Cluster::shared());
    let mut client = world.session();
    let _ = client.query("BEGIN");
    let number = called(&mut client, 715, &[&0_u32.to_be_bytes()]);
    let open = called(&mut client, 952, &[&number, &0x60000_i32.to_be_bytes()]);
    // Longer than what is held whole.
    let data: Vec<u8> = (0..1_000_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    assert_eq!(called(&mut client, 955, &[&open, &data]), 1_000_000_i32.to_be_bytes());
    let _ = called(&mut client, 956, &[&open, &[0; 4], &[0; 4]]);
    assert!(called(&mut client, 954, &[&open, &2_000_000_i32.to_be_bytes()]) == data);
    let _ = client.query("ROLLBACK");
}

#[test]
fn a_call_by_number_is_judged_and_what_cannot_be_masked_is_not_read() {
    let world = World::new();
    let mut client = world.session();
    for function in [952, 954, 3826] {
        client.send(&call(function, &[&[0; 4], &[0; 4]])).unwrap();
        let refused = client.until_ready();
        assert_eq!(tags(&refused), "EZ", "{function}");
    }
    assert!(!world.cluster().log().contains("fastpath"));
    let world = World::with(Cluster::shared(), tests::world::Configuration::everything_allowed);
    let mut client = world.session();
    client.send(&call(954, &[&[0; 4], &[0; 4]])).unwrap();
    let refused = client.until_ready();
    assert!(error(&refused).unwrap().get(b'M').contains("cannot be masked"), "{refused:?}");
}

#[test]
fn an_encoding_by_its_old_name_is_what_it_means() {
    let world = open_world(Cluster::shared());
    let mut client = world.session();
    let answer = client.query("SET client_encoding = 'UNICODE'");
    assert!(error(&answer).is_none(), "{answer:?}");
    assert_eq!(rows(&client.query("SELECT 'ü'")), [["ü"]]);
}

#[test]
fn as_many_parameters_as_the_protocol_can_count() {
    let world = open_world(Cluster::shared());
    let mut client = world.session();
    let places: Vec<String> = (1..=65_535).map(|at| format!("${at}")).collect();
    let text = format!("SELECT 7 WHERE 1 IN ({})", places.join(","));
    let values = vec![Some("1"); 65_535];
    let batch =
        [parse("", &text, &[]), describe_statement(""), bind_many(&values), execute("", 0), sync()];
    client.send(&batch.concat()).unwrap();
    let answer = client.until_ready();
    assert_eq!(tags(&answer), "1tT2DCZ", "{:?}", error(&answer));
}

/// A `Bind` with more parameters than fit a count with a sign.
fn bind_many(values: &[Option<&str>]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 0];
    body.extend(u16::try_from(values.len()).unwrap().to_be_bytes());
    for value in values.iter().flatten() {
        body.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        body.extend(value.as_bytes());
    }
    body.extend([0, 0]);
    message(b'B', &body)
}
