//! What is measured of every database alike: small transactions, and long answers.
//!
//! Owns the rounds, the rows and the bars. Must not know how a run is made: it is told what one found.

use super::peers::{OURS, Way};
use super::processor;
use super::report::{Bar, Report, Sense};
use super::series::{Series, named, row};
use super::statistics::{median, median_ratio};
use crate::fault::{During, Outcome};

/// A case of small transactions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    /// What is run: `simple, 8 clients`.
    pub(super) case: &'a str,
    /// What processor time is counted by.
    pub(super) unit: &'static str,
}

/// What one run of small transactions found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Transactions a second, without connecting.
    pub(super) tps: f64,
    /// Microseconds of processor time of the hop, a unit.
    pub(super) processor_us: f64,
}

/// What one long answer came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drained {
    pub(super) bytes: f64,
    pub(super) seconds: f64,
}

/// Runs small transactions over all ways, round by round.
pub(super) fn throughput(
    cell: &Cell<'_>,
    ways: &[Way],
    proxies: &[&str],
    rounds: usize,
    run: impl Fn(&Way) -> Outcome<Run>,
    report: &mut Report,
) -> Outcome {
    let Cell { case, unit } = *cell;
    if !report.begins(case) {
        return Ok(());
    }
    let mut all = Series::of(ways);
    for _ in 0..rounds {
        for series in &mut all {
            let run = run(series.way)?;
            series.first.push(run.tps);
            series.second.push(run.processor_us);
        }
    }
    let metric = if unit == "query" { "CPU us/query" } else { "CPU us/transaction" };
    report.rows.push(row(case, "tps", &all, |series| &series.first));
    let hops: Vec<Series<'_>> =
        all.into_iter().filter(|series| !series.way.processes.is_empty()).collect();
    report.rows.push(row(case, metric, &hops, |series| &series.second));
    let Some(ours) = named(&hops, OURS) else { return Ok(()) };
    for proxy in proxies {
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
        name: format!("{metric} over haproxy, {case}"),
        value: more.0 - more.1,
        bar: 3.0,
        sense: Sense::AtMost,
    });
    Ok(())
}

/// Reads one long answer over all ways: its speed, and what the hop spends on it.
pub(super) fn long(
    case: &str,
    ways: &[Way],
    rounds: usize,
    drain: impl Fn(&Way) -> Outcome<Drained>,
    report: &mut Report,
) -> Outcome {
    if !report.begins(case) {
        return Ok(());
    }
    let mut all = Series::of(ways);
    for _ in 0..rounds {
        for series in &mut all {
            let before = processor::seconds(&series.way.processes);
            let Drained { bytes, seconds } = drain(series.way)?;
            let used = processor::seconds(&series.way.processes) - before;
            series.first.push(bytes / seconds / 1e6);
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
