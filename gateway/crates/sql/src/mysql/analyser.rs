//! Every statement of a text in turn, each with a walk of its own.
//!
//! Owns what is known from one statement to the next, the rules by which MySQL compares names,
//! and what the grammar's names look like to the walk. An analyser lives for one statement.

use std::ops::{Deref, DerefMut};

use model::Action;
use rustc_hash::FxHashMap;
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::variables::{ANY_VARIABLE, fills_variables};
use super::with::Cte;
use super::{lexer, reader, words};
use crate::lineage::Outputs;
use crate::statement::{Analysis, Statement, StatementKind};
use crate::walk::namespace::{Manner, Sameness};
use crate::walk::rows::Lineage;
use crate::walk::{self, Reading, Walk};
use crate::{AnalysisLimits, Scope, Unreadable};

/// The walk over one statement, with what only this grammar needs.
pub(super) struct Analyser<'a> {
    walk: Walk<'a>,
    pub(super) ctes: Vec<Cte<'a>>,
    /// Names as the server stores them, where that is not how they are written.
    stored: &'a FxHashMap<String, String>,
    /// User variables that this statement gives values: they may change from row to row.
    pub(super) assigned: Vec<String>,
    /// Whether it reads any.
    pub(super) reads_variables: bool,
}

impl<'a> Deref for Analyser<'a> {
    type Target = Walk<'a>;

    fn deref(&self) -> &Self::Target {
        &self.walk
    }
}

impl DerefMut for Analyser<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.walk
    }
}

/// How MySQL looks for names, where case is nothing.
const RULES: Manner = Manner {
    system_columns: &[],
    whole_rows: false,
    same_column: |one, other| match words::same_letters(one, other) {
        Some(true) => Sameness::Yes,
        Some(false) => Sameness::No,
        None => Sameness::Maybe,
    },
    same_relation: |one, other| words::same_letters(one, other) != Some(false),
    holds_others: super::functions::holds_others,
};

static FOLDING: Manner = RULES;

/// The same where the case of tables matters.
static SENSITIVE: Manner = Manner { same_relation: |one, other| one == other, ..RULES };

/// Reads every statement of a text.
pub(super) fn read_all(
    text: &str,
    tokens: Vec<TokenWithSpan>,
    scope: &Scope<'_>,
    limits: &AnalysisLimits,
) -> Result<Analysis, Unreadable> {
    let mut temporary = scope.temporary.to_vec();
    let (mut names_certain, mut nodes_left) = (true, limits.nodes_max);
    let mut statements = Vec::with_capacity(1);
    for tokens in split(tokens) {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
        if statements.len() >= limits.statements_max {
            return Err(Unreadable::TooMany { statements_max: limits.statements_max });
        }
        if !holds_statements(&tokens) && tokens.iter().any(|one| one.token == Token::Colon) {
            return Err(lexer::tangled("a label where none may stand"));
        }
        let range = lexer::place(first).start..lexer::place(last).end.min(text.len());
        let now = Scope { temporary: &temporary, ..*scope };
        let reading = Reading::new(&now, limits, names_certain, nodes_left);
        let stored = stored_names(&tokens);
        let assigned = assigned_variables(&tokens);
        let command = reader::read(tokens, limits)?;
        let mut statement = Analyser::new(&reading, &stored, assigned).statement(&command)?;
        nodes_left = reading.nodes_left();
        statement.place(&range);
        names_certain &= !moves_names(&statement);
        temporary.extend(statement.creates_temporary.iter().cloned());
        if fills_variables(&statement.accesses) {
            temporary.push(ANY_VARIABLE.into());
        }
        statements.push(statement);
    }
    Ok(Analysis { statements })
}

/// The statements of a text. A routine's body holds semicolons of its own: it goes to the end.
fn split(tokens: Vec<TokenWithSpan>) -> Vec<Vec<TokenWithSpan>> {
    if !tokens.iter().any(|one| one.token == Token::SemiColon) {
        return vec![tokens];
    }
    let mut all = vec![Vec::new()];
    for token in tokens {
        let Some(current) = all.last_mut() else { break };
        if token.token == Token::SemiColon && !holds_statements(current) {
            all.push(Vec::new());
        } else {
            current.push(token);
        }
    }
    all
}

/// Whether the statement that begins so may hold statements.
fn holds_statements(tokens: &[TokenWithSpan]) -> bool {
    let words = |count: usize| {
        tokens.iter().take(count).filter_map(|one| match &one.token {
            Token::Word(word) => Some(word.value.as_str()),
            _ => None,
        })
    };
    let is = |word: &str, among: &[&str]| among.iter().any(|one| one.eq_ignore_ascii_case(word));
    let first = words(1).next().unwrap_or_default();
    match first.to_ascii_uppercase().as_str() {
        "CREATE" | "ALTER" => words(20)
            .any(|word| is(word, &["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"])),
        "BEGIN" => tokens.len() > 1 && !words(2).any(|word| is(word, &["WORK"])),
        "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR" | "DECLARE" | "LABEL" => true,
        _ => false,
    }
}

/// Whether unqualified names may mean something else afterwards.
fn moves_names(statement: &Statement) -> bool {
    statement
        .settings
        .iter()
        .any(|change| change.name.as_deref().is_none_or(|name| name == "database"))
        || matches!(statement.kind, StatementKind::Unknown)
}

