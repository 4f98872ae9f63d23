//! Many JSON texts: lines, one behind the other, sequences.

use masking::body::{BodyFault, BodyKind, BodyMasker, mask_message};
use model::Transform;

use crate::fixture::{detectors, field, redacting, scanning, set_of, show};

#[test]
fn each_text_is_shown_as_soon_as_it_is_complete() {
    let set = redacting(&["**.email"]);
    let (mut masker, mut out) = (BodyMasker::new(BodyKind::JsonLines, set), Vec::new());
    for _ in 0..3 {
        out.clear();
        masker.push(br#"{"type":"ADDED","object":{"email":"x"}}"#, &mut out).unwrap();
        assert_eq!(out, br#"{"type":"ADDED","object":{"email":"***"}}"#);
        out.clear();
        masker.push(b"\n", &mut out).unwrap();
        assert_eq!(out, b"\n");
    }
    assert_eq!(masker.masked(), 3);
}

#[test]
fn texts_may_follow_each_other_in_any_way() {
    let set = redacting(&["email", "*.email"]);
    for (body, want) in [
        (r#"{"email":1}{"email":2}"#, r#"{"email":0}{"email":0}"#),
        ("{\"email\":1}\n\n[{\"email\":2}] 3\n", "{\"email\":0}\n\n[{\"email\":0}] 3\n"),
        ("\u{1e}{\"email\":1}\n\u{1e}7\n", "\u{1e}{\"email\":0}\n\u{1e}7\n"),
        ("", ""),
        (" \n", " \n"),
        ("1", "1"),
        ("\"a\"\"b\"true false", "\"a\"\"b\"true false"),
    ] {
        assert_eq!(show(BodyKind::JsonLines, &set, body).as_deref(), Ok(want));
    }
    for (body, fault) in [
        ("{} ]", BodyFault::Syntax),
        ("{},{}", BodyFault::Syntax),
        ("{\u{1e}}", BodyFault::Syntax),
        ("{} {", BodyFault::Truncated),
        ("tru", BodyFault::Truncated),
    ] {
        assert_eq!(show(BodyKind::JsonLines, &set, body), Err(fault), "{body}");
    }
    assert_eq!(show(BodyKind::Json, &set, "{}{}"), Err(BodyFault::Syntax));
    assert_eq!(show(BodyKind::Json, &set, "\u{1e}{}"), Err(BodyFault::Syntax));
}

#[test]
fn a_message_is_json_where_it_is_json() {
    let fields = set_of(vec![field("**.email", Transform::Redact)], detectors());
    for (set, message, want) in [
        (
            &fields,
            r#"{"email":"x","to":"bob@example.com"}"#,
            r#"{"email":"***","to":"b***@***.com"}"#,
        ),
        (&fields, r#"42["said",{"email":"x"}]"#, r#"42["said",{"email":"***"}]"#),
        (&fields, "2", "2"),
        (&fields, "ping", "ping"),
        (&fields, "", ""),
        (&fields, r#"say {"email":"x"}"#, "***"),
        (&fields, r#"{"email":"x""#, "***"),
        (&scanning(), "to bob@example.com", "to b***@***.com"),
        (&scanning(), r#"["bob\u0040example.com"]"#, r#"["b***@***.com"]"#),
        (&scanning(), r#"{"bob@example.com""#, r#"{"b***@***.com""#),
        (&redacting(&[]), "{not read", "{not read"),
    ] {
        let mut out = b"before".to_vec();
        let masked = mask_message(set, message.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("before{want}"));
        assert_eq!(masked > 0, message != want, "{message}");
    }
}
