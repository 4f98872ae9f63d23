//! The ways to one MariaDB that are compared: straight, through haproxy, and through the gateway.
//!
//! Owns starting them. Must not know what is run over them. All end with the stage.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::super::peers::{FREE, GOVERNED, Masking, OURS, Way, free_port, haproxy};
use crate::fault::{During, Fault, Outcome};
use crate::places;
use crate::stage::Stage;
use crate::stage::gateway::Gateway;
use crate::stage::mariadb::MariaDb;
use crate::stage::postgres::Listen;

/// The database and its user. An empty password: logging in is not what is measured.
pub(super) const DATABASE: &str = "bench";
pub(super) const USER: &str = "bench";

const CONFIGURATION: &str = include_str!("../../../bench/mysql.yaml");

/// What a classification says beside the one column.
const DETECTORS: &str = "  - { tag: pii.email, detect: email, mask: partial }\n  \
                         - { tag: pci.pan, detect: payment_card, mask: last4 }\n";

/// The server and the ways to it.
#[derive(Debug)]
pub(super) struct Arena {
    /// The ways: direct, haproxy, the gateway.
    pub(super) ways: Vec<Way>,
    server: MariaDb,
    gateway: Gateway,
    /// Holds all of it up; dropped last.
    stage: Stage,
}

impl Arena {
    /// Starts everything.
    pub(super) fn set_up() -> Outcome<Self> {
        let stage = Stage::set_up("portcullis-bench")?;
        let port = free_port()?;
        let listen = Listen { address: Ipv4Addr::LOCALHOST, port, in_namespace: false };
        let settings = ["--max-connections=300", "--innodb-buffer-pool-size=512M"];
        let server = MariaDb::start(&stage, listen, &settings.map(str::to_owned))?;
        server.query(&format!(
            "CREATE DATABASE {DATABASE}; CREATE USER {USER} IDENTIFIED BY ''; \
             GRANT ALL ON *.* TO {USER}"
        ))?;
        let place = stage.directory();
        let gateway = Gateway::new(
            places::target().join("release/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        let mut arena = Self { ways: Vec::new(), server, gateway, stage };
        arena.configure(port, Masking::Detectors)?;
        let process = arena.gateway.start(&arena.stage)?;
        arena.ways = vec![
            Way { name: "direct", port, processes: Vec::new(), unit: FREE },
            haproxy(&arena.stage, port)?,
            // To the server's own address: the kernel sees to the rest.
            Way { name: OURS, port, processes: vec![process], unit: GOVERNED },
        ];
        Ok(arena)
    }

    /// Changes what the gateway looks at, by a reload.
    pub(super) fn mask(&self, masking: Masking) -> Outcome {
        let port = self.ways.first().during("no way to the server")?.port;
        self.configure(port, masking)?;
        self.gateway.call(&["reload"]).map(|_| ())
    }

    fn configure(&self, port: u16, masking: Masking) -> Outcome {
        let detectors = if masking == Masking::Detectors { DETECTORS } else { "" };
        let place = self.stage.directory();
        let text = CONFIGURATION
            .replace("@INSTANCE@", self.stage.name())
            .replace("@DIRECTORY@", &place.display().to_string())
            .replace("@GOVERNED@", &self.stage.cgroup_path(GOVERNED))
            .replace("@PORT@", &port.to_string())
            .replace("@DETECTORS@\n", detectors);
        let path = place.join("gateway.yaml");
        fs::write(&path, text).during(path.display())
    }

    /// Runs SQL in the database, past everything.
    pub(super) fn query(&self, sql: &str) -> Outcome<String> {
        self.server.query(&format!("USE {DATABASE}; {sql}"))
    }

    /// A command in the cgroup of a way's clients.
    pub(super) fn client(&self, way: &Way, program: impl AsRef<Path>) -> Outcome<Command> {
        self.stage.command(way.unit, program)
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
