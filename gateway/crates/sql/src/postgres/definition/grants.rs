//! `GRANT`, `REVOKE`, roles and what belongs to them.
//!
//! Owns their statements: each needs `grant` on what rights are given for and on the roles.

use model::Action;
use pg_raw_parse::{Node, nodes, raw};

use super::super::analyser::Analyser;
use super::super::object::{Naming, kind_word, naming, node_name, untyped};
use super::super::session::{Plain, plain};
use crate::statement::StatementKind;

impl<'a> Analyser<'a> {
    pub(in super::super) fn grants(&mut self, node: Node<'a>) -> Plain {
        let what = match node {
            Node::GrantStmt(grant) => {
                self.grant_objects(grant);
                if grant.is_grant { "grant" } else { "revoke" }
            }
            Node::GrantRoleStmt(grant) => {
                for role in grant.granted_roles() {
                    let name = match role {
                        Node::AccessPriv(role) => role.priv_name(),
                        _ => None,
                    };
                    self.need_global(Action::Grant, "role", name.unwrap_or("*"));
                }
                if grant.is_grant { "grant role" } else { "revoke role" }
            }
            Node::AlterDefaultPrivilegesStmt(_) => {
                self.need_named(Action::Grant, "default_privileges", &[]);
                "alter default privileges"
            }
            Node::CreateRoleStmt(create) => {
                self.need_global(Action::Grant, "role", create.role().unwrap_or("*"));
                "create role"
            }
            Node::AlterRoleStmt(alter) => {
                self.need_role(alter.role());
                "alter role"
            }
            Node::AlterRoleSetStmt(alter) => {
                self.need_role(alter.role());
                self.kept_setting(alter.setstmt());
                "alter role set"
            }
            Node::DropRoleStmt(drop) => {
                self.need_roles(drop.roles());
                "drop role"
            }
            Node::DropOwnedStmt(drop) => {
                self.need_roles(drop.roles());
                self.need_named(Action::Drop, "owned", &[]);
                "drop owned"
            }
            Node::ReassignOwnedStmt(reassign) => {
                self.need_roles(reassign.roles());
                self.need_role(reassign.newrole());
                self.need_named(Action::Alter, "owned", &[]);
                "reassign owned"
            }
            other => {
                self.not_understood(other);
                "unknown"
            }
        };
        plain(StatementKind::Grant { what })
    }

    fn need_roles(&mut self, roles: &'a pg_raw_parse::list::NodeList) {
        for role in roles {
            match role {
                Node::RoleSpec(role) => self.need_role(Some(role)),
                other => {
                    self.not_understood(other);
                }
            }
        }
    }

    fn need_role(&mut self, role: Option<&'a nodes::RoleSpec>) {
        use raw::RoleSpecType as Kind;
        let name = match role.map(|role| (role.roletype, role.rolename())) {
            Some((Kind::ROLESPEC_CSTRING, Some(name))) => name,
            Some((Kind::ROLESPEC_CURRENT_ROLE | Kind::ROLESPEC_CURRENT_USER, _)) => {
                self.scope().user
            }
            Some((Kind::ROLESPEC_SESSION_USER, _)) => self.scope().user,
            Some((Kind::ROLESPEC_PUBLIC, _)) => "public",
            _ => "*",
        };
        self.need_global(Action::Grant, "role", name);
    }

    /// What rights are given for. The list holds nodes of the kind that the statement names.
    fn grant_objects(&mut self, grant: &'a nodes::GrantStmt) {
        let word = kind_word(grant.objtype);
        for object in untyped(grant.objects()) {
            let in_schemas = grant.targtype == raw::GrantTargetType::ACL_TARGET_ALL_IN_SCHEMA;
            let parts = node_name(object);
            match (object, naming(grant.objtype)) {
                _ if in_schemas => self.need_named(Action::Grant, "schema", &parts),
                (Node::RangeVar(named), _) => self.on_relation(named, Action::Grant),
                (_, Naming::Function) => self.need_routine(Action::Grant, &parts),
                (_, Naming::InSchema) => self.need_in_schema(Action::Grant, word, &parts),
                (_, Naming::Global) => {
                    self.need_global(Action::Grant, word, parts.last().copied().unwrap_or("*"));
                }
                (Node::Integer(_) | Node::Float(_), _) => {
                    self.need_named(Action::Grant, word, &[]);
                }
                _ => self.need_named(Action::Grant, word, &parts),
            }
        }
        if grant.objects().is_empty() {
            self.need_named(Action::Grant, word, &[]);
        }
    }
}
