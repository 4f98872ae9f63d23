//! The composition root: builds every part in order, keeps them together, takes them down.
//!
//! Owns start, readiness, reload, drain and stop. May know everything; nothing may know it. The
//! whole gateway is one value, [`Gateway`], that tests start in process with a made-up flow table;
//! [`run`] is the process around it: kernel programs, signals, systemd.
//!
//! ```text
//! settings ─▶ state files ─▶ audit, recorder ─▶ TLS, identity ─▶ Services ─▶ Proxy ─▶ Gateway
//!                                                                              ▲
//! kernel: programs ─▶ namespaces ─▶ listeners ────────── accepted sockets ─────┘
//! ```

mod clock;
mod gateway;
mod identity;
mod kernel;
mod metrics;
mod plan;
mod process;
mod state;
mod views;

pub use clock::SystemClock;
pub use gateway::{Environment, Gateway, GatewayError, Reloaded};
pub use process::{Failure, RunOptions, run, uninstall};
pub use views::handles;
