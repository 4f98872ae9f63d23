//! SSH: the driver of protocol version 2 and what runs over it.
//!
//! Owns the way of one connection through the protocol. Must not know policy, credentials,
//! approvals, recording or masking: it asks the [`Session`]. One connection of a client is one
//! session and one connection to the upstream; a connection ends when either side does, or when
//! the session is ended.
//!
//! ```text
//!  version line ─▶ host identity ─▶ key exchange ─▶ whoever asks is let in ─▶ Pending::open ─▶ dial
//!     ─▶ login ─▶ desk ⇄ channels: exec, shell, subsystem ─▶ upstream
//! ```
//!
//! A client is let in before the session is open: it waits with its first channel instead of in its
//! login, which clients bound in time, and is told why it is turned away by a disconnect message,
//! which they show.
//!
//! | file | what it holds |
//! |---|---|
//! | `client_stream`, `cleartext` | the client's bytes, before the library has them |
//! | `server` | how the library serves clients |
//! | `front` | what the library calls |
//! | `desk` | the session, and what channels ask of it |
//! | `connection` | the life of one connection |
//! | `channel`, `run`, `relay`, `output` | what a channel asks for, begins, shows |
//! | `request`, `home`, `places`, `environment` | what is asked for, read |
//! | `files`, `sftp` | channels of files, packet by packet |
//! | `typed` | what a terminal's user seems to have typed |
//! | `scp` | the files in a copy |
//! | `inflow` | what a peer sends on a channel, and its window |
//! | `forwards` | connections through the target |
//! | `upstream`, `fault` | the login at the target; what is wrong with it |
//! | `words`, `trust` | what people are told |

mod channel;
mod cleartext;
mod client_stream;
mod connection;
mod desk;
mod environment;
mod fault;
mod files;
mod forwards;
mod front;
mod home;
mod inflow;
mod open;
mod output;
#[cfg(test)]
mod pair;
mod places;
mod relay;
mod request;
mod run;
mod scp;
mod server;
mod sftp;
mod trust;
mod typed;
mod upstream;
mod words;

use model::Protocol;
use model::audit::SessionEnd;

use super::Driver;
use crate::session::{BoxFuture, Pending, Stream};

/// The driver.
#[derive(Debug, Default)]
pub struct Ssh;

impl Driver for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn serve<'a>(&'a self, client: Stream, pending: Pending) -> BoxFuture<'a, SessionEnd> {
        Box::pin(connection::serve(client, pending))
    }
}
