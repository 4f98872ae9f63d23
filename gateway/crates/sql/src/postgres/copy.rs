//! `COPY`, in all its directions.
//!
//! Owns its options and what each direction needs. Must not know the bytes of a format.

use std::rc::Rc;

use model::{Action, Object};
use pg_raw_parse::{ConstValue, Node, nodes};

use super::analyser::Analyser;
use crate::Unreadable;
use crate::lineage::Outputs;
use crate::statement::{CopyFormat, CopyOptions, Statement, StatementKind};
use crate::walk::around;
use crate::walk::names::Touched;
use crate::walk::namespace::{Item, Level};
use crate::walk::rows::{ColumnKey, Lineage, Origin, OutColumn, Rows};

impl<'a> Analyser<'a> {
    pub(super) fn copy(mut self, copy: &'a nodes::CopyStmt) -> Result<Statement, Unreadable> {
        let options = options(copy);
        let remote = copy.is_program || copy.filename().is_some();
        if remote {
            self.need_server_file(copy);
        }
        if !matches!(copy.query(), Node::None) {
            return self.copy_query(copy, options, remote);
        }
        let Some(named) = copy.relation() else {
            self.unknown = true;
            return Ok(self.finish(StatementKind::Unknown, Outputs::Unknown));
        };
        let touched = self.resolve(named);
        if copy.is_from {
            self.use_named(&touched, Action::Insert, copy.attlist());
            self.copy_where(copy, named)?;
            let path = touched.first().and_then(|one| self.touched.get(*one as usize));
            let relation = path.map(|touched| self.path(touched));
            let kind = match relation {
                Some(relation) if !remote => StatementKind::CopyIn { relation, options },
                _ => StatementKind::CopyServerFile { program: copy.is_program },
            };
            return Ok(self.finish(kind, Outputs::NoRows));
        }
        self.use_named(&touched, Action::Select, copy.attlist());
        let rows = self.copied_columns(&touched, copy);
        if remote {
            let kind = StatementKind::CopyServerFile { program: copy.is_program };
            self.note_export(&rows);
            return Ok(self.finish(kind, Outputs::NoRows));
        }
        let outputs = self.outputs(&rows);
        Ok(self.finish(StatementKind::CopyOut { options, inner: None }, outputs))
    }

    /// `COPY (query) TO`.
    fn copy_query(
        mut self,
        copy: &'a nodes::CopyStmt,
        options: CopyOptions,
        remote: bool,
    ) -> Result<Statement, Unreadable> {
        let inner = Analyser::new(self.reading).statement(copy.query())?;
        if !remote && self.others.is_empty() {
            let outputs = inner.outputs.clone();
            return Ok(around(inner, outputs, |inner| StatementKind::CopyOut {
                options,
                inner: Some(inner),
            }));
        }
        self.others.extend(inner.accesses.iter().cloned());
        let mut statement = self
            .finish(StatementKind::CopyServerFile { program: copy.is_program }, Outputs::NoRows);
        statement.relations = inner.relations;
        statement.read_columns = inner.read_columns;
        statement.comparisons = inner.comparisons;
        statement.writes_from = inner.writes_from;
        if let Outputs::Columns(columns) = inner.outputs {
            statement.writes_from.extend(columns.into_iter().map(|column| crate::ColumnWrite {
                relation: model::ObjectPath::new(["server_file"]),
                column: None,
                sources: column.sources,
                opaque: column.opaque,
            }));
        }
        statement.settings = inner.settings;
        Ok(statement)
    }

    fn need_server_file(&mut self, copy: &nodes::CopyStmt) {
        let kind = if copy.is_program { "program" } else { "file" };
        let name = copy.filename().unwrap_or_default();
        let path = model::ObjectPath::new([name]);
        self.need(Action::ServerFile, Object::Named { kind, path });
    }

