//! Making a server: its keys, its users, its files, its process.
//!
//! Owns the steps. Must not know who uses it.

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{DEPLOY, LOGINS, SshServer};
use crate::programs;

/// Kinds of the server's host keys.
pub(super) const HOST_KEYS: &[&str] = &["ed25519", "ecdsa", "rsa"];

/// Programs that are on the server's search path.
const PROGRAMS: &[(&str, &str)] = &[
    ("shell", include_str!("../../fixtures/ssh/shell")),
    ("report", include_str!("../../fixtures/ssh/report")),
    ("systemctl", include_str!("../../fixtures/ssh/systemctl")),
    ("canary", include_str!("../../fixtures/ssh/canary")),
];

/// Starts the server on a first line; ends it and removes its files once standard input has ended,
/// which it does with the test process.
const KEEPER: &str = r#"
directory=$1
if read -r _; then
    unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- sh -ec '
        mount --bind "$1/passwd" /etc/passwd
        mount --bind "$1/group" /etc/group
        mount --bind "$1/shadow" /etc/shadow
        mount --bind "$1/srv" /srv
        mount -t tmpfs tmpfs /run
        mkdir /run/sshd
        # Nothing of this process is of use to a session.
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/sshd -D -e -f "$1/sshd_config"
    ' server "$directory" &
    server=$!
    read -r _
    # It ignores polite signals while its child lives, which is killed with it.
    kill -KILL $server
    wait $server
fi
rm -rf -- "$directory"
"#;

/// Starts a server.
pub(super) fn start(name: &str, settings: &str) -> SshServer {
    assert!(Path::new("/usr/sbin/sshd").exists(), "no sshd: run `cargo xtask setup`");
    let name = format!("portcullis-test-{}-sshd-{name}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a temporary directory");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("its mode");
    let mut keeper = launch(&directory);
    let port = free_port();
    write_keys(&directory, port);
    write_users(&directory);
    write_srv(&directory.join("srv"));
    fs::write(directory.join("sshd_config"), configuration(&directory, port, settings))
        .expect("the server's configuration");
    let lifeline = keeper.stdin.as_mut().expect("a pipe to the keeper");
    lifeline.write_all(b"serve\n").expect("a keeper that reads");
    let server = SshServer { directory, port, _keeper: keeper };
    wait_until_ready(&server);
    server
}

fn launch(directory: &Path) -> std::process::Child {
    let log = File::create(directory.join("server.log")).expect("the server's log");
    let again = log.try_clone().expect("the server's log");
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(directory);
    keeper.current_dir("/").stdin(Stdio::piped()).stdout(log).stderr(again);
    // Of its own group: an interrupt at the terminal ends the tests, and then the keeper cleans up.
    std::os::unix::process::CommandExt::process_group(&mut keeper, 0);
    keeper.spawn().expect("a keeper of the server")
}

/// Host keys; the gateway's key and the certificate for it; the key of an unchanged job.
fn write_keys(directory: &Path, port: u16) {
    let mut known = String::new();
    for kind in HOST_KEYS {
        let file = directory.join(format!("ssh_host_{kind}_key"));
        key(&file, kind);
        let public = fs::read_to_string(file.with_extension("pub")).expect("a public key");
        let words: Vec<&str> = public.split(' ').take(2).collect();
        known.push_str(&format!("[127.0.0.1]:{port} {}\n", words.join(" ")));
    }
    fs::write(directory.join("known_hosts"), known).expect("the server's public keys");
    let mut authorised = String::new();
    for (name, kind) in
        [("gateway_key", "ed25519"), ("gateway_rsa_key", "rsa"), ("workload_key", "ed25519")]
    {
        key(&directory.join(name), kind);
        let public = directory.join(format!("{name}.pub"));
        authorised.push_str(&fs::read_to_string(public).expect("a public key"));
    }
    fs::write(directory.join("authorized_keys"), authorised).expect("the authorised keys");
    for name in ["user_authority", "host_authority", "certified_key"] {
        key(&directory.join(name), "ed25519");
    }
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-I", "gateway", "-n", "deploy", "-s"]).arg(directory.join("user_authority"));
    let _ = programs::run(sign.arg(directory.join("certified_key.pub"))).success();
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-h", "-I", "server", "-n", "127.0.0.1", "-s"]);
    sign.arg(directory.join("host_authority")).arg(directory.join("ssh_host_ed25519_key.pub"));
    let _ = programs::run(&mut sign).success();
}

fn key(file: &Path, kind: &str) {
    let mut make = Command::new("ssh-keygen");
    make.args(["-q", "-N", "", "-C", "test", "-t", kind, "-f"]).arg(file);
    let _ = programs::run(&mut make).success();
}

