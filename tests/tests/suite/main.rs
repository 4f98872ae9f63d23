//! The one integration binary: one link, one set of servers, every module of tests.
//!
//! Owns the list of modules.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails, with its reason"
)]

mod conformance;
mod fixture;
mod http;
mod kernel;
mod kubernetes;
mod mysql;
mod postgres;
mod ssh;
mod trust;
