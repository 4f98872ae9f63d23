//! The ways to one PostgreSQL that are compared: straight, through pgbouncer, through haproxy, and
//! through the gateway.
//!
//! Owns starting them, as each is commonly run: pgbouncer in session mode, haproxy in TCP mode
//! with its default threads. Must not know what is run over them. All end with the stage.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::places;
use crate::stage::gateway::Gateway;
use crate::stage::postgres::{Listen, Postgres};
use crate::stage::{Stage, spawn_logged, wait_until};

/// The database and its user. No password anywhere: logging in is not what is measured.
pub(super) const DATABASE: &str = "bench";
pub(super) const USER: &str = "bench";

/// The cgroup of clients that nobody governs.
pub(super) const FREE: &str = "free.service";

/// The cgroup of clients that the gateway governs.
pub(super) const GOVERNED: &str = "governed.service";

/// The gateway's name among the ways.
pub(super) const OURS: &str = "gateway";

const CONFIGURATION: &str = include_str!("../../bench/gateway.yaml");

/// What a classification says beside the one column.
const DETECTORS: &str = "  - { tag: pii.email, detect: email, mask: partial }\n  \
                         - { tag: pci.pan, detect: payment_card, mask: last4 }\n";

/// A way to the server.
#[derive(Debug)]
pub(super) struct Way {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// The port that a client uses, on 127.0.0.1.
    pub(super) port: u16,
    /// The processes in between.
    pub(super) processes: Vec<u32>,
    /// The cgroup that a client runs in.
    pub(super) unit: &'static str,
}

/// Builds the gateway as a release.
pub(super) fn build() -> Outcome {
    console::step("Building", "portcullis, as a release");
    Call::cargo()
        .with(["build", "--quiet", "--release", "--locked", "--package", "gateway"])
        .with(["--bin", "portcullis"])
        .run()
}

/// The server and the ways to it.
#[derive(Debug)]
pub(super) struct Arena {
    /// The server.
    pub(super) server: Postgres,
    /// The ways: direct, pgbouncer, haproxy, the gateway.
    pub(super) ways: Vec<Way>,
    gateway: Gateway,
    /// Holds all of it up; dropped last.
    stage: Stage,
}

/// Which values the gateway looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masking {
    /// Those of one column.
    OneColumn,
    /// Those of one column by name, all others by what they look like.
    Detectors,
}

impl Arena {
    /// Starts everything.
    pub(super) fn set_up() -> Outcome<Self> {
        let stage = Stage::set_up("portcullis-bench")?;
        let port = free_port()?;
        let listen = Listen { address: Ipv4Addr::LOCALHOST, port, in_namespace: false };
        let settings = "max_connections = 200\nshared_buffers = 512MB\njit = off\n\
                        autovacuum = off\nmax_wal_size = 4GB\nwal_level = minimal\n\
                        max_wal_senders = 0\n";
        let server =
            Postgres::start(&stage, listen, settings, "host all all 127.0.0.1/32 trust\n")?;
        server.query("postgres", &format!("CREATE ROLE {USER} LOGIN"))?;
        server.query("postgres", &format!("CREATE DATABASE {DATABASE} OWNER {USER}"))?;
        let place = stage.directory();
        let gateway = Gateway::new(
            places::target().join("release/portcullis"),
            place.join("gateway.yaml"),
            place.join("control.sock"),
        );
        let mut arena = Self { gateway, ways: Vec::new(), server, stage };
        arena.configure(port, Masking::Detectors)?;
        let process = arena.gateway.start(&arena.stage)?;
        arena.ways = vec![
            Way { name: "direct", port, processes: Vec::new(), unit: FREE },
            pgbouncer(&arena.stage, port)?,
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

    /// A command in the cgroup of a way's clients.
    pub(super) fn client(&self, way: &Way, program: impl AsRef<Path>) -> Outcome<Command> {
        self.stage.command(way.unit, program)
    }
}

fn pgbouncer(stage: &Stage, server: u16) -> Outcome<Way> {
    let port = free_port()?;
    let directory = stage.directory().join("pgbouncer");
    fs::create_dir_all(&directory).during(directory.display())?;
    let settings = directory.join("pgbouncer.ini");
    let text = format!(
        "[databases]\n{DATABASE} = host=127.0.0.1 port={server} dbname={DATABASE} user={USER}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = session\ndefault_pool_size = 100\nmax_client_conn = 200\n\
         ignore_startup_parameters = extra_float_digits\nserver_tls_sslmode = disable\n\
         log_connections = 0\nlog_disconnections = 0\n"
    );
    fs::write(&settings, text).during(settings.display())?;
    let mut command = stage.command("pgbouncer.service", "setpriv")?;
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", "pgbouncer"]);
    command.arg(settings);
    start("pgbouncer", command, &directory.join("log"), port)
}

/// haproxy in front of a server on this host.
pub(super) fn haproxy(stage: &Stage, server: u16) -> Outcome<Way> {
    let port = free_port()?;
    let directory = stage.directory().join("haproxy");
    fs::create_dir_all(&directory).during(directory.display())?;
    let settings = directory.join("haproxy.cfg");
    let text = format!(
        "global\n  maxconn 500\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  \
         timeout server 1h\nlisten database\n  bind 127.0.0.1:{port}\n  \
         server one 127.0.0.1:{server}\n"
    );
    fs::write(&settings, text).during(settings.display())?;
    let mut command = stage.command("haproxy.service", "haproxy")?;
    command.arg("-db").arg("-f").arg(settings);
    start("haproxy", command, &directory.join("log"), port)
}

/// Starts a peer and waits until it listens.
pub(super) fn start(name: &'static str, command: Command, log: &Path, port: u16) -> Outcome<Way> {
    let process = spawn_logged(command, log)?.id();
    let up = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    wait_until(&format!("{name} listens (see {})", log.display()), up)?;
    Ok(Way { name, port, processes: vec![process], unit: FREE })
}

/// A port that nobody listens on.
pub(super) fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("no free port")?;
    Ok(listener.local_addr().during("no address")?.port())
}
