//! Names that come to mean something else, and relations that the server opens unseen.
//!
//! Owns attacks on what a statement is taken for: the search path moved, roles changed, shadows
//! put in front; and an oracle: what the server itself says a statement reads must be among what
//! it was judged for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tests::client::{Client, Message, messages};
use tests::cluster::{APP, Cluster};
use tests::world::World;

/// A secret behind a name that is harmless elsewhere.
const TWO_SCHEMAS: &str = "
    CREATE TABLE public.thing (id integer, value text);
    INSERT INTO public.thing VALUES (1, 'harmless');
    CREATE SCHEMA vault;
    CREATE TABLE vault.thing (id integer, value text, more text);
    INSERT INTO vault.thing VALUES (1, 'Zq7Kanarie1', 'Zq7Kanarie2');
";

/// May set anything and read `thing` of the public schema; of the vault nothing.
const MOVER: &str = r#"
  - name: mover
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, sql: { actions: [select], objects: ["*.public.*", "*.pg_catalog.*"] } }
      - { id: settings, effect: allow, target: shop, sql: { actions: [set], objects: ["*"] } }
"#;

fn world_of_two_schemas(classification: &str, roles: &str) -> (World, String) {
    let cluster = Cluster::shared();
    let world = World::with(cluster, |usual| usual.roles(roles).classification(classification));
    let database = cluster.fresh_database();
    let script = format!("SET ROLE app; {TWO_SCHEMAS}");
    let _ = cluster.as_superuser(&database, &script).success();
    (world, database)
}

fn text(answer: &[Message]) -> String {
    format!("{answer:?}")
}

/// Every way to move the path: lines of messages, the last of which reads `thing`.
const MOVES: &[&[&str]] = &[
    &["SET search_path = vault", "SELECT value FROM thing"],
    &["SET search_path = vault, public", "SELECT more FROM thing"],
    &["SET search_path = vault; SELECT value FROM thing"],
    &["SELECT set_config('search_path', 'vault', false)", "SELECT value FROM thing"],
    &["SELECT set_config('search_path', 'vault', false)", "SELECT upper(value) || more FROM thing"],
    &["BEGIN", "SET LOCAL search_path = vault", "SELECT value FROM thing"],
    &["BEGIN", "SET LOCAL search_path = vault", "COPY thing TO STDOUT"],
    &["PREPARE p AS SELECT value FROM thing", "SET search_path = vault", "EXECUTE p"],
    &["PREPARE p AS SELECT value FROM thing", "SET search_path = vault; EXECUTE p"],
    &[
        "SET search_path = vault",
        "BEGIN",
        "SET LOCAL search_path = public",
        "ROLLBACK; SELECT value FROM thing",
    ],
    &[
        "SET search_path = vault",
        "BEGIN",
        "SET LOCAL search_path = public",
        "SELECT 1 / 0",
        "ROLLBACK; SELECT value FROM thing",
    ],
    &[
        "SET search_path = vault",
        "BEGIN",
        "SET LOCAL search_path = public",
        "SELECT 1 / 0",
        "ROLLBACK",
        "SELECT value FROM thing",
    ],
    &[
        "SET search_path = vault",
        "BEGIN",
        "SAVEPOINT s",
        "SET search_path = public",
        "ROLLBACK TO s; SELECT value FROM thing",
    ],
    &[
        "SET search_path = vault",
        "BEGIN",
        "SET search_path = public",
        "ROLLBACK",
        "SELECT value FROM thing",
    ],
    &[
        "SET search_path = vault",
        "BEGIN",
        "SAVEPOINT s",
        "SET search_path = public",
        "ROLLBACK TO s",
        "SELECT value FROM thing",
    ],
];

#[test]
fn a_search_path_that_moves_takes_the_rules_along() {
    let (world, database) = world_of_two_schemas("", MOVER);
    for lines in MOVES {
        let mut client = world.login(&database).expect("a session");
        for line in *lines {
            let answer = text(&client.query(line));
            assert!(!answer.contains("Kanarie"), "{lines:?}: {answer}");
        }
        let mut client = world.login(&database).expect("a session");
        for line in *lines {
            let answer = text(&client.extended(line, 0));
            assert!(!answer.contains("Kanarie"), "extended {lines:?}: {answer}");
        }
    }
}

