//! Which statement it is: one arm for every statement of the grammar.
//!
//! Owns the dispatch and the statements that need a line each. Whatever has no arm is
//! [`StatementKind::Unknown`].

use std::sync::Arc;

use model::Action;
use pg_raw_parse::{Node, nodes, raw};

use super::analyser::Analyser;
use super::session::{Plain, lower, made_up, plain};
use crate::Unreadable;
use crate::lineage::Outputs;
use crate::statement::{Referral, Statement, StatementKind};
use crate::walk::around;

/// The number of `ACCESS SHARE` among the server's lock modes.
const ACCESS_SHARE_LOCK: i32 = 1;

impl<'a> Analyser<'a> {
    /// Reads one statement.
    pub(super) fn statement(mut self, node: Node<'a>) -> Result<Statement, Unreadable> {
        let (kind, outputs) = match node {
            Node::SelectStmt(select) => return self.select_statement(select),
            Node::InsertStmt(insert) => {
                let rows = self.query(node)?;
                let outputs = self.returned(insert.returning_clause().is_some(), &rows);
                (StatementKind::Insert, outputs)
            }
            Node::UpdateStmt(update) => {
                let rows = self.query(node)?;
                let outputs = self.returned(update.returning_clause().is_some(), &rows);
                (StatementKind::Update, outputs)
            }
            Node::DeleteStmt(delete) => {
                let rows = self.query(node)?;
                let outputs = self.returned(delete.returning_clause().is_some(), &rows);
                (StatementKind::Delete, outputs)
            }
            Node::MergeStmt(merge) => {
                let rows = self.query(node)?;
                let outputs = self.returned(merge.returning_clause().is_some(), &rows);
                (StatementKind::Merge, outputs)
            }
            Node::CopyStmt(copy) => return self.copy(copy),
            Node::ExplainStmt(explain) => return self.explain(explain),
            Node::PrepareStmt(prepare) => return self.prepare(prepare),
            Node::DeclareCursorStmt(declare) => return self.declare(declare),
            Node::CreateTableAsStmt(create) => return self.create_table_as(create),
            Node::ViewStmt(view) => self.create_view(view)?,
            other => self.session_statement(other)?,
        };
        Ok(self.finish(kind, outputs))
    }

    /// A statement about the session; anything else is handed on.
    fn session_statement(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        Ok(match node {
            Node::TransactionStmt(statement) => self.transaction(statement),
            Node::VariableSetStmt(statement) => self.set(statement),
            Node::VariableShowStmt(statement) => self.show(statement),
            Node::DiscardStmt(statement) => self.discard(statement),
            Node::FetchStmt(statement) => self.fetch(statement),
            Node::ListenStmt(statement) => self.listen(statement.conditionname()),
            Node::NotifyStmt(statement) => self.notify(statement.conditionname()),
            Node::UnlistenStmt(statement) => {
                let channel = statement.conditionname().map(Into::into);
                plain(StatementKind::Unlisten { channel })
            }
            Node::ConstraintsSetStmt(_) => plain(StatementKind::SetConstraints),
            Node::ExecuteStmt(statement) => self.execute(statement)?,
            Node::DeallocateStmt(statement) => {
                let name = statement.name().filter(|_| !statement.isall).map(Into::into);
                plain(StatementKind::Deallocate { name })
            }
            Node::ClosePortalStmt(statement) => {
                plain(StatementKind::Close { name: statement.portalname().map(Into::into) })
            }
            other => self.maintenance_statement(other)?,
        })
    }

