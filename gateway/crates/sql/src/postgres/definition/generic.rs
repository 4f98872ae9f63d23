//! Statements that act on any kind of object: `DROP`, `RENAME`, `SET SCHEMA`, `OWNER TO`,
//! `COMMENT`, `SECURITY LABEL`.
//!
//! Owns their dispatch by kind. Must not know what the object is.

use std::sync::Arc;

use model::{Action, ObjectPath};
use pg_raw_parse::{Node, raw};

use super::super::analyser::Analyser;
use super::super::object::{Naming, kind_word, naming};
use super::super::session::Plain;
use super::altered;
use crate::Unreadable;
use crate::lineage::ColumnWrite;
use crate::walk::rows::{ColumnKey, Origin};

impl<'a> Analyser<'a> {
    pub(super) fn define_generic(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        let kind = match node {
            Node::DropStmt(drop) => return Ok(self.drop(drop)),
            Node::RenameStmt(rename) => {
                self.rename_object(rename);
                self.note_rename(rename);
                rename.rename_type
            }
            Node::AlterObjectDependsStmt(alter) => {
                let kind = alter.object_type;
                self.need_object(Action::Alter, kind, alter.relation(), alter.object());
                kind
            }
            Node::AlterObjectSchemaStmt(alter) => {
                let kind = alter.object_type;
                self.need_object(Action::Alter, kind, alter.relation(), alter.object());
                let schema = alter.newschema().unwrap_or("*");
                self.need_named(Action::Create, "schema", &[schema]);
                if let Some(named) = alter.relation() {
                    let path = [schema, named.relname().unwrap_or("*")];
                    for touched in self.resolve(named) {
                        self.note_moved(touched, &path, None);
                    }
                }
                kind
            }
            Node::AlterOwnerStmt(alter) => {
                let kind = alter.object_type;
                self.need_object(Action::Alter, kind, alter.relation(), alter.object());
                kind
            }
            Node::CommentStmt(comment) => {
                self.need_object(Action::Alter, comment.objtype, None, comment.object());
                comment.objtype
            }
            Node::SecLabelStmt(label) => {
                self.need_object(Action::Alter, label.objtype, None, label.object());
                label.objtype
            }
            other => return self.define_code(other),
        };
        Ok(altered(kind_word(kind)))
    }

    fn rename_object(&mut self, rename: &'a pg_raw_parse::nodes::RenameStmt) {
        let kind = rename.rename_type;
        if rename.relation().is_some() || !matches!(rename.object(), Node::None) {
            self.need_object(Action::Alter, kind, rename.relation(), rename.object());
            return;
        }
        let name = rename.subname().unwrap_or("*");
        match naming(kind) {
            Naming::Global if kind == raw::ObjectType::OBJECT_ROLE => {
                self.need_global(Action::Grant, "role", name);
            }
            Naming::Global => self.need_global(Action::Alter, kind_word(kind), name),
            _ => self.need_named(Action::Alter, kind_word(kind), &[name]),
        }
    }

    /// Whatever is known of values by the name of their column, table or schema, is not known of
    /// the new name: to rename is to write them there.
    fn note_rename(&mut self, rename: &'a pg_raw_parse::nodes::RenameStmt) {
        let new = rename.newname().unwrap_or("*");
        let scope = self.scope();
        match (rename.rename_type, rename.relation()) {
            (raw::ObjectType::OBJECT_COLUMN | raw::ObjectType::OBJECT_ATTRIBUTE, Some(named)) => {
                let relation = named.relname().unwrap_or("*");
                for touched in self.resolve(named) {
                    let path = [self.schema_of(touched), relation];
                    self.note_moved(touched, &path, Some((rename.subname().unwrap_or("*"), new)));
                }
            }
            (kind, Some(named)) if naming(kind) == Naming::Relation => {
                for touched in self.resolve(named) {
                    let path = [self.schema_of(touched), new];
                    self.note_moved(touched, &path, None);
                }
            }
            (raw::ObjectType::OBJECT_SCHEMA, _) => {
                let schema = rename.subname().unwrap_or("*");
                let moved = scope.catalog.relations().iter();
                for relation in moved.filter(|relation| *relation.schema == *schema) {
                    let touched = self.touch(&relation.schema, &relation.name, Some(relation));
                    self.note_moved(touched, &[new, &relation.name], None);
                }
            }
            _ => {}
        }
    }

    fn schema_of(&self, touched: u32) -> &'a str {
        self.touched.get(touched as usize).map_or("*", |found| found.schema)
    }

    /// All columns of a touched relation, or one with its new name, are now found at `path`.
    fn note_moved(&mut self, touched: u32, path: &[&str; 2], column: Option<(&'a str, &str)>) {
        let keys: Vec<(ColumnKey, Option<Arc<str>>)> = match column {
            Some((old, new)) => vec![(self.column_key(touched, old), Some(new.into()))],
            None => match self.touched.get(touched as usize).and_then(|found| found.relation) {
                Some(relation) => relation
                    .columns
                    .iter()
                    .map(|column| {
                        (ColumnKey::Attribute(column.attribute), Some(column.name.clone()))
                    })
                    .collect(),
                None => vec![(ColumnKey::Any, None)],
            },
        };
        for (key, column) in keys {
            let source = self.source(Origin { touched, column: key, row: 0 });
            let relation = ObjectPath::new([self.scope().database, path[0], path[1]]);
            self.writes.push(ColumnWrite {
                relation,
                column,
                sources: vec![source],
                opaque: false,
            });
        }
    }
}