#[test]
fn a_search_path_that_moves_takes_the_masks_along() {
    let roles = MOVER.replace("\"*.public.*\", \"*.pg_catalog.*\"", "\"*\"");
    let classification = "
  - { tag: pii.vault, target: shop, columns: [\"*.vault.thing.*\"], mask: redact }
";
    let (world, database) = world_of_two_schemas(classification, &roles);
    for lines in MOVES {
        let mut client = world.login(&database).expect("a session");
        for line in *lines {
            let answer = text(&client.query(line)).to_lowercase();
            assert!(!answer.contains("kanarie"), "{lines:?}: {answer}");
        }
    }
}

#[test]
fn in_one_batch_a_path_cannot_be_moved_under_a_statement() {
    let (world, database) = world_of_two_schemas("", MOVER);
    let mut client = world.login(&database).expect("a session");
    let run = |text: &str| {
        [
            messages::parse("", text, &[]),
            messages::bind("", "", &[], &[0]),
            messages::execute("", 0),
        ]
        .concat()
    };
    let batch =
        [run("SET search_path = vault"), run("SELECT value FROM thing"), messages::sync()].concat();
    client.send(&batch).expect("a gateway");
    let answer = client.until_ready();
    assert!(!text(&answer).contains("Kanarie"), "{answer:?}");
    assert!(messages::error(&answer).is_some(), "{answer:?}");
    // The statement failed, and the change with it.
    let answer = client.query("SELECT value FROM thing");
    assert_eq!(messages::rows(&answer), [["harmless"]]);
}

#[test]
fn a_cursor_keeps_its_meaning_when_the_path_moves() {
    let roles = MOVER.replace("\"*.public.*\", \"*.pg_catalog.*\"", "\"*\"");
    let classification = "
  - { tag: pii.vault, target: shop, columns: [\"*.vault.thing.*\"], mask: redact }
";
    let (world, database) = world_of_two_schemas(classification, &roles);
    let mut client = world.login(&database).expect("a session");
    for line in [
        "SET search_path = vault",
        "BEGIN",
        "DECLARE c CURSOR FOR SELECT upper(value) AS v FROM thing",
        "SET LOCAL search_path = public",
        "FETCH c",
    ] {
        let answer = text(&client.query(line)).to_lowercase();
        assert!(!answer.contains("kanarie"), "{line}: {answer}");
    }
}

#[test]
fn after_a_move_honest_statements_go_on() {
    let (world, database) = world_of_two_schemas("", MOVER);
    let mut client = world.login(&database).expect("a session");
    let answer = client.query("SET search_path = public");
    assert_eq!(messages::tags(&answer), "CZ");
    for _ in 0..2 {
        let answer = client.query("SELECT value FROM thing");
        assert_eq!(messages::rows(&answer), [["harmless"]]);
        let answer = client.extended("SELECT value FROM thing", 0);
        assert_eq!(messages::rows(&answer), [["harmless"]]);
    }
    let answer = client.query("BEGIN; SELECT value FROM thing");
    assert_eq!(messages::rows(&answer), [["harmless"]]);
    let answer = client.query("SELECT 1 / 0");
    assert_eq!(messages::transaction_state(&answer), Some('E'));
    let answer = client.query("SELECT value FROM thing");
    assert_eq!(
        messages::error(&answer).map(|error| error.code().to_owned()).as_deref(),
        Some("25P02")
    );
    assert_eq!(messages::tags(&client.query("ROLLBACK")), "CZ");
    let answer = client.query("SELECT value FROM thing");
    assert_eq!(messages::rows(&answer), [["harmless"]]);
}

#[test]
fn a_temporary_table_does_not_take_the_place_of_what_is_judged() {
    let roles = r#"
  - name: maker
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, sql: { actions: [select], objects: ["*.vault.*", "*.pg_catalog.*"] } }
      - { id: temporary, effect: allow, target: shop, sql: { actions: [create, insert, select], objects: ["*.pg_temp.*"] } }
"#;
    let (world, database) = world_of_two_schemas("", roles);
    let mut client = world.login(&database).expect("a session");
    let answer = client.query("CREATE TEMP TABLE thing AS SELECT 1 AS id, 'mine' AS value");
    assert_eq!(messages::error(&answer), None);
    // It may be the session's own or the public one, of which nothing is granted.
    let answer = client.query("SELECT value FROM thing");
    assert!(messages::error(&answer).is_some(), "{answer:?}");
    assert_eq!(messages::rows(&client.query("SELECT value FROM pg_temp.thing")), [["mine"]]);
}

#[test]
fn what_was_renamed_or_made_a_moment_ago_is_known_at_once() {
    let roles = r#"
  - name: maker
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: all, effect: allow, target: shop, sql: { actions: [select, insert, create, alter, drop], objects: ["*"] } }
"#;
    let classification = "
  - { tag: pii.vault, target: shop, columns: [\"*.vault.thing.*\"], mask: redact }
";
    let (world, database) = world_of_two_schemas(classification, roles);
    let mut client = world.login(&database).expect("a session");
    for line in [
        "ALTER TABLE public.thing RENAME TO other",
        "ALTER TABLE vault.thing SET SCHEMA public",
        "SELECT upper(value), more FROM public.thing",
        "CREATE TABLE public.base (id integer, value text, more text)",
        "ALTER TABLE vault.thing INHERIT public.base",
        "SELECT upper(value), more FROM public.base",
        "ALTER SCHEMA vault RENAME TO cellar",
        "SELECT upper(value), more FROM cellar.thing",
    ] {
        let answer = text(&client.query(line)).to_lowercase();
        assert!(!answer.contains("kanarie"), "{line}: {answer}");
    }
    let answer = client.query("CREATE TABLE public.fresh AS SELECT 7 AS seven");
    assert_eq!(messages::error(&answer), None);
    assert_eq!(messages::rows(&client.query("SELECT seven + 1 FROM public.fresh")), [["8"]]);
}

/// Statements that read stored relations in unusual places, a line each.
const READING: &str = include_str!("reading.sql");

/// The relations of the shop that hold rows or show them.
const RELATIONS: &[&str] =
    &["users", "orders", "payments", "old_reports", "customers", "order_totals"];

#[test]
fn every_relation_that_the_server_opens_is_judged() {
    let cluster = Cluster::shared();
    let address = ([127, 0, 0, 1], cluster.port()).into();
    let database = cluster.fresh_database();
    let mut direct = Client::login(address, APP, &database).expect("a session");
    let lines = READING.lines().filter(|line| !line.is_empty() && !line.starts_with("--"));
    let opened: Vec<(&str, BTreeSet<String>)> =
        lines.map(|line| (line, opened(&mut direct, line))).collect();
    let mut report = String::new();
    for relation in RELATIONS {
        // Everything but this one relation.
        let roles = format!(
            "
  - name: all-but-one
    groups: [readers]
    rules:
      - {{ id: connect, effect: allow, target: shop }}
      - {{ id: all, effect: allow, target: shop, sql: {{ actions: [select, insert, update, delete, merge, lock, maintain], objects: [\"*\"] }} }}
      - {{ id: but-one, effect: deny, target: shop, sql: {{ actions: [select, insert, update, delete, merge, lock, maintain], objects: [\"*.public.{relation}\"] }} }}
"
        );
        let world = World::with(cluster, |usual| usual.roles(&roles).classification(""));
        let mut client = world.login(&database).expect("a session");
        for (line, names) in &opened {
            let view = ["customers", "order_totals"].iter().any(|view| names.contains(*view));
            // What lies beneath a view is the view's.
            let beneath = view && !["customers", "order_totals"].contains(relation);
            if beneath || !names.contains(*relation) {
                continue;
            }
            let _ = client.query("BEGIN");
            let answer = client.query(line);
            let _ = client.query("ROLLBACK");
            let code = messages::error(&answer).map(|error| error.code().to_owned());
            if code.as_deref() != Some("42501") {
                writeln!(report, "{relation} is read by {line}: {code:?}").expect("a text");
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// What the server has locked once it has planned a statement.
fn opened(direct: &mut Client, line: &str) -> BTreeSet<String> {
    let _ = direct.query("BEGIN");
    let planned =
        if line.starts_with("LOCK") || line.starts_with("COPY") || line.starts_with("ANALYZE") {
            line.to_owned()
        } else {
            format!("EXPLAIN {line}")
        };
    let answer = direct.query(&planned);
    assert_eq!(messages::error(&answer), None, "{line}");
    let locks = direct.query(
        "SELECT DISTINCT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE l.pid = pg_backend_pid() \
         AND c.relkind IN ('r', 'v', 'm', 'p') AND n.nspname = 'public'",
    );
    let _ = direct.query("ROLLBACK");
    let names: BTreeSet<String> = messages::rows(&locks).into_iter().flatten().collect();
    assert!(!names.is_empty(), "{line} opens nothing");
    names
}

/// Ways to make the server read statements otherwise than the gateway does (C2, C3): each is
/// refused, and the secret that only the server would see in the text after it stays where it is.
const LEXICAL: &[&str] = &[
    "SET standard_conforming_strings = off",
    "SET standard_conforming_strings TO 'no'",
    "SET SESSION standard_conforming_strings = 0",
    "SET LOCAL standard_conforming_strings = off",
    "BEGIN; SET LOCAL standard_conforming_strings = off",
    "SELECT set_config('standard_conforming_strings', 'off', false)",
    "SELECT set_config('STANDARD_conforming_strings', 'off', false)",
    "SELECT set_config('standard_' || 'conforming_strings', 'off', false)",
    "SELECT pg_catalog.set_config(name, 'off', false) FROM pg_settings WHERE name LIKE 'standard_conf%'",
    "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    "SET backslash_quote = on",
    "SET client_encoding = 'SJIS'",
    "SET NAMES 'SJIS'",
    "SET client_encoding TO DEFAULT; SET client_encoding = SJIS",
    "SELECT set_config('client_encoding', 'BIG5', false)",
    "DO $$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); END $$",
];

#[test]
fn the_server_cannot_be_made_to_read_otherwise() {
    let (world, database) = world_of_two_schemas("", MOVER);
    for line in LEXICAL {
        let mut client = world.login(&database).expect("a session");
        let answer = client.query(line);
        assert!(messages::error(&answer).is_some(), "{line}: {answer:?}");
        // A literal with standard strings; a literal and a subquery without them, or where the
        // second byte of a character may be a backslash.
        for smuggled in [
            r"SELECT '\'' || (SELECT value FROM vault.thing) --'",
            "SELECT E'\u{c1}\\' || (SELECT value FROM vault.thing) --'",
        ] {
            if client.send(&messages::query(smuggled)).is_err() {
                continue;
            }
            let answer = text(&client.until_ready());
            assert!(!answer.contains("Kanarie"), "{line}: {answer}");
        }
    }
}

#[test]
fn a_function_called_by_number_is_not_called() {
    let (world, database) = world_of_two_schemas("", MOVER);
    let mut client = world.login(&database).expect("a session");
    // pg_read_file(text) is 3826: no argument formats, one argument, a text result.
    let path = b"/etc/hostname";
    let mut body = 3_826_u32.to_be_bytes().to_vec();
    body.extend([0, 0, 0, 1]);
    body.extend(u32::try_from(path.len()).expect("short").to_be_bytes());
    body.extend(path);
    body.extend([0, 0]);
    client.send(&messages::message(b'F', &body)).expect("a gateway");
    let answer = client.until_ready();
    assert_eq!(messages::tags(&answer), "EZ");
    assert_eq!(messages::rows(&client.query("SELECT value FROM thing")), [["harmless"]]);
}
