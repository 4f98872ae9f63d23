//! Prepared statements of the protocol, byte for byte.

use tests::mariadb::MariaDb;
use tests::mysql_client::{MysqlClient, error_of};
use tests::world::World;
use wire::mysql::answer::EofPacket;
use wire::mysql::column::{Column, kind};
use wire::mysql::command::{
    Execute, Prepared, code, cursor, put_command, put_statement_command, put_texts,
};
use wire::mysql::row::binary_values;
use wire::mysql::status::{CURSOR_EXISTS, LAST_ROW_SENT};
use wire::mysql::value::Type;

use super::session;

fn open_world() -> World {
    World::with(MariaDb::shared(), |usual| usual.everything_allowed().classification(""))
}

pub(super) fn prepare(client: &mut MysqlClient, text: &str) -> Prepared {
    let mut out = Vec::new();
    put_command(&mut out, code::STMT_PREPARE, text.as_bytes());
    client.send(&out);
    let (_, first) = client.receive().unwrap();
    assert_eq!(error_of(&first), None);
    let prepared = Prepared::read(&first).unwrap();
    for count in [prepared.parameters, prepared.columns].into_iter().filter(|count| *count > 0) {
        for _ in 0..count {
            Column::read(&client.receive().unwrap().1).unwrap();
        }
        EofPacket::read(&client.receive().unwrap().1).unwrap();
    }
    prepared
}

pub(super) fn execute(
    client: &mut MysqlClient,
    statement: u32,
    flags: u8,
    values: &[Option<&[u8]>],
) {
    let (mut rest, mut out) = (Vec::new(), Vec::new());
    if !values.is_empty() {
        put_texts(&mut rest, values);
    }
    Execute { statement, flags, iterations: 1, rest: &rest }.put(&mut out);
    client.send(&out);
}

/// Columns, and rows where they follow; the last status.
pub(super) fn described(client: &mut MysqlClient) -> (Vec<Type>, EofPacket) {
    let (_, first) = client.receive().unwrap();
    assert_eq!(error_of(&first), None);
    let types: Vec<Type> = (0..*first.first().unwrap())
        .map(|_| Type::of(&Column::read(&client.receive().unwrap().1).unwrap()))
        .collect();
    (types, EofPacket::read(&client.receive().unwrap().1).unwrap())
}

pub(super) fn rows(client: &mut MysqlClient, types: &[Type]) -> (Vec<Vec<String>>, EofPacket) {
    let mut rows = Vec::new();
    loop {
        let (_, payload) = client.receive().unwrap();
        assert_eq!(error_of(&payload), None);
        if EofPacket::is(&payload) {
            return (rows, EofPacket::read(&payload).unwrap());
        }
        let texts = binary_values(&payload, types).unwrap().zip(types).map(|(value, one)| {
            let Some(value) = value.unwrap() else { return "NULL".to_owned() };
            let mut text = Vec::new();
            let shown = if one.text(value, &mut text).is_some() { text } else { value.to_vec() };
            String::from_utf8_lossy(&shown).into_owned()
        });
        rows.push(texts.collect());
    }
}

#[test]
fn a_statement_is_prepared_run_with_values_reset_and_closed() {
    let world = open_world();
    let mut client = session(&world);
    let prepared = prepare(&mut client, "SELECT id, name FROM users WHERE id = ? OR name = ?");
    assert_eq!((prepared.parameters, prepared.columns), (2, 2));
    for (values, want) in
        [([Some(&b"3"[..]), None], "Customer 3"), ([None, Some(&b"Customer 5"[..])], "Customer 5")]
    {
        execute(&mut client, prepared.statement, cursor::NONE, &values);
        let (types, _) = described(&mut client);
        let (rows, _) = rows(&mut client, &types);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][1], want);
    }
    let mut out = Vec::new();
    put_statement_command(&mut out, code::STMT_RESET, prepared.statement, b"");
    put_statement_command(&mut out, code::STMT_CLOSE, prepared.statement, b"");
    put_statement_command(&mut out, code::STMT_RESET, prepared.statement, b"");
    client.send(&out);
    assert_eq!(client.receive().unwrap().1.first(), Some(&0));
    assert_eq!(error_of(&client.receive().unwrap().1).unwrap().0, 1243);
    execute(&mut client, prepared.statement, cursor::NONE, &[None, None]);
    assert_eq!(error_of(&client.receive().unwrap().1).unwrap().0, 1243);
}

