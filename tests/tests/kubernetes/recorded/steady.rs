//! Takes out of an answer what is never the same twice: times, numbers of objects, signatures.
//!
//! Owns what is put in their place, which has the same form.

use serde_json::Value;

/// Fields whose value the server makes up, and what they always are here.
const MADE_UP: &[(&str, &str)] = &[
    ("uid", "00000000-0000-4000-8000-000000000007"),
    ("resourceVersion", "7"),
    ("token", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnktdG9rZW4ifQ.c2lnbmF0dXJl"),
];

/// A moment, as the API writes one.
const MOMENT: &str = "2026-01-01T00:00:00Z";

/// Puts what is always the same everywhere in an object.
pub(super) fn steady(object: &mut Value) {
    match object {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (MADE_UP.iter().find(|(known, _)| known == name), &value) {
                    (Some((_, always)), Value::String(_)) => *value = (*always).into(),
                    _ => steady(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady),
        Value::String(text) if is_moment(text) => *text = MOMENT.to_owned(),
        Value::String(text) if is_age(text) => *text = "7s".to_owned(),
        _ => {}
    }
}

fn is_moment(text: &str) -> bool {
    text.len() == MOMENT.len() && text.starts_with("20") && text.ends_with('Z')
}

/// `24s`, `2m3s`: the age of an object in a table.
fn is_age(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h']);
    let rest = |c: char| c.is_ascii_digit() || c == 'm' || c == 'h';
    digits.len() < text.len()
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(rest)
}
