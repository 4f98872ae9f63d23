//! Statements of PostgreSQL, read against the shop: what each needs and where its results come
//! from.

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
#[path = "postgres/limits.rs"]
mod limits;
#[path = "postgres/sweep.rs"]
mod sweep;

use corpus::Database;

fn check(file: &str, text: &str) {
    cases::check(file, text, |text| Database::shared().lines(text));
}

#[test]
fn attacks_are_seen_for_what_they_do() {
    check("attacks.sql", include_str!("corpus/attacks.sql"));
}

#[test]
fn values_are_followed_to_the_columns_they_come_from() {
    check("lineage.sql", include_str!("corpus/lineage.sql"));
}

#[test]
fn every_other_statement_asks_for_what_it_touches() {
    check("utilities.sql", include_str!("corpus/utilities.sql"));
}

#[test]
fn tools_and_drivers_ask_for_catalogues_and_little_else() {
    check("tools.sql", include_str!("corpus/tools.sql"));
}

#[test]
fn a_view_is_followed_column_by_column() {
    let shop = Database::shop();
    let oid = |name: &str| shop.catalog.relation("public", name).unwrap().oid;
    let (view, users) = (oid("user_mails"), oid("users"));
    let read = |text| sql::postgres::derivations(&shop.catalog, "shop", view, text).unwrap();
    assert_eq!(
        read("SELECT u.id, upper(u.email) AS mail FROM public.users u;"),
        [((view, 1), (users, 1)), ((view, 2), (users, 3))]
    );
    // A function that is not known to be harmless may show anything of what the view reads.
    assert_eq!(read("SELECT u.id, hidden.peek(1) FROM public.users u").len(), 1 + 6);
    let derived =
        sql::postgres::derivations(&shop.catalog, "shop", view, "SELECT x FROM nowhere.y");
    assert_eq!(derived, None);
    let catalog = shop.catalog.clone().with_derivations(&[((users, 1), (users, 4))]);
    let bases = catalog.base_columns(view, 1);
    assert_eq!(bases, sql::catalog::BaseColumns::Known([(users, 1), (users, 4), (view, 1)].into()));
}

#[test]
fn comparisons_that_show_a_masked_value_are_told_from_those_that_do_not() {
    corpus::check_comparisons(Database::shared(), include_str!("corpus/comparisons.sql"));
}
