//! The rules of the house, as a check that anyone can run.
//!
//! Owns the walk over the tree and the report. A rule is a module below that gets sources and
//! gives findings; it must not know the others. Ends with every finding printed at once, as
//! `file:line: what is wrong and what to do`.

mod dependencies;
mod heads;
mod imports;
mod names;
mod references;
mod sizes;
mod source;

use std::fmt;
use std::fs;

use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::places;
use imports::Table;
use source::{Source, sources};

/// The document that holds the import table.
const ARCHITECTURE: &str = "docs/architecture.md";

/// One thing that is not as the house wants it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    says: String,
}

impl Finding {
    fn at(file: &str, line: usize, says: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, says: says.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.says)
    }
}

/// `cargo xtask tidy`.
pub(crate) fn run() -> Outcome {
    run_without_build()?;
    run_references()
}

/// The checks that only read files.
pub(crate) fn run_without_build() -> Outcome {
    let sources = sources(&places::repository())?;
    let mut findings = source_findings(&sources)?;
    findings.extend(dependencies::check(&places::repository())?);
    report(&format!("the house: {} source files, dependencies", sources.len()), &findings)
}

/// The check that generated documents are up to date; it runs the gateway.
pub(crate) fn run_references() -> Outcome {
    report("generated documents", &references::check()?)
}

/// Writes the generated documents.
pub(crate) fn write_references() -> Outcome {
    references::write()
}

/// The rules about single sources.
fn source_findings(sources: &[Source]) -> Outcome<Vec<Finding>> {
    let place = places::repository().join(ARCHITECTURE);
    let table = Table::read(&fs::read_to_string(&place).during(place.display())?)?;
    let mut findings = Vec::new();
    for source in sources {
        findings.extend(heads::check(source));
        findings.extend(names::check(source));
        findings.extend(sizes::check(source));
        findings.extend(imports::check(source, &table));
    }
    findings.extend(sizes::check_exceptions(sources));
    findings.sort();
    Ok(findings)
}

fn report(what: &str, findings: &[Finding]) -> Outcome {
    if findings.is_empty() {
        console::step("Tidy", what);
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Fault::because(format!("{} findings\n{}", lines.len(), lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let sources = sources(&places::repository()).unwrap();
        assert!(sources.len() > 20, "the walk found only {} files", sources.len());
        let findings: Vec<String> =
            source_findings(&sources).unwrap().iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn the_dependencies_are_tidy() {
        let findings = dependencies::check(&places::repository()).unwrap();
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }
}
