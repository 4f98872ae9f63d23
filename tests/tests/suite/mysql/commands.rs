//! Commands beside texts, in the gateway's hands.

use tests::mariadb::MariaDb;
use tests::mysql_client::{error_of, query};
use tests::world::World;
use wire::mysql::command::{code, put_command};

use super::session;

fn open_world() -> World {
    World::with(MariaDb::shared(), |usual| usual.everything_allowed().classification(""))
}

fn command(number: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_command(&mut out, number, body);
    out
}

#[test]
fn commands_that_are_not_accepted_are_refused_and_the_session_goes_on() {
    let world = open_world();
    let mut client = session(&world);
    for number in [
        code::FIELD_LIST,
        code::STATISTICS,
        code::CHANGE_USER,
        code::BINLOG_DUMP,
        0x05,
        0x08,
        0x0d,
        0x15,
        0x1e,
        0xfa,
    ] {
        client.send(&command(number, b"users\0"));
        let (sequence, payload) = client.receive().unwrap();
        let (number, text) = error_of(&payload).unwrap();
        assert_eq!((sequence, number), (1, 1235), "{text}");
        assert!(text.starts_with("portcullis: "), "{text}");
    }
    assert_eq!(client.query("SELECT 7").rows, [["7"]]);
}

#[test]
fn the_session_is_pinned_and_pinned_again_after_a_reset() {
    let world = open_world();
    let mut client = session(&world);
    let asked = "SELECT @@character_set_client, @@sql_mode LIKE '%QUOTES%', @x";
    assert_eq!(client.query("SET @x = 5").error, None);
    assert_eq!(client.query(asked).rows, [["utf8mb4", "0", "5"]]);
    client.send(&command(code::RESET_CONNECTION, b""));
    let (sequence, payload) = client.receive().unwrap();
    assert_eq!((sequence, payload.first()), (1, Some(&0)));
    assert_eq!(client.query(asked).rows, [["utf8mb4", "0", "NULL"]]);
}

#[test]
fn the_default_database_follows_its_session() {
    let world = open_world();
    let mut client = session(&world);
    client.send(&command(code::INIT_DB, b"mysql"));
    let _ = client.receive().unwrap();
    assert_eq!(client.query("SELECT DATABASE()").rows, [["mysql"]]);
    assert_eq!(client.query("USE shop").error, None);
    assert_eq!(client.query("SELECT DATABASE()").rows, [["shop"]]);
    client.send(&command(code::INIT_DB, b"nowhere"));
    assert_eq!(error_of(&client.receive().unwrap().1).unwrap().0, 1049);
    client.send(&command(code::PING, b""));
    assert_eq!(client.receive().unwrap().1.first(), Some(&0));
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let world = open_world();
    let mut client = session(&world);
    let ahead: Vec<u8> = (0..50).flat_map(|index| query(&format!("SELECT {index}"))).collect();
    client.send(&ahead);
    for index in 0..50 {
        assert_eq!(client.results().unwrap().rows, [[index.to_string()]]);
    }
}

#[test]
fn a_statement_is_ended_over_another_connection_by_either_number() {
    let world = open_world();
    for by_server in [false, true] {
        let mut client = session(&world);
        let number = if by_server {
            client.query("SELECT CONNECTION_ID()").rows[0][0].parse().unwrap()
        } else {
            client.connection
        };
        client.begin("SELECT SLEEP(20)");
        let mut other = session(&world);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let killed = other.query(&format!("KILL QUERY {number}"));
        assert_eq!(killed.error, None);
        let ended = client.results().unwrap();
        let interrupted =
            ended.rows == [["1"]] || ended.error.is_some_and(|(code, _)| code == 1317);
        assert!(interrupted, "by the server's number: {by_server}");
    }
}

#[test]
fn a_value_of_many_packets_passes_and_a_request_beyond_its_limit_does_not() {
    let world = open_world();
    let mut client = session(&world);
    let long = client.query("SELECT LENGTH(x), x FROM (SELECT REPEAT('a', 40000000) AS x) AS t");
    assert_eq!(long.error, None);
    assert_eq!((long.rows[0][0].as_str(), long.rows[0][1].len()), ("40000000", 40_000_000));
    client.begin(&format!("SELECT '{}'", "x".repeat(20_000_000)));
    let refused = client.results().unwrap().error.unwrap();
    assert_eq!(refused.0, 1153, "{refused:?}");
    assert_eq!(client.query("SELECT 7").rows, [["7"]]);
}

#[test]
fn a_file_of_the_client_is_never_asked_for() {
    let world = open_world();
    let mut client = session(&world);
    let refused = client.query("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE old_reports");
    assert!(refused.error.is_some(), "{refused:?}");
    assert_eq!(client.query("SELECT 7").rows, [["7"]]);
}
