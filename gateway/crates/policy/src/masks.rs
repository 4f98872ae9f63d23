//! What is masked for whom: the classification of a target, less what a principal may see raw.
//!
//! Owns the choice and its order. Must not know how a value is masked. Where two masks are about
//! the same column the stronger one comes first, so that the order of the source never matters.

use model::{
    ColumnMask, DetectorMask, FieldMask, FileMask, MaskProfile, Tag, TargetName, Transform,
};

use crate::source::ClassificationSource;

/// The masks of one target for somebody who sees `unmasked` tags raw.
pub(crate) fn profile(
    classification: &[ClassificationSource],
    target: &TargetName,
    unmasked: &[&Tag],
) -> MaskProfile {
    let mut profile = MaskProfile::default();
    let about = |one: &&ClassificationSource| one.target.as_ref().is_none_or(|name| name == target);
    let masked = |one: &&ClassificationSource| !unmasked.contains(&&one.tag);
    for one in classification.iter().filter(about).filter(masked) {
        profile.columns.extend(one.columns.iter().map(|pattern| ColumnMask {
            pattern: pattern.clone(),
            tag: one.tag.clone(),
            transform: one.mask,
        }));
        profile.files.extend(
            one.paths
                .iter()
                .map(|pattern| FileMask { pattern: pattern.clone(), tag: one.tag.clone() }),
        );
        profile.fields.extend(one.fields.iter().map(|pattern| FieldMask {
            pattern: pattern.clone(),
            routes: one.routes.clone(),
            resources: one.resources.clone(),
            tag: one.tag.clone(),
            transform: one.mask,
        }));
        profile.detectors.extend(one.detect.map(|detector| DetectorMask {
            detector,
            tag: one.tag.clone(),
            transform: one.mask,
        }));
    }
    profile.columns.sort_by(|a, b| {
        let key = |mask: &ColumnMask| (weakness(mask.transform), mask.tag.clone());
        key(a).cmp(&key(b)).then_with(|| a.pattern.as_str().cmp(b.pattern.as_str()))
    });
    profile.columns.dedup();
    profile
        .detectors
        .sort_by_key(|mask| (weakness(mask.transform), mask.detector, mask.tag.clone()));
    profile.detectors.dedup();
    profile
        .files
        .sort_by(|a, b| a.pattern.as_str().cmp(b.pattern.as_str()).then_with(|| a.tag.cmp(&b.tag)));
    profile.files.dedup();
    profile
        .fields
        .sort_by_cached_key(|mask| (weakness(mask.transform), mask.tag.clone(), mask.to_string()));
    profile.fields.dedup();
    profile
}

/// How much of a value a transform lets through, least first.
const fn weakness(transform: Transform) -> u8 {
    match transform {
        Transform::Redact => 0,
        Transform::Null => 1,
        Transform::Hash => 2,
        Transform::DateYear => 3,
        Transform::Last4 => 4,
        Transform::Partial => 5,
    }
}
