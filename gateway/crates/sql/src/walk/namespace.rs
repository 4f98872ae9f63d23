//! Which names mean what at a place in a query: the entries of `FROM` lists, level by level, and
//! the `WITH` queries in sight.
//!
//! Owns the server's rules of sight: which entries show their columns, which only their name,
//! what `LATERAL` may see. Must not know how entries come about (`from`). A level lives as long
//! as the walk is inside its query.

use std::rc::Rc;

use model::Action;

use super::Walk;
pub(crate) use super::manner::{Manner, Sameness, UNNAMED};
use super::rows::{ColumnKey, Expansion, Lineage, Origin, OutColumn};
use crate::Unreadable;
use crate::catalog::{Column, Relation};

/// One query's `FROM` entries.
#[derive(Default)]
pub(crate) struct Level<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    /// What is in sight right now.
    pub(crate) items: Vec<Item>,
    /// What the query's own results are called so far, where names may mean these too.
    pub(crate) results: Vec<OutColumn<'a>>,
    /// Whether names at this level may mean them; names of subqueries may at any time.
    pub(crate) results_in_sight: bool,
}

/// An entry in sight.
#[derive(Clone, Copy)]
pub(crate) struct Item {
    pub(crate) entry: usize,
    /// Its name is in sight.
    pub(crate) relation: bool,
    /// Its columns are in sight without its name.
    pub(crate) columns: bool,
}

/// Something that rows come from.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    /// Whether it is a relation under its own name, which its schema may precede.
    pub(crate) plain: bool,
    pub(crate) kind: EntryKind<'a>,
    /// Column names given by the alias, for the first columns.
    pub(crate) renamed: Vec<&'a str>,
    /// The touched relations in it, for row locks.
    pub(crate) bases: Vec<u32>,
}

/// What an entry is.
pub(crate) enum EntryKind<'a> {
    /// A relation that the catalogue knows.
    Relation { touched: u32, relation: &'a Relation, row: u32 },
    /// One that it does not know, and that may be any of these.
    Unlisted { touched: Vec<u32>, row: u32 },
    /// A subquery, function or join.
    Rows {
        columns: Rc<Vec<OutColumn<'a>>>,
        /// Set where there may be more columns.
        open: Option<Lineage>,
        /// Whether using a column reads it (a join's columns are those of its sides).
        reads: bool,
    },
}

/// What an entry says to a column name.
enum Probe {
    No,
    /// It may have it; the lineage if so.
    Maybe(Lineage),
    Yes(Lineage),
}

