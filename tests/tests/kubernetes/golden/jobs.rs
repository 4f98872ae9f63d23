//! What a real `kubectl` asks for, by its own account and by the server's.

use std::collections::HashMap;

use tests::kube::kubectl::{KubeStation, Kubectl};
use tests::kube::{ADMIN, KubeCluster};

use super::{Request, Table, row};

/// Commands of a deploy job, in order. Each is run by a shell in a home with these files.
const JOB: &str = include_str!("jobs/job.sh");

/// Runs the job and pairs what kubectl says it sent with what the server says it got.
pub(super) fn table(cluster: &KubeCluster, which: Kubectl) -> Table {
    let station = KubeStation::new(cluster, cluster.address(), ADMIN);
    let before = cluster.events().len();
    let mut command = station.command("/bin/sh");
    command.args(["-exc", JOB]).env("KUBECTL", which.path());
    let said = tests::programs::run(&mut command);
    let lines = said.error.lines().filter(|line| line.contains("rror") || line.starts_with("+ "));
    let last: Vec<&str> = lines.collect();
    let last = last.get(last.len().saturating_sub(5)..).unwrap_or_default();
    assert_eq!(said.status, Some(0), "{which:?}: {last:#?}");
    // Events of an object are asked for by its number, and by fields in no certain order.
    let sent = said.error.lines().filter_map(request);
    let sent: Vec<Request> = sent.filter(|(_, uri)| !uri.contains("involvedObject")).collect();
    assert!(sent.len() > 50, "kubectl told of {} requests: {}", sent.len(), said.error);
    let events: Vec<_> = cluster.events().split_off(before);
    let mut received: HashMap<&str, std::collections::VecDeque<_>> = HashMap::new();
    for event in events.iter().filter(|event| event.user == ADMIN.name) {
        received.entry(&event.uri).or_default().push_back(event);
    }
    let mut table = Table::new();
    for (method, uri) in sent {
        let event = received.get_mut(uri.as_str()).and_then(std::collections::VecDeque::pop_front);
        let event = event.expect("what has been answered has reached the server");
        let request = (method, steady(&uri));
        let row = row(&request, event);
        table.insert(request, Some(row));
    }
    table
}

/// `GET https://127.0.0.1:1/api 200 OK in 3 milliseconds`, or `verb="GET" url="https://.."`.
fn request(line: &str) -> Option<Request> {
    let (before, after) = line.split_once("https://")?;
    if !line.contains("milliseconds") {
        return None;
    }
    let method = before.trim_end_matches("url=\"").trim();
    let method = method.rsplit([' ', '"']).find(|word| !word.is_empty())?;
    let target = after.split([' ', '"']).next()?;
    let (_, path) = target.split_once('/')?;
    Some((method.to_owned(), format!("/{path}")))
}

/// The same whenever it is run: numbers that the client or the server makes up are always 7.
fn steady(uri: &str) -> String {
    let mut steady = uri.to_owned();
    for name in ["resourceVersion=", "timeoutSeconds="] {
        let Some(at) = steady.find(name) else { continue };
        let (head, rest) = steady.split_at(at + name.len());
        let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if tail.len() < rest.len() && !rest.starts_with('0') {
            steady = format!("{head}7{tail}");
        }
    }
    steady
}
