//! Values that are too long to be held, and what is too long to be anything.

use masking::body::{BodyFault, BodyKind, BodyMasker};
use model::Transform;

use crate::fixture::{detectors, field, redacting, run, scanning, set_of};

/// What a stream may hold of a value.
const HELD: usize = 64 * 1024;

fn shown(kind: BodyKind, set: &std::sync::Arc<masking::body::FieldSet>, body: &str) -> String {
    let whole = run(kind, set, [body.as_bytes()]).unwrap();
    for size in [1, 1000, HELD - 1, HELD, HELD + 1] {
        assert_eq!(run(kind, set, body.as_bytes().chunks(size)).unwrap(), whole, "in {size}s");
    }
    String::from_utf8(whole).unwrap()
}

#[test]
fn a_masked_value_that_is_too_long_is_redacted_whole() {
    let set =
        set_of(vec![field("last", Transform::Last4), field("none", Transform::Null)], detectors());
    for len in [HELD - 1, HELD, HELD + 1, HELD * 3 + 5] {
        let long = "x".repeat(len);
        let want = if len < HELD { format!("{}xxxx", "*".repeat(16)) } else { "***".to_owned() };
        let body = format!("{{\"last\":\"{long}\",\"none\":\"{long}\",\"other\":\"{long}\"}}");
        let want_json = format!("{{\"last\":\"{want}\",\"none\":null,\"other\":\"{long}\"}}");
        assert_eq!(shown(BodyKind::Json, &set, &body), want_json);
        let body = format!("last={long}&other={long}");
        assert_eq!(shown(BodyKind::Form, &set, &body), format!("last={want}&other={long}"));
    }
}

#[test]
fn what_is_found_in_a_long_value_is_found_wherever_the_pieces_end() {
    for before in (HELD - 60..HELD + 20).step_by(3) {
        let body = format!(
            "[\"{} bob\\u0040example.com \\/ 4111\\u00201111 1111 1111 \\u00e9\"]",
            "x ".repeat(before / 2)
        );
        let want = format!(
            "[\"{} b***@***.com \\/ **** **** **** 1111 \\u00e9\"]",
            "x ".repeat(before / 2)
        );
        let got = run(BodyKind::Json, &scanning(), [body.as_bytes()]).unwrap();
        assert_eq!(String::from_utf8(got.clone()).unwrap(), want, "{before}");
        assert_eq!(run(BodyKind::Json, &scanning(), body.as_bytes().chunks(777)).unwrap(), got);
        let body =
            format!("a={}+bob%40example.com+4111%201111+1111%091111+%c3", "x+".repeat(before / 2));
        let want =
            format!("a={}+b***%40***.com+****+****+****%091111+%c3", "x+".repeat(before / 2));
        let got = run(BodyKind::Form, &scanning(), [body.as_bytes()]).unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), want, "{before}");
    }
}

#[test]
fn long_values_of_nothing_but_escapes_or_without_any_boundary_pass() {
    for unit in ["\\u0041", "\\ud83d\\ude00", "\\n", "\\\\", "x", "\u{1f600}", "1", "\\ud800"] {
        for (before, after) in [("", ""), ("y", ""), ("yy", "z"), ("yyyyy", "\\n")] {
            let body = format!("[\"{before}{}{after}\", 1]", unit.repeat(3 * HELD / unit.len()));
            let got = run(BodyKind::Json, &scanning(), [body.as_bytes()]).unwrap();
            assert!(got == body.as_bytes(), "{before}{unit}{after}");
            assert!(run(BodyKind::Json, &scanning(), body.as_bytes().chunks(333)).unwrap() == got);
        }
    }
}

#[test]
fn a_long_value_is_read_as_strictly_as_a_short_one() {
    let long = "x".repeat(2 * HELD);
    for set in [scanning(), redacting(&["*"])] {
        for (end, fault) in [
            ("\\x\"]", BodyFault::Escape),
            ("\\u00\"]", BodyFault::Escape),
            ("\n\"]", BodyFault::Syntax),
            ("\"", BodyFault::Truncated),
            ("", BodyFault::Truncated),
            ("\\", BodyFault::Truncated),
        ] {
            let body = format!("[\"{long}{end}");
            assert_eq!(run(BodyKind::Json, &set, [body.as_bytes()]), Err(fault), "{end}");
            assert_eq!(run(BodyKind::Json, &set, body.as_bytes().chunks(1000)), Err(fault));
        }
        let mut body = format!("[\"{long}").into_bytes();
        body.extend(b"\xC3\x28\"]");
        assert_eq!(run(BodyKind::Json, &set, [body.as_slice()]), Err(BodyFault::Utf8));
        assert_eq!(run(BodyKind::Json, &set, body.chunks(1)), Err(BodyFault::Utf8));
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_a_fault() {
    let set = redacting(&["**.email"]);
    let run = |body: String| run(BodyKind::Json, &set, body.as_bytes().chunks(100)).map(drop);
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(run(nested(512)), Ok(()));
    assert_eq!(run(nested(513)), Err(BodyFault::Depth));
    assert_eq!(run("{\"a\":".repeat(1000)), Err(BodyFault::Depth));
    assert_eq!(run(format!("{{\"{}\":1}}", "n".repeat(4095))), Ok(()));
    assert_eq!(run(format!("{{\"{}\":1}}", "n".repeat(4096))), Err(BodyFault::Name));
    assert_eq!(run("1".repeat(1024)), Ok(()));
    assert_eq!(run("1".repeat(1025)), Err(BodyFault::Number));
}

#[test]
fn what_is_held_is_bounded_whatever_comes() {
    let set = set_of(vec![field("**.email", Transform::Hash)], detectors());
    for (head, unit) in [
        ("[\"", "bob"),
        ("{\"email\":\"", "x"),
        ("[\"", "\\ud83d\\ude00"),
        ("", "[\"a\",1,{\"b\":true}],"),
    ] {
        let (mut masker, mut out) = (BodyMasker::new(BodyKind::JsonLines, set.clone()), Vec::new());
        let (mut pushed, mut shown) = (0, 0);
        masker.push(head.as_bytes(), &mut out).unwrap();
        for _ in 0..40_000 {
            out.clear();
            let chunk = unit.repeat(4);
            // The comma between texts is a fault; nothing is held for long before it.
            if masker.push(chunk.as_bytes(), &mut out).is_err() {
                break;
            }
            pushed += chunk.len();
            shown += out.len();
            assert!(head.contains("email") || pushed - shown <= HELD, "{unit}");
        }
    }
}