#[test]
fn a_value_sent_in_parts_is_put_together() {
    let world = open_world();
    let mut client = session(&world);
    let prepared = prepare(&mut client, "SELECT CONCAT(?, ' and ', ?)");
    for _ in 0..2 {
        let mut out = Vec::new();
        for part in [&b"one "[..], b"long ", b"value"] {
            let body = [&0_u16.to_le_bytes()[..], part].concat();
            put_statement_command(&mut out, code::STMT_SEND_LONG_DATA, prepared.statement, &body);
        }
        client.send(&out);
        // Of the first nothing is sent now.
        let mut out = Vec::new();
        let rest = [&[0, 1, kind::BLOB, 0, kind::VAR_STRING, 0, 3][..], b"amy"].concat();
        Execute { statement: prepared.statement, flags: 0, iterations: 1, rest: &rest }
            .put(&mut out);
        client.send(&out);
        let (types, _) = described(&mut client);
        assert_eq!(rows(&mut client, &types).0, [["one long value and amy"]]);
    }
}

#[test]
fn what_was_sent_in_parts_for_a_run_that_was_refused_is_not_taken_for_the_next() {
    let held = "{ id: held, effect: hold, target: shop, sql: { actions: [insert] }, \
                approvers: { group: oncall, within: 1m } }";
    let world = World::with(MariaDb::shared(), |usual| usual.classification("").rule(held));
    let database = world.mariadb().fresh_database();
    let mut client = session(&world);
    assert_eq!(client.query(&format!("USE {database}")).error, None);
    let prepared = prepare(&mut client, "INSERT INTO old_reports VALUES (?, ?)");
    let mut out = Vec::new();
    let body = [&1_u16.to_le_bytes()[..], b"never"].concat();
    put_statement_command(&mut out, code::STMT_SEND_LONG_DATA, prepared.statement, &body);
    let rest = [&[0, 1, kind::VAR_STRING, 0, kind::BLOB, 0, 2][..], b"70"].concat();
    let run = Execute { statement: prepared.statement, flags: 0, iterations: 1, rest: &rest };
    run.put(&mut out);
    client.send(&out);
    assert!(world.reject(world.hold().id).is_ok());
    assert_eq!(error_of(&client.receive().unwrap().1).unwrap().0, 1142);
    // The next run brings both of its values, and is another operation to approve.
    execute(&mut client, prepared.statement, cursor::NONE, &[Some(b"71"), Some(b"report")]);
    assert!(world.approve(world.hold().id).is_ok());
    assert_eq!(client.receive().unwrap().1.first(), Some(&0));
    let kept = client.query("SELECT * FROM old_reports WHERE id > 3");
    assert_eq!(kept.rows, [["71", "report"]]);
}

#[test]
fn rows_of_a_cursor_come_as_they_are_asked_for() {
    let world = open_world();
    let mut client = session(&world);
    let prepared = prepare(&mut client, "SELECT id FROM users ORDER BY id LIMIT 5");
    execute(&mut client, prepared.statement, cursor::READ_ONLY, &[]);
    let (types, end) = described(&mut client);
    assert_ne!(end.status & CURSOR_EXISTS, 0);
    let mut seen = Vec::new();
    for _ in 0..3 {
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
    assert_eq!(seen.len(), 5);
}

#[test]
fn every_type_comes_through_in_binary() {
    let world = open_world();
    let mut client = session(&world);
    let prepared = prepare(&mut client, "SELECT * FROM kinds ORDER BY id");
    execute(&mut client, prepared.statement, cursor::NONE, &[]);
    let (types, _) = described(&mut client);
    let (rows, _) = rows(&mut client, &types);
    assert_eq!(
        rows[0][1..8],
        ["-1", "255", "-32768", "8388607", "-9223372036854775808", "18446744073709551615", "1.5"]
    );
    assert_eq!(rows[0][10..13], ["2024-02-29", "-51:04:05.678000", "2024-02-29 01:02:03.000005"]);
    assert_eq!(rows[1].iter().filter(|value| *value == "NULL").count(), 21);
}

#[test]
fn parameters_that_cannot_be_read_are_refused_and_the_session_goes_on() {
    let world = open_world();
    let mut client = session(&world);
    let prepared = prepare(&mut client, "SELECT ?");
    for rest in [&b""[..], &[0], &[0, 2], &[0, 1, 99, 0, 1], &[0, 1, kind::LONG, 0, 1], &[0, 0, 1]]
    {
        let mut out = Vec::new();
        Execute { statement: prepared.statement, flags: 0, iterations: 1, rest }.put(&mut out);
        client.send(&out);
        assert_eq!(error_of(&client.receive().unwrap().1).unwrap().0, 1210, "{rest:?}");
    }
    execute(&mut client, prepared.statement, cursor::NONE, &[Some(b"7")]);
    let (types, _) = described(&mut client);
    assert_eq!(rows(&mut client, &types).0, [["7"]]);
}
