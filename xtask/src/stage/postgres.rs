//! A stage's PostgreSQL: a server of its own, with its files in the stage's directory.
//!
//! Owns its making and its log. Must not know who connects.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Stage, network, spawn_logged, wait_until};
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};

/// Debian's server.
const BINARIES: &str = "/usr/lib/postgresql/15/bin";

/// The cgroup of the server.
const UNIT: &str = "postgres.service";

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listen {
    /// Its address.
    pub(crate) address: Ipv4Addr,
    /// Its port.
    pub(crate) port: u16,
    /// In the stage's network namespace rather than this one.
    pub(crate) in_namespace: bool,
}

/// A server that is up.
#[derive(Debug)]
pub(crate) struct Postgres {
    directory: PathBuf,
    listen: Listen,
}

impl Postgres {
    /// Makes and starts a server. `access` is the host part of its access rules.
    pub(crate) fn start(
        stage: &Stage,
        listen: Listen,
        settings: &str,
        access: &str,
    ) -> Outcome<Self> {
        let directory = stage.directory().join("postgres");
        fs::create_dir_all(&directory).during(directory.display())?;
        own(&directory)?;
        let data = directory.join("data");
        as_postgres()
            .with([format!("{BINARIES}/initdb")])
            .with(["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"])
            .with(["--username=postgres", "--auth=trust", "--pgdata"])
            .with([&data])
            .inside(Path::new("/"))
            .output()?;
        let place = directory.display();
        let common = format!(
            "port = {}\nlisten_addresses = '{}'\nunix_socket_directories = '{place}'\n\
             dynamic_shared_memory_type = mmap\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\n\
             timezone = 'UTC'\nlog_timezone = 'UTC'\n{settings}",
            listen.port, listen.address
        );
        fs::write(data.join("postgresql.conf"), common).during("the server's settings")?;
        let access = format!("local all all trust\n{access}");
        fs::write(data.join("pg_hba.conf"), access).during("the server's access rules")?;
        own(&directory)?;
        let server = Self { directory, listen };
        spawn_logged(server.command(stage)?, &server.log_file())?;
        let up = wait_until("PostgreSQL is up", || server.query("postgres", "SELECT 1").is_ok());
        up.or_else(|fault| Fault::because(format!("{fault}\n{}", server.log())))?;
        Ok(server)
    }

    fn command(&self, stage: &Stage) -> Outcome<Command> {
        let mut command = if self.listen.in_namespace {
            let mut command = stage.command(UNIT, "nsenter")?;
            command.arg(format!("--net={}", network::file(stage.name()).display()));
            command.args(["--", "unshare"]);
            command
        } else {
            stage.command(UNIT, "unshare")?
        };
        // The stage is cleared by killing: its segment of shared memory goes with its last process.
        command.args(["--ipc", "--", "setpriv"]);
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        command.arg(format!("{BINARIES}/postgres")).arg("-D").arg(self.directory.join("data"));
        command.current_dir("/");
        Ok(command)
    }

    /// Runs SQL as the superuser over the unix socket, and gives the rows, unaligned.
    pub(crate) fn query(&self, database: &str, sql: &str) -> Outcome<String> {
        Call::new("psql")
            .with(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"])
            .with(["--set=ON_ERROR_STOP=1", "--username=postgres", "--dbname", database])
            .with([format!("--host={}", self.directory.display())])
            .with([format!("--port={}", self.listen.port)])
            .with(["--command", sql])
            .output()
    }

    /// The directory of its unix socket.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What it logged: with the right settings, every connection and statement that reached it.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("server.log")
    }
}

/// The server refuses to run as root.
fn as_postgres() -> Call {
    Call::new("setpriv").with(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
}

fn own(directory: &Path) -> Outcome {
    let status = Command::new("chown")
        .args(["--recursive", "postgres:"])
        .arg(directory)
        .stdin(Stdio::null())
        .status()
        .during("cannot run chown")?;
    if status.success() {
        return Ok(());
    }
    Fault::because(format!("{} cannot be given to postgres", directory.display()))
}
