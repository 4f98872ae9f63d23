//! What a real API server says, kept for the tests that run without one.
//!
//! The files are made again with `PORTCULLIS_BLESS=1`; what they hold has to be what the server says
//! today, but for what is never the same twice (`steady` takes that out). `exchanges.jsonl` has a
//! request and its answer a line, the answer without its framing; `streams.jsonl` a request, the
//! answer that switches protocols, and then what each side said, in turns of bytes. Bytes are base64,
//! unless they are text.

mod exchanges;
mod steady;
mod streams;

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tests::kube::KubeCluster;

#[test]
fn answers_are_those_that_are_recorded() {
    compare("exchanges.jsonl", &exchanges::all(KubeCluster::shared()));
}

#[test]
fn streams_begin_as_those_that_are_recorded() {
    compare("streams.jsonl", &streams::all(KubeCluster::shared()));
}

/// Each line is found again, but for bytes that are not text.
fn compare(name: &str, lines: &[Value]) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubernetes/recorded");
    let file = place.join(name);
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&file, text).expect("the record");
    }
    let text = fs::read_to_string(&file).expect("the record");
    let recorded: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert_eq!(recorded.len(), lines.len(), "another number of lines: PORTCULLIS_BLESS=1?");
    for (known, new) in recorded.iter().zip(lines) {
        assert_eq!(shown(known), shown(new), "not as it is recorded: PORTCULLIS_BLESS=1?");
    }
}

/// A line without what is not text.
fn shown(line: &Value) -> Value {
    let mut line = line.clone();
    if let Some(line) = line.as_object_mut() {
        line.retain(|name, _| !["body_base64", "turns"].contains(&name.as_str()));
    }
    line
}

/// Bytes as they are written down.
fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
