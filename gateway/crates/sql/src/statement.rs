//! The result of an analysis, in words that hold for every dialect.
//!
//! Owns the shapes. Must not know a grammar or a policy. Values are immutable and may be shared
//! by every session that has the same text and scope.

use std::ops::Range;
use std::sync::Arc;

use model::{Access, ObjectPath};

use crate::comparison::Comparison;
use crate::lineage::{ColumnWrite, Outputs, Source};

/// A text, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// Its statements in order. Empty for an empty text or comments alone.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Its bytes in the text, without the semicolon.
    pub range: Range<usize>,
    /// What it needs; sorted, without repetition. All must be granted.
    pub accesses: Arc<[Access]>,
    /// Every relation it reads or writes, however deep.
    pub relations: Vec<TouchedRelation>,
    /// Its result columns.
    pub outputs: Outputs,
    /// Columns used elsewhere than in results (`WHERE`, `JOIN`, `ORDER BY`, `GROUP BY`, counts):
    /// through them a value can be found out without being shown. Sorted.
    pub read_columns: Vec<Source>,
    /// What it compares across rows of different sources: through such a comparison one row may
    /// show a value of another.
    pub comparisons: Vec<Comparison>,
    /// The columns it writes from other columns, so that copying can be judged like showing.
    pub writes_from: Vec<ColumnWrite>,
    /// Every session setting it changes, also through functions.
    pub settings: Vec<SettingChange>,
    /// The prepared statement or cursor it runs, whose own accesses are needed too and are not
    /// among `accesses`.
    pub refers_to: Option<Referral>,
    /// Temporary relations it makes: from now on [`Scope::temporary`](crate::Scope) has them.
    pub creates_temporary: Vec<Arc<str>>,
}

impl Statement {
    /// Whether it changes a setting on which reading the next statement depends. Such a
    /// statement must be refused whatever the policy says.
    #[must_use]
    pub fn changes_pinned_setting(&self) -> bool {
        self.settings.iter().any(|change| change.pinned)
    }
}

/// A relation that a statement touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TouchedRelation {
    /// `database.schema.name`.
    pub path: ObjectPath,
    /// Its OID where the catalogue knows it.
    pub oid: Option<u32>,
    /// Whether its rows are read.
    pub read: bool,
    /// Whether its rows are written or its definition changed.
    pub written: bool,
    /// Whether it holds what other relations hold: statistics, running statements, large
    /// objects. Whoever reads it reads every classified column.
    pub holds_others: bool,
}

/// What a statement runs by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Referral {
    /// A prepared statement, of SQL or of the protocol: they share one namespace.
    Prepared(Arc<str>),
    /// A cursor or portal: they share one namespace.
    Cursor(Arc<str>),
}

/// A change of a session setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SettingChange {
    /// The setting in lower case; nothing where any setting may be meant.
    pub name: Option<Arc<str>>,
    /// What it is set to.
    pub value: SettingValue,
    /// Whether it ends with the transaction.
    pub local: bool,
    /// Whether reading later statements depends on it.
    pub pinned: bool,
}

/// The new value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SettingValue {
    /// This text; lists as the server writes them, divided by a comma and a space.
    Text(Arc<str>),
    /// Back to what the session started with.
    Default,
    /// What this variable holds when the statement runs.
    Variable {
        /// The variable as it is written.
        name: Arc<str>,
        /// Its bytes in the text that was read.
        range: Range<usize>,
    },
    /// A parameter or an expression.
    Computed,
}

/// What `DISCARD` throws away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiscardWhat {
    /// Everything, as for a new session.
    All,
    /// Cached plans.
    Plans,
    /// What sequences gave last.
    Sequences,
    /// Temporary relations.
    Temporary,
}

/// How `COPY` writes or reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CopyOptions {
    /// The format.
    pub format: CopyFormat,
    /// Whether the first line has the names.
    pub header: bool,
    /// Between fields, where it was given.
    pub delimiter: Option<Arc<str>>,
    /// For NULL, where it was given.
    pub null: Option<Arc<str>>,
    /// Around values (CSV), where it was given.
    pub quote: Option<Arc<str>>,
    /// Before quotes (CSV), where it was given.
    pub escape: Option<Arc<str>>,
    /// The character encoding, where it was given.
    pub encoding: Option<Arc<str>>,
    /// Whether there are options that these fields do not show.
    pub others: bool,
}

