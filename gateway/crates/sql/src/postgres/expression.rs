//! Expressions: what each reads, and what its value derives from.
//!
//! Owns every node of the grammar that may stand in an expression. Whatever a value is computed
//! from is among its sources, conditions of `CASE` included; what a subquery merely filters by is
//! not. Must not know which functions are harmless (`functions`).

use model::{Action, Object, ObjectPath};
use pg_raw_parse::{Node, nodes, raw};

use super::analyser::Analyser;
use super::compared::meeting_of;
use super::object::name_parts;
use crate::Unreadable;
use crate::comparison::Meeting;
use crate::walk::rows::{Expansion, Lineage, OutColumn};

impl<'a> Analyser<'a> {
    /// An expression whose value is not shown: what it derives from can be found out.
    pub(super) fn predicate(&mut self, node: Node<'a>) -> Result<(), Unreadable> {
        if !matches!(node, Node::None) {
            let lineage = self.condition(node)?;
            self.note_oracle(lineage);
        }
        Ok(())
    }

    /// An expression.
    pub(super) fn expression(&mut self, node: Node<'a>) -> Result<Lineage, Unreadable> {
        match node {
            // Leaves first: they need no stack.
            Node::None
            | Node::A_Const(_)
            | Node::ParamRef(_)
            | Node::SetToDefault(_)
            | Node::SQLValueFunction(_)
            | Node::MergeSupportFunc(_)
            | Node::Integer(_)
            | Node::Float(_)
            | Node::Boolean(_)
            | Node::String(_)
            | Node::BitString(_)
            | Node::CurrentOfExpr(_) => {
                self.spend(1)?;
                Ok(Lineage::constant())
            }
            Node::ColumnRef(column) => {
                self.spend(1)?;
                self.column_reference(column)
            }
            other => self.descend(|this| this.inner_expression(other)),
        }
    }

    fn inner_expression(&mut self, node: Node<'a>) -> Result<Lineage, Unreadable> {
        match node {
            Node::A_Expr(_) | Node::TypeCast(_) | Node::CollateClause(_) => self.chain(node),
            Node::BoolExpr(expr) => {
                let mut lineage = Lineage::constant();
                for condition in expr.args() {
                    lineage.merge(self.condition(condition)?);
                }
                Ok(lineage.derived())
            }
            Node::FuncCall(call) => self.call(call),
            Node::SubLink(link) => self.sublink(link),
            Node::A_Indirection(indirection) => self.indirection(indirection),
            Node::CaseExpr(case) => {
                let mut lineage = self.expression(case.arg())?;
                let simple = !matches!(case.arg(), Node::None);
                for when in case.args() {
                    match when {
                        Node::CaseWhen(when) if simple => {
                            lineage.merge(self.expression(when.expr())?);
                            self.note_meeting(Meeting::Compared, &lineage)?;
                        }
                        _ => {}
                    }
                }
                for when in case.args() {
                    lineage.merge(match when {
                        Node::CaseWhen(when) if simple => self.expression(when.result())?,
                        other => self.expression(other)?,
                    });
                }
                lineage.merge(self.expression(case.defresult())?);
                Ok(lineage.derived())
            }
            Node::CaseWhen(when) => {
                let mut lineage = self.condition(when.expr())?;
                lineage.merge(self.expression(when.result())?);
                Ok(lineage.derived())
            }
            Node::CoalesceExpr(expr) => self.all_of(expr.args()),
            Node::MinMaxExpr(expr) => {
                let lineage = self.all_of(expr.args())?;
                self.note_meeting(Meeting::Compared, &lineage)?;
                Ok(lineage)
            }
            Node::NullTest(test) => Ok(self.expression(test.arg())?.derived()),
            Node::BooleanTest(test) => Ok(self.condition(test.arg())?.derived()),
            Node::A_ArrayExpr(array) => self.all_of(array.elements()),
            Node::RowExpr(row) => self.row(row),
            Node::NodeList(list) => self.all_of(list),
            Node::NamedArgExpr(argument) => self.expression(argument.arg()),
            Node::GroupingFunc(grouping) => {
                let lineage = self.all_of(grouping.args())?;
                self.note_oracle(lineage);
                Ok(self.count_value())
            }
            Node::XmlExpr(xml) => {
                let mut lineage = self.all_of(xml.named_args())?;
                lineage.merge(self.all_of(xml.args())?);
                Ok(lineage)
            }
            Node::XmlSerialize(xml) => Ok(self.expression(xml.expr())?.derived()),
            Node::ResTarget(target) => self.expression(target.val()),
            Node::MultiAssignRef(assign) => Ok(self.expression(assign.source())?.derived()),
            Node::SortBy(sort) => {
                self.operator(sort.use_op());
                self.expression(sort.node())
            }
            Node::A_Indices(indices) => {
                let mut lineage = self.expression(indices.lidx())?;
                lineage.merge(self.expression(indices.uidx())?);
                Ok(lineage.derived())
            }
            other => self.json_expression(other),
        }
    }

