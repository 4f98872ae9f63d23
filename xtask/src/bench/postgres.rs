//! `bench postgres`: small transactions and long answers, over every way to one server.
//!
//! Owns the cases and their bars.

use super::arena::{Arena, Masking};
use super::cells::{self, Cell, Drained};
use super::peers::{DATABASE, USER, Way};
use super::report::{Bar, Report, Row, Sense};
use super::{BenchArguments, measure, pgbench};
use crate::fault::{During, Outcome};
use crate::stage::postgres::Postgres;

/// The peers that are proxies.
const PROXIES: &[&str] = &["pgbouncer", "haproxy"];

/// Rows of the long answers, and the statements that give them.
const LONG: &[(&str, &str)] =
    &[("SELECT, 1 M rows", "SELECT * FROM wide"), ("COPY, 1 M rows", "COPY wide TO STDOUT")];

/// A table whose rows are six texts, 187 MB on the wire.
const WIDE: &str = "CREATE TABLE wide AS SELECT \
    lpad(n::text, 12, '0') AS reference, \
    'customer' || n || '@mail.example' AS email, \
    md5(n::text) AS digest, \
    'Street ' || n % 997 || ', House ' || n % 83 AS street, \
    'item ' || n % 4999 || ' of the catalogue' AS item, \
    repeat(chr(97 + n % 26), 20 + n % 11) AS note \
    FROM generate_series(1, 1000000) AS n";

/// Measures all of it.
pub(super) fn measure(arguments: &BenchArguments) -> Outcome<Report> {
    let arena = Arena::<Postgres>::set_up()?;
    pgbench::fill(&arena)?;
    arena.server.query(DATABASE, &format!("SET ROLE {USER}; {WIDE}"))?;
    for settle in ["VACUUM ANALYZE", "CHECKPOINT"] {
        arena.server.query(DATABASE, settle)?;
    }
    let mut report = Report::of("postgres", arguments);
    for mode in pgbench::MODES {
        for clients in pgbench::CLIENTS {
            cell(&arena, mode, *clients, arguments, &mut report)?;
        }
    }
    arena.mask(Masking::OneColumn)?;
    for (case, sql) in LONG {
        let case = format!("{case}, one column masked");
        long(&arena, &case, sql, arguments.rounds, &mut report)?;
    }
    arena.mask(Masking::Detectors)?;
    for (case, sql) in LONG {
        let case = format!("{case}, detectors too");
        let mut beside = Report::of("", arguments);
        long(&arena, &case, sql, arguments.rounds, &mut beside)?;
        // No bar is set for these; they are shown because they are what most will run.
        report.rows.append(&mut beside.rows);
    }
    inner(&arena, &mut report)?;
    Ok(report)
}

/// What a statement costs inside, without a socket.
fn inner(arena: &Arena<Postgres>, report: &mut Report) -> Outcome {
    if !report.begins("reading, deciding and looking through, without a socket") {
        return Ok(());
    }
    let way = arena.ways.first().during("no way to the server")?;
    let statements = measure::run(arena, way, &["statements"])?;
    let detectors = measure::run(arena, way, &["detectors"])?;
    let cases = [
        ("point query, known", "us to read and decide", &statements, "/cached_us", 2.0),
        ("point query, another number", "us to read and decide", &statements, "/alike_us", 2.0),
        ("point query, new", "us to read and decide", &statements, "/uncached_us", 20.0),
        ("clean text", "GB/s per core, detectors", &detectors, "/clean_gb_per_s", 1.0),
    ];
    for (case, metric, line, path, bar) in cases {
        let value = measure::number(line, path)?;
        report.rows.push(Row {
            case: case.to_owned(),
            metric,
            ours: Some(value),
            peers: Vec::new(),
        });
        let sense = if metric.starts_with("us") { Sense::AtMost } else { Sense::AtLeast };
        report.bars.push(Bar { name: format!("{metric}, {case}"), value, bar, sense });
    }
    Ok(())
}

/// One cell of pgbench: a mode and a number of clients.
fn cell(
    arena: &Arena<Postgres>,
    mode: &str,
    clients: u32,
    arguments: &BenchArguments,
    report: &mut Report,
) -> Outcome {
    let cell = Cell { case: &format!("{mode}, {clients} clients"), unit: "transaction" };
    let run = |way: &Way| pgbench::run(arena, way, mode, clients, arguments.seconds);
    cells::throughput(&cell, &arena.ways, PROXIES, arguments.rounds, run, report)
}

/// One long answer: its speed, and what the hop spends on it.
fn long(
    arena: &Arena<Postgres>,
    case: &str,
    sql: &str,
    rounds: usize,
    report: &mut Report,
) -> Outcome {
    let drain = |way: &Way| {
        let line =
            measure::run(arena, way, &["drain", &way.port.to_string(), USER, DATABASE, sql])?;
        let bytes = measure::number(&line, "/bytes")?;
        Ok(Drained { bytes, seconds: measure::number(&line, "/seconds")? })
    };
    cells::long(case, &arena.ways, rounds, drain, report)
}
