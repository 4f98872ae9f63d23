//! Ending statements and connections by their numbers.

use gateway::recording::Record;
use tests::mariadb::MariaDb;
use tests::mysql_client::{MysqlClient, error_of};
use tests::world::World;
use wire::mysql::command::{code, put_command};

use super::session;

/// A number that no connection has.
const NOBODY: u32 = 999_999;

fn world() -> World {
    World::with(MariaDb::shared(), |usual| usual)
}

fn process_kill(client: &mut MysqlClient, number: u32) -> Option<(u16, String)> {
    let mut out = Vec::new();
    put_command(&mut out, code::PROCESS_KILL, &number.to_le_bytes());
    client.send(&out);
    error_of(&client.receive().unwrap().1)
}

/// What the recordings say of operations of this kind: their texts.
fn recorded(world: &World, wanted: &str) -> Vec<String> {
    let entries = world.recordings().into_iter().flat_map(|(_, entries)| entries);
    let texts = entries.filter_map(|entry| match &entry.record {
        Record::OperationStarted { kind, text, .. } if kind == wanted => Some(text.to_string()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn the_end_of_ones_own_statement_needs_no_rule_and_is_recorded() {
    let world = world();
    let mut client = session(&world);
    let number: u32 = client.query("SELECT CONNECTION_ID()").rows[0][0].parse().unwrap();
    let mut other = session(&world);
    assert_eq!(other.query(&format!("KILL QUERY {number}")).error, None);
    assert_eq!(process_kill(&mut other, client.connection), None);
    client.begin("SELECT 1");
    let ended = client.until_end();
    assert!(!ended.contains('1') || ended.contains("portcullis"), "{ended}");
    assert_eq!(other.query("SELECT 7").rows, [["7"]]);
    drop((client, other));
    let wanted = [format!("KILL QUERY {number}")];
    tests::assert_eventually!(recorded(&world, "kill").starts_with(&wanted), "not recorded");
    let kills = recorded(&world, "kill");
    assert_eq!(kills.len(), 2, "{kills:?}");
}

#[test]
fn the_end_of_anybody_elses_needs_a_rule() {
    let world = world();
    let mut client = session(&world);
    for text in ["KILL 1", "KILL QUERY 1", "KILL HARD CONNECTION 1", "KILL USER 'app'@'%'"] {
        let refused = client.query(text).error.unwrap();
        assert_eq!(refused.0, 1142, "{text}");
        assert!(refused.1.contains("def.mysql.kill"), "{refused:?}");
    }
    assert_eq!(process_kill(&mut client, NOBODY).unwrap().0, 1142);
    // One that is no session of the gateway's at all. Not the one before it: that may be ours.
    let direct = world.mariadb().as_superuser("SELECT CONNECTION_ID()").success();
    assert_eq!(client.query(&format!("KILL {}", direct.trim())).error.unwrap().0, 1142);
    let granted = "{ id: kills, effect: allow, target: shop, \
                   sql: { actions: [execute], objects: [def.mysql.kill] } }";
    let world = World::with(MariaDb::shared(), |usual| usual.rule(granted));
    let mut client = session(&world);
    assert_eq!(client.query(&format!("KILL {NOBODY}")).error.unwrap().0, 1094);
    assert_eq!(process_kill(&mut client, NOBODY).unwrap().0, 1094);
}

#[test]
fn a_hold_is_cancelled_by_the_number_of_its_connection() {
    let world = world();
    let database = world.mariadb().fresh_database();
    let mut client = session(&world);
    assert_eq!(client.query(&format!("USE {database}")).error, None);
    client.begin("DROP TABLE old_reports");
    let hold = world.hold();
    let mut other = session(&world);
    assert_eq!(other.query(&format!("KILL QUERY {}", client.connection)).error, None);
    let cancelled = client.results().unwrap().error.unwrap();
    assert_eq!(cancelled.0, 1317, "{cancelled:?}");
    assert!(world.approve(hold.id).is_err());
    assert_eq!(client.query("SELECT 7").rows, [["7"]]);
    drop((client, other));
    tests::assert_eventually!(recorded(&world, "kill").len() == 1, "not recorded");
}
