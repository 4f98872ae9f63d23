//! What is asked for a named object, by how objects of its kind are named.
//!
//! Owns the step from a name in a statement to a path. Must not know statements.

use model::{Action, Columns, Object, ObjectPath};
use pg_raw_parse::{Node, nodes, raw};

use super::super::analyser::Analyser;
use super::super::object::{Naming, kind_word, naming, node_name};
use crate::Unreadable;
use crate::walk::namespace::{Item, Level};
use crate::walk::rows::Lineage;

impl<'a> Analyser<'a> {
    /// An object of any kind, named by a relation or by a node.
    pub(super) fn need_object(
        &mut self,
        action: Action,
        kind: raw::ObjectType::Type,
        relation: Option<&'a nodes::RangeVar>,
        object: Node<'a>,
    ) {
        if let Some(named) = relation {
            self.on_relation(named, action);
            return;
        }
        let parts = node_name(object);
        let word = kind_word(kind);
        match naming(kind) {
            Naming::Relation => self.need_relation(action, &parts),
            Naming::OnRelation => {
                let (_, owner) = parts
                    .split_last()
                    .map_or((None, &[] as &[&str]), |(last, rest)| (Some(*last), rest));
                self.need_relation(Action::Alter, owner);
            }
            Naming::Function => self.need_routine(action, &parts),
            Naming::InSchema => self.need_in_schema(action, word, &parts),
            // Named by types, not by a name.
            Naming::InDatabase if matches!(word, "cast" | "transform") => {
                self.need_named(action, word, &["*"]);
            }
            Naming::InDatabase => self.need_named(action, word, &parts),
            Naming::Global => {
                self.need_global(action, word, parts.last().copied().unwrap_or("*"));
            }
        }
    }

    /// A relation named by strings.
    pub(super) fn need_relation(&mut self, action: Action, parts: &[&'a str]) {
        let touched = match parts {
            [name] => self.resolve_name(None, name),
            [schema, name] => self.resolve_name(Some(schema), name),
            [database, schema, name] if *database == self.scope().database => {
                self.resolve_name(Some(schema), name)
            }
            _ => {
                self.unknown = true;
                return;
            }
        };
        for one in touched {
            self.use_relation(one, action);
        }
    }

    /// A relation that is about to be: in its schema, or the one where new things go.
    pub(super) fn create_relation(&mut self, named: &'a nodes::RangeVar) -> Vec<u32> {
        let name = named.relname().unwrap_or_default();
        self.unknown |= named.schemaname().is_none() && !self.reading.names_certain;
        let temporary = u8::try_from(named.relpersistence) == Ok(b't');
        let schema = match named.schemaname() {
            _ if temporary => "pg_temp",
            Some(schema) => schema,
            None => self.creation_schema(),
        };
        if schema.starts_with("pg_temp") {
            self.creates_temporary.push(name.into());
        }
        let relation = self.scope().catalog.relation(schema, name);
        let touched = self.touch(schema, name, relation);
        self.use_relation(touched, Action::Create);
        vec![touched]
    }

    /// A function or procedure. One that is created goes where new things go, and one that is
    /// changed may be any the search path shows.
    pub(super) fn need_routine(&mut self, action: Action, parts: &[&str]) {
        let database = self.scope().database;
        self.unknown |= parts.len() == 1 && !self.reading.names_certain;
        let paths: Vec<ObjectPath> = match parts {
            [name] if action == Action::Create => {
                vec![ObjectPath::new([database, self.creation_schema(), name])]
            }
            [name] => {
                let schemas = self.possible_schemas();
                schemas.iter().map(|schema| ObjectPath::new([database, schema, name])).collect()
            }
            [schema, name] | [_, schema, name] => {
                vec![ObjectPath::new([database, schema, name])]
            }
            _ => {
                self.unknown = true;
                return;
            }
        };
        for path in paths {
            self.need(action, Object::Function { path });
        }
    }

    /// Something that lives in a schema and is no relation.
    pub(super) fn need_in_schema(&mut self, action: Action, kind: &'static str, parts: &[&str]) {
        self.unknown |= parts.len() == 1 && !self.reading.names_certain;
        match parts {
            [name] if action == Action::Create => {
                let schema = self.creation_schema();
                self.need_named(action, kind, &[schema, name]);
            }
            [name] => {
                for schema in self.possible_schemas() {
                    self.need_named(action, kind, &[schema, name]);
                }
            }
            [schema, name] | [_, schema, name] => self.need_named(action, kind, &[schema, name]),
            _ => self.unknown = true,
        }
    }

    /// Expressions over the columns of a relation: defaults, checks, policies, indexes. Gives what
    /// any of them derives from.
    pub(super) fn on_columns_of<I: IntoIterator<Item = Node<'a>>>(
        &mut self,
        named: Option<&'a nodes::RangeVar>,
        expressions: I,
    ) -> Result<Lineage, Unreadable> {
        self.levels.push(Level::default());
        if let Some(named) = named {
            let entry = self.relation_entry(named);
            let entry = self.add_entry(entry);
            self.in_sight(vec![Item { entry, relation: true, columns: true }]);
        }
        let mut all = Lineage::default();
        let result = expressions.into_iter().try_for_each(|node| {
            let lineage = self.expression(node)?;
            self.note_oracle(lineage.clone());
            all.merge(lineage);
            Ok(())
        });
        self.levels.pop();
        result.map(|()| all)
    }

    /// A relation that is not in any catalogue, for accesses only.
    pub(super) fn need_unlisted(&mut self, action: Action, schema: &str, name: &str) {
        let path = ObjectPath::new([self.scope().database, schema, name]);
        self.need(action, Object::Relation { path, columns: Columns::None });
    }
}
