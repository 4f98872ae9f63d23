//! Types, domains, operators, casts, collations, text search.
//!
//! Owns their statements. Those that tie functions to syntax need `code`: a later statement would
//! call the function without naming it.

use model::Action;
use pg_raw_parse::{Node, nodes, raw};

use super::super::analyser::Analyser;
use super::super::object::{kind_word, name_parts, node_name, typed_name_parts};
use super::super::session::Plain;
use super::{altered, created};
use crate::Unreadable;

impl<'a> Analyser<'a> {
    pub(super) fn define_type(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        use Action::{Alter, Create};
        Ok(match node {
            Node::DefineStmt(define) => self.define_any(define),
            Node::CreateDomainStmt(create) => {
                let name = typed_name_parts(create.domainname());
                self.need_in_schema(Create, "domain", &name);
                for constraint in create.constraints() {
                    self.domain_check(&name, constraint.raw_expr())?;
                }
                created("domain")
            }
            Node::AlterDomainStmt(alter) => {
                let name = name_parts(alter.type_name());
                self.need_in_schema(Alter, "domain", &name);
                let check = match alter.def() {
                    Node::Constraint(constraint) => constraint.raw_expr(),
                    other => other,
                };
                self.domain_check(&name, check)?;
                altered("domain")
            }
            Node::CompositeTypeStmt(create) => {
                let name = create.typevar().map(|named| node_name(Node::RangeVar(named)));
                self.need_in_schema(Create, "type", &name.unwrap_or_default());
                created("type")
            }
            Node::CreateEnumStmt(create) => {
                self.need_in_schema(Create, "type", &typed_name_parts(create.type_name()));
                created("type")
            }
            Node::CreateRangeStmt(create) => {
                let name = typed_name_parts(create.type_name());
                self.need_in_schema(Create, "type", &name);
                self.need_in_schema(Action::Code, "type", &name);
                created("type")
            }
            Node::AlterEnumStmt(alter) => {
                self.need_in_schema(Alter, "type", &typed_name_parts(alter.type_name()));
                altered("type")
            }
            Node::AlterTypeStmt(alter) => {
                let name = name_parts(alter.type_name());
                self.need_in_schema(Alter, "type", &name);
                self.need_in_schema(Action::Code, "type", &name);
                altered("type")
            }
            other => self.define_operator(other)?,
        })
    }

    fn define_operator(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        use Action::{Alter, Create};
        Ok(match node {
            Node::AlterOperatorStmt(alter) => {
                let name =
                    alter.opername().map(|name| name_parts(name.objname())).unwrap_or_default();
                self.need_in_schema(Alter, "operator", &name);
                self.need_in_schema(Action::Code, "operator", &name);
                altered("operator")
            }
            Node::AlterCollationStmt(alter) => {
                self.need_in_schema(Alter, "collation", &name_parts(alter.collname()));
                altered("collation")
            }
            Node::CreateOpClassStmt(create) => {
                let name = typed_name_parts(create.opclassname());
                self.need_in_schema(Create, "operator_class", &name);
                self.need_in_schema(Action::Code, "operator_class", &name);
                created("operator_class")
            }
            Node::CreateOpFamilyStmt(create) => {
                let name = typed_name_parts(create.opfamilyname());
                self.need_in_schema(Create, "operator_family", &name);
                created("operator_family")
            }
            Node::AlterOpFamilyStmt(alter) => {
                let name = typed_name_parts(alter.opfamilyname());
                self.need_in_schema(Alter, "operator_family", &name);
                self.need_in_schema(Action::Code, "operator_family", &name);
                altered("operator_family")
            }
            Node::CreateCastStmt(_) => {
                self.code_of("cast", Create, None);
                created("cast")
            }
            Node::CreateTransformStmt(_) => {
                self.code_of("transform", Create, None);
                created("transform")
            }
            Node::CreateConversionStmt(create) => {
                let name = name_parts(create.conversion_name());
                self.need_in_schema(Create, "conversion", &name);
                self.need_in_schema(Action::Code, "conversion", &name);
                created("conversion")
            }
            Node::CreateAmStmt(create) => {
                self.code_of("access_method", Create, create.amname());
                created("access_method")
            }
            Node::AlterTSDictionaryStmt(alter) => {
                let name = typed_name_parts(alter.dictname());
                self.need_in_schema(Alter, "text_search_dictionary", &name);
                altered("text_search_dictionary")
            }
            Node::AlterTSConfigurationStmt(alter) => {
                let name = typed_name_parts(alter.cfgname());
                self.need_in_schema(Alter, "text_search_configuration", &name);
                altered("text_search_configuration")
            }
            other => self.define_server_object(other)?,
        })
    }

    /// A check of a domain runs whenever a value is cast to it, whoever casts.
    fn domain_check(&mut self, name: &[&str], check: Node<'a>) -> Result<(), Unreadable> {
        if matches!(check, Node::None) {
            return Ok(());
        }
        self.need_in_schema(Action::Code, "domain", name);
        self.predicate(check)
    }

    /// `CREATE AGGREGATE | OPERATOR | TYPE | COLLATION | TEXT SEARCH ..`.
    fn define_any(&mut self, define: &'a nodes::DefineStmt) -> Plain {
        use raw::ObjectType as Kind;
        let name = typed_name_parts(define.defnames());
        let word = kind_word(define.kind);
        match define.kind {
            Kind::OBJECT_AGGREGATE => {
                self.need_routine(Action::Create, &name);
                self.need_routine(Action::Code, &name);
            }
            // Base types and operators call functions; templates and parsers are made of them.
            Kind::OBJECT_TYPE
            | Kind::OBJECT_OPERATOR
            | Kind::OBJECT_TSPARSER
            | Kind::OBJECT_TSTEMPLATE => {
                self.need_in_schema(Action::Create, word, &name);
                self.need_in_schema(Action::Code, word, &name);
            }
            _ => self.need_in_schema(Action::Create, word, &name),
        }
        created(word)
    }
}
