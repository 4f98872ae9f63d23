//! What went through one handle: how much, and its hash.
//!
//! Owns the count and the hash. Must not know which way the content goes. Content that does not go
//! through in one piece from its beginning has no hash, and is said to be partial.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA256};

/// The content that went one way.
#[derive(Default)]
pub(in crate::protocols::ssh) struct Content {
    bytes: u64,
    next: u64,
    hash: Option<Context>,
    partial: bool,
}

impl Content {
    /// Takes what goes to `offset` on.
    pub(in crate::protocols::ssh) fn take<'a>(
        &mut self,
        offset: u64,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) {
        if offset != self.next {
            self.spoil();
        }
        self.next = offset;
        for piece in pieces {
            self.bytes += piece.len() as u64;
            self.next = self.next.saturating_add(piece.len() as u64);
            if !self.partial {
                self.hash.get_or_insert_with(|| Context::new(&SHA256)).update(piece);
            }
        }
    }

    /// Takes what goes to the end, whatever its offset.
    pub(in crate::protocols::ssh) fn append<'a>(
        &mut self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) {
        self.take(self.next, pieces);
    }

    /// What went through cannot be told from here.
    pub(in crate::protocols::ssh) fn spoil(&mut self) {
        self.partial = true;
        self.hash = None;
    }

    /// How much it was.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it was. `None` where nothing went through.
    pub(super) fn moved(self) -> Option<Moved> {
        if self.bytes == 0 && !self.partial {
            return None;
        }
        let sha256 = self.hash.and_then(|hash| hash.finish().as_ref().try_into().ok());
        Some(Moved { bytes: self.bytes, sha256 })
    }

    /// For people: `5 bytes, sha256 ...`. `None` where nothing went through.
    pub(in crate::protocols::ssh) fn told(self) -> Option<String> {
        self.moved().map(|moved| moved.told())
    }
}

/// What went one way, in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::protocols::ssh) struct Moved {
    /// How much.
    pub(in crate::protocols::ssh) bytes: u64,
    /// Its hash, where it went in one piece.
    pub(in crate::protocols::ssh) sha256: Option<[u8; 32]>,
}

impl Moved {
    /// For people: `5 bytes, sha256 ...`.
    pub(super) fn told(&self) -> String {
        let mut told = format!("{} bytes", self.bytes);
        match &self.sha256 {
            Some(hash) => {
                told.push_str(", sha256 ");
                for byte in hash {
                    let _always = write!(told, "{byte:02x}");
                }
            }
            None => told.push_str(", partial"),
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_content_in_one_piece_has_a_hash() {
        let mut whole = Content::default();
        whole.take(0, [&b"a"[..]]);
        whole.take(1, [&b"b"[..], b"c"]);
        assert_eq!(
            whole.told().as_deref(),
            Some(
                "3 bytes, sha256 \
                 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            )
        );
        let mut skipped = Content::default();
        skipped.take(5, [&b"abc"[..]]);
        assert_eq!(skipped.told().as_deref(), Some("3 bytes, partial"));
        assert_eq!(Content::default().told(), None);
    }
}
