//! Statements of MySQL and MariaDB, read against the shop: what each needs and where its results
//! come from.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may end at once"
)]

mod corpus;

#[path = "corpus/cases.rs"]
mod cases;
#[path = "mysql/limits.rs"]
mod limits;
#[path = "mysql/servers.rs"]
mod servers;
#[path = "mysql/sweep.rs"]
mod sweep;

use corpus::Database;

fn check(file: &str, text: &str) {
    cases::check(file, text, |text| Database::shared_mariadb().lines(text));
}

#[test]
fn attacks_are_seen_for_what_they_do_or_refused() {
    check("mysql-attacks.sql", include_str!("corpus/mysql-attacks.sql"));
}

#[test]
fn values_are_followed_to_the_columns_they_come_from() {
    check("mysql-lineage.sql", include_str!("corpus/mysql-lineage.sql"));
}

#[test]
fn what_tools_and_applications_send_is_read() {
    check("mysql-applications.sql", include_str!("corpus/mysql-applications.sql"));
}

#[test]
fn comparisons_that_show_a_masked_value_are_told_from_those_that_do_not() {
    corpus::check_comparisons(
        Database::shared_mariadb(),
        include_str!("corpus/mysql-comparisons.sql"),
    );
}
