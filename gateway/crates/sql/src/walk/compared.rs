//! Which row source a value varies with, and where values of several meet.
//!
//! Owns the numbers of row sources: each mention of a relation, each function that gives rows,
//! each list of several rows and each window is one. A value of a scalar subquery varies with the
//! outer rows that the subquery looks at. Must not know what a meeting shows (`comparison`); errs
//! towards more row sources. Lives for one statement.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Walk;
use super::rows::{Lineage, Rows, union};
use crate::comparison::{Comparison, Meeting, RowSource};
use crate::{Form, Unreadable};

/// Outer row sources up to which a subquery's value is said to vary with each of them.
const OUTER_ROWS_MAX: usize = 4;

/// What has been found of row sources so far.
#[derive(Default)]
pub(crate) struct Compared {
    meetings: Vec<(Meeting, Lineage)>,
    last: u32,
    /// Row sources that decide which rows there are without being compared.
    mentioned: Vec<u32>,
    /// Row sources of what recursive queries see of themselves.
    recursing: Vec<u32>,
    /// Row sources from this one on are inside `EXISTS`, which shows none of their rows.
    hidden_from: Option<u32>,
}

/// Where the walk was when it stepped into a subquery.
pub(crate) struct Outside {
    base: u32,
    oracles: usize,
    mentioned: usize,
    hidden_from: Option<u32>,
}

/// What of a subquery varies with the rows around it.
pub(crate) struct Correlation {
    base: u32,
    outer: Vec<u32>,
}

impl<'a> Walk<'a> {
    /// The number of another row source. Even; odd ones are for counts.
    pub(crate) fn fresh_row(&mut self) -> u32 {
        self.compared.last = self.compared.last.saturating_add(2) & !1;
        self.compared.last
    }

    /// A count, which no column goes into.
    pub(crate) fn count_value(&mut self) -> Lineage {
        Lineage::varying(self.fresh_row() | 1)
    }

    /// What a function in `FROM`, or one that gives rows, gives.
    pub(crate) fn rows_of(&mut self, mut lineage: Lineage) -> Lineage {
        let rows = lineage.sources.iter().map(|origin| origin.row);
        self.compared.mentioned.extend(rows.chain(lineage.varies.iter().copied()));
        let row = self.fresh_row();
        lineage.sources.iter_mut().for_each(|origin| origin.row = row);
        lineage.varies = vec![row];
        lineage.fixed = false;
        lineage
    }

    /// The same of a table made of a document; a document that is not stored decides on its rows.
    pub(crate) fn rows_made_of(
        &mut self,
        lineage: Lineage,
        stored: bool,
    ) -> Result<Lineage, Unreadable> {
        let meeting = if stored { Meeting::Compared } else { Meeting::Counted };
        self.note_meeting(meeting, &lineage)?;
        Ok(self.rows_of(lineage))
    }

    /// A window function may give a value of another row.
    pub(crate) fn window_value(&mut self, mut lineage: Lineage) -> Lineage {
        let row = self.fresh_row();
        if lineage.sources.is_empty() {
            lineage.varies.push(row);
        }
        lineage.sources.iter_mut().for_each(|origin| origin.row = row);
        lineage
    }

