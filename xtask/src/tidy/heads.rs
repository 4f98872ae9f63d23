//! Every module opens with what it owns, what it must not know, and how it ends.
//!
//! Owns the check of the head paragraph. Must not know more about the wording than a reader needs:
//! parts of the gateway say what they own; small files may say it in fewer words.

use super::Finding;
use super::source::Source;

/// Lines up to which a file is small: its first sentence says all.
const SMALL_LINES_MAX: usize = 150;

/// Checks one file.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let head: Vec<&str> = source
        .text
        .lines()
        .skip_while(|line| line.is_empty() || line.starts_with("#!"))
        .take_while(|line| line.starts_with("//!"))
        .collect();
    let finding = |says: &str| vec![Finding::at(&source.path, 1, says)];
    if source.path.ends_with("/tests.rs") {
        // The unit tests of the module beside it, which has the head.
        return Vec::new();
    }
    if head.is_empty() {
        return finding("the file does not open with a `//!` head: say what it owns");
    }
    let paragraph = head.join(" ").to_lowercase();
    if source.is_test() {
        return Vec::new();
    }
    let long = source.lines_without_tests() > SMALL_LINES_MAX;
    if long && is_part_of_the_gateway(&source.path) && !paragraph.contains("owns ") {
        return finding("the head does not say what the module owns and must not know");
    }
    Vec::new()
}

fn is_part_of_the_gateway(path: &str) -> bool {
    path.starts_with("gateway/src/") || path.starts_with("gateway/crates/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(path: &str, text: &str) -> Vec<String> {
        check(&Source::new(path, text)).into_iter().map(|finding| finding.says).collect()
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        assert_eq!(says("gateway/src/a.rs", "use x;\n").len(), 1);
        let long = format!("//! Only what it is.\n{}", "fn a() {}\n".repeat(SMALL_LINES_MAX));
        assert_eq!(says("gateway/src/a.rs", &long).len(), 1);
        assert_eq!(says("gateway/src/a.rs", "//! Small.\n").len(), 0);
    }

    #[test]
    fn a_good_head_passes() {
        assert!(
            says("gateway/src/a.rs", "//! Sockets.\n//!\n//! Owns the accept loop.\n").is_empty()
        );
        let inner = "#![no_std]\n//! Programs.\n//! Own nothing.\n";
        assert!(says("gateway-ebpf/src/lib.rs", inner).is_empty());
    }
}
