//! The SSH File Transfer Protocol, version 3, with OpenSSH's extensions.
//!
//! Owns the framing ([`frame`]), what clients ask ([`request`], [`extended`]), what servers answer
//! ([`answer`]) and the attributes of files ([`attributes`]). Must not know which answer may follow
//! which request, nor what a path leads to: that is the driver's.
//!
//! Formats: draft-ietf-secsh-filexfer-02; OpenSSH's `PROTOCOL`, section 4, and
//! draft-ietf-secsh-filexfer-extensions-00 for `copy-data`, `home-directory`.
//!
//! ```text
//! packet:  uint32 length | byte type | (uint32 id | ...) or (uint32 version | extension pairs)
//! ```

pub mod answer;
pub mod attributes;
pub mod extended;
pub mod frame;
mod read;
pub mod request;
mod write;

use thiserror::Error;

pub use answer::{Answer, Entry, Status, StatusCode, Version};
pub use attributes::Attributes;
pub use extended::{EXTENSIONS, Extension};
pub use frame::{Content, Framer, Packet};
pub use request::{Body, OpenFlags, Request};

/// Bytes of the longest packet, its length field not counted: OpenSSH's own bound. Raised, one
/// packet costs more memory; a peer that was told a higher one fails.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;

/// Bytes of the longest handle (draft 6.2: "the length of the handle string MUST NOT exceed 256").
pub const HANDLE_BYTES_MAX: usize = 256;

/// The version that is spoken.
pub const VERSION: u32 = 3;

/// How a packet breaks the protocol. The peer that sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A length field that no packet can have.
    #[error("a packet of {length} bytes, where 1 to {limit} are accepted")]
    Length {
        /// What the field says.
        length: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The packet ends inside a field.
    #[error("the packet ends inside its {field}")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// The packet goes on after its last field.
    #[error("{excess} bytes follow the last field")]
    Trailing {
        /// How many bytes.
        excess: usize,
    },
    /// A field has a value that the protocol does not know.
    #[error("the {field} has a value that the protocol does not know")]
    Value {
        /// The field.
        field: &'static str,
    },
    /// A packet type that the peer must not send, or that version 3 does not have.
    #[error("packets of type {0} do not belong here")]
    Type(u8),
}

/// The types of packets (draft 3).
pub(crate) mod kind {
    pub(crate) const INIT: u8 = 1;
    pub(crate) const VERSION: u8 = 2;
    pub(crate) const OPEN: u8 = 3;
    pub(crate) const CLOSE: u8 = 4;
    pub(crate) const READ: u8 = 5;
    pub(crate) const WRITE: u8 = 6;
    pub(crate) const LSTAT: u8 = 7;
    pub(crate) const FSTAT: u8 = 8;
    pub(crate) const SETSTAT: u8 = 9;
    pub(crate) const FSETSTAT: u8 = 10;
    pub(crate) const OPENDIR: u8 = 11;
    pub(crate) const READDIR: u8 = 12;
    pub(crate) const REMOVE: u8 = 13;
    pub(crate) const MKDIR: u8 = 14;
    pub(crate) const RMDIR: u8 = 15;
    pub(crate) const REALPATH: u8 = 16;
    pub(crate) const STAT: u8 = 17;
    pub(crate) const RENAME: u8 = 18;
    pub(crate) const READLINK: u8 = 19;
    pub(crate) const SYMLINK: u8 = 20;
    pub(crate) const STATUS: u8 = 101;
    pub(crate) const HANDLE: u8 = 102;
    pub(crate) const DATA: u8 = 103;
    pub(crate) const NAME: u8 = 104;
    pub(crate) const ATTRS: u8 = 105;
    pub(crate) const EXTENDED: u8 = 200;
    pub(crate) const EXTENDED_REPLY: u8 = 201;
}

#[cfg(test)]
mod tests;
