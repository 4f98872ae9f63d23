//! Masked values in every form that the protocol gives them.

use tests::mariadb::MariaDb;
use tests::mysql_client::error_of;
use tests::world::World;

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
        wire::mysql::command::code::STMT_PREPARE,
        b"DELETE FROM payments WHERE id = ?",
    );
    client.send(&out);
    let (code, text) = error_of(&client.receive().unwrap().1).unwrap();
    assert_eq!(code, 1142);
    assert!(text.contains("no-deletes"), "{text}");
    assert_eq!(client.query("SELECT name FROM users WHERE id = 1").rows, [["Customer 1"]]);
}
