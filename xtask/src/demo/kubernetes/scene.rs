//! What the demo of Kubernetes plays in: a cluster in a network namespace of its own, a job's home.
//!
//! Owns making them, running the job and asking the cluster. Must not know the plot.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::call::Call;
use crate::console;
use crate::demo::daemon::{Daemon, write};
use crate::demo::plot::{self, Unit};
use crate::demo::running::{Running, Said};
use crate::fault::{During, Outcome};
use crate::stage::kubernetes::{Account, Kubernetes, NODE_PORT, kubectl, own};
use crate::stage::postgres::Listen;
use crate::stage::{Stage, network};

const CONFIGURATION: &str = include_str!("../../../demo/kubernetes.yaml");
const SCRIPT: &str = include_str!("../../../demo/release.sh");
const SHOP: &str = include_str!("../../../demo/shop.yaml");

/// What the job knows, and has known for years.
const JOB: Account<'_> =
    Account { name: "job", token: "static-token-from-2017", groups: "system:masters" };
/// What only the gateway knows.
const GATEWAY: Account<'_> =
    Account { name: "gateway", token: "token-of-the-gateway-8e2f", groups: "system:masters" };

/// The namespace of the governed job, and a copy of it for the control run, which really deletes.
const GOVERNED: &str = "shop";
const COPY: &str = "shop-copy";

const PASSWORD: &str = "hunter2-of-the-database";
/// The same as the API writes it.
const PASSWORD_BASE64: &str = "aHVudGVyMi1vZi10aGUtZGF0YWJhc2U=";

const LOG: &str = "\
2026-11-21T20:00:01Z info release 1 began
2026-11-21T20:00:04Z info done
";

/// What the job must not see: what is masked, and what it would log in with.
const SENSITIVE_VALUES: &[&str] = &[PASSWORD, PASSWORD_BASE64, GATEWAY.token];

/// Everything that is staged.
#[derive(Debug)]
pub(in crate::demo) struct Scene {
    cluster: Kubernetes,
    daemon: Daemon,
}

impl Scene {
    /// Stages the cluster and the job. The gateway starts later.
    pub(in crate::demo) fn set_up() -> Outcome<Self> {
        console::step("Staging", "a cluster in a network namespace of its own");
        let stage = Stage::set_up("portcullis-demo-kube")?;
        network::make(stage.name())?;
        let listen = Listen { address: network::SERVER, port: 6_443, in_namespace: true };
        let cluster = Kubernetes::start(&stage, listen, &[JOB, GATEWAY])?;
        fill(&cluster)?;
        for name in ["authority.pem", "gateway.crt", "gateway.key"] {
            let file = cluster.file(name);
            let text = fs::read_to_string(&file).during(file.display())?;
            write(&stage.directory().join(name), &text, 0o600)?;
        }
        write(&stage.directory().join("token"), GATEWAY.token, 0o600)?;
        let daemon = Daemon::new(stage, CONFIGURATION)?;
        let scene = Self { cluster, daemon };
        for (unit, namespace) in [(Unit::Unbound, COPY), (Unit::Governed, GOVERNED)] {
            scene.write_job(unit, namespace)?;
        }
        Ok(scene)
    }

    fn job_directory(&self, unit: Unit) -> PathBuf {
        self.daemon.stage.directory().join(format!("job-{unit:?}").to_lowercase())
    }

