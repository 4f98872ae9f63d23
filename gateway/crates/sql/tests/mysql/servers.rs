//! The same text before different servers.

use sql::{Family, Server};

use crate::corpus::Database;

fn reads(family: Family, text: &str) -> Vec<String> {
    let shop = Database::mysql(Server { family, folds_table_names: false });
    shop.lines(text)
}

#[test]
fn version_comments_are_read_as_each_server_reads_them() {
    let secret = |lines: &[String]| lines.iter().any(|line| line.contains("shop.secret"));
    let refused = |lines: &[String]| lines.iter().any(|line| line.starts_with("unreadable"));
    let (maria, mysql) = (Family::MariaDb(101_119), Family::MySql(80_036));
    for (comment, in_maria, in_mysql) in [
        ("!50000", true, true),
        ("!80000", false, true),
        ("!80100", false, false),
        ("!50700", false, true),
        ("!100100", true, false),
        ("M!100100", true, false),
        ("M!80000", true, false),
        ("!", true, true),
    ] {
        let text = format!("SELECT 1 /*{comment} , a FROM secret */");
        let (got, other) = (reads(maria, &text), reads(mysql, &text));
        assert_eq!(secret(&got), in_maria, "{text} in MariaDB: {got:?}");
        if comment == "!100100" {
            assert!(refused(&other), "{text} in MySQL: {other:?}");
        } else {
            assert_eq!(secret(&other), in_mysql, "{text} in MySQL: {other:?}");
        }
        let unknown = reads(Family::Unknown, &text);
        let same_in_all = comment == "!50000" || comment == "!";
        assert_eq!(refused(&unknown), !same_in_all, "{text} in an unknown server: {unknown:?}");
    }
}

#[test]
fn names_of_tables_are_the_same_in_every_case_where_the_server_folds_them() {
    let server = Server { family: Family::MariaDb(101_119), folds_table_names: true };
    let shop = Database::mysql(server);
    for text in ["SELECT email FROM USERS", "SELECT U.EMAIL FROM Shop.Users u"] {
        let lines = shop.lines(text);
        assert!(lines.contains(&"select on def.shop.users(email)".to_owned()), "{lines:?}");
    }
    // What is not listed is named as the server stores it.
    let lines = shop.lines("SELECT A FROM Newer");
    assert!(lines.contains(&"select on def.shop.newer(a)".to_owned()), "{lines:?}");
}

#[test]
fn without_a_database_a_name_may_be_in_any() {
    let mut shop = Database::mysql(Server::default());
    shop.search_path.clear();
    let lines = shop.lines("SELECT a FROM secret");
    assert!(lines.contains(&"select on def.*.secret(a)".to_owned()), "{lines:?}");
}

#[test]
fn a_view_is_followed_column_by_column() {
    let shop = Database::mysql(Server::default());
    let read = |text| sql::mysql::derivations(&shop.catalog, 104, text);
    assert_eq!(
        read(
            "select `shop`.`users`.`id` AS `id`,lcase(`shop`.`users`.`email`) AS `mail` from `shop`.`users`"
        ),
        Some(vec![((104, 1), (100, 1)), ((104, 2), (100, 3))])
    );
    assert_eq!(read("select `x`.`y`.`z` AS `id` from `x`.`y`"), None);
}
