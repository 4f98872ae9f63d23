//! What the columns of a view show, read from its definition.
//!
//! Owns the step from a definition to derivations for the catalogue. The server itself only says
//! which columns a view uses as a whole, which would mask every column of it.

use std::sync::Arc;

use crate::catalog::{BaseColumn, Catalog};
use crate::{AnalysisLimits, Scope};

/// For a view or materialised view: pairs of its column and a column beneath, to be given to
/// [`Catalog::with_derivations`]. The definition is that of `pg_get_viewdef`, asked for with an
/// empty `search_path`, so that its names are qualified. Where a column cannot be followed, it
/// derives from every column of every relation that the view reads.
///
/// Nothing is returned for a definition that cannot be read; the caller then has to treat the
/// view as the server's dependencies say
/// ([`derives_somewhere`](crate::CatalogBuilder::derives_somewhere)).
#[must_use]
pub fn derivations(
    catalog: &Catalog,
    database: &str,
    view: u32,
    definition: &str,
) -> Option<Vec<(BaseColumn, BaseColumn)>> {
    let search_path: [Arc<str>; 0] = [];
    let scope = Scope::new(database, &search_path, catalog, "");
    let analysis = super::analyse(definition, &scope, &AnalysisLimits::default()).ok()?;
    crate::view::derivations(catalog, view, &analysis)
}