    fn all_of(&mut self, list: &'a pg_raw_parse::list::NodeList) -> Result<Lineage, Unreadable> {
        let mut lineage = Lineage::constant();
        for node in list {
            lineage.merge(self.expression(node)?);
        }
        Ok(lineage.derived())
    }

    /// Operators and casts lean to the left by the thousand (`a || b || ..`): the left spine is
    /// walked in a loop.
    fn chain(&mut self, top: Node<'a>) -> Result<Lineage, Unreadable> {
        let mut node = top;
        let mut lineage = Lineage::constant();
        // What stands around the operators that set their sides against each other.
        let mut around = Lineage::constant();
        let mut meeting: Option<Meeting> = None;
        loop {
            match node {
                Node::A_Expr(expr) => {
                    self.operator(expr.name());
                    let own = meeting_of(expr);
                    if meeting.is_none() && own.is_some() {
                        around = std::mem::take(&mut lineage);
                    }
                    meeting = meeting.max(own);
                    lineage.merge(self.expression(expr.rexpr())?);
                    node = expr.lexpr();
                }
                Node::TypeCast(cast) => node = cast.arg(),
                Node::CollateClause(collate) => node = collate.arg(),
                other => {
                    lineage.merge(self.expression(other)?);
                    if let Some(meeting) = meeting {
                        self.note_meeting(meeting, &lineage)?;
                    }
                    lineage.merge(around);
                    return Ok(lineage.derived());
                }
            }
            self.spend(1)?;
        }
    }

    /// An operator that a user may have defined is a call of what stands behind it.
    pub(super) fn operator(&mut self, name: &'a pg_raw_parse::list::NodeList) {
        let catalog = self.scope().catalog;
        let schemas: Vec<&str> = match (name.get(0), name.get(1)) {
            (Some(schema), Some(_)) => match schema.as_str() {
                Some("pg_catalog") => return,
                schema => schema.into_iter().collect(),
            },
            (Some(own), None) => {
                let schemas = catalog.operator_schemas(own.as_str().unwrap_or_default());
                schemas.iter().map(AsRef::as_ref).collect()
            }
            _ => return,
        };
        let own = name_parts(name).last().copied().unwrap_or_default();
        for schema in schemas {
            let path = ObjectPath::new([self.scope().database, schema, own]);
            self.need(Action::Execute, Object::Named { kind: "operator", path });
        }
    }

    /// `ROW(..)`, in which `t.*` stands for columns.
    fn row(&mut self, row: &'a nodes::RowExpr) -> Result<Lineage, Unreadable> {
        let mut lineage = Lineage::constant();
        for node in row.args() {
            match self.star(node)? {
                Some((columns, open)) => {
                    for OutColumn { lineage: column, .. } in columns {
                        lineage.merge(column);
                    }
                    lineage.merge(open.unwrap_or_default());
                }
                None => lineage.merge(self.expression(node)?),
            }
        }
        Ok(lineage.derived())
    }

