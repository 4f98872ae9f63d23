//! What is compared with the gateway: the ways to one server, and the proxies on them.
//!
//! Owns starting proxies, as each is commonly run: pgbouncer in session mode, haproxy in TCP mode
//! with its default threads. Must not know what is run over them. All end with the stage.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::call::Call;
use crate::console;
use crate::fault::{During, Outcome};
use crate::stage::{Stage, spawn_logged, wait_until};

/// The database and its user. No password, or an empty one: logging in is not what is measured.
pub(super) const DATABASE: &str = "bench";
pub(super) const USER: &str = "bench";

/// The cgroup of clients that nobody governs.
pub(super) const FREE: &str = "free.service";

/// The cgroup of clients that the gateway governs.
pub(super) const GOVERNED: &str = "governed.service";

/// The gateway's name among the ways.
pub(super) const OURS: &str = "gateway";

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

/// pgbouncer in front of a PostgreSQL on this host.
pub(super) fn pgbouncer(stage: &Stage, server: u16) -> Outcome<Way> {
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
