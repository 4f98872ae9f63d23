//! What a session's own definitions have changed since its snapshot was taken.
//!
//! Owns their names. Must not know how a snapshot is fetched. Definitions come one after the other
//! (migrations, dumps that are restored), and a snapshot of a large database takes long to fetch:
//! none is needed before a statement that is read alike by the old one. Whatever is not known to be
//! read alike is read by a new one.

use std::sync::Arc;

use model::{Access, Action, Object, ObjectPath};
use rustc_hash::FxHashMap;
use sql::catalog::RelationKind;
use sql::{Catalog, Outputs, Source, Statement, StatementKind, TouchedRelation};

/// Names that are remembered. Raised, longer sequences go without a new snapshot; beyond, the next
/// statement is read by one.
const NAMES_MAX: usize = 10_000;

/// What was changed.
#[derive(Debug, Default)]
pub(super) struct Altered {
    /// Whether something was changed of which names do not tell everything: a view, a function, a
    /// schema, what a procedure did.
    unclear: bool,
    /// By the last part of the name, which alone is written where the search path decides.
    names: FxHashMap<Arc<str>, Change>,
}

#[derive(Debug)]
enum Change {
    /// This one is new.
    Made(ObjectPath),
    /// This one is another than before.
    Altered(ObjectPath),
    /// It is gone, or the name belongs to several.
    Doubtful,
}

impl Altered {
    /// A statement that changes what the database holds has been carried out.
    pub(super) fn note(&mut self, statement: &Statement) {
        if !is_plain(statement) || self.names.len() >= NAMES_MAX {
            self.unclear = true;
            return;
        }
        for (action, path) in relations(&statement.accesses) {
            let Some(name) = path.0.last() else { continue };
            let before = self.names.remove(name);
            let now = match (action, before) {
                (Action::Create, None) => Change::Made(path.clone()),
                (Action::Alter, None) => Change::Altered(path.clone()),
                (Action::Create | Action::Alter, Some(Change::Made(same))) if same == *path => {
                    Change::Made(same)
                }
                (Action::Alter, Some(Change::Altered(same))) if same == *path => {
                    Change::Altered(same)
                }
                (Action::Create | Action::Alter | Action::Drop, _) => Change::Doubtful,
                (_, Some(before)) => before,
                (_, None) => continue,
            };
            self.names.insert(Arc::clone(name), now);
        }
    }

    /// Whether these are read by the old snapshot as they would be by a new one.
    pub(super) fn leaves_as_read(&self, read: &[Statement], catalog: &Catalog) -> bool {
        !self.unclear && read.iter().all(|statement| self.leaves(statement, catalog))
    }

    fn leaves(&self, statement: &Statement, catalog: &Catalog) -> bool {
        // In a transaction no new snapshot can be taken: what begins one, needs it before.
        let begins = statement.kind.controls_transaction()
            || matches!(statement.kind, StatementKind::Lock | StatementKind::SetTransaction)
            || statement.settings.iter().any(|change| change.name.as_deref() == Some("autocommit"));
        let holds_another = statement.refers_to.is_some()
            || matches!(
                statement.kind,
                StatementKind::Prepare { .. }
                    | StatementKind::DeclareCursor { .. }
                    | StatementKind::Explain { .. }
            );
        let unknown = statement.accesses.iter().any(|access| access.action == Action::Unknown);
        !begins
            && !holds_another
            && !unknown
            && statement.creates_temporary.is_empty()
            && is_listed(statement)
            && statement.relations.iter().all(|one| self.stands(one, statement, catalog))
    }

    /// Whether a relation that a statement names is what it was, or the statement does not depend on
    /// more than its name.
    fn stands(&self, one: &TouchedRelation, statement: &Statement, catalog: &Catalog) -> bool {
        let Some(name) = one.path.0.last() else { return false };
        let by_name = is_plain(statement) && statement.read_columns.is_empty();
        let is_made = relations(&statement.accesses)
            .any(|(action, path)| action == Action::Create && *path == one.path);
        match (one.oid, self.names.get(name)) {
            // It is judged by its own name, whatever else has it.
            _ if by_name && is_made => true,
            (Some(oid), None) => catalog.relation_by_oid(oid).is_some_and(|relation| {
                by_name || matches!(relation.kind, RelationKind::Table | RelationKind::Sequence)
            }),
            (Some(_), Some(Change::Altered(path))) | (None, Some(Change::Made(path))) => {
                by_name && *path == one.path
            }
            _ => false,
        }
    }
}

/// Whether a statement calls procedures alone that are known to define nothing.
pub(super) fn defines_nothing(statement: &Statement, catalog: &Catalog) -> bool {
    let harmless = |access: &Access| match (&access.object, access.action) {
        (Object::Function { path }, Action::Execute) => match path.0.as_slice() {
            [_, schema, name] => !catalog.may_define(schema, name),
            _ => false,
        },
        _ => true,
    };
    let mut calls = statement.accesses.iter().filter(|access| access.action == Action::Execute);
    matches!(statement.kind, StatementKind::Call)
        && calls.next().is_some()
        && statement.accesses.iter().all(harmless)
}

