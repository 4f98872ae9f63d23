//! Numbers of ways that are compared, round by round.
//!
//! Owns how they become a row of the report. Must not know what is measured.

use super::peers::{OURS, Way};
use super::report::Row;
use super::statistics::median;

/// Numbers of one way, a number a round.
#[derive(Debug)]
pub(super) struct Series<'a> {
    /// The way.
    pub(super) way: &'a Way,
    /// What the case is about.
    pub(super) first: Vec<f64>,
    /// What the hop spends on it.
    pub(super) second: Vec<f64>,
}

impl<'a> Series<'a> {
    /// One a way, without numbers.
    pub(super) fn of(ways: &'a [Way]) -> Vec<Self> {
        let empty = |way| Series { way, first: Vec::new(), second: Vec::new() };
        ways.iter().map(empty).collect()
    }
}

/// The series of the way with this name.
pub(super) fn named<'a, 'b>(all: &'b [Series<'a>], name: &str) -> Option<&'b Series<'a>> {
    all.iter().find(|series| series.way.name == name)
}

/// The medians as a row.
pub(super) fn row<'a>(
    case: &str,
    metric: &'static str,
    all: &[Series<'a>],
    of: impl for<'b> Fn(&'b Series<'a>) -> &'b Vec<f64>,
) -> Row {
    let value = |series: &Series<'a>| median(of(series)).unwrap_or(f64::NAN);
    Row {
        case: case.to_owned(),
        metric,
        ours: named(all, OURS).map(value),
        peers: all
            .iter()
            .filter(|series| series.way.name != OURS)
            .map(|series| (series.way.name, value(series)))
            .collect(),
    }
}