/// The format of `COPY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CopyFormat {
    /// The server's own text format.
    #[default]
    Text,
    /// Comma separated values.
    Csv,
    /// The server's binary format.
    Binary,
    /// One that we do not know.
    Other,
}

/// What a statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `SELECT`, `VALUES`, `TABLE`, also with writing `WITH` queries inside.
    Select,
    /// `INSERT`.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `MERGE`.
    Merge,
    /// `TRUNCATE`.
    Truncate,
    /// `LOCK TABLE`.
    Lock,
    /// `EXPLAIN`.
    Explain {
        /// Whether the statement is run.
        analyze: bool,
        /// What is explained.
        inner: Box<Statement>,
    },
    /// `PREPARE`.
    Prepare {
        /// The name of the prepared statement.
        name: Arc<str>,
        /// What is prepared.
        inner: Box<Statement>,
    },
    /// `EXECUTE`.
    Execute {
        /// The name of the prepared statement.
        name: Arc<str>,
    },
    /// `DEALLOCATE`.
    Deallocate {
        /// The name, or all of them.
        name: Option<Arc<str>>,
    },
    /// `DECLARE .. CURSOR`.
    DeclareCursor {
        /// The name of the cursor.
        name: Arc<str>,
        /// Whether it outlives the transaction.
        hold: bool,
        /// Whether it answers in binary.
        binary: bool,
        /// Its query.
        inner: Box<Statement>,
    },
    /// `FETCH` or `MOVE`.
    Fetch {
        /// The name of the cursor.
        name: Arc<str>,
        /// Whether it is `MOVE`, which answers without rows.
        is_move: bool,
    },
    /// `CLOSE`.
    Close {
        /// The name, or all of them.
        name: Option<Arc<str>>,
    },
    /// `COPY .. TO STDOUT`. The columns of the stream are the statement's outputs.
    CopyOut {
        /// How it is written.
        options: CopyOptions,
        /// The query, where it is not a relation.
        inner: Option<Box<Statement>>,
    },
    /// `COPY .. FROM STDIN`.
    CopyIn {
        /// What is filled.
        relation: ObjectPath,
        /// How it is read.
        options: CopyOptions,
    },
    /// `COPY` with a file or a program of the server.
    CopyServerFile {
        /// Whether it is a program.
        program: bool,
    },
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit {
        /// Whether the next transaction begins at once.
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// Whether the next transaction begins at once.
        chain: bool,
    },
    /// `SAVEPOINT`.
    Savepoint {
        /// Its name.
        name: Arc<str>,
    },
    /// `RELEASE SAVEPOINT`.
    Release {
        /// Its name.
        name: Arc<str>,
    },
    /// `ROLLBACK TO SAVEPOINT`.
    RollbackTo {
        /// Its name.
        name: Arc<str>,
    },
    /// `XA END`: what follows is no longer of the transaction.
    EndBranch {
        /// Its global identifier.
        id: Arc<str>,
    },
    /// `PREPARE TRANSACTION`, `XA PREPARE`.
    PrepareTransaction {
        /// Its global identifier.
        id: Arc<str>,
    },
    /// `COMMIT PREPARED`, `XA COMMIT`.
    CommitPrepared {
        /// Its global identifier.
        id: Arc<str>,
    },
    /// `ROLLBACK PREPARED`, `XA ROLLBACK`.
    RollbackPrepared {
        /// Its global identifier.
        id: Arc<str>,
    },
    /// `SET TRANSACTION`, `SET SESSION CHARACTERISTICS`.
    SetTransaction,
    /// `SET CONSTRAINTS`.
    SetConstraints,
    /// `SET`. The same is in [`Statement::settings`].
    Set {
        /// The setting in lower case.
        name: Arc<str>,
        /// What it is set to.
        value: SettingValue,
        /// Whether it ends with the transaction.
        local: bool,
        /// Whether reading later statements depends on it: refuse it, whatever the policy says.
        pinned: bool,
    },
    /// `RESET`. The setting goes back to what the session started with; pin it again after.
    Reset {
        /// The setting in lower case, or all of them.
        name: Option<Arc<str>>,
    },
    /// `SHOW`.
    Show {
        /// The setting in lower case, `all` for all of them.
        name: Arc<str>,
    },
    /// `DISCARD`. After `All`, settings are what the session started with; pin them again.
    Discard {
        /// What is thrown away.
        what: DiscardWhat,
    },
    /// `LISTEN`.
    Listen {
        /// The channel.
        channel: Arc<str>,
    },
    /// `UNLISTEN`.
    Unlisten {
        /// The channel, or all of them.
        channel: Option<Arc<str>>,
    },
    /// `NOTIFY`.
    Notify {
        /// The channel.
        channel: Arc<str>,
    },
    /// `VACUUM`, `ANALYZE`, `REINDEX`, `CLUSTER`, `CHECKPOINT`, `REFRESH`, `FLUSH`, `KILL`.
    Maintain {
        /// Which, in lower case.
        what: &'static str,
    },
    /// `GRANT`, `REVOKE`, `CREATE ROLE` and its kin.
    Grant {
        /// Which, in lower case: `grant`, `revoke`, `create role`, ...
        what: &'static str,
    },
    /// `DO`.
    Do,
    /// `CALL`.
    Call,
    /// `LOAD`.
    Load,
    /// `CREATE ..`, also `SELECT INTO`.
    Create {
        /// What, in the word that accesses use: `table`, `view`, `function`, ...
        object: &'static str,
    },
    /// `ALTER ..`, `COMMENT`, `SECURITY LABEL`.
    Alter {
        /// What.
        object: &'static str,
    },
    /// `DROP ..`.
    Drop {
        /// What.
        object: &'static str,
    },
    /// One that we do not know; it has an [`Unknown`](model::Action::Unknown) access.
    Unknown,
}

