//! Forms.

use masking::body::{BodyFault, BodyKind};
use model::Transform;

use crate::fixture::{detectors, field, redacting, scanning, set_of, show};

#[test]
fn a_field_is_masked_by_its_decoded_name_and_written_as_forms_are() {
    let set = set_of(
        vec![field("e mail", Transform::Partial), field("**.card", Transform::Null)],
        detectors(),
    );
    for (body, want) in [
        ("a=1&e+mail=bob%40example.com&b", "a=1&e+mail=b***%40***.com&b"),
        ("%65%20mail=Ren%C3%A9e+of+Rome", "%65%20mail=R***"),
        ("card=4111&card=&x", "card=&card=&x"),
        ("card&card=1", "card&card="),
        ("E+mail=bob", "E+mail=bob"),
        (
            "to=bob%40example.com+%2b+x%2F&n=4111+1111+1111+1111",
            "to=b***%40***.com+%2b+x%2F&n=****+****+****+1111",
        ),
        ("bob%40example.com=1", "b***%40***.com=1"),
        ("&&==&=", "&&==&="),
        ("", ""),
    ] {
        assert_eq!(show(BodyKind::Form, &set, body).as_deref(), Ok(want));
    }
}

#[test]
fn a_semicolon_is_a_divider_for_who_takes_it_for_one_and_part_of_a_masked_value() {
    let set = redacting(&["email"]);
    for (body, want) in [
        ("a=1;email=bob;x&b=2", "a=1;email=***&b=2"),
        ("a;email=bob", "a;email=***"),
        ("email=bob;c=d=e;f", "email=***"),
        ("a=b=c;d", "a=b=c;d"),
    ] {
        assert_eq!(show(BodyKind::Form, &set, body).as_deref(), Ok(want));
    }
}

#[test]
fn escapes_that_mean_nothing_are_a_fault() {
    for body in ["a=%", "a=%4", "a=%4&b", "%zz=1", "email=%u0041"] {
        assert_eq!(show(BodyKind::Form, &scanning(), body), Err(BodyFault::Escape), "{body}");
    }
    assert_eq!(show(BodyKind::Form, &scanning(), &"n".repeat(5000)), Err(BodyFault::Name));
}
