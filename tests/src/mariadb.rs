//! A real MariaDB server with a small shop, one for a test binary's whole run.
//!
//! Owns its making, its users and its end. Must not know the gateway. A keeper process stands
//! between this process and the server: when this process is gone, whatever the reason, the keeper's
//! standard input ends and it stops the server and removes its directory.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::certificates::Authority;
use crate::cluster::{KEEPER, User};
use crate::programs::{self, Said};

const SHOP_SQL: &str = include_str!("../fixtures/shop.mysql.sql");

/// Logs in with `mysql_native_password`.
pub const APP_NATIVE: User = User { name: "app", password: "canary-native-5c0e1d" };
/// Logs in with `client_ed25519`.
pub const APP_ED25519: User = User { name: "app_ed25519", password: "canary-ed25519-7ab2f0" };

/// Every user, for sweeps over the ways to log in.
pub const MARIADB_USERS: &[User] = &[APP_NATIVE, APP_ED25519];

/// A running server.
#[derive(Debug)]
pub struct MariaDb {
    directory: PathBuf,
    port: u16,
    /// Its standard input is the lifeline; never closed while this process lives.
    _keeper: std::process::Child,
}

impl MariaDb {
    /// The server, started on first use.
    ///
    /// # Panics
    /// Where MariaDB is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
        SHARED.get_or_init(|| start("mariadb"))
    }

    /// A server that nobody else has, for whoever looks at all that it does. Ends with the value.
    ///
    /// # Panics
    /// As for [`MariaDb::shared`].
    #[must_use]
    pub fn alone() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        start(&format!("mariadb-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its unix socket and its files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of the authority that signed its certificate (for `localhost` and 127.0.0.1).
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// A database of its own for a test that changes things: a copy of the shop.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("shop_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.make_shop(&name);
        name
    }

    /// Runs a script as the superuser, over the unix socket.
    #[must_use]
    pub fn as_superuser(&self, script: &str) -> Said {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
        command.arg(format!("--socket={}", self.socket().display()));
        programs::run(command.arg("--execute").arg(script))
    }

    /// Runs a script of thousands of statements as the superuser, comments and all; what fails in
    /// it is said and left.
    ///
    /// # Panics
    /// Where the client cannot be run.
    #[must_use]
    pub fn script(&self, database: &str, script: &str) -> Said {
        // Of its own: several tests share this directory.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let file = self.directory.join(format!("script-{number}.sql"));
        fs::write(&file, script).expect("a script");
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--force"]);
        client.args(["--comments", "--default-character-set=utf8mb4", "--socket"]);
        client.arg(self.socket()).arg("--execute").arg(format!("source {}", file.display()));
        programs::run(client.arg(database))
    }

    /// The server's log: every connection and statement that reached it.
    ///
    /// # Panics
    /// Where it cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("data/general.log")).expect("the server's log")
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("data/socket")
    }

    fn make_shop(&self, name: &str) {
        let script =
            format!("CREATE DATABASE {name} CHARACTER SET utf8mb4; USE {name}; {SHOP_SQL}");
        let _ = self.as_superuser(&script).success();
    }
}

fn start(name: &str) -> MariaDb {
    let directory =
        std::env::temp_dir().join(format!("portcullis-test-{}-{name}", std::process::id()));
    let data = directory.join("data");
    fs::create_dir_all(&data).expect("a temporary directory");
    // Its own: a server that starts deletes what looks like a temporary table there, whose ever it is.
    let temporary = directory.join("tmp");
    fs::create_dir(&temporary).expect("a temporary directory");
    let anybodys = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(&temporary, anybodys).expect("a temporary directory of anybody's");
    let log = File::create(directory.join("server.log")).expect("the server's log");
    let again = log.try_clone().expect("the server's log");
    let port = free_port();
    let place = directory.display();
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(&directory).arg("/usr/sbin/mariadbd").args([
        "--no-defaults",
        "--user=mysql",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--plugin-load-add=auth_ed25519",
        "--character-set-server=utf8mb4",
        "--max-connections=300",
        "--max-allowed-packet=256M",
        "--innodb-flush-log-at-trx-commit=0",
        "--general-log=1",
        "--general-log-file=general.log",
        "--default-time-zone=+00:00",
        &format!("--port={port}"),
        &format!("--datadir={place}/data"),
        &format!("--tmpdir={place}/tmp"),
        &format!("--socket={place}/data/socket"),
        &format!("--pid-file={place}/data/pid"),
        &format!("--ssl-ca={place}/ca.pem"),
        &format!("--ssl-cert={place}/server.crt"),
        &format!("--ssl-key={place}/server.key"),
    ]);
    keeper.current_dir("/").stdin(Stdio::piped()).stdout(log).stderr(again);
    // Of its own group: an interrupt at the terminal ends the tests, and then the keeper cleans up.
    keeper.process_group(0);
    let mut keeper = keeper.spawn().expect("a keeper of the server");
    let authority = Authority::new("upstream authority of a test");
    authority.write(&directory);
    let identity = authority.issue(&["localhost", "127.0.0.1"]);
    fs::write(directory.join("server.crt"), &identity.certificate_pem).expect("a certificate");
    fs::write(directory.join("server.key"), &identity.key_pem).expect("a key");
    let mut install = Command::new("mariadb-install-db");
    install.args(["--no-defaults", "--user=mysql", "--skip-test-db", "--skip-name-resolve"]);
    install.args(["--auth-root-authentication-method=normal", "--skip-log-bin"]);
    install.env("TMPDIR", &temporary).arg(format!("--datadir={place}/data"));
    let _ = programs::run(&mut install).success();
    let _ = programs::run(Command::new("chown").args(["-R", "mysql:"]).arg(&directory)).success();
    let lifeline = keeper.stdin.as_mut().expect("a pipe to the keeper");
    lifeline.write_all(b"serve\n").expect("a keeper that reads");
    let server = MariaDb { directory, port, _keeper: keeper };
    wait_until_ready(&server);
    let mut users = String::new();
    for user in MARIADB_USERS {
        let User { name, password } = user;
        let with = match *user == APP_ED25519 {
            true => format!("VIA ed25519 USING PASSWORD('{password}')"),
            false => format!("BY '{password}'"),
        };
        users.push_str(&format!(
            "CREATE USER {name} IDENTIFIED {with}; GRANT ALL ON *.* TO {name}; "
        ));
    }
    let _ = server.as_superuser(&users).success();
    server.make_shop(crate::cluster::SHOP);
    server
}

fn wait_until_ready(server: &MariaDb) {
    let began = Instant::now();
    while server.as_superuser("SELECT 1").status != Some(0) {
        let log = fs::read_to_string(server.directory.join("server.log")).unwrap_or_default();
        assert!(began.elapsed() < Duration::from_secs(60), "no server: {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