    /// What a file of the server receives is written, if not to a relation.
    fn note_export(&mut self, rows: &Rows<'a>) {
        let mut all = rows.union();
        all.settle();
        let sources = all.sources.iter().map(|origin| self.source(*origin)).collect();
        self.writes.push(crate::ColumnWrite {
            relation: model::ObjectPath::new(["server_file"]),
            column: None,
            sources,
            opaque: all.opaque,
        });
    }

    /// `COPY t FROM .. WHERE`.
    fn copy_where(
        &mut self,
        copy: &'a nodes::CopyStmt,
        named: &'a nodes::RangeVar,
    ) -> Result<(), Unreadable> {
        if matches!(copy.where_clause(), Node::None) {
            return Ok(());
        }
        self.levels.push(Level::default());
        let entry = self.relation_entry(named);
        let entry = self.add_entry(entry);
        self.in_sight(vec![Item { entry, relation: true, columns: true }]);
        let result = self.predicate(copy.where_clause());
        self.levels.pop();
        result
    }

    /// The columns of the stream, in its order.
    fn copied_columns(&mut self, touched: &[u32], copy: &'a nodes::CopyStmt) -> Rows<'a> {
        let known: Option<(u32, &Touched<'a>)> = match touched {
            [one] => self.touched.get(*one as usize).map(|touched| (*one, touched)),
            _ => None,
        };
        let Some((index, relation)) =
            known.and_then(|(index, touched)| Some((index, touched.relation?)))
        else {
            let sources = touched
                .iter()
                .map(|one| Origin { touched: *one, column: ColumnKey::Any, row: 0 })
                .collect();
            let open = Some(Lineage { sources, ..Lineage::default() });
            return Rows { open, ..Rows::default() };
        };
        let named: Vec<&'a str> = copy.attlist().iter().filter_map(Node::as_str).collect();
        let direct = |column: ColumnKey| Lineage::direct(Origin { touched: index, column, row: 0 });
        let columns: Vec<OutColumn<'a>> = if named.is_empty() {
            let stored = relation.columns.iter().filter(|column| !column.generated);
            stored
                .map(|column| OutColumn {
                    name: &column.name,
                    lineage: direct(ColumnKey::Attribute(column.attribute)),
                })
                .collect()
        } else {
            let mut columns = Vec::with_capacity(named.len());
            for name in named {
                let key = self.column_key(index, name);
                columns.push(OutColumn { name, lineage: direct(key) });
            }
            columns
        };
        Rows { columns: Rc::new(columns), ..Rows::default() }
    }
}

fn options(copy: &nodes::CopyStmt) -> CopyOptions {
    let mut options = CopyOptions::default();
    for option in copy.options() {
        let text = || option_text(option.arg());
        match option.defname().unwrap_or_default() {
            "format" => {
                options.format = match text().as_deref() {
                    Some("text") => CopyFormat::Text,
                    Some("csv") => CopyFormat::Csv,
                    Some("binary") => CopyFormat::Binary,
                    _ => CopyFormat::Other,
                }
            }
            "header" => {
                options.header = !matches!(text().as_deref(), Some("false" | "off" | "0"));
            }
            "delimiter" => options.delimiter = text().map(Into::into),
            "null" => options.null = text().map(Into::into),
            "quote" => options.quote = text().map(Into::into),
            "escape" => options.escape = text().map(Into::into),
            "encoding" => options.encoding = text().map(Into::into),
            _ => options.others = true,
        }
    }
    options
}

/// The text of an option's value.
pub(super) fn option_text(node: Node<'_>) -> Option<String> {
    match node {
        Node::String(text) => text.sval().map(Into::into),
        Node::Integer(number) => Some(number.ival.to_string()),
        Node::Float(number) => number.fval().map(Into::into),
        Node::Boolean(value) => Some(value.boolval.to_string()),
        Node::A_Const(constant) => match constant.val()? {
            ConstValue::String(text) => Some(text.into()),
            _ => None,
        },
        Node::TypeName(name) => {
            super::object::typed_name_parts(name.names()).last().map(|name| (*name).into())
        }
        _ => None,
    }
}
