//! The corpus of bodies that somebody could write to get a field past the masks.

use std::sync::Arc;

use masking::body::{BodyKind, FieldSet};
use model::{FieldPattern, Transform};

use crate::fixture::{detectors, field, run, set_of};

const CORPUS: &str = include_str!("bodies.corpus");

/// Reads `\xHH`.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

fn set(pattern: &str) -> Option<Arc<FieldSet>> {
    if pattern == "-" {
        return Some(set_of(Vec::new(), detectors()));
    }
    FieldPattern::parse(pattern).ok()?;
    Some(set_of(vec![field(pattern, Transform::Redact)], detectors()))
}

fn show(kind: BodyKind, pattern: &str, body: &[u8]) -> Vec<u8> {
    let Some(set) = set(pattern) else { return b"!Pattern".to_vec() };
    let shown = |size: usize| {
        let shown = run(kind, &set, body.chunks(size));
        shown.unwrap_or_else(|fault| format!("!{fault:?}").into_bytes())
    };
    let whole = shown(body.len().max(1));
    for size in 1..body.len() {
        assert_eq!(
            String::from_utf8_lossy(&shown(size)),
            String::from_utf8_lossy(&whole),
            "{} in {size}s",
            String::from_utf8_lossy(body)
        );
    }
    whole
}

#[test]
fn every_body_of_the_corpus_shows_what_it_says() {
    let mut wrong = String::new();
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let [kind, pattern, body, want] =
            line.splitn(4, '|').collect::<Vec<_>>().try_into().unwrap();
        let kind = match kind.trim() {
            "json" => BodyKind::Json,
            "lines" => BodyKind::JsonLines,
            "form" => BodyKind::Form,
            "events" => BodyKind::EventStream,
            other => panic!("{other}"),
        };
        let body = bytes(body.trim());
        let shown = show(kind, pattern.trim(), &body);
        if shown != bytes(want.trim()) {
            wrong.push_str(&format!("{line}\n    {}\n", String::from_utf8_lossy(&shown)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
