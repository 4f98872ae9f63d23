//! What people read.

use std::time::Duration;

use super::world;
use crate::recording::replay::{Options, render};
use crate::recording::*;

fn entries(records: Vec<Record<'static>>) -> Vec<Entry> {
    (1..)
        .zip(records)
        .map(|(number, record)| Entry { number, at: Duration::from_millis(number * 7), record })
        .collect()
}

fn story() -> Vec<Entry> {
    let mut records = world::story();
    records.push(Record::Gap { records: 3 });
    records.push(Record::SessionEnded {
        end: std::borrow::Cow::Owned(model::audit::SessionEnd::Client),
        counts: Counts { operations: 3, denied: 1, held: 1, failed: 0, rows: 4, masked_values: 4 },
    });
    entries(records)
}

#[test]
fn a_session_reads_as_a_story() {
    insta::assert_snapshot!(render(&world::header(), &story(), &Options::default()));
}

#[test]
fn d5_no_recorded_text_reaches_the_terminal_as_a_control_sequence() {
    let text = render(&world::header(), &story(), &Options::default());
    assert!(!text.chars().any(|shown| shown.is_control() && shown != '\n'), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    assert!(text.contains("\\u{1b}[2K\\rselect 1"), "shown, not swallowed: {text}");
}

#[test]
fn commands_terminals_and_files_read_as_a_story() {
    let entries = entries(world::shell_story());
    let text = render(&world::header(), &entries, &Options::default());
    assert!(!text.chars().any(|shown| shown.is_control() && shown != '\n'), "{text:?}");
    insta::assert_snapshot!(text.split_once("\n\n").unwrap().1);
    let short = Options { output_lines_max: 1, terminal_lines_max: 0, ..Options::default() };
    let text = render(&world::header(), &entries, &short);
    assert!(text.contains("... 2 more lines in the recording"), "{text}");
    assert!(text.contains("... 4 lines in the recording"), "{text}");
}

#[test]
fn long_results_values_and_statements_are_shortened_and_say_so() {
    let operation = model::OperationNumber(1);
    let row = |text: &'static str| Record::ResultRow {
        operation,
        values: vec![world::value(text)].into(),
    };
    let records = entries(vec![
        Record::OperationStarted {
            operation,
            kind: "select".into(),
            text: "select 'a very long statement'".into(),
            parameters: vec![Value::Cut { kept: b"0123".as_slice().into(), bytes_total: 99 }]
                .into(),
        },
        Record::ResultColumns { operation, names: vec!["n".into()].into() },
        row("0123456789"),
        row("1"),
        row("2"),
    ]);
    let options = Options {
        rows_max: 2,
        value_characters_max: 5,
        statement_characters_max: 12,
        ..Options::default()
    };
    let text = render(&world::header(), &records, &options);
    let body = text.split_once("\n\n").unwrap().1;
    insta::assert_snapshot!(body, @r"
     +0.007000s #1 select
                > select 'a ve…
                $1 = 0123 [of 99 bytes]
                | n
                | ------
                | 01234…
                | 1
                | ... 1 more rows in the recording
    ");
}
