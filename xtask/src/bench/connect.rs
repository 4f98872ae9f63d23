//! `bench connect`: what a connection costs before it carries anything.
//!
//! Owns the cases and their bars: the kernel's hook on every connect, and the way through the
//! gateway to the first byte.

use super::arena::Arena;
use super::hook::{Counting, Runs};
use super::peers::{DATABASE, OURS, USER, Way};
use super::report::{Bar, Report, Row, Sense};
use super::statistics::{median, median_ratio};
use super::{BenchArguments, measure};
use crate::console;
use crate::fault::{During, Outcome};
use crate::stage::postgres::Postgres;

/// Connections of a round.
const CONNECTIONS: &str = "300";

/// Connects of a round that only the hook has work with.
const MISSES: &str = "100000";

/// An address that nobody captures and nothing is sent to (RFC 5737).
const ELSEWHERE: &str = "192.0.2.1:9";

/// Measures all of it.
pub(super) fn measure(arguments: &BenchArguments) -> Outcome<Report> {
    let arena = Arena::<Postgres>::set_up()?;
    let mut report = Report::of("connect", arguments);
    for case in ["first byte", "ready for query"] {
        connections(&arena, case, arguments.rounds, &mut report)?;
    }
    hook(&arena, arguments.rounds, &mut report)?;
    Ok(report)
}

/// The time to the answer to an SSLRequest, or to a session that is ready.
fn connections(arena: &Arena<Postgres>, case: &str, rounds: usize, report: &mut Report) -> Outcome {
    if !report.begins(case) {
        return Ok(());
    }
    let mut all: Vec<(&'static str, Vec<f64>)> =
        arena.ways.iter().map(|way| (way.name, Vec::new())).collect();
    for _ in 0..rounds {
        for (way, (_, found)) in arena.ways.iter().zip(&mut all) {
            let port = way.port.to_string();
            let line = match case {
                "first byte" => measure::run(arena, way, &["first-byte", &port, CONNECTIONS])?,
                _ => measure::run(arena, way, &["log-in", &port, USER, DATABASE, CONNECTIONS])?,
            };
            found.push(measure::number(&line, "/p50_ns")? / 1e6);
        }
    }
    let of = |name: &str| all.iter().find(|(one, _)| *one == name).map(|(_, found)| found);
    let (ours, direct) = of(OURS).zip(of("direct")).during("a way is missing")?;
    if case == "first byte" {
        let more: Vec<f64> = ours.iter().zip(direct).map(|(ours, direct)| ours - direct).collect();
        report.bars.push(Bar {
            name: "redirected connection, ms to first byte over direct".to_owned(),
            value: median(&more).during("no rounds")?,
            bar: 0.2,
            sense: Sense::AtMost,
        });
    }
    let ratio = median_ratio(ours, direct).during("no rounds")?;
    console::note(&format!("{ratio:.2} of direct"));
    let medians = all.iter().map(|(name, found)| (*name, median(found).unwrap_or(f64::NAN)));
    let (ours, peers): (Vec<_>, Vec<_>) = medians.partition(|(name, _)| *name == OURS);
    report.rows.push(Row {
        case: case.to_owned(),
        metric: "ms",
        ours: ours.first().map(|(_, value)| *value),
        peers,
    });
    Ok(())
}

/// The program on connect, by the kernel's own count: for an address that is not captured, and
/// for one that is.
fn hook(arena: &Arena<Postgres>, rounds: usize, report: &mut Report) -> Outcome {
    if !report.begins("the hook on connect") {
        return Ok(());
    }
    let ours = arena.ways.iter().find(|way| way.name == OURS).during("no gateway")?;
    let port = ours.port.to_string();
    let cases: [(&str, f64, Vec<&str>); 2] = [
        ("connect hook, miss", 0.3, vec!["hook", ELSEWHERE, MISSES]),
        ("connect hook, hit", 1.3, vec!["first-byte", &port, CONNECTIONS]),
    ];
    let _counting = Counting::begin()?;
    for (case, bar, arguments) in cases {
        let mut found = Vec::new();
        for _ in 0..rounds {
            found.push(one(arena, ours, &arguments)?);
        }
        let value = median(&found).during("no rounds")?;
        let case = case.to_owned();
        report.rows.push(Row {
            case: case.clone(),
            metric: "us in the kernel",
            ours: Some(value),
            peers: Vec::new(),
        });
        report.bars.push(Bar {
            name: format!("{case}, us in the kernel"),
            value,
            bar,
            sense: Sense::AtMost,
        });
    }
    Ok(())
}

fn one(arena: &Arena<Postgres>, way: &Way, arguments: &[&str]) -> Outcome<f64> {
    let before = Runs::so_far(arena, way)?;
    measure::run(arena, way, arguments)?;
    let after = Runs::so_far(arena, way)?;
    after.mean_us_since(before).during("the kernel counted no run of the hook")
}
