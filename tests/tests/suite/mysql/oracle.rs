//! What a real server does with statements, and what was said of them before.
//!
//! Owns the comparison. Ten thousand generated statements are read here and run there: no table
//! may be opened that was not named, and no value may be shown whose column was not. Every stored
//! text says which column it is stored in, so an answer tells where it comes from.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sql::catalog::{CatalogBuilder, RelationKind};
use sql::{AnalysisLimits, Catalog, Family, Outputs, Scope, Server, Source, Statement};
use tests::mariadb::MariaDb;

use super::generator::Generator;

const STATEMENTS: usize = 10_000;
/// Statements of one script.
const BATCH: usize = 1_000;

const END: &str = "~~end~~";
const OPENED: &str = "~~opened~~";

fn catalog(server: &MariaDb) -> Catalog {
    let rows = server.script(
        "information_schema",
        "SELECT table_schema, table_name, column_name FROM columns \
         WHERE table_schema IN ('oracle', 'oracle_sales') ORDER BY 1, 2, ordinal_position; \
         SELECT '@version', @@version, '';",
    );
    let mut builder = CatalogBuilder::new(1);
    let (mut oid, mut last, mut attribute) = (100, String::new(), 0);
    for line in rows.success().lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let [schema, table, column] = words.as_slice() else { continue };
        if *schema == "@version" {
            let family = Family::from_version(table);
            assert!(matches!(family, Family::MariaDb(_)), "{table}");
            builder.server(Server { family, folds_table_names: false });
            continue;
        }
        if last != format!("{schema}.{table}") {
            (oid, last, attribute) = (oid + 1, format!("{schema}.{table}"), 0);
            builder.relation(oid, schema, table, RelationKind::Table);
        }
        attribute += 1;
        builder.column(oid, attribute, column, 0, false);
    }
    builder.build()
}

/// What was said of a statement.
struct Said {
    text: String,
    tables: BTreeSet<String>,
    /// For each output, the columns it may show; nothing where anything may be shown.
    outputs: Option<Vec<Option<BTreeSet<String>>>>,
}

fn said(catalog: &Catalog, text: &str, statement: &Statement) -> Said {
    let mut tables: BTreeSet<String> = BTreeSet::new();
    for access in statement.accesses.iter() {
        if let Some(path) = access.object.path() {
            tables
                .insert(path.0.iter().skip(1).map(AsRef::as_ref).collect::<Vec<&str>>().join("."));
        }
    }
    // A view opens what it shows.
    if tables.contains("oracle.user_mails") {
        tables.insert("oracle.users".into());
    }
    let outputs = match &statement.outputs {
        Outputs::Columns(columns) => {
            let shown = |source: &Source| match source {
                Source::Column { relation, attribute } => {
                    let relation = catalog.relation_by_oid(*relation)?;
                    let column = relation.column_by_attribute(*attribute)?;
                    Some(match (&*relation.name, &*column.name) {
                        ("user_mails", "mail") => "users.email".to_owned(),
                        (table, column) => format!("{table}.{column}"),
                    })
                }
                Source::Unlisted { .. } => None,
            };
            let columns = columns.iter().map(|column| {
                if column.opaque {
                    return None;
                }
                column.sources.iter().map(shown).collect::<Option<BTreeSet<String>>>()
            });
            Some(columns.collect())
        }
        Outputs::NoRows => Some(Vec::new()),
        Outputs::Unknown => None,
    };
    Said { text: text.to_owned(), tables, outputs }
}

/// A statement in a string, so that the server alone cuts it.
fn immediately(text: &str) -> String {
    let quoted = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
    format!("EXECUTE IMMEDIATE '{}'", quoted.replace('\r', "\\r"))
}

