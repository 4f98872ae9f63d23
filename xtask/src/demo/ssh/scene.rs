//! What the demo of SSH plays in: a host in a network namespace of its own, a job's machine.
//!
//! Owns making them, running the job and asking the host. The job runs with `/etc/ssh` and a home of
//! its own, so that nothing of this machine's is read or written. Must not know the plot.

use std::fs;
use std::path::PathBuf;

use crate::call::Call;
use crate::console;
use crate::demo::daemon::{Daemon, write};
use crate::demo::job;
use crate::demo::plot::{self, Unit};
use crate::demo::running::{Running, Said};
use crate::fault::{During, Fault, Outcome};
use crate::stage::openssh::{LOGIN, OpenSsh};
use crate::stage::postgres::Listen;
use crate::stage::{Stage, network};

const CONFIGURATION: &str = include_str!("../../../demo/ssh.yaml");
const SCRIPT: &str = include_str!("../../../demo/deploy.sh");

const LOG: &str = "\
2026-11-21T20:00:01Z info login of customer1@mail.example
2026-11-21T20:00:02Z info paid with 5555555555554444
2026-11-21T20:00:03Z warn retry for private5@home.example
2026-11-21T20:00:04Z info done
";

/// What stands in that log and the job must not see.
const SENSITIVE_VALUES: &[&str] =
    &["customer1@mail.example", "5555555555554444", "private5@home.example"];

/// Enters the job's machine: its users, its system's SSH files.
const ENTER: &str = r#"
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/etc-ssh" /etc/ssh
shift
exec setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
"#;

/// Everything that is staged.
#[derive(Debug)]
pub(in crate::demo) struct Scene {
    server: OpenSsh,
    daemon: Daemon,
}

impl Scene {
    /// Stages the host and the job. The gateway starts later.
    pub(in crate::demo) fn set_up() -> Outcome<Self> {
        console::step("Staging", "a host in a network namespace of its own");
        let stage = Stage::set_up("portcullis-demo-ssh")?;
        network::make(stage.name())?;
        let listen = Listen { address: network::SERVER, port: 22, in_namespace: true };
        let server = OpenSsh::start(&stage, listen)?;
        for application in ["app", "copy"] {
            server.provide(&format!("{application}/log/app.log"), LOG, 0o644)?;
            server.provide(&format!("{application}/releases/release-1/old"), "old\n", 0o644)?;
            server.provide(&format!("{application}/assets/style.css"), "old\n", 0o644)?;
        }
        server.provide("restarts", "", 0o644)?;
        let restart = "#!/bin/sh\necho \"$*\" >>/srv/restarts\necho \"$2: restarted\"\n";
        server.provide("bin/systemctl", restart, 0o755)?;
        server.own()?;
        let place = stage.directory();
        for name in ["known_hosts", "gateway_key"] {
            let file = server.file(name);
            let text = fs::read_to_string(&file).during(file.display())?;
            write(&place.join(name), &text, 0o600)?;
        }
        let daemon = Daemon::new(stage, CONFIGURATION)?;
        let scene = Self { server, daemon };
        scene.write_job()?;
        Ok(scene)
    }

    fn job_directory(&self) -> PathBuf {
        job::directory(&self.daemon.stage)
    }

