//! Sets and runs, in the fewest words.

use std::sync::Arc;

use masking::Transforms;
use masking::body::{BodyFault, BodyKind, BodyMasker, FieldSet, Place};
use model::{
    Detector, DetectorMask, FieldMask, FieldPattern, MaskProfile, RoutePattern, Secret, Transform,
};

/// The key that all sets of these tests hash with.
pub(crate) fn transforms() -> Arc<Transforms> {
    Arc::new(Transforms::new(&Secret::new(vec![5; 32])))
}

pub(crate) fn field(pattern: &str, transform: Transform) -> FieldMask {
    FieldMask {
        pattern: FieldPattern::parse(pattern).unwrap(),
        routes: Vec::new(),
        resources: Vec::new(),
        tag: "t".into(),
        transform,
    }
}

fn detector(detector: Detector, transform: Transform) -> DetectorMask {
    DetectorMask { detector, tag: "t".into(), transform }
}

/// Both detectors.
pub(crate) fn detectors() -> Vec<DetectorMask> {
    vec![
        detector(Detector::PaymentCard, Transform::Last4),
        detector(Detector::Email, Transform::Partial),
    ]
}

pub(crate) fn set_of(fields: Vec<FieldMask>, detectors: Vec<DetectorMask>) -> Arc<FieldSet> {
    let profile = MaskProfile { fields, detectors, ..MaskProfile::default() };
    Arc::new(FieldSet::new(&profile, &Place::Path("/"), &transforms()))
}

/// Fields that are redacted, and no detector.
pub(crate) fn redacting(patterns: &[&str]) -> Arc<FieldSet> {
    let fields = patterns.iter().map(|pattern| field(pattern, Transform::Redact)).collect();
    set_of(fields, Vec::new())
}

/// Both detectors, and no field.
pub(crate) fn scanning() -> Arc<FieldSet> {
    set_of(Vec::new(), detectors())
}

/// What is shown of a body that comes in these chunks.
pub(crate) fn run<'a>(
    kind: BodyKind,
    set: &Arc<FieldSet>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, BodyFault> {
    let (mut masker, mut out) = (BodyMasker::new(kind, Arc::clone(set)), Vec::new());
    for chunk in chunks {
        masker.push(chunk, &mut out)?;
    }
    masker.finish(&mut out)?;
    Ok(out)
}

/// What is shown of a whole body, as text; the same for chunks of every small size.
pub(crate) fn show(kind: BodyKind, set: &Arc<FieldSet>, body: &str) -> Result<String, BodyFault> {
    let whole = run(kind, set, [body.as_bytes()]);
    for size in [1, 2, 3, 7] {
        assert_eq!(run(kind, set, body.as_bytes().chunks(size)), whole, "{body} in {size}s");
    }
    whole.map(|shown| String::from_utf8(shown).unwrap())
}

#[test]
fn masks_are_those_of_the_path() {
    let route = |path: &str| RoutePattern::parse(path).unwrap();
    let mask = FieldMask {
        routes: vec![route("/v1/users/**"), route("/v1/me")],
        resources: Vec::new(),
        ..field("**.email", Transform::Redact)
    };
    let profile = MaskProfile { fields: vec![mask], ..MaskProfile::default() };
    let has = |path: &str| FieldSet::new(&profile, &Place::Path(path), &transforms()).has_fields();
    assert!(has("/v1/users/7") && has("/v1/me") && has("/v1/users/") && has("/v1//me"));
    assert!(!has("/v1/orders") && !has("/v1/me/x"));
    let set = Arc::new(FieldSet::new(&profile, &Place::Path("/v1/orders"), &transforms()));
    assert!(set.is_empty());
    let mut masker = BodyMasker::new(BodyKind::Json, set);
    let mut out = Vec::new();
    masker.push(b"not read at all", &mut out).unwrap();
    masker.finish(&mut out).unwrap();
    assert_eq!((out.as_slice(), masker.masked()), (b"not read at all".as_slice(), 0));
}
