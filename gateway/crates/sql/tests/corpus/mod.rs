//! A small database as text, and what is said of a statement that is read against it.
//!
//! Owns the format of `*.catalog` and the lines that describe a statement. Shared by the tests
//! and the example.

#![allow(dead_code, reason = "each test binary looks at one dialect, the example at both")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use sql::catalog::{Catalog, CatalogBuilder, Function, RelationKind};
use sql::{
    AnalysisLimits, Dialect, Family, Form, Outputs, Scope, Server, SettingValue, Source, Statement,
    Unreadable,
};

/// A database and the session that reads it.
pub(crate) struct Database {
    pub(crate) catalog: Catalog,
    pub(crate) search_path: Vec<Arc<str>>,
    pub(crate) temporary: Vec<Arc<str>>,
    dialect: Dialect,
    /// The first part of every path.
    database: &'static str,
}

impl Database {
    /// The shop of the corpus, which many tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHOP: LazyLock<Database> = LazyLock::new(Database::shop);
        &SHOP
    }

    /// The shop of the corpus.
    pub(crate) fn shop() -> Self {
        Self {
            catalog: read_catalog(&[include_str!("server.catalog"), include_str!("shop.catalog")]),
            search_path: vec!["$user".into(), "public".into()],
            temporary: Vec::new(),
            dialect: sql::postgres::DIALECT,
            database: "shop",
        }
    }

    /// The same shop in MariaDB, which many tests share.
    pub(crate) fn shared_mariadb() -> &'static Self {
        static SHOP: LazyLock<Database> = LazyLock::new(|| {
            Database::mysql(Server { family: Family::MariaDb(101_119), folds_table_names: false })
        });
        &SHOP
    }

    /// The same shop in a server of MySQL's kind.
    pub(crate) fn mysql(server: Server) -> Self {
        let mut builder = catalog_builder(&[include_str!("mysql.catalog")]);
        builder.server(server).hidden((105, 2));
        Self {
            catalog: builder.build(),
            search_path: vec!["shop".into()],
            temporary: Vec::new(),
            dialect: sql::mysql::DIALECT,
            database: sql::mysql::CATALOG,
        }
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope {
            temporary: &self.temporary,
            ..Scope::new(self.database, &self.search_path, &self.catalog, "app")
        }
    }

    /// Checks these texts, some of which must have a pattern, and some that do.
    pub(crate) fn check_patterns<'a>(&self, texts: impl Iterator<Item = &'a str>) {
        let found: usize = texts.map(|text| self.check_pattern(text)).sum();
        assert!(found > 40, "{found}");
        for text in [
            "SELECT id = 5 FROM users",
            "SELECT (SELECT max(id) FROM orders WHERE id < 5), id FROM users ORDER BY 2",
            "SELECT * FROM (SELECT id > 50, id BETWEEN 5 AND 7 FROM users) AS t",
            "SELECT id FROM users WHERE email = 'a' AND 5 = 5 GROUP BY id HAVING count(*) > 12 LIMIT 3",
        ] {
            assert!(self.check_pattern(text) > 0, "{text}");
        }
    }

    /// Checks that a text, if it has a pattern, is read as that is; and so, with numbers where it has
    /// texts and other numbers. Gives the number of those that have one.
    pub(crate) fn check_pattern(&self, text: &str) -> usize {
        let quoted = text.split('\'').enumerate();
        let numbered: String =
            quoted.map(|(at, part)| if at % 2 == 1 { "50321" } else { part }).collect();
        let counted: String = text.replace(|sign: char| sign.is_ascii_digit(), "73");
        let mut found = 0;
        for text in [text, &numbered, &counted] {
            let Some(pattern) = self.dialect.pattern(text) else { continue };
            found += 1;
            assert_eq!(pattern.len(), text.len());
            assert_eq!(self.dialect.pattern(&pattern).as_ref(), Some(&pattern));
            // Why it cannot be read may name the number, and is kept for no other text.
            assert_eq!(self.read(text).ok(), self.read(&pattern).ok(), "{text}");
        }
        found
    }

    pub(crate) fn read(&self, text: &str) -> Result<Vec<Statement>, Unreadable> {
        (self.dialect.analyse)(text, &self.scope(), &AnalysisLimits::default())
            .map(|analysis| analysis.statements)
    }

    /// What is said of a text: the lines of its statements, or why it cannot be read.
    pub(crate) fn lines(&self, text: &str) -> Vec<String> {
        match self.read(text) {
            Ok(statements) => statements.iter().flat_map(|one| self.describe(one)).collect(),
            Err(error) => vec![format!("unreadable: {error}")],
        }
    }

    /// `users.email`, or the path of what is not listed.
    pub(crate) fn name(&self, source: &Source) -> String {
        match source {
            Source::Column { relation, attribute } => {
                let relation = self.catalog.relation_by_oid(*relation).expect("listed");
                let column = relation.column_by_attribute(*attribute).expect("listed");
                format!("{}.{}.{}", relation.schema, relation.name, column.name)
            }
            Source::Unlisted { path, column } => format!("?{path}.{column}"),
        }
    }

    /// Accesses and everything else worth a look, a line each.
    pub(crate) fn describe(&self, statement: &Statement) -> Vec<String> {
        let mut lines = vec![format!("is {}", statement.kind.phrase())];
        lines.extend(statement.accesses.iter().map(ToString::to_string));
        if let Some(referral) = &statement.refers_to {
            lines.push(format!("runs {referral:?}"));
        }
        for change in &statement.settings {
            let mut line = format!("setting {} = ", change.name.as_deref().unwrap_or("?"));
            match &change.value {
                SettingValue::Text(text) => write!(line, "'{text}'").unwrap(),
                SettingValue::Default => line.push_str("default"),
                SettingValue::Variable { name, range: _ } => line.push_str(name),
                SettingValue::Computed => line.push_str("computed"),
            }
            line.push_str(if change.local { " local" } else { "" });
            line.push_str(if change.pinned { " PINNED" } else { "" });
            lines.push(line);
        }
        lines.extend(statement.creates_temporary.iter().map(|name| format!("temporary {name}")));
        lines.extend(
            statement
                .relations
                .iter()
                .filter(|touched| touched.holds_others)
                .map(|touched| format!("holds others: {}", touched.path)),
        );
        lines.extend(self.outputs(&statement.outputs));
        if !statement.read_columns.is_empty() {
            lines.push(format!("oracle {}", self.names(&statement.read_columns)));
        }
        for write in &statement.writes_from {
            let column = write.column.as_deref().unwrap_or("?");
            let opaque = if write.opaque { " OPAQUE" } else { "" };
            let sources = self.names(&write.sources);
            lines.push(format!("writes {}.{column} <- {sources}{opaque}", write.relation));
        }
        lines
    }

    fn outputs(&self, outputs: &Outputs) -> Vec<String> {
        match outputs {
            Outputs::NoRows => Vec::new(),
            Outputs::Unknown => vec!["out ?".into()],
            Outputs::Columns(columns) => columns
                .iter()
                .map(|column| {
                    let mut line = format!("out {}", column.name);
                    if !column.sources.is_empty() {
                        let arrow = if column.form == Form::Direct { "=" } else { "<-" };
                        write!(line, " {arrow} {}", self.names(&column.sources)).unwrap();
                    }
                    line.push_str(if column.opaque { " OPAQUE" } else { "" });
                    line
                })
                .collect(),
        }
    }

    pub(crate) fn names(&self, sources: &[Source]) -> String {
        sources.iter().map(|source| self.name(source)).collect::<Vec<_>>().join(", ")
    }
}