#[test]
fn no_table_is_opened_and_no_value_shown_that_was_not_named() {
    // Whatever another test does would be taken for what a statement does.
    let server = &MariaDb::alone();
    let made = server.script("mysql", include_str!("../../../fixtures/oracle.mysql.sql"));
    assert!(made.error.is_empty(), "{}", made.error);
    let catalog = catalog(server);
    let search_path = ["oracle".into()];
    let scope = Scope::new(sql::mysql::CATALOG, &search_path, &catalog, "root");
    let limits = AnalysisLimits::default();
    let mut generator = Generator::new(0x5eed_cafe_f00d_0001);
    let (mut refused, mut ran, mut seen, mut shown) = (0, 0, 0, 0);
    let mut wrong = String::new();
    for _ in 0..STATEMENTS / BATCH {
        let mut batch = Vec::new();
        let mut script = String::from("SET SESSION max_statement_time = 5;\n");
        for _ in 0..BATCH {
            let text = generator.statement();
            let Ok(analysis) = sql::mysql::analyse(&text, &scope, &limits) else {
                refused += 1;
                continue;
            };
            if let Some(pattern) = sql::mysql::DIALECT.pattern(&text) {
                let read = sql::mysql::analyse(&pattern, &scope, &limits).unwrap();
                assert_eq!(analysis.statements, read.statements, "{text}");
            }
            let [statement] = analysis.statements.as_slice() else { continue };
            if statement.accesses.iter().any(|one| one.action == model::Action::Unknown) {
                refused += 1;
                continue;
            }
            batch.push(said(&catalog, &text, statement));
            writeln!(
                script,
                "FLUSH TABLES;\nBEGIN;\n{};\nSELECT '{OPENED}';\nSHOW OPEN TABLES;\nROLLBACK;\nSELECT '{END}';",
                immediately(&text)
            )
            .unwrap();
        }
        let answers = server.script("oracle", &script);
        let end = format!("{END}\n");
        let mut answers = answers.output.split(&end);
        for said in &batch {
            let answer = answers.next().unwrap_or_default();
            let Some((rows, opened)) = answer.split_once(&format!("{OPENED}\n")) else {
                wrong += &format!("no answer to {}\n", said.text);
                break;
            };
            ran += usize::from(!opened.is_empty() || !rows.is_empty());
            seen += check_tables(said, opened, &mut wrong);
            shown += check_values(said, rows, &mut wrong);
        }
    }
    println!(
        "{STATEMENTS} statements: {refused} refused, {ran} ran, {seen} tables opened, {shown} values looked at"
    );
    assert!(wrong.is_empty(), "{wrong:.20000}");
    assert!(refused < STATEMENTS / 4, "{refused} refused");
    assert!(
        seen > STATEMENTS && ran > STATEMENTS / 2 && shown > STATEMENTS,
        "{ran} ran, {shown} values"
    );
}

fn check_tables(said: &Said, opened: &str, wrong: &mut String) -> usize {
    let mut seen = 0;
    for line in opened.lines() {
        let mut words = line.split('\t');
        let (database, table) =
            (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let name = format!("{database}.{table}");
        seen += usize::from(said.tables.contains(&name));
        if matches!(database, "oracle" | "oracle_sales") && !said.tables.contains(&name) {
            *wrong += &format!("opened {name}: {}\n", said.text);
        }
    }
    seen
}

fn check_values(said: &Said, rows: &str, wrong: &mut String) -> usize {
    let Some(outputs) = &said.outputs else { return 0 };
    let mut looked = 0;
    for row in rows.lines() {
        for (index, value) in row.split('\t').enumerate() {
            looked += 1;
            let may = match outputs.get(index) {
                Some(None) => continue,
                Some(Some(may)) => may,
                None => {
                    *wrong += &format!("column {index} was not foreseen: {}\n", said.text);
                    return looked;
                }
            };
            // Every other piece between the marks is a column's name.
            let lower = value.to_lowercase();
            let marks =
                lower.split('~').filter(|piece| piece.contains('.') && !piece.contains(' '));
            for mark in marks
                .filter(|mark| mark.chars().all(|c| c.is_ascii_alphabetic() || "._".contains(c)))
            {
                if !may.contains(mark) {
                    *wrong += &format!("shown {mark} in column {index}: {}\n", said.text);
                    return looked;
                }
            }
        }
    }
    looked
}
