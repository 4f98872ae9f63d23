//! The one integration binary: one link, one set of servers, every module of tests.
//!
//! Owns the list of modules.

#[path = "suite/fixture.rs"]
mod fixture;
#[path = "suite/kernel.rs"]
mod kernel;