fn write_users(directory: &Path) {
    let shell = "/srv/bin/shell";
    let mut passwd = fs::read_to_string("/etc/passwd").expect("the machine's users");
    let mut group = fs::read_to_string("/etc/group").expect("the machine's groups");
    let mut shadow = String::new();
    for login in LOGINS {
        let (name, uid) = (login.name, login.uid);
        passwd.push_str(&format!("{name}:x:{uid}:{uid}:test:/srv/home/{name}:{shell}\n"));
        group.push_str(&format!("{name}:x:{uid}:\n"));
        let mut hash = Command::new("openssl");
        hash.args(["passwd", "-6", login.password]);
        let hash = programs::run(&mut hash).success();
        shadow.push_str(&format!("{name}:{}:19000:0:99999:7:::\n", hash.trim()));
    }
    for (name, text, mode) in
        [("passwd", passwd, 0o644), ("group", group, 0o644), ("shadow", shadow, 0o600)]
    {
        let path = directory.join(name);
        fs::write(&path, text).expect("a file of users");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    }
}

fn write_srv(srv: &Path) {
    for child in ["bin", "home"] {
        fs::create_dir_all(srv.join(child)).expect("a directory");
    }
    for (name, text) in PROGRAMS {
        let path = srv.join("bin").join(name);
        fs::write(&path, text).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    for login in LOGINS {
        let home = srv.join("home").join(login.name);
        fs::create_dir_all(&home).expect("a home");
        chown(&home, Some(login.uid), Some(login.uid)).expect("an owner");
    }
    for log in ["reached.log", "canary.log", "systemctl.log"] {
        let path = srv.join(log);
        fs::write(&path, "").expect("a log");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("its mode");
    }
    fill(&srv.join("app"));
}

/// The usual files: a log with values that no workload may see, a release, a script, a repository.
pub(super) fn fill(place: &Path) {
    let make = |child: &str| fs::create_dir_all(place.join(child)).expect("a directory");
    let write = |name: &str, text: &[u8]| fs::write(place.join(name), text).expect("a file");
    for child in ["log", "releases", "secret", "empty"] {
        make(child);
    }
    write("log/app.log", include_bytes!("../../fixtures/ssh/app.log"));
    write("notes.txt", "größe 表 🐘\nsecond line\n".as_bytes());
    write("secret/key", b"not for workloads\n");
    write("a name with 'quotes' and spaces", b"quoted\n");
    let binary: Vec<u8> =
        (0..100_000_u32).map(|at| (at.wrapping_mul(at) >> 7).to_le_bytes()[0]).collect();
    write("releases/1.bin", &binary);
    symlink("secret", place.join("way-in")).expect("a link");
    let mut git = Command::new("git");
    git.args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(place.join("app.git"));
    let _ = programs::run(&mut git).success();
    let mut own = Command::new("chown");
    own.args(["--recursive", "--no-dereference"]).arg(format!("{0}:{0}", DEPLOY.uid)).arg(place);
    let _ = programs::run(&mut own).success();
}

fn configuration(directory: &Path, port: u16, more: &str) -> String {
    let place = directory.display();
    let keys: String =
        HOST_KEYS.iter().map(|kind| format!("HostKey {place}/ssh_host_{kind}_key\n")).collect();
    // The first value of a keyword counts: what a test says comes first.
    format!(
        "{more}\n{keys}\
         Port {port}\nListenAddress 127.0.0.1\nPidFile none\nLogLevel VERBOSE\n\
         AuthorizedKeysFile {place}/authorized_keys\nStrictModes no\n\
         TrustedUserCAKeys {place}/user_authority.pub\n\
         KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org\nUsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
         AcceptEnv LANG LC_* GIT_* TEST_* LD_PRELOAD BASH_ENV\nSetEnv PATH=/srv/bin:/usr/local/bin:/usr/bin:/bin\n\
         PermitTTY yes\nAllowTcpForwarding yes\nAllowStreamLocalForwarding yes\n\
         AllowAgentForwarding yes\nX11Forwarding yes\nPrintMotd no\nPrintLastLog no\nUseDNS no\n\
         MaxSessions 200\nMaxStartups 200:30:400\nMaxAuthTries 20\n\
         Subsystem sftp /usr/lib/openssh/sftp-server\n"
    )
}

fn wait_until_ready(server: &SshServer) {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", server.port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "no server: {}", server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody listens on. Another process may take it before the server does; then the
/// server does not start and the test says so.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
