//! What of `FROM` is in sight while a query is read.
//!
//! Owns the items of the innermost level. Must not know how an entry comes about.

use super::Walk;
use super::namespace::{Item, both};
use super::rows::Expansion;

impl<'a> Walk<'a> {
    pub(crate) fn in_sight(&mut self, items: Vec<Item>) {
        if let Some(level) = self.levels.last_mut() {
            level.items.extend(items);
        }
    }

    /// What is in sight at the innermost level, taken away for a while.
    pub(crate) fn take_sight(&mut self) -> Vec<Item> {
        self.levels.last_mut().map(|level| std::mem::take(&mut level.items)).unwrap_or_default()
    }

    pub(crate) fn restore_sight(&mut self, items: Vec<Item>) {
        if let Some(level) = self.levels.last_mut() {
            level.items = items;
        }
    }

    /// The touched relations behind items of the innermost level.
    pub(crate) fn bases_of(&self, items: &[Item]) -> Vec<u32> {
        let level = self.levels.len().saturating_sub(1);
        let entries = items.iter().filter_map(|item| self.entry(level, item.entry));
        entries.flat_map(|entry| entry.bases.iter().copied()).collect()
    }

    /// The columns in sight of one side of a join.
    pub(crate) fn side(&self, items: &[Item]) -> Expansion<'a> {
        let level = self.levels.len().saturating_sub(1);
        let (mut columns, mut open) = (Vec::new(), None);
        for item in items.iter().filter(|item| item.columns) {
            let (more, maybe) = self.expand(level, item.entry);
            columns.extend(more);
            open = both(open, maybe);
        }
        (columns, open)
    }
}
