//! What is masked in the bodies of one path: the field masks whose routes it is on, and the
//! detectors.
//!
//! Owns the choice by path and the two compiled. Must not know a body. Shared by all bodies of a
//! path; ends with the decision it was made from.

use std::sync::Arc;

use model::{FieldMask, FieldPattern, MaskProfile, ResourceFacts, Transform};

use super::paths::FieldPaths;
use crate::detect::ScanSet;
use crate::transform::Transforms;

/// What the bodies are that masks are chosen for.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// Documents at a path, decoded.
    Path(&'a str),
    /// Objects of a resource.
    Objects {
        /// The request that they answer, or come with.
        facts: &'a ResourceFacts,
        /// Where an object may stand in a document, beside its root.
        frames: &'a [FieldPattern],
        /// Fields of an object in which it is copied: they are masked whole.
        copies: &'a [FieldPattern],
        /// Members of an object whose values stand for bytes, in base64: what is shown in their
        /// place does too, since clients decode it.
        coded: &'a [&'a str],
    },
}

impl Place<'_> {
    /// The path of the request.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Objects { facts, .. } => &facts.request.path,
        }
    }

    /// Whether a mask is about what is here.
    #[must_use]
    pub fn is_meant_by(&self, mask: &FieldMask) -> bool {
        match self {
            Self::Path(path) => mask.is_about(path),
            Self::Objects { facts, .. } => mask.is_about_objects(facts),
        }
    }

    /// The parts of a pattern that are about what stands for bytes.
    fn coded(&self, pattern: &FieldPattern) -> Vec<FieldPattern> {
        match self {
            Self::Path(_) => Vec::new(),
            Self::Objects { coded, .. } => {
                coded.iter().flat_map(|name| pattern.within(name)).collect()
            }
        }
    }

    /// A pattern wherever an object may stand.
    fn everywhere(&self, pattern: &FieldPattern) -> Vec<FieldPattern> {
        let frames = match self {
            Self::Path(_) => &[][..],
            Self::Objects { frames, .. } => frames,
        };
        let below = frames.iter().map(|frame| pattern.below(frame));
        std::iter::once(pattern.clone()).chain(below).collect()
    }
}

/// What a mask does to a value.
#[derive(Clone, Copy, Debug)]
struct Change {
    transform: Transform,
    /// The value is base64, and what is shown in its place is.
    is_coded: bool,
}

/// The masks of one place's bodies, ready to apply.
#[derive(Debug)]
pub struct FieldSet {
    paths: FieldPaths,
    /// What each of the paths' masks does, in their order.
    changes: Vec<Change>,
    scan: ScanSet,
    transforms: Arc<Transforms>,
}

impl FieldSet {
    /// Takes the masks of `profile` that are about the bodies at a place.
    #[must_use]
    pub fn new(profile: &MaskProfile, place: &Place<'_>, transforms: &Arc<Transforms>) -> Self {
        let mut patterns = Vec::new();
        let mut changes = Vec::new();
        let mut add = |pattern: &FieldPattern, change: Change| {
            let all = place.everywhere(pattern);
            changes.extend(all.iter().map(|_| change));
            patterns.extend(all);
        };
        let mut about = profile.fields.iter().filter(|mask| place.is_meant_by(mask)).peekable();
        // A copy may hold any of what is masked: it comes first, as the strongest does.
        if let Place::Objects { copies, .. } = place
            && about.peek().is_some()
        {
            let change = Change { transform: Transform::Redact, is_coded: false };
            copies.iter().for_each(|copy| add(copy, change));
        }
        for mask in about {
            // What a mask does to bytes comes before what it does to all it is about.
            let change = Change { transform: mask.transform, is_coded: true };
            place.coded(&mask.pattern).iter().for_each(|pattern| add(pattern, change));
            add(&mask.pattern, Change { is_coded: false, ..change });
        }
        Self {
            paths: FieldPaths::new(patterns.iter()),
            changes,
            scan: ScanSet::new(profile, Arc::clone(transforms)),
            transforms: Arc::clone(transforms),
        }
    }

    /// Whether there is nothing to mask.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.has_fields() && self.scan.is_empty()
    }

    /// Whether there are field masks: then a body whose fields cannot be read must not pass.
    #[must_use]
    pub const fn has_fields(&self) -> bool {
        !self.changes.is_empty()
    }

    pub(super) const fn paths(&self) -> &FieldPaths {
        &self.paths
    }

    pub(super) const fn scan_set(&self) -> &ScanSet {
        &self.scan
    }

    pub(super) fn transforms(&self) -> &Transforms {
        &self.transforms
    }

    /// What the mask at this place among them does; one that is not there redacts.
    pub(super) fn change(&self, mask: usize) -> Transform {
        self.changes.get(mask).map_or(Transform::Redact, |change| change.transform)
    }

    /// Whether what the mask at this place is about is base64.
    pub(super) fn is_coded(&self, mask: usize) -> bool {
        self.changes.get(mask).is_some_and(|change| change.is_coded)
    }
}

#[cfg(test)]
mod tests {
    use model::{RequestFacts, ResourcePattern, Secret};

    use super::super::{BodyKind, BodyMasker};
    use super::*;

    fn set(resources: &[&str], kind: (&str, &str)) -> Arc<FieldSet> {
        set_of(resources, kind, &[("data.*", Transform::Redact)], &[])
    }

