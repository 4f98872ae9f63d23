//! One try: a runtime, in an environment, asks the canary.
//!
//! Owns the words of each runtime. A program runs as whoever can change it, never as root where
//! another user can; in a home of its own that is removed; and is ended when its time is over.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::super::children;
use super::super::keystore::scratch;
use super::super::owners::Owner;
use super::canary::{Canary, PATH};
use super::java;
use super::runtimes::{Kind, Runtime};

/// For a version.
pub(super) const ASKED_WITHIN: Duration = Duration::from_secs(20);
/// For a handshake; a cold Java on a busy host takes seconds.
const TRIED_WITHIN: Duration = Duration::from_secs(40);

const URLLIB: &str =
    "import sys, urllib.request\nurllib.request.urlopen(sys.argv[1], timeout=20).read()";
const REQUESTS: &str = "import sys, requests\nrequests.get(sys.argv[1], timeout=20)";
const HTTPX: &str = "import sys, httpx\nhttpx.get(sys.argv[1], timeout=20)";
const BOTO3: &str = "\
import sys, botocore.session
c = botocore.session.get_session().create_client('sts', region_name='us-east-1',
    endpoint_url=sys.argv[1], aws_access_key_id='none', aws_secret_access_key='none')
c.get_caller_identity()";
/// Node reads no proxy from its environment, so the program asks for the way itself.
const NODE: &str = "\
const [url, host, port] = process.argv.slice(1), to = new URL(url);
const fail = (error) => { console.error(String(error)); process.exit(1); };
const name = to.hostname.replace(/^\\[|\\]$/g, '');
const way = require('http').request({ host, port, method: 'CONNECT', path: to.hostname + ':443' });
way.on('error', fail);
way.on('connect', (answer, socket) => {
  const options = { socket, host: name };
  if (!require('net').isIP(name)) options.servername = name;
  const tls = require('tls').connect(options, () => {
    tls.write('GET ' + to.pathname + ' HTTP/1.1\\r\\nHost: ' + to.host + '\\r\\n\\r\\n');
  });
  tls.on('error', fail);
  tls.on('data', () => process.exit(0));
});
way.end();";
/// Binds files over others, then runs the rest.
const BIND: &str = "\
while [ \"$1\" != -- ]; do [ ! -e \"$2\" ] || mount --bind \"$1\" \"$2\" || exit 1; shift 2; done
shift; exec \"$@\"";

/// What a runtime is tried in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Environment {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) binds: Vec<(PathBuf, PathBuf)>,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Trusts,
    /// It does not, or something else went wrong: what it said.
    Fails(String),
    /// It was not run, and why.
    NotTried(&'static str),
}

/// Has the command run as whoever can change its program; `None` where there is no such user.
pub(super) fn become_owner(command: &mut Command, owner: Owner) -> Option<()> {
    match owner {
        Owner::Several => return None,
        Owner::User(user, group) if nix::unistd::geteuid().is_root() => {
            command.uid(user).gid(group);
        }
        Owner::Root | Owner::User(..) => {}
    }
    Some(())
}

/// Tries.
pub(super) fn attempt(
    canary: &Canary,
    name: &str,
    number: usize,
    runtime: &Runtime,
    environment: &Environment,
) -> Outcome {
    if runtime.owner == Owner::Several {
        return Outcome::NotTried("several users can change it");
    }
    let Ok(home) = scratch() else { return Outcome::NotTried("there is no room for its home") };
    let outcome = attempt_at(canary, name, number, runtime, environment, &home);
    let _left_behind = std::fs::remove_dir_all(&home);
    outcome
}

fn attempt_at(
    canary: &Canary,
    name: &str,
    number: usize,
    runtime: &Runtime,
    environment: &Environment,
    home: &Path,
) -> Outcome {
    if let Owner::User(user, group) = runtime.owner
        && nix::unistd::geteuid().is_root()
        && chown(home, Some(user), Some(group)).is_err()
    {
        return Outcome::NotTried("its home cannot be given to its user");
    }
    let host = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    let url = format!("https://{host}{PATH}{number}");
    let program = runtime.program.as_path();
    let mut command = words(runtime.kind, program, &url, name, canary.address(), home);
    settings(&mut command, canary.address(), &url, home);
    command.envs(&environment.variables);
    let mut command = if environment.binds.is_empty() {
        if become_owner(&mut command, runtime.owner).is_none() {
            return Outcome::NotTried("several users can change it");
        }
        command
    } else {
        bound(&command, runtime.owner, &environment.binds)
    };
    match children::run(&mut command, TRIED_WITHIN) {
        Err(_) => Outcome::NotTried("it cannot be started"),
        Ok(ended) => {
            let said_so = ended.output.contains("Verify return code: 0 (ok)");
            if canary.has_seen(number) || runtime.kind == Kind::Openssl && said_so {
                Outcome::Trusts
            } else {
                Outcome::Fails(complaint(&ended.error).unwrap_or_else(|| ended.complaint()))
            }
        }
    }
}

