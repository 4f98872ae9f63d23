//! One principal's masks at one target, ready to be applied to values.
//!
//! Owns the meeting of plan, transforms and detectors. Must not know rows or frames: the caller
//! goes through its row and asks for each value. Lives as long as the decision it was made from.

use std::sync::Arc;

use model::MaskProfile;

use crate::detect::ScanSet;
use crate::kind::ValueKind;
use crate::plan::ColumnPlan;
use crate::transform::{Masked, Transforms};

/// Applies plans to values.
#[derive(Clone, Debug)]
pub struct Masker {
    transforms: Arc<Transforms>,
    scan: ScanSet,
}

impl Masker {
    /// Compiles the detectors of `profile`.
    #[must_use]
    pub fn new(profile: &MaskProfile, transforms: Arc<Transforms>) -> Self {
        let scan = ScanSet::new(profile, Arc::clone(&transforms));
        Self { transforms, scan }
    }

    /// The detectors.
    #[must_use]
    pub const fn scan_set(&self) -> &ScanSet {
        &self.scan
    }

    /// Changes one value that is not NULL, appending to `out`. Anything but
    /// [`Masked::Unchanged`] counts as one masked value.
    #[inline]
    pub fn value(
        &self,
        plan: &ColumnPlan,
        kind: ValueKind,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Masked {
        match plan {
            ColumnPlan::Keep => Masked::Unchanged,
            ColumnPlan::Scan => self.scan.mask_value(kind, value, out),
            ColumnPlan::Mask { transform, .. } => {
                self.transforms.apply(*transform, kind, value, out)
            }
            // Fails closed: such a statement should not have come this far.
            ColumnPlan::Refuse { .. } => Masked::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Detector, DetectorMask, Secret, Transform};

    use super::*;

    #[test]
    fn each_plan_does_what_it_says() {
        let profile = MaskProfile {
            detectors: vec![DetectorMask {
                detector: Detector::Email,
                tag: "pii.email".into(),
                transform: Transform::Redact,
            }],
            ..MaskProfile::default()
        };
        let masker = Masker::new(&profile, Arc::new(Transforms::new(&Secret::new(vec![0; 32]))));
        let run = |plan: &ColumnPlan, value: &str| {
            let mut out = Vec::new();
            let masked = masker.value(plan, ValueKind::Text, value.as_bytes(), &mut out);
            (masked, String::from_utf8(out).unwrap())
        };
        let mask = ColumnPlan::Mask { transform: Transform::Partial, tag: "pii.email".into() };
        let refuse = ColumnPlan::Refuse { tag: "pii.email".into() };
        let address = "bob@example.com";
        assert_eq!(run(&ColumnPlan::Keep, address), (Masked::Unchanged, String::new()));
        assert_eq!(run(&ColumnPlan::Scan, address), (Masked::Value, "***".into()));
        assert_eq!(run(&ColumnPlan::Scan, "Bob"), (Masked::Unchanged, String::new()));
        assert_eq!(run(&mask, address), (Masked::Value, "b***@***.com".into()));
        assert_eq!(run(&refuse, address), (Masked::Null, String::new()));
    }
}
