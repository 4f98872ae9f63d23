//! Every way out of a classified column that we know of, tried against a real server.
//!
//! Owns the corpus `leaks.attacks` (a paragraph an attack, a line a message) and two witnesses: a
//! canary in the classified values, that no detector knows, and the server's own answer, of which
//! no value may come through. Each attack is run in the simple protocol and, line by line, in the
//! extended one with text and binary results.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tests::client::{Client, Message, messages};
use tests::cluster::{APP, Cluster};
use tests::world::{Configuration, World};

const PEOPLE: &str = include_str!("people.sql");
const ATTACKS: &str = include_str!("leaks.attacks");

/// Everything of a person but who it is.
const CLASSIFICATION: &str = r#"
  - { tag: pii.email, target: shop, columns: ["*.people.email", "*.parted.email"], mask: partial }
  - { tag: pii.salary, target: shop, columns: ["*.people.salary", "*.people.born"], mask: redact }
  - { tag: pii.other, target: shop, columns: ["*.people.doc", "*.people.raw", "*.people.tags"], mask: redact }
  - { tag: pii.email, detect: email, mask: partial }
"#;

/// May read everything and call what the database's owner has made.
const READER: &str = r#"
  - name: reader
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - { id: read, effect: allow, target: shop, sql: { actions: [select, execute], objects: ["*.public.*"] } }
      - { id: catalogue, effect: allow, target: shop, sql: { actions: [select], objects: ["*"] } }
"#;

/// May do everything that can be read from a statement.
const EVERYTHING: &str = r#"
  - name: everything
    groups: [readers]
    rules:
      - { id: connect, effect: allow, target: shop }
      - id: all
        effect: allow
        target: shop
        sql:
          actions: [select, insert, update, delete, merge, truncate, execute, create, alter, drop, grant, lock, maintain, set, notify]
          objects: ["*"]
"#;

/// A paragraph of the corpus.
struct Attack {
    name: &'static str,
    lines: Vec<&'static str>,
}

fn attacks() -> Vec<Attack> {
    let paragraphs = ATTACKS.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs
        .map(|paragraph| {
            let mut lines = paragraph.lines().filter(|line| !line.is_empty());
            let name = lines.next().and_then(|line| line.strip_prefix("-- # ")).expect(paragraph);
            Attack { name, lines: lines.collect() }
        })
        .collect()
}

#[test]
fn a_reader_learns_nothing_of_a_classified_column() {
    nothing_gets_out(READER);
}

#[test]
fn whoever_may_do_everything_but_run_code_learns_nothing_of_a_classified_column() {
    nothing_gets_out(EVERYTHING);
}

