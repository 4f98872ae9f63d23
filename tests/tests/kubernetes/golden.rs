//! What a request means, as the API server itself says: the table that our own reading is held to.
//!
//! The requests are those of `requests.txt`, and those that a real `kubectl` makes; the attributes
//! are the server's audit log's. `golden.jsonl` is made again with `PORTCULLIS_BLESS=1`; what is
//! recorded there has to be what the server says today.

mod asked;
mod jobs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::kube::KubeCluster;
use tests::kube::audit::Event;
use tests::kube::kubectl::Kubectl;

/// Method and target.
type Request = (String, String);

/// What the server said of each request; nothing where it took it for no request at all.
type Table = BTreeMap<Request, Option<Value>>;

#[test]
fn the_attributes_of_requests_are_those_that_are_recorded() {
    let cluster = KubeCluster::shared();
    let mut table = asked::table(cluster);
    table.extend(jobs::table(cluster, Kubectl::Old));
    let mut whole = table.clone();
    if Kubectl::all().contains(&Kubectl::Current) {
        whole.extend(jobs::table(cluster, Kubectl::Current));
    }
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        write(&whole);
    }
    let recorded = recorded();
    for (request, said) in &table {
        let known = recorded.get(request);
        assert_eq!(known, Some(said), "{request:?} is not recorded so: PORTCULLIS_BLESS=1?");
    }
    // The current kubectl of another machine may ask for more.
    for (request, said) in &whole {
        if let Some(known) = recorded.get(request) {
            assert_eq!(known, said, "{request:?}");
        }
    }
}

/// An event as a row of the table.
fn row((method, uri): &Request, event: &Event) -> Value {
    let object = event.object.as_ref();
    let text = |get: fn(&tests::kube::audit::Reference) -> &String| {
        object.map(get).cloned().unwrap_or_default()
    };
    json!({
        "method": method, "uri": uri, "verb": event.verb,
        "is_resource": object.is_some(),
        "group": text(|object| &object.group),
        "version": text(|object| &object.version),
        "resource": text(|object| &object.resource),
        "subresource": text(|object| &object.subresource),
        "namespace": text(|object| &object.namespace),
        "name": text(|object| &object.name),
        "path": if object.is_some() { String::new() } else { path(&event.uri) },
    })
}

/// The path of a request that is about no resource, decoded, as rules about such paths see it.
fn path(uri: &str) -> String {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    let mut decoded = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let digits = if byte == b'%' { bytes.by_ref().take(2).collect() } else { Vec::new() };
        let digits = String::from_utf8(digits).expect("digits");
        decoded.push(u8::from_str_radix(&digits, 16).unwrap_or(byte));
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Beside what reads them.
fn files() -> (PathBuf, PathBuf) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/crates/wire/src/kubernetes");
    (place.join("golden.jsonl"), place.join("golden-refused.jsonl"))
}

fn write(table: &Table) {
    let (rows, refused) = files();
    fs::create_dir_all(rows.parent().expect("a directory")).expect("a directory");
    let known = table.values().flatten().map(|row| format!("{row}\n")).collect::<String>();
    fs::write(rows, known).expect("the table");
    let unknown = table.iter().filter(|(_, said)| said.is_none()).map(|(request, _)| request);
    let line = |(method, uri): &Request| format!("{}\n", json!({"method": method, "uri": uri}));
    fs::write(refused, unknown.map(line).collect::<String>()).expect("the table");
}

fn recorded() -> Table {
    let (rows, refused) = files();
    let read = |path: &Path| fs::read_to_string(path).expect("the table");
    let mut table = Table::new();
    for (text, is_known) in [(read(&rows), true), (read(&refused), false)] {
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).expect("a row");
            let text = |name| row.get(name).and_then(Value::as_str).expect("a text").to_owned();
            table.insert((text("method"), text("uri")), is_known.then_some(row.clone()));
        }
    }
    table
}
