//! What the columns of a view show, read from its definition.
//!
//! Owns how a definition is asked for. Must not know what is done with the derivations.

use std::sync::Arc;

use super::CATALOG;
use crate::catalog::{BaseColumn, Catalog};
use crate::{AnalysisLimits, Scope};

/// For a view: pairs of its column and a column beneath, to be given to
/// [`Catalog::with_derivations`]. The definition is `information_schema.views.view_definition`, in
/// which the server has qualified every name. Where a column cannot be followed, it derives from
/// every column of every relation that the view reads.
///
/// Nothing is returned for a definition that cannot be read; the caller then has to take every
/// column of the view for one that may show anything
/// ([`unclear`](crate::CatalogBuilder::unclear)).
#[must_use]
pub fn derivations(
    catalog: &Catalog,
    view: u32,
    definition: &str,
) -> Option<Vec<(BaseColumn, BaseColumn)>> {
    let search_path: [Arc<str>; 0] = [];
    let scope = Scope::new(CATALOG, &search_path, catalog, "");
    let analysis = super::analyse(definition, &scope, &AnalysisLimits::default()).ok()?;
    crate::view::derivations(catalog, view, &analysis)
}
