//! What happens to one output column of one statement.
//!
//! Owns the soundness rules:
//!
//! 1. An output that is a classified column is masked as its classification says.
//! 2. An output that is computed from a classified column is masked whole: a partial form of a
//!    computed value (`substr(email, 3)`) would give the column away a piece at a time.
//! 3. An output whose origin cannot be shown, in a statement that touches a classified column,
//!    is masked whole.
//! 4. Where a mask is due and the output cannot be changed, the statement is refused.
//! 5. Everything else is scanned by the detectors, or kept where there are none.
//!
//! Must not know how lineage is found (the statement's analysis, the server's column identity and
//! the catalogue, joined by the session). "Unknown" must arrive here as [`Lineage::Opaque`] and a
//! touched column that might be classified as one that is.

use model::{ColumnMask, Tag, Transform};

/// How well the origin of an output is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// It is one column, unchanged.
    Known,
    /// It is computed, and every column it is computed from is known.
    Derived,
    /// It cannot be shown what it comes from.
    Opaque,
}

/// What is known of one output column.
#[derive(Clone, Copy, Debug)]
pub struct ColumnFacts<'a> {
    /// The mask of the column it is or, where several classified columns go into it, of the first.
    pub classification: Option<&'a ColumnMask>,
    /// How well its origin is known.
    pub lineage: Lineage,
    /// The tag of a classified column that the statement touches anywhere, where it does.
    pub touches: Option<&'a Tag>,
    /// Whether the output can be changed on its way (its type and format are understood, or NULL
    /// can be put in its place).
    pub maskable: bool,
}

/// What happens to every value of an output column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnPlan {
    /// It passes as it is.
    Keep,
    /// It passes through the detectors.
    Scan,
    /// Each value is changed.
    Mask {
        /// How.
        transform: Transform,
        /// The classification behind it.
        tag: Tag,
    },
    /// The statement is refused: a value of this classification would pass unmasked.
    Refuse {
        /// The classification.
        tag: Tag,
    },
}

/// Plans one output column. `scans` says whether the profile has detectors.
#[must_use]
pub fn plan_column(facts: &ColumnFacts<'_>, scans: bool) -> ColumnPlan {
    let mask = |transform, tag: &Tag| {
        let tag = tag.clone();
        if facts.maskable {
            ColumnPlan::Mask { transform, tag }
        } else {
            ColumnPlan::Refuse { tag }
        }
    };
    match (facts.classification, facts.lineage) {
        (Some(column), Lineage::Known) => return mask(column.transform, &column.tag),
        (Some(column), Lineage::Derived | Lineage::Opaque) => {
            return mask(whole(column.transform), &column.tag);
        }
        (None, Lineage::Opaque) => {
            if let Some(tag) = facts.touches {
                return mask(Transform::Redact, tag);
            }
        }
        (None, Lineage::Known | Lineage::Derived) => {}
    }
    if scans { ColumnPlan::Scan } else { ColumnPlan::Keep }
}

/// The transform that shows nothing of a value, nearest to the one asked for. A hash counts as
/// showing: of a computed value it tells which inputs compute the same.
const fn whole(transform: Transform) -> Transform {
    match transform {
        Transform::Null => Transform::Null,
        Transform::Redact
        | Transform::Partial
        | Transform::Last4
        | Transform::Hash
        | Transform::DateYear => Transform::Redact,
    }
}

#[cfg(test)]
mod tests {
    use model::PathPattern;

    use super::*;

    /// Every combination of facts, so that no rule changes unseen.
    #[test]
    fn the_plan_of_every_combination_of_facts() {
        let column = |transform| ColumnMask {
            pattern: PathPattern::parse("*.users.email").unwrap(),
            tag: "pii.email".into(),
            transform,
        };
        let (partial, null) = (column(Transform::Partial), column(Transform::Null));
        let other: Tag = "pci.pan".into();
        let mut table = String::new();
        for (name, classification) in
            [("not classified", None), ("partial", Some(&partial)), ("null", Some(&null))]
        {
            for lineage in [Lineage::Known, Lineage::Derived, Lineage::Opaque] {
                for touches in [None, Some(&other)] {
                    for maskable in [true, false] {
                        let facts = ColumnFacts { classification, lineage, touches, maskable };
                        let plan = match plan_column(&facts, true) {
                            ColumnPlan::Keep => "keep".to_owned(),
                            ColumnPlan::Scan => "scan".to_owned(),
                            ColumnPlan::Mask { transform, tag } => format!("{transform} ({tag})"),
                            ColumnPlan::Refuse { tag } => format!("refuse ({tag})"),
                        };
                        table.push_str(&format!(
                            "{name:<15} {:<8} {:<9} {:<11} -> {plan}\n",
                            format!("{lineage:?}").to_lowercase(),
                            if touches.is_some() { "touching" } else { "-" },
                            if maskable { "maskable" } else { "fixed form" },
                        ));
                    }
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn without_detectors_nothing_is_scanned() {
        let facts = ColumnFacts {
            classification: None,
            lineage: Lineage::Known,
            touches: None,
            maskable: true,
        };
        assert_eq!(plan_column(&facts, false), ColumnPlan::Keep);
    }
}
