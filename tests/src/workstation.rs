//! The machine that an unchanged job runs on: its home, its SSH files, its programs.
//!
//! Owns the files and how programs are run among them. Must not know whether a gateway is in
//! between: the server's own host key is what the user's `known_hosts` names in either case. Programs
//! run in a mount namespace in which `/etc/ssh` and root's home are the fixture's, and in a process
//! namespace, so that nothing they start outlives them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{self, Said};
use crate::sshd::{DEPLOY, SshServer};

/// Enters the namespaces and runs the rest of the command line there.
const ENTER: &str = r#"
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/etc-ssh" /etc/ssh
shift
exec "$@"
"#;

/// A machine from which the server is reached at one port of 127.0.0.1.
#[derive(Debug)]
pub struct Workstation {
    directory: tempfile::TempDir,
    server: &'static SshServer,
    port: u16,
}

impl Workstation {
    /// A machine that reaches the server itself.
    #[must_use]
    pub fn direct(server: &'static SshServer) -> Self {
        Self::at(server, server.port(), None)
    }

    /// A machine that reaches the server at this port, and has this line among what the system
    /// knows of hosts.
    ///
    /// # Panics
    /// Where its files cannot be written.
    #[must_use]
    pub fn at(server: &'static SshServer, port: u16, system_line: Option<&str>) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("portcullis-workstation-")
            .tempdir()
            .expect("a temporary directory");
        let station = Self { directory, server, port };
        let ssh = station.home().join(".ssh");
        fs::create_dir_all(&ssh).expect("a home");
        fs::create_dir_all(station.file("etc-ssh")).expect("a directory");
        // Under a name of its own, for connections inside of others.
        let known = |key: &String| format!("[127.0.0.1]:{port},server {key}\n");
        let known: String = server.host_keys().iter().map(known).collect();
        station.write("home/.ssh/known_hosts", &known);
        let key = fs::read_to_string(server.file("workload_key")).expect("the job's own key");
        station.write("home/.ssh/id_ed25519", &key);
        station.write("home/.ssh/config", &station.user_configuration());
        station.write("etc-ssh/ssh_config", "");
        station.write("etc-ssh/ssh_known_hosts2", system_line.unwrap_or_default());
        let home = station.home();
        let users = fs::read_to_string("/etc/passwd").expect("the machine's users");
        let at_home = |line: &str| {
            let mut fields: Vec<&str> = line.split(':').collect();
            let home = home.to_str().expect("a path in UTF-8");
            match fields.as_mut_slice() {
                ["root", _, _, _, _, place, _] => *place = home,
                _ => return format!("{line}\n"),
            }
            format!("{}\n", fields.join(":"))
        };
        station.write("passwd", &users.lines().map(at_home).collect::<String>());
        fs::set_permissions(station.file("passwd"), fs::Permissions::from_mode(0o644))
            .expect("its mode");
        station
    }

    fn user_configuration(&self) -> String {
        format!(
            "Host web\n  HostName 127.0.0.1\n  Port {}\n  User {}\n\
             Host *\n  BatchMode yes\n  StrictHostKeyChecking yes\n",
            self.port, DEPLOY.name
        )
    }

    /// Writes a file of the machine, readable by its owner only.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::write(&path, text).expect("a file of the workstation");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    }

    /// A file of the machine.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The home of who runs the programs.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.file("home")
    }

    /// Where the server is reached.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A command on this machine, in its home.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]);
        command.args(["--mount-proc", "--", "sh", "-ec", ENTER, "enter"]);
        command.arg(self.directory.path()).arg(program.as_ref());
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            programs::cache().join("python/bin").display()
        );
        command.env_clear().env("PATH", path).env("HOME", self.home()).env("USER", "root");
        command.env("LANG", "C.UTF-8").env("TERM", "xterm").env("PORT", self.port.to_string());
        command.env("LOGIN", DEPLOY.name).current_dir(self.home());
        command
    }

    /// Runs a program to its end.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Said {
        programs::run(self.command(program).args(arguments))
    }

    /// Runs `ssh` to the server.
    #[must_use]
    pub fn ssh(&self, arguments: &[&str]) -> Said {
        programs::run(self.command("ssh").arg("web").args(arguments))
    }

    /// Runs a script of a shell or of Python, with a place of the server's to work in, and all that
    /// a user would know of the server.
    #[must_use]
    pub fn script(&self, interpreter: &str, text: &str, place: &str) -> Said {
        let mut command = self.command(interpreter);
        command.arg("-c").arg(text).env("PLACE", place).env("PASSWORD", DEPLOY.password);
        command.env("SERVER_PORT", self.server.port().to_string());
        command.env("SERVER_FINGERPRINT", self.server.fingerprint());
        programs::run(&mut command)
    }
}
