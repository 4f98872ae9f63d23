//! The legacy job: an unchanged shell script with psql and a psycopg script, run as its unit
//! would run it.
//!
//! Owns its environment and its output. Must not know what stands between it and the server: the
//! one difference between the control run and the governed one is the unit's name.

use std::process::Command;

use super::running::{Running, Said};
use super::scene::{GOVERNED, Scene};
use crate::fault::Outcome;
use crate::stage::network;

/// The unit of the control run.
const UNBOUND: &str = "unbound-report.service";

/// A job that has not started.
#[derive(Debug)]
pub(super) struct Job<'a> {
    scene: &'a Scene,
    unit: &'static str,
    database: &'static str,
}

impl<'a> Job<'a> {
    /// Outside governance, on a copy of the shop, because it really deletes.
    pub(super) fn unbound(scene: &'a Scene) -> Self {
        Self { scene, unit: UNBOUND, database: "shop_copy" }
    }

    /// In the governed unit.
    pub(super) fn governed(scene: &'a Scene) -> Self {
        Self { scene, unit: GOVERNED, database: "shop" }
    }

    /// Runs the script to its end.
    pub(super) fn run(&self) -> Outcome<String> {
        self.start()?.wait()
    }

    /// Starts the script.
    pub(super) fn start(&self) -> Outcome<Running> {
        let script = self.scene.job_directory().join("nightly-report.sh");
        self.spawn(&["sh", &script.to_string_lossy()])
    }

    /// One short look at the shop, with psql.
    pub(super) fn glance(&self) -> Outcome<Said> {
        let look = "SELECT id, email FROM users ORDER BY id LIMIT 1";
        self.spawn(&["psql", "--no-psqlrc", "--no-align", "--tuples-only", "--command", look])?
            .ended()
    }

    fn spawn(&self, line: &[&str]) -> Outcome<Running> {
        let mut command: Command = self.scene.daemon.stage.command(self.unit, "setpriv")?;
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).args(line);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("PGHOST", network::SERVER.to_string()).env("PGPORT", "5432");
        command.env("PGUSER", "report").env("PGDATABASE", self.database);
        command.env("PGPASSFILE", self.scene.job_directory().join("pgpass"));
        command.env("PGCONNECT_TIMEOUT", "10").env("PYTHON", "/usr/bin/python3");
        command.env("PYTHONPATH", self.scene.job_directory().join("python"));
        command.current_dir("/");
        Running::start(command, self.scene.daemon.job_output())
    }
}
