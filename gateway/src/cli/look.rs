//! How text looks: colours, tables, labelled lines.
//!
//! Owns the few forms that all commands print in. What came from outside goes through
//! [`plain`](crate::recording::replay::plain) before it comes here.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};
use model::Effect;

use super::failure::Failure;

/// Columns below which a table is not squeezed any further.
const TABLE_WIDTH_MIN: u16 = 60;

/// What the output can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Whether colours are wanted.
    pub(super) color: bool,
    /// Columns of the terminal; `None` where there is none, and lines may be long.
    pub(super) width: Option<u16>,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();

impl Look {
    fn paint(self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint(DIM, text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint(GREEN, text)
    }

    pub(super) fn warning(self, text: &str) -> String {
        self.paint(YELLOW, text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint(RED, text)
    }

    pub(super) fn effect(self, effect: Effect) -> String {
        let word = effect.to_string();
        match effect {
            Effect::Allow => self.good(&word),
            Effect::Hold => self.warning(&word),
            Effect::Deny => self.bad(&word),
        }
    }

    /// A line with a label in a column of its own.
    pub(super) fn labelled(self, text: &mut String, label: &str, value: &str) {
        // Writing to a String cannot fail.
        _ = writeln!(text, "{} {value}", self.bold(&format!("{label:<11}")));
    }

    /// A table that fits the terminal, cells wrapped; one line a row where there is none. Cells
    /// hold plain text.
    pub(super) fn table(self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        self.table_of(header, rows, false)
    }

    /// The same with one line a row everywhere: cells that do not fit end in dots.
    pub(super) fn list(self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        self.table_of(header, rows, true)
    }

    fn table_of(self, header: &[&str], rows: Vec<Vec<String>>, one_line: bool) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        match self.width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic);
                table.set_width(width.max(TABLE_WIDTH_MIN));
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        let height = |mut row: Row| {
            if one_line && self.width.is_some() {
                row.max_height(1);
            }
            row
        };
        table.set_header(height(Row::from(header.to_vec())));
        table.add_rows(rows.into_iter().map(|row| height(Row::from(row))));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if let Some(first) = table.column_mut(0) {
            first.set_constraint(ColumnConstraint::ContentWidth);
        }
        let mut text = String::new();
        for (index, line) in table.lines().enumerate() {
            let line = line.trim_end();
            let line = if index == 0 { self.bold(line) } else { line.to_owned() };
            _ = writeln!(text, "{line}");
        }
        text
    }
}

/// An error as people see it.
pub(super) fn failure(failure: &Failure, look: &Look) -> String {
    let mut text = String::new();
    let message = failure.message();
    if message.starts_with("error: ") {
        _ = writeln!(text, "{}", message.trim_end());
    } else {
        _ = writeln!(text, "{} {message}", look.bad("error:"));
    }
    for detail in failure.details() {
        _ = writeln!(text, "  {}", detail.trim_end().replace('\n', "\n  "));
    }
    if let Some(remedy) = failure.remedy() {
        _ = writeln!(text, "{}  {remedy}", look.bold("help:"));
    }
    text
}
