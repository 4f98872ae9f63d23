//! What a command line that is sent to another host would run there.
//!
//! Owns reading such a text into words ([`read`]), writing words so that every shell reads them
//! back ([`Command::canonical`]), and recognising the programs that carry files ([`transfer`]). Must
//! not know who may run what (`policy`), nor a socket, a file or a clock. Nothing here outlives its
//! caller.
//!
//! ```text
//! text ── lexer: words, or why not ──▶ grammar: the same words? ──▶ Command ── canonical ──▶ text
//!                     │                          │                      └── transfer ──▶ Transfer
//!                     └────────── Opaque ◀───────┘
//! ```
//!
//! The text is never sent on. What goes upstream is the canonical text of the words that were
//! judged, so no difference between two shells' readings can matter: the remote shell reads back
//! exactly the words, or it is none that we know (see [`Command::canonical`]).

mod command;
mod grammar;
mod lexer;
mod quoting;
mod reading;
mod transfer;

#[cfg(test)]
mod tests;

pub use command::Command;
pub use reading::{Reading, TEXT_BYTES_MAX, read};
pub use transfer::{
    Base, Direction, Git, GitService, Need, Odd, Reach, Rsync, Scp, Transfer, TransferPath,
    transfer,
};