/// Whether a statement changes what it names and nothing else that a snapshot shows.
fn is_plain(statement: &Statement) -> bool {
    const OBJECTS: &[&str] = &["table", "column", "constraint", "index", "sequence", "trigger"];
    let of_objects = match &statement.kind {
        StatementKind::Create { object }
        | StatementKind::Alter { object }
        | StatementKind::Drop { object } => OBJECTS.contains(object),
        _ => false,
    };
    // Of two that are changed, one shows the other: a parent and its child.
    let is_drop = matches!(statement.kind, StatementKind::Drop { .. });
    let changed = relations(&statement.accesses)
        .filter(|(action, _)| matches!(action, Action::Alter | Action::Drop))
        .count();
    let makes_table = matches!(statement.kind, StatementKind::Create { object: "table" });
    let related = !is_drop && changed > usize::from(!makes_table);
    of_objects
        && !related
        && statement.writes_from.is_empty()
        && statement.creates_temporary.is_empty()
}

fn relations(accesses: &[Access]) -> impl Iterator<Item = (Action, &ObjectPath)> {
    accesses.iter().filter_map(|access| match &access.object {
        Object::Relation { path, .. } => Some((access.action, path)),
        _ => None,
    })
}

/// Whether all columns that a statement is about are in the snapshot.
fn is_listed(statement: &Statement) -> bool {
    let listed = |source: &Source| matches!(source, Source::Column { .. });
    let shown = match &statement.outputs {
        Outputs::NoRows => true,
        Outputs::Columns(columns) => columns.iter().all(|one| one.sources.iter().all(listed)),
        Outputs::Unknown => false,
    };
    let mut compared = statement.comparisons.iter().flat_map(|one| &one.columns);
    shown
        && statement.read_columns.iter().all(listed)
        && compared.all(|(_, source)| listed(source))
        && statement.writes_from.iter().all(|one| !one.opaque && one.sources.iter().all(listed))
}

#[cfg(test)]
mod tests {
    use sql::catalog::Function;
    use sql::{AnalysisLimits, CatalogBuilder, Scope};

    use super::*;

    /// A shop, its search path being `app, public`.
    fn shop() -> Catalog {
        let mut builder = CatalogBuilder::new(1);
        for schema in ["app", "public", "pg_catalog"] {
            builder.schema(schema);
        }
        builder
            .relation(10, "public", "users", RelationKind::Table)
            .column(10, 1, "id", 23, false)
            .column(10, 2, "email", 25, false)
            .relation(11, "public", "orders", RelationKind::Table)
            .column(11, 1, "id", 23, false)
            .relation(12, "public", "contacts", RelationKind::View)
            .column(12, 1, "mail", 25, false);
        builder.build()
    }

    fn postgres(text: &str) -> Vec<Statement> {
        let catalog = shop();
        let path: [Arc<str>; 2] = ["app".into(), "public".into()];
        let scope = Scope::new("shop", &path, &catalog, "bob");
        sql::postgres::analyse(text, &scope, &AnalysisLimits::default()).unwrap().statements
    }

    fn mysql(text: &str) -> Vec<Statement> {
        let catalog = shop();
        let path: [Arc<str>; 1] = ["public".into()];
        let scope = Scope::new("def", &path, &catalog, "bob");
        sql::mysql::analyse(text, &scope, &AnalysisLimits::default()).unwrap().statements
    }

    type Read = fn(&str) -> Vec<Statement>;

    /// Which of these are read alike once the first have been carried out.
    fn alike(read: Read, done: &[&str], then: &[&str]) -> Vec<bool> {
        let mut altered = Altered::default();
        done.iter().for_each(|text| read(text).iter().for_each(|one| altered.note(one)));
        then.iter().map(|text| altered.leaves_as_read(&read(text), &shop())).collect()
    }

    #[test]
    fn definitions_follow_each_other() {
        for read in [postgres as Read, mysql] {
            let done =
                ["CREATE TABLE public.fresh (id int)", "ALTER TABLE orders ADD COLUMN n int"];
            let then = [
                "CREATE TABLE more (id int)",
                "ALTER TABLE public.fresh ADD COLUMN n int",
                "CREATE INDEX i ON public.fresh (id)",
                "ALTER TABLE orders ADD COLUMN m int",
                "DROP TABLE public.fresh",
                "CREATE TABLE more (id int, other int REFERENCES public.users (id))",
            ];
            assert_eq!(alike(read, &done, &then), [true; 6]);
        }
    }

