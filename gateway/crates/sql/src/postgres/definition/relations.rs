//! Tables, views, indexes, sequences, schemas.
//!
//! Owns their statements. New rows from a query are written, so that copying is seen.

use model::Action;
use pg_raw_parse::{Node, nodes, raw};

use super::super::analyser::Analyser;
use super::super::object::{kind_word, typed_name_parts, untyped};
use super::super::session::Plain;
use super::{altered, created, dropped};
use crate::Unreadable;
use crate::lineage::Outputs;
use crate::statement::{Referral, Statement, StatementKind};
use crate::walk::rows::{ColumnKey, Lineage, Origin, Rows};

impl<'a> Analyser<'a> {
    pub(super) fn define_relation(&mut self, node: Node<'a>) -> Result<Plain, Unreadable> {
        Ok(match node {
            Node::CreateStmt(create) => {
                self.create_table(create)?;
                created("table")
            }
            Node::AlterTableStmt(alter) => self.alter_table(alter)?,
            Node::AlterTableMoveAllStmt(alter) => {
                let from = alter.orig_tablespacename().unwrap_or("*");
                self.need_global(Action::Alter, "tablespace", from);
                altered("tablespace")
            }
            Node::IndexStmt(index) => self.create_index(index)?,
            Node::CreateStatsStmt(stats) => {
                // The grammar takes any FROM list here; the server takes relations only.
                let relations = untyped(stats.relations());
                self.on_relations(relations, Action::Alter);
                let first = match relations.first() {
                    Some(Node::RangeVar(named)) => Some(named),
                    _ => None,
                };
                let elements = stats.exprs().iter().map(|node| match node {
                    Node::StatsElem(element) => element.expr(),
                    other => other,
                });
                self.on_columns_of(first, elements)?;
                let name = typed_name_parts(stats.defnames());
                if !name.is_empty() {
                    self.need_in_schema(Action::Create, "statistics", &name);
                }
                created("statistics")
            }
            Node::AlterStatsStmt(stats) => {
                let name = typed_name_parts(stats.defnames());
                self.need_in_schema(Action::Alter, "statistics", &name);
                altered("statistics")
            }
            Node::CreateSchemaStmt(create) => self.create_schema(create)?,
            Node::CreateSeqStmt(create) => {
                if let Some(named) = create.sequence() {
                    self.create_relation(named);
                }
                created("sequence")
            }
            Node::AlterSeqStmt(alter) => {
                if let Some(named) = alter.sequence() {
                    self.on_relation(named, Action::Alter);
                }
                altered("sequence")
            }
            other => self.define_generic(other)?,
        })
    }

    fn create_table(&mut self, create: &'a nodes::CreateStmt) -> Result<(), Unreadable> {
        if let Some(named) = create.relation() {
            self.create_relation(named);
        }
        // A child shows its rows through its parents.
        self.on_relations(create.inh_relations(), Action::Alter);
        let mut expressions = Vec::new();
        for element in create.table_elts() {
            self.table_element(element, &mut expressions);
        }
        for constraint in create.constraints() {
            self.constraint(constraint, &mut expressions);
        }
        if let Some(bounds) = create.partbound() {
            expressions.extend(bounds.listdatums());
            expressions.extend(bounds.lowerdatums());
            expressions.extend(bounds.upperdatums());
        }
        if let Some(spec) = create.partspec() {
            expressions.extend(spec.part_params().iter().map(nodes::PartitionElem::expr));
        }
        self.on_new_columns(create.relation(), expressions)
    }

    /// Expressions of a definition see the new columns, which no catalogue knows; what is asked
    /// for them is what they call and the relations they read in subqueries.
    fn on_new_columns(
        &mut self,
        _named: Option<&'a nodes::RangeVar>,
        expressions: Vec<Node<'a>>,
    ) -> Result<(), Unreadable> {
        for node in expressions {
            let node = match node {
                Node::PartitionRangeDatum(datum) => datum.value(),
                other => other,
            };
            self.predicate(node)?;
        }
        Ok(())
    }

    fn table_element(&mut self, element: Node<'a>, expressions: &mut Vec<Node<'a>>) {
        match element {
            Node::ColumnDef(column) => {
                expressions.push(column.raw_default());
                for constraint in column.constraints() {
                    self.table_element(constraint, expressions);
                }
            }
            Node::Constraint(constraint) => self.constraint(constraint, expressions),
            Node::TableLikeClause(like) => {
                if let Some(named) = like.relation() {
                    self.on_relation(named, Action::Select);
                }
            }
            other => {
                self.not_understood(other);
            }
        }
    }

