//! What an attacker may send: nothing of it may end the process, whatever the stack it is read on.

use sql::{AnalysisLimits, Unreadable};

use crate::corpus::Database;

/// Reads a text where a tokio worker would: on a thread with 2 MiB of stack.
fn read_on_a_worker(text: String) -> Result<usize, Unreadable> {
    let limits = AnalysisLimits { text_bytes_max: 4 << 20, ..AnalysisLimits::default() };
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let shop = Database::shared();
            let analysis = sql::postgres::analyse(&text, &shop.scope(), &limits);
            analysis.map(|analysis| analysis.statements.len())
        })
        .unwrap()
        .join()
        .unwrap()
}

#[test]
fn long_chains_are_read_without_deep_stacks() {
    let chain = |term: &str, with: &str| vec![term; 30_000].join(with);
    for text in [
        format!("SELECT {} FROM t", chain("a", "+")),
        format!("SELECT {} FROM t", chain("a", "||")),
        format!("SELECT a{} FROM t", "::text".repeat(30_000)),
        format!("SELECT 1 FROM t WHERE {}", chain("a=1", " OR ")),
        format!("SELECT 1 FROM t WHERE {}", chain("a=1", " AND ")),
        chain("SELECT 1", " UNION ALL "),
        format!("SELECT {}", chain("1", ",")),
        format!("INSERT INTO t VALUES {}", chain("(1,2,3)", ",")),
        format!("SELECT 1 FROM t WHERE a IN ({})", chain("1", ",")),
        format!("SELECT * FROM {}", vec!["t"; 500].join(" CROSS JOIN ")),
    ] {
        assert_eq!(read_on_a_worker(text.clone()), Ok(1), "{}", text.get(..60).unwrap());
    }
}

#[test]
fn deep_nests_are_refused_and_nothing_else_happens() {
    for (open, inside, close) in [
        ("(", "1", ")"),
        ("(SELECT ", "1", ")"),
        ("lower(", "'a'", ")"),
        ("ARRAY[", "1", "]"),
        ("CASE WHEN true THEN ", "1", " END"),
        ("NOT ", "true", ""),
        ("- ", "1", ""),
        ("(SELECT a FROM t WHERE a IN ", "(1)", ")"),
        ("row(", "1", ")"),
        ("(SELECT x FROM (SELECT ", "1", " AS x) s)"),
        ("coalesce(a, ", "1", ")"),
        ("json_object('a' : ", "1", ")"),
    ] {
        for depth in [100, 5_000, 60_000] {
            let text =
                format!("SELECT {}{inside}{} FROM t", open.repeat(depth), close.repeat(depth));
            let result = read_on_a_worker(text);
            if depth == 100 {
                assert_eq!(result, Ok(1), "{open}");
            }
        }
    }
    let joins =
        format!("SELECT * FROM {}t{}", "(".repeat(20_000), " JOIN t ON true)".repeat(20_000));
    assert!(read_on_a_worker(joins).is_err());
    let selects =
        format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(5_000), ") s".repeat(5_000));
    assert!(read_on_a_worker(selects).is_err());
}

#[test]
fn work_that_grows_faster_than_the_text_is_cut_short() {
    // Each level names the one before twice.
    let mut doubling = String::from("WITH c0 AS (SELECT * FROM users)");
    for level in 1..200 {
        let before = level - 1;
        doubling +=
            &format!(", c{level} AS (SELECT x.*, y.* FROM c{before} x CROSS JOIN c{before} y)");
    }
    doubling += " SELECT * FROM c199";
    let started = std::time::Instant::now();
    assert!(matches!(read_on_a_worker(doubling), Err(Unreadable::TooComplex { .. })));
    let mut nested = String::from("SELECT 1");
    for level in 0..30 {
        nested = format!(
            "WITH RECURSIVE r{level} AS ({nested} UNION ALL SELECT * FROM r{level}) SELECT * FROM r{level}"
        );
    }
    let _ = read_on_a_worker(nested);
    let many = (0..20_000).map(|n| format!("t{n}")).collect::<Vec<_>>().join(", ");
    let columns = (0..2_000).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ");
    let _ = read_on_a_worker(format!("SELECT {columns} FROM {many}"));
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn texts_that_are_no_statements_are_told_apart() {
    let shop = Database::shared();
    for empty in ["", "   ", ";", ";;;", "-- nothing", "/* /* nested */ */", "\n\t;\r\n"] {
        assert_eq!(shop.read(empty).unwrap().len(), 0, "{empty:?}");
    }
    assert_eq!(shop.read("SELECT '\0'"), Err(Unreadable::Nul));
    assert_eq!(shop.read("SELECT 1; SELECT 2 ; -- end").unwrap().len(), 2);
    let error = shop.read("SELECT é FORM users").unwrap_err();
    assert_eq!(error.to_string(), "syntax error at or near \"users\"");
    assert_eq!(error.position(), Some(15));
    for bad in ["SELECT 'a", "SELECT \"\"", "SELECT $$a", "/* open", "SELECT 1a", "SELECT E'\\xff'"]
    {
        assert!(matches!(shop.read(bad), Err(Unreadable::Syntax { .. })), "{bad}");
    }
    let limits = AnalysisLimits { text_bytes_max: 10, ..AnalysisLimits::default() };
    let long = sql::postgres::analyse("SELECT 12345", &shop.scope(), &limits);
    assert_eq!(long, Err(Unreadable::TooLong { bytes: 12, bytes_max: 10 }));
    let limits = AnalysisLimits { statements_max: 2, ..AnalysisLimits::default() };
    let many = sql::postgres::analyse("SELECT 1;;SELECT 2;SELECT 3", &shop.scope(), &limits);
    assert_eq!(many, Err(Unreadable::TooMany { statements_max: 2 }));
}

#[test]
fn statements_know_their_place_in_the_text() {
    let shop = Database::shared();
    let text = " SELECT 'é' ;\n-- a\nDELETE FROM t; ";
    let ranges: Vec<&str> =
        shop.read(text).unwrap().iter().map(|one| text.get(one.range.clone()).unwrap()).collect();
    assert_eq!(ranges, ["SELECT 'é'", "DELETE FROM t"]);
}

#[test]
fn texts_that_cost_the_lexer_too_much_never_reach_it() {
    let started = std::time::Instant::now();
    for text in ["/*".repeat(120_000), "/**/".repeat(60_000), "+".repeat(240_000)] {
        let result = read_on_a_worker(format!("SELECT 1 {text} 1"));
        assert!(matches!(result, Err(Unreadable::Tangled { .. })));
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

/// Joins that share columns are of all that they join: taken again with each, that would be twice
/// as much with each.
#[test]
fn joins_by_shared_columns_take_no_more_than_their_length() {
    for table in ["users", "nowhere"] {
        for join in ["JOIN # USING (id)", "NATURAL JOIN #"] {
            let joins = (1..60).map(|n| join.replace('#', &format!("{table} t{n} ")));
            let joins: Vec<String> = joins.collect();
            let text = format!("SELECT t0.id FROM {table} t0 {}", joins.join(" "));
            assert_eq!(read_on_a_worker(text), Ok(1), "{table} {join}");
        }
    }
}
