//! What holds for any words and any bytes.

use proptest::prelude::*;

use crate::{Command, Reading, read, transfer};

/// Words that are hard on quoting, and any others.
pub(super) fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/.-]{1,8}",
        "[\t -~]{0,12}",
        r#"[ '"\\!$`~=%#*?{}\[\]^<>;&|()@+,:.a\t-]{0,10}"#,
        "\\PC{0,8}",
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same_words(words in prop::collection::vec(word(), 1..8)) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(command) = Command::new(&words) else { return Ok(()) };
        let text = command.canonical();
        prop_assert_eq!(read(text.as_bytes()), Reading::Command(command), "{}", text);
    }

    #[test]
    fn reading_what_was_read_changes_nothing(text in r#"[ -~\t\n]{0,60}"#) {
        if let Reading::Command(command) = read(text.as_bytes()) {
            let again = read(command.canonical().as_bytes());
            prop_assert_eq!(again, Reading::Command(command));
        }
    }

    #[test]
    fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Reading::Command(command) = read(&bytes) {
            let _ = transfer(command.words());
        }
    }

    #[test]
    fn no_arguments_of_a_transfer_end_the_process(
        program in "(scp|rsync|git|git-upload-pack)",
        words in prop::collection::vec(
            prop_oneof![word(), "-[a-zA-Z.]{0,8}", "--[a-z-]{0,12}=?[a-z/.]{0,4}", "--server", "\\."],
            0..8,
        ),
    ) {
        let all: Vec<_> = std::iter::once(program).chain(words).map(Into::into).collect();
        if let Ok(Some(found)) = transfer(&all) {
            prop_assert!(!found.needs().is_empty());
            for need in found.needs() {
                let path = need.path.resolve("/home/u");
                prop_assert!(path == "*" || path.starts_with('/') && !path.contains("/.."));
            }
        }
    }
}
