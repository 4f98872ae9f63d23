//! A recorded session as text for people.
//!
//! Owns the layout of a replay. Must not know a protocol: it prints statements, decisions, tables
//! and streams alike. Everything that came from outside goes through [`plain`]: a recording may hold
//! what an attacker wrote, and the reader's terminal obeys control sequences. The escaping is for
//! eyes, not for machines. Statements and results stand behind a mark of their own (`>`, `|`), so that
//! none can pass for a line of ours.

mod plain;
mod streams;
mod table;

use std::fmt::Write as _;
use std::time::Duration;

use model::audit::SessionEnd;
use model::{DecidingRule, Effect, OperationNumber, Reason};

pub use plain::plain;
use streams::Streams;
use table::Table;

use super::header::SessionHeader;
use super::record::{Direction, Entry, OperationOutcome, Record, Value};
use crate::telemetry::narrate;

/// How much a replay shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Rows of each result.
    pub rows_max: usize,
    /// Characters of each value.
    pub value_characters_max: usize,
    /// Characters of each statement.
    pub statement_characters_max: usize,
    /// Lines of each operation's output that went to no terminal.
    pub output_lines_max: u64,
    /// Lines of each operation's output that went to a terminal.
    pub terminal_lines_max: u64,
}

impl Options {
    /// Results by their beginning, output whole.
    pub const DEFAULT: Self = Self {
        rows_max: 20,
        value_characters_max: 60,
        statement_characters_max: 4000,
        output_lines_max: u64::MAX,
        terminal_lines_max: u64::MAX,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Prints a session: its header, then its entries.
#[must_use]
pub fn render<'e>(
    header: &SessionHeader,
    entries: impl IntoIterator<Item = &'e Entry>,
    options: &Options,
) -> String {
    let mut replay = Replay::new(options.clone());
    let mut text = replay.header(header);
    for entry in entries {
        text.push_str(&replay.entry(entry));
    }
    text.push_str(&replay.finish());
    text
}

/// Prints entry by entry, for recordings larger than memory and for replay in time.
#[derive(Debug)]
pub struct Replay {
    options: Options,
    table: Option<Table>,
    streams: Streams,
    /// The operation that the lines without a number are about.
    last: OperationNumber,
}

impl Replay {
    /// Starts a replay.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let streams = Streams::new(options.output_lines_max, options.terminal_lines_max);
        Self { options, table: None, streams, last: OperationNumber::default() }
    }

    /// Who, where, when.
    #[must_use]
    pub fn header(&self, header: &SessionHeader) -> String {
        let process = &header.binding.process;
        let found = &header.attestation;
        let started = i64::try_from(header.started_us.0)
            .ok()
            .and_then(|moment| jiff::Timestamp::from_microsecond(moment).ok())
            .map_or_else(String::new, |moment| {
                moment.strftime("%Y-%m-%d %H:%M:%S.%6f UTC").to_string()
            });
        let environment =
            header.environment.as_ref().map_or(String::new(), |name| format!("{}, ", name.0));
        let unit = found.systemd_unit.as_deref().unwrap_or(&found.cgroup_path);
        let executable = found.executable.as_deref().unwrap_or("executable unknown");
        let user = found.user_name.as_deref().unwrap_or("");
        let lines = [
            ("session", header.session.to_string()),
            ("workload", header.principal.to_string()),
            ("target", format!("{} ({environment}{})", header.target, header.protocol)),
            ("to", header.binding.original.to_string()),
            ("started", started),
            ("process", format!("{}[{}] {executable}", process.comm, process.tgid)),
            ("unit", unit.to_owned()),
            ("user", format!("{} {user}", header.binding.user.uid).trim_end().to_owned()),
            ("policy", header.policy.to_string()),
        ];
        let mut text = String::new();
        for (name, value) in lines {
            // Writing to a String cannot fail, here and below.
            _ = writeln!(text, "{name:<9} {}", plain(&value));
        }
        text.push('\n');
        text
    }

