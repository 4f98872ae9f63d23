//! Much of everything: long statements, long pipelines, large values, many sessions.
//!
//! Owns the sizes that honest clients reach. Each must come through whole, in order, and without
//! another session waiting for it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use gateway::recording::Record;
use tests::client::messages::{
    bind, error, execute, parse, query, rows, sync, tags, transaction_state,
};
use tests::world::World;

#[test]
fn a_statement_of_megabytes_runs_and_its_beginning_is_recorded() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    let mut text = String::from("INSERT INTO orders VALUES (20000, 1, 'x', 5, '2024-01-01')");
    let mut count = 1;
    while text.len() < 3 * 1024 * 1024 {
        write!(text, ", ({}, 1, 'a note of some length', 5, '2024-01-01')", 20_000 + count)
            .unwrap();
        count += 1;
    }
    let answer = client.query(&text);
    assert_eq!(tags(&answer), "CZ", "{:?}", error(&answer));
    let found = client.query("SELECT count(*) FROM orders WHERE id >= 20000");
    assert_eq!(rows(&found), [[count.to_string()]]);
    drop(client);
    tests::assert_eventually!(world.recordings().iter().any(|(report, _)| report.sealed));
    let recordings = world.recordings();
    let kept = recordings.iter().flat_map(|(_, entries)| entries).find_map(|entry| {
        let Record::OperationStarted { text, .. } = &entry.record else { return None };
        text.starts_with("INSERT INTO orders VALUES (20000").then(|| text.to_string())
    });
    let kept = kept.expect("the statement is recorded");
    assert!(kept.len() < 70_000, "{} bytes are kept", kept.len());
    let rest = format!("[{} bytes in all, SHA-256 ", text.len());
    assert!(kept.contains(&rest), "its size is not told");
}

/// `SELECT` of so many numbers.
fn numbers(count: usize) -> String {
    let list: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    format!("SELECT array_length(ARRAY[{}], 1)", list.join(", "))
}

#[test]
fn nobody_waits_while_a_long_statement_is_read() {
    let world = World::new();
    let mut long = world.session();
    // At least one for each thread that the gateway may have.
    let mut others: Vec<_> = (0..16).map(|_| world.session()).collect();
    let began = Instant::now();
    let reading = std::thread::spawn(move || {
        let answer = long.query(&numbers(200_000));
        (rows(&answer), began.elapsed())
    });
    let mut longest = Duration::ZERO;
    while !reading.is_finished() {
        for other in &mut others {
            let asked = Instant::now();
            assert_eq!(rows(&other.query("SELECT 1")), [["1"]]);
            longest = longest.max(asked.elapsed());
        }
    }
    let (answer, took) = reading.join().unwrap();
    assert_eq!(answer, [["200000"]]);
    assert!(longest < took / 2, "{longest:?} of {took:?}");
}

#[test]
fn long_statements_of_a_pipeline_see_what_came_before_them() {
    let world = World::new();
    let database = world.cluster().fresh_database();
    let mut client = world.login(&database).unwrap();
    let batch = [
        parse("", "INSERT INTO orders VALUES (9301, 1, 'x', 5, '2024-01-01')", &[]),
        bind("", "", &[], &[]),
        execute("", 0),
        parse("kept", &format!("{} FROM orders WHERE id = 9301", numbers(20_000)), &[]),
        bind("", "kept", &[], &[]),
        execute("", 0),
        sync(),
    ];
    client.send(&batch.concat()).unwrap();
    let answer = client.until_ready();
    assert_eq!(rows(&answer), [["20000"]], "{:?}", error(&answer));
    // Also when it is run once more, after a shorter one.
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
    client.send(&[bind("", "kept", &[], &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(rows(&client.until_ready()), [["20000"]]);
}

#[test]
fn a_statement_over_the_limit_is_refused_and_the_session_goes_on() {
    let world = World::new();
    let mut client = world.session();
    let refused = client.query(&format!("SELECT '{}'", "x".repeat(5 * 1024 * 1024)));
    assert_eq!(tags(&refused), "EZ");
    assert_eq!(error(&refused).unwrap().code(), "54000");
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
}

#[test]
fn ten_thousand_messages_in_one_pipeline_are_answered_in_order() {
    let world = World::new();
    let mut client = world.session();
    let mut batch = Vec::new();
    for number in 0..5_000 {
        batch.extend(parse("", &format!("SELECT {number}"), &[]));
        batch.extend(bind("", "", &[], &[]));
        batch.extend(execute("", 0));
    }
    batch.extend(sync());
    client.send(&batch).unwrap();
    let answer = client.until_ready();
    let wanted: Vec<Vec<String>> = (0..5_000).map(|number| vec![number.to_string()]).collect();
    assert_eq!(rows(&answer), wanted);
    assert_eq!(transaction_state(&answer), Some('I'));
}

#[test]
fn a_value_of_a_hundred_megabytes_passes_where_nothing_is_masked() {
    let world = World::with(tests::cluster::Cluster::shared(), |usual| usual.classification(""));
    let mut client = world.session();
    let answer = client.query("SELECT repeat('0123456789', 10000000)");
    let length: Vec<usize> = rows(&answer).iter().flatten().map(String::len).collect();
    assert_eq!(length, [100_000_000], "{:?}", error(&answer));
}

#[test]
fn a_reader_that_stops_is_waited_for_and_others_are_not() {
    let world = World::new();
    let mut slow = world.session();
    slow.send(&query("SELECT repeat('x', 1000) FROM generate_series(1, 50000)")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let mut other = world.session();
    let began = Instant::now();
    assert_eq!(rows(&other.query("SELECT 1")), [["1"]]);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(rows(&slow.until_ready()).len(), 50_000);
}

#[test]
fn hundreds_of_sessions_live_beside_each_other() {
    let world = World::new();
    let mut sessions: Vec<_> = (0..80).map(|_| world.session()).collect();
    for (number, session) in sessions.iter_mut().enumerate() {
        session.send(&query(&format!("SELECT {number}"))).unwrap();
    }
    for (number, session) in sessions.iter_mut().enumerate() {
        assert_eq!(rows(&session.until_ready()), [[number.to_string()]]);
    }
}
