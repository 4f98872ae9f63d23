//! One database server and the ways to it: straight, through proxies, and through the gateway.
//!
//! Owns the gateway in front of the server, and what it masks. Must not know what is run over the
//! ways, nor how a database is started beyond what its `set_up` says. All end with the stage.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use super::peers::{DATABASE, FREE, GOVERNED, OURS, USER, Way, free_port, haproxy, pgbouncer};
use crate::fault::{During, Outcome};
use crate::places;
use crate::stage::Stage;
use crate::stage::gateway::Gateway;
use crate::stage::mariadb::MariaDb;
use crate::stage::postgres::{Listen, Postgres};

/// What a classification says beside the one column.
const DETECTORS: &str = "  - { tag: pii.email, detect: email, mask: partial }\n  \
                         - { tag: pci.pan, detect: payment_card, mask: last4 }\n";

/// Which values the gateway looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masking {
    /// Those of one column.
    OneColumn,
    /// Those of one column by name, all others by what they look like.
    Detectors,
}

/// A server and the ways to it.
#[derive(Debug)]
pub(super) struct Arena<S> {
    /// The server.
    pub(super) server: S,
    /// The ways: direct, the proxies, the gateway.
    pub(super) ways: Vec<Way>,
    /// The gateway's configuration, with names in it for what differs by run.
    configuration: &'static str,
    gateway: Gateway,
    /// Holds all of it up; dropped last.
    stage: Stage,
}

impl Arena<Postgres> {
    /// Starts everything.
    pub(super) fn set_up() -> Outcome<Self> {
        let (stage, listen) = place()?;
        let port = listen.port;
        let settings = "max_connections = 200\nshared_buffers = 512MB\njit = off\n\
                        autovacuum = off\nmax_wal_size = 4GB\nwal_level = minimal\n\
                        max_wal_senders = 0\n";
        let server =
            Postgres::start(&stage, listen, settings, "host all all 127.0.0.1/32 trust\n")?;
        server.query("postgres", &format!("CREATE ROLE {USER} LOGIN"))?;
        server.query("postgres", &format!("CREATE DATABASE {DATABASE} OWNER {USER}"))?;
        let proxies = vec![pgbouncer(&stage, port)?, haproxy(&stage, port)?];
        Self::around(stage, server, port, proxies, include_str!("../../bench/gateway.yaml"))
    }
}

impl Arena<MariaDb> {
    /// Starts everything.
    pub(super) fn set_up() -> Outcome<Self> {
        let (stage, listen) = place()?;
        let port = listen.port;
        let settings = ["--max-connections=300", "--innodb-buffer-pool-size=512M"];
        let server = MariaDb::start(&stage, listen, &settings.map(str::to_owned))?;
        server.query(&format!(
            "CREATE DATABASE {DATABASE}; CREATE USER {USER} IDENTIFIED BY ''; \
             GRANT ALL ON *.* TO {USER}"
        ))?;
        let proxies = vec![haproxy(&stage, port)?];
        Self::around(stage, server, port, proxies, include_str!("../../bench/mysql.yaml"))
    }
}

/// A stage, and where a server listens on it.
fn place() -> Outcome<(Stage, Listen)> {
    let stage = Stage::set_up("portcullis-bench")?;
    let listen = Listen { address: Ipv4Addr::LOCALHOST, port: free_port()?, in_namespace: false };
    Ok((stage, listen))
}

impl<S> Arena<S> {
    /// Starts the gateway in front of a server.
    fn around(
        stage: Stage,
        server: S,
        port: u16,
        proxies: Vec<Way>,
        configuration: &'static str,
    ) -> Outcome<Self> {
        let place = stage.directory();
        let gateway = Gateway::new(
            places::target().join("release/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        let mut ways = vec![Way { name: "direct", port, processes: Vec::new(), unit: FREE }];
        ways.extend(proxies);
        let mut arena = Self { server, ways, configuration, gateway, stage };
        arena.configure(port, Masking::Detectors)?;
        let process = arena.gateway.start(&arena.stage)?;
        // To the server's own address: the kernel sees to the rest.
        arena.ways.push(Way { name: OURS, port, processes: vec![process], unit: GOVERNED });
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
        let text = self
            .configuration
            .replace("@INSTANCE@", self.stage.name())
            .replace("@DIRECTORY@", &place.display().to_string())
            .replace("@GOVERNED@", &self.stage.cgroup_path(GOVERNED))
            .replace("@PORT@", &port.to_string())
            .replace("@DETECTORS@\n", detectors);
        let path = place.join("gateway.yaml");
        fs::write(&path, text).during(path.display())
    }

    /// A command in the cgroup of a way's clients.
    pub(super) fn client(&self, way: &Way, program: impl AsRef<Path>) -> Outcome<Command> {
        self.stage.command(way.unit, program)
    }
}
