//! A real cluster to look at, until standard input ends: `cargo run --package tests --example kube`.
//! Wants what `cargo xtask setup --kubernetes` builds.
//!
//! Owns saying how it is reached.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::net::Ipv4Addr;

use tests::kube::kubectl::KubeStation;
use tests::kube::{ADMIN, KubeCluster};

fn main() {
    let cluster = KubeCluster::shared();
    let station = KubeStation::new(cluster, Ipv4Addr::LOCALHOST, ADMIN);
    println!("files: {}", cluster.directory().display());
    println!("export KUBECONFIG={}/.kube/config", station.home().display());
    let _ = std::io::stdin().lines().count();
}
