//! Names of prepared statements and portals, as the upstream has them.
//!
//! Owns the bookkeeping that SQL (`PREPARE`, `DECLARE`) and the protocol (`Parse`, `Bind`) share,
//! because the server's names are shared too. Must not know what a name's text means. A change is
//! made when it is forwarded and taken back if the server did not make it.
//!
//! Requests are numbered in batches, each ended by the `ReadyForQuery` that the server answers it
//! with. Within a batch every request may count on those before it: had one failed, the server
//! would skip the rest. Across batches it may not, so a name that an unanswered batch has changed
//! is [`Found::Unsettled`], and whoever asks waits.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A table of names.
#[derive(Debug)]
pub(super) struct Names<T> {
    slots: FxHashMap<Box<[u8]>, Slot<T>>,
    /// Names whose removal is not settled yet.
    removed: Vec<Box<[u8]>>,
    settled: u64,
}

#[derive(Debug)]
struct Slot<T> {
    /// `None` where the name was removed.
    value: Option<Arc<T>>,
    batch: u64,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), batch: self.batch }
    }
}

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Found<T> {
    /// This.
    Known(Arc<T>),
    /// Nothing.
    Missing,
    /// It depends on answers that have not come.
    Unsettled,
}

/// How to take a change back.
#[derive(Debug)]
pub(super) struct Undo<T> {
    name: Box<[u8]>,
    before: Option<Slot<T>>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { slots: FxHashMap::default(), removed: Vec::new(), settled: 0 }
    }
}

impl<T> Names<T> {
    /// What `name` stands for, asked by a request of `batch`.
    pub(super) fn get(&self, name: &[u8], batch: u64) -> Found<T> {
        match self.slots.get(name) {
            None => Found::Missing,
            Some(slot) if slot.batch != batch && slot.batch > self.settled => Found::Unsettled,
            Some(Slot { value: Some(value), .. }) => Found::Known(Arc::clone(value)),
            Some(Slot { value: None, .. }) => Found::Missing,
        }
    }

    /// Gives `name` a meaning from `batch` on.
    pub(super) fn set(&mut self, name: &[u8], value: Arc<T>, batch: u64) -> Undo<T> {
        self.put(name, Some(value), batch)
    }

    /// Takes the meaning of `name` away.
    pub(super) fn remove(&mut self, name: &[u8], batch: u64) -> Option<Undo<T>> {
        if !self.slots.contains_key(name) {
            return None;
        }
        self.removed.push(name.into());
        Some(self.put(name, None, batch))
    }

    /// Takes the meaning of every name away.
    pub(super) fn clear(&mut self, batch: u64) -> Vec<Undo<T>> {
        let names: Vec<Box<[u8]>> = self.slots.keys().cloned().collect();
        names.iter().filter_map(|name| self.remove(name, batch)).collect()
    }

    fn put(&mut self, name: &[u8], value: Option<Arc<T>>, batch: u64) -> Undo<T> {
        let slot = Slot { value, batch };
        let before = match self.slots.get_mut(name) {
            Some(known) => Some(std::mem::replace(known, slot)),
            None => {
                self.slots.insert(name.into(), slot);
                None
            }
        };
        Undo { name: name.into(), before }
    }

    /// Takes a change back. Changes are taken back in the reverse order of their making.
    pub(super) fn undo(&mut self, undo: Undo<T>) {
        match undo.before {
            Some(before) => {
                self.slots.insert(undo.name, before);
            }
            None => {
                self.slots.remove(&undo.name);
            }
        }
    }

    /// Everything up to `batch` has been answered.
    pub(super) fn settle(&mut self, batch: u64) {
        self.settled = self.settled.max(batch);
        if self.removed.is_empty() {
            return;
        }
        let (slots, settled) = (&mut self.slots, self.settled);
        self.removed.retain(|name| match slots.get(name) {
            Some(Slot { value: None, batch }) if *batch <= settled => {
                slots.remove(name);
                false
            }
            Some(Slot { value: None, .. }) => true,
            _ => false,
        });
    }

    /// Forgets what `keep` does not want, of everything up to `batch`.
    pub(super) fn forget_unless(&mut self, batch: u64, keep: impl Fn(&T) -> bool) {
        self.slots.retain(|_, slot| {
            slot.batch > batch || slot.value.as_ref().is_some_and(|value| keep(value))
        });
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &Names<&'static str>, name: &[u8], batch: u64) -> Option<&'static str> {
        match names.get(name, batch) {
            Found::Known(value) => Some(*value),
            Found::Missing => None,
            Found::Unsettled => Some("unsettled"),
        }
    }

    #[test]
    fn a_name_is_known_within_its_batch_and_unsettled_beyond_until_answered() {
        let mut names = Names::default();
        let _undo = names.set(b"s", Arc::new("a"), 1);
        assert_eq!(known(&names, b"s", 1), Some("a"));
        assert_eq!(known(&names, b"s", 2), Some("unsettled"));
        names.settle(1);
        assert_eq!(known(&names, b"s", 2), Some("a"));
        let _undo = names.remove(b"s", 2);
        assert_eq!(known(&names, b"s", 2), None);
        assert_eq!(known(&names, b"s", 3), Some("unsettled"));
        names.settle(2);
        assert_eq!(known(&names, b"s", 3), None);
        assert_eq!(names.len(), 0);
    }

    #[test]
    fn changes_taken_back_leave_what_was_there() {
        let mut names = Names::default();
        let _settled = names.set(b"s", Arc::new("a"), 1);
        names.settle(1);
        let close = names.remove(b"s", 2).unwrap();
        let parse = names.set(b"s", Arc::new("b"), 2);
        let other = names.set(b"t", Arc::new("c"), 2);
        for undo in [other, parse, close] {
            names.undo(undo);
        }
        names.settle(2);
        assert_eq!(known(&names, b"s", 3), Some("a"));
        assert_eq!(known(&names, b"t", 3), None);
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn a_transaction_that_ends_takes_its_portals_and_no_later_ones() {
        let mut names = Names::default();
        let _a = names.set(b"a", Arc::new("gone"), 1);
        let _b = names.set(b"b", Arc::new("with hold"), 1);
        let _c = names.set(b"c", Arc::new("later"), 2);
        names.forget_unless(1, |value| *value == "with hold");
        names.settle(1);
        assert_eq!(known(&names, b"a", 2), None);
        assert_eq!(known(&names, b"b", 2), Some("with hold"));
        assert_eq!(known(&names, b"c", 2), Some("later"));
    }
}
