//! What makes clients on this host take the gateway for their targets: the host's certificate
//! authority in the stores that runtimes read, and the line by which SSH clients know us.
//!
//! Owns the steps ([`Plan`]), doing them and taking them back with a journal, and trying them with
//! real handshakes ([`verify`]). Must not know the configuration (a [`Subject`] says what is to be
//! trusted), a session or a protocol. Nothing here runs on its own: it ends with its caller, and
//! what it has done to the host is in the journal below the state directory.
//!
//! ```text
//!            plan                 apply                        revert
//!  host ───────────▶ steps ──────────────────▶ host ─────────────────────────▶ host as it was
//!                             journal: what was     journal, backwards: whole files where nobody
//!                             there, then the step  changed them, else only what is ours
//! ```

mod anchors;
mod apply;
mod authority;
mod block;
mod children;
mod environment;
mod files;
mod journal;
mod keystore;
mod kubeconfig;
mod owners;
mod plan;
mod revert;
mod scan;
mod state;
mod step;
mod systemd;
#[cfg(test)]
mod tests;
mod units;
pub mod verify;

pub use apply::{Applied, apply, apply_step};
pub use authority::Authority;
pub use block::{BlockError, Marks};
pub use environment::exports;
pub use files::Files;
pub use journal::{Journal, JournalError};
pub use plan::{Options, Plan, Subject};
pub use revert::{Reverted, revert, revert_step};
pub use scan::Scan;
pub use state::{State, state};
pub use step::{Layer, Step};
pub use systemd::daemon_reload;

/// Why a step was not done, or not taken back.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The gateway's block in a file is broken.
    #[error("{0}; take that block out by hand")]
    Block(#[from] BlockError),
    /// The journal cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Somebody has changed what was done.
    #[error(
        "somebody has changed it since; see what it holds, then use --force to {0} all the same"
    )]
    Changed(&'static str),
    /// A program of the system's failed.
    #[error("`{program}` failed: {said}")]
    Program {
        /// The program.
        program: String,
        /// What it said, or how it ended.
        said: String,
    },
    /// A file is not what it is taken for.
    #[error("{0}")]
    Unfit(String),
}

impl TrustError {
    /// Whether only another user may do it.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        let denied = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
        match self {
            Self::Io(error) | Self::Block(BlockError::Io(error)) => denied(error),
            Self::Journal(JournalError::File { source, .. }) => denied(source),
            _ => false,
        }
    }
}
