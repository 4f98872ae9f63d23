//! Honest statements must not be hurt: what they answer is what the server answers, byte for byte.
//!
//! Owns the corpus `honest.sql`, a line a statement: reports, tools, what frameworks ask the
//! catalogue. Classified columns are not shown by any of them.

use std::fmt::Write as _;
use std::process::Command;

use tests::client::{Client, Message};
use tests::cluster::{APP, Cluster};
use tests::programs;
use tests::world::World;

const STATEMENTS: &str = include_str!("honest.sql");

/// What `psql` asks the catalogue for.
const COMMANDS: &[&str] = &[
    r"\d",
    r"\d users",
    r"\d+ users",
    r"\d orders",
    r"\dt",
    r"\dt+",
    r"\dv",
    r"\dv+",
    r"\d+ customers",
    r"\di",
    r"\di+",
    r"\ds",
    r"\dm",
    r"\dn",
    r"\dn+",
    r"\df",
    r"\df+ order_count",
    r"\sf order_count",
    r"\sv order_totals",
    r"\dT",
    r"\dT+",
    r"\du",
    r"\dg+",
    r"\dp",
    r"\z orders",
    r"\ddp",
    r"\dx",
    r"\dx+",
    r"\dy",
    r"\dO",
    r"\dc",
    r"\dC",
    r"\dD",
    r"\dE",
    r"\des",
    r"\dew",
    r"\det",
    r"\deu",
    r"\dF",
    r"\dFd",
    r"\dFp",
    r"\dFt",
    r"\dL",
    r"\dRp",
    r"\dRs",
    r"\dX",
    r"\da",
    r"\dAc btree",
    r"\dAf",
    r"\dAo",
    r"\dAp",
    r"\db",
    r"\dd",
    r"\dl",
    r"\do +",
    r"\dP",
    r"\drds",
    r"\dconfig work_mem",
    r"\encoding",
    r"\dS pg_class",
    r"\dtS",
];

#[test]
fn statements_answer_what_the_server_answers() {
    let cluster = Cluster::shared();
    let world = World::new();
    let (database, twin) = (cluster.fresh_database(), cluster.fresh_database());
    let mut ours = world.login(&database).expect("a session");
    let address = ([127, 0, 0, 1], cluster.port()).into();
    let mut theirs = Client::login(address, APP, &twin).expect("a session");
    let mut report = String::new();
    for line in STATEMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        let (got, want) = (shown(&ours.query(line), &database), shown(&theirs.query(line), &twin));
        compare(&mut report, "simple", line, &got, &want);
    }
    for line in STATEMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        for format in [0, 1] {
            let got = shown(&ours.extended(line, format), &database);
            let want = shown(&theirs.extended(line, format), &twin);
            compare(&mut report, "extended", line, &got, &want);
        }
    }
    assert!(report.is_empty(), "{report}");
}

fn compare(report: &mut String, how: &str, line: &str, got: &[String], want: &[String]) {
    let differs = got.iter().zip(want).find(|(got, want)| got != want);
    if let Some((got, want)) = differs {
        writeln!(report, "{how}: {line}\n   got {got}\n  want {want}").expect("a text");
    } else if got.len() != want.len() {
        writeln!(report, "{how}: {line}\n   got {got:?}\n  want {want:?}").expect("a text");
    }
}

/// What came back, but for settings that are reported and what only one server process knows.
fn shown(answer: &[Message], database: &str) -> Vec<String> {
    let told = answer.iter().filter(|message| message.tag != b'S');
    told.map(|message| match message.tag {
        b'E' | b'N' => {
            let fields = message.fields();
            format!("{} {}", fields.code(), fields.get(b'M'))
        }
        _ => format!("{message:?}").replace(database, "DATABASE"),
    })
    .collect()
}

#[test]
fn psql_describes_what_there_is() {
    let cluster = Cluster::shared();
    let world = World::new();
    let database = cluster.fresh_database();
    let direct = cluster.direct(APP, &database);
    let mut report = String::new();
    for command in COMMANDS {
        let got = world.psql(&database, &["--command", command]).everything();
        let want = programs::psql(&direct, &["--command", command]).everything();
        if got != want {
            writeln!(report, "{command}\n--- got\n{got}\n--- want\n{want}").expect("a text");
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn a_schema_is_dumped_as_it_is() {
    let cluster = Cluster::shared();
    // A dump empties the search path for itself; that needs a rule.
    let rule = "{ id: dump, effect: allow, target: shop, sql: { actions: [set], objects: [search_path, row_security] } }";
    let world = World::with(cluster, |usual| usual.rule(rule));
    let database = cluster.fresh_database();
    let dump = |connection: &str| {
        let mut command = Command::new("/usr/lib/postgresql/15/bin/pg_dump");
        command.args(["--schema-only", "--dbname", connection]);
        // Each dump has a word of its own that it fences meta-commands with.
        let dump = programs::run(&mut command).success();
        dump.lines().filter(|line| !line.contains("restrict ")).collect::<Vec<_>>().join("\n")
    };
    let got = dump(&world.connection_string(&database));
    assert_eq!(got, dump(&cluster.direct(APP, &database)));
    assert!(got.contains("CREATE VIEW public.customers"), "{got}");
}