    fn sublink(&mut self, link: &'a nodes::SubLink) -> Result<Lineage, Unreadable> {
        self.operator(link.oper_name());
        let test = self.expression(link.testexpr())?;
        let exists = link.sub_link_type == raw::SubLinkType::EXISTS_SUBLINK;
        let outside = self.step_inside(exists);
        let rows = self.query(link.subselect());
        let correlation = self.step_outside(&outside);
        let rows = rows?;
        let value = match link.sub_link_type {
            raw::SubLinkType::EXISTS_SUBLINK => Lineage::constant(),
            raw::SubLinkType::EXPR_SUBLINK => match (rows.columns.as_slice(), &rows.open) {
                ([only], None) => only.lineage.clone(),
                _ => rows.union(),
            },
            raw::SubLinkType::ALL_SUBLINK
            | raw::SubLinkType::ANY_SUBLINK
            | raw::SubLinkType::ARRAY_SUBLINK => rows.union(),
            _ => return Ok(self.not_understood(Node::SubLink(link))),
        };
        let value = correlation.seen_from_outside(value);
        match link.sub_link_type {
            raw::SubLinkType::ALL_SUBLINK | raw::SubLinkType::ANY_SUBLINK => {
                let mut lineage = test;
                lineage.merge(value);
                self.note_meeting(Meeting::Compared, &lineage)?;
                Ok(lineage.derived())
            }
            raw::SubLinkType::ARRAY_SUBLINK => Ok(value.derived()),
            _ => Ok(value),
        }
    }

