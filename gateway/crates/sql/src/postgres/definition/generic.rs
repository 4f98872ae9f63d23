//! Statements that act on any kind of object: `DROP`, `RENAME`, `SET SCHEMA`, `OWNER TO`,
//! `COMMENT`, `SECURITY LABEL`.
//!
//! Owns their dispatch by kind. Must not know what the object is.

use model::Action;
use pg_raw_parse::{Node, raw};

use super::super::analyser::Analyser;
use super::super::object::{Naming, kind_word, naming};
use super::super::session::Plain;
use super::altered;
use crate::Unreadable;

impl<'a> Analyser<'a> {
    pub(super) fn define_generic(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        let kind = match node {
            Node::DropStmt(drop) => return Ok(self.drop(drop)),
            Node::RenameStmt(rename) => {
                self.rename_object(rename);
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
                self.need_named(Action::Create, "schema", &[alter.newschema().unwrap_or("*")]);
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
}
