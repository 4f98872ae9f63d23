//! The machine that unchanged clients of the web run on.
//!
//! Owns its files: names of hosts, and which authorities its programs trust. Programs run in a mount
//! namespace in which `/etc/hosts` and the system's bundle of authorities are the fixture's. Must
//! not know whether a gateway is in between: the same address is given to programs in either case,
//! and only the name's meaning differs.

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use http::Response;
use http::request::Parts;

use super::{NAME, WebServer};
use crate::programs::{self, Said};

/// Enters the namespace and runs the rest of the command line there.
const ENTER: &str = r#"
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/bundle.pem" /etc/ssl/certs/ca-certificates.crt
shift
exec "$@"
"#;

/// A machine.
#[derive(Debug)]
pub struct WebStation {
    directory: tempfile::TempDir,
    base: String,
}

impl WebStation {
    /// A machine that reaches the server itself, and trusts it.
    #[must_use]
    pub fn direct(server: &'static WebServer) -> Self {
        let trusted = if server.is_secure() {
            server.authority().certificate_pem().to_owned()
        } else {
            String::new()
        };
        Self::new(server, Ipv4Addr::LOCALHOST, &trusted)
    }

    /// A machine for which the server is at this address, and that trusts this authority.
    ///
    /// # Panics
    /// Where its files cannot be written.
    #[must_use]
    pub fn new(server: &'static WebServer, at: Ipv4Addr, authority: &str) -> Self {
        Self::reaching(&base(server.is_secure(), server.port()), at, authority)
    }

    /// The same for a server whose addresses begin so.
    ///
    /// # Panics
    /// Where its files cannot be written.
    #[must_use]
    pub fn reaching(base: &str, at: Ipv4Addr, authority: &str) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("portcullis-station-")
            .tempdir()
            .expect("a temporary directory");
        let hosts = format!("127.0.0.1 localhost\n{at} {NAME}\n");
        fs::write(directory.path().join("hosts"), hosts).expect("a file");
        let system = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
        let bundle = format!("{system}\n{authority}\n");
        fs::write(directory.path().join("bundle.pem"), bundle).expect("a file");
        fs::write(directory.path().join("authority.pem"), authority).expect("a file");
        fs::create_dir(directory.path().join("home")).expect("a home");
        Self { directory, base: base.to_owned() }
    }

    /// What the server's addresses begin with, up to the path.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A file of the machine.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command on this machine.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--", "sh", "-ec", ENTER, "enter"]);
        command.arg(self.directory.path()).arg(program);
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            programs::cache().join("python/bin").display()
        );
        let bundle = "/etc/ssl/certs/ca-certificates.crt";
        command.env_clear().env("PATH", path).env("HOME", self.file("home"));
        command.env("LANG", "C.UTF-8").env("BASE", self.base());
        command.env("NODE_EXTRA_CA_CERTS", self.file("authority.pem"));
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE"] {
            command.env(name, bundle);
        }
        command.current_dir(self.file("home"));
        command
    }

    /// Runs a program to its end.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Said {
        programs::run(self.command(program).args(arguments))
    }

    /// Runs curl silently, with the path of the server's to ask for.
    #[must_use]
    pub fn curl(&self, path: &str, arguments: &[&str]) -> Said {
        let address = format!("{}{path}", self.base());
        let mut command = self.command("curl");
        command.args(["--silent", "--show-error", "--max-time", "30"]);
        programs::run(command.args(arguments).arg(address))
    }

    /// Has the server offer a repository with one commit, as `/repo.git`.
    ///
    /// # Panics
    /// Where git does not make one.
    pub fn offer_repository(&self, server: &WebServer) {
        let script = "git init -q work && cd work && echo hello > readme && git add readme && \
                      git -c user.name=t -c user.email=t@t.example commit -q -m first && \
                      cd .. && git clone -q --bare work repo.git && \
                      git -C repo.git config http.receivepack true";
        let _ = self.run("sh", &["-ec", script]).success();
        server.offer(&self.file("home"));
    }

    /// Runs a Python program that the environment of the clients has what it needs for.
    #[must_use]
    pub fn python(&self, program: &str) -> Said {
        self.run("python3", &["-c", program])
    }
}

/// What addresses of a server begin with.
#[must_use]
pub fn base(is_secure: bool, port: u16) -> String {
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{NAME}:{port}")
}

/// Runs git's own server of the web once.
pub(super) fn git_backend(root: &Path, parts: &Parts, body: &[u8]) -> Response<Vec<u8>> {
    let text = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", text("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .env("GIT_PROTOCOL", text("git-protocol"))
        .env("REMOTE_USER", "job")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git's http-backend");
    let mut input = child.stdin.take().expect("its input");
    let body = body.to_vec();
    std::thread::spawn(move || {
        let _ = input.write_all(&body);
    });
    let output = child.wait_with_output().expect("its output").stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
    let (head, body) = output.split_at(end);
    let mut response = Response::new(body.get(4..).unwrap_or_default().to_vec());
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            *response.status_mut() = code.expect("a status");
        } else {
            let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            response.headers_mut().insert(name, value.parse().expect("a value"));
        }
    }
    response
}
