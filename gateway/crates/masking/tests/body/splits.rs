//! Nothing of a value is let out before it is known what it is, wherever the body is cut.

use std::sync::Arc;

use masking::body::{BodyKind, BodyMasker, FieldSet};
use model::Transform;

use crate::fixture::{detectors, field, run, set_of};

/// What must never be seen. It is in a masked field of each body, in pieces too.
const CANARY: &str = "c4n4ry-v4lue";

fn bodies() -> Vec<(BodyKind, String)> {
    let json = format!(
        "\u{feff}{{\"id\": 7, \"\\u0065mail\" : \"{CANARY}\", \"email\":\"\\u0063{CANARY}\\n\",\n\
         \"users\":[{{\"email\":[\"{CANARY}\",{{\"{{\":\"}}{CANARY}\"}},true,12345678]}}, null],\
         \"ok\":\"a\\\"b\", \"email\":-12.5e3 }}\n"
    );
    let line = format!("{{\"email\":\"{CANARY}\",\"a\":[1,\"{CANARY}@example.com\"]}}");
    vec![
        (BodyKind::Json, json),
        (BodyKind::JsonLines, format!("{line}\n{line}{line}\r\n\u{1e}{line}\n12 ")),
        (
            BodyKind::Form,
            format!("a=1&email={CANARY}&b=%41+c;email=x%2F{CANARY};{CANARY}&&%65mail={CANARY}"),
        ),
        (
            BodyKind::EventStream,
            format!(
                ":to {CANARY}@example.com\r\nid: 7\r\ndata: {line}\r\n\r\ndata:{{\"email\":\r\
                 data: \"{CANARY}\"}}\r\rdata: {CANARY}\n\ndata: [DONE]\n\ndata: {line}"
            ),
        ),
        (BodyKind::Text, format!("write to {CANARY}@example.com, or\n{CANARY}@example.org")),
    ]
}

fn set() -> Arc<FieldSet> {
    set_of(vec![field("**.email", Transform::Redact)], detectors())
}

#[test]
fn a_value_is_never_seen_whatever_the_cuts() {
    for (kind, body) in bodies() {
        let whole = run(kind, &set(), [body.as_bytes()]).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        assert!(!text.contains("4n4ry"), "{kind:?}: {text}");
        for first in 0..=body.len() {
            for second in first..=body.len().min(first + 24) {
                let (head, rest) = body.as_bytes().split_at(first);
                let (middle, tail) = rest.split_at(second - first);
                let (mut masker, mut out) = (BodyMasker::new(kind, set()), Vec::new());
                for chunk in [head, middle, tail] {
                    masker.push(chunk, &mut out).unwrap();
                    assert!(whole.starts_with(&out), "{kind:?} cut at {first}, {second}");
                }
                masker.finish(&mut out).unwrap();
                assert_eq!(out, whole, "{kind:?} cut at {first}, {second}");
            }
        }
    }
}

#[test]
fn what_is_cut_off_ends_in_a_fault_and_shows_no_value() {
    // Half an address is none: what only detectors are about is not found in text that is cut off.
    let fields = [BodyKind::Json, BodyKind::JsonLines, BodyKind::Form];
    for (kind, body) in bodies().into_iter().filter(|(kind, _)| fields.contains(kind)) {
        let whole = run(kind, &set(), [body.as_bytes()]).unwrap();
        for end in 0..body.len() {
            let (mut masker, mut out) = (BodyMasker::new(kind, set()), Vec::new());
            masker.push(&body.as_bytes()[..end], &mut out).unwrap();
            let done = masker.finish(&mut out);
            assert!(!String::from_utf8_lossy(&out).contains("4n4ry"), "{kind:?} ended at {end}");
            if kind == BodyKind::Json && !(end == 0 || end == 3 || end == body.len() - 1) {
                assert!(done.is_err() && whole.starts_with(&out), "ended at {end}");
            }
        }
    }
}

#[test]
fn every_byte_changed_to_every_mark_shows_no_value_after_a_fault() {
    let (kind, body) = bodies().remove(0);
    for at in 0..body.len() {
        for mark in *b"\"\\{}[]:,0 \xFF\x00" {
            let mut bytes = body.clone().into_bytes();
            bytes[at] = mark;
            let (mut masker, mut out) = (BodyMasker::new(kind, set()), Vec::new());
            if let Err(fault) = masker.push(&bytes, &mut out) {
                let before = out.len();
                assert_eq!(masker.push(b"{\"x\":1}", &mut out), Err(fault));
                assert_eq!(masker.finish(&mut out), Err(fault));
                assert_eq!(out.len(), before);
            }
            let name_is_whole = !bytes_of_names(&body).contains(&at);
            let shown = String::from_utf8_lossy(&out).into_owned();
            assert!(!name_is_whole || !shown.contains("4n4ry"), "{at} {mark}: {shown}");
        }
    }
}

/// Where changing a byte makes another field of the one that is masked, or ends its value.
fn bytes_of_names(body: &str) -> Vec<usize> {
    let spans = |text: &str| {
        body.match_indices(text)
            .flat_map(|(at, text)| at.saturating_sub(1)..at + text.len() + 3)
            .collect::<Vec<_>>()
    };
    [
        spans("\\u0065mail"),
        spans("email"),
        spans(CANARY),
        spans("\\u0063"),
        spans("[\""),
        spans("{\"{\":\"}"),
    ]
    .concat()
}
