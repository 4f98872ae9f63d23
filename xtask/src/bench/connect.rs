//! `bench connect`: what a connection costs before it carries anything.
//!
//! Owns the cases and their bars: the kernel's hook on every connect, and the way through the
//! gateway to the first byte.

use super::peers::{Arena, DATABASE, USER};
use super::report::{Report, Row};
use super::statistics::median;
use super::{BenchArguments, measure};
use crate::console;
use crate::fault::Outcome;

/// Connections of a round.
const CONNECTIONS: &str = "300";

/// Measures all of it.
pub(super) fn measure(arguments: &BenchArguments) -> Outcome<Report> {
    measure::build()?;
    let arena = Arena::set_up()?;
    let mut report = Report { bench: "connect", rows: Vec::new(), bars: Vec::new() };
    for (case, what) in [("first byte", "first-byte"), ("ready for query", "log-in")] {
        console::step("Measuring", case);
        let mut all: Vec<(&str, Vec<f64>)> =
            arena.ways.iter().map(|way| (way.name, Vec::new())).collect();
        for _ in 0..arguments.rounds {
            for (way, (_, found)) in arena.ways.iter().zip(&mut all) {
                let port = way.port.to_string();
                let line = match what {
                    "first-byte" => measure::run(&arena, way, &[what, &port, CONNECTIONS])?,
                    _ => measure::run(&arena, way, &[what, &port, USER, DATABASE, CONNECTIONS])?,
                };
                found.push(measure::number(&line, "/p50_ns")? / 1e6);
            }
        }
        let medians = all.iter().map(|(name, found)| (*name, median(found).unwrap_or(f64::NAN)));
        let (ours, peers): (Vec<_>, Vec<_>) = medians.partition(|(name, _)| *name == "gateway");
        report.rows.push(Row {
            case: case.to_owned(),
            metric: "ms",
            ours: ours.first().map(|(_, value)| *value),
            peers,
        });
    }
    Ok(report)
}
