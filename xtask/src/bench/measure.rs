//! Running the measuring program where a client would run, and reading its line.
//!
//! Owns building and calling it (`tests/examples/measure.rs`). Must not know what a number means.

use std::path::PathBuf;

use serde_json::Value;

use super::arena::Arena;
use super::peers::Way;
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};
use crate::places;
use crate::stage::postgres::Postgres;

/// Builds the program as a release.
pub(super) fn build() -> Outcome {
    Call::cargo()
        .with(["build", "--quiet", "--release", "--locked", "--package", "tests"])
        .with(["--example", "measure"])
        .run()
}

/// Runs it over one way and gives its line.
pub(super) fn run(arena: &Arena<Postgres>, way: &Way, arguments: &[&str]) -> Outcome<Value> {
    let mut command = arena.client(way, program())?;
    let output = command.args(arguments).output().during("cannot run the measuring program")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Fault::because(format!("measuring {arguments:?} over {}: {said}", way.name));
    }
    serde_json::from_slice(&output.stdout).during("cannot understand the measuring program")
}

/// A number of the line, by its path.
pub(super) fn number(line: &Value, path: &str) -> Outcome<f64> {
    line.pointer(path).and_then(Value::as_f64).during(format!("no {path} in {line}"))
}

fn program() -> PathBuf {
    places::target().join("release/examples/measure")
}