    /// A statement that runs code, locks, empties or tends relations; anything else is handed on.
    fn maintenance_statement(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        Ok(match node {
            Node::LockStmt(statement) => {
                // The weakest lock is the one every read takes.
                let reading = statement.mode == ACCESS_SHARE_LOCK;
                let action = if reading { Action::Select } else { Action::Lock };
                self.on_relations(statement.relations(), action);
                plain(StatementKind::Lock)
            }
            Node::TruncateStmt(statement) => self.truncate(statement),
            Node::DoStmt(_) => {
                self.need_named(Action::Code, "block", &[]);
                plain(StatementKind::Do)
            }
            Node::CallStmt(call) => self.call_statement(call)?,
            Node::LoadStmt(load) => {
                let path = model::ObjectPath::new([load.filename().unwrap_or_default()]);
                self.need(Action::Code, model::Object::Named { kind: "library", path });
                plain(StatementKind::Load)
            }
            Node::VacuumStmt(statement) => self.vacuum(statement),
            Node::ClusterStmt(statement) => self.maintain(statement.relation(), "cluster"),
            Node::ReindexStmt(statement) => self.reindex(statement),
            Node::RefreshMatViewStmt(statement) => self.maintain(statement.relation(), "refresh"),
            Node::CheckPointStmt(_) => {
                self.need_named(Action::Maintain, "checkpoint", &[]);
                plain(StatementKind::Maintain { what: "checkpoint" })
            }
            Node::GrantStmt(_)
            | Node::GrantRoleStmt(_)
            | Node::AlterDefaultPrivilegesStmt(_)
            | Node::CreateRoleStmt(_)
            | Node::AlterRoleStmt(_)
            | Node::AlterRoleSetStmt(_)
            | Node::DropRoleStmt(_)
            | Node::DropOwnedStmt(_)
            | Node::ReassignOwnedStmt(_) => self.grants(node),
            other => self.define(other)?,
        })
    }

    /// `SELECT`, which may turn out to be `SELECT INTO`.
    fn select_statement(mut self, select: &'a nodes::SelectStmt) -> Result<Statement, Unreadable> {
        let rows = self.query(Node::SelectStmt(select))?;
        if let Some(into) = self.into {
            let object = self.create_from_rows(into, &rows, "table");
            return Ok(self.finish(StatementKind::Create { object }, Outputs::NoRows));
        }
        let outputs = self.outputs(&rows);
        Ok(self.finish(StatementKind::Select, outputs))
    }

    fn returned(&self, returning: bool, rows: &crate::walk::rows::Rows<'a>) -> Outputs {
        if returning { self.outputs(rows) } else { Outputs::NoRows }
    }

    fn nested(&self, node: Node<'a>) -> Result<Statement, Unreadable> {
        Analyser::new(self.reading).statement(node)
    }

    fn explain(self, explain: &'a nodes::ExplainStmt) -> Result<Statement, Unreadable> {
        let mut analyze = false;
        for option in explain.options() {
            if option.defname() == Some("analyze") {
                let value = super::copy::option_text(option.arg());
                analyze = !matches!(value.as_deref(), Some("false" | "off" | "0"));
            }
        }
        let inner = self.nested(explain.query())?;
        // With ANALYZE the counts and times are those of the data. Without, the planner still runs
        // functions that say they are immutable, and shows what they gave.
        let runs = inner.refers_to.is_some()
            || inner.accesses.iter().any(|access| access.action == Action::Execute);
        let outputs = made_up(&["QUERY PLAN"], analyze || runs);
        Ok(around(inner, outputs, |inner| StatementKind::Explain { analyze, inner }))
    }

    fn prepare(self, prepare: &'a nodes::PrepareStmt) -> Result<Statement, Unreadable> {
        let inner = self.nested(prepare.query())?;
        let name: Arc<str> = prepare.name().unwrap_or_default().into();
        Ok(around(inner, Outputs::NoRows, |inner| StatementKind::Prepare { name, inner }))
    }

    fn declare(self, declare: &'a nodes::DeclareCursorStmt) -> Result<Statement, Unreadable> {
        const BINARY: i32 = 0x0001;
        const HOLD: i32 = 0x0020;
        let inner = self.nested(declare.query())?;
        let name: Arc<str> = declare.portalname().unwrap_or_default().into();
        let hold = declare.options & HOLD != 0;
        let binary = declare.options & BINARY != 0;
        Ok(around(inner, Outputs::NoRows, |inner| StatementKind::DeclareCursor {
            name,
            hold,
            binary,
            inner,
        }))
    }