    /// What a user, years ago, has set up: a script, a key, and the host's key in `known_hosts`.
    fn write_job(&self) -> Outcome {
        let place = self.job_directory();
        for directory in ["home/.ssh", "assets"] {
            let path = place.join(directory);
            fs::create_dir_all(&path).during(path.display())?;
        }
        let configuration = format!(
            "Host web\n  HostName {}\n  User {LOGIN}\n  BatchMode yes\n  \
             StrictHostKeyChecking yes\n  ConnectTimeout 10\n",
            network::SERVER
        );
        let key = fs::read_to_string(self.server.file("job_key")).during("the job's key")?;
        let known = fs::read_to_string(self.server.file("known_hosts")).during("known hosts")?;
        for (name, text, mode) in [
            ("deploy.sh", SCRIPT, 0o755),
            ("release.tar", &"release 2\n".repeat(20_000), 0o644),
            ("assets/style.css", "newer\n", 0o644),
            ("assets/logo.svg", "<svg/>\n", 0o644),
            ("home/.ssh/config", &configuration, 0o600),
            ("home/.ssh/id_ed25519", &key, 0o600),
            ("home/.ssh/known_hosts", &known, 0o600),
        ] {
            write(&place.join(name), text, mode)?;
        }
        let users = fs::read_to_string("/etc/passwd").during("/etc/passwd")?;
        let home = place.join("home");
        let users: String =
            users.lines().map(|line| at_home(line, &home.to_string_lossy())).collect();
        write(&place.join("passwd"), &users, 0o644)?;
        // What Debian has there, and a place for the gateway's line.
        Call::new("cp").with(["--recursive", "/etc/ssh"]).with([place.join("etc-ssh")]).output()?;
        Call::new("chown").with(["--recursive", "nobody:nogroup"]).with([home]).output().map(|_| ())
    }

    fn spawn(&self, unit: Unit, line: &[&str]) -> Outcome<Running> {
        let (unit, application) = match unit {
            Unit::Unbound => ("unbound.service", "/srv/copy"),
            Unit::Governed => ("deploy.service", "/srv/app"),
        };
        let mut command = self.daemon.stage.command(unit, "unshare")?;
        command.args(["--mount", "--propagation", "private", "--", "sh", "-ec", ENTER, "job"]);
        command.arg(self.job_directory()).args(line).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin").env("LC_ALL", "C.UTF-8");
        command.env("HOME", self.job_directory().join("home")).env("APP", application);
        Running::start(command, self.daemon.job_output())
    }
}

impl plot::Scene for Scene {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn job(&self, unit: Unit) -> Outcome<Running> {
        let script = self.job_directory().join("deploy.sh");
        self.spawn(unit, &["sh", &script.to_string_lossy()])
    }

    fn glance(&self) -> Outcome<Said> {
        self.spawn(Unit::Governed, &["ssh", "web", "tail -n 1 /srv/app/log/app.log"])?.ended()
    }

    /// Where the system looks for what it knows of hosts.
    fn trust_gateway(&self) -> Outcome {
        let path = self.daemon.stage.directory().join("state/ca/ssh-ca.pub");
        let key = fs::read_to_string(&path).during(path.display())?;
        let line = format!("@cert-authority {} {key}", network::SERVER);
        write(&self.job_directory().join("etc-ssh/ssh_known_hosts2"), &line, 0o644)
    }

    fn sensitive_values(&self) -> Outcome<Vec<String>> {
        Ok(SENSITIVE_VALUES.iter().map(|value| (*value).to_owned()).collect())
    }

    fn connections(&self) -> Outcome<usize> {
        Ok(self.server.accepted("gateway_key")? + self.server.accepted("job_key")?)
    }

    fn direct_connections(&self) -> Outcome<usize> {
        self.server.accepted("job_key")
    }

    /// The application was restarted: once by the control run, once by the governed one.
    fn approved_done(&self) -> Outcome<bool> {
        let path = self.server.srv().join("restarts");
        let restarts = fs::read_to_string(&path).during(path.display())?;
        match restarts.lines().count() {
            1 => Ok(false),
            2 => Ok(true),
            other => Fault::because(format!("{other} restarts")),
        }
    }

    /// The old release is still there.
    fn denied_undone(&self) -> Outcome<bool> {
        Ok(self.server.srv().join("app/releases/release-1/old").exists())
    }
}

/// A line of the file of users, with the home of who runs the job changed.
fn at_home(line: &str, home: &str) -> String {
    let mut fields: Vec<&str> = line.split(':').collect();
    if let ["nobody", _, _, _, _, place, _] = fields.as_mut_slice() {
        *place = home;
    }
    format!("{}\n", fields.join(":"))
}
