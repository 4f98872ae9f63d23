//! Sweeps over many texts: nothing may panic, and what is cut short or mixed up never needs less
//! than it should without being refused.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::cases;
use crate::corpus::Database;

const CORPORA: [&str; 3] = [
    include_str!("../corpus/mysql-attacks.sql"),
    include_str!("../corpus/mysql-lineage.sql"),
    include_str!("../corpus/mysql-applications.sql"),
];

fn all_texts() -> &'static [String] {
    static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
        CORPORA.iter().flat_map(|text| cases::read_cases(text)).map(|case| case.text).collect()
    });
    &TEXTS
}

fn words() -> Vec<&'static str> {
    all_texts().iter().flat_map(|text| text.split_inclusive([' ', ',', '(', ')'])).collect()
}

#[test]
fn a_text_that_is_cut_anywhere_is_read_or_refused() {
    let shop = Database::shared_mariadb();
    for text in all_texts() {
        for (at, _) in text.char_indices() {
            let (before, after) = text.split_at(at);
            let _ = shop.read(before);
            let _ = shop.read(after);
        }
    }
}

#[test]
fn a_text_is_read_as_any_with_its_pattern() {
    let compared = include_str!("../corpus/mysql-comparisons.sql").lines();
    let texts = all_texts().iter().map(String::as_str).chain(compared);
    Database::shared_mariadb().check_patterns(texts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = Database::shared_mariadb().read(&text);
    }

    #[test]
    fn any_bytes_that_are_text_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Database::shared_mariadb().read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn words_in_any_order_are_read_as_their_pattern(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..25),
        numbers in prop::collection::vec(1..99_999_u32, 1..4),
    ) {
        let words = words();
        let mut text: String = picks.iter().map(|pick| *pick.get(&words)).collect();
        for number in numbers {
            text = format!("SELECT {text} = {number} ");
        }
        Database::shared_mariadb().check_pattern(&text);
    }

    #[test]
    fn words_in_any_order_are_read_or_refused(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..25),
    ) {
        let words = words();
        let text: String = picks.iter().map(|pick| *pick.get(&words)).collect();
        let _ = Database::shared_mariadb().read(&text);
    }

    #[test]
    fn a_changed_statement_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        put in "[ -~]{0,3}",
        take in 0_usize..4,
    ) {
        let text = which.get(all_texts());
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len() + 1);
        let end = (at + take).min(letters.len());
        letters.splice(at..end, put.chars());
        let _ = Database::shared_mariadb().read(&letters.into_iter().collect::<String>());
    }
}
