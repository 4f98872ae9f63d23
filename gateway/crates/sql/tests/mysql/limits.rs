//! What an attacker may send: nothing of it may end the process, whatever the stack it is read on.

use sql::{AnalysisLimits, Unreadable};

use crate::corpus::Database;

/// Reads a text where a tokio worker would: on a thread with 2 MiB of stack.
fn read_on_a_worker(text: String) -> Result<usize, Unreadable> {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let shop = Database::shared_mariadb();
            let limits = AnalysisLimits::default();
            let analysis = sql::mysql::analyse(&text, &shop.scope(), &limits);
            analysis.map(|analysis| analysis.statements.len())
        })
        .unwrap()
        .join()
        .unwrap()
}

fn chain(term: &str, with: &str, terms: usize) -> String {
    vec![term; terms].join(with)
}

#[test]
fn honest_lengths_are_read() {
    for text in [
        format!("SELECT {} FROM t", chain("a", "+", 2_000)),
        format!("SELECT 1 FROM t WHERE {}", chain("a=1", " OR ", 2_000)),
        format!("SELECT 1 FROM t WHERE {}", chain("(a=1 AND b=2)", " OR ", 1_000)),
        chain("SELECT 1, 2", " UNION ALL ", 2_000),
        format!("SELECT {}", chain("1", ",", 30_000)),
        format!("INSERT INTO t VALUES {}", chain("(1,'a',-3)", ",", 30_000)),
        format!("SELECT 1 FROM t WHERE a IN ({})", chain("1", ",", 30_000)),
        format!("SELECT * FROM {}", chain("t", " CROSS JOIN ", 60)),
        format!("SELECT {}1{}", "(".repeat(100), ")".repeat(100)),
    ] {
        assert_eq!(read_on_a_worker(text.clone()), Ok(1), "{}", text.get(..60).unwrap());
    }
}

#[test]
fn long_chains_are_refused_and_nothing_else_happens() {
    for with in ["+", " AND ", " OR ", "||", " = ", " XOR ", " DIV ", ":=", " LIKE ", " IS NULL = "]
    {
        for terms in [3_900, 200_000] {
            let _ = read_on_a_worker(format!("SELECT {} FROM t", chain("a", with, terms)));
            let _ = read_on_a_worker(format!("DO {}", chain("@a", with, terms)));
        }
    }
    for terms in [3_900, 100_000] {
        let _ = read_on_a_worker(chain("SELECT a, b FROM t WHERE a", " UNION ", terms));
        let _ = read_on_a_worker(format!("SELECT a{} FROM t", " COLLATE x".repeat(terms)));
        let _ = read_on_a_worker(format!("SELECT * FROM t{}", " JOIN t".repeat(terms)));
    }
}

#[test]
fn deep_nests_are_refused_and_nothing_else_happens() {
    for (open, inside, close) in [
        ("(", "1", ")"),
        ("(SELECT ", "1", ")"),
        ("lower(", "'a'", ")"),
        ("CASE WHEN true THEN ", "1", " END"),
        ("CASE ", "1", " WHEN 1 THEN 2 END"),
        ("NOT ", "true", ""),
        ("- ", "1", ""),
        ("! ", "1", ""),
        ("BINARY ", "1", ""),
        ("INTERVAL ", "1", " DAY"),
        ("@a := ", "1", ""),
        ("(SELECT a FROM t WHERE a IN ", "(1)", ")"),
        ("row(", "1", ")"),
        ("(SELECT x FROM (SELECT ", "1", " AS x) s)"),
        ("coalesce(a, ", "1", ")"),
        ("IF(current_time(", "1", "))"),
        ("CAST(", "1", " AS CHAR)"),
        ("EXISTS (SELECT ", "1", ")"),
        ("1 BETWEEN 2 AND ", "1", ""),
    ] {
        for depth in [30, 5_000, 60_000] {
            let text =
                format!("SELECT {}{inside}{} FROM t", open.repeat(depth), close.repeat(depth));
            let result = read_on_a_worker(text);
            if depth == 30 && !open.contains("current_time") && !open.contains("INTERVAL") {
                assert_eq!(result, Ok(1), "{open}");
            }
        }
    }
    for (open, close) in [("(", ")"), ("(t JOIN ", " ON true)"), ("(SELECT * FROM ", ") x")] {
        for depth in [100, 5_000] {
            let text = format!("SELECT * FROM {}t{}", open.repeat(depth), close.repeat(depth));
            let _ = read_on_a_worker(text);
        }
    }
}

#[test]
fn too_much_is_refused_by_what_it_is() {
    let shop = Database::shared_mariadb();
    let read = |text: &str, limits: AnalysisLimits| {
        sql::mysql::analyse(text, &shop.scope(), &limits).unwrap_err()
    };
    let limits = AnalysisLimits::default();
    let few = AnalysisLimits { text_bytes_max: 10, ..limits };
    assert_eq!(read("SELECT 1234567", few), Unreadable::TooLong { bytes: 14, bytes_max: 10 });
    let few = AnalysisLimits { statements_max: 2, ..limits };
    assert_eq!(read("SELECT 1;SELECT 2;SELECT 3", few), Unreadable::TooMany { statements_max: 2 });
    let few = AnalysisLimits { nodes_max: 5, ..limits };
    assert_eq!(read("SELECT 1, 2, 3", few), Unreadable::TooComplex { nodes_max: 5 });
    let text = format!("SELECT {}1{}", "(".repeat(300), ")".repeat(300));
    assert!(matches!(read(&text, limits), Unreadable::TooDeep { .. }));
    assert_eq!(read("SELECT 1\0", limits), Unreadable::Nul);
    let error = read("SELECT a FORM t WHERE", limits);
    assert!(error.position().is_some(), "{error:?}");
}

/// Forms that a careless reader would take twice as long for with each piece, or would look for
/// from each piece to the end of the text.
#[test]
fn a_long_text_takes_no_more_than_its_length() {
    let began = std::time::Instant::now();
    for table in ["t", "nowhere"] {
        for join in ["JOIN # USING (a)", "NATURAL JOIN #", "LEFT JOIN # USING (a, b)"] {
            let joins = (1..60).map(|n| join.replace('#', &format!("{table} t{n} ")));
            let joins: Vec<String> = joins.collect();
            let text = format!("SELECT t0.a FROM {table} t0 {} WHERE b = 1", joins.join(" "));
            assert_eq!(read_on_a_worker(text), Ok(1), "{table} {join}");
        }
        let doubled = |n: usize| format!("w{n} AS (SELECT x.a FROM w{0} x, w{0} y)", n - 1);
        let queries: Vec<String> = (1..60).map(doubled).collect();
        let _ = read_on_a_worker(format!(
            "WITH w0 AS (SELECT a FROM {table}), {} SELECT a FROM w59",
            queries.join(", ")
        ));
    }
    for piece in [
        "GROUP BY a ",
        "MATCH a, ",
        "USE INDEX (a, ",
        "USE INDEX (a) ",
        ") CYCLE a, ",
        "INTERVAL (a ",
        "((SELECT a ",
        "((SELECT a) ",
        "FROM ((SELECT a) ",
        "LIMIT 1 ROWS EXAMINED ",
        "BINARY a, ",
        "a . b, ",
        "0..",
        "TRIM(BOTH FROM ",
    ] {
        let _ = read_on_a_worker(format!("SELECT {}", piece.repeat(500_000 / piece.len())));
        let _ = read_on_a_worker(format!("SELECT ({}", piece.repeat(100)));
    }
    let took = began.elapsed();
    assert!(took.as_secs() < 120, "it took {took:?}");
}
