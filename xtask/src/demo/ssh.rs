//! The demo of SSH: a deploy job with ssh, scp and rsync.
//!
//! Owns the plot: the job first runs as it always did, then, unchanged, under the gateway, and then
//! the daemon is killed. Must not know how any part is staged.

mod scene;

use super::leaks;
use super::narrator::Narrator;
use super::tally::{Plot, Tally};
use crate::fault::Outcome;
use scene::{Scene, Unit};

/// Three ssh, one scp and one rsync.
pub(super) const PLOT: Plot =
    Plot { connections: 5, denied: "the rm -rf", held: "the systemctl restart" };

/// Plays it.
pub(super) fn play(narrator: &Narrator, tally: &mut Tally) -> Outcome {
    let scene = Scene::set_up()?;
    before(&scene, narrator, tally)?;
    governed(&scene, narrator, tally)?;
    killed(&scene, narrator, tally)?;
    super::afterwards(&scene.daemon, scene::SENSITIVE_VALUES, "systemctl", narrator, tally)?;
    tally.direct = scene.direct_connections()?;
    Ok(())
}

/// The control run: the job as it always was, outside governance.
fn before(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The job as it always was: it sees and does everything");
    let said = scene.deploy(Unit::Unbound)?.wait()?;
    narrator.show("deploy.sh, not governed", &said);
    tally.control_leaks = leaks::count(scene::SENSITIVE_VALUES, &[&said]);
    tally.direct_expected = scene.direct_connections()?;
    Ok(())
}

/// The same job, byte for byte, in a unit that the gateway governs.
fn governed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The gateway starts; the job, unchanged, is in a unit that it governs");
    scene.daemon.start()?;
    scene.trust_authority()?;
    narrator.show("portcullis status", &scene.daemon.portcullis(&["status"])?);
    let job = scene.deploy(Unit::Governed)?;
    let hold = scene.daemon.wait_for_hold()?;
    narrator.act("The job wants to restart the application: that waits for a human");
    narrator.show("portcullis sockets", &scene.daemon.portcullis(&["sockets"])?);
    narrator.show("portcullis approvals list", &scene.daemon.portcullis(&["approvals", "list"])?);
    let approve = ["approvals", "approve", &hold.id, "--comment", "release 2, announced"];
    narrator.show("portcullis approvals approve", &scene.daemon.portcullis(&approve)?);
    let said = job.wait()?;
    narrator.show("deploy.sh, governed: masked, refused, held and approved", &said);
    tally.approved_done = scene.has_restarted()?;
    tally.denied_undone = scene.has_old_release();
    tally.heard.push(said);
    Ok(())
}

/// The daemon is killed: what it captured is refused, not let through.
fn killed(scene: &Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
    narrator.act("The daemon is killed: a governed connect is refused, never direct");
    let connections = scene.connections()?;
    scene.daemon.kill()?;
    let refused = scene.glance()?;
    narrator.show("ssh, governed, no daemon", &refused.text);
    let unreached = scene.connections()? == connections;
    narrator.act("It starts again, adopts the pinned programs, and service goes on");
    scene.daemon.start()?;
    let served = scene.glance()?;
    narrator.show("ssh, governed, daemon back", &served.text);
    tally.fail_closed = !refused.succeeded && unreached && served.succeeded;
    tally.heard.push(refused.text);
    tally.heard.push(served.text);
    Ok(())
}
