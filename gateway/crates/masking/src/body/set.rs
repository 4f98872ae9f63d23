//! What is masked in the bodies of one path: the field masks whose routes it is on, and the
//! detectors.
//!
//! Owns the choice by path and the two compiled. Must not know a body. Shared by all bodies of a
//! path; ends with the decision it was made from.

use std::sync::Arc;

use model::{MaskProfile, Transform};

use super::paths::FieldPaths;
use crate::detect::ScanSet;
use crate::transform::Transforms;

/// The masks of one path's bodies, ready to apply.
#[derive(Debug)]
pub struct FieldSet {
    paths: FieldPaths,
    /// What each of the paths' masks does, in their order.
    changes: Vec<Transform>,
    scan: ScanSet,
    transforms: Arc<Transforms>,
}

impl FieldSet {
    /// Takes the masks of `profile` that are about the bodies at `path`, the decoded path of the
    /// request.
    #[must_use]
    pub fn new(profile: &MaskProfile, path: &str, transforms: &Arc<Transforms>) -> Self {
        let about = || profile.fields.iter().filter(|mask| mask.is_about(path));
        Self {
            paths: FieldPaths::new(about().map(|mask| &mask.pattern)),
            changes: about().map(|mask| mask.transform).collect(),
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
        self.changes.get(mask).copied().unwrap_or(Transform::Redact)
    }
}
