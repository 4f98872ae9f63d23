//! A real cluster to look at, until standard input ends: `cargo run --package tests --example kube`.
//! Wants what `cargo xtask setup --kubernetes` builds.
//!
//! Owns saying how it is reached.

#![expect(clippy::print_stdout, reason = "a program for people")]

use tests::kube::kubectl::KubeStation;
use tests::kube::{ADMIN, KubeCluster};

fn main() {
    let cluster = KubeCluster::shared();
    let station = KubeStation::new(cluster, cluster.address(), ADMIN);
    println!("files: {}", cluster.directory().display());
    let config = station.home().join(".kube/config");
    println!("kubectl --kubeconfig {} --server https://{}", config.display(), cluster.address());
    let _ = std::io::stdin().lines().count();
}
