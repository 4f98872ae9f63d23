//! The cluster itself: what other tests stand on has to hold.

use std::io::BufRead;

use tests::kube::KubeCluster;
use tests::kube::kubectl::{KubeStation, Kubectl};
use tests::kube::{ADMIN, JOB};

fn station() -> KubeStation {
    let cluster = KubeCluster::shared();
    KubeStation::new(cluster, cluster.address(), ADMIN)
}

#[test]
fn tokens_say_who_somebody_is_and_roles_what_they_may() {
    let cluster = KubeCluster::shared();
    let said = station().kubectl(Kubectl::Old, &["get", "pods", "-o", "name"]).success();
    assert_eq!(said, "pod/web-1\npod/worker-1\n");
    let job = KubeStation::new(cluster, cluster.address(), JOB);
    let said = job.kubectl(Kubectl::Old, &["get", "pods"]);
    assert!(said.error.contains("User \"job\" cannot list resource \"pods\""), "{said:?}");
}

#[test]
fn commands_of_containers_run_as_nobody_in_a_place_of_their_own() {
    let line = ["exec", "worker-1", "--", "sh", "-c", "id -u; pwd; ls; cat app.conf"];
    let said = station().kubectl(Kubectl::Old, &line).success();
    let place = KubeCluster::shared().container("shop", "worker-1", "app");
    let expected = format!("65534\n{}\napp.conf\nended\nlog\ncolour=green\n", place.display());
    assert_eq!(said, expected);
}

#[test]
fn a_terminal_is_one() {
    let station = station();
    let mut command = station.command("script");
    let kubectl = Kubectl::Old.path();
    let line = format!("{} exec -it worker-1 -- sh -c 'tty; stty size'", kubectl.display());
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let said = tests::programs::run(&mut command);
    assert!(said.output.contains("/dev/pts/"), "{said:?}");
}

#[test]
fn nobody_but_the_api_server_is_let_in_by_the_node() {
    let cluster = KubeCluster::shared();
    let node = cluster.ask("GET", "/api/v1/nodes/node-1", None).json();
    let port = node.pointer("/status/daemonEndpoints/kubeletEndpoint/Port");
    let port = port.and_then(serde_json::Value::as_u64).expect("the node's port");
    let mut command = std::process::Command::new("curl");
    command.args(["--silent", "--show-error", "--cacert"]).arg(cluster.authority_file());
    let said = tests::programs::run(command.arg(format!("https://127.0.0.1:{port}/healthz")));
    assert_ne!(said.status, Some(0), "{said:?}");
}

#[test]
fn the_cluster_ends_with_the_process_that_started_it() {
    // This test runs its own binary again, kills it in mid-flight, and looks for the cluster.
    const INNER: &str = "PORTCULLIS_CLUSTER_INNER";
    if std::env::var_os(INNER).is_some() {
        println!("directory={}", KubeCluster::shared().directory().display());
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "--nocapture"])
        .arg("cluster::the_cluster_ends_with_the_process_that_started_it")
        .env(INNER, "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("this binary");
    let output = std::io::BufReader::new(child.stdout.take().expect("its output"));
    let mut lines = output.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("directory=")).expect("a line");
    let directory = line.split_once("directory=").expect("a directory").1.to_owned();
    let directory = std::path::PathBuf::from(directory);
    assert!(directory.join("audit.jsonl").exists());
    child.kill().expect("it lives");
    let _ = child.wait().expect("it ends");
    tests::assert_eventually!(!directory.exists(), "{} is left over", directory.display());
    let place = directory.display().to_string();
    let lives = || {
        let said = std::process::Command::new("ps").args(["-eo", "args"]).output();
        String::from_utf8_lossy(&said.expect("ps").stdout).contains(&place)
    };
    tests::assert_eventually!(!lives(), "a server of {place} lives on");
}
