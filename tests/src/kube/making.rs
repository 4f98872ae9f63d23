//! Making a cluster: its certificates, its processes, what is in it at first.
//!
//! Owns the steps. Must not know who uses it. How the servers are run is a script that others use
//! too: `fixtures/kubernetes/serve.sh`.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::audit::text;
use super::kubectl::NAME;
use super::{ACCOUNTS, KubeCluster};
use crate::certificates::Authority;
use crate::programs;

/// The one node of the cluster.
pub(super) const NODE: &str = "node-1";

const SERVE: &str = include_str!("../../fixtures/kubernetes/serve.sh");
const AUDIT: &str = include_str!("../../fixtures/kubernetes/audit.yaml");
const SEED: &str = include_str!("../../fixtures/kubernetes/seed.jsonl");

/// Runs the servers on a first line; ends them and removes their files once standard input has
/// ended, which it does with the test process.
const KEEPER: &str = r#"
directory=$1
if read -r _; then
    unshare --pid --fork --kill-child --mount-proc -- sh -e "$directory/serve.sh" "$@" &
    servers=$!
    read -r _
    kill -KILL $servers
    wait $servers
fi
rm -rf -- "$directory"
"#;

/// Nobody of this machine: commands of containers run as this user.
const NOBODY: u32 = 65_534;

/// Starts a cluster and fills it.
pub(super) fn start() -> KubeCluster {
    let programs = programs::kubernetes();
    let directory =
        std::env::temp_dir().join(format!("portcullis-test-{}-kube", std::process::id()));
    fs::create_dir_all(directory.join("node")).expect("a temporary directory");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("its mode");
    let ports: Vec<u16> = free_ports(4);
    let mut keeper = launch(&directory, &programs, &ports);
    let authority = write_files(&directory);
    let lifeline = keeper.stdin.as_mut().expect("a pipe to the keeper");
    lifeline.write_all(b"serve\n").expect("a keeper that reads");
    let port = *ports.first().expect("a port");
    let cluster = KubeCluster { directory, port, authority, _keeper: keeper };
    wait_until_ready(&cluster);
    fill(&cluster, *ports.last().expect("the node's port"));
    cluster
}

fn launch(directory: &Path, programs: &Path, ports: &[u16]) -> std::process::Child {
    let log = File::create(directory.join("keeper.log")).expect("the keeper's log");
    let again = log.try_clone().expect("the keeper's log");
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(directory).arg(programs).arg("127.0.0.1");
    keeper.args(ports.iter().map(u16::to_string));
    keeper.current_dir("/").stdin(Stdio::piped()).stdout(log).stderr(again);
    // Of its own group: an interrupt at the terminal ends the tests, and then the keeper cleans up.
    keeper.process_group(0);
    keeper.spawn().expect("a keeper of the servers")
}

/// Certificates, tokens, and what the servers are told.
fn write_files(directory: &Path) -> Authority {
    let authority = Authority::new("authority of the cluster");
    authority.write(directory);
    let names = ["127.0.0.1", "localhost", NAME, "kubernetes.default"];
    let _ = authority.issue(&names).write(directory, "server");
    let _ = authority.issue(&["127.0.0.1"]).write(directory, "node");
    let _ = authority.issue_client("kube-apiserver").write(directory, "api");
    let mut tokens = String::new();
    for (number, account) in ACCOUNTS.iter().enumerate() {
        tokens.push_str(&format!(
            "{},{},{number},\"{}\"\n",
            account.token, account.name, account.groups
        ));
    }
    for (name, text) in
        [("tokens.csv", tokens.as_str()), ("audit.yaml", AUDIT), ("serve.sh", SERVE)]
    {
        let path = directory.join(name);
        fs::write(&path, text).expect("a file of the servers");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    authority
}

fn wait_until_ready(cluster: &KubeCluster) {
    let began = Instant::now();
    let is_up = || {
        std::net::TcpStream::connect(("127.0.0.1", cluster.port)).is_ok()
            && cluster.try_ask("GET", "/readyz", None).is_some_and(|said| said.status == 200)
    };
    while !is_up() {
        assert!(began.elapsed() < Duration::from_secs(90), "no cluster: {}", cluster.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The node, and what `seed.jsonl` says; each pod gets a directory for each of its containers.
fn fill(cluster: &KubeCluster, node_port: u16) {
    for line in SEED.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of the seed");
        let object = line.get("object").expect("an object");
        let uri = text(&line, "/post");
        post(cluster, &uri, object);
        if text(object, "/kind") == "Pod" {
            run(cluster, &uri, object);
        }
    }
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": node_port}},
        "conditions": [{"type": "Ready", "status": "True"}],
    }});
    patch(cluster, &format!("/api/v1/nodes/{NODE}/status"), &status);
}

/// Posts an object; a kind that was defined just now is served a little later.
fn post(cluster: &KubeCluster, uri: &str, object: &Value) {
    let began = Instant::now();
    loop {
        let answered = cluster.try_ask("POST", uri, Some(object));
        match answered.as_ref().map(|answered| answered.status) {
            Some(201) => return,
            // A server that is about to serve a new kind cuts connections short.
            None | Some(404) if began.elapsed() < Duration::from_secs(20) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            _ => panic!("{uri}: {answered:?}"),
        }
    }
}

fn patch(cluster: &KubeCluster, uri: &str, change: &Value) {
    let answered = cluster.ask("PATCH", uri, Some(change));
    assert_eq!(answered.status, 200, "{uri}: {}", answered.text());
}

/// Says that a pod runs, and gives its containers what they run in.
fn run(cluster: &KubeCluster, uri: &str, pod: &Value) {
    let name = text(pod, "/metadata/name");
    let namespace = uri.split('/').nth(4).expect("a namespace");
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    let containers = containers.expect("containers");
    let names: Vec<String> = containers.iter().map(|one| text(one, "/name")).collect();
    let statuses: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({"name": name, "image": "test", "imageID": "", "ready": true, "restartCount": 0,
                   "containerID": format!("test://{name}"),
                   "state": {"running": {"startedAt": "2020-01-01T00:00:00Z"}}})
        })
        .collect();
    let status = json!({"status": {"phase": "Running", "podIP": "10.0.0.7",
        "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": statuses}});
    patch(cluster, &format!("{uri}/{name}/status"), &status);
    for container in names {
        fill_container(&cluster.container(namespace, &name, &container));
    }
}

/// A log, a file to copy, an owner.
fn fill_container(place: &Path) {
    fs::create_dir_all(place).expect("a container");
    let log = "one\ntwo\nthree customer1@mail.example\n";
    for (name, text) in [("log", log), ("ended", ""), ("app.conf", "colour=green\n")] {
        fs::write(place.join(name), text).expect("a file of a container");
    }
    chown(place, Some(NOBODY), Some(NOBODY)).expect("an owner");
}

/// Ports that nobody listens on. Another process may take one before a server does; then the
/// cluster does not start and the test says so.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    listeners.iter().map(|one| one.local_addr().expect("its address").port()).collect()
}

/// The directory of the programs that setup has built.
pub(super) fn program(name: &str) -> PathBuf {
    programs::kubernetes().join(name)
}
