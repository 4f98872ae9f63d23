//! Dumps put back, and what applications say at the beginning, without a rule for what is not
//! understood.

use std::process::Command;

use tests::cluster::{SHOP, User};
use tests::mariadb::{APP_NATIVE, MariaDb};
use tests::mysql_client::query;
use tests::programs::{self, Said};
use tests::world::World;
use wire::mysql::command::{code, put_command};

use super::session;

/// Everything that a dump has statements for.
const MORE: &str = "\
    CREATE TABLE things (id integer PRIMARY KEY AUTO_INCREMENT, name varchar(30), content longblob, \
        facts json, next integer GENERATED ALWAYS AS (id + 1) VIRTUAL); \
    INSERT INTO things (name, content, facts) VALUES ('a', x'00ff275c0a80e228', '{\"x\": 1}'), \
        ('b''\\\\', NULL, NULL); \
    CREATE TABLE log (id integer); \
    CREATE TRIGGER noted AFTER INSERT ON things FOR EACH ROW INSERT INTO log VALUES (new.id); \
    CREATE FUNCTION successor(a integer) RETURNS integer DETERMINISTIC RETURN a + 1; \
    CREATE EVENT yearly ON SCHEDULE EVERY 1 YEAR DISABLE DO INSERT INTO log VALUES (1); \
    CREATE PROCEDURE look(IN a integer) BEGIN SELECT a; SELECT * FROM things WHERE id = a; END";

fn world() -> World {
    World::with(MariaDb::shared(), |usual| usual.all_understood_allowed().classification(""))
}

fn run(port: u16, program: &str, arguments: &[&str]) -> Said {
    let User { name, password } = APP_NATIVE;
    let mut command = Command::new(program);
    command.args(["--no-defaults", "--host=127.0.0.1"]);
    command.arg(format!("--port={port}")).arg(format!("--user={name}"));
    programs::run(command.env("MYSQL_PWD", password).args(arguments))
}

/// A dump without the line that says when it was made.
fn dump(port: u16, database: &str, how: &[&str]) -> String {
    let all = ["--skip-dump-date", "--routines", "--events", "--triggers"];
    run(port, "mariadb-dump", &[&all[..], how, &[database]].concat()).success()
}

#[test]
fn a_dump_is_restored_and_what_comes_of_it_is_the_same() {
    let world = world();
    let server = world.mariadb();
    let from = server.fresh_database();
    let script = format!("DELIMITER //\nUSE {from}//\n{}//", MORE.replace("; ", "//\n"));
    let script = script.replace("a//\nSELECT", "a; SELECT").replace("= a//\nEND", "= a; END");
    let _ = server.script(&from, &script).success();
    for how in [&["--hex-blob"][..], &[], &["--skip-extended-insert", "--complete-insert"]] {
        let dumped = dump(world.port(), &from, how);
        let file = server.directory().join(format!("{from}-{}.sql", how.len()));
        // Bytes of the blob that are no text are lost in ours: the file is the program's own.
        let written = format!("--result-file={}", file.display());
        let _ = dump(world.port(), &from, &[how, &[written.as_str()]].concat());
        let to = format!("{from}_restored_{}", how.len());
        let _ = server.as_superuser(&format!("CREATE DATABASE {to} CHARACTER SET utf8mb4"));
        let source = format!("source {}", file.display());
        let restored = run(world.port(), "mariadb", &["--execute", &source, &to]);
        assert_eq!(restored.clone().success(), "", "{restored:?}");
        assert_eq!(restored.error, "", "{how:?}");
        let again = dump(server.port(), &to, how).replace(&to, &from);
        assert_eq!(again, dumped, "{how:?}");
        assert!(again.contains("TRIGGER") && again.contains("PROCEDURE `look`"), "{again}");
    }
}

#[test]
fn a_setting_is_put_back_to_what_its_variable_holds_and_to_nothing_that_changes_reading() {
    let world = world();
    let mut client = session(&world);
    let before = client.query("SELECT @@sql_mode").rows;
    for text in [
        "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'",
        "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */",
        "SET @saved = @@character_set_results, @none = NULL",
        "SET character_set_results = @none",
        "SET @@session.character_set_results = @saved, sql_mode = @@global.sql_mode",
    ] {
        assert_eq!(client.query(text).error, None, "{text}");
    }
    assert_eq!(client.query("SELECT @@sql_mode").rows, before);
    for (value, text) in [
        ("'ANSI_QUOTES'", "SET sql_mode = @x"),
        ("'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'", "SET SESSION sql_mode = @x"),
        ("4", "SET sql_mode = @x"),
        ("'gbk'", "SET character_set_client = @x"),
        ("NULL", "SET sql_mode = @x"),
        ("'STRICT_ALL_TABLES'", "SET sql_mode = CONCAT(@x, '')"),
        ("'STRICT_ALL_TABLES'", "SET @x = 'ANSI_QUOTES'; SET sql_mode = @x"),
        ("'STRICT_ALL_TABLES'", "SET sql_mode = @`x`"),
    ] {
        assert_eq!(client.query(&format!("SET @x = {value}")).error, None);
        let refused = client.query(text).error.unwrap();
        assert_eq!(refused.0, 1238, "{value} {text}: {refused:?}");
    }
    assert_eq!(client.query("SELECT @@sql_mode").rows, before);
}

