//! The plot that every demo has: the job first runs as it always did, then, unchanged, under the
//! gateway, and then the daemon is killed.
//!
//! Owns the acts and what is counted in each. Must not know how any part is staged: a [`Scene`] is
//! played in.

use super::daemon::Daemon;
use super::leaks;
use super::narrator::Narrator;
use super::running::{Running, Said};
use super::tally::Tally;
use crate::console;
use crate::fault::{During, Outcome};

/// What a demo shows, and what it must come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    /// The job's name.
    pub(super) job: &'static str,
    /// The client of the short look.
    pub(super) client: &'static str,
    /// What waits for a human, as a sentence.
    pub(super) wants: &'static str,
    /// What the human says to it.
    pub(super) comment: &'static str,
    /// What stands in the replay of the session that is shown.
    pub(super) telling: &'static str,
    /// Whether the decision about what is held is explained too.
    pub(super) explains: bool,
    /// The connections of one run of the job. One more comes when the daemon is back.
    pub(super) connections: usize,
    /// What is counted of those that went past the gateway.
    pub(super) direct: Direct,
    /// What is refused, each once.
    pub(super) denied: &'static [&'static str],
    /// What is held and approved, once.
    pub(super) held: &'static str,
}

/// What a server can tell of whom it served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direct {
    /// Its connections.
    Connections,
    /// Its requests, of which a connection has any number.
    Requests,
}

/// Where a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Outside governance, on a copy of what it works on, because it really removes.
    Unbound,
    /// In the unit that the gateway governs.
    Governed,
}

/// What is staged, and what can be asked of it.
pub(super) trait Scene {
    /// The daemon, which is not started yet.
    fn daemon(&self) -> &Daemon;

    /// Starts the job.
    fn job(&self, unit: Unit) -> Outcome<Running>;

    /// One short governed look at the server.
    fn glance(&self) -> Outcome<Said>;

    /// Puts the gateway's authority where the job's machine looks for authorities.
    fn trust_gateway(&self) -> Outcome {
        Ok(())
    }

    /// Every value that the job must not see raw.
    fn sensitive_values(&self) -> Outcome<Vec<String>>;

    /// How many connections, or requests, the server has let in.
    fn connections(&self) -> Outcome<usize>;

    /// How many of them came with the job's own secret.
    fn direct_connections(&self) -> Outcome<usize>;

    /// Whether what was approved was done.
    fn approved_done(&self) -> Outcome<bool>;

    /// Whether what was refused was not done.
    fn denied_undone(&self) -> Outcome<bool>;

    /// A fault where the server saw another secret than the gateway's in the governed run.
    fn saw_only_the_gateway(&self) -> Outcome {
        Ok(())
    }
}

impl Plot {
    /// Plays it.
    pub(super) fn play(
        &self,
        scene: &impl Scene,
        narrator: &Narrator,
        tally: &mut Tally,
    ) -> Outcome {
        self.before(scene, narrator, tally)?;
        self.governed(scene, narrator, tally)?;
        self.killed(scene, narrator, tally)?;
        self.afterwards(scene, narrator, tally)?;
        tally.direct = scene.direct_connections()?;
        Ok(())
    }

    /// The control run: the job as it always was, outside governance.
    fn before(&self, scene: &impl Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
        narrator.act("The job as it always was: it sees and does everything");
        let said = scene.job(Unit::Unbound)?.wait()?;
        narrator.show(&format!("{}, not governed", self.job), &said);
        tally.control_leaks = leaks::count(&scene.sensitive_values()?, &[&said]);
        tally.direct_expected = scene.direct_connections()?;
        Ok(())
    }

    /// The same job, byte for byte, in a unit that the gateway governs.
    fn governed(&self, scene: &impl Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
        let daemon = scene.daemon();
        narrator.act("The gateway starts; the job, unchanged, is in a unit that it governs");
        daemon.start()?;
        scene.trust_gateway()?;
        narrator.show("portcullis status", &daemon.portcullis(&["status"])?);
        let job = scene.job(Unit::Governed)?;
        let hold = daemon.wait_for_hold()?;
        narrator.act(self.wants);
        narrator.show("portcullis sockets", &daemon.portcullis(&["sockets"])?);
        if self.explains {
            let explain = ["explain", "--socket", &hold.session, "--statement", &hold.text];
            narrator.show("portcullis explain", &daemon.portcullis(&explain)?);
        }
        narrator.show("portcullis approvals list", &daemon.portcullis(&["approvals", "list"])?);
        let approve = ["approvals", "approve", &hold.id, "--comment", self.comment];
        narrator.show("portcullis approvals approve", &daemon.portcullis(&approve)?);
        let said = job.wait()?;
        let title = format!("{}, governed: masked, refused, held and approved", self.job);
        narrator.show(&title, &said);
        tally.approved_done = scene.approved_done()?;
        tally.denied_undone = scene.denied_undone()?;
        tally.heard.push(said);
        scene.saw_only_the_gateway()
    }

    /// The daemon is killed: what it captured is refused, not let through.
    fn killed(&self, scene: &impl Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
        narrator.act("The daemon is killed: a governed connect is refused, never direct");
        let connections = scene.connections()?;
        scene.daemon().kill()?;
        let refused = scene.glance()?;
        narrator.show(&format!("{}, governed, no daemon", self.client), &refused.text);
        let unreached = scene.connections()? == connections;
        narrator.act("It starts again, adopts the pinned programs, and service goes on");
        scene.daemon().start()?;
        let served = scene.glance()?;
        narrator.show(&format!("{}, governed, daemon back", self.client), &served.text);
        tally.fail_closed = !refused.succeeded && unreached && served.succeeded;
        tally.heard.push(refused.text);
        tally.heard.push(served.text);
        Ok(())
    }

    /// What is left to look at, and the counting.
    fn afterwards(&self, scene: &impl Scene, narrator: &Narrator, tally: &mut Tally) -> Outcome {
        let daemon = scene.daemon();
        narrator.act("Afterwards: every session can be read again, and shown to be untouched");
        daemon.wait_for_ended_sessions()?;
        narrator.show("portcullis sessions list", &daemon.recordings(&["list"])?);
        let sessions = daemon.sessions()?;
        tally.verified = !sessions.is_empty();
        for session in &sessions {
            let replayed = daemon.recordings(&["replay", session])?;
            if replayed.contains(self.telling) {
                narrator.show(&format!("portcullis sessions replay {session}"), &replayed);
            }
            tally.heard.push(replayed);
            let verified = daemon.recordings(&["verify", session]);
            if let Err(fault) = &verified {
                console::warned(&fault.to_string());
            }
            tally.verified &= verified.is_ok();
        }
        let audit = daemon.audit_log()?;
        tally.count_events(&audit).during("the audit log")?;
        tally.heard.push(audit);
        tally.heard.push(daemon.log());
        tally.leaked = leaks::count(&scene.sensitive_values()?, &tally.heard);
        Ok(())
    }
}