    fn set_of(
        resources: &[&str],
        kind: (&str, &str),
        masks: &[(&str, Transform)],
        coded: &[&str],
    ) -> Arc<FieldSet> {
        let mask = |(pattern, transform): &(&str, Transform)| FieldMask {
            pattern: FieldPattern::parse(pattern).unwrap(),
            routes: Vec::new(),
            resources: resources.iter().map(|one| ResourcePattern::parse(one).unwrap()).collect(),
            tag: "secret".into(),
            transform: *transform,
        };
        let fields = masks.iter().map(mask).collect();
        let profile = MaskProfile { fields, ..MaskProfile::default() };
        let facts = ResourceFacts {
            resource: kind.0.into(),
            subresource: kind.1.into(),
            ..ResourceFacts::of_path(Arc::new(RequestFacts {
                method: "GET".into(),
                host: "cluster.example".into(),
                path: "/api/v1/secrets".into(),
                query: Vec::new(),
                headers: Vec::new(),
                status: None,
            }))
        };
        let pattern = |text: &&str| FieldPattern::parse(text).unwrap();
        let frames: Vec<_> = ["items.*", "object", "rows.*.object"].iter().map(pattern).collect();
        let copies = [pattern(&"annotations.\"x.y/last\"")];
        let place = Place::Objects { facts: &facts, frames: &frames, copies: &copies, coded };
        Arc::new(FieldSet::new(
            &profile,
            &place,
            &Arc::new(Transforms::new(&Secret::new(vec![7; 32]))),
        ))
    }

    fn masked(set: &Arc<FieldSet>, text: &str) -> String {
        let mut masker = BodyMasker::new(BodyKind::JsonLines, Arc::clone(set));
        let mut out = Vec::new();
        masker.push(text.as_bytes(), &mut out).unwrap();
        masker.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_object_is_masked_wherever_it_stands_and_its_copies_whole() {
        let set = set(&["secrets"], ("secrets", ""));
        for (text, want) in [
            (r#"{"data":{"a":"b"}}"#, r#"{"data":{"a":"***"}}"#),
            (r#"{"items":[{"data":{"a":"b"}}]}"#, r#"{"items":[{"data":{"a":"***"}}]}"#),
            (r#"{"object":{"data":{"a":"b"}}}"#, r#"{"object":{"data":{"a":"***"}}}"#),
            (
                r#"{"rows":[{"cells":["x"],"object":{"data":{"a":"b"}}}]}"#,
                r#"{"rows":[{"cells":["x"],"object":{"data":{"a":"***"}}}]}"#,
            ),
            (
                r#"{"items":[{"annotations":{"x.y/last":"{}","z":"1"}}]}"#,
                r#"{"items":[{"annotations":{"x.y/last":"***","z":"1"}}]}"#,
            ),
            (r#"{"other":{"data":{"a":"b"}}}"#, r#"{"other":{"data":{"a":"b"}}}"#),
        ] {
            assert_eq!(masked(&set, text), want);
        }
    }

    #[test]
    fn what_stands_for_bytes_still_does_once_it_is_masked() {
        // `correct horse`, `c0ffee@shop.example` and bytes that are no text.
        let (words, mail, bytes) = ("Y29ycmVjdCBob3JzZQ==", "YzBmZmVlQHNob3AuZXhhbXBsZQ==", "/+8A");
        for (pattern, transform, value, want) in [
            ("data.*", Transform::Redact, words, "\"Kioq\""),
            ("data.*", Transform::Redact, "no base64", "\"Kioq\""),
            ("data.*", Transform::Redact, "", "\"Kioq\""),
            ("data.*", Transform::Partial, mail, "\"YyoqKkAqKiouZXhhbXBsZQ==\""),
            ("data.*", Transform::Partial, bytes, "\"Kioq\""),
            ("data.*", Transform::Null, words, "null"),
            ("**", Transform::Redact, words, "\"Kioq\""),
            ("**.a", Transform::Redact, words, "\"Kioq\""),
            ("d*", Transform::Redact, words, "\"Kioq\""),
            ("*.a", Transform::Redact, words, "\"Kioq\""),
        ] {
            let set = set_of(&["secrets"], ("secrets", ""), &[(pattern, transform)], &["data"]);
            for (before, behind) in [("{\"data\":", "}"), ("{\"items\":[{\"data\":", "}]}")] {
                let text = |value: &str| format!("{before}{{\"a\":{value}}}{behind}");
                let shown = masked(&set, &text(&format!("\"{value}\"")));
                assert_eq!(shown, text(want), "{pattern} {transform}");
            }
        }
        let masks = [("**.a", Transform::Redact)];
        let set = set_of(&["secrets"], ("secrets", ""), &masks, &["data"]);
        let text =
            |value: &str| format!(r#"{{"data":{{"a":"{value}"}},"stringData":{{"a":"x"}}}}"#);
        let want = text("Kioq").replace("\"x\"", "\"***\"");
        // Also one that is too long to be held.
        for value in [words.to_owned(), "QUFB".repeat(100_000)] {
            assert_eq!(masked(&set, &text(&value)), want);
        }
    }

    #[test]
    fn objects_of_other_resources_are_not_meant() {
        assert!(set(&["secrets"], ("pods", "")).is_empty());
        assert!(set(&["secrets"], ("secrets", "status")).has_fields());
        assert!(set(&[], ("pods", "")).has_fields());
        assert!(set(&["pods"], ("pods", "log")).is_empty());
        // What is no resource has no objects.
        assert!(set(&[], ("", "")).is_empty());
    }
}
