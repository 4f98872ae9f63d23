//! The daemon of a demo, and what it can be asked.
//!
//! Owns starting, killing and asking it, and the files it leaves. Must not know what it governs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::places;
use crate::stage::{Stage, gateway::Gateway, network, wait_until};

/// A daemon on its stage.
#[derive(Debug)]
pub(super) struct Daemon {
    gateway: Gateway,
    pub(super) stage: Stage,
}

/// An operation that waits.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) id: String,
    pub(super) session: String,
    pub(super) text: String,
}

/// Builds the daemon.
pub(super) fn build() -> Outcome {
    console::step("Building", "portcullis");
    Call::cargo()
        .with(["build", "--quiet", "--locked", "--package", "gateway", "--bin", "portcullis"])
        .run()
}

impl Daemon {
    /// A daemon with this configuration, in which the names are filled in. Starts later.
    pub(super) fn new(stage: Stage, configuration: &str) -> Outcome<Self> {
        let place = stage.directory();
        let configuration = configuration
            .replace("@INSTANCE@", stage.name())
            .replace("@DIRECTORY@", &place.display().to_string())
            .replace("@ADDRESS@", &network::SERVER.to_string());
        write(&place.join("gateway.yaml"), &configuration, 0o600)?;
        let gateway = Gateway::new(
            places::target().join("debug/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        Ok(Self { gateway, stage })
    }

    /// What the job prints.
    pub(super) fn job_output(&self) -> PathBuf {
        self.stage.directory().join("job.output")
    }

    /// Starts it and waits until it serves.
    pub(super) fn start(&self) -> Outcome {
        self.gateway.start(&self.stage).map(|_| ())
    }

    /// Kills it, without a chance to clean up.
    pub(super) fn kill(&self) -> Outcome {
        self.gateway.kill(&self.stage)
    }

    /// What it logged.
    pub(super) fn log(&self) -> String {
        self.gateway.log(&self.stage)
    }

    /// Runs the command line against it.
    pub(super) fn portcullis(&self, arguments: &[&str]) -> Outcome<String> {
        self.gateway.call(arguments)
    }

    /// Runs a command about recordings, which are files and need no daemon.
    pub(super) fn recordings(&self, arguments: &[&str]) -> Outcome<String> {
        let configuration = self.stage.directory().join("gateway.yaml");
        let configuration = configuration.to_string_lossy();
        let mut line = vec!["sessions"];
        line.extend(arguments);
        line.extend(["--config", &configuration]);
        self.portcullis(&line)
    }

    /// Waits for the one operation that is held.
    pub(super) fn wait_for_hold(&self) -> Outcome<Hold> {
        let mut found = None;
        let waited = wait_until("an operation is held", || {
            found = self.first_hold().unwrap_or_default();
            found.is_some()
        });
        match (waited, found) {
            (Ok(()), Some(hold)) => Ok(hold),
            _ => Fault::because(format!(
                "nothing is held; the job so far:\n{}\nthe daemon:\n{}",
                fs::read_to_string(self.job_output()).unwrap_or_default(),
                self.log()
            )),
        }
    }

    fn first_hold(&self) -> Outcome<Option<Hold>> {
        let holds = self.json(&["approvals", "list", "--json"])?;
        let text = |name: &str| {
            holds.pointer(&format!("/0/{name}")).and_then(Value::as_str).map(str::to_owned)
        };
        let hold =
            || Some(Hold { id: text("id")?, session: text("session")?, text: text("text")? });
        Ok(hold())
    }

    /// Waits until no session is live.
    pub(super) fn wait_for_ended_sessions(&self) -> Outcome {
        wait_until("every session has ended", || {
            let sockets = self.json(&["sockets", "--json"]);
            sockets.is_ok_and(|sockets| sockets.as_array().is_some_and(Vec::is_empty))
        })
    }

    /// The ids of all recorded sessions.
    pub(super) fn sessions(&self) -> Outcome<Vec<String>> {
        let said = self.recordings(&["list", "--json"])?;
        let sessions: Value = serde_json::from_str(&said).during("the list of sessions")?;
        let sessions = sessions.as_array().during("the sessions are no list")?;
        let id = |session: &Value| session.get("session")?.as_str().map(str::to_owned);
        sessions.iter().map(|session| id(session).during("a session without id")).collect()
    }

    /// The audit log.
    pub(super) fn audit_log(&self) -> Outcome<String> {
        let path = self.stage.directory().join("state/audit.jsonl");
        fs::read_to_string(&path).during(path.display())
    }

    fn json(&self, arguments: &[&str]) -> Outcome<Value> {
        let said = self.portcullis(arguments)?;
        serde_json::from_str(&said).during(format!("cannot understand {arguments:?}"))
    }
}

/// Writes a file of the stage.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Outcome {
    fs::write(path, text).during(path.display())?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).during(path.display())
}
