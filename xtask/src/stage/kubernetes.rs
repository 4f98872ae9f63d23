//! A stage's Kubernetes: a cluster of its own, with an API server that setup has built.
//!
//! Owns its making, its authority, its objects and its audit log. Must not know who asks. The
//! servers are run by the script that the tests use too.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::postgres::Listen;
use super::{Stage, certificate, network, spawn_logged, wait_until};
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};
use crate::places;

/// The cgroup of the servers.
const UNIT: &str = "kubernetes.service";

/// Of the directory in the repository with what the tests run a cluster by.
const FIXTURES: &str = "tests/fixtures/kubernetes";

/// The node's port and the store's, on the loopback of wherever the servers are.
const ETCD_PORT: u16 = 2_379;
const PEER_PORT: u16 = 2_380;
pub(crate) const NODE_PORT: u16 = 10_250;

/// Who may do everything, to fill the cluster.
const ADMIN: Account<'_> =
    Account { name: "admin", token: "token-of-the-stage", groups: "system:masters" };

/// Somebody that the API server knows by a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    pub(crate) name: &'a str,
    pub(crate) token: &'a str,
    pub(crate) groups: &'a str,
}

/// A cluster that is up.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    directory: PathBuf,
    listen: Listen,
}

impl Kubernetes {
    /// Makes and starts a cluster that knows these accounts.
    pub(crate) fn start(stage: &Stage, listen: Listen, accounts: &[Account<'_>]) -> Outcome<Self> {
        let directory = stage.directory().join("kubernetes");
        fs::create_dir_all(directory.join("node")).during(directory.display())?;
        // What is run in a container is run by nobody, who has to get there.
        for path in [stage.directory(), &directory] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).during(path.display())?;
        }
        let cluster = Self { directory, listen };
        cluster.write_certificates()?;
        let line = |account: &Account<'_>| {
            let Account { name, token, groups } = account;
            format!("{token},{name},{name},\"{groups}\"\n")
        };
        let tokens: String = accounts.iter().chain([&ADMIN]).map(line).collect();
        cluster.write("tokens.csv", &tokens)?;
        let fixtures = places::repository().join(FIXTURES);
        for name in ["serve.sh", "audit.yaml"] {
            let file = fixtures.join(name);
            cluster.write(name, &fs::read_to_string(&file).during(file.display())?)?;
        }
        cluster.spawn(stage)?;
        let is_ready = || {
            TcpStream::connect((listen.address, listen.port)).is_ok()
                && cluster.kubectl(&["get", "--raw", "/readyz"]).is_ok()
        };
        wait_until("the API server is up", is_ready)
            .or_else(|fault| Fault::because(format!("{fault}\n{}", cluster.log())))?;
        Ok(cluster)
    }

    /// The authority, who it certifies, and one below it that may only speak for this cluster.
    fn write_certificates(&self) -> Outcome {
        let address = self.listen.address;
        let names = format!("IP:{address},IP:127.0.0.1,DNS:kubernetes");
        certificate::make(&self.directory, &names)?;
        certificate::sign(&self.directory, "node", &["subjectAltName=IP:127.0.0.1"])?;
        certificate::sign(&self.directory, "api", &["extendedKeyUsage=clientAuth"])?;
        let limits = format!(
            "nameConstraints=critical,permitted;IP:{address}/255.255.255.255,permitted;DNS:kubernetes"
        );
        let is_authority = "basicConstraints=critical,CA:TRUE,pathlen:0";
        let usage = "keyUsage=critical,keyCertSign";
        certificate::sign(&self.directory, "gateway", &[is_authority, usage, &limits])?;
        // What the script calls them.
        for (from, to) in [("authority.pem", "ca.pem"), ("server.crt", "server.pem")] {
            let from = self.directory.join(from);
            fs::copy(&from, self.directory.join(to)).during(from.display())?;
        }
        for name in ["node", "api"] {
            let from = self.directory.join(format!("{name}.crt"));
            fs::copy(&from, from.with_extension("pem")).during(from.display())?;
        }
        Ok(())
    }

    fn spawn(&self, stage: &Stage) -> Outcome {
        let mut command = stage.command(UNIT, "unshare")?;
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
        if self.listen.in_namespace {
            let namespace = network::file(stage.name());
            command.args(["nsenter", &format!("--net={}", namespace.display()), "--"]);
        }
        command.args(["sh", "-e"]).arg(self.file("serve.sh")).arg(&self.directory);
        command.arg(places::kubernetes()?.join("bin")).arg(self.listen.address.to_string());
        let ports = [self.listen.port, ETCD_PORT, PEER_PORT, NODE_PORT];
        command.args(ports.map(|port| port.to_string()));
        spawn_logged(command, &self.file("output")).map(|_| ())
    }

    /// Runs kubectl as somebody who may do everything.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Outcome<String> {
        let server = format!("https://{}:{}", self.listen.address, self.listen.port);
        Call::new(kubectl()?)
            .environment("HOME", &self.directory)
            .environment("KUBECONFIG", "/dev/null")
            .with(["--server", &server, "--token", ADMIN.token, "--certificate-authority"])
            .with([self.file("authority.pem")])
            .with(arguments)
            .output()
    }

    /// Makes what a file of manifests says.
    pub(crate) fn apply(&self, manifests: &str) -> Outcome {
        self.write("manifests.yaml", manifests)?;
        let file = self.file("manifests.yaml");
        self.kubectl(&["apply", "-f", &file.to_string_lossy()]).map(|_| ())
    }

    /// Says what the status of an object is.
    pub(crate) fn set_status(&self, uri: &str, object: &Value) -> Outcome {
        self.write("status.json", &object.to_string())?;
        let file = self.file("status.json");
        self.kubectl(&["replace", "--raw", uri, "-f", &file.to_string_lossy()]).map(|_| ())
    }

    /// The directory in which commands of a container run.
    pub(crate) fn container(&self, namespace: &str, pod: &str, container: &str) -> PathBuf {
        self.directory.join("node").join(namespace).join(pod).join(container)
    }

    /// A file beside it: `authority.pem`, `gateway.crt` and `gateway.key` of the authority below.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The requests of an account that the API server has taken.
    pub(crate) fn requests_of(&self, account: &str) -> Outcome<usize> {
        let path = self.file("audit.jsonl");
        let log = fs::read_to_string(&path).during(path.display())?;
        Ok(requests(&log, account))
    }

    fn log(&self) -> String {
        let read = |name: &&str| fs::read_to_string(self.file(name)).unwrap_or_default();
        ["output", "etcd.log", "node.log", "api.log"].iter().map(read).collect()
    }

    fn write(&self, name: &str, text: &str) -> Outcome {
        let path = self.file(name);
        fs::write(&path, text).during(path.display())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).during(path.display())
    }
}