/// Words with capitals, and what they are where case is nothing.
fn stored_names(tokens: &[TokenWithSpan]) -> FxHashMap<String, String> {
    let mut names = FxHashMap::default();
    for token in tokens {
        if let Token::Word(word) = &token.token
            && word.value.bytes().any(|byte| byte.is_ascii_uppercase() || byte >= 0x80)
            && (word.quote_style.is_some() || !words::is_reserved(&word.value))
        {
            names.insert(word.value.clone(), word.value.to_lowercase());
        }
    }
    names
}

/// The user variables before a `:=`.
fn assigned_variables(tokens: &[TokenWithSpan]) -> Vec<String> {
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let assigned = pairs.filter(|(_, next)| next.token == Token::Assignment);
    assigned
        .filter_map(|(variable, _)| match &variable.token {
            Token::Placeholder(name) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

impl<'a> Analyser<'a> {
    fn new(
        reading: &'a Reading<'a>,
        stored: &'a FxHashMap<String, String>,
        assigned: Vec<String>,
    ) -> Self {
        let folds = reading.scope.catalog.server.folds_table_names;
        let walk = Walk::new(reading, if folds { &FOLDING } else { &SENSITIVE });
        Self { walk, ctes: Vec::new(), stored, assigned, reads_variables: false }
    }

    /// Goes one level deeper, with stack enough for it.
    pub(super) fn descend<T>(
        &mut self,
        deeper: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        let reading = self.reading;
        walk::descend(self, reading, deeper)
    }

    /// Something the walk does not know: nothing but a rule for `unknown` grants the statement.
    pub(super) fn not_understood(&mut self) -> Lineage {
        self.unknown = true;
        Lineage::opaque()
    }

    /// The end of the walk.
    pub(super) fn finish(self, kind: StatementKind, outputs: Outputs) -> Statement {
        let reads = self.reads_variables_of_anybody();
        let mut statement = self.walk.finish(kind, outputs);
        statement.relations.extend(reads);
        statement
    }

    /// A name as it is written. A word that the server takes for no name was read otherwise than
    /// it does.
    pub(super) fn ident(&mut self, ident: &'a Ident) -> &'a str {
        if ident.quote_style.is_none() && words::is_reserved(&ident.value) {
            self.unknown = true;
        }
        &ident.value
    }

    /// A name of a column as accesses have it where the catalogue does not know it.
    pub(super) fn column_name(&mut self, ident: &'a Ident) -> &'a str {
        let written = self.ident(ident);
        self.stored.get(written).map_or(written, String::as_str)
    }

    /// A name of a table or database as the server stores it.
    pub(super) fn table_name(&mut self, ident: &'a Ident) -> &'a str {
        let written = self.ident(ident);
        if !self.scope().catalog.server.folds_table_names {
            return written;
        }
        self.stored.get(written).map_or(written, String::as_str)
    }

    /// The parts of a dotted name.
    pub(super) fn parts(&mut self, name: &'a ObjectName) -> Vec<&'a Ident> {
        let idents: Vec<&'a Ident> = name.0.iter().filter_map(ObjectNamePart::as_ident).collect();
        if idents.len() != name.0.len() || idents.is_empty() {
            self.unknown = true;
        }
        idents
    }

    /// Database and table of a name of a table. Without a database it is the session's, which is
    /// the first and only entry of the search path; `*` where it has none.
    pub(super) fn table_parts(&mut self, name: &'a ObjectName) -> (&'a str, &'a str) {
        let parts = self.parts(name);
        match parts.as_slice() {
            [table] => {
                self.unknown |= !self.reading.names_certain;
                (self.current_database(), self.table_name(table))
            }
            [database, table] => (self.table_name(database), self.table_name(table)),
            _ => {
                self.unknown = true;
                ("*", "*")
            }
        }
    }

    pub(super) fn current_database(&self) -> &'a str {
        let path = self.scope().search_path;
        path.first().map_or("*", |database| database)
    }

    /// The stored relations that a name may mean: a temporary one hides what it is called like.
    pub(super) fn resolve(&mut self, name: &'a ObjectName) -> Vec<u32> {
        let (database, table) = self.table_parts(name);
        self.resolve_parts(database, table)
    }

    pub(super) fn resolve_parts(&mut self, database: &'a str, table: &'a str) -> Vec<u32> {
        let scope = self.scope();
        let mut found = Vec::with_capacity(1);
        let same = self.manner.same_relation;
        if scope.temporary.iter().any(|temporary| same(temporary, table)) {
            found.push(self.touch(TEMPORARY, table, None));
        }
        let relation = scope.catalog.relation(database, table);
        let (database, table) = match relation {
            Some(relation) => (&*relation.schema, &*relation.name),
            // The server's own names are the same in every case.
            None if database.eq_ignore_ascii_case("information_schema") => {
                ("information_schema", self.stored.get(table).map_or(table, String::as_str))
            }
            None => (database, table),
        };
        let relation = relation.or_else(|| scope.catalog.relation(database, table));
        found.push(self.touch(database, table, relation));
        found
    }

    /// What a statement does to a whole relation.
    pub(super) fn use_named(&mut self, name: &'a ObjectName, action: Action) -> Vec<u32> {
        let touched = self.resolve(name);
        for one in &touched {
            self.use_relation(*one, action);
        }
        touched
    }
}

/// What stands for the database of a temporary table in paths.
pub(super) const TEMPORARY: &str = "pg_temp";
