//! The requests of `requests.txt`, sent as they stand there.

use std::time::Duration;

use tests::kube::client::{authorization, send};
use tests::kube::{JOB, KubeCluster};

use super::{Request, Table, row};

const REQUESTS: &str = include_str!("../../../fixtures/kubernetes/requests.txt");

/// What the server says of them. Each goes over a connection of its own, because some of them end
/// it, and has a number by which it is found again.
pub(super) fn table(cluster: &KubeCluster) -> Table {
    let requests: Vec<Request> = requests().collect();
    for (number, (method, uri)) in requests.iter().enumerate() {
        let mut client = cluster.connect();
        let fields = [
            authorization(JOB.token),
            format!("Audit-ID: request-{number}"),
            "Connection: close".to_owned(),
        ];
        client.stream().sock.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        send(&mut client, method, uri, &fields, None);
        let answered = client.head();
        assert!(answered.is_some(), "no answer to {method} {uri}");
    }
    let events = cluster.events();
    let said = |(number, request): (usize, Request)| {
        let id = format!("request-{number}");
        let event = events.iter().find(|event| event.id == id);
        let row = event.map(|event| row(&request, event));
        (request, row)
    };
    requests.into_iter().enumerate().map(said).collect()
}

fn requests() -> impl Iterator<Item = Request> {
    let lines = REQUESTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let (method, uri) = line.split_once(' ').expect("a method and a target");
        (method.to_owned(), uri.to_owned())
    })
}