    fn constraint(&mut self, constraint: &'a nodes::Constraint, expressions: &mut Vec<Node<'a>>) {
        expressions.push(constraint.raw_expr());
        expressions.push(constraint.where_clause());
        // A foreign key tells whether a value is there, and locks rows.
        if let Some(named) = constraint.pktable() {
            let touched = self.resolve(named);
            self.use_named(&touched, Action::Select, constraint.pk_attrs());
        }
    }

    fn alter_table(&mut self, alter: &'a nodes::AlterTableStmt) -> Result<Plain, Unreadable> {
        let mut expressions = Vec::new();
        if let Some(named) = alter.relation() {
            if alter.objtype == raw::ObjectType::OBJECT_TYPE {
                let name = super::super::object::node_name(Node::RangeVar(named));
                self.need_in_schema(Action::Alter, "type", &name);
                return Ok(altered("type"));
            }
            self.on_relation(named, Action::Alter);
        }
        for command in alter.cmds() {
            let Node::AlterTableCmd(command) = command else {
                self.not_understood(command);
                continue;
            };
            match command.def() {
                Node::ColumnDef(column) => {
                    self.table_element(Node::ColumnDef(column), &mut expressions);
                }
                Node::Constraint(constraint) => self.constraint(constraint, &mut expressions),
                // Attaching, detaching, inheriting: the other table changes too.
                Node::PartitionCmd(part) => {
                    if let Some(named) = part.name() {
                        self.on_relation(named, Action::Alter);
                        if command.subtype == raw::AlterTableType::AT_AttachPartition
                            && let Some(parent) = alter.relation()
                        {
                            self.note_shown_by(Some(named), parent);
                        }
                    }
                }
                Node::RangeVar(named) => {
                    self.on_relation(named, Action::Alter);
                    if command.subtype == raw::AlterTableType::AT_AddInherit {
                        self.note_shown_by(alter.relation(), named);
                    }
                }
                // Options, statistics, identities, types, names: of the table itself.
                Node::None
                | Node::NodeList(_)
                | Node::Integer(_)
                | Node::Float(_)
                | Node::String(_)
                | Node::Boolean(_)
                | Node::TypeName(_)
                | Node::DefElem(_)
                | Node::ATAlterConstraint(_)
                | Node::ReplicaIdentityStmt(_) => {}
                // `SET DEFAULT expression`.
                other => expressions.push(other),
            }
        }
        self.on_columns_of(alter.relation(), expressions)?;
        let touched = alter.relation().map(|named| self.resolve(named)).unwrap_or_default();
        let filled = alter.cmds().iter().flat_map(filling).collect::<Vec<_>>();
        let lineage = self.on_columns_of(alter.relation(), filled)?;
        self.note_write(&touched, None, &lineage);
        Ok(altered(kind_word(alter.objtype)))
    }

    /// A parent shows its children's rows: as if they had been copied there.
    fn note_shown_by(&mut self, child: Option<&'a nodes::RangeVar>, parent: &'a nodes::RangeVar) {
        let parents = self.resolve(parent);
        for child in child.map(|named| self.resolve(named)).unwrap_or_default() {
            let relation = self.touched.get(child as usize).and_then(|found| found.relation);
            let keys: Vec<ColumnKey> = match relation {
                Some(relation) => {
                    let columns = relation.columns.iter();
                    columns.map(|column| ColumnKey::Attribute(column.attribute)).collect()
                }
                None => vec![ColumnKey::Any],
            };
            let sources = keys.into_iter().map(|column| Origin { touched: child, column, row: 0 });
            let lineage = Lineage { sources: sources.collect(), ..Lineage::default() };
            self.note_write(&parents, None, &lineage);
        }
    }

    fn create_index(&mut self, index: &'a nodes::IndexStmt) -> Result<Plain, Unreadable> {
        if let Some(named) = index.relation() {
            self.on_relation(named, Action::Alter);
        }
        let elements = index.index_params().iter().map(nodes::IndexElem::expr);
        self.on_columns_of(index.relation(), elements.chain([index.where_clause()]))?;
        let schema = index.relation().and_then(nodes::RangeVar::schemaname);
        let schema = schema.unwrap_or_else(|| self.creation_schema());
        self.need_unlisted(Action::Create, schema, index.idxname().unwrap_or("*"));
        Ok(created("index"))
    }