impl StatementKind {
    /// A lower-case word or phrase for people: `select`, `drop table`, `copy out`.
    #[must_use]
    pub fn phrase(&self) -> String {
        match self {
            Self::Explain { analyze: true, .. } => "explain analyze".into(),
            Self::Create { object } => format!("create {object}"),
            Self::Alter { object } => format!("alter {object}"),
            Self::Drop { object } => format!("drop {object}"),
            Self::Fetch { is_move: true, .. } => "move".into(),
            other => other.word().into(),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Merge => "merge",
            Self::Truncate => "truncate",
            Self::Lock => "lock",
            Self::Explain { .. } => "explain",
            Self::Prepare { .. } => "prepare",
            Self::Execute { .. } => "execute",
            Self::Deallocate { .. } => "deallocate",
            Self::DeclareCursor { .. } => "declare cursor",
            Self::Fetch { .. } => "fetch",
            Self::Close { .. } => "close",
            Self::CopyOut { .. } => "copy out",
            Self::CopyIn { .. } => "copy in",
            Self::CopyServerFile { .. } => "copy server file",
            Self::Begin => "begin",
            Self::Commit { .. } => "commit",
            Self::Rollback { .. } => "rollback",
            Self::Savepoint { .. } => "savepoint",
            Self::Release { .. } => "release",
            Self::RollbackTo { .. } => "rollback to",
            Self::EndBranch { .. } => "end branch",
            Self::PrepareTransaction { .. } => "prepare transaction",
            Self::CommitPrepared { .. } => "commit prepared",
            Self::RollbackPrepared { .. } => "rollback prepared",
            Self::SetTransaction => "set transaction",
            Self::SetConstraints => "set constraints",
            Self::Set { .. } => "set",
            Self::Reset { .. } => "reset",
            Self::Show { .. } => "show",
            Self::Discard { .. } => "discard",
            Self::Listen { .. } => "listen",
            Self::Unlisten { .. } => "unlisten",
            Self::Notify { .. } => "notify",
            Self::Maintain { what } | Self::Grant { what } => what,
            Self::Do => "do",
            Self::Call => "call",
            Self::Load => "load",
            Self::Create { object } | Self::Alter { object } | Self::Drop { object } => object,
            Self::Unknown => "unknown",
        }
    }

    /// Whether it begins or ends a transaction or a savepoint and does nothing else.
    #[must_use]
    pub const fn controls_transaction(&self) -> bool {
        matches!(
            self,
            Self::Begin
                | Self::Commit { .. }
                | Self::Rollback { .. }
                | Self::Savepoint { .. }
                | Self::Release { .. }
                | Self::RollbackTo { .. }
                | Self::EndBranch { .. }
                | Self::PrepareTransaction { .. }
                | Self::CommitPrepared { .. }
                | Self::RollbackPrepared { .. }
        )
    }

    /// Whether what the catalogue holds may be different afterwards.
    #[must_use]
    pub const fn changes_catalog(&self) -> bool {
        matches!(
            self,
            Self::Create { .. }
                | Self::Alter { .. }
                | Self::Drop { .. }
                | Self::Do
                | Self::Call
                | Self::Load
                | Self::Unknown
        )
    }
}
