//! `FROM`: each item becomes an entry and a piece of the namespace, as the server builds it.
//!
//! Owns the order of sight: what a `LATERAL` item, a function and an `ON` condition may see.
//! Must not know what names are looked up for.

use std::rc::Rc;

use model::{Action, Object, ObjectPath};
use pg_raw_parse::{Node, nodes};

use super::analyser::Analyser;
use crate::Unreadable;
use crate::walk::namespace::{Entry, EntryKind, Item};
use crate::walk::rows::{Lineage, OutColumn, Rows};

impl<'a> Analyser<'a> {
    /// Adds every item of a `FROM` list to the innermost level.
    pub(super) fn add_items<I: IntoIterator<Item = Node<'a>>>(
        &mut self,
        list: I,
    ) -> Result<(), Unreadable> {
        for node in list {
            let items = self.item(node)?;
            self.in_sight(items);
        }
        Ok(())
    }

    pub(super) fn item(&mut self, node: Node<'a>) -> Result<Vec<Item>, Unreadable> {
        self.descend(|this| match node {
            Node::RangeVar(named) => this.relation_item(named),
            Node::RangeSubselect(select) => this.subquery_item(select),
            Node::RangeFunction(function) => this.function_item(function),
            Node::JoinExpr(join) => this.join_item(join),
            Node::RangeTableSample(sample) => this.sample_item(sample),
            Node::RangeTableFunc(table) => this.xml_table_item(table),
            Node::JsonTable(table) => this.json_table_item(table),
            other => {
                let open = Some(this.not_understood(other));
                Ok(this.rows_entry("", Rows { open, ..Rows::default() }, None))
            }
        })
    }

    fn relation_item(&mut self, named: &'a nodes::RangeVar) -> Result<Vec<Item>, Unreadable> {
        let name = named.relname().unwrap_or_default();
        if named.schemaname().is_none()
            && let Some(rows) = self.cte(name)?
        {
            return Ok(self.rows_entry(name, rows, named.alias()));
        }
        let entry = self.relation_entry(named);
        for touched in entry.bases.clone() {
            self.use_relation(touched, Action::Select);
        }
        let entry = self.add_entry(entry);
        Ok(vec![Item { entry, relation: true, columns: true }])
    }

    /// An entry for a stored relation, which is not yet read.
    pub(super) fn relation_entry(&mut self, named: &'a nodes::RangeVar) -> Entry<'a> {
        let bases = self.resolve(named);
        let only = match bases.as_slice() {
            [one] => self
                .touched
                .get(*one as usize)
                .and_then(|touched| touched.relation)
                .map(|relation| (*one, relation)),
            _ => None,
        };
        let kind = match only {
            Some((touched, relation)) => {
                EntryKind::Relation { touched, relation, row: self.fresh_row() }
            }
            None => EntryKind::Unlisted { touched: bases.clone(), row: self.fresh_row() },
        };
        let alias = named.alias();
        Entry {
            name: alias.and_then(nodes::Alias::aliasname).or(named.relname()).unwrap_or_default(),
            plain: alias.is_none(),
            kind,
            renamed: alias.map(alias_columns).unwrap_or_default(),
            bases,
        }
    }

    /// An entry for computed rows, in sight by its alias and by its columns.
    pub(super) fn rows_entry(
        &mut self,
        name: &'a str,
        rows: Rows<'a>,
        alias: Option<&'a nodes::Alias>,
    ) -> Vec<Item> {
        let rows = self.row_source(rows);
        let name = alias.and_then(nodes::Alias::aliasname).unwrap_or(name);
        let entry = self.add_entry(Entry {
            name,
            plain: false,
            kind: EntryKind::Rows { columns: rows.columns, open: rows.open, reads: false },
            renamed: alias.map(alias_columns).unwrap_or_default(),
            bases: rows.bases,
        });
        vec![Item { entry, relation: !name.is_empty(), columns: true }]
    }

    fn subquery_item(
        &mut self,
        select: &'a nodes::RangeSubselect,
    ) -> Result<Vec<Item>, Unreadable> {
        let hidden = if select.lateral { None } else { Some(self.take_sight()) };
        let rows = self.query(select.subquery());
        if let Some(hidden) = hidden {
            self.restore_sight(hidden);
        }
        Ok(self.rows_entry("", rows?, select.alias()))
    }

    fn function_item(
        &mut self,
        function: &'a nodes::RangeFunction,
    ) -> Result<Vec<Item>, Unreadable> {
        let mut columns: Vec<OutColumn<'a>> = Vec::new();
        let mut open: Option<Lineage> = None;
        let mut first_name = "";
        let alias = function.alias();
        let alone = function.functions().len() == 1;
        for pair in function.functions() {
            let Some(pair) = pair.as_node_list() else {
                open = Some(self.not_understood(pair));
                continue;
            };
            let (call, definitions) = (pair.get(0), pair.get(1));
            let call = call.unwrap_or(Node::None);
            let lineage = self.expression(call)?.derived();
            let lineage = self.rows_of(lineage);
            let name = super::label::default_name(call);
            if first_name.is_empty() {
                first_name = name;
            }
            let listed = definitions
                .as_ref()
                .and_then(Node::as_node_list)
                .filter(|list| !list.is_empty())
                .map(|list| list.iter().filter_map(definition_name).collect::<Vec<_>>())
                .or_else(|| {
                    let given = function.coldeflist();
                    (!given.is_empty())
                        .then(|| given.iter().filter_map(nodes::ColumnDef::colname).collect())
                })
                // A function that is not the server's own may give any columns.
                .or_else(|| {
                    if lineage.opaque {
                        return None;
                    }
                    let alias = alias.and_then(nodes::Alias::aliasname).filter(|_| alone);
                    super::functions::row_columns(call, alias.unwrap_or(name))
                });
            match listed {
                Some(names) => columns.extend(
                    names.into_iter().map(|name| OutColumn { name, lineage: lineage.clone() }),
                ),
                None => open = crate::walk::namespace::both(open, Some(lineage)),
            }
        }
        if function.ordinality {
            let lineage = Lineage::varying(self.fresh_row());
            columns.push(OutColumn { name: "ordinality", lineage });
        }
        if open.is_some() && !columns.is_empty() {
            // Columns of unknown number stand somewhere among these: any may be any.
            let columns = Rc::new(std::mem::take(&mut columns));
            let rows = Rows { columns, open, ..Rows::default() };
            open = Some(rows.union());
        }
        let rows = Rows { columns: Rc::new(columns), open, ..Rows::default() };
        Ok(self.rows_entry(first_name, rows, alias))
    }

    fn join_item(&mut self, join: &'a nodes::JoinExpr) -> Result<Vec<Item>, Unreadable> {
        let left = self.item(join.larg())?;
        let before = self.levels.last().map_or(0, |level| level.items.len());
        self.in_sight(left.clone());
        let right = self.item(join.rarg());
        if let Some(level) = self.levels.last_mut() {
            level.items.truncate(before);
        }
        let right = right?;
        let mut both = left.clone();
        both.extend(right.iter().copied());
        let outer = self.take_sight();
        self.restore_sight(both.clone());
        let condition = self.predicate(join.quals());
        self.restore_sight(outer);
        condition?;
        let merging = join.is_natural || !join.using_clause().is_empty();
        if !merging && join.alias().is_none() {
            return Ok(both);
        }
        self.join_entry(join, &left, &right, both)
    }

    /// A join that merges columns, or hides its sides behind an alias, is an entry of its own.
    fn join_entry(
        &mut self,
        join: &'a nodes::JoinExpr,
        left: &[Item],
        right: &[Item],
        mut both: Vec<Item>,
    ) -> Result<Vec<Item>, Unreadable> {
        let (left_columns, left_open) = self.side(left);
        let (right_columns, right_open) = self.side(right);
        self.spend(left_columns.len() + right_columns.len())?;
        let shared: Vec<&'a str> = if join.is_natural {
            // A side that is not known may have any column of the other.
            let names = |columns: &[OutColumn<'a>]| -> rustc_hash::FxHashSet<&'a str> {
                columns.iter().map(|column| column.name).collect()
            };
            let (on_left, on_right) = (names(&left_columns), names(&right_columns));
            let common = left_columns.iter().map(|column| column.name);
            let common = common.filter(|name| on_right.contains(name) || right_open.is_some());
            let others = right_columns.iter().map(|column| column.name);
            let others = others.filter(|name| left_open.is_some() && !on_left.contains(name));
            common.chain(others).collect()
        } else {
            join.using_clause().iter().filter_map(nodes::String::sval).collect()
        };
        let mut merged = Vec::with_capacity(left_columns.len() + right_columns.len());
        for name in &shared {
            let mut lineage = Lineage::constant();
            for (columns, open) in [(&left_columns, &left_open), (&right_columns, &right_open)] {
                match columns.iter().find(|column| column.name == *name) {
                    Some(column) => lineage.merge(column.lineage.clone()),
                    None => lineage.merge(open.clone().unwrap_or_default()),
                }
            }
            self.read(&lineage);
            self.note_sorted(lineage.clone())?;
            merged.push(OutColumn { name, lineage });
        }
        let using = Rc::new(merged.clone());
        let rest = left_columns.into_iter().chain(right_columns);
        merged.extend(rest.filter(|column| !shared.contains(&column.name)));
        let open = crate::walk::namespace::both(left_open, right_open);
        let bases = self.bases_of(&both);
        let alias = join.alias();
        for item in &mut both {
            item.columns = false;
        }
        if alias.is_some() {
            both.clear();
        }
        let name = alias.and_then(nodes::Alias::aliasname).unwrap_or_default();
        let entry = self.add_entry(Entry {
            name,
            plain: false,
            kind: EntryKind::Rows { columns: Rc::new(merged), open, reads: true },
            renamed: alias.map(alias_columns).unwrap_or_default(),
            bases,
        });
        both.push(Item { entry, relation: alias.is_some(), columns: true });
        if let Some(name) = join.join_using_alias().and_then(nodes::Alias::aliasname) {
            let entry = self.add_entry(Entry {
                name,
                plain: false,
                kind: EntryKind::Rows { columns: using, open: None, reads: true },
                renamed: Vec::new(),
                bases: Vec::new(),
            });
            both.push(Item { entry, relation: true, columns: false });
        }
        Ok(both)
    }

    fn sample_item(
        &mut self,
        sample: &'a nodes::RangeTableSample,
    ) -> Result<Vec<Item>, Unreadable> {
        let items = self.item(sample.relation())?;
        let method = super::object::name_parts(sample.method());
        if !matches!(
            method.as_slice(),
            [.., "system" | "bernoulli"] if method.len() == 1 || method.first() == Some(&"pg_catalog")
        ) {
            let path = ObjectPath::new(
                std::iter::once(self.scope().database).chain(method.iter().copied()),
            );
            self.need(Action::Execute, Object::Function { path });
        }
        for argument in sample.args() {
            self.count_of_rows(argument)?;
        }
        self.count_of_rows(sample.repeatable())?;
        Ok(items)
    }

    fn xml_table_item(
        &mut self,
        table: &'a nodes::RangeTableFunc,
    ) -> Result<Vec<Item>, Unreadable> {
        let mut lineage = self.expression(table.docexpr())?;
        lineage.merge(self.expression(table.rowexpr())?);
        for namespace in table.namespaces() {
            lineage.merge(self.expression(namespace)?);
        }
        let stored = matches!(table.docexpr(), Node::ColumnRef(_));
        let lineage = self.rows_made_of(lineage, stored)?;
        let mut columns = Vec::new();
        for column in table.columns() {
            let mut own = lineage.clone();
            own.merge(self.expression(column.colexpr())?);
            own.merge(self.expression(column.coldefexpr())?);
            let name = column.colname().unwrap_or_default();
            columns.push(OutColumn { name, lineage: own.derived() });
        }
        let rows = Rows { columns: Rc::new(columns), ..Rows::default() };
        Ok(self.rows_entry("xmltable", rows, table.alias()))
    }
}

fn definition_name(node: Node<'_>) -> Option<&str> {
    match node {
        Node::ColumnDef(definition) => definition.colname(),
        _ => None,
    }
}

/// The column names that an alias gives.
pub(super) fn alias_columns(alias: &nodes::Alias) -> Vec<&str> {
    alias.colnames().iter().filter_map(Node::as_str).collect()
}
