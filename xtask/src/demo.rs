//! `cargo xtask demo`: the whole way of a connection, in a minute, on this machine.
//!
//! Owns the plot: a legacy job first runs as it always did, then, unchanged, under the gateway,
//! and then the daemon is killed. Must not know how any part is staged. Ends with one line of JSON
//! that says what was counted; where a figure is not as it must be, the exit status is 1. Everything
//! is cleared, also on an interrupt, and what a killed run left is cleared by the next.

mod job;
mod leaks;
mod narrator;
mod scene;
mod tally;

use clap::Args;

use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::setup::{self, Need};
use job::Job;
use narrator::Narrator;
use scene::Scene;
use tally::Tally;

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// Print only the line of JSON that ends the demo
    #[arg(long)]
    pub(crate) json: bool,
}

/// `cargo xtask demo`.
pub(crate) fn run(arguments: &DemoArguments) -> Outcome {
    setup::ensure(&[Need::Build, Need::Kernel, Need::Postgres])?;
    let narrator = Narrator { silent: arguments.json };
    scene::build()?;
    let scene = Scene::set_up()?;
    let mut tally = Tally::default();
    before(&scene, &narrator, &mut tally)?;
    governed(&scene, &narrator, &mut tally)?;
    killed(&scene, &narrator, &mut tally)?;
    afterwards(&scene, &narrator, &mut tally)?;
    anstream::println!("{}", tally.json());
    drop(scene);
    let wrong = tally.wrong();
    if wrong.is_empty() { Ok(()) } else { Fault::because(wrong.join("\n")) }
}

/// The control run: the job as it always was, outside governance.
fn before(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The job as it always was: it sees and does everything");
    let said = Job::unbound(scene).run()?;
    narrator.show("nightly-report.sh, not governed", &said);
    tally.control_leaks = leaks::count(&scene.sensitive_values()?, &[&said]);
    tally.direct_expected = scene.direct_connections();
    Ok(())
}

/// The same job, byte for byte, in a unit that the gateway governs.
fn governed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The gateway starts; the job, unchanged, is in a unit that it governs");
    scene.start_gateway()?;
    narrator.show("portcullis status", &scene.portcullis(&["status"])?);
    let job = Job::governed(scene).start()?;
    let hold = scene.wait_for_hold()?;
    narrator.act("The job wants to drop a table: that waits for a human");
    narrator.show("portcullis sockets", &scene.portcullis(&["sockets"])?);
    let explain = ["explain", "--socket", &hold.session, "--statement", &hold.text];
    narrator.show("portcullis explain", &scene.portcullis(&explain)?);
    narrator.show("portcullis approvals list", &scene.portcullis(&["approvals", "list"])?);
    let approve = ["approvals", "approve", &hold.id, "--comment", "last year's, not needed"];
    narrator.show("portcullis approvals approve", &scene.portcullis(&approve)?);
    let said = job.wait()?;
    narrator.show("nightly-report.sh, governed: masked, refused, held and approved", &said);
    tally.dropped = scene.query_shop("SELECT to_regclass('old_reports') IS NULL")? == "t";
    tally.kept_payments = scene.query_shop("SELECT count(*) FROM payments")? == "200";
    tally.heard.push(said);
    Ok(())
}

/// The daemon is killed: what it captured is refused, not let through.
fn killed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The daemon is killed: a governed connect is refused, never direct");
    let sessions = scene.connections();
    scene.kill_gateway()?;
    let refused = Job::governed(scene).glance()?;
    narrator.show("psql, governed, no daemon", &refused.text);
    let unreached = scene.connections() == sessions;
    narrator.act("It starts again, adopts the pinned programs, and service goes on");
    scene.start_gateway()?;
    let served = Job::governed(scene).glance()?;
    narrator.show("psql, governed, daemon back", &served.text);
    tally.fail_closed = !refused.succeeded && unreached && served.succeeded;
    tally.heard.push(refused.text);
    tally.heard.push(served.text);
    Ok(())
}

/// What is left to look at, and the counting.
fn afterwards(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("Afterwards: every session can be read again, and shown to be untouched");
    scene.wait_for_ended_sessions()?;
    narrator.show("portcullis sessions list", &scene.recordings(&["list"])?);
    let sessions = scene.sessions()?;
    tally.verified = !sessions.is_empty();
    for session in &sessions {
        let replayed = scene.recordings(&["replay", session])?;
        if replayed.contains("DROP TABLE") {
            narrator.show(&format!("portcullis sessions replay {session}"), &replayed);
        }
        tally.heard.push(replayed);
        let verified = scene.recordings(&["verify", session]);
        if let Err(fault) = &verified {
            console::warned(&fault.to_string());
        }
        tally.verified &= verified.is_ok();
    }
    let audit = scene.audit_log()?;
    tally.count_events(&audit).during("the audit log")?;
    tally.direct = scene.direct_connections();
    tally.heard.push(audit);
    tally.heard.push(scene.gateway_log());
    tally.leaked = leaks::count(&scene.sensitive_values()?, &tally.heard);
    Ok(())
}
