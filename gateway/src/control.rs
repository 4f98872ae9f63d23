//! The local API of a running daemon, and its client.
//!
//! Owns the socket file, who may ask what (by the peer's credentials, which the kernel vouches
//! for), and the form of questions and answers. Must not know how a question is answered: the
//! daemon implements the traits of [`handles`]. The server ends with its cancellation token, after
//! the requests in flight; the socket file goes with it.
//!
//! ```text
//!  portcullis CLI ── Client ── unix socket, HTTP/1.1, JSON ── Server ── peer? role? ── Handles
//! ```

mod client;
pub mod handles;
mod peer;
mod problem;
mod routes;
mod server;
pub mod view;

pub use client::{Client, ClientError, Watch};
pub use handles::Handles;
pub use peer::{GroupsOf, Peer, UnixApprovers};
pub use problem::{Problem, ProblemKind};
pub use server::{Server, ServerError, ServerSettings};

/// Where the daemon listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/portcullis/control.sock";

#[cfg(test)]
mod tests;