    fn create_schema(&mut self, create: &'a nodes::CreateSchemaStmt) -> Result<Plain, Unreadable> {
        let owner = create.authrole().and_then(nodes::RoleSpec::rolename);
        let name = create.schemaname().or(owner).unwrap_or("*");
        self.need_named(Action::Create, "schema", &[name]);
        if !create.schema_elts().is_empty() {
            self.need_unlisted(Action::Create, name, "*");
        }
        for element in create.schema_elts() {
            // What is created inside goes into the new schema; what it reads is read as always.
            let inner = Analyser::new(self.reading).statement(element)?;
            self.others.extend(inner.accesses.iter().cloned());
            self.writes.extend(inner.writes_from);
            self.unknown |= inner.kind == StatementKind::Unknown;
        }
        Ok(created("schema"))
    }

    pub(super) fn drop(&mut self, drop: &'a nodes::DropStmt) -> Plain {
        for object in drop.objects() {
            self.need_object(Action::Drop, drop.remove_type, None, object);
        }
        if drop.behavior == raw::DropBehavior::DROP_CASCADE {
            self.need_named(Action::Drop, "cascade", &[]);
        }
        dropped(kind_word(drop.remove_type))
    }

    /// `CREATE VIEW`: whoever may read the view reads what it reads.
    pub(in super::super) fn create_view(
        &mut self,
        view: &'a nodes::ViewStmt,
    ) -> Result<Plain, Unreadable> {
        let mut rows = self.query(view.query())?;
        super::super::query::rename(&mut rows, view.aliases());
        if let Some(named) = view.view() {
            let touched = self.create_relation(named);
            self.note_rows(&touched, &rows);
            if view.replace {
                self.on_relation(named, Action::Alter);
            }
        }
        Ok(created("view"))
    }

    /// `CREATE TABLE AS`, `CREATE MATERIALIZED VIEW`, also of a prepared statement.
    pub(in super::super) fn create_table_as(
        mut self,
        create: &'a nodes::CreateTableAsStmt,
    ) -> Result<Statement, Unreadable> {
        let rows = match create.query() {
            Node::ExecuteStmt(execute) => {
                self.execute(execute)?;
                debug_assert!(matches!(self.refers_to, Some(Referral::Prepared(_))));
                Rows { open: Some(Lineage::opaque()), ..Rows::default() }
            }
            query => self.query(query)?,
        };
        let object = kind_word(create.objtype);
        let object = match create.into() {
            Some(into) => self.create_from_rows(into, &rows, object),
            None => object,
        };
        Ok(self.finish(StatementKind::Create { object }, Outputs::NoRows))
    }

    /// A new relation, filled with rows.
    pub(in super::super) fn create_from_rows(
        &mut self,
        into: &'a nodes::IntoClause,
        rows: &Rows<'a>,
        object: &'static str,
    ) -> &'static str {
        let mut rows = rows.clone();
        super::super::query::rename(&mut rows, into.col_names());
        match into.rel() {
            Some(named) => {
                let touched = self.create_relation(named);
                self.note_rows(&touched, &rows);
            }
            None => self.unknown = true,
        }
        object
    }

    fn note_rows(&mut self, touched: &[u32], rows: &Rows<'a>) {
        for column in rows.columns.iter() {
            self.note_write(touched, Some(column.name), &column.lineage);
        }
        if let Some(open) = &rows.open {
            self.note_write(touched, None, open);
        }
    }
}

/// The expressions of a command of `ALTER TABLE` that fill a column: its default, what it is
/// generated from, and `USING`.
fn filling(command: Node<'_>) -> Vec<Node<'_>> {
    let Node::AlterTableCmd(command) = command else { return Vec::new() };
    match command.def() {
        Node::ColumnDef(column) => {
            let constraints = column.constraints().iter().filter_map(|node| match node {
                Node::Constraint(constraint)
                    if matches!(
                        constraint.contype,
                        raw::ConstrType::CONSTR_DEFAULT | raw::ConstrType::CONSTR_GENERATED
                    ) =>
                {
                    Some(constraint.raw_expr())
                }
                _ => None,
            });
            std::iter::once(column.raw_default()).chain(constraints).collect()
        }
        Node::Constraint(_) | Node::PartitionCmd(_) | Node::RangeVar(_) => Vec::new(),
        other if is_expression_of(command.subtype) => vec![other],
        _ => Vec::new(),
    }
}

/// Whether what a command is given is an expression.
const fn is_expression_of(subtype: raw::AlterTableType::Type) -> bool {
    matches!(subtype, raw::AlterTableType::AT_ColumnDefault | raw::AlterTableType::AT_SetExpression)
}
