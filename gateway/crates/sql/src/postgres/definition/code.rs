//! Functions, triggers, rules, policies, extensions: definitions that make the server run code.
//!
//! Owns their statements. What the code does is not read; to define it needs `code`.

use model::Action;
use pg_raw_parse::{Node, nodes};

use super::super::analyser::Analyser;
use super::super::object::{kind_word, name_parts};
use super::super::session::Plain;
use super::{altered, created};
use crate::Unreadable;

impl<'a> Analyser<'a> {
    pub(super) fn define_code(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        Ok(match node {
            Node::CreateFunctionStmt(create) => {
                let name = name_parts(create.funcname());
                self.need_routine(Action::Create, &name);
                self.need_routine(Action::Code, &name);
                created(if create.is_procedure { "procedure" } else { "function" })
            }
            Node::AlterFunctionStmt(alter) => {
                let name = alter.func().map(|func| name_parts(func.objname())).unwrap_or_default();
                self.need_routine(Action::Alter, &name);
                altered(kind_word(alter.objtype))
            }
            Node::CreateTrigStmt(create) => {
                if let Some(named) = create.relation() {
                    self.on_relation(named, Action::Alter);
                }
                if let Some(named) = create.constrrel() {
                    self.on_relation(named, Action::Alter);
                }
                self.need_routine(Action::Code, &name_parts(create.funcname()));
                created("trigger")
            }
            Node::RuleStmt(rule) => {
                if let Some(named) = rule.relation() {
                    self.on_relation(named, Action::Alter);
                }
                self.need_named(Action::Code, "rule", &[rule.rulename().unwrap_or("*")]);
                created("rule")
            }
            Node::CreatePolicyStmt(policy) => {
                self.policy_on(policy.table(), [policy.qual(), policy.with_check()])?;
                created("policy")
            }
            Node::AlterPolicyStmt(policy) => {
                self.policy_on(policy.table(), [policy.qual(), policy.with_check()])?;
                altered("policy")
            }
            Node::CreateEventTrigStmt(create) => {
                self.code_of("event_trigger", Action::Create, create.trigname());
                created("event_trigger")
            }
            Node::AlterEventTrigStmt(alter) => {
                let name = alter.trigname().unwrap_or("*");
                self.need_named(Action::Alter, "event_trigger", &[name]);
                altered("event_trigger")
            }
            Node::CreatePLangStmt(create) => {
                self.code_of("language", Action::Create, create.plname());
                created("language")
            }
            Node::CreateExtensionStmt(create) => {
                self.code_of("extension", Action::Create, create.extname());
                created("extension")
            }
            Node::AlterExtensionStmt(alter) => {
                self.code_of("extension", Action::Alter, alter.extname());
                altered("extension")
            }
            Node::AlterExtensionContentsStmt(alter) => {
                self.code_of("extension", Action::Alter, alter.extname());
                altered("extension")
            }
            other => self.define_type(other)?,
        })
    }

    fn policy_on(
        &mut self,
        table: Option<&'a nodes::RangeVar>,
        conditions: [Node<'a>; 2],
    ) -> Result<(), Unreadable> {
        if let Some(named) = table {
            self.on_relation(named, Action::Alter);
        }
        self.on_columns_of(table, conditions).map(drop)
    }

    /// Something named in the database that holds code.
    pub(super) fn code_of(&mut self, kind: &'static str, action: Action, name: Option<&str>) {
        let name = name.unwrap_or("*");
        self.need_named(action, kind, &[name]);
        self.need_named(Action::Code, kind, &[name]);
    }
}
