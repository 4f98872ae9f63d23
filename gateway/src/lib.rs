//! The gateway: every effect of Portcullis, and the composition of the whole.
//!
//! Owns what the pure crates must not have: sockets, files, clocks, tasks. See
//! `docs/architecture.md` for the map. A part imports only what the table there allows.

pub mod approvals;
pub mod cli;
pub mod config;
pub mod control;
pub mod credentials;
pub mod daemon;
mod files;
pub mod host_keys;
pub mod identity;
pub mod interception;
pub mod protocols;
pub mod proxy;
pub mod recording;
pub mod session;
pub mod telemetry;
pub mod tls;
pub mod trust;
