//! Where values go: results, and columns that are written from others.
//!
//! Owns the step from a lineage of the walk to one that outlives it. Must not know what is
//! classified.

use super::Walk;
use super::namespace::UNNAMED;
use super::rows::{Lineage, Rows};
use crate::lineage::{ColumnWrite, Form, OutputLineage, Outputs};

impl<'a> Walk<'a> {
    /// The end of a query at the top of a statement.
    pub(crate) fn outputs(&self, rows: &Rows<'a>) -> Outputs {
        if rows.open.is_some() {
            return Outputs::Unknown;
        }
        let columns = rows.columns.iter().map(|column| {
            let mut lineage = column.lineage.clone();
            lineage.settle();
            let mut sources: Vec<_> =
                lineage.sources.iter().map(|origin| self.source(*origin)).collect();
            sources.sort_unstable();
            sources.dedup();
            let form = if sources.len() == 1 { lineage.form } else { Form::Derived };
            let name = if column.name == UNNAMED { "?" } else { column.name };
            OutputLineage { name: name.into(), sources, form, opaque: lineage.opaque }
        });
        Outputs::Columns(columns.collect())
    }

    /// A column is written from other columns.
    pub(crate) fn note_write(&mut self, touched: &[u32], name: Option<&str>, lineage: &Lineage) {
        if lineage.sources.is_empty() && !lineage.opaque {
            return;
        }
        let mut sources: Vec<_> =
            lineage.sources.iter().map(|origin| self.source(*origin)).collect();
        sources.sort_unstable();
        sources.dedup();
        for one in touched {
            let Some(relation) = self.touched.get(*one as usize) else { continue };
            self.writes.push(ColumnWrite {
                relation: self.path(relation),
                column: name.map(Into::into),
                sources: sources.clone(),
                opaque: lineage.opaque,
            });
        }
    }
}
