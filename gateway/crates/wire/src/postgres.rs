//! PostgreSQL's frontend/backend protocol, version 3.
//!
//! Owns the framing ([`frame`]), the packets before the first message ([`startup`]), what clients
//! say ([`frontend`]), what servers say ([`backend`]) and the values inside rows ([`value`]). Must
//! not know which message may follow which: that is the driver's.
//!
//! Formats: PostgreSQL documentation, "Frontend/Backend Protocol", chapters "Message Formats" and
//! "Error and Notice Message Fields".

pub mod backend;
pub mod frame;
pub mod frontend;
mod read;
pub mod startup;
pub mod value;
mod write;

use thiserror::Error;

pub use read::Reader;
pub use write::{message, put_cstr, put_i16, put_i32, put_u32};

/// How a message breaks the protocol. The peer that sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A length field that no message can have.
    #[error("the length field says {length}, which no message can have")]
    Length {
        /// What the field says.
        length: i32,
    },
    /// Longer than the limit that applies to it.
    #[error("{length} bytes, more than the {limit} that are accepted here")]
    TooLong {
        /// Bytes of the message, as its header says.
        length: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The body ends inside a field.
    #[error("the message ends inside its {field}")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// The body goes on after its last field.
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

/// Text or binary, as format codes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// The type's output function.
    #[default]
    Text,
    /// The type's send function.
    Binary,
}

impl Format {
    /// Reads a format code.
    ///
    /// # Errors
    /// Where the code is neither 0 nor 1.
    pub const fn from_code(code: i16) -> Result<Self, Violation> {
        match code {
            0 => Ok(Self::Text),
            1 => Ok(Self::Binary),
            _ => Err(Violation::Value { field: "format code" }),
        }
    }
}

/// What `ReadyForQuery` says about the transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransactionStatus {
    /// Not in a transaction block.
    #[default]
    Idle,
    /// In one.
    InBlock,
    /// In one that has failed.
    Failed,
}

impl TransactionStatus {
    /// The byte of the protocol.
    #[must_use]
    pub const fn as_byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InBlock => b'T',
            Self::Failed => b'E',
        }
    }

    /// Reads the byte of the protocol.
    ///
    /// # Errors
    /// Where it is another.
    pub const fn from_byte(byte: u8) -> Result<Self, Violation> {
        match byte {
            b'I' => Ok(Self::Idle),
            b'T' => Ok(Self::InBlock),
            b'E' => Ok(Self::Failed),
            _ => Err(Violation::Value { field: "transaction status" }),
        }
    }
}