/// Debian's kubectl, the same on every machine.
pub(crate) fn kubectl() -> Outcome<PathBuf> {
    Ok(places::kubernetes()?.join("bin/kubectl-1.20"))
}

/// How many requests of an account stand in an audit log.
fn requests(log: &str, account: &str) -> usize {
    let is_meant = |line: &&str| {
        let event: Value = serde_json::from_str(line).unwrap_or_default();
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
        text("/stage") == "RequestReceived" && text("/user/username") == account
    };
    log.lines().filter(is_meant).count()
}

/// Gives a directory to whom commands of containers run as.
pub(crate) fn own(directory: &Path) -> Outcome {
    Call::new("chown")
        .with(["--recursive", "nobody:nogroup"])
        .with([directory])
        .output()
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::requests;

    #[test]
    fn a_request_counts_once_and_for_who_asked() {
        let event = |stage: &str, user: &str| {
            format!("{{\"stage\":\"{stage}\",\"user\":{{\"username\":\"{user}\"}}}}\n")
        };
        let log = [
            event("RequestReceived", "job"),
            event("ResponseComplete", "job"),
            event("RequestReceived", "gateway"),
        ]
        .concat();
        assert_eq!(requests(&log, "job"), 1);
        assert_eq!(requests(&log, "nobody"), 0);
    }
}
