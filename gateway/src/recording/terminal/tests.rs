//! Screens told as files and played.

use std::time::Duration;

use model::OperationNumber;

use super::*;
use crate::recording::tests::world;

fn entries(records: Vec<Record<'static>>) -> Vec<Entry> {
    (1..)
        .zip(records)
        .map(|(number, record)| Entry { number, at: Duration::from_millis(number * 7), record })
        .collect()
}

fn story() -> Vec<Entry> {
    entries(world::shell_story())
}

fn survey() -> Survey {
    let mut survey = Survey::default();
    for entry in story() {
        survey.entry(&entry);
    }
    survey
}

fn screen(number: u64) -> Screen {
    survey().of(OperationNumber(number)).unwrap()
}

fn cast(number: u64, raw: bool) -> String {
    let mut cast = Asciicast::new(screen(number), raw);
    let mut text = cast.header(&world::header());
    for entry in story() {
        text.push_str(&cast.entry(&entry));
    }
    text
}

#[test]
fn terminals_are_found_before_commands() {
    let numbers: Vec<u64> = survey().screens().iter().map(|one| one.operation.0).collect();
    assert_eq!(numbers, [3]);
    let mut survey = Survey::default();
    for entry in story().iter().filter(|one| one.record.operation() != Some(OperationNumber(3))) {
        survey.entry(entry);
    }
    let screens = survey.screens();
    let [command] = screens.as_slice() else { panic!("{screens:?}") };
    assert_eq!((command.kind.as_str(), command.term.as_deref()), ("exec", None));
    assert_eq!(command.output_bytes, 55);
}

#[test]
fn a_terminal_becomes_an_asciicast() {
    insta::assert_snapshot!(cast(3, false));
}

#[test]
fn a_raw_asciicast_keeps_every_sequence() {
    let raw = cast(3, true);
    assert!(raw.contains(r#""\u001b]0;deploy@web1\u0007\u001b[?2004h$ ""#), "{raw}");
    assert!(raw.contains(r"\u001b]52;c;cm0=\u0007"), "{raw}");
}

#[test]
fn a_command_without_a_terminal_becomes_an_asciicast_with_both_its_streams() {
    insta::assert_snapshot!(cast(1, false));
}

#[test]
fn every_line_of_an_asciicast_is_json_and_time_never_runs_back() {
    for number in [1, 3] {
        let text = cast(number, false);
        let mut lines =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        assert_eq!(lines.next().unwrap()["version"], 2);
        let times: Vec<f64> = lines.map(|event| event[0].as_f64().unwrap()).collect();
        assert!(times.len() > 2 && times.is_sorted(), "{times:?}");
    }
}

fn played(raw: bool, pace: Pace) -> (Vec<u128>, Vec<u8>) {
    let mut play = Play::new(screen(3), pace, raw);
    let steps: Vec<_> = story().iter().filter_map(|entry| play.entry(entry)).collect();
    let pauses = steps.iter().map(|(pause, _)| pause.as_millis()).collect();
    (pauses, steps.into_iter().flat_map(|(_, bytes)| bytes).collect())
}

#[test]
fn d5_a_replay_draws_and_does_nothing_else() {
    let pace = Pace { speed: 1.0, idle_max: Duration::from_secs(2) };
    let (pauses, bytes) = played(false, pace);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text,
        "$ ls\r\n\u{1b}[1;34mgr\u{f6}\u{df}e\u{1b}[0m \u{fffd}\r\n\
         \r\n[2 records could not be kept here]\r\n$ exit\r\n"
    );
    assert_eq!(pauses, [7, 14, 7, 14, 7, 7]);
    let (_, raw) = played(true, pace);
    assert!(raw.windows(4).any(|found| found == b"\x1b]52"));
}

#[test]
fn pauses_follow_the_speed_and_are_never_longer_than_the_limit() {
    let pace = Pace { speed: 2.0, idle_max: Duration::from_millis(4) };
    assert_eq!(pace.pause(Duration::from_millis(6)), Duration::from_millis(3));
    assert_eq!(pace.pause(Duration::from_secs(3600)), Duration::from_millis(4));
    let slow = Pace { speed: 0.01, idle_max: Duration::MAX };
    assert_eq!(slow.pause(Duration::MAX), Duration::MAX);
}