/// The line that names the certificate, for the last one is often of a stack.
fn complaint(error: &str) -> Option<String> {
    let telling = |line: &&str| {
        let line = line.to_ascii_lowercase();
        ["certificat", "x509", "unable to get local issuer"].iter().any(|word| line.contains(word))
    };
    error.lines().map(str::trim).rfind(telling).map(str::to_owned)
}

fn settings(command: &mut Command, canary: SocketAddr, url: &str, home: &Path) {
    let proxy = format!("http://{canary}");
    command.env_clear().current_dir("/").env("PATH", children::PATH).env("LC_ALL", "C.UTF-8");
    command.env("HOME", home).env("TMPDIR", home).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("https_proxy", &proxy).env("HTTPS_PROXY", &proxy);
    command.env("GIT_TERMINAL_PROMPT", "0").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_MAX_ATTEMPTS", "1").env("GOPROXY", url).env("GOSUMDB", "off");
    command.env("GOPATH", home.join("go")).env("GOCACHE", home.join("cache"));
    command.env("GO111MODULE", "on").env("GOFLAGS", "-mod=mod").env("GOTOOLCHAIN", "local");
}

fn words(
    kind: Kind,
    program: &Path,
    url: &str,
    name: &str,
    canary: SocketAddr,
    home: &Path,
) -> Command {
    let mut command = Command::new(program);
    let (ip, port) = (canary.ip().to_string(), canary.port().to_string());
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    match kind {
        Kind::Curl => command.args(["-sS", "--max-time", "20", "-o", "/dev/null", url]),
        Kind::Wget => command.args(["-nv", "-O", "/dev/null", "--tries=1", "--timeout=20", url]),
        Kind::Git => command.args(["ls-remote", url]),
        Kind::Go => command.args(["list", "-m", "-versions", "portcullis.example/canary"]),
        Kind::Openssl => {
            command.args(["s_client", "-connect", &canary.to_string(), "-verify_return_error"]);
            match is_address {
                true => command.args(["-verify_ip", name]),
                false => command.args(["-servername", name, "-verify_hostname", name]),
            }
        }
        Kind::Node => command.args(["-e", NODE, url, &ip, &port]),
        Kind::Java => {
            let file = home.join(format!("{}.class", java::NAME));
            let _reported_by_java = std::fs::write(&file, java::class_file());
            command.arg("-cp").arg(home).arg(format!("-Dhttps.proxyHost={ip}"));
            command.arg(format!("-Dhttps.proxyPort={port}")).args([java::NAME, url])
        }
        Kind::Urllib => command.args(["-B", "-c", URLLIB, url]),
        Kind::Requests => command.args(["-B", "-c", REQUESTS, url]),
        Kind::Httpx => command.args(["-B", "-c", HTTPX, url]),
        Kind::Boto3 => command.args(["-B", "-c", BOTO3, url]),
    };
    command
}

/// The command in a mount namespace of its own, as its unit would have it.
fn bound(command: &Command, owner: Owner, binds: &[(PathBuf, PathBuf)]) -> Command {
    let mut outer = Command::new("unshare");
    outer.args(["--mount", "--propagation", "private", "sh", "-c", BIND, "sh"]);
    for (from, to) in binds {
        outer.arg(from).arg(to);
    }
    outer.arg("--");
    if let Owner::User(user, group) = owner {
        outer.args([
            "setpriv",
            "--clear-groups",
            &format!("--reuid={user}"),
            &format!("--regid={group}"),
        ]);
    }
    outer.arg(command.get_program()).args(command.get_args()).env_clear().current_dir("/");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer
}