    /// One entry. Rows are held back until their result ends, to align them.
    pub fn entry(&mut self, entry: &Entry) -> String {
        let mut text = String::new();
        match &entry.record {
            Record::ResultColumns { names, .. } => {
                self.end_table(&mut text);
                let names = names.iter().map(|name| plain(name));
                self.table = Some(Table::new(names.collect(), self.options.rows_max));
            }
            Record::ResultRow { values, .. } => self.row(values),
            Record::ResultOmitted { rows: 0, bytes, operation } => {
                self.end_table(&mut text);
                self.streams.end(*operation, &mut text);
                _ = writeln!(text, "{INDENT}{bytes} more bytes were shown, not kept");
            }
            Record::ResultOmitted { rows, bytes, .. } => {
                self.end_table(&mut text);
                _ = writeln!(text, "{INDENT}{rows} more rows ({bytes} bytes) were shown, not kept");
            }
            other => {
                self.end_table(&mut text);
                self.fact(entry.at, other, &mut text);
            }
        }
        text
    }

    /// What is still held back.
    pub fn finish(&mut self) -> String {
        let mut text = String::new();
        self.end_table(&mut text);
        self.streams.finish(&mut text);
        text
    }

    fn row(&mut self, values: &[Value<'_>]) {
        let characters_max = self.options.value_characters_max;
        let cells = values.iter().map(|value| cell(value, characters_max)).collect();
        self.table.get_or_insert_with(|| Table::new(Vec::new(), self.options.rows_max)).push(cells);
    }

    fn end_table(&mut self, text: &mut String) {
        if let Some(table) = self.table.take() {
            table.print(&format!("{INDENT}| "), text);
        }
    }

    fn fact(&mut self, at: Duration, record: &Record<'_>, text: &mut String) {
        match record {
            Record::OperationStarted { operation, kind, text: statement, parameters } => {
                self.last = *operation;
                _ = writeln!(text, "{} #{operation} {}", offset(at), plain(kind));
                let shown = shortened(statement, self.options.statement_characters_max);
                for line in shown.lines() {
                    _ = writeln!(text, "{INDENT}> {}", plain(line));
                }
                for (place, value) in parameters.iter().enumerate() {
                    let value = cell(value, self.options.value_characters_max);
                    _ = writeln!(text, "{INDENT}${} = {value}", place + 1);
                }
            }
            Record::Decided { effect, observed_only, reason, rules, .. } => {
                _ = writeln!(text, "{INDENT}{}", decision(*effect, *observed_only, reason, rules));
            }
            Record::Held { hold, .. } => {
                _ = writeln!(text, "{} held as {hold}", offset(at));
            }
            Record::HoldEnded { end, by, comment, .. } => {
                let by =
                    if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
                let comment =
                    comment.as_ref().map_or(String::new(), |comment| format!(": {comment}"));
                let line = format!("{}{by}{comment}", narrate::hold_end(*end));
                _ = writeln!(text, "{} {}", offset(at), plain(&line));
            }
            Record::Output { operation, stream, bytes } => {
                self.streams.push(at, *operation, *stream, bytes, text);
            }
            Record::Terminal { operation, term, columns, rows } => {
                self.streams.opens_terminal(*operation);
                let term = plain(term);
                _ = writeln!(text, "{INDENT}in a terminal: {term}, {columns}x{rows}");
            }
            Record::OperationEnded { operation, .. } => {
                self.streams.end(*operation, text);
                // Operations that run at once end in their own order.
                let number =
                    if *operation == self.last { String::new() } else { format!("#{operation} ") };
                _ = writeln!(text, "{INDENT}{number}{}", plain(&end_of_operation(record)));
            }
            other => rare_fact(at, other, text),
        }
    }
}

/// Facts under an operation start below its time.
const INDENT: &str = "            ";

fn rare_fact(at: Duration, record: &Record<'_>, text: &mut String) {
    match record {
        Record::Resized { operation, columns, rows } => {
            _ = writeln!(text, "{} #{operation} terminal is now {columns}x{rows}", offset(at));
        }
        Record::Transferred { .. } => {
            _ = writeln!(text, "{INDENT}{}", plain(&transferred(record)));
        }
        Record::Notice { severity, text: message, .. } => {
            _ = writeln!(text, "{INDENT}{}: {}", plain(severity), plain(message));
        }
        Record::Note { text: remark } => {
            _ = writeln!(text, "{} note: {}", offset(at), plain(remark));
        }
        Record::Gap { records } => {
            _ = writeln!(text, "{} {records} records could not be kept", offset(at));
        }
        Record::SessionEnded { end, counts } => {
            let because = match end.as_ref() {
                SessionEnd::ProtocolViolation { because } | SessionEnd::Internal { because } => {
                    format!(": {because}")
                }
                _ => String::new(),
            };
            let cause = narrate::session_end(end);
            let line = format!(
                "session ended: {cause}{because}; {} operations, {} denied, {} held, {} failed, \
                 {} rows, {} values masked",
                counts.operations,
                counts.denied,
                counts.held,
                counts.failed,
                counts.rows,
                counts.masked_values,
            );
            _ = writeln!(text, "{} {}", offset(at), plain(&line));
        }
        _ => {}
    }
}

fn offset(at: Duration) -> String {
    format!("{:>11}", format!("+{:.6}s", at.as_secs_f64()))
}

fn decision(
    effect: Effect,
    observed_only: bool,
    reason: &Reason,
    rules: &[DecidingRule],
) -> String {
    let observed = if observed_only { " (observed only: not enforced)" } else { "" };
    let because = match reason {
        Reason::Granted | Reason::DeniedByRule | Reason::HeldByRule => String::new(),
        Reason::NotGranted { access } => format!(": no rule grants {access}"),
        Reason::NoRole => String::from(": no role at this target"),
        Reason::ConditionFailed { rule, because } => {
            format!(": condition of {rule} failed: {because}")
        }
        Reason::Refused { because } => format!(": {because}"),
    };
    let mut line = format!("{effect}{observed}{because}");
    for (place, deciding) in rules.iter().enumerate() {
        let before = if place == 0 { " by rule" } else { "," };
        _ = write!(
            line,
            "{before} {} of role {} ({})",
            deciding.rule, deciding.role, deciding.access
        );
    }
    plain(&line)
}

fn transferred(record: &Record<'_>) -> String {
    let Record::Transferred { path, direction, bytes, sha256, whole, .. } = record else {
        return String::new();
    };
    let direction = match direction {
        Direction::Download => "downloaded",
        Direction::Upload => "uploaded",
    };
    let part = if *whole { "" } else { " in part" };
    let mut line = format!("{direction}{part} {path}: {bytes} bytes");
    if let Some(digest) = sha256 {
        line.push_str(", sha256 ");
        for byte in digest {
            _ = write!(line, "{byte:02x}");
        }
    }
    line
}

fn end_of_operation(record: &Record<'_>) -> String {
    let Record::OperationEnded {
        outcome, status, code, rows, bytes, masked_values, duration, ..
    } = record
    else {
        return String::new();
    };
    let outcome = match outcome {
        OperationOutcome::Completed => "",
        OperationOutcome::Failed => "failed: ",
        OperationOutcome::Refused => "refused: ",
        OperationOutcome::Abandoned => "abandoned: ",
    };
    let code = code.as_ref().map_or(String::new(), |code| format!("{code} "));
    let milliseconds = duration.as_secs_f64() * 1000.0;
    let status = if status.is_empty() && outcome.is_empty() { "done" } else { status };
    // What gave no rows but bytes is a stream.
    let size =
        if *rows == 0 && *bytes > 0 { format!("{bytes} bytes") } else { format!("{rows} rows") };
    format!("{outcome}{code}{status} ({size}, {masked_values} values masked, {milliseconds:.3} ms)")
}

fn cell(value: &Value<'_>, characters_max: usize) -> String {
    match value {
        Value::Null => String::from("NULL"),
        Value::Whole(bytes) => plain(&shortened(&String::from_utf8_lossy(bytes), characters_max)),
        Value::Cut { kept, bytes_total } => {
            let shown = plain(&shortened(&String::from_utf8_lossy(kept), characters_max));
            format!("{shown} [of {bytes_total} bytes]")
        }
    }
}

/// At most so many characters, an ellipsis where there were more.
fn shortened(text: &str, characters_max: usize) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(characters_max).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
