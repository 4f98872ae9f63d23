//! The demo of HTTP: a sync with curl and python-requests over TLS.
//!
//! Owns the plot: the job first runs as it always did, then, unchanged, under the gateway, and then
//! the daemon is killed. Must not know how any part is staged.

mod scene;

use super::leaks;
use super::narrator::Narrator;
use super::tally::{Plot, Tally};
use crate::fault::Outcome;
use scene::{Scene, Unit};

/// Four curl, and one Python that keeps its connection.
pub(super) const PLOT: Plot = Plot { connections: 5, denied: "the DELETE", held: "the PUT" };

/// Plays it.
pub(super) fn play(narrator: &Narrator, tally: &mut Tally) -> Outcome {
    let scene = Scene::set_up()?;
    before(&scene, narrator, tally)?;
    governed(&scene, narrator, tally)?;
    killed(&scene, narrator, tally)?;
    super::afterwards(&scene.daemon, scene::SENSITIVE_VALUES, "PUT", narrator, tally)?;
    tally.direct = scene.direct_connections();
    Ok(())
}

/// The control run: the job as it always was, outside governance.
fn before(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The job as it always was: it sees and does everything");
    let said = scene.sync(Unit::Unbound)?.wait()?;
    narrator.show("sync-orders.sh, not governed", &said);
    tally.control_leaks = leaks::count(scene::SENSITIVE_VALUES, &[&said]);
    tally.direct_expected = scene.direct_connections();
    Ok(())
}

/// The same job, byte for byte, in a unit that the gateway governs.
fn governed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The gateway starts; the job, unchanged, is in a unit that it governs");
    scene.daemon.start()?;
    scene.trust_authority()?;
    narrator.show("portcullis status", &scene.daemon.portcullis(&["status"])?);
    let job = scene.sync(Unit::Governed)?;
    let hold = scene.daemon.wait_for_hold()?;
    narrator.act("The job wants to change the prices: that waits for a human");
    narrator.show("portcullis sockets", &scene.daemon.portcullis(&["sockets"])?);
    narrator.show("portcullis approvals list", &scene.daemon.portcullis(&["approvals", "list"])?);
    let approve = ["approvals", "approve", &hold.id, "--comment", "the list of the season"];
    narrator.show("portcullis approvals approve", &scene.daemon.portcullis(&approve)?);
    let said = job.wait()?;
    narrator.show("sync-orders.sh, governed: masked, refused, held and approved", &said);
    tally.approved_done = scene.has_new_prices();
    tally.denied_undone = scene.has_old_customer();
    tally.heard.push(said);
    scene.saw_only_the_gateway()
}

/// The daemon is killed: what it captured is refused, not let through.
fn killed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The daemon is killed: a governed connect is refused, never direct");
    let connections = scene.connections();
    scene.daemon.kill()?;
    let refused = scene.glance()?;
    narrator.show("curl, governed, no daemon", &refused.text);
    let unreached = scene.connections() == connections;
    narrator.act("It starts again, adopts the pinned programs, and service goes on");
    scene.daemon.start()?;
    let served = scene.glance()?;
    narrator.show("curl, governed, daemon back", &served.text);
    tally.fail_closed = !refused.succeeded && unreached && served.succeeded;
    tally.heard.push(refused.text);
    tally.heard.push(served.text);
    Ok(())
}