fn read_catalog(texts: &[&str]) -> Catalog {
    catalog_builder(texts).build()
}

fn catalog_builder(texts: &[&str]) -> CatalogBuilder {
    let mut builder = CatalogBuilder::new(1);
    let mut columns: HashMap<(u32, String), i16> = HashMap::new();
    let column = |columns: &HashMap<(u32, String), i16>, name: &str| {
        let (oid, column) = name.split_once('.').expect("oid.column");
        let oid: u32 = oid.parse().expect("an oid");
        (oid, columns[&(oid, column.to_owned())])
    };
    let lines = texts.iter().flat_map(|text| text.lines());
    for line in lines.filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let split = |name: &str| {
            let (schema, name) = name.split_once('.').expect("schema.name");
            (schema.to_owned(), name.to_owned())
        };
        match words.as_slice() {
            ["f" | "p", name] => {
                let (schema, name) = split(name);
                builder.function(function(&schema, &name, words[0] == "p"));
            }
            ["F", schema, names @ ..] => {
                for name in names {
                    builder.function(function(schema, name, false));
                }
            }
            ["o", name] => {
                let (schema, name) = split(name);
                builder.operator(&schema, &name);
            }
            [from, ">", base] => {
                builder.derives(column(&columns, from), column(&columns, base));
            }
            [oid, kind, name, rest @ ..] => {
                let oid: u32 = oid.parse().expect("an oid");
                let kind = RelationKind::from_letter(kind.chars().next().expect("a letter"));
                let (schema, name) = split(name);
                builder.relation(oid, &schema, &name, kind);
                for (index, name) in rest.iter().enumerate() {
                    let attribute = i16::try_from(index + 1).expect("few columns");
                    let own = name.trim_end_matches('*');
                    builder.column(oid, attribute, own, 25, own.len() < name.len());
                    columns.insert((oid, own.to_owned()), attribute);
                }
            }
            _ => panic!("not a line of a catalog: {line}"),
        }
    }
    builder
}

fn function(schema: &str, name: &str, is_procedure: bool) -> Function {
    Function {
        oid: 1,
        schema: schema.into(),
        name: name.into(),
        is_procedure,
        security_definer: false,
        returns_set: false,
        volatility: 'v',
        language: if schema == "pg_catalog" { "internal".into() } else { "sql".into() },
        defines: true,
    }
}

/// Statements under two headings: those that would show a masked value, and those that would not.
pub(crate) fn check_comparisons(shop: &Database, text: &str) {
    let mut wrong = String::new();
    let (mut expected, mut sections) = (false, 0);
    for line in text.lines() {
        if let Some(section) = line.strip_prefix("-- # ") {
            (expected, sections) = (section.starts_with("shows"), sections + 1);
        } else if !line.is_empty() && !line.starts_with("--") {
            let statements = shop.read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let masked = |source: &Source| shop.name(source).ends_with(".email").then_some(());
            let mut all = statements.iter().flat_map(|one| &one.comparisons);
            if all.any(|one| one.shows(masked).is_some()) != expected {
                wrong += &format!("{line}\n");
            }
        }
    }
    assert_eq!(sections, 2);
    assert!(wrong.is_empty(), "told wrong:\n{wrong}");
}
