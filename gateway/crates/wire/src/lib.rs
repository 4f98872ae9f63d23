//! Codecs that know no socket: bytes in; a message, "need more" or an error out.
//!
//! Owns the wire formats, a folder per protocol, a file per family of messages. Must not know a
//! socket, a clock, a policy or a session. Everything here is a plain value over borrowed bytes
//! and ends with them. Whatever a peer sends, nothing here panics, and nothing is allocated by a
//! length that a peer names.

mod buffer;
mod edit;
pub mod http;
pub mod kubernetes;
pub mod mysql;
pub mod postgres;
pub mod spdy;
pub mod ssh;

pub use edit::Edit;
