//! What a benchmark found: rows with the gateway and its peers side by side, and the bars.
//!
//! Owns the two shapes it is printed in: tables for people, one line of JSON for programs. A
//! figure is printed as it was measured.

use serde_json::{Map, Value, json};

use super::BenchArguments;
use crate::console;

/// One number of one case, ours and the peers'.
#[derive(Debug)]
pub(super) struct Row {
    /// The case: `simple, 8 clients`.
    pub(super) case: String,
    /// What is counted, with its unit: `tps`, `CPU us/transaction`.
    pub(super) metric: &'static str,
    /// The gateway's.
    pub(super) ours: Option<f64>,
    /// Each peer's.
    pub(super) peers: Vec<(&'static str, f64)>,
}

/// What a bar asks of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    AtLeast,
    AtMost,
}

/// A number to reach.
#[derive(Debug)]
pub(super) struct Bar {
    /// What it is about.
    pub(super) name: String,
    /// What was found.
    pub(super) value: f64,
    /// What is to be reached.
    pub(super) bar: f64,
    /// Whether more or less is better.
    pub(super) sense: Sense,
}

impl Bar {
    /// Whether it is reached. What could not be measured is not reached.
    pub(super) fn holds(&self) -> bool {
        match self.sense {
            Sense::AtLeast => self.value >= self.bar,
            Sense::AtMost => self.value <= self.bar,
        }
    }
}

/// What a benchmark found.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Its name.
    pub(super) bench: &'static str,
    /// The rows.
    pub(super) rows: Vec<Row>,
    /// The bars.
    pub(super) bars: Vec<Bar>,
    /// Words of which one is in the name of every case that is measured; none for all cases.
    only: Vec<String>,
}

impl Report {
    /// Of nothing yet.
    pub(super) fn of(bench: &'static str, arguments: &BenchArguments) -> Self {
        let only = arguments.cases.clone();
        Self { bench, rows: Vec::new(), bars: Vec::new(), only }
    }

    /// Whether a case is wanted; says that it is measured now.
    pub(super) fn begins(&self, case: &str) -> bool {
        let wanted = self.only.is_empty() || self.only.iter().any(|words| case.contains(words));
        if wanted {
            console::step("Measuring", case);
        }
        wanted
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let rows: Vec<Value> = self.rows.iter().map(row_json).collect();
        let bars: Vec<Value> = self
            .bars
            .iter()
            .map(|bar| {
                json!({
                    "name": bar.name,
                    "value": number(bar.value),
                    "bar": bar.bar,
                    "holds": bar.holds(),
                })
            })
            .collect();
        json!({ "bench": self.bench, "rows": rows, "bars": bars }).to_string()
    }

    /// Tables: a block a metric, a line a case; then the bars.
    pub(super) fn tables(&self) -> String {
        let mut text = String::new();
        let mut metrics: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !metrics.contains(&row.metric) {
                metrics.push(row.metric);
            }
        }
        for metric in metrics {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.metric == metric).collect();
            text.push_str(&block(metric, &rows));
            text.push('\n');
        }
        text.push_str(&format!("{:<58} {:>10} {:>12}\n", "bar", "found", "to reach"));
        for bar in &self.bars {
            let sign = if bar.sense == Sense::AtLeast { ">=" } else { "<=" };
            let verdict = if bar.holds() { "holds" } else { "MISSED" };
            text.push_str(&format!(
                "{:<58} {:>10} {:>12}  {verdict}\n",
                bar.name,
                shown(bar.value),
                format!("{sign} {}", shown(bar.bar))
            ));
        }
        text
    }
}

fn row_json(row: &Row) -> Value {
    let peers: Map<String, Value> =
        row.peers.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect();
    json!({
        "case": row.case,
        "metric": row.metric,
        "ours": row.ours.map(number),
        "peers": peers,
    })
}

/// JSON has no infinity and no "not a number": such a figure is null.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// A table of one metric: a column for us and one a peer, with our ratio to it.
fn block(metric: &str, rows: &[&Row]) -> String {
    let mut peers: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.peers) {
        if !peers.contains(name) {
            peers.push(name);
        }
    }
    let mut text = format!("{metric:<34} {:>12}", "gateway");
    for peer in &peers {
        text.push_str(&format!(" {peer:>12} {:>7}", "ratio"));
    }
    text.push('\n');
    for row in rows {
        let ours = row.ours.map_or_else(|| "-".to_owned(), shown);
        text.push_str(&format!("{:<34} {ours:>12}", row.case));
        for peer in &peers {
            let value = row.peers.iter().find(|(name, _)| name == peer).map(|(_, value)| *value);
            let ratio = row.ours.zip(value).map(|(ours, theirs)| ours / theirs);
            let dash = || "-".to_owned();
            text.push_str(&format!(
                " {:>12} {:>7}",
                value.map_or_else(dash, shown),
                ratio.map_or_else(dash, |ratio| format!("{ratio:.2}"))
            ));
        }
        text.push('\n');
    }
    text
}

/// Four figures are enough for people.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_measured() {
        let mut report = report();
        assert!(report.begins("simple, 1 client"));
        report.only = vec!["8 clients".to_owned(), "COPY".to_owned()];
        assert!(!report.begins("simple, 1 client"));
        assert!(report.begins("simple, 8 clients"));
        assert!(report.begins("COPY, 1 M rows"));
    }

    fn report() -> Report {
        Report {
            bench: "postgres",
            rows: vec![Row {
                case: "simple, 1 client".to_owned(),
                metric: "tps",
                ours: Some(9000.0),
                peers: vec![("direct", 10_000.0), ("haproxy", 7500.0)],
            }],
            only: Vec::new(),
            bars: vec![Bar {
                name: "tps to haproxy".to_owned(),
                value: 1.2,
                bar: 1.0,
                sense: Sense::AtLeast,
            }],
        }
    }

    #[test]
    fn the_line_of_json_has_the_agreed_fields() {
        assert_eq!(
            report().json(),
            r#"{"bench":"postgres","rows":[{"case":"simple, 1 client","metric":"tps","ours":9000.0,"peers":{"direct":10000.0,"haproxy":7500.0}}],"bars":[{"name":"tps to haproxy","value":1.2,"bar":1.0,"holds":true}]}"#
        );
    }

    #[test]
    fn the_table_shows_ratios() {
        let tables = report().tables();
        assert!(tables.contains("10000    0.90"), "{tables}");
        assert!(tables.contains("holds"), "{tables}");
    }

    #[test]
    fn what_could_not_be_measured_does_not_hold() {
        let bar = Bar { name: String::new(), value: f64::NAN, bar: 1.0, sense: Sense::AtMost };
        assert!(!bar.holds());
    }
}