    /// Rows that stand in `FROM`: what comes from no row source comes from them.
    pub(crate) fn row_source(&mut self, mut rows: Rows<'a>) -> Rows<'a> {
        let homeless = |lineage: &Lineage| {
            let computed = lineage.sources.is_empty() && lineage.varies.is_empty();
            computed && !lineage.fixed || lineage.sources.iter().any(|origin| origin.row == 0)
        };
        // A function of the user's may give rows where one value stands.
        let single = rows.single && !rows.columns.iter().any(|column| column.lineage.opaque);
        let found = rows.columns.iter().map(|column| &column.lineage).chain(&rows.open);
        if single || !found.into_iter().any(homeless) {
            return rows;
        }
        let row = self.fresh_row();
        let own = |lineage: &mut Lineage| {
            if !homeless(lineage) {
                return;
            }
            if lineage.sources.is_empty() {
                lineage.varies.push(row);
            }
            let sources = lineage.sources.iter_mut().filter(|origin| origin.row == 0);
            sources.for_each(|origin| origin.row = row);
        };
        rows.open.iter_mut().for_each(own);
        let columns = Rc::make_mut(&mut rows.columns).iter_mut();
        columns.for_each(|column| own(&mut column.lineage));
        rows
    }

    /// The rows of a `WITH` query, mentioned once more.
    pub(crate) fn read_again(&mut self, mut rows: Rows<'a>) -> Result<Rows<'a>, Unreadable> {
        let mut again: FxHashMap<u32, u32> = FxHashMap::default();
        let mut renew = |this: &mut Self, lineage: &mut Lineage| {
            this.spend(lineage.sources.len())?;
            let own = lineage.sources.iter_mut().map(|origin| &mut origin.row);
            for row in own.chain(&mut lineage.varies).filter(|row| **row != 0) {
                let odd = *row & 1;
                *row = *again.entry(*row).or_insert_with(|| this.fresh_row() | odd);
            }
            Ok(())
        };
        if let Some(open) = &mut rows.open {
            renew(self, open)?;
        }
        for column in Rc::make_mut(&mut rows.columns) {
            renew(self, &mut column.lineage)?;
        }
        Ok(rows)
    }

    /// The rows of a recursive query: what stands side by side may come from different rows.
    pub(crate) fn each_its_own(&mut self, mut rows: Rows<'a>) -> Rows<'a> {
        for column in Rc::make_mut(&mut rows.columns) {
            let lineage = std::mem::take(&mut column.lineage);
            column.lineage = self.window_value(lineage);
        }
        rows.single = false;
        rows
    }

    /// Rows as parts of the row of another entry, one of these to one of those.
    pub(crate) fn beside(&self, mut rows: Rows<'a>, row: u32) -> Rows<'a> {
        let columns = Rc::make_mut(&mut rows.columns).iter_mut();
        for lineage in columns.map(|column| &mut column.lineage).chain(&mut rows.open) {
            lineage.sources.iter_mut().for_each(|origin| origin.row = row);
            lineage.varies = vec![row];
        }
        rows
    }

    /// What a recursive query sees of itself. A column that it passes on as it is counts as such,
    /// whatever it was made of before.
    pub(crate) fn recursing(&mut self, mut rows: Rows<'a>) -> Rows<'a> {
        for column in Rc::make_mut(&mut rows.columns) {
            column.lineage.form = Form::Direct;
            self.compared.recursing.extend(column.lineage.sources.iter().map(|origin| origin.row));
        }
        rows
    }

    /// A branch of a recursive query: what it computes from its own result decides how often it
    /// is run.
    pub(crate) fn note_branch(&mut self, branch: &Rows<'a>) -> Result<(), Unreadable> {
        if self.compared.recursing.is_empty() {
            return Ok(());
        }
        for lineage in branch.columns.iter().map(|column| &column.lineage).chain(&branch.open) {
            let own = |row| self.compared.recursing.contains(&row);
            let computed = lineage.form == Form::Derived;
            if computed && lineage.sources.iter().any(|origin| own(origin.row)) {
                self.note_meeting(Meeting::Counted, lineage)?;
            }
        }
        Ok(())
    }

    /// The recursive query is known; gives back how much there was to know before it began.
    pub(crate) fn recursion_ends(&mut self, before: usize) {
        self.compared.recursing.truncate(before);
    }

    /// How much is known of the recursive queries that the walk is inside.
    pub(crate) fn recursion(&self) -> usize {
        self.compared.recursing.len()
    }

    /// `INTERSECT` and `EXCEPT` compare their sides.
    pub(crate) fn matched(
        &mut self,
        one: Rows<'a>,
        other: Rows<'a>,
    ) -> Result<Rows<'a>, Unreadable> {
        let (one, other) = (self.row_source(one), self.row_source(other));
        let rows = union(one, other);
        for lineage in rows.columns.iter().map(|column| &column.lineage).chain(&rows.open) {
            self.note_meeting(Meeting::Compared, lineage)?;
        }
        Ok(rows)
    }

    /// Sorting and grouping compare every value with every other.
    pub(crate) fn note_sorted(&mut self, lineage: Lineage) -> Result<(), Unreadable> {
        self.note_meeting(Meeting::Compared, &lineage)?;
        self.note_oracle(lineage);
        Ok(())
    }

    /// Values meet. Nothing is kept where they are all of one row source.
    pub(crate) fn note_meeting(
        &mut self,
        meeting: Meeting,
        lineage: &Lineage,
    ) -> Result<(), Unreadable> {
        let relevant = match meeting {
            Meeting::Counted => !lineage.sources.is_empty(),
            Meeting::Added => !lineage.varies.is_empty() && lineage.meets(),
            Meeting::Divided | Meeting::Compared => lineage.meets(),
        };
        if !relevant {
            return Ok(());
        }
        self.spend(lineage.sources.len() + lineage.varies.len())?;
        let mut lineage = lineage.clone();
        if let Some(hidden) = self.compared.hidden_from {
            let inside = lineage.sources.iter_mut().filter(|origin| origin.row >= hidden);
            inside.for_each(|origin| origin.row = 0);
            lineage.varies.retain(|row| *row < hidden);
        }
        self.compared.meetings.push((meeting, lineage));
        Ok(())
    }

    /// Row sources that a lineage, used and not shown, varies with.
    pub(crate) fn mention(&mut self, varies: &[u32]) {
        self.compared.mentioned.extend_from_slice(varies);
    }

    /// A subquery in an expression begins.
    pub(crate) fn step_inside(&mut self, exists: bool) -> Outside {
        let base = self.fresh_row();
        let outside = Outside {
            base,
            oracles: self.oracles.len(),
            mentioned: self.compared.mentioned.len(),
            hidden_from: self.compared.hidden_from,
        };
        if exists {
            self.compared.hidden_from.get_or_insert(base);
        }
        outside
    }

    /// It ends.
    pub(crate) fn step_outside(&mut self, outside: &Outside) -> Correlation {
        self.compared.hidden_from = outside.hidden_from;
        let used = self.oracles.iter().skip(outside.oracles).map(|origin| origin.row);
        let mentioned = self.compared.mentioned.iter().skip(outside.mentioned).copied();
        let mut outer: Vec<u32> = used
            .chain(mentioned)
            .filter(|row| *row != RowSource::NONE.0 && *row < outside.base)
            .collect();
        outer.sort_unstable();
        outer.dedup();
        Correlation { base: outside.base, outer }
    }

    /// A `WITH` query is read where it stands, inside no `EXISTS`.
    pub(crate) fn step_aside(&mut self, hidden_from: Option<u32>) -> Option<u32> {
        std::mem::replace(&mut self.compared.hidden_from, hidden_from)
    }

    /// The end of the walk.
    pub(crate) fn comparisons(&mut self) -> Vec<Comparison> {
        let meetings = std::mem::take(&mut self.compared.meetings);
        let mut all = Vec::with_capacity(meetings.len());
        for (meeting, lineage) in meetings {
            let columns = lineage.sources.iter();
            let mut columns: Vec<_> =
                columns.map(|origin| (RowSource(origin.row), self.source(*origin))).collect();
            columns.sort_unstable();
            columns.dedup();
            let computed = lineage.varies.into_iter().map(RowSource).collect();
            all.push(Comparison { meeting, columns, computed });
        }
        all
    }
}

impl Correlation {
    /// The value of the subquery for whoever stands around it.
    pub(crate) fn seen_from_outside(self, mut value: Lineage) -> Lineage {
        let Self { base, mut outer } = self;
        let made_up = value.varies.iter().any(|row| *row >= base);
        value.varies.retain(|row| *row < base);
        value.fixed = false;
        let inner: Vec<_> = value
            .sources
            .iter_mut()
            .filter(|origin| origin.row >= base || origin.row == 0)
            .map(|origin| {
                origin.row = 0;
                *origin
            })
            .collect();
        if outer.is_empty() {
            return value;
        }
        if made_up || value.sources.is_empty() || outer.len() > OUTER_ROWS_MAX {
            value.varies.append(&mut outer);
        }
        for row in outer {
            value.sources.extend(inner.iter().map(|origin| super::rows::Origin { row, ..*origin }));
            value.form = Form::Derived;
        }
        value
    }
}
