//! Masked values in every form that the protocol gives them.

use tests::mariadb::MariaDb;
use tests::mysql_client::error_of;
use tests::world::World;
use wire::mysql::command::{code, cursor, put_statement_command};
use wire::mysql::status::LAST_ROW_SENT;

use super::prepared::{described, execute, prepare, rows};
use super::session;

const RAW: &str = "customer1@mail.example";

fn world() -> World {
    World::with(MariaDb::shared(), |usual| usual)
}

#[test]
fn text_and_binary_rows_show_the_same_masked_values() {
    let world = world();
    let mut client = session(&world);
    let text = "SELECT id, email, CONCAT('<', email, '>'), attributes FROM users WHERE id = 1";
    let shown = client.query(text);
    assert_eq!(shown.error, None);
    assert_eq!(shown.rows.len(), 1);
    assert!(!format!("{shown:?}").contains(RAW), "{shown:?}");
    let prepared = prepare(&mut client, text);
    execute(&mut client, prepared.statement, 0, &[]);
    let (types, _) = described(&mut client);
    assert_eq!(rows(&mut client, &types).0, shown.rows);
}

#[test]
fn a_view_shows_masked_values_and_a_derived_table_cannot_pose_as_another() {
    let world = world();
    let mut client = session(&world);
    for text in [
        "SELECT contact FROM customers WHERE id = 1",
        "SELECT n FROM (SELECT email AS n FROM users WHERE id = 1) AS orders",
        "WITH orders AS (SELECT email AS item FROM users WHERE id = 1) SELECT item FROM orders",
        "SELECT email FROM users WHERE id = 1 UNION SELECT 'nobody'",
    ] {
        let shown = client.query(text);
        assert!(!format!("{shown:?}").contains(RAW), "{text}: {shown:?}");
        assert!(shown.error.is_some() || !shown.rows.is_empty(), "{text}");
    }
}

#[test]
fn errors_do_not_quote_what_is_masked() {
    let world = world();
    let mut client = session(&world);
    for text in [
        "SELECT EXTRACTVALUE('<a/>', CONCAT('~', (SELECT email FROM users WHERE id = 1)))",
        "SELECT CAST(email AS INTEGER) FROM users WHERE id = 1",
    ] {
        let shown = client.query(text);
        assert!(!format!("{shown:?}").contains("customer1"), "{text}: {shown:?}");
        let warnings = client.query("SHOW WARNINGS");
        assert!(!format!("{warnings:?}").contains("customer1"), "{text}: {warnings:?}");
    }
}

#[test]
fn a_denied_run_of_a_prepared_statement_leaves_the_session_usable() {
    let world = world();
    let mut client = session(&world);
    let mut out = Vec::new();
    wire::mysql::command::put_command(
        &mut out,
        code::STMT_PREPARE,
        b"DELETE FROM payments WHERE id = ?",
    );
    client.send(&out);
    let (code, text) = error_of(&client.receive().unwrap().1).unwrap();
    assert_eq!(code, 1142);
    assert!(text.contains("no-deletes"), "{text}");
    assert_eq!(client.query("SELECT name FROM users WHERE id = 1").rows, [["Customer 1"]]);
}

#[test]
fn rows_of_a_cursor_are_masked() {
    let world = world();
    let mut client = session(&world);
    let text = "SELECT id, email FROM users ORDER BY id LIMIT 3";
    let shown = client.query(text).rows;
    let prepared = prepare(&mut client, text);
    execute(&mut client, prepared.statement, cursor::READ_ONLY, &[]);
    let (types, _) = described(&mut client);
    let mut seen = Vec::new();
    loop {
        let mut out = Vec::new();
        let two = 2_u32.to_le_bytes();
        put_statement_command(&mut out, code::STMT_FETCH, prepared.statement, &two);
        client.send(&out);
        let (some, end) = rows(&mut client, &types);
        seen.extend(some);
        if end.status & LAST_ROW_SENT != 0 {
            break;
        }
    }
    assert_eq!(seen, shown);
    assert!(!format!("{seen:?}").contains(RAW), "{seen:?}");
}

#[test]
fn rows_of_a_call_are_masked_or_refused() {
    let execute_all = "{ id: calls, effect: allow, target: shop, sql: { actions: [execute] } }";
    let world = World::with(MariaDb::shared(), |usual| usual.rule(execute_all));
    let database = world.mariadb().fresh_database();
    let routines = format!(
        "CREATE PROCEDURE {database}.people() SELECT id, email, note FROM {database}.users; \
         CREATE PROCEDURE {database}.computed(OUT a varchar(99)) \
             SELECT REVERSE(email) INTO a FROM {database}.users WHERE id = 1; \
         CREATE FUNCTION {database}.mail() RETURNS varchar(99) READS SQL DATA \
             RETURN (SELECT REVERSE(email) FROM {database}.users WHERE id = 1)"
    );
    let _ = world.mariadb().as_superuser(&routines).success();
    let mut client = session(&world);
    assert_eq!(client.query(&format!("USE {database}")).error, None);
    let reversed: String = RAW.chars().rev().collect();
    for text in [
        "CALL people()",
        "CALL computed(@a)",
        "SELECT @a",
        "SELECT mail()",
        "SELECT CONCAT(mail(), '')",
        "CALL computed(@b); SELECT @b",
        "SET @c = @a; SELECT @c, @d := @a",
        "SELECT @a UNION SELECT 'x'",
    ] {
        let shown = format!("{:?}", client.query(text));
        assert!(!shown.contains(RAW) && !shown.contains(&reversed), "{text}: {shown}");
        assert!(!shown.contains("private5@home"), "{text}: {shown}");
    }
    let prepared = prepare(&mut client, "SELECT mail()");
    execute(&mut client, prepared.statement, cursor::NONE, &[]);
    let (types, _) = described(&mut client);
    let shown = format!("{:?}", rows(&mut client, &types));
    assert!(!shown.contains(&reversed), "{shown}");
}

#[test]
fn a_prepared_statement_means_what_it_meant_after_a_change_of_the_database() {
    let world = world();
    let database = world.mariadb().fresh_database();
    let mut client = session(&world);
    let prepared = prepare(&mut client, "SELECT email FROM users WHERE id = 1");
    for elsewhere in [database.as_str(), "information_schema"] {
        assert_eq!(client.query(&format!("USE {elsewhere}")).error, None);
        execute(&mut client, prepared.statement, cursor::NONE, &[]);
        let (types, _) = described(&mut client);
        let (shown, _) = rows(&mut client, &types);
        assert_eq!(shown.len(), 1);
        assert!(!format!("{shown:?}").contains(RAW), "{shown:?}");
    }
    // And one that was prepared elsewhere is not read as of here.
    let text = format!("CREATE VIEW {database}.plain AS SELECT email AS note FROM shop.users");
    let _ = world.mariadb().as_superuser(&text).success();
    assert_eq!(client.query(&format!("USE {database}")).error, None);
    let prepared = prepare(&mut client, "SELECT note FROM plain WHERE note LIKE 'customer1@%'");
    assert_eq!(client.query("USE shop").error, None);
    execute(&mut client, prepared.statement, cursor::NONE, &[]);
    let (types, _) = described(&mut client);
    let (shown, _) = rows(&mut client, &types);
    assert!(!format!("{shown:?}").contains(RAW), "{shown:?}");
}
