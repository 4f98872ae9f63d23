//! What only SSH can get wrong, with a real OpenSSH server and the clients that jobs use.
//!
//! Owns the list of modules, and the worlds they share.

mod banners;
mod clients;
mod closes;
mod commands;
mod files;
mod forwards;
mod masks;
mod robust;
mod trust;
mod tunnels;

use tests::sshd::SshServer;
use tests::world::{Configuration, World};

/// The usual configuration with one role of these rules, each a line of YAML, and the way in.
fn role(usual: Configuration, rules: &[&str]) -> Configuration {
    let start = "\n  - name: deployer\n    groups: [readers]\n    rules:\n      \
                 - { id: connect, effect: allow, target: shop }\n";
    rules.iter().fold(usual.roles(start), |usual, rule| usual.rule(rule))
}

/// A world with one role of these rules.
fn world(rules: &[&str]) -> World {
    World::with(SshServer::shared(), |usual| role(usual, rules))
}

/// A rule that allows exec of these commands, as a list of YAML.
fn allow(commands: &str) -> String {
    format!(
        "{{ id: run, effect: allow, target: shop, ssh: {{ actions: [exec], commands: [{commands}] }} }}"
    )
}
