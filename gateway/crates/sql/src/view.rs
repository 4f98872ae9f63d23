//! What the columns of a view show, read from its definition.
//!
//! Owns the step from an analysed definition to derivations for the catalogue. Must not know a
//! grammar. The server itself only says which columns a view uses as a whole, or nothing at all.

use crate::catalog::{BaseColumn, Catalog};
use crate::lineage::{Outputs, Source};
use crate::statement::Analysis;

/// For a view: pairs of its column and a column beneath. Where a column cannot be followed, it
/// derives from every column of every relation that the view reads. Nothing where the definition
/// names what the catalogue does not know.
pub(crate) fn derivations(
    catalog: &Catalog,
    view: u32,
    analysis: &Analysis,
) -> Option<Vec<(BaseColumn, BaseColumn)>> {
    let [statement] = analysis.statements.as_slice() else { return None };
    let relation = catalog.relation_by_oid(view)?;
    let mut everything = Vec::new();
    for touched in &statement.relations {
        let beneath = catalog.relation_by_oid(touched.oid?)?;
        everything.extend(beneath.columns.iter().map(|column| (beneath.oid, column.attribute)));
    }
    let outputs = match &statement.outputs {
        Outputs::Columns(columns) if columns.len() == relation.columns.len() => columns.as_slice(),
        _ => &[],
    };
    let mut edges = Vec::new();
    for (index, column) in relation.columns.iter().enumerate() {
        let from = (view, column.attribute);
        let known = outputs.get(index).filter(|output| !output.opaque).and_then(|output| {
            output
                .sources
                .iter()
                .map(|source| match source {
                    Source::Column { relation, attribute } => Some((*relation, *attribute)),
                    Source::Unlisted { .. } => None,
                })
                .collect::<Option<Vec<BaseColumn>>>()
        });
        let bases = known.as_ref().unwrap_or(&everything);
        edges.extend(bases.iter().map(|base| (from, *base)));
    }
    Some(edges)
}
