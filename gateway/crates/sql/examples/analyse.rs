//! Prints what statements need, read against the shop of the corpus, and how long reading takes.
//!
//! `analyse "SELECT .."` prints one text; without arguments it prints the times of four
//! statements that stand for the load of an application. With `--mysql` first, it is MariaDB that
//! reads.

#![expect(clippy::print_stdout, reason = "an example speaks to people")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it may end at once"
)]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::hint::black_box;
use std::time::{Duration, Instant};

use corpus::Database;

fn main() {
    let mut texts: Vec<String> = std::env::args().skip(1).collect();
    let mysql = texts.first().is_some_and(|first| first == "--mysql");
    let shop = if mysql { Database::shared_mariadb() } else { Database::shared() };
    if mysql {
        texts.remove(0);
    }
    for text in &texts {
        match shop.read(text) {
            Ok(statements) => {
                for statement in &statements {
                    let own = text.get(statement.range.clone()).unwrap_or_default();
                    println!("-- {}: {own}", statement.kind.phrase());
                    for line in shop.describe(statement) {
                        println!("--> {line}");
                    }
                }
            }
            Err(error) => println!("--> unreadable at {:?}: {error}", error.position()),
        }
    }
    if texts.is_empty() && mysql {
        let row = vec!["(1, 2, 3.5, 'some note')"; 100].join(", ");
        time(shop, "point", "SELECT id, name, email FROM users WHERE id = ?", false);
        time(shop, "orm join", &ORM_JOIN.replace('"', "`"), false);
        time(shop, "insert of 100 rows", &format!("INSERT INTO orders VALUES {row}"), false);
    } else if texts.is_empty() {
        let row = "(1, 2, 3.5, 'some note', '{a,b}')";
        let insert = format!("INSERT INTO orders VALUES {}", vec![row; 100].join(", "));
        time(shop, "point", "SELECT id, name, email FROM users WHERE id = $1", true);
        time(shop, "orm join", ORM_JOIN, true);
        time(shop, "analytic", ANALYTIC, true);
        time(shop, "insert of 100 rows", &insert, true);
    }
}

fn time(shop: &Database, name: &str, text: &str, postgres: bool) {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let rounds = 500;
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(shop.read(black_box(text)).unwrap());
        }
        best = best.min(start.elapsed() / rounds);
    }
    if !postgres {
        println!("{name:20} {:5} bytes {best:10.2?}", text.len());
        return;
    }
    let start = Instant::now();
    for _ in 0..1_000 {
        black_box(pg_raw_parse::parse(black_box(text)).unwrap());
    }
    let grammar = start.elapsed() / 1_000;
    println!("{name:20} {:5} bytes {best:10.2?} of which the grammar {grammar:10.2?}", text.len());
}

const ORM_JOIN: &str = r#"SELECT "users"."id", "users"."name", "users"."email", "orders"."id", "orders"."total", "orders"."note"
FROM "users" INNER JOIN "orders" ON ("users"."id" = "orders"."user_id")
WHERE ("orders"."total" > 10 AND "users"."name" LIKE 'a%' AND NOT ("orders"."note" IS NULL))
ORDER BY "orders"."id" DESC LIMIT 21"#;

const ANALYTIC: &str = "WITH recent AS (SELECT user_id, total, note FROM orders WHERE total > 5 AND id > 1000),
ranked AS (SELECT user_id, sum(total) AS spent, count(*) AS n, rank() OVER (ORDER BY sum(total) DESC) AS place
  FROM recent GROUP BY user_id HAVING sum(total) > 100)
SELECT u.name, u.email, r.spent, r.n, r.place,
  CASE WHEN r.place <= 10 THEN 'gold' WHEN r.place <= 100 THEN 'silver' ELSE 'bronze' END AS class,
  (SELECT max(p.price) FROM products p WHERE p.id IN (SELECT id FROM orders o WHERE o.user_id = u.id)) AS dearest,
  coalesce(u.profile ->> 'city', 'unknown') AS city, date_trunc('month', u.created_at) AS month
FROM ranked r JOIN users u ON u.id = r.user_id LEFT JOIN contacts c ON c.id = u.id
WHERE u.created_at >= now() - interval '1 year' AND (c.email IS NULL OR c.email <> u.email)
  AND EXISTS (SELECT 1 FROM events e WHERE e.id = u.id AND e.at > now() - interval '30 days')
GROUP BY u.name, u.email, r.spent, r.n, r.place, u.id, u.profile, u.created_at
ORDER BY r.place, u.name LIMIT 100";
