//! Sweeps over many statements: what the grammar sees, the analysis must have seen too.
//!
//! The grammar's own walker finds relations and functions without knowing what they mean. Nothing
//! it finds may be missing from an analysis, whoever made the statement.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pg_raw_parse::{Node, walk};
use proptest::prelude::*;
use sql::catalog::CatalogBuilder;
use sql::{Outputs, Scope, Statement, Unreadable};

use crate::cases;
use crate::corpus::Database;

const CORPORA: [&str; 4] = [
    include_str!("../corpus/attacks.sql"),
    include_str!("../corpus/lineage.sql"),
    include_str!("../corpus/tools.sql"),
    include_str!("../corpus/utilities.sql"),
];

fn all_texts() -> &'static [String] {
    static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
        CORPORA.iter().flat_map(|text| cases::read_cases(text)).map(|case| case.text).collect()
    });
    &TEXTS
}

/// Relations that are named anywhere in the statements that the walker knows, and the names of
/// `WITH` queries.
fn named_relations(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut relations, mut ctes) = (BTreeSet::new(), BTreeSet::new());
    let Ok(tree) = pg_raw_parse::parse(text) else { return (relations, ctes) };
    for statement in tree.stmts() {
        let walkable = matches!(
            statement,
            Node::SelectStmt(_)
                | Node::InsertStmt(_)
                | Node::UpdateStmt(_)
                | Node::DeleteStmt(_)
                | Node::MergeStmt(_)
        );
        if !walkable {
            continue;
        }
        walk::walk(statement, |node| match node {
            // `FOR UPDATE OF` names entries, not relations; they are all aliases in the corpus.
            Node::RangeVar(named) => {
                relations.insert(named.relname().unwrap().to_owned());
            }
            Node::CommonTableExpr(cte) => {
                ctes.insert(cte.ctename().unwrap().to_owned());
            }
            _ => {}
        });
    }
    (relations, ctes)
}

fn assert_covers(text: &str, statements: &[Statement]) {
    let (named, ctes) = named_relations(text);
    let touched: BTreeSet<&str> = statements
        .iter()
        .flat_map(|one| &one.relations)
        .filter_map(|relation| relation.path.0.last().map(AsRef::as_ref))
        .collect();
    let aliases = ["u"];
    for name in named {
        let seen = touched.contains(name.as_str())
            || ctes.contains(&name)
            || aliases.contains(&name.as_str());
        assert!(seen, "{name} is not among {touched:?} of: {text}");
    }
}

#[test]
fn every_relation_that_the_grammar_names_is_touched() {
    let shop = Database::shared();
    for text in all_texts() {
        let statements = shop.read(text).unwrap();
        assert_covers(text, &statements);
    }
}

#[test]
fn without_a_catalogue_every_statement_is_still_read_and_asks_for_as_much() {
    let shop = Database::shared();
    let empty = CatalogBuilder::new(0).build();
    let path = ["public".into()];
    for text in all_texts() {
        let scope = Scope::new("shop", &path, &empty, "app");
        let blind = sql::postgres::analyse(text, &scope, &sql::AnalysisLimits::default()).unwrap();
        assert_covers(text, &blind.statements);
        for (blind, seeing) in blind.statements.iter().zip(shop.read(text).unwrap()) {
            assert_eq!(blind.kind.phrase(), seeing.kind.phrase(), "{text}");
            assert!(blind.accesses.len() >= seeing.accesses.len().min(1), "{text}");
        }
    }
}

