//! What was gathered, as accesses.
//!
//! Owns their order and shape: sorted, without repetition, columns by name.

use std::sync::Arc;

use model::{Access, Columns, Object};

use super::Walk;
use super::names::{Touched, Use};

impl<'a> Walk<'a> {
    pub(super) fn accesses(&mut self) -> Arc<[Access]> {
        let mut accesses = std::mem::take(&mut self.others);
        for touched in &self.touched {
            for used in &touched.uses {
                let object = Object::Relation {
                    path: self.path(touched),
                    columns: self.columns(touched, used),
                };
                accesses.push(Access { action: used.action, object });
            }
        }
        accesses.sort_unstable();
        accesses.dedup();
        accesses.into()
    }

    fn columns(&self, touched: &Touched<'a>, used: &Use) -> Columns {
        if used.all {
            return Columns::All;
        }
        let mut keys = used.columns.clone();
        keys.sort_unstable();
        keys.dedup();
        let mut names: Vec<Arc<str>> =
            keys.into_iter().map(|key| self.column_name(touched, key)).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { Columns::None } else { Columns::Named(names) }
    }
}
