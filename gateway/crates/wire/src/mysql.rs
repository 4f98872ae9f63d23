//! The client/server protocol of MySQL and MariaDB, version 10 of its handshake.
//!
//! Owns the framing ([`frame`]), what is said before a session is open ([`handshake`], [`auth`]),
//! what clients ask ([`command`]), what servers answer ([`answer`], [`column`], [`row`]) and the
//! values of prepared statements ([`value`]). Must not know which message may follow which: that
//! is the driver's.
//!
//! Formats: MySQL documentation, "MySQL Client/Server Protocol", and MariaDB knowledge base,
//! "MariaDB protocol". What only MariaDB has (extended capabilities) is never agreed to.

pub mod answer;
pub mod auth;
mod capabilities;
pub mod column;
pub mod command;
pub mod frame;
pub mod handshake;
mod read;
pub mod row;
pub mod status;
pub mod value;
mod write;

use thiserror::Error;

pub use capabilities::Capabilities;
pub use read::Reader;
pub use write::{
    packet, packet_head, put_header, put_lenenc, put_lenenc_int, put_nul, put_payload, put_u16,
    put_u24, put_u32,
};

/// How a message breaks the protocol. The peer that sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// Longer than the limit that applies to it.
    #[error("{length} bytes or more, where {limit} are accepted")]
    TooLong {
        /// Bytes of the message as far as its headers say.
        length: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// A packet whose number is not the next one.
    #[error("packet number {got} where {expected} is due")]
    OutOfOrder {
        /// The number it has.
        got: u8,
        /// The number that is due.
        expected: u8,
    },
    /// The message ends inside a field.
    #[error("the message ends inside its {field}")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// The message goes on after its last field.
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
}
