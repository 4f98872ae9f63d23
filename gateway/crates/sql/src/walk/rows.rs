//! What a query gives: its columns and where each comes from, while they are being worked out.
//!
//! Owns the unions. Must not know names of relations; a source is an index into what the
//! walk has touched.

use std::rc::Rc;

use crate::Form;

/// A column of a touched relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// Index of the touched relation.
    pub(crate) touched: u32,
    /// Which column.
    pub(crate) column: ColumnKey,
    /// The row source that the value varies with; 0 for a value of no row in particular.
    pub(crate) row: u32,
}

/// Names a column within a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ColumnKey {
    /// By attribute number, where the catalogue knows it.
    Attribute(i16),
    /// By name: an index into the analyser's names.
    Name(u32),
    /// Any column of a relation that the catalogue does not know.
    Any,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    /// The columns, with repetitions until [`Lineage::settle`].
    pub(crate) sources: Vec<Origin>,
    /// What happened to the value. `Direct` only with exactly one source.
    pub(crate) form: Form,
    /// Whether there may be more to it.
    pub(crate) opaque: bool,
    /// Row sources it varies with beside those of its columns, with repetitions.
    pub(crate) varies: Vec<u32>,
    /// Whether it is one constant, the same in every row.
    pub(crate) fixed: bool,
}

/// An output column.
#[derive(Clone, Debug)]
pub(crate) struct OutColumn<'a> {
    pub(crate) name: &'a str,
    pub(crate) lineage: Lineage,
}

/// Columns, and what more columns there may be at any place.
pub(crate) type Expansion<'a> = (Vec<OutColumn<'a>>, Option<Lineage>);

/// What a query gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows<'a> {
    /// Its columns, in order.
    pub(crate) columns: Rc<Vec<OutColumn<'a>>>,
    /// Set where there may be more columns, at any place: what they may derive from.
    pub(crate) open: Option<Lineage>,
    /// The touched relations in its `FROM`, for row locks.
    pub(crate) bases: Vec<u32>,
    /// Whether there is but one row, whatever is stored.
    pub(crate) single: bool,
}

impl Lineage {
    /// A constant, a parameter, a count.
    pub(crate) fn constant() -> Self {
        Self::default()
    }

    /// A stored value as it is.
    pub(crate) fn direct(origin: Origin) -> Self {
        Self { sources: vec![origin], form: Form::Direct, ..Self::default() }
    }

    /// Something that is computed from no column, yet differs from row to row.
    pub(crate) fn varying(row: u32) -> Self {
        Self { varies: vec![row], ..Self::default() }
    }

    /// Something that cannot be shown.
    pub(crate) fn opaque() -> Self {
        Self { opaque: true, ..Self::default() }
    }

    /// The value was changed on its way.
    #[must_use]
    pub(crate) fn derived(mut self) -> Self {
        self.form = Form::Derived;
        self
    }

    /// The value may come from here too.
    pub(crate) fn merge(&mut self, other: Self) {
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
    pub(crate) fn meets(&self) -> bool {
        let mut rows =
            self.sources.iter().map(|origin| origin.row).chain(self.varies.iter().copied());
        let first = rows.next();
        rows.any(|row| Some(row) != first)
    }

    /// The same without repetitions.
    pub(crate) fn settle(&mut self) {
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

impl<'a> Rows<'a> {
    /// Gives the first columns these names.
    pub(crate) fn rename(&mut self, names: &[&'a str]) {
        if names.is_empty() {
            return;
        }
        if self.open.is_some() {
            let all = self.union();
            let bases = std::mem::take(&mut self.bases);
            *self = Rows { open: Some(all), bases, ..Rows::default() };
            return;
        }
        for (column, name) in Rc::make_mut(&mut self.columns).iter_mut().zip(names) {
            column.name = name;
        }
    }

    /// Everything that any of its columns may derive from.
    pub(crate) fn union(&self) -> Lineage {
        let mut all = self.open.clone().unwrap_or_default();
        for column in self.columns.iter() {
            all.merge(column.lineage.clone());
        }
        all.settle();
        all.derived()
    }
}

/// Column by column, the union of two branches; the names are the first's.
pub(crate) fn union<'a>(mut one: Rows<'a>, other: Rows<'a>) -> Rows<'a> {
    if one.open.is_some() || other.open.is_some() {
        // Places cannot be matched: every column may be any.
        let mut all = one.union();
        all.merge(other.union());
        one.open = Some(all);
        one.single = false;
        return one;
    }
    let columns = Rc::make_mut(&mut one.columns);
    for (column, other) in columns.iter_mut().zip(other.columns.iter()) {
        column.lineage.merge(other.lineage.clone());
        column.lineage.settle();
    }
    one.bases.extend(other.bases);
    one.single = false;
    one
}

/// The columns of rows and what more there may be, each by its sources and whether it is opaque.
type Settled = (Vec<(Vec<Origin>, bool)>, Option<(Vec<Origin>, bool)>);

/// What two readings of the same query have in common once nothing is added.
pub(crate) fn settled_rows(rows: &Rows<'_>) -> Settled {
    let settled = |lineage: &Lineage| {
        let mut lineage = lineage.clone();
        // Row sources are new in every pass.
        lineage.sources.iter_mut().for_each(|origin| origin.row = 0);
        lineage.settle();
        (lineage.sources, lineage.opaque)
    };
    let columns = rows.columns.iter().map(|column| settled(&column.lineage)).collect();
    (columns, rows.open.as_ref().map(settled))
}
