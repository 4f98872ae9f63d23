//! The demo of PostgreSQL: a nightly report with psql and psycopg.
//!
//! Owns the plot: the job first runs as it always did, then, unchanged, under the gateway, and then
//! the daemon is killed. Must not know how any part is staged.

use super::job::Job;
use super::leaks;
use super::narrator::Narrator;
use super::scene::Scene;
use super::tally::{Plot, Tally};
use crate::fault::Outcome;

/// Three psql and one psycopg.
pub(super) const PLOT: Plot = Plot { connections: 4, denied: "the DELETE", held: "the DROP TABLE" };

/// Plays it.
pub(super) fn play(narrator: &Narrator, tally: &mut Tally) -> Outcome {
    let scene = Scene::set_up()?;
    before(&scene, narrator, tally)?;
    governed(&scene, narrator, tally)?;
    killed(&scene, narrator, tally)?;
    let sensitive = scene.sensitive_values()?;
    super::afterwards(&scene.daemon, &sensitive, "DROP TABLE", narrator, tally)?;
    tally.direct = scene.direct_connections();
    Ok(())
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
    scene.daemon.start()?;
    narrator.show("portcullis status", &scene.daemon.portcullis(&["status"])?);
    let job = Job::governed(scene).start()?;
    let hold = scene.daemon.wait_for_hold()?;
    narrator.act("The job wants to drop a table: that waits for a human");
    narrator.show("portcullis sockets", &scene.daemon.portcullis(&["sockets"])?);
    let explain = ["explain", "--socket", &hold.session, "--statement", &hold.text];
    narrator.show("portcullis explain", &scene.daemon.portcullis(&explain)?);
    narrator.show("portcullis approvals list", &scene.daemon.portcullis(&["approvals", "list"])?);
    let approve = ["approvals", "approve", &hold.id, "--comment", "last year's, not needed"];
    narrator.show("portcullis approvals approve", &scene.daemon.portcullis(&approve)?);
    let said = job.wait()?;
    narrator.show("nightly-report.sh, governed: masked, refused, held and approved", &said);
    tally.approved_done = scene.query_shop("SELECT to_regclass('old_reports') IS NULL")? == "t";
    tally.denied_undone = scene.query_shop("SELECT count(*) FROM payments")? == "200";
    tally.heard.push(said);
    Ok(())
}

/// The daemon is killed: what it captured is refused, not let through.
fn killed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The daemon is killed: a governed connect is refused, never direct");
    let sessions = scene.connections();
    scene.daemon.kill()?;
    let refused = Job::governed(scene).glance()?;
    narrator.show("psql, governed, no daemon", &refused.text);
    let unreached = scene.connections() == sessions;
    narrator.act("It starts again, adopts the pinned programs, and service goes on");
    scene.daemon.start()?;
    let served = Job::governed(scene).glance()?;
    narrator.show("psql, governed, daemon back", &served.text);
    tally.fail_closed = !refused.succeeded && unreached && served.succeeded;
    tally.heard.push(refused.text);
    tally.heard.push(served.text);
    Ok(())
}
