//! Server-sent events.

use masking::body::{BodyFault, BodyKind, BodyMasker};
use model::Transform;

use crate::fixture::{detectors, field, redacting, run, scanning, set_of, show};

#[test]
fn data_that_is_json_is_masked_in_its_own_lines() {
    let set = set_of(vec![field("**.email", Transform::Redact)], detectors());
    for (body, want) in [
        ("data: {\"email\":\"x\"}\n\n", "data: {\"email\":\"***\"}\n\n"),
        (
            "data:{\"email\":\r\ndata: \"x\"\rdata:}\r\n\r\n",
            "data:{\"email\":\r\ndata: \"***\"\rdata:}\r\n\r\n",
        ),
        ("event: add\nid: 7\nretry: 10\ndata: 1\n\n", "event: add\nid: 7\nretry: 10\ndata: 1\n\n"),
        ("id: bob@example.com\ndata: []\n\n", "id: b***@***.com\ndata: []\n\n"),
        (": to bob@example.com\n\n", ": to b***@***.com\n\n"),
        ("datax: bob@example.com\ndata\n\n", "datax: b***@***.com\ndata\n\n"),
        ("data: [DONE]\n\n", "data: [DONE]\n\n"),
        ("data: hello\ndata: you\n\n", "data: ***\n\n"),
        ("data: {\"email\":\"x\"\n\n", "data: ***\n\n"),
        ("data: {\"email\":\"x\"}", "data: {\"email\":\"***\"}"),
        ("\u{feff}data: {\"email\":\"x\"}\n\n", "\u{feff}data: {\"email\":\"***\"}\n\n"),
        ("\n\r\r\n\n", "\n\r\r\n\n"),
        ("data:  {}\n\n", "data:  {}\n\n"),
        ("", ""),
    ] {
        assert_eq!(show(BodyKind::EventStream, &set, body).as_deref(), Ok(want));
    }
}

#[test]
fn data_that_is_text_is_scanned_over_its_lines() {
    for (body, want) in [
        ("data: to bob@example.com\n\n", "data: to b***@***.com\n\n"),
        ("data: 4111 1111\ndata: 1111 1111\n\n", "data: **** ****\ndata: **** 1111\n\n"),
        ("data: {\"to\":\"bob\\u0040example.com\"}\n\n", "data: {\"to\":\"b***@***.com\"}\n\n"),
        ("data: {bob@example.com\n\n", "data: {b***@***.com\n\n"),
    ] {
        assert_eq!(show(BodyKind::EventStream, &scanning(), body).as_deref(), Ok(want));
    }
}

#[test]
fn a_value_that_is_redacted_over_lines_leaves_fewer_lines() {
    let card = model::DetectorMask {
        detector: model::Detector::PaymentCard,
        tag: "t".into(),
        transform: Transform::Redact,
    };
    let set = set_of(Vec::new(), vec![card]);
    assert_eq!(
        show(BodyKind::EventStream, &set, "data: a 4111 1111\ndata: 1111 1111 b\nid: 1\n\n")
            .unwrap(),
        "data: a *** b\nid: 1\n\n"
    );
}

#[test]
fn an_event_is_shown_at_its_blank_line() {
    let set = redacting(&["**.email"]);
    let (mut masker, mut out) = (BodyMasker::new(BodyKind::EventStream, set), Vec::new());
    masker.push(b"data: {\"email\":1}\r\n", &mut out).unwrap();
    assert!(out.is_empty());
    masker.push(b"\r", &mut out).unwrap();
    assert_eq!(out, b"data: {\"email\":0}\r\n\r");
    masker.push(b"\n", &mut out).unwrap();
    assert_eq!(out, b"data: {\"email\":0}\r\n\r\n");
    assert_eq!(masker.masked(), 1);
}

#[test]
fn an_event_is_held_only_so_far() {
    let body = format!("data: {}\n\n", "x".repeat(1024 * 1024));
    assert_eq!(run(BodyKind::EventStream, &scanning(), [body.as_bytes()]), Err(BodyFault::Event));
    let body = format!("data: {}\n\n", "x".repeat(1024 * 1024 - 8));
    assert!(run(BodyKind::EventStream, &scanning(), [body.as_bytes()]).is_ok());
}
