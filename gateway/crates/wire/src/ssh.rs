//! What is spoken inside the channels of SSH. The transport itself is a library's.
//!
//! Owns the formats of what channels carry. Must not know a channel.

pub mod scp;
pub mod sftp;