impl<'a> Walk<'a> {
    pub(crate) fn entry(&self, level: usize, entry: usize) -> Option<&Entry<'a>> {
        self.levels.get(level)?.entries.get(entry)
    }

    /// Adds an entry to the innermost level. What is beneath it is kept once: each join with
    /// shared columns holds the one before it, and would have twice as much.
    pub(crate) fn add_entry(&mut self, mut entry: Entry<'a>) -> usize {
        if entry.bases.len() > 1 {
            entry.bases.sort_unstable();
            entry.bases.dedup();
        }
        match self.levels.last_mut() {
            Some(level) => {
                level.entries.push(entry);
                level.entries.len() - 1
            }
            None => 0,
        }
    }

    /// An unqualified name: a column of the nearest level that has it, or else a whole row.
    pub(crate) fn column(&mut self, name: &'a str) -> Result<Lineage, Unreadable> {
        let mut possible: Option<Lineage> = None;
        for level in (0..self.levels.len()).rev() {
            let (known, maybe) = self.probe_level(level, name)?;
            if let Some(mut known) = known {
                if let Some(possible) = possible {
                    known.merge(possible);
                }
                return Ok(known);
            }
            possible = both(possible, maybe);
        }
        if self.manner.whole_rows
            && let Some((level, entry)) = self.relation_in_sight(None, name)
        {
            let row = self.whole_row(level, entry);
            return Ok(both(possible, Some(row)).unwrap_or_default());
        }
        Ok(possible.unwrap_or_else(|| self.unresolved_column(name)))
    }

    /// Whether the innermost level surely has a column of this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        let Some(level) = self.levels.len().checked_sub(1) else { return false };
        self.levels.get(level).is_some_and(|found| {
            found.items.iter().any(|item| {
                item.columns
                    && self
                        .entry(level, item.entry)
                        .is_some_and(|entry| matches!(self.probe(entry, name), Probe::Yes(_)))
            })
        })
    }

    fn probe_level(
        &mut self,
        level: usize,
        name: &'a str,
    ) -> Result<(Option<Lineage>, Option<Lineage>), Unreadable> {
        let items = self.levels.get(level).map_or(0, |level| level.items.len());
        self.spend(items)?;
        let (mut known, mut maybe) = (None, None);
        let mut reads: Vec<usize> = Vec::new();
        for index in 0..items {
            let Some(item) = self.levels.get(level).and_then(|level| level.items.get(index)) else {
                continue;
            };
            let (columns, at) = (item.columns, item.entry);
            if !columns {
                continue;
            }
            self.intern_for(level, at, name);
            let Some(entry) = self.entry(level, at) else { continue };
            match self.probe(entry, name) {
                Probe::No => {}
                Probe::Maybe(lineage) => maybe = both(maybe, Some(lineage)),
                Probe::Yes(lineage) => {
                    if entry.reads() {
                        reads.push(at);
                    }
                    known = both(known, Some(lineage));
                }
            }
        }
        // What has been read when the result was.
        let unread = maybe.clone();
        let inside = level + 1 < self.levels.len();
        if let Some(found) = self.levels.get(level).filter(|one| inside || one.results_in_sight) {
            let same = self.manner.same_column;
            for result in found.results.iter().filter(|one| same(one.name, name) > Sameness::No) {
                maybe = both(maybe, Some(result.lineage.clone()));
            }
        }
        match (&known, &unread) {
            (Some(lineage), _) if !reads.is_empty() => {
                let lineage = lineage.clone();
                self.read(&lineage);
                self.read_system(level, &reads, name);
            }
            (None, Some(lineage)) => {
                let lineage = lineage.clone();
                self.read(&lineage);
            }
            _ => {}
        }
        if known.is_some() && !self.manner.whole_rows {
            // A result of the same name may be meant instead.
            known = both(known, maybe.clone());
        }
        if let Some(lineage) = known.as_ref().or(maybe.as_ref()) {
            self.spend(lineage.sources.len())?;
        }
        Ok((known, maybe))
    }

    /// A system column has no name among the columns, yet its relation is read.
    fn read_system(&mut self, level: usize, reads: &[usize], name: &str) {
        if !self.manner.system_columns.contains(&name) {
            return;
        }
        for at in reads {
            if let Some(EntryKind::Relation { touched, .. }) =
                self.entry(level, *at).map(|entry| &entry.kind)
            {
                let touched = *touched;
                self.use_relation(touched, Action::Select);
            }
        }
    }

    /// A name that an unlisted relation may have as a column needs its key before the probe.
    fn intern_for(&mut self, level: usize, entry: usize, name: &'a str) {
        let unlisted = self
            .entry(level, entry)
            .is_some_and(|entry| matches!(entry.kind, EntryKind::Unlisted { .. }));
        if unlisted {
            self.name_key(name);
        }
    }

    fn probe(&self, entry: &Entry<'a>, name: &str) -> Probe {
        let same = self.manner.same_column;
        let position = entry.renamed.iter().position(|renamed| same(renamed, name) > Sameness::No);
        match &entry.kind {
            EntryKind::Relation { touched, relation, row } => {
                let direct = |column: &Column| {
                    let column = ColumnKey::Attribute(column.attribute);
                    Lineage::direct(Origin { touched: *touched, column, row: *row })
                };
                if let Some(position) = position {
                    return relation
                        .columns
                        .get(position)
                        .map_or(Probe::No, |column| Probe::Yes(direct(column)));
                }
                let rest = relation.columns.iter().skip(entry.renamed.len());
                match self.chosen(rest.map(|column| (&*column.name, column)), name, direct) {
                    Probe::No if self.manner.system_columns.contains(&name) => {
                        Probe::Yes(Lineage::varying(*row))
                    }
                    found => found,
                }
            }
            EntryKind::Unlisted { touched, row } => {
                let column = match position {
                    Some(_) => ColumnKey::Any,
                    None => self
                        .name_index
                        .get(name)
                        .map_or(ColumnKey::Any, |index| ColumnKey::Name(*index)),
                };
                let mut lineage: Option<Lineage> = None;
                for touched in touched {
                    let origin = Origin { touched: *touched, column, row: *row };
                    lineage = both(lineage, Some(Lineage::direct(origin)));
                }
                Probe::Maybe(lineage.unwrap_or_default())
            }
            EntryKind::Rows { columns, open, .. } => {
                let found = match position {
                    Some(position) if open.is_none() => columns
                        .get(position)
                        .map_or(Probe::No, |column| Probe::Yes(column.lineage.clone())),
                    Some(_) => Probe::No,
                    None => {
                        let rest = columns.iter().skip(entry.renamed.len());
                        let named = rest.map(|column| (column.name, column));
                        self.chosen(named, name, |column| column.lineage.clone())
                    }
                };
                match (found, open) {
                    (Probe::Maybe(maybe), Some(open)) => {
                        Probe::Maybe(both(Some(maybe), Some(open.clone())).unwrap_or_default())
                    }
                    (Probe::No, Some(open)) => {
                        let mut all = open.clone();
                        if position.is_some() {
                            for column in columns.iter() {
                                all.merge(column.lineage.clone());
                            }
                        }
                        Probe::Maybe(all)
                    }
                    (found, _) => found,
                }
            }
        }
    }

    /// The first of these columns that has the name, or else all that may have it.
    fn chosen<'c, T: 'c>(
        &self,
        columns: impl Iterator<Item = (&'c str, &'c T)>,
        name: &str,
        lineage: impl Fn(&T) -> Lineage,
    ) -> Probe {
        let mut maybe: Option<Lineage> = None;
        for (own, column) in columns {
            match if own == UNNAMED {
                Sameness::Maybe
            } else {
                (self.manner.same_column)(own, name)
            } {
                Sameness::Yes => return Probe::Yes(lineage(column)),
                Sameness::Maybe => maybe = both(maybe, Some(lineage(column))),
                Sameness::No => {}
            }
        }
        maybe.map_or(Probe::No, Probe::Maybe)
    }

    /// The entry whose name is in sight, nearest level first.
    pub(crate) fn relation_in_sight(
        &self,
        schema: Option<&str>,
        name: &str,
    ) -> Option<(usize, usize)> {
        self.levels.iter().enumerate().rev().find_map(|(index, level)| {
            let found = level.items.iter().find(|item| {
                item.relation
                    && level.entries.get(item.entry).is_some_and(|entry| {
                        (self.manner.same_relation)(entry.name, name)
                            && schema.is_none_or(|schema| self.is_in_schema(entry, schema))
                    })
            })?;
            Some((index, found.entry))
        })
    }

    fn is_in_schema(&self, entry: &Entry<'a>, schema: &str) -> bool {
        let touched = match &entry.kind {
            EntryKind::Relation { touched, .. } => std::slice::from_ref(touched),
            EntryKind::Unlisted { touched, .. } => touched.as_slice(),
            EntryKind::Rows { .. } => return false,
        };
        entry.plain
            && touched.iter().any(|touched| {
                self.touched
                    .get(*touched as usize)
                    .is_some_and(|found| (self.manner.same_relation)(found.schema, schema))
            })
    }

    /// A column of a certain entry, if it has or may have one of this name.
    pub(crate) fn column_of(
        &mut self,
        level: usize,
        entry: usize,
        name: &'a str,
    ) -> Result<Option<Lineage>, Unreadable> {
        self.intern_for(level, entry, name);
        let Some(found) = self.entry(level, entry) else { return Ok(None) };
        let (Probe::Yes(lineage) | Probe::Maybe(lineage)) = self.probe(found, name) else {
            return Ok(None);
        };
        if found.reads() {
            self.read(&lineage);
            self.read_system(level, &[entry], name);
        }
        self.spend(lineage.sources.len())?;
        Ok(Some(lineage))
    }

    /// A row as one value.
    pub(crate) fn whole_row(&mut self, level: usize, entry: usize) -> Lineage {
        let (columns, open) = self.expand(level, entry);
        let mut all = open.unwrap_or_default();
        for column in columns {
            all.merge(column.lineage);
        }
        all.settle();
        self.read_whole(level, entry, &all);
        all.derived()
    }

    /// All columns of an entry are read.
    pub(crate) fn read_whole(&mut self, level: usize, entry: usize, lineage: &Lineage) {
        let Some(found) = self.entry(level, entry) else { return };
        match &found.kind {
            EntryKind::Relation { touched, .. } => {
                let touched = *touched;
                self.use_all(touched, Action::Select);
            }
            EntryKind::Unlisted { .. } | EntryKind::Rows { reads: true, .. } => self.read(lineage),
            EntryKind::Rows { reads: false, .. } => {}
        }
    }

    /// The columns of an entry, without reading them.
    pub(crate) fn expand(&self, level: usize, entry: usize) -> Expansion<'a> {
        let Some(entry) = self.entry(level, entry) else { return (Vec::new(), None) };
        let name_at = |position: usize, name: &'a str| -> &'a str {
            entry.renamed.get(position).copied().unwrap_or(name)
        };
        match &entry.kind {
            EntryKind::Relation { touched, relation, row } => {
                let shown = relation.columns.iter().filter(|column| !column.hidden);
                let columns = shown.enumerate().map(|(position, column)| {
                    let origin = Origin {
                        touched: *touched,
                        column: ColumnKey::Attribute(column.attribute),
                        row: *row,
                    };
                    OutColumn {
                        name: name_at(position, &column.name),
                        lineage: Lineage::direct(origin),
                    }
                });
                (columns.collect(), None)
            }
            EntryKind::Unlisted { touched, row } => {
                let sources = touched
                    .iter()
                    .map(|touched| Origin { touched: *touched, column: ColumnKey::Any, row: *row })
                    .collect();
                (Vec::new(), Some(Lineage { sources, ..Lineage::default() }))
            }
            EntryKind::Rows { columns, open, .. } => {
                let columns = columns.iter().enumerate().map(|(position, column)| OutColumn {
                    name: name_at(position, column.name),
                    lineage: column.lineage.clone(),
                });
                (columns.collect(), open.clone())
            }
        }
    }

    /// Reads the columns of a lineage.
    pub(crate) fn read(&mut self, lineage: &Lineage) {
        for origin in &lineage.sources {
            self.use_column(origin.touched, Action::Select, origin.column);
        }
    }

    /// A name that is nowhere: the snapshot is older than the column, or the server will refuse.
    /// It is needed on every relation in sight.
    pub(crate) fn unresolved_column(&mut self, name: &'a str) -> Lineage {
        let mut lineage = Lineage::opaque();
        let column = self.name_key(name);
        let bases: Vec<u32> = self
            .levels
            .iter()
            .flat_map(|level| &level.entries)
            .flat_map(|entry| entry.bases.iter().copied())
            .collect();
        for touched in bases {
            self.use_column(touched, Action::Select, column);
            lineage.sources.push(Origin { touched, column, row: 0 });
        }
        lineage.settle();
        lineage
    }
}

impl Entry<'_> {
    /// The row source of a relation.
    pub(crate) const fn row(&self) -> u32 {
        match self.kind {
            EntryKind::Relation { row, .. } | EntryKind::Unlisted { row, .. } => row,
            EntryKind::Rows { .. } => 0,
        }
    }

    /// Whether it has, or may have, a column of this name.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        if self.renamed.contains(&name) {
            return true;
        }
        match &self.kind {
            EntryKind::Relation { relation, .. } => relation.column(name).is_some(),
            // A relation that is not listed may have any column, even one of its own name; the
            // caller then works with what is in the entry either way.
            EntryKind::Unlisted { .. } => false,
            EntryKind::Rows { columns, .. } => columns.iter().any(|column| column.name == name),
        }
    }

    /// Whether using one of its columns reads a relation that was not read before.
    const fn reads(&self) -> bool {
        match self.kind {
            EntryKind::Relation { .. } | EntryKind::Unlisted { .. } => true,
            EntryKind::Rows { reads, .. } => reads,
        }
    }
}

/// Either, or the union of both.
pub(crate) fn both(one: Option<Lineage>, other: Option<Lineage>) -> Option<Lineage> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.merge(other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}
