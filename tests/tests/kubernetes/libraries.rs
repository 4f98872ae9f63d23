//! Libraries: the client of Python's and kube-rs, unchanged, with and without the gateway.
//!
//! Owns the programs that use them.

use tests::kube::KubeCluster;
use tests::kube::kubectl::KubeStation;
use tests::programs::{self, Said};

use super::through::{direct, lasting, open, ruled};

pub(super) const PYTHON: &str = include_str!("libraries/everything.py");

const READER: &str = "{ id: read, effect: allow, target: shop, \
     kubernetes: { verbs: [get, list, watch], resources: [\"*\"], namespaces: [shop] } }";
const SAY: &str = "{ id: say, effect: allow, target: shop, \
     kubernetes: { verbs: [exec], resources: [pods/exec], commands: [\"echo **\"] } }";

/// One run of kube-rs for each.
const JOBS: &[&[&str]] = &[
    &["list"],
    &["secret", "database"],
    &["secrets"],
    &["watch", "database"],
    &["apply", "kube-rs", "blue"],
    &["logs", "web-1", "app"],
    // A server of this age is not told that an input has ended.
    &["exec", "web-1", "head", "-n", "1"],
    &["exec", "web-1", "sh", "-c", "head -n 1; echo err >&2; exit 5"],
    &["secret", "nobody"],
];

fn python(station: &KubeStation) -> Said {
    programs::run(&mut station.python(PYTHON))
}

fn rust(station: &KubeStation, job: &[&str]) -> Said {
    let program = programs::kubernetes().join("kube-rs-client");
    programs::run(station.command(program).args(job))
}

#[test]
fn the_client_of_python_says_the_same_as_without_a_gateway() {
    let world = open();
    let expected = python(&direct()).success();
    let said = python(&world.kube_station(KubeCluster::shared())).success();
    assert_eq!(lasting(&said), lasting(&expected));
}

#[test]
fn kube_rs_says_the_same_as_without_a_gateway() {
    let (world, direct) = (open(), direct());
    let through = world.kube_station(KubeCluster::shared());
    for job in JOBS {
        let (expected, said) = (rust(&direct, job), rust(&through, job));
        assert_eq!(said.status, expected.status, "{job:?}: {said:?} {expected:?}");
        assert_eq!(lasting(&said.output), lasting(&expected.output), "{job:?}");
        assert_eq!(lasting(&said.error), lasting(&expected.error), "{job:?}");
    }
}

#[test]
fn ports_are_forwarded_for_kube_rs() {
    let world = open();
    for station in [direct(), world.kube_station(KubeCluster::shared())] {
        let service = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = service.local_addr().expect("its address").port().to_string();
        let served = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = service.accept().expect("a connection");
            let mut asked = [0; 5];
            stream.read_exact(&mut asked).expect("what is asked");
            stream.write_all(b"pong!").expect("an answer");
        });
        assert_eq!(rust(&station, &["port", "web-1", &port]).success(), "pong!\n");
        served.join().expect("a service");
    }
}

#[test]
fn libraries_are_refused_and_shown_masks_like_everybody() {
    let world = ruled(&[READER, SAY]);
    let station = world.kube_station(KubeCluster::shared());
    for job in [&["secret", "database"][..], &["secrets"], &["watch", "database"]] {
        let said = rust(&station, job);
        assert!(!said.everything().contains("canary"), "{job:?}: {said:?}");
        assert!(!said.everything().contains("Y2FuYXJ"), "{job:?}: {said:?}");
        // What it is shown instead can be decoded: its types are those of the API.
        assert!(said.clone().success().contains("\"password\":\"Kioq\""), "{job:?}: {said:?}");
    }
    assert_eq!(rust(&station, &["exec", "web-1", "echo", "hello"]).output, "hello\nSuccess\n");
    for job in [&["delete", "web-1"][..], &["exec", "web-1", "rm", "log"], &["apply", "x", "y"]] {
        let said = rust(&station, job);
        assert_ne!(said.status, Some(0), "{job:?}: {said:?}");
    }
    let said = rust(&station, &["delete", "web-1"]);
    assert!(said.error.contains("portcullis"), "{said:?}");
}