    #[test]
    fn what_touches_nothing_that_was_changed_is_read_alike() {
        for read in [postgres as Read, mysql] {
            let then = [
                "SELECT id, email FROM users WHERE id = 1",
                "INSERT INTO users VALUES (1, 'x')",
                "UPDATE users SET email = 'x' WHERE id = 2",
                "SELECT 1",
            ];
            assert_eq!(alike(read, &["CREATE TABLE fresh (id int)"], &then), [true; 4]);
        }
    }

    #[test]
    fn whatever_may_be_read_otherwise_is_not_alike() {
        for read in [postgres as Read, mysql] {
            let done =
                ["CREATE TABLE public.fresh (id int)", "ALTER TABLE orders ADD COLUMN n int"];
            let then = [
                "SELECT * FROM public.fresh",
                "INSERT INTO public.fresh VALUES (1)",
                "SELECT * FROM orders",
                "SELECT * FROM users, orders",
                "SELECT * FROM contacts",
                "SELECT * FROM unheard_of",
                "SELECT unheard_of FROM users",
                "ALTER TABLE public.fresh RENAME TO other",
                "CREATE VIEW v AS SELECT id FROM public.fresh",
                "CREATE TABLE copy AS SELECT * FROM orders",
                "SELECT id FROM users; SELECT id FROM orders",
                "BEGIN",
            ];
            assert_eq!(alike(read, &done, &then), [false; 12]);
        }
    }

    #[test]
    fn what_is_in_the_way_of_another_name_is_not_alike() {
        // `users` is another one from now on.
        let users = ["SELECT * FROM users", "ALTER TABLE users ADD COLUMN n int"];
        assert_eq!(alike(postgres, &["CREATE TABLE app.users (id int)"], &users), [false; 2]);
        assert_eq!(alike(postgres, &["DROP TABLE users"], &users), [false; 2]);
        // Without its schema, a new one may be of either.
        let fresh = ["ALTER TABLE fresh ADD COLUMN n int"];
        assert_eq!(alike(postgres, &["CREATE TABLE app.fresh (id int)"], &fresh), [false]);
        // One that comes again.
        let again = ["DROP TABLE public.fresh", "CREATE TABLE public.fresh (id int)"];
        let then = ["CREATE TABLE public.fresh (id int)", "ALTER TABLE public.fresh ADD n int"];
        assert_eq!(alike(postgres, &again, &then), [true, false]);
    }

    #[test]
    fn after_what_names_do_not_tell_nothing_is_alike() {
        let done = [
            "CREATE VIEW v AS SELECT 1 AS one",
            "CREATE SCHEMA other",
            "CREATE TABLE child () INHERITS (users)",
            "ALTER TABLE users ATTACH PARTITION orders DEFAULT",
            "ALTER TABLE users RENAME TO people",
            "CREATE TABLE copy AS SELECT * FROM users",
            "CREATE TEMPORARY TABLE own (id int)",
            "DO 'BEGIN END'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE RULE r AS ON INSERT TO users DO NOTHING",
        ];
        for one in done {
            assert_eq!(alike(postgres, &[one], &["SELECT 1"]), [false], "{one}");
        }
        for one in ["CREATE DATABASE other", "CALL p()", "RENAME TABLE users TO people"] {
            assert_eq!(alike(mysql, &[one], &["SELECT 1"]), [false], "{one}");
        }
    }

    #[test]
    fn so_many_names_are_remembered() {
        let mut altered = Altered::default();
        for number in 0..=NAMES_MAX {
            assert!(altered.leaves_as_read(&postgres("SELECT 1"), &shop()));
            let text = format!("CREATE TABLE public.t{number} (id int)");
            postgres(&text).iter().for_each(|one| altered.note(one));
        }
        assert!(!altered.leaves_as_read(&postgres("SELECT 1"), &shop()));
    }

    #[test]
    fn a_call_of_what_defines_nothing_changes_nothing() {
        let mut builder = CatalogBuilder::new(1);
        for (name, defines) in [("adds", false), ("makes", true)] {
            builder.function(Function {
                oid: 1,
                schema: "public".into(),
                name: name.into(),
                is_procedure: true,
                security_definer: false,
                returns_set: true,
                volatility: 'v',
                language: "sql".into(),
                defines,
            });
        }
        let catalog = builder.build();
        let path: [Arc<str>; 1] = ["public".into()];
        let scope = Scope::new("def", &path, &catalog, "bob");
        let limits = AnalysisLimits::default();
        for (text, expected) in [
            ("CALL adds(1)", true),
            ("CALL public.adds((SELECT 1))", true),
            ("CALL makes(1)", false),
            ("CALL adds(makes())", false),
            ("CALL unheard_of()", false),
            ("CALL other.adds(1)", false),
            ("SELECT adds(1)", false),
        ] {
            for analyse in [sql::postgres::analyse, sql::mysql::analyse] {
                let read = analyse(text, &scope, &limits).unwrap().statements;
                assert_eq!(defines_nothing(&read[0], &catalog), expected, "{text}");
            }
        }
    }
}
