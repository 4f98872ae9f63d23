//! The ways to one PostgreSQL that are compared: straight, through pgbouncer, through haproxy, and
//! through the gateway.
//!
//! Owns starting them, as each is commonly run: pgbouncer in session mode, haproxy in TCP mode
//! with its default threads. Must not know what is run over them. All end with the stage.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::fault::{During, Outcome};
use crate::stage::postgres::{Listen, Postgres};
use crate::stage::{Stage, spawn_logged, wait_until};

/// The database and its user. No password anywhere: logging in is not what is measured.
pub(super) const DATABASE: &str = "bench";
pub(super) const USER: &str = "bench";

/// The cgroup of clients that nobody governs.
const FREE: &str = "free.service";

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

/// The server and the ways to it.
#[derive(Debug)]
pub(super) struct Arena {
    /// Holds all of it up.
    pub(super) stage: Stage,
    /// The server.
    pub(super) server: Postgres,
    /// The ways: direct, pgbouncer, haproxy.
    pub(super) ways: Vec<Way>,
}

impl Arena {
    /// Starts everything but the gateway.
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
        let ways = vec![
            Way { name: "direct", port, processes: Vec::new(), unit: FREE },
            pgbouncer(&stage, port)?,
            haproxy(&stage, port)?,
        ];
        Ok(Self { stage, server, ways })
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

fn haproxy(stage: &Stage, server: u16) -> Outcome<Way> {
    let port = free_port()?;
    let directory = stage.directory().join("haproxy");
    fs::create_dir_all(&directory).during(directory.display())?;
    let settings = directory.join("haproxy.cfg");
    let text = format!(
        "global\n  maxconn 500\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  \
         timeout server 1h\nlisten postgres\n  bind 127.0.0.1:{port}\n  \
         server one 127.0.0.1:{server}\n"
    );
    fs::write(&settings, text).during(settings.display())?;
    let mut command = stage.command("haproxy.service", "haproxy")?;
    command.arg("-db").arg("-f").arg(settings);
    start("haproxy", command, &directory.join("log"), port)
}

fn start(name: &'static str, command: Command, log: &Path, port: u16) -> Outcome<Way> {
    let process = spawn_logged(command, log)?.id();
    let up = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    wait_until(&format!("{name} listens (see {})", log.display()), up)?;
    Ok(Way { name, port, processes: vec![process], unit: FREE })
}

fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("no free port")?;
    Ok(listener.local_addr().during("no address")?.port())
}