    /// `EXECUTE name (..)`, whose arguments may read too.
    pub(super) fn execute(
        &mut self,
        statement: &'a nodes::ExecuteStmt,
    ) -> Result<Plain, Unreadable> {
        for argument in statement.params() {
            self.predicate(argument)?;
        }
        let name: Arc<str> = statement.name().unwrap_or_default().into();
        self.refers_to = Some(Referral::Prepared(name.clone()));
        Ok((StatementKind::Execute { name }, Outputs::Unknown))
    }

    fn call_statement(&mut self, statement: &'a nodes::CallStmt) -> Result<Plain, Unreadable> {
        if let Some(call) = statement.funccall() {
            let mut lineage = self.call(call)?;
            lineage.opaque = true;
            self.note_oracle(lineage);
        } else {
            self.unknown = true;
        }
        Ok((StatementKind::Call, Outputs::Unknown))
    }

    /// The same action on each of a list of relations.
    pub(super) fn on_relations(
        &mut self,
        relations: &'a pg_raw_parse::list::NodeList,
        action: Action,
    ) {
        for node in relations {
            match node {
                Node::RangeVar(named) => self.on_relation(named, action),
                other => {
                    self.not_understood(other);
                }
            }
        }
    }

    pub(super) fn on_relation(&mut self, named: &'a nodes::RangeVar, action: Action) {
        for touched in self.resolve(named) {
            self.use_relation(touched, action);
        }
    }

    /// `CASCADE` empties whatever refers to the tables, which the catalogue does not tell us.
    fn truncate(&mut self, statement: &'a nodes::TruncateStmt) -> Plain {
        self.on_relations(statement.relations(), Action::Truncate);
        if statement.behavior == raw::DropBehavior::DROP_CASCADE {
            self.need_named(Action::Truncate, "cascade", &[]);
        }
        plain(StatementKind::Truncate)
    }

    fn maintain(&mut self, named: Option<&'a nodes::RangeVar>, what: &'static str) -> Plain {
        match named {
            Some(named) => self.on_relation(named, Action::Maintain),
            None => self.need_named(Action::Maintain, "database", &[]),
        }
        plain(StatementKind::Maintain { what })
    }

    fn vacuum(&mut self, statement: &'a nodes::VacuumStmt) -> Plain {
        let what = if statement.is_vacuumcmd { "vacuum" } else { "analyze" };
        if statement.rels().is_empty() {
            return self.maintain(None, what);
        }
        for relation in statement.rels() {
            self.maintain(relation.relation(), what);
        }
        plain(StatementKind::Maintain { what })
    }

    fn reindex(&mut self, statement: &'a nodes::ReindexStmt) -> Plain {
        use raw::ReindexObjectType as Kind;
        match statement.kind {
            Kind::REINDEX_OBJECT_INDEX | Kind::REINDEX_OBJECT_TABLE => {
                return self.maintain(statement.relation(), "reindex");
            }
            Kind::REINDEX_OBJECT_SCHEMA => {
                let schema = statement.name().unwrap_or("*");
                self.need_named(Action::Maintain, "schema", &[schema]);
            }
            _ => self.need_named(Action::Maintain, "database", &[]),
        }
        plain(StatementKind::Maintain { what: "reindex" })
    }

    /// A setting that is kept for later sessions (`ALTER ROLE .. SET`, `ALTER SYSTEM`).
    pub(super) fn kept_setting(&mut self, setting: Option<&'a nodes::VariableSetStmt>) {
        let name = setting.and_then(nodes::VariableSetStmt::name);
        self.need_global(Action::Set, "setting", &name.map_or("*".into(), lower));
    }
}
