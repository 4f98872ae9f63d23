//! `bench http`: requests a second, bodies that are masked, and what a connection costs, over every
//! way to one server: straight, through nginx, haproxy and mitmproxy, and through the gateway with
//! its policy, its credential, its recording and its masking on.
//!
//! Owns the cases and their bars. nginx and mitmproxy speak HTTP/1.1 or 2 with the server as they
//! come, haproxy as well; all of them keep connections to it and are given one worker.

mod arena;
mod load;

use std::time::Instant;

use serde_json::Value;

use self::arena::{Arena, BIG_BYTES, Encryption};
use self::load::Load;
use super::peers::OURS;
use super::report::{Bar, Report, Row, Sense};
use super::series::{Series, named, row};
use super::statistics::{median, median_ratio};
use super::{BenchArguments, measure, processor};
use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};

/// Requests of a round for the long body, over one connection.
const BIG_REQUESTS: usize = 5;
/// Connections of a round.
const CONNECTIONS: u32 = 40;

/// The loads: HTTP/1.1 in the clear, within TLS, and HTTP/2.
const LOADS: &[Load] = &[
    Load { name: "h1, 1 connection", encryption: Encryption::None, connections: 1, streams: None },
    Load {
        name: "h1, 32 connections",
        encryption: Encryption::None,
        connections: 32,
        streams: None,
    },
    Load {
        name: "h1 TLS, 1 connection",
        encryption: Encryption::Tls,
        connections: 1,
        streams: None,
    },
    Load {
        name: "h1 TLS, 32 connections",
        encryption: Encryption::Tls,
        connections: 32,
        streams: None,
    },
    Load {
        name: "h2, 1 x 32 streams",
        encryption: Encryption::Tls,
        connections: 1,
        streams: Some(32),
    },
    Load {
        name: "h2, 32 x 1 stream",
        encryption: Encryption::Tls,
        connections: 32,
        streams: Some(1),
    },
];

/// What is asked for: a body in which a field is masked, and one that no mask is for.
const SMALL: &[(&str, &str)] =
    &[("/v1/small", "a field masked"), ("/raw/small", "nothing to mask")];

/// Measures all of it.
pub(super) fn measure(arguments: &BenchArguments) -> Outcome<Report> {
    let mut report = Report::of("http", arguments);
    inner(&mut report)?;
    let arena = Arena::set_up()?;
    for load in LOADS {
        for (path, what) in SMALL {
            // Within TLS only what has a bar.
            if load.encryption == Encryption::None || *path == "/v1/small" {
                requests(&arena, load, path, what, arguments, &mut report)?;
            }
        }
    }
    for (encryption, case) in
        [(Encryption::None, "40 MB of JSON, h1"), (Encryption::Tls, "40 MB of JSON, h1 TLS")]
    {
        big(&arena, encryption, case, arguments.rounds, &mut report)?;
    }
    for (encryption, case) in
        [(Encryption::None, "connect, first byte"), (Encryption::Tls, "connect, TLS, first byte")]
    {
        first_bytes(&arena, encryption, case, arguments.rounds, &mut report)?;
    }
    Ok(report)
}

/// Small answers, as many as there can be.
fn requests(
    arena: &Arena,
    load: &Load,
    path: &str,
    what: &str,
    arguments: &BenchArguments,
    report: &mut Report,
) -> Outcome {
    let case = format!("{}, {what}", load.name);
    if !report.begins(&case) {
        return Ok(());
    }
    let mut all = Series::of(arena.ways(load.encryption));
    for _ in 0..arguments.rounds {
        for series in &mut all {
            let before = processor::seconds(&series.way.processes);
            let found = load.run(arena, series.way, path, arguments.seconds)?;
            let used = processor::seconds(&series.way.processes) - before;
            series.first.push(found.a_second);
            series.second.push(used / found.requests * 1e6);
        }
    }
    report.rows.push(row(&case, "requests/s", &all, |series| &series.first));
    let hops: Vec<Series<'_>> =
        all.into_iter().filter(|series| !series.way.processes.is_empty()).collect();
    report.rows.push(row(&case, "CPU us/request", &hops, |series| &series.second));
    let ours = named(&hops, OURS).during("no gateway")?;
    for (peer, bar) in [("nginx", 0.8), ("mitmproxy", 25.0)] {
        let theirs = named(&hops, peer).during("a peer is missing")?;
        let value = median_ratio(&ours.first, &theirs.first).during("no rounds")?;
        console::note(&format!("{value:.2} of {peer}"));
        // The bar is for HTTP/1.1; of mitmproxy one figure is enough.
        if load.streams.is_some() || (peer == "mitmproxy" && load.name != "h1, 32 connections") {
            continue;
        }
        report.bars.push(Bar {
            name: format!("requests/s to {peer}, {case}"),
            value,
            bar,
            sense: Sense::AtLeast,
        });
    }
    Ok(())
}