#[test]
fn a_search_path_that_hides_changes_what_names_mean() {
    let mut shop = Database::shop();
    let email = |shop: &Database| {
        let statements = shop.read("SELECT email FROM users").unwrap();
        statements[0].accesses.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(email(&shop), ["select on shop.public.users(email)"]);
    shop.search_path = vec!["hidden".into(), "public".into()];
    assert_eq!(email(&shop), ["select on shop.hidden.users(email)"]);
    shop.search_path = vec!["public".into(), "pg_catalog".into()];
    let statements = shop.read("SELECT relname FROM pg_class").unwrap();
    assert_eq!(
        statements[0].accesses[0].to_string(),
        "select on shop.pg_catalog.pg_class(relname)"
    );
    shop.temporary = vec!["users".into()];
    assert_eq!(
        email(&shop),
        ["select on shop.pg_temp.users(email)", "select on shop.public.users(email)"]
    );
    shop.search_path = Vec::new();
    shop.temporary = Vec::new();
    assert_eq!(email(&shop), ["select on shop.*.users(email)"]);
}

/// Statements of many shapes, most of which the server would take.
fn queries() -> impl Strategy<Value = String> {
    let column = prop::sample::select(vec![
        "email",
        "u.email",
        "x.id",
        "id",
        "u",
        "u.*",
        "*",
        "count(*)",
        "x.a",
        "lower(name)",
        "1",
        "old.email",
        "(u).email",
        "u.row_to_json",
        "nextval('orders_id_seq')",
        "$1",
        "x",
    ]);
    let source = prop::sample::select(vec![
        "users u",
        "ONLY secret x",
        "orders",
        "fresh x",
        "hidden.users x",
        "user_mails",
        "c",
        "t",
        "generate_series(1, 2) x",
        "pg_settings x",
        "(VALUES (1, 2)) x(a, id)",
        "\"Users\" x",
    ]);
    let leaf = (prop::collection::vec(column, 1..4), prop::collection::vec(source, 0..3))
        .prop_map(|(columns, sources)| select(&columns.join(", "), &sources.join(", ")));
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) UNION ALL ({b})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("WITH c AS ({a}) SELECT * FROM c x, ({b}) y")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("WITH RECURSIVE c AS ({a} UNION ALL {b}) TABLE c")),
            inner.clone().prop_map(|a| format!("SELECT * FROM users u, LATERAL ({a}) x")),
            inner.clone().prop_map(|a| format!("SELECT x.id FROM ({a}) x WHERE x.id IN ({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(
                "SELECT x.*, ({a} LIMIT 1) FROM ({a}) x NATURAL JOIN ({b}) y ORDER BY 1"
            )),
            inner.clone().prop_map(|a| format!(
                "WITH d AS (DELETE FROM t USING ({a}) x RETURNING *) SELECT * FROM d"
            )),
            inner.clone().prop_map(|a| format!("INSERT INTO products {a} RETURNING *")),
            inner.prop_map(|a| format!("UPDATE users u SET (name, email) = ({a}) RETURNING u")),
        ]
    })
}

fn select(columns: &str, sources: &str) -> String {
    if sources.is_empty() {
        format!("SELECT {columns}")
    } else {
        format!("SELECT {columns} FROM {sources}")
    }
}

#[test]
fn a_text_is_read_as_any_with_its_pattern() {
    let compared = include_str!("../corpus/comparisons.sql").lines();
    let texts = all_texts().iter().map(String::as_str).chain(compared);
    Database::shared().check_patterns(texts);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn nested_statements_are_read_as_their_pattern(text in queries(), number in 1..99_999_u32) {
        let shop = Database::shared();
        for text in [
            format!("SELECT * FROM ({text}) q WHERE q.id = {number} AND {number} < q.a"),
            format!("SELECT id BETWEEN 5 AND {number}, ({text} LIMIT 1) FROM users u WHERE {number}=id"),
        ] {
            shop.check_pattern(&text);
        }
    }

    #[test]
    fn nested_statements_cover_what_the_grammar_names(text in queries()) {
        let shop = Database::shared();
        match shop.read(&text) {
            Ok(statements) => {
                assert_covers(&text, &statements);
                for statement in &statements {
                    let phrase = statement.kind.phrase();
                    prop_assert_ne!(phrase, "unknown", "{}", text);
                    if let Outputs::Columns(columns) = &statement.outputs {
                        for column in columns {
                            prop_assert!(column.sources.is_sorted(), "{}", text);
                        }
                    }
                }
            }
            Err(Unreadable::Internal) => prop_assert!(false, "we failed on {}", text),
            Err(_) => {}
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,80}") {
        let result = Database::shared().read(&text);
        prop_assert_ne!(result, Err(Unreadable::Internal), "{}", text);
    }

    #[test]
    fn damaged_statements_do_not_break_the_reader(
        index in 0_usize..1_000,
        cut in 0_usize..400,
        other in 0_usize..1_000,
    ) {
        let texts = all_texts();
        let (one, two) = (&texts[index % texts.len()], &texts[other % texts.len()]);
        let cut_one: String = one.chars().take(cut).collect();
        let cut_two: String = two.chars().skip(cut / 2).collect();
        let shop = Database::shared();
        let mut words: Vec<&str> = one.split(' ').collect();
        let place = cut % words.len();
        words[place] = two.split(' ').nth(cut / 3).unwrap_or("(SELECT 1)");
        let swapped = words.join(" ");
        for text in
            [format!("{cut_one}{cut_two}"), format!("{cut_one} ({two}) {cut_two}"), swapped]
        {
            prop_assert_ne!(shop.read(&text), Err(Unreadable::Internal), "{}", text);
        }
    }
}
