//! The gate: what has to hold before a change lands, on a clean checkout.
//!
//! Owns the order of the checks, the cheapest first. Must not know what a check does. Ends at the
//! first that fails.

use crate::call::{Call, find_program};
use crate::console;
use crate::fault::Outcome;
use crate::setup::{self, Need};
use crate::suite;
use crate::tidy;

/// `cargo xtask ci`.
pub(crate) fn run() -> Outcome {
    check("formatting", Call::cargo().with(["fmt", "--all", "--check"]))?;
    tidy::run_without_build()?;
    setup::ensure(&[
        Need::Build,
        Need::Kernel,
        Need::Postgres,
        Need::Mysql,
        Need::Ssh,
        Need::Http,
    ])?;
    dependencies()?;
    check(
        "lints",
        Call::cargo().with([
            "clippy",
            "--workspace",
            "--all-targets",
            // Tests that are not run here are read all the same.
            "--features",
            "tests/kubernetes",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    tidy::run_references()?;
    suite::run(&suite::TestArguments::default())
}

fn check(what: &str, call: Call) -> Outcome {
    console::step("Checking", &format!("{what}: {}", call.shown()));
    call.run()
}

/// Licences, sources and banned crates are always checked by `tidy`, from the same `deny.toml`;
/// cargo-deny, which also reads the advisory database, is run where it is installed.
fn dependencies() -> Outcome {
    if find_program("cargo-deny").is_none() {
        console::note(
            "advisories are not checked: no cargo-deny here (`cargo install cargo-deny --locked`)",
        );
        return Ok(());
    }
    check("dependencies", Call::cargo().with(["deny", "--workspace", "check"]))
}
