//! Documents that are made from the code: written by `cargo xtask gen`, compared by tidy.
//!
//! Owns which documents there are. Must not know what is in them: the gateway's example
//! `reference` prints each from the types themselves.

use std::fs;

use super::Finding;
use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;

/// Documents and the name that the example prints each by.
const DOCUMENTS: &[(&str, &str)] = &[
    ("docs/reference/config.md", "config"),
    ("docs/reference/config.schema.json", "schema"),
    ("docs/reference/cli.md", "cli"),
    ("docs/reference/metrics.md", "metrics"),
];

/// Documents that are not what the code says.
pub(super) fn check() -> Outcome<Vec<Finding>> {
    let root = places::repository();
    let differs = |(path, text): &(&str, String)| {
        fs::read_to_string(root.join(path)).map_or(true, |found| found != *text)
    };
    let says = "not what the code says: run `cargo xtask gen`";
    let documents = documents()?;
    Ok(documents.iter().filter(|d| differs(d)).map(|d| Finding::at(d.0, 1, says)).collect())
}

/// Writes them.
pub(super) fn write() -> Outcome {
    for (path, text) in documents()? {
        let place = places::repository().join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).during(parent.display())?;
        }
        fs::write(&place, text).during(format!("cannot write {path}"))?;
        console::step("Written", path);
    }
    Ok(())
}

fn documents() -> Outcome<Vec<(&'static str, String)>> {
    let mut documents = Vec::new();
    for (path, name) in DOCUMENTS {
        let text = Call::cargo()
            .with(["run", "--quiet", "--package", "gateway", "--example", "reference", "--"])
            .with([name])
            .output()?;
        documents.push((*path, text));
    }
    Ok(documents)
}
