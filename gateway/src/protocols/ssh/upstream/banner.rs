//! What an upstream has its users read when they log in (`Banner` of sshd, RFC 4252 5.4).
//!
//! Owns the text, of which an upstream may say no more than is kept. Must not know who reads it.

use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes that are kept: what fits into a packet of the most that OpenSSH takes (256 KiB).
const BYTES_MAX: usize = 240 * 1024;

/// What was said so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Banner(Arc<Mutex<String>>);

impl Banner {
    /// Takes what was said: as much of it as there is room for.
    pub(super) fn add(&self, text: &str) {
        let mut said = self.0.lock();
        let room = text.floor_char_boundary(BYTES_MAX.saturating_sub(said.len()));
        said.push_str(text.get(..room).unwrap_or_default());
    }

    /// All that was said, where something was.
    pub(super) fn said(&self) -> Option<String> {
        Some(std::mem::take(&mut *self.0.lock())).filter(|said| !said.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_in_pieces_is_kept_up_to_its_bound() {
        let banner = Banner::default();
        assert_eq!(banner.said(), None);
        banner.add("Authorised ");
        banner.add("use only\n");
        assert_eq!(banner.said().as_deref(), Some("Authorised use only\n"));
        banner.add("a");
        banner.add(&"ü".repeat(BYTES_MAX));
        banner.add("more");
        let said = banner.said().unwrap();
        // The last character would not fit whole.
        assert_eq!(said.len(), BYTES_MAX, "{}", said.len());
        assert!(said.starts_with("aü") && said.ends_with('m'), "{:?}", said.chars().last());
    }
}
