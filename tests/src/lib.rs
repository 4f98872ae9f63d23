//! The world that integration tests run in: real servers, real clients, and the whole gateway in
//! this process.
//!
//! Owns the fixtures and how they end (with the test process, however that ends). Must not know
//! what a test asserts. Everything listens on a port of the system's choosing, so that test
//! binaries can run side by side.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a fixture that cannot be made fails the test, with its reason"
)]

pub mod certificates;
pub mod client;
pub mod cluster;
pub mod eavesdropper;
pub mod eventually;
pub mod kube;
pub mod mariadb;
pub mod middle;
pub mod mysql_client;
pub mod mysql_peer;
pub mod nginx;
pub mod programs;
pub mod sshd;
pub mod web;
pub mod workstation;
pub mod world;
