//! Questions whose answer tells what is masked.
//!
//! Owns the two that an API server answers about objects without showing them: which of them have a
//! label, and which have a field of a value. Asked about what is masked, again and again, they tell it
//! character by character, or at once. Must not know what the masks do.

use std::sync::Arc;

use model::FieldMask;

const LABELS: &str = "labelSelector";
const FIELDS: &str = "fieldSelector";

/// The selector of a query that asks about a masked field, by its name.
pub(super) fn tells<'a>(
    query: &[(Arc<str>, Arc<str>)],
    mut about: impl Iterator<Item = &'a FieldMask>,
) -> Option<&'static str> {
    let given = |name: &'static str| query.iter().filter(move |(own, _)| **own == *name);
    let labels = given(LABELS).flat_map(|(_, selector)| keys(selector));
    let labels: Vec<Vec<&str>> = labels.map(|key| vec!["metadata", "labels", key]).collect();
    // A term ends with a comma, its field with an operator; escapes are of values only.
    let terms = given(FIELDS).flat_map(|(_, selector)| selector.split(','));
    let fields = terms.map(|term| term.split(['=', '!']).next().unwrap_or_default());
    let fields: Vec<Vec<&str>> = fields.map(|field| field.split('.').collect()).collect();
    if labels.is_empty() && fields.is_empty() {
        return None;
    }
    about.find_map(|mask| {
        let covers = |paths: &[Vec<&str>]| paths.iter().any(|path| mask.pattern.covers(path));
        match (covers(&labels), covers(&fields)) {
            (true, _) => Some(LABELS),
            (_, true) => Some(FIELDS),
            _ => None,
        }
    })
}

/// The labels that a selector asks about: `a=b`, `a!=b`, `a`, `!a`, `a in (b, c)`, `a > 1`.
fn keys(selector: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let parts = selector.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    let before = |c: char| c.is_whitespace() || c == '!';
    let found =
        parts.filter_map(|part| part.trim_start_matches(before).split(|c| !is_key(c)).next());
    found.filter(|key| !key.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use model::{FieldPattern, Transform};

    use super::*;

    fn told(pattern: &str, name: &str, value: &str) -> Option<&'static str> {
        let mask = FieldMask {
            pattern: FieldPattern::parse(pattern).unwrap(),
            routes: Vec::new(),
            resources: Vec::new(),
            tag: "secret".into(),
            transform: Transform::Redact,
        };
        tells(&[(name.into(), value.into())], [&mask].into_iter())
    }

    #[test]
    fn a_selector_of_what_is_masked_tells_it() {
        for (pattern, name, value) in [
            ("spec.contact.email", FIELDS, "spec.contact.email=a@b.example"),
            ("spec.contact.email", FIELDS, "metadata.name=x,spec.contact.email!=a@b.example"),
            ("spec.contact", FIELDS, "spec.contact.email=a"),
            ("**.email", FIELDS, "spec.contact.email==a"),
            ("type", FIELDS, "type=Opaque"),
            ("metadata.labels.*", LABELS, "owner=ann"),
            ("metadata.labels.owner", LABELS, "owner"),
            ("metadata.labels.owner", LABELS, "app=web, !owner"),
            ("metadata.labels.owner", LABELS, "app in (a, b),owner notin (ann,bob)"),
            ("metadata.labels.owner", LABELS, "owner>1"),
            ("metadata.labels.\"a.example/owner\"", LABELS, "a.example/owner=ann"),
            ("metadata", LABELS, "owner"),
            ("**", LABELS, "owner"),
        ] {
            assert_eq!(told(pattern, name, value), Some(name), "{pattern} {value}");
        }
    }

    #[test]
    fn any_other_selector_tells_nothing() {
        for (pattern, name, value) in [
            ("data.*", FIELDS, "metadata.name=database"),
            ("data.*", FIELDS, "type=Opaque"),
            ("data.*", LABELS, "owner=ann"),
            ("metadata.annotations.*", LABELS, "owner=ann"),
            ("metadata.labels.owner", LABELS, "app=owner,tier in (owner)"),
            ("**.password", LABELS, "app=web"),
            ("**.password", FIELDS, "metadata.name=database"),
            ("metadata.labels.*", LABELS, ""),
            ("metadata.labels.*", FIELDS, "metadata.name=database"),
            ("data.*", "data", "x"),
        ] {
            assert_eq!(told(pattern, name, value), None, "{pattern} {value}");
        }
    }
}
