//! A stage's OpenSSH: a server of its own, with users, keys and files that this machine never sees.
//!
//! Owns its making and its log. Must not know who connects. The server is in a mount namespace in
//! which `/etc/passwd`, `/etc/shadow` and `/srv` are the stage's.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::postgres::Listen;
use super::{Stage, network, spawn_logged, wait_until};
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};

/// The cgroup of the server.
pub(crate) const UNIT: &str = "ssh.service";

/// The one login of the server, which owns everything under `/srv`.
pub(crate) const LOGIN: &str = "deploy";
const UID: u32 = 47_110;

/// Enters the server's namespace and becomes the server.
const ENTER: &str = r#"
for file in passwd group shadow; do mount --bind "$1/$file" "/etc/$file"; done
mount --bind "$1/srv" /srv
mount -t tmpfs tmpfs /run
mkdir /run/sshd
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/sshd -D -e -f "$1/sshd_config"
"#;

/// A server that is up.
#[derive(Debug)]
pub(crate) struct OpenSsh {
    directory: PathBuf,
}

impl OpenSsh {
    /// Makes and starts a server, which lets in whoever has the key of the job or of the gateway.
    pub(crate) fn start(stage: &Stage, listen: Listen) -> Outcome<Self> {
        let directory = stage.directory().join("openssh");
        fs::create_dir_all(directory.join("srv/home")).during(directory.display())?;
        for path in [stage.directory(), &directory] {
            set_mode(path, 0o755)?;
        }
        let server = Self { directory };
        server.write_keys(listen)?;
        server.write_users()?;
        server.write("sshd_config", &server.configuration(listen), 0o644)?;
        let mut command = stage.command(UNIT, "unshare")?;
        command.args(["--mount", "--propagation", "private", "--"]);
        if listen.in_namespace {
            let namespace = network::file(stage.name());
            command.args(["nsenter", &format!("--net={}", namespace.display()), "--"]);
        }
        command.args(["sh", "-ec", ENTER, "server"]).arg(&server.directory);
        spawn_logged(command, &server.directory.join("server.log"))?;
        let up = wait_until("OpenSSH is up", || {
            TcpStream::connect((listen.address, listen.port)).is_ok()
        });
        up.or_else(|fault| Fault::because(format!("{fault}\n{}", server.log())))?;
        Ok(server)
    }

    fn write_keys(&self, listen: Listen) -> Outcome {
        let mut authorised = String::new();
        for name in ["host_key", "gateway_key", "job_key"] {
            Call::new("ssh-keygen")
                .with(["-q", "-N", "", "-C", name, "-t", "ed25519", "-f"])
                .with([self.directory.join(name)])
                .output()?;
            let public = self.directory.join(format!("{name}.pub"));
            let public = fs::read_to_string(&public).during(public.display())?;
            if name == "host_key" {
                let known = format!("{} {public}", place(listen.address, listen.port));
                self.write("known_hosts", &known, 0o644)?;
            } else {
                authorised.push_str(&public);
            }
        }
        self.write("authorized_keys", &authorised, 0o644)
    }

    fn write_users(&self) -> Outcome {
        for (name, line, mode) in [
            ("passwd", format!("{LOGIN}:x:{UID}:{UID}:stage:/srv/home:/bin/sh\n"), 0o644),
            ("group", format!("{LOGIN}:x:{UID}:\n"), 0o644),
            // No password, and not locked.
            ("shadow", format!("{LOGIN}:*:19000:0:99999:7:::\n"), 0o600),
        ] {
            let path = format!("/etc/{name}");
            let others = if name == "shadow" { String::new() } else { read(Path::new(&path))? };
            self.write(name, &format!("{others}{line}"), mode)?;
        }
        Ok(())
    }

    fn configuration(&self, listen: Listen) -> String {
        let place = self.directory.display();
        format!(
            "Port {}\nListenAddress {}\nHostKey {place}/host_key\nPidFile none\n\
             AuthorizedKeysFile {place}/authorized_keys\nStrictModes no\nUsePAM no\nUseDNS no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n\
             AcceptEnv LANG LC_*\nSetEnv PATH=/srv/bin:/usr/bin:/bin\nPrintMotd no\n\
             MaxSessions 200\nMaxStartups 100\nSubsystem sftp /usr/lib/openssh/sftp-server\n",
            listen.port, listen.address
        )
    }

    /// Writes a file into `/srv`, as the login's own.
    pub(crate) fn provide(&self, name: &str, text: &str, mode: u32) -> Outcome {
        let path = self.srv().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).during(parent.display())?;
        }
        fs::write(&path, text).during(path.display())?;
        set_mode(&path, mode)
    }

    /// Gives everything in `/srv` to the login.
    pub(crate) fn own(&self) -> Outcome {
        let owner = format!("{UID}:{UID}");
        Call::new("chown").with(["--recursive", &owner]).with([self.srv()]).output().map(|_| ())
    }

    /// The directory that the server sees as `/srv`.
    pub(crate) fn srv(&self) -> PathBuf {
        self.directory.join("srv")
    }

    /// A file beside it: `known_hosts`, `gateway_key`, `job_key`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// How many connections were let in with the key of this file.
    pub(crate) fn accepted(&self, key: &str) -> Outcome<usize> {
        let public = self.file(&format!("{key}.pub"));
        let shown = Call::new("ssh-keygen").with(["-lf"]).with([public]).output()?;
        let fingerprint = shown.split(' ').nth(1).during("a key without a fingerprint")?;
        let accepted = |line: &&str| {
            line.contains("Accepted publickey") && line.trim_end().ends_with(fingerprint)
        };
        Ok(self.log().lines().filter(accepted).count())
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("server.log")).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Outcome {
        let path = self.file(name);
        fs::write(&path, text).during(path.display())?;
        set_mode(&path, mode)
    }
}

/// How `known_hosts` writes an address.
pub(crate) fn place(address: Ipv4Addr, port: u16) -> String {
    if port == 22 { address.to_string() } else { format!("[{address}]:{port}") }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).during(path.display())
}

fn set_mode(path: &Path, mode: u32) -> Outcome {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).during(path.display())
}
