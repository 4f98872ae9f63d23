//! What a statement is read against: the state of the session that changes what names mean.
//!
//! Owns nothing; borrows what the session knows. Lives for one analysis.

use std::sync::Arc;

use crate::catalog::Catalog;

/// The session state that decides what a name means.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The database, the first part of every path.
    pub database: &'a str,
    /// The schemas in which unqualified names are looked for. Best what the server itself makes
    /// of the setting (`current_schemas(false)`): it passes over schemas that the user has no
    /// right to use, and a schema too many here would give a name another meaning. `"$user"` and
    /// `pg_temp` may stand as such.
    pub search_path: &'a [Arc<str>],
    /// What the database holds.
    pub catalog: &'a Catalog,
    /// The database user, whom `"$user"` stands for.
    pub user: &'a str,
    /// Temporary relations that this session may have made. A name in this list means both the
    /// temporary relation and what it may hide. Of MySQL,
    /// [`ANY_VARIABLE`](crate::mysql::ANY_VARIABLE) may be among them.
    pub temporary: &'a [Arc<str>],
}

impl<'a> Scope<'a> {
    /// A scope without temporary relations.
    #[must_use]
    pub const fn new(
        database: &'a str,
        search_path: &'a [Arc<str>],
        catalog: &'a Catalog,
        user: &'a str,
    ) -> Self {
        Self { database, search_path, catalog, user, temporary: &[] }
    }
}
