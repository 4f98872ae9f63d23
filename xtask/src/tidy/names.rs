//! Names that say nothing, files that hide what they are, work left undone.
//!
//! Owns the lists of words. Must not know what a module does.

use super::Finding;
use super::source::Source;

/// Words that fit any module and so name none.
const EMPTY_NAMES: &[&str] =
    &["common", "helper", "helpers", "manager", "misc", "stuff", "util", "utils"];

/// Marks of work left undone: an issue says it better.
const MARKS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

/// Checks one file.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = source.path.rsplit('/').next().unwrap_or(&source.path);
    // Beside an integration test, cargo would take any other file for a test of its own.
    if name == "mod.rs" && !source.is_test() {
        findings.push(Finding::at(
            &source.path,
            1,
            "`mod.rs` is not used here: name the file like its directory, beside it",
        ));
    }
    for part in source.path.trim_end_matches(".rs").split('/') {
        let words = part.split('_');
        if let Some(word) = words.into_iter().find(|word| EMPTY_NAMES.contains(word)) {
            findings.push(Finding::at(
                &source.path,
                1,
                format!("`{word}` says nothing: name the module for what it owns"),
            ));
        }
    }
    findings.extend(marks(source));
    findings
}

fn marks(source: &Source) -> impl Iterator<Item = Finding> {
    source.text.lines().enumerate().filter_map(|(index, line)| {
        // Quoted, a mark is spoken of and not left.
        let unquoted = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let mut words = unquoted.split(|c: char| !c.is_alphanumeric() && c != '_');
        let mark = words.find(|word| MARKS.contains(word))?;
        let says = format!("`{mark}`: do it, or write an issue");
        Some(Finding::at(&source.path, index + 1, says))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(path: &str, text: &str) -> usize {
        check(&Source::new(path, text)).len()
    }

    #[test]
    fn empty_names_are_found_in_files_and_directories() {
        assert_eq!(says("gateway/src/a/mod.rs", ""), 1);
        assert_eq!(says("gateway/src/string_util.rs", ""), 1);
        assert_eq!(says("gateway/src/common/a.rs", ""), 1);
        assert_eq!(says("gateway/src/utility_company.rs", ""), 0);
    }

    #[test]
    fn undone_work_is_found_but_not_in_quotes() {
        assert_eq!(says("gateway/src/a.rs", &format!("// {}: later\n", MARKS[0])), 1);
        assert_eq!(says("gateway/src/a.rs", &format!("let x = \"{}\";\n", MARKS[0])), 0);
        assert_eq!(says("gateway/src/a.rs", "// a to-do is fine\n"), 0);
    }
}