    /// `a`, `t.a`, `s.t.a`, `t`, and in the server's attribute notation `t.f` for `f(t)`.
    fn column_reference(&mut self, column: &'a nodes::ColumnRef) -> Result<Lineage, Unreadable> {
        let fields = column.fields();
        let mut names: [&'a str; 4] = [""; 4];
        for (index, field) in fields.iter().enumerate() {
            let (Some(slot), Some(name)) = (names.get_mut(index), field.as_str()) else {
                // `t.*` where one value stands is the whole row.
                return match self.star(Node::ColumnRef(column))? {
                    Some((columns, open)) => {
                        let mut all = open.unwrap_or_default();
                        columns.into_iter().for_each(|column| all.merge(column.lineage));
                        Ok(all.derived())
                    }
                    None => Ok(self.not_understood(Node::ColumnRef(column))),
                };
            };
            *slot = name;
        }
        let (schema, relation, name) = match (fields.len(), names) {
            (1, [name, ..]) => return self.column(name),
            (2, [relation, name, ..]) => (None, relation, name),
            (3, [schema, relation, name, _]) => (Some(schema), relation, name),
            (4, [database, schema, relation, name]) => {
                self.unknown |= database != self.scope().database;
                (Some(schema), relation, name)
            }
            _ => return Ok(self.not_understood(Node::ColumnRef(column))),
        };
        let Some((level, entry)) = self.relation_in_sight(schema, relation) else {
            // The server has no such entry and refuses the statement; until then it is opaque.
            return Ok(Lineage::opaque());
        };
        if let Some(lineage) = self.column_of(level, entry, name)? {
            return Ok(lineage);
        }
        let row = self.whole_row(level, entry);
        Ok(self.attribute_function(name, row))
    }

    /// `*` and `t.*`: the columns they stand for, read. Nothing if it is no star.
    pub(super) fn star(&mut self, node: Node<'a>) -> Result<Option<Expansion<'a>>, Unreadable> {
        let fields = match node {
            Node::ColumnRef(column) => column.fields(),
            Node::A_Indirection(indirection) => return self.row_star(indirection),
            _ => return Ok(None),
        };
        let Some((Node::A_Star(_), before)) =
            fields.iter().next_back().map(|last| (last, fields.len() - 1))
        else {
            return Ok(None);
        };
        let names: Vec<&'a str> = fields.iter().take(before).filter_map(Node::as_str).collect();
        let level = self.levels.len().saturating_sub(1);
        let chosen: Vec<(usize, usize)> = match names.as_slice() {
            [] => self.levels.last().map_or_else(Vec::new, |found| {
                let items = found.items.iter().filter(|item| item.columns);
                items.map(|item| (level, item.entry)).collect()
            }),
            [relation] => self.relation_in_sight(None, relation).into_iter().collect(),
            [.., schema, relation] => {
                self.relation_in_sight(Some(schema), relation).into_iter().collect()
            }
        };
        if chosen.is_empty() {
            return Ok(Some((Vec::new(), Some(Lineage::opaque()))));
        }
        let (mut columns, mut open) = (Vec::new(), None);
        for (level, entry) in chosen {
            let (more, maybe) = self.expand(level, entry);
            self.spend(more.len())?;
            let mut all = maybe.clone().unwrap_or_default();
            for column in &more {
                all.merge(column.lineage.clone());
            }
            self.read_whole(level, entry, &all);
            columns.extend(more);
            open = crate::walk::namespace::both(open, maybe);
        }
        Ok(Some((columns, open)))
    }

    /// `(expression).*`: the fields of a composite value, of which we know only the value.
    fn row_star(
        &mut self,
        indirection: &'a nodes::A_Indirection,
    ) -> Result<Option<Expansion<'a>>, Unreadable> {
        if !matches!(indirection.indirection().iter().next_back(), Some(Node::A_Star(_))) {
            return Ok(None);
        }
        if let Some((level, entry)) = self.row_in_sight(indirection.arg())
            && indirection.indirection().len() == 1
        {
            let (columns, open) = self.expand(level, entry);
            let row = self.whole_row(level, entry);
            self.read_whole(level, entry, &row);
            return Ok(Some((columns, open)));
        }
        let lineage = self.descend(|this| this.indirection(indirection))?;
        Ok(Some((Vec::new(), Some(lineage))))
    }

    /// The entry whose whole row an expression is, as `(t)` in `(t).a`.
    pub(super) fn row_in_sight(&self, node: Node<'a>) -> Option<(usize, usize)> {
        let name = super::query::bare_name(node)?;
        let is_column = self.levels.iter().enumerate().any(|(index, level)| {
            level.items.iter().any(|item| {
                item.columns
                    && self.entry(index, item.entry).is_some_and(|entry| entry.may_have(name))
            })
        });
        if is_column { None } else { self.relation_in_sight(None, name) }
    }

    /// `(x).f`, `x[1]`, `(x).f[1].g`. Each name may be a field or a function.
    fn indirection(
        &mut self,
        indirection: &'a nodes::A_Indirection,
    ) -> Result<Lineage, Unreadable> {
        let steps = indirection.indirection();
        let mut taken = 0;
        let mut lineage = match (self.row_in_sight(indirection.arg()), steps.first()) {
            (Some((level, entry)), Some(Node::String(field))) => {
                let name = field.sval().unwrap_or_default();
                match self.column_of(level, entry, name)? {
                    Some(lineage) => {
                        taken = 1;
                        lineage
                    }
                    None => self.whole_row(level, entry),
                }
            }
            (Some((level, entry)), _) => self.whole_row(level, entry),
            (None, _) => self.expression(indirection.arg())?,
        };
        for step in steps.iter().skip(taken) {
            match step {
                Node::String(field) => {
                    lineage = self
                        .attribute_function(field.sval().unwrap_or_default(), lineage.derived());
                }
                Node::A_Indices(_) => {
                    lineage.merge(self.expression(step)?);
                    self.note_meeting(Meeting::Compared, &lineage)?;
                }
                Node::A_Star(_) => {}
                other => lineage.merge(self.not_understood(other)),
            }
        }
        Ok(if taken == steps.len() { lineage } else { lineage.derived() })
    }
}
