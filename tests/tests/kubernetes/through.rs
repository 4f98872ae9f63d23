//! Unchanged clients straight to the API server and through the gateway.
//!
//! Owns the two ways. Must not know what is asked.

use std::process::{Command, Stdio};

use tests::kube::kubectl::KubeStation;
use tests::kube::{ADMIN, KubeCluster};
use tests::programs::{self, Said};
use tests::world::World;

/// A role of the usual workload with these rules, one a line, beside what every client asks first.
pub(super) fn roles(rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("      - {rule}\n")).collect();
    format!(
        "\n  - name: deployer\n    groups: [readers]\n    rules:\n      \
         - {{ id: connect, effect: allow, target: shop }}\n      \
         - {{ id: discover, effect: allow, target: shop, \
         kubernetes: {{ verbs: [get], paths: [\"/**\"] }} }}\n{rules}"
    )
}

/// Secrets are masked, and nothing else.
pub(super) const SECRETS: &str = "\n  - { tag: secret, target: shop, resources: [secrets], \
     fields: [\"data.*\", \"stringData.*\"], mask: redact }\n";

/// A gateway that lets these rules through.
pub(super) fn ruled(rules: &[&str]) -> World {
    World::with(KubeCluster::shared(), |usual| usual.roles(&roles(rules)).classification(SECRETS))
}

/// A gateway that lets everything through as it is.
pub(super) fn open() -> World {
    let copies = "{ id: copies, effect: allow, target: shop, \
         kubernetes: { verbs: [exec], resources: [pods/exec], commands: [\"tar **\"] } }";
    World::with(KubeCluster::shared(), |usual| {
        usual.everything_allowed().rule(copies).classification("")
    })
}

/// A home without a gateway: whoever it is, it may do everything.
pub(super) fn direct() -> KubeStation {
    let cluster = KubeCluster::shared();
    KubeStation::new(cluster, cluster.address(), ADMIN)
}

/// Runs a line of a shell in which `$KUBECTL` is a client.
pub(super) fn shell(station: &KubeStation, line: &str, kubectl: &std::path::Path) -> Said {
    let mut command = station.command("/bin/sh");
    command.args(["-c", line]).env("KUBECTL", kubectl);
    let mut command = quiet(command);
    programs::ended(command.spawn().expect("a shell"))
}

fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What two runs have in common: how long something is there, and numbers that the server makes up,
/// are left out.
pub(super) fn lasting(text: &str) -> String {
    let word = |word: &str| if is_made_up(word) { "~".to_owned() } else { word.to_owned() };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_made_up(word: &str) -> bool {
    let word = word.trim_matches(['"', ',', '\'', '(', ')']);
    let is_digit = |c: char| c.is_ascii_digit();
    let age = word.trim_end_matches(['s', 'm', 'h']);
    let is_age = age.len() < word.len()
        && age.starts_with(is_digit)
        && age.chars().all(|c| is_digit(c) || c == 'm' || c == 'h');
    let is_moment = word.len() == 20 && word.starts_with("20") && word.ends_with('Z');
    let is_number = word.len() > 1 && word.chars().all(is_digit);
    let is_id = word.len() == 36 && word.split('-').count() == 5;
    is_age || is_moment || is_number || is_id || word == "<invalid>"
}
