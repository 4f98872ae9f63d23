//! What is asked of the MariaDB server: past everything, and over a way.
//!
//! Owns calling clients. Must not know how the server is started, nor what is measured with it.

use std::time::Instant;

use super::super::arena::Arena;
use super::super::peers::{DATABASE, USER, Way};
use crate::fault::{During, Fault, Outcome};
use crate::stage::mariadb::MariaDb;

impl Arena<MariaDb> {
    /// Runs SQL in the database, past everything.
    pub(super) fn query(&self, sql: &str) -> Outcome<String> {
        self.server.query(&format!("USE {DATABASE}; {sql}"))
    }

    /// Seconds that an answer takes, to its last row. The client keeps the rows and shows none.
    pub(super) fn drain(&self, way: &Way, sql: &str) -> Outcome<f64> {
        let mut command = self.client(way, "mariadb-slap")?;
        command.args(["--no-defaults", "--host=127.0.0.1", "--iterations=1", "--concurrency=1"]);
        command.args(["--silent", "--skip-ssl", "--no-drop"]);
        command.arg(format!("--port={}", way.port)).arg(format!("--user={USER}"));
        command.arg(format!("--create-schema={DATABASE}")).arg(format!("--query={sql}"));
        let began = Instant::now();
        let output = command.output().during("cannot run mariadb-slap")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Fault::because(format!("mariadb-slap over {}: {said}", way.name));
        }
        Ok(began.elapsed().as_secs_f64())
    }
}