    /// What a user, years ago, has set up: a script, a manifest, and a kubeconfig that trusts the
    /// cluster's authority and names its API server.
    fn write_job(&self, unit: Unit, namespace: &str) -> Outcome {
        let place = self.job_directory(unit);
        fs::create_dir_all(place.join(".kube")).during(place.display())?;
        let deployment = SHOP.split("---\n").find(|part| part.contains("name: web,"));
        let deployment = deployment.during("no deployment of the web")?;
        let release = deployment.replace("@NAMESPACE@", namespace).replace("web:1", "web:2");
        let authority = self.cluster.file("authority.pem");
        let authority = Call::new("base64").with(["--wrap=0"]).with([authority]).output()?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "shop",
            "clusters": [{"name": "shop", "cluster": {
                "server": format!("https://{}:6443", network::SERVER),
                "certificate-authority-data": authority.trim()}}],
            "users": [{"name": JOB.name, "user": {"token": JOB.token}}],
            "contexts": [{"name": "shop", "context": {
                "cluster": "shop", "user": JOB.name, "namespace": namespace}}],
        });
        for (name, text, mode) in [
            ("release.sh", SCRIPT, 0o755),
            ("release.yaml", &release, 0o644),
            (".kube/config", &config.to_string(), 0o600),
        ] {
            write(&place.join(name), text, mode)?;
        }
        let program = place.join("kubectl");
        std::os::unix::fs::symlink(self.readable_kubectl()?, &program).during(program.display())?;
        own(&place)
    }

    /// A copy of kubectl that the job's user can read: the cache may be in somebody's home.
    fn readable_kubectl(&self) -> Outcome<PathBuf> {
        let copy = self.daemon.stage.directory().join("kubectl");
        if !copy.exists() {
            fs::copy(kubectl()?, &copy).during(copy.display())?;
        }
        Ok(copy)
    }

    fn spawn(&self, unit: Unit, line: &[&str]) -> Outcome<Running> {
        let home = self.job_directory(unit);
        let name = match unit {
            Unit::Unbound => "unbound.service",
            Unit::Governed => "deploy.service",
        };
        let mut command = self.daemon.stage.command(name, "setpriv")?;
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).args(line);
        command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", home.display()));
        command.env("HOME", &home).env("LC_ALL", "C.UTF-8").current_dir("/");
        Running::start(command, self.daemon.job_output())
    }

    fn ask(&self, arguments: &[&str]) -> Outcome<String> {
        let line: Vec<&str> = ["--namespace", GOVERNED].iter().chain(arguments).copied().collect();
        self.cluster.kubectl(&line)
    }
}

impl plot::Scene for Scene {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn job(&self, unit: Unit) -> Outcome<Running> {
        let script = self.job_directory(unit).join("release.sh");
        self.spawn(unit, &["sh", &script.to_string_lossy()])
    }

    fn glance(&self) -> Outcome<Said> {
        self.spawn(Unit::Governed, &["kubectl", "get", "pods"])?.ended()
    }

    fn sensitive_values(&self) -> Outcome<Vec<String>> {
        Ok(SENSITIVE_VALUES.iter().map(|value| (*value).to_owned()).collect())
    }

    fn connections(&self) -> Outcome<usize> {
        Ok(self.direct_connections()? + self.cluster.requests_of(GATEWAY.name)?)
    }

    /// The server tells requests, not connections.
    fn direct_connections(&self) -> Outcome<usize> {
        self.cluster.requests_of(JOB.name)
    }

    /// The deployment of the shop is the one that the job brought.
    fn approved_done(&self) -> Outcome<bool> {
        let path = "jsonpath={.spec.template.spec.containers[0].image}";
        let image = self.ask(&["get", "deployment", "web", "-o", path])?;
        Ok(image.ends_with("web:2"))
    }

    /// The application is still there that the job would remove.
    fn denied_undone(&self) -> Outcome<bool> {
        Ok(self.ask(&["get", "deployments", "-o", "name"])?.contains("deployment.apps/old"))
    }
}

/// A node, and the shop twice.
fn fill(cluster: &Kubernetes) -> Outcome {
    cluster.apply("apiVersion: v1\nkind: Node\nmetadata: { name: node-1 }\n")?;
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": NODE_PORT}}}});
    cluster.set_status("/api/v1/nodes/node-1/status", &node)?;
    for namespace in [GOVERNED, COPY] {
        cluster.apply(&SHOP.replace("@NAMESPACE@", namespace).replace("@PASSWORD@", PASSWORD))?;
        let running = json!({"name": "app", "image": "registry.example/web:1", "imageID": "",
            "ready": true, "restartCount": 0,
            "state": {"running": {"startedAt": "2026-11-21T20:00:00Z"}}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": namespace},
            "status": {"phase": "Running", "containerStatuses": [running],
                       "conditions": [{"type": "Ready", "status": "True"}]}});
        cluster.set_status(&format!("/api/v1/namespaces/{namespace}/pods/web-1/status"), &pod)?;
        let container = cluster.container(namespace, "web-1", "app");
        fs::create_dir_all(&container).during(container.display())?;
        for (name, text) in [("log", LOG), ("release", "release 1\n")] {
            write(&container.join(name), text, 0o644)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sensitive_value_but_the_token_is_shown_by_the_cluster() {
        let shown = [PASSWORD_BASE64, PASSWORD].concat();
        for value in SENSITIVE_VALUES {
            assert!(shown.contains(value) || *value == GATEWAY.token, "{value}");
        }
    }
}