fn nothing_gets_out(roles: &str) {
    let cluster = Cluster::shared();
    let world = World::with(cluster, |usual: Configuration| {
        usual.roles(roles).classification(CLASSIFICATION)
    });
    let (database, twin) = (people(cluster), people(cluster));
    let mut report = String::new();
    for attack in attacks() {
        let secrets = secrets(cluster, &twin, &attack);
        for way in [Way::Simple, Way::Extended(0), Way::Extended(1)] {
            let mut client = world.login(&database).expect("a session");
            let shown = run(&mut client, &attack, way);
            for leak in leaks(&shown, &secrets) {
                writeln!(report, "{} ({way:?}): {leak}", attack.name).expect("a text");
            }
        }
    }
    let written = world.everything_written().to_lowercase();
    for canary in canaries() {
        if let Some(at) = written.find(&canary) {
            let around = written.get(at.saturating_sub(300)..at + 40).unwrap_or_default();
            writeln!(report, "written down: {around}").expect("a text");
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// A database with the people in it.
pub(super) fn people(cluster: &Cluster) -> String {
    let database = cluster.fresh_database();
    let script = format!("SET ROLE app; {PEOPLE}");
    let _ = cluster.as_superuser(&database, &script).success();
    database
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Simple,
    Extended(i16),
}

/// All that the client is sent.
fn run(client: &mut Client, attack: &Attack, way: Way) -> Vec<Message> {
    let mut all = Vec::new();
    for line in &attack.lines {
        let request = match way {
            Way::Simple => messages::query(line),
            Way::Extended(format) => [
                messages::parse("", line, &[]),
                messages::bind("", "", &[], &[format]),
                messages::execute("", 0),
                messages::sync(),
            ]
            .concat(),
        };
        if client.send(&request).is_err() || !answers(client, &mut all) {
            return all;
        }
    }
    // What came late.
    if client.send(&messages::query("ROLLBACK")).is_ok() {
        answers(client, &mut all);
    }
    all
}

/// Whether the session goes on.
fn answers(client: &mut Client, all: &mut Vec<Message>) -> bool {
    while let Ok(message) = client.receive() {
        match message.tag {
            b'Z' => return true,
            b'G' => {
                let _ = client.send(&messages::message(b'f', b"no\0"));
            }
            _ => {}
        }
        all.push(message);
    }
    false
}

/// What the server answers when nobody is in between: none of it may come through, but for what is
/// no secret.
fn secrets(cluster: &Cluster, database: &str, attack: &Attack) -> BTreeSet<Vec<u8>> {
    let address = ([127, 0, 0, 1], cluster.port()).into();
    let mut secrets = BTreeSet::new();
    for way in [Way::Simple, Way::Extended(1)] {
        let mut client = Client::login(address, APP, database).expect("a session");
        let answer = run(&mut client, attack, way);
        secrets.extend(values(&answer));
    }
    // Small numbers are everywhere; in binary they are mostly zeros.
    secrets
        .retain(|value| value.iter().filter(|byte| **byte != 0).count() > 2 && !is_public(value));
    secrets
}

fn values(answer: &[Message]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let rows = answer.iter().filter(|message| message.tag == b'D');
    rows.flat_map(Message::values).flatten()
}

/// Values of the corpus that anybody may see.
fn is_public(value: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(value) else { return false };
    const WORDS: &[&str] =
        &["yo", "hi", "12.50", "7.25", "hidden", "people", "employees", "public"];
    const PLANS: &[&str] = &[
        "Seq Scan",
        "Filter",
        "Output",
        "->",
        "Index",
        "Result",
        "InitPlan",
        "SubPlan",
        "Planning",
        "Execution",
        "Append",
        "Hash",
        "Nested",
        "Join",
        "Sort",
        "Buckets",
        "Heap",
        "Recheck",
        "Rows Removed",
        "[",
        "Query Identifier",
        "One-Time",
    ];
    WORDS.contains(&text) || PLANS.iter().any(|word| text.trim_start().starts_with(word))
}

fn leaks(shown: &[Message], secrets: &BTreeSet<Vec<u8>>) -> Vec<String> {
    let mut leaks = Vec::new();
    let canaries = canaries();
    for message in shown {
        let text = String::from_utf8_lossy(&message.body).to_lowercase();
        if canaries.iter().any(|canary| text.contains(canary)) {
            leaks.push(format!("{message:?}"));
        } else if message.tag == b'D' {
            let known = message.values().into_iter().flatten().find(|one| secrets.contains(one));
            leaks.extend(
                known.map(|one| {
                    format!("value {:?} in {message:?}", one.escape_ascii().to_string())
                }),
            );
        }
    }
    leaks.truncate(2);
    leaks
}

/// The canary as it is, backwards, and in the usual encodings; in lower case.
fn canaries() -> Vec<String> {
    let canary = "Kanarie";
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut all = vec![
        canary.to_lowercase(),
        canary.chars().rev().collect::<String>().to_lowercase(),
        hex(canary),
        hex(&canary.to_lowercase()),
        hex(&canary.to_uppercase()),
    ];
    // In base 64 by where it stands in a group of three bytes; what its neighbours share is cut.
    all.extend(["S2FuYXJp", "thbmFyaW", "LYW5hcml"].map(str::to_lowercase));
    all
}
