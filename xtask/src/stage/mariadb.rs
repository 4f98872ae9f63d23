//! A stage's MariaDB: a server of its own, with its files in the stage's directory.
//!
//! Owns its making and its log. Must not know who connects.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postgres::Listen;
use super::{Stage, network, spawn_logged, wait_until};
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};

/// The cgroup of the server.
const UNIT: &str = "mariadb.service";

/// A server that is up.
#[derive(Debug)]
pub(crate) struct MariaDb {
    directory: PathBuf,
    listen: Listen,
}

impl MariaDb {
    /// Makes and starts a server. `settings` are arguments of its program.
    pub(crate) fn start(stage: &Stage, listen: Listen, settings: &[String]) -> Outcome<Self> {
        let directory = stage.directory().join("mariadb");
        let data = directory.join("data");
        fs::create_dir_all(&data).during(data.display())?;
        // Its own: a server that starts deletes what looks like a temporary table there, whose ever.
        let temporary = directory.join("tmp");
        fs::create_dir(&temporary).during(temporary.display())?;
        let anybodys = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(&temporary, anybodys).during(temporary.display())?;
        Call::new("mariadb-install-db")
            .environment("TMPDIR", &temporary)
            .with(["--no-defaults", "--user=mysql", "--skip-test-db", "--skip-name-resolve"])
            .with(["--auth-root-authentication-method=normal", "--skip-log-bin"])
            .with([format!("--datadir={}", data.display())])
            .output()?;
        Call::new("chown").with(["--recursive", "mysql:"]).with([&directory]).output()?;
        let server = Self { directory, listen };
        spawn_logged(server.command(stage, settings)?, &server.directory.join("server.log"))?;
        let up = wait_until("MariaDB is up", || server.query("SELECT 1").is_ok());
        up.or_else(|fault| {
            let log = fs::read_to_string(server.directory.join("server.log"));
            Fault::because(format!("{fault}\n{}", log.unwrap_or_default()))
        })?;
        Ok(server)
    }

    fn command(&self, stage: &Stage, settings: &[String]) -> Outcome<Command> {
        let mut command = if self.listen.in_namespace {
            let mut command = stage.command(UNIT, "nsenter")?;
            command.arg(format!("--net={}", network::file(stage.name()).display()));
            command.args(["--", "mariadbd"]);
            command
        } else {
            stage.command(UNIT, "mariadbd")?
        };
        let place = self.directory.display();
        command.args(["--no-defaults", "--user=mysql", "--skip-name-resolve"]);
        command.args(["--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=0"]);
        command.arg(format!("--bind-address={}", self.listen.address));
        command.arg(format!("--port={}", self.listen.port));
        command.arg(format!("--datadir={place}/data"));
        command.arg(format!("--tmpdir={place}/tmp"));
        command.arg(format!("--socket={}", self.socket().display()));
        command.arg(format!("--pid-file={place}/data/pid"));
        command.args(settings).current_dir("/");
        Ok(command)
    }

    /// Runs SQL as the superuser over the unix socket, and gives the rows, a line each.
    pub(crate) fn query(&self, sql: &str) -> Outcome<String> {
        Call::new("mariadb")
            .with(["--no-defaults", "--user=root", "--batch", "--skip-column-names"])
            .with([format!("--socket={}", self.socket().display())])
            .with(["--execute", sql])
            .output()
    }

    /// Its log of connections and statements, where the settings have it kept as `general.log`.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.directory.join("data/general.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("data/socket")
    }
}

/// Gives a file to the server.
pub(crate) fn own(path: &Path) -> Outcome {
    Call::new("chown").with(["mysql:"]).with([path]).output().map(|_| ())
}
