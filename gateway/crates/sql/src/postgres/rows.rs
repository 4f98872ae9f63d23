//! What a query gives: its columns and where each comes from, while they are being worked out.
//!
//! Owns the unions. Must not know names of relations; a source is an index into what the
//! analyser has touched.

use std::rc::Rc;

use crate::Form;

/// A column of a touched relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// Index of the touched relation.
    pub(super) touched: u32,
    /// Which column.
    pub(super) column: ColumnKey,
    /// The row source that the value varies with; 0 for a value of no row in particular.
    pub(super) row: u32,
}

/// Names a column within a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ColumnKey {
    /// By attribute number, where the catalogue knows it.
    Attribute(i16),
    /// By name: an index into the analyser's names.
    Name(u32),
    /// Any column of a relation that the catalogue does not know.
    Any,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Lineage {
    /// The columns, with repetitions until [`Lineage::settle`].
    pub(super) sources: Vec<Origin>,
    /// What happened to the value. `Direct` only with exactly one source.
    pub(super) form: Form,
    /// Whether there may be more to it.
    pub(super) opaque: bool,
    /// Row sources it varies with beside those of its columns, with repetitions.
    pub(super) varies: Vec<u32>,
    /// Whether it is one constant, the same in every row.
    pub(super) fixed: bool,
}

/// An output column.
#[derive(Clone, Debug)]
pub(super) struct OutColumn<'a> {
    pub(super) name: &'a str,
    pub(super) lineage: Lineage,
}

/// Columns, and what more columns there may be at any place.
pub(super) type Expansion<'a> = (Vec<OutColumn<'a>>, Option<Lineage>);

/// What a query gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows<'a> {
    /// Its columns, in order.
    pub(super) columns: Rc<Vec<OutColumn<'a>>>,
    /// Set where there may be more columns, at any place: what they may derive from.
    pub(super) open: Option<Lineage>,
    /// The touched relations in its `FROM`, for row locks.
    pub(super) bases: Vec<u32>,
    /// Whether there is but one row, whatever is stored.
    pub(super) single: bool,
}

impl Lineage {
    /// A constant, a parameter, a count.
    pub(super) fn constant() -> Self {
        Self::default()
    }

    /// A stored value as it is.
    pub(super) fn direct(origin: Origin) -> Self {
        Self { sources: vec![origin], form: Form::Direct, ..Self::default() }
    }

    /// Something that is computed from no column, yet differs from row to row.
    pub(super) fn varying(row: u32) -> Self {
        Self { varies: vec![row], ..Self::default() }
    }

    /// Something that cannot be shown.
    pub(super) fn opaque() -> Self {
        Self { opaque: true, ..Self::default() }
    }

    /// The value was changed on its way.
    #[must_use]
    pub(super) fn derived(mut self) -> Self {
        self.form = Form::Derived;
        self
    }

    /// The value may come from here too.
    pub(super) fn merge(&mut self, other: Self) {
        self.fixed = false;
        if !other.varies.is_empty() {
            self.varies.extend(other.varies);
        }
        if other.sources.is_empty() {
            self.opaque |= other.opaque;
            self.form = Form::Derived;
            return;
        }
        self.opaque |= other.opaque;
        self.form = Form::Derived;
        if self.sources.is_empty() {
            self.sources = other.sources;
            return;
        }
        if self.sources.len() >= 16
            && self.sources.len() + other.sources.len() > self.sources.capacity()
        {
            self.settle();
        }
        self.sources.extend(other.sources);
    }

    /// Whether it varies with more than one row source, or with a row and a value of none.
    pub(super) fn meets(&self) -> bool {
        let mut rows =
            self.sources.iter().map(|origin| origin.row).chain(self.varies.iter().copied());
        let first = rows.next();
        rows.any(|row| Some(row) != first)
    }

    /// The same without repetitions.
    pub(super) fn settle(&mut self) {
        if self.sources.len() > 1 {
            self.sources.sort_unstable();
            self.sources.dedup();
        }
        if self.varies.len() > 1 {
            self.varies.sort_unstable();
            self.varies.dedup();
        }
    }
}

impl Rows<'_> {
    /// Everything that any of its columns may derive from.
    pub(super) fn union(&self) -> Lineage {
        let mut all = self.open.clone().unwrap_or_default();
        for column in self.columns.iter() {
            all.merge(column.lineage.clone());
        }
        all.settle();
        all.derived()
    }
}
