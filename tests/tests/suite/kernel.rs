//! The kernel programs, loaded for real: every way around them that we know of is tried.
//!
//! Needs root (or `CAP_BPF`, `CAP_NET_ADMIN`, `CAP_PERFMON`, `CAP_SYS_ADMIN`) and fails without. Each
//! test has an instance, cgroups and a network namespace of its own; only tasks in its own cgroups are
//! governed, so that the rest of the machine does not notice.

mod appearing;
mod bypass;
mod cost;
mod identity;
mod lifetime;
mod world;
