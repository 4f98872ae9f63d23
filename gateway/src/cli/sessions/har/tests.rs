use std::borrow::Cow;

use model::audit::SessionEnd;
use model::{Protocol, Reason};

use super::*;
use crate::recording::tests::world::header;

fn started(number: u64, text: &'static str) -> Record<'static> {
    Record::OperationStarted {
        operation: OperationNumber(number),
        kind: "request".into(),
        text: text.into(),
        parameters: Cow::Borrowed(&[]),
    }
}

fn body(number: u64, stream: Stream, bytes: &'static [u8]) -> Record<'static> {
    Record::Output { operation: Some(OperationNumber(number)), stream, bytes: bytes.into() }
}

fn ended(
    number: u64,
    outcome: OperationOutcome,
    status: &'static str,
    bytes: u64,
) -> Record<'static> {
    Record::OperationEnded {
        operation: OperationNumber(number),
        outcome,
        status: status.into(),
        code: None,
        rows: 0,
        bytes,
        masked_values: 0,
        duration: Duration::from_millis(1),
    }
}

fn archived(records: Vec<Record<'static>>) -> Value {
    let header = SessionHeader { protocol: Protocol::Http, ..header() };
    let mut archive = Archive::new(&header);
    let mut text = archive.head(&header);
    for (number, record) in records.into_iter().enumerate() {
        let at = Duration::from_millis(10 * number as u64);
        text.push_str(&archive.entry(&Entry { number: number as u64 + 1, at, record }));
    }
    text.push_str(&archive.end());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn each_request_has_its_line_bodies_status_and_times() {
    let archive = archived(vec![
        started(1, "connect crm"),
        started(2, "POST https://api.example/v1/users?page=2&token=***\n\n{\"name\""),
        Record::Decided {
            operation: OperationNumber(2),
            effect: Effect::Allow,
            observed_only: false,
            reason: Cow::Owned(Reason::Granted),
            rules: Cow::Borrowed(&[]),
        },
        body(2, Stream::Input, b"{\"name\":1}"),
        started(3, "GET https://api.example/logo"),
        body(2, Stream::Output, b"{\"mail\":\"a***@x\"}"),
        body(3, Stream::Output, b"\xff\xfe"),
        ended(2, OperationOutcome::Completed, "200 application/json", 17),
        ended(3, OperationOutcome::Failed, "404 image/png", 9),
        started(4, "DELETE https://api.example/v1/users/7"),
        ended(4, OperationOutcome::Refused, "denied", 0),
        started(5, "GET https://api.example/hang"),
        Record::SessionEnded {
            end: Cow::Owned(SessionEnd::Client),
            counts: crate::recording::Counts::default(),
        },
    ]);
    let entries = archive.pointer("/log/entries").unwrap().as_array().unwrap();
    let methods: Vec<_> = entries.iter().map(|one| one["request"]["method"].as_str()).collect();
    assert_eq!(methods, [Some("POST"), Some("GET"), Some("DELETE"), Some("GET")]);
    let post = &entries[0];
    assert_eq!(post["request"]["url"], "https://api.example/v1/users?page=2&token=***");
    assert_eq!(post["request"]["queryString"][1]["value"], "***");
    assert_eq!(post["request"]["postData"]["text"], "{\"name\":1}");
    assert_eq!(post["response"]["status"], 200);
    assert_eq!(post["response"]["content"]["mimeType"], "application/json");
    assert_eq!(post["response"]["content"]["text"], "{\"mail\":\"a***@x\"}");
    assert_eq!((&post["time"], &post["timings"]["wait"]), (&json!(60.0), &json!(40.0)));
    assert!(post["startedDateTime"].as_str().unwrap().ends_with(".010Z"), "{post}");
    assert!(post["comment"].as_str().unwrap().starts_with("allowed"), "{post}");
    let logo = &entries[1]["response"];
    assert_eq!(logo["content"]["encoding"], "base64");
    assert!(logo["content"]["comment"].as_str().unwrap().contains("beginning"), "{logo}");
    assert_eq!(entries[2]["response"]["status"], 0);
    assert!(entries[2]["comment"].as_str().unwrap().contains("refused"), "{}", entries[2]);
    assert!(entries[3]["comment"].as_str().unwrap().contains("abandoned"), "{}", entries[3]);
}

#[test]
fn a_session_that_asked_for_nothing_is_an_archive_too() {
    let archive = archived(Vec::new());
    assert_eq!(archive["log"]["version"], "1.2");
    assert_eq!(archive["log"]["entries"], json!([]));
}
