//! A statement as our own grammar of statements gives it: queries and expressions inside are the
//! library's.
//!
//! Owns the shapes. Must not know what a statement needs (`analyser`).

use model::Action;
use sqlparser::ast::{Expr, Ident, ObjectName, OrderByExpr, Query, SelectItem, TableWithJoins};

use crate::statement::StatementKind;

/// One statement.
pub(super) enum Command {
    /// `SELECT`, `VALUES`, `TABLE`, `WITH`.
    Query {
        query: Box<Query>,
        into: Option<Into>,
    },
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    /// `EXPLAIN` or MariaDB's `ANALYZE` of a statement.
    Explain {
        analyze: bool,
        inner: Box<Command>,
    },
    Set(Vec<Assignment>),
    /// `SET STATEMENT .. FOR ..`: they hold for one statement.
    SetFor {
        assignments: Vec<Assignment>,
        inner: Box<Command>,
    },
    CreateTable(Box<CreateTable>),
    CreateView {
        name: ObjectName,
        columns: Vec<Ident>,
        query: Box<Query>,
        replace: bool,
    },
    AlterTable {
        name: ObjectName,
        changes: Box<Changes>,
    },
    /// `RENAME TABLE`: from, to.
    Rename(Vec<(ObjectName, ObjectName)>),
    /// `PREPARE .. FROM`; no text where it is computed.
    Prepare {
        name: String,
        text: Option<String>,
    },
    /// `EXECUTE IMMEDIATE`.
    Immediately(Option<String>),
    /// `EXECUTE .. USING`.
    Execute {
        name: String,
        values: Vec<Expr>,
    },
    Call {
        name: ObjectName,
        arguments: Vec<Expr>,
    },
    Do(Vec<Expr>),
    /// `SHOW .. WHERE`: the condition is over the answer, and may hold subqueries.
    Filtered {
        plain: Plain,
        filter: Box<Expr>,
    },
    LoadFile(Box<LoadFile>),
    Plain(Plain),
}

/// Where `SELECT .. INTO` puts its row or rows.
pub(super) enum Into {
    /// User variables.
    Variables(Vec<String>),
    /// `OUTFILE` or `DUMPFILE`.
    File(String),
}

pub(super) struct Insert {
    pub(super) replace: bool,
    pub(super) table: ObjectName,
    pub(super) columns: Vec<ObjectName>,
    pub(super) source: InsertSource,
    /// `AS new (a, b)`.
    pub(super) row_alias: Option<(Ident, Vec<Ident>)>,
    pub(super) on_duplicate: Vec<(ObjectName, Expr)>,
    pub(super) returning: Option<Vec<SelectItem>>,
}

pub(super) enum InsertSource {
    Rows(Vec<Vec<Expr>>),
    Set(Vec<(ObjectName, Expr)>),
    Query(Box<Query>),
}

pub(super) struct Update {
    pub(super) tables: Vec<TableWithJoins>,
    pub(super) assignments: Vec<(ObjectName, Expr)>,
    pub(super) tail: Tail,
}

pub(super) struct Delete {
    /// What rows are taken from, where several tables are joined.
    pub(super) targets: Vec<ObjectName>,
    pub(super) tables: Vec<TableWithJoins>,
    pub(super) tail: Tail,
}

/// `WHERE`, `ORDER BY`, `LIMIT`, `RETURNING`.
#[derive(Default)]
pub(super) struct Tail {
    pub(super) condition: Option<Expr>,
    pub(super) order: Vec<OrderByExpr>,
    pub(super) limit: Vec<Expr>,
    pub(super) returning: Option<Vec<SelectItem>>,
}

pub(super) enum Assignment {
    /// `@x = ..`.
    Variable { name: String, value: Expr },
    /// A system variable.
    Setting { name: String, wide: bool, value: Option<Expr> },
}

#[derive(Default)]
pub(super) struct CreateTable {
    pub(super) temporary: bool,
    pub(super) replace: bool,
    pub(super) name: Option<ObjectName>,
    pub(super) like: Option<ObjectName>,
    /// Tables that foreign keys refer to.
    pub(super) references: Vec<ObjectName>,
    pub(super) query: Option<Box<Query>>,
    /// Options that reach beyond the table: another server, a file, other tables.
    pub(super) reaches_out: bool,
}

#[derive(Default)]
pub(super) struct Changes {
    pub(super) references: Vec<ObjectName>,
    /// Columns that get another name.
    pub(super) renamed_columns: Vec<Ident>,
    pub(super) renamed_to: Option<ObjectName>,
    /// Another table that takes a partition's place.
    pub(super) exchanged: Option<ObjectName>,
    /// Whether columns are computed from others.
    pub(super) computes: bool,
    pub(super) reaches_out: bool,
}

pub(super) struct LoadFile {
    pub(super) file: String,
    pub(super) table: ObjectName,
    pub(super) columns: Vec<Expr>,
    pub(super) assignments: Vec<(ObjectName, Expr)>,
}

/// A statement of which everything is known when it is read.
pub(super) struct Plain {
    pub(super) kind: StatementKind,
    pub(super) needs: Vec<Need>,
    pub(super) answer: Answer,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    /// Rows about names and settings.
    Harmless,
    /// Rows that may hold anything.
    Opaque,
}

/// An action, and what on.
pub(super) struct Need {
    pub(super) action: Action,
    pub(super) on: On,
}

pub(super) enum On {
    /// A table or view, as a whole.
    Relation(ObjectName),
    /// A table of `information_schema`.
    Information(&'static str),
    /// An object of a database: an event, a routine.
    InDatabase(&'static str, ObjectName),
    /// Something of the whole server.
    Global(&'static str, String),
    /// What the server itself does, as a function of its own would.
    Builtin(&'static str),
}

impl Plain {
    pub(super) const fn new(kind: StatementKind) -> Self {
        Self { kind, needs: Vec::new(), answer: Answer::Nothing }
    }

    pub(super) fn needs(mut self, action: Action, on: On) -> Self {
        self.needs.push(Need { action, on });
        self
    }

    pub(super) const fn answers(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    /// One that only a rule for `unknown` grants.
    pub(super) fn unknown() -> Self {
        Self::new(StatementKind::Unknown)
            .needs(Action::Unknown, On::Global("statement", "unknown".into()))
            .answers(Answer::Opaque)
    }
}
