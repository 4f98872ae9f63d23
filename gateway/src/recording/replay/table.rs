//! A result as aligned columns.
//!
//! Owns the alignment. Must not know values: cells come in as plain text.

use std::fmt::Write as _;

/// A result being gathered: at most so many rows are kept, the rest is counted.
#[derive(Debug)]
pub(super) struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    rows_max: usize,
    more: u64,
}

impl Table {
    pub(super) const fn new(names: Vec<String>, rows_max: usize) -> Self {
        Self { names, rows: Vec::new(), rows_max, more: 0 }
    }

    pub(super) fn push(&mut self, cells: Vec<String>) {
        if self.rows.len() < self.rows_max {
            self.rows.push(cells);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn print(&self, indent: &str, text: &mut String) {
        let widths = self.widths();
        if !self.names.is_empty() {
            line(indent, &self.names, &widths, text);
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            _ = writeln!(text, "{indent}{}", rules.join("-+-"));
        }
        for row in &self.rows {
            line(indent, row, &widths, text);
        }
        if self.more > 0 {
            _ = writeln!(text, "{indent}... {} more rows in the recording", self.more);
        }
    }

    /// The widest cell of each column, in characters.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in std::iter::once(&self.names).chain(&self.rows) {
            if row.len() > widths.len() {
                widths.resize(row.len(), 1);
            }
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

fn line(indent: &str, cells: &[String], widths: &[usize], text: &mut String) {
    let padded: Vec<String> =
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    _ = writeln!(text, "{indent}{}", padded.join(" | ").trim_end());
}
