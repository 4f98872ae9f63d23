//! What to do about a client that does not take our host key.
//!
//! Owns the advice. Must not know a key.

use std::sync::Arc;

/// Clients whose libraries know host certificates.
const KNOW_CERTIFICATES: [&str; 2] = ["OpenSSH", "AsyncSSH"];

/// What an operator can do. `enrolled` says whether the target's own key is shown.
pub(super) fn remedy(version: Option<&str>, enrolled: bool) -> Arc<str> {
    let knows =
        version.is_some_and(|version| KNOW_CERTIFICATES.iter().any(|k| version.contains(k)));
    match (enrolled, knows) {
        (true, _) => {
            "the client knows another key of the target than those enrolled in `client_host_key`; \
             enrol the one its server shows"
        }
        (false, true) => {
            "run `portcullis trust ssh --apply`; a client in a container, or with a \
             GlobalKnownHostsFile, UserKnownHostsFile or HostKeyAlgorithms of its own, needs the \
             line of `portcullis trust ssh` where it looks"
        }
        (false, false) => {
            "this client does not know host certificates; enrol the target's own host key with \
             `client_host_key: { enrolled: [..] }`"
        }
    }
    .into()
}
