//! Files that have grown too long to be read in one sitting.
//!
//! Owns the bound and the argued exceptions. An exception that is no longer needed is a finding
//! too, so that the list only shrinks.

use super::Finding;
use super::source::Source;

/// Lines of a file, without its unit tests, above which it needs an argument.
const LINES_MAX: usize = 500;

/// Files that are longer, and why that reads better than a split.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "gateway/src/protocols/postgres/conversation/answers.rs",
        "one function a message of the server, all over the same state",
    ),
    (
        "gateway/src/protocols/postgres/copy_out.rs",
        "one reader of three formats that share their escapes and their bound",
    ),
];

/// Checks one file.
pub(super) fn check(source: &Source) -> Option<Finding> {
    let lines = source.lines_without_tests();
    if lines <= LINES_MAX || EXCEPTIONS.iter().any(|(path, _)| *path == source.path) {
        return None;
    }
    Some(Finding::at(
        &source.path,
        LINES_MAX,
        format!("{lines} lines without tests; more than {LINES_MAX}: split it"),
    ))
}

/// Exceptions that are not used.
pub(super) fn check_exceptions(sources: &[Source]) -> Vec<Finding> {
    let needed = |path: &str| {
        sources.iter().any(|one| one.path == path && one.lines_without_tests() > LINES_MAX)
    };
    EXCEPTIONS
        .iter()
        .filter(|(path, _)| !needed(path))
        .map(|(path, _)| Finding::at(path, 1, "no longer too long: take it off the exceptions"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let body = "fn a() {}\n".repeat(LINES_MAX);
        let tested = format!("{body}#[cfg(test)]\nmod tests {{\n{body}}}\n");
        assert_eq!(check(&Source::new("a.rs", tested)), None);
        assert!(check(&Source::new("a.rs", format!("{body}{body}"))).is_some());
    }
}
