//! `bench postgres`: small transactions and long answers, over every way to one server.
//!
//! Owns the cases and their bars.

use super::peers::{Arena, DATABASE, Masking, OURS, USER};
use super::report::{Bar, Report, Row, Sense};
use super::series::{Series, named, row};
use super::statistics::{median, median_ratio};
use super::{BenchArguments, measure, pgbench, processor};
use crate::console;
use crate::fault::{During, Outcome};

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
    let arena = Arena::set_up()?;
    pgbench::fill(&arena)?;
    arena.server.query(DATABASE, &format!("SET ROLE {USER}; {WIDE}"))?;
    for settle in ["VACUUM ANALYZE", "CHECKPOINT"] {
        arena.server.query(DATABASE, settle)?;
    }
    let mut report = Report { bench: "postgres", rows: Vec::new(), bars: Vec::new() };
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
        let mut beside = Report { bench: "", rows: Vec::new(), bars: Vec::new() };
        long(&arena, &case, sql, arguments.rounds, &mut beside)?;
        // No bar is set for these; they are shown because they are what most will run.
        report.rows.append(&mut beside.rows);
    }
    inner(&arena, &mut report)?;
    Ok(report)
}

/// What a statement costs inside, without a socket.
fn inner(arena: &Arena, report: &mut Report) -> Outcome {
    console::step("Measuring", "reading, deciding and looking through, without a socket");
    let way = arena.ways.first().during("no way to the server")?;
    let statements = measure::run(arena, way, &["statements"])?;
    let detectors = measure::run(arena, way, &["detectors"])?;
    let cases = [
        ("point query, known", "us to read and decide", &statements, "/cached_us", 2.0),
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
    arena: &Arena,
    mode: &str,
    clients: u32,
    arguments: &BenchArguments,
    report: &mut Report,
) -> Outcome {
    let case = format!("{mode}, {clients} clients");
    console::step("Measuring", &case);
    let mut all = Series::of(&arena.ways);
    for _ in 0..arguments.rounds {
        for series in &mut all {
            let run = pgbench::run(arena, series.way, mode, clients, arguments.seconds)?;
            series.first.push(run.tps);
            series.second.push(run.processor_us);
        }
    }
    report.rows.push(row(&case, "tps", &all, |series| &series.first));
    let hops: Vec<Series<'_>> =
        all.into_iter().filter(|series| !series.way.processes.is_empty()).collect();
    report.rows.push(row(&case, "CPU us/transaction", &hops, |series| &series.second));
    let Some(ours) = named(&hops, OURS) else { return Ok(()) };
    for proxy in PROXIES {
        let theirs = named(&hops, proxy).during("a peer is missing")?;
        report.bars.push(Bar {
            name: format!("tps to {proxy}, {case}"),
            value: median_ratio(&ours.first, &theirs.first).during("no rounds")?,
            bar: 1.0,
            sense: Sense::AtLeast,
        });
    }
    let theirs = named(&hops, "haproxy").during("a peer is missing")?;
    let more = median(&ours.second).zip(median(&theirs.second)).during("no rounds")?;
    report.bars.push(Bar {
        name: format!("CPU us/transaction over haproxy, {case}"),
        value: more.0 - more.1,
        bar: 3.0,
        sense: Sense::AtMost,
    });
    Ok(())
}

/// One long answer: its speed, and what the hop spends on it.
fn long(arena: &Arena, case: &str, sql: &str, rounds: usize, report: &mut Report) -> Outcome {
    console::step("Measuring", case);
    let mut all = Series::of(&arena.ways);
    for _ in 0..rounds {
        for series in &mut all {
            let way = series.way;
            let before = processor::seconds(&way.processes);
            let line =
                measure::run(arena, way, &["drain", &way.port.to_string(), USER, DATABASE, sql])?;
            let used = processor::seconds(&way.processes) - before;
            let bytes = measure::number(&line, "/bytes")?;
            series.first.push(bytes / measure::number(&line, "/seconds")? / 1e6);
            series.second.push(bytes / used / 1e9);
        }
    }
    report.rows.push(row(case, "MB/s", &all, |series| &series.first));
    let direct: Vec<f64> = named(&all, "direct").during("no direct way")?.first.clone();
    let hops: Vec<Series<'_>> =
        all.into_iter().filter(|series| !series.way.processes.is_empty()).collect();
    report.rows.push(row(case, "GB/s per core of the hop", &hops, |series| &series.second));
    let Some(ours) = named(&hops, OURS) else { return Ok(()) };
    report.bars.push(Bar {
        name: format!("MB/s to direct, {case}"),
        value: median_ratio(&ours.first, &direct).during("no rounds")?,
        bar: 0.95,
        sense: Sense::AtLeast,
    });
    report.bars.push(Bar {
        name: format!("GB/s per core, {case}"),
        value: median(&ours.second).during("no rounds")?,
        bar: 0.7,
        sense: Sense::AtLeast,
    });
    Ok(())
}