/// A long body with one field rule: its speed, and what the hop spends on it.
fn big(
    arena: &Arena,
    encryption: Encryption,
    case: &str,
    rounds: usize,
    report: &mut Report,
) -> Outcome {
    if !report.begins(case) {
        return Ok(());
    }
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    let bytes = (BIG_BYTES * BIG_REQUESTS) as f64;
    let mut all = Series::of(arena.ways(encryption));
    for _ in 0..rounds {
        for series in &mut all {
            let before = processor::seconds(&series.way.processes);
            let began = Instant::now();
            arena.fetch(series.way, encryption, "/v1/big", BIG_REQUESTS)?;
            series.first.push(bytes / began.elapsed().as_secs_f64() / 1e6);
            let used = processor::seconds(&series.way.processes) - before;
            series.second.push(bytes / used / 1e6);
        }
    }
    report.rows.push(row(case, "MB/s", &all, |series| &series.first));
    let hops: Vec<Series<'_>> =
        all.into_iter().filter(|series| !series.way.processes.is_empty()).collect();
    report.rows.push(row(case, "MB/s per core of the hop", &hops, |series| &series.second));
    let ours = named(&hops, OURS).during("no gateway")?;
    let value = median(&ours.second).during("no rounds")?;
    console::note(&format!("{value:.0} MB/s per core"));
    report.bars.push(Bar {
        name: format!("MB/s per core, masked, {case}"),
        value,
        bar: 250.0,
        sense: Sense::AtLeast,
    });
    Ok(())
}

/// What masking alone does, without a socket, beside a parser that builds a document.
fn inner(report: &mut Report) -> Outcome {
    if !report.begins("JSON, without a socket") {
        return Ok(());
    }
    let line = Call::cargo()
        .with(["run", "--quiet", "--release", "--locked", "--package", "portcullis-masking"])
        .with(["--example", "bodies", "--", "--json"])
        .output()?;
    let line: Value = serde_json::from_str(&line).during("cannot understand the example")?;
    for body in ["users", "orders"] {
        let masked = measure::number(&line, &format!("/{body}/masked"))?;
        let parsed = measure::number(&line, &format!("/{body}/parsed"))?;
        report.rows.push(Row {
            case: format!("JSON of {body}, a field masked and detectors"),
            metric: "MB/s per core",
            ours: Some(masked),
            peers: vec![("serde_json parses", parsed)],
        });
        report.bars.push(Bar {
            name: format!("MB/s per core, masking JSON of {body}"),
            value: masked,
            bar: 250.0,
            sense: Sense::AtLeast,
        });
    }
    Ok(())
}

/// From nothing to the first byte of an answer.
fn first_bytes(
    arena: &Arena,
    encryption: Encryption,
    case: &str,
    rounds: usize,
    report: &mut Report,
) -> Outcome {
    if !report.begins(case) {
        return Ok(());
    }
    let mut all = Series::of(arena.ways(encryption));
    for _ in 0..rounds {
        for series in &mut all {
            let found = arena.first_bytes(series.way, encryption, "/v1/small", CONNECTIONS)?;
            series.first.push(median(&found).during("no connections")? * 1e3);
        }
    }
    report.rows.push(row(case, "ms", &all, |series| &series.first));
    Ok(())
}
