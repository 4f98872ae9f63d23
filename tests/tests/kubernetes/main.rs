//! Kubernetes as it is: a real API server, its unchanged clients, and what the gateway makes of
//! them. Not among the ordinary tests, for the server takes minutes to build: `cargo xtask test
//! --kubernetes` runs these.
//!
//! Owns the list of modules.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, with its reason")]

mod attacks;
mod audited;
mod authority;
mod cluster;
mod golden;
mod kubectl;
mod libraries;
mod masks;
mod recorded;
mod refusals;
mod through;
