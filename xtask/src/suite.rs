//! `cargo xtask test`: sets up, runs every test there is, and looks for what they left behind.
//!
//! Owns the run as a whole. Must not know a test. Privileged tests fail where they cannot run, so
//! a green run has run them all. Ends red when a test fails or something is left over.

mod file_system;
mod leftovers;

use clap::Args;

use crate::call::Call;
use crate::console;
use crate::demo::{DemoArguments, Which};
use crate::fault::Outcome;
use crate::setup::{self, Need};
use file_system::BpfFileSystem;
use leftovers::Snapshot;

/// Arguments of `test`.
#[derive(Args, Debug, Default)]
pub(crate) struct TestArguments {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Run the tests that want a real Kubernetes API server, and only those
    #[arg(long)]
    kubernetes: bool,
}

/// `cargo xtask test`.
pub(crate) fn run(arguments: &TestArguments) -> Outcome {
    if arguments.kubernetes {
        return kubernetes(arguments.filter.as_deref());
    }
    setup::ensure(&[
        Need::Build,
        Need::Kernel,
        Need::Stage,
        Need::Postgres,
        Need::Mysql,
        Need::Ssh,
        Need::Trust,
        Need::Http,
        Need::Postgres18,
    ])?;
    console::step("Building", "every test, and the programs they run");
    Call::cargo().with(TESTS).with(["--no-run"]).run()?;
    let bpf = BpfFileSystem::find()?;
    let before = Snapshot::take()?;
    let run = format!("{}", std::process::id());
    console::step("Testing", "units, the world, the kernel");
    let tests = Call::cargo()
        .with(TESTS)
        .with(["--no-fail-fast"])
        .with(arguments.filter.as_deref())
        .environment(leftovers::RUN_VARIABLE, &run)
        .run();
    let shown = if arguments.filter.is_none() { demo() } else { Ok(()) };
    let left = leftovers::check(&before, &run);
    let unmounted = bpf.leave_as_found();
    tests?;
    shown?;
    left?;
    unmounted?;
    console::step("Passed", "every test, and nothing is left over");
    Ok(())
}

/// What is tried on a real API server: the ordinary tests have what was recorded of one.
fn kubernetes(filter: Option<&str>) -> Outcome {
    setup::ensure(&[Need::Build, Need::Kernel, Need::Stage, Need::Kubernetes])?;
    let before = Snapshot::take()?;
    let run = format!("{}", std::process::id());
    console::step("Testing", "what a real API server and its clients say");
    let tests = Call::cargo()
        .with(["test", "--workspace", "--locked", "--no-fail-fast"])
        .with(["--features", "tests/kubernetes", "--test", "kubernetes"])
        .with(filter)
        // They share one cluster, and look at what has reached it.
        .with(["--", "--test-threads=1"])
        .environment(leftovers::RUN_VARIABLE, &run)
        .run();
    let left = leftovers::check(&before, &run);
    tests?;
    left?;
    console::step("Passed", "every test of Kubernetes, and nothing is left over");
    Ok(())
}

/// The daemon as it is installed, with real kernel programs and unchanged jobs: a demo fails where
/// one of its figures is not as it must be.
fn demo() -> Outcome {
    // With the features that the tests are built with: by itself the daemon has fewer, and half of
    // what it stands on would be built again.
    Call::cargo()
        .with(["build", "--quiet", "--workspace", "--locked", "--bins", "--tests"])
        .run()?;
    for which in [Which::Postgres, Which::Ssh, Which::Api, Which::Mysql] {
        console::step("Testing", &format!("the whole, as the demo plays it: {which:?}"));
        crate::demo::need(which)?;
        crate::demo::play(&DemoArguments { which, json: true })?;
    }
    Ok(())
}

/// All tests of all packages, as one command, so that every package is built once.
const TESTS: [&str; 6] = ["test", "--workspace", "--locked", "--lib", "--bins", "--tests"];
