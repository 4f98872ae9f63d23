//! SQL/JSON expressions and tables.
//!
//! Owns those nodes. Whatever goes into them comes out of them. Must not know anything else.

use std::rc::Rc;

use pg_raw_parse::{Node, nodes};

use super::analyser::Analyser;
use crate::Unreadable;
use crate::comparison::Meeting;
use crate::walk::namespace::Item;
use crate::walk::rows::{Lineage, OutColumn, Rows};

impl<'a> Analyser<'a> {
    /// An expression of SQL/JSON; anything else is not understood.
    pub(super) fn json_expression(&mut self, node: Node<'a>) -> Result<Lineage, Unreadable> {
        let mut lineage = Lineage::constant();
        match node {
            Node::JsonValueExpr(value) => {
                lineage.merge(self.expression(value.raw_expr())?);
                lineage.merge(self.expression(value.formatted_expr())?);
            }
            Node::JsonFuncExpr(call) => {
                lineage.merge(self.json_value(call.context_item())?);
                lineage.merge(self.expression(call.pathspec())?);
                for passing in call.passing() {
                    lineage.merge(self.expression(passing)?);
                }
                lineage.merge(self.json_behavior(call.on_empty())?);
                lineage.merge(self.json_behavior(call.on_error())?);
                self.note_meeting(Meeting::Compared, &lineage)?;
            }
            Node::JsonArgument(argument) => lineage.merge(self.json_value(argument.val())?),
            Node::JsonBehavior(behavior) => lineage.merge(self.expression(behavior.expr())?),
            Node::JsonKeyValue(pair) => {
                lineage.merge(self.expression(pair.key())?);
                lineage.merge(self.json_value(pair.value())?);
            }
            Node::JsonParseExpr(parse) => lineage.merge(self.json_value(parse.expr())?),
            Node::JsonScalarExpr(scalar) => lineage.merge(self.expression(scalar.expr())?),
            Node::JsonSerializeExpr(serialize) => {
                lineage.merge(self.json_value(serialize.expr())?);
            }
            Node::JsonIsPredicate(test) => lineage.merge(self.expression(test.expr())?),
            Node::JsonObjectConstructor(object) => {
                for pair in object.exprs() {
                    lineage.merge(self.expression(Node::JsonKeyValue(pair))?);
                }
            }
            Node::JsonArrayConstructor(array) => {
                for value in array.exprs() {
                    lineage.merge(self.expression(Node::JsonValueExpr(value))?);
                }
            }
            Node::JsonArrayQueryConstructor(array) => {
                let rows = self.query(array.query())?;
                lineage.merge(rows.union());
            }
            Node::JsonObjectAgg(aggregate) => {
                self.json_aggregate(aggregate.constructor())?;
                if let Some(pair) = aggregate.arg() {
                    lineage.merge(self.expression(Node::JsonKeyValue(pair))?);
                }
            }
            Node::JsonArrayAgg(aggregate) => {
                self.json_aggregate(aggregate.constructor())?;
                lineage.merge(self.json_value(aggregate.arg())?);
            }
            other => lineage = self.not_understood(other),
        }
        Ok(lineage.derived())
    }

    fn json_value(
        &mut self,
        value: Option<&'a nodes::JsonValueExpr>,
    ) -> Result<Lineage, Unreadable> {
        match value {
            Some(value) => self.expression(Node::JsonValueExpr(value)),
            None => Ok(Lineage::constant()),
        }
    }

    fn json_behavior(
        &mut self,
        behavior: Option<&'a nodes::JsonBehavior>,
    ) -> Result<Lineage, Unreadable> {
        match behavior {
            Some(behavior) => self.expression(behavior.expr()),
            None => Ok(Lineage::constant()),
        }
    }

    fn json_aggregate(
        &mut self,
        constructor: Option<&'a nodes::JsonAggConstructor>,
    ) -> Result<(), Unreadable> {
        let Some(constructor) = constructor else { return Ok(()) };
        self.predicate(constructor.agg_filter())?;
        for order in constructor.agg_order() {
            self.sorted(order)?;
        }
        constructor.over().map_or(Ok(()), |over| self.window(over))
    }

    pub(super) fn json_table_item(
        &mut self,
        table: &'a nodes::JsonTable,
    ) -> Result<Vec<Item>, Unreadable> {
        let mut lineage = self.json_value(table.context_item())?;
        for passing in table.passing() {
            lineage.merge(self.expression(passing)?);
        }
        if let Some(path) = table.pathspec() {
            lineage.merge(self.expression(path.string())?);
        }
        lineage.merge(self.json_behavior(table.on_error())?);
        let document = table.context_item().map(nodes::JsonValueExpr::raw_expr);
        let stored = matches!(document, Some(Node::ColumnRef(_))) && table.passing().is_empty();
        let lineage = self.rows_made_of(lineage, stored)?;
        let mut columns = Vec::new();
        for column in table.columns() {
            self.json_table_column(column, &lineage, &mut columns)?;
        }
        let rows = Rows { columns: Rc::new(columns), ..Rows::default() };
        Ok(self.rows_entry("json_table", rows, table.alias()))
    }

    fn json_table_column(
        &mut self,
        column: &'a nodes::JsonTableColumn,
        table: &Lineage,
        columns: &mut Vec<OutColumn<'a>>,
    ) -> Result<(), Unreadable> {
        let mut lineage = table.clone();
        lineage.merge(self.json_behavior(column.on_empty())?);
        lineage.merge(self.json_behavior(column.on_error())?);
        if let Some(path) = column.pathspec() {
            lineage.merge(self.expression(path.string())?);
        }
        if column.columns().is_empty() {
            columns.push(OutColumn { name: column.name().unwrap_or_default(), lineage });
            return Ok(());
        }
        for nested in column.columns() {
            match nested {
                Node::JsonTableColumn(nested) => {
                    self.descend(|this| this.json_table_column(nested, &lineage, columns))?;
                }
                other => {
                    self.not_understood(other);
                }
            }
        }
        Ok(())
    }
}
