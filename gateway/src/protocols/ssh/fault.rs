//! What is wrong with an upstream, once something is.
//!
//! Owns the first fault that was found on a connection. Must not know who looks for faults. An
//! upstream that breaks the protocol may do anything next: the session ends.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// The fault of an upstream. Clones are the same fault.
#[derive(Clone, Debug, Default)]
pub(super) struct Fault {
    what: Arc<OnceLock<Arc<str>>>,
    found: CancellationToken,
}

impl Fault {
    /// Notes a fault. The first one counts.
    pub(super) fn note(&self, what: &str) {
        self.what.get_or_init(|| what.into());
        self.found.cancel();
    }

    /// Resolves once there is one. Cancel-safe.
    pub(super) async fn found(&self) -> Arc<str> {
        self.found.cancelled().await;
        self.what.get().cloned().unwrap_or_default()
    }
}

/// Whether an error of the library's means that the peer broke the protocol, and is not just gone.
pub(super) const fn is_violation(error: &russh::Error) -> bool {
    use russh::Error;
    !matches!(
        error,
        Error::IO(_)
            | Error::HUP
            | Error::Disconnect
            | Error::SendError
            | Error::RecvError
            | Error::Join(_)
            | Error::ConnectionTimeout
            | Error::KeepaliveTimeout
            | Error::InactivityTimeout
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_fault_counts() {
        let fault = Fault::default();
        let other = fault.clone();
        other.note("output after its end");
        fault.note("a packet that is none");
        assert_eq!(&*fault.found().await, "output after its end");
    }
}