#[test]
fn a_variable_that_is_no_mode_gets_into_no_record() {
    let world = World::with(MariaDb::shared(), |usual| usual.classification(""));
    let mut client = session(&world);
    let canary = "canary_4f1d";
    assert_eq!(client.query("SET @x = CONCAT('canary', '_4f1d')").error, None);
    // With or without a rule that grants setting it.
    assert_eq!(client.query("SET sql_mode = @x").error.unwrap().0, 1142);
    drop(client);
    let _ = world.event("session_ended", |_| true);
    assert!(!world.everything_written().contains(canary));
}

#[test]
fn bytes_pass_in_strings_and_are_refused_elsewhere() {
    let world = world();
    let database = world.mariadb().fresh_database();
    let mut client = session(&world);
    assert_eq!(client.query(&format!("USE {database}")).error, None);
    let mut send = |text: &[u8]| {
        let mut out = Vec::new();
        put_command(&mut out, code::QUERY, text);
        client.send(&out);
        client.results().unwrap()
    };
    let text =
        b"INSERT INTO kinds (id, bl) VALUES (50, _binary'\xff\\'\xe2\\0'), (51, _binary \"\x80\")";
    assert_eq!(send(text).error, None);
    let shown = send(b"SELECT HEX(bl) FROM kinds WHERE id IN (50, 51) ORDER BY id");
    assert_eq!(shown.rows, [["FF27E200"], ["80"]]);
    for text in [&b"SELECT id FROM kinds WHERE bl = _binary '\x80'"[..], b"SELECT 51 + '' = '\x80'"]
    {
        assert_eq!(send(text).rows.len(), 1);
    }
    for text in [&b"SELECT 1 AS \xff"[..], b"SELECT _binary'a' AS `\xff`", b"SELECT _binary'\xff"] {
        assert_eq!(send(text).error.unwrap().0, 1300);
    }
    assert_eq!(send(&query("SELECT 7")[5..]).rows, [["7"]]);
}

#[test]
fn what_applications_say_at_the_beginning_is_understood() {
    let world = world();
    for text in include_str!("beginnings.sql").lines().filter(|line| !line.starts_with("--")) {
        let mut client = session(&world);
        assert_eq!(client.query(text).error, None, "{text}");
        assert_eq!(client.query("SELECT 7").rows, [["7"]], "after {text}");
    }
}

#[test]
fn settings_for_one_statement_and_distributed_transactions_are_understood() {
    let world = world();
    let mut client = session(&world);
    let set = "SET STATEMENT max_statement_time = 5 FOR SELECT name FROM users WHERE id = 1";
    assert_eq!(client.query(set).rows, [["Customer 1"]]);
    let pinned = "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT 1";
    assert_eq!(client.query(pinned).error.unwrap().0, 1238);
    for text in [
        "XA START 'one', 'two', 3",
        "UPDATE users SET note = note WHERE id = 1",
        "XA END 'one', 'two', 3",
        "XA PREPARE 'one', 'two', 3",
        "XA COMMIT 'one', 'two', 3",
        "XA START 'one'",
        "XA END 'one'",
        "XA COMMIT 'one' ONE PHASE",
        "XA START 'one'",
        "XA END 'one'",
        "XA ROLLBACK 'one'",
    ] {
        // Longer than the gateway waits before it asks for the catalogue again.
        std::thread::sleep(std::time::Duration::from_millis(120));
        assert_eq!(client.query(text).error, None, "{text}");
    }
    let refused = client.query("HANDLER users OPEN").error.unwrap();
    assert_eq!(refused.0, 1064);
    assert!(refused.1.contains("HANDLER is not read by the gateway"), "{refused:?}");
}

#[test]
fn a_branch_of_a_distributed_transaction_is_ended_by_a_rule_only() {
    let world = World::with(MariaDb::shared(), |usual| usual);
    let mut client = session(&world);
    let refused = client.query("XA COMMIT 'somebody'").error.unwrap();
    assert_eq!(refused.0, 1142);
    assert!(refused.1.contains("def.mysql.xa"), "{refused:?}");
    assert_eq!(client.query("SELECT DATABASE()").rows, [[SHOP]]);
}

#[test]
fn a_statement_that_is_composed_in_a_variable_is_judged_as_what_it_is_and_runs() {
    let world = World::with(MariaDb::shared(), |usual| usual);
    let mut client = session(&world);
    assert_eq!(client.query("SET @n = 'users', @quoted = 'a''\\\\b'").error, None);
    let composed = "SET @q = CONCAT('SELECT COUNT(*), ? FROM ', @n, ' WHERE id < 0')";
    assert_eq!(client.query(composed).error, None);
    assert_eq!(client.query("PREPARE s FROM @q").error, None);
    assert_eq!(client.query("EXECUTE s USING @quoted").rows, [["0", r"a'\b"]]);
    assert_eq!(client.query("DEALLOCATE PREPARE s").error, None);
    assert_eq!(client.query(r"SET @q = 'SELECT ''it''''s \\\\ one'''").error, None);
    assert_eq!(client.query("EXECUTE IMMEDIATE @q;").rows, [[r"it's \ one"]]);
    // What it holds is what is denied, under its own name.
    assert_eq!(client.query("SET @q = 'DELETE FROM users'").error, None);
    assert_eq!(client.query("PREPARE s FROM @q").error.unwrap().0, 1142);
    let _ = world.event("operation_decided", |event| {
        event["effect"] == "deny" && event.to_string().contains("DELETE FROM users")
    });
    assert_eq!(client.query("SET @q = NULL").error, None);
    assert!(client.query("PREPARE s FROM @q").error.is_some());
    assert_eq!(client.query("SELECT 1").rows, [["1"]]);
}
