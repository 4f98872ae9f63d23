//! Making a server: its files, its process, its users, its shop.
//!
//! Owns the steps. Must not know who uses it.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{APP, Cluster, SHOP, USERS};
use crate::certificates::{Authority, Identity};
use crate::programs;

const SHOP_SQL: &str = include_str!("../../fixtures/shop.sql");

/// Starts the server on a first line; stops it and removes its files once standard input has ended,
/// which it does with the test process.
pub(crate) const KEEPER: &str = r#"
directory=$1; shift
if read -r _; then
    "$@" &
    server=$!
    read -r _
    kill -QUIT $server
    wait $server
fi
rm -rf -- "$directory"
"#;

/// A server's programs.
pub(super) struct Server {
    binaries: PathBuf,
    name: String,
    /// The programs have to be copied to where another user can read them.
    copied: bool,
}

impl Server {
    /// The same server under another name, with files of its own.
    pub(super) fn apart(mut self, name: &str) -> Self {
        self.name = format!("{}-{name}", self.name);
        self
    }
}

/// Debian's server.
pub(super) fn debian() -> Server {
    let binaries = PathBuf::from("/usr/lib/postgresql/15/bin");
    assert!(binaries.exists(), "no {}: run `cargo xtask setup`", binaries.display());
    Server { binaries, name: "15".into(), copied: false }
}

/// The newest server, where setup could fetch one.
pub(super) fn newest() -> Option<Server> {
    let binaries = programs::cache().join("postgres-18/current/bin");
    binaries.exists().then_some(Server { binaries, name: "18".into(), copied: true })
}

/// Starts a server and fills it.
pub(super) fn start(server: &Server) -> Cluster {
    let name = format!("portcullis-test-{}-postgres-{}", std::process::id(), server.name);
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a temporary directory");
    let binaries = if server.copied { copy(server, &directory) } else { server.binaries.clone() };
    let mut keeper = launch(&binaries, &directory);
    let authority = write_certificates(&directory);
    own(&directory);
    initialise(&binaries, &directory);
    let port = free_port();
    configure(&directory, port);
    own(&directory);
    let lifeline = keeper.stdin.as_mut().expect("a pipe to the keeper");
    lifeline.write_all(b"serve\n").expect("a keeper that reads");
    let cluster = Cluster { directory, port, authority, _keeper: keeper };
    wait_until_ready(&cluster);
    fill(&cluster);
    cluster
}

fn copy(server: &Server, directory: &Path) -> PathBuf {
    let from = fs::canonicalize(server.binaries.join("..")).expect("the server's programs");
    let to = directory.join("programs");
    done(Command::new("cp").args(["--recursive", "--dereference"]).arg(from).arg(&to));
    to.join("bin")
}

fn write_certificates(directory: &Path) -> Authority {
    let authority = Authority::new("upstream authority of a test");
    let identity = authority.issue(&["localhost", "127.0.0.1"]);
    authority.write(directory);
    write_identity(directory, &identity);
    authority
}

/// Writes certificate and key to where the server reads them. The files, once there, keep their
/// owner.
pub(super) fn write_identity(directory: &Path, identity: &Identity) {
    fs::write(directory.join("server.crt"), &identity.certificate_pem).expect("a certificate");
    let key = directory.join("server.key");
    fs::write(&key, &identity.key_pem).expect("a key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a key's mode");
}

/// The server refuses to run as root, so its files are the `postgres` user's.
fn own(directory: &Path) {
    if is_root() {
        done(Command::new("chown").args(["--recursive", "postgres:"]).arg(directory));
    }
}

fn initialise(binaries: &Path, directory: &Path) {
    let mut command = as_postgres(&binaries.join("initdb"));
    command.args(["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"]);
    command.args(["--username=postgres", "--auth=trust", "--pgdata"]).arg(directory.join("data"));
    done(&mut command);
}

fn configure(directory: &Path, port: u16) {
    let place = directory.display();
    let settings = format!(
        "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{place}'\n\
         max_connections = 300\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\n\
         ssl = on\nssl_cert_file = '{place}/server.crt'\nssl_key_file = '{place}/server.key'\n\
         log_statement = all\nlog_connections = on\nlog_line_prefix = '%u@%d %r: '\n\
         timezone = 'UTC'\nlog_timezone = 'UTC'\n"
    );
    let data = directory.join("data");
    let file = data.join("postgresql.conf");
    fs::write(&file, settings).expect("the server's settings");
    let access = "local all postgres trust\n\
                  host all app 127.0.0.1/32 scram-sha-256\n\
                  host all app_md5 127.0.0.1/32 md5\n\
                  host all app_clear 127.0.0.1/32 password\n";
    fs::write(data.join("pg_hba.conf"), access).expect("the server's access rules");
}

fn launch(binaries: &Path, directory: &Path) -> std::process::Child {
    let log = File::create(directory.join("server.log")).expect("the server's log");
    let again = log.try_clone().expect("the server's log");
    let server = as_postgres(&binaries.join("postgres"));
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(directory);
    keeper.arg(server.get_program()).args(server.get_args());
    keeper.arg("-D").arg(directory.join("data"));
    keeper.current_dir("/").stdin(Stdio::piped()).stdout(log).stderr(again);
    // Of its own group: an interrupt at the terminal ends the tests, and then the keeper cleans up.
    std::os::unix::process::CommandExt::process_group(&mut keeper, 0);
    keeper.spawn().expect("a keeper of the server")
}

fn wait_until_ready(cluster: &Cluster) {
    let began = Instant::now();
    while cluster.as_superuser("postgres", "SELECT 1").status != Some(0) {
        assert!(began.elapsed() < Duration::from_secs(60), "no server: {}", cluster.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn fill(cluster: &Cluster) {
    let mut roles = String::new();
    for user in USERS {
        let encryption = if user.name == "app_md5" { "md5" } else { "scram-sha-256" };
        roles.push_str(&format!(
            "SET password_encryption = '{encryption}'; \
             CREATE ROLE {} LOGIN PASSWORD '{}'; ",
            user.name, user.password
        ));
    }
    roles.push_str("GRANT app TO app_md5, app_clear; ");
    let _ = cluster.as_superuser("postgres", &roles).success();
    let make = "CREATE DATABASE shop_template OWNER app";
    let _ = cluster.as_superuser("postgres", make).success();
    // The public schema belongs to the database's owner, as it did before version 15.
    let shop = format!("ALTER SCHEMA public OWNER TO app; SET ROLE app; {SHOP_SQL}");
    let _ = cluster.as_superuser("shop_template", &shop).success();
    let copy = format!("CREATE DATABASE {SHOP} TEMPLATE shop_template OWNER {}", APP.name);
    let _ = cluster.as_superuser("postgres", &copy).success();
}

fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self")
        .is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

fn done(command: &mut Command) {
    let _ = programs::run(command).success();
}

/// A port that nobody listens on. Another process may take it before the server does; then the
/// server does not start and the test says so.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
