//! Secrets that an upstream sends back.
//!
//! Owns finding the injected credential in what is shown, across chunks, and starring it. Must not
//! know which credential it is. Holds back at most one byte less than the longest secret; what was
//! replaced has the length it had, so that nothing else changes.

use bytes::Bytes;
use memchr::memmem::Finder;
use model::Secret;

/// Shorter texts are no secrets: starring them would destroy answers.
const SECRET_BYTES_MIN: usize = 6;
/// Bytes of a secret's beginning that may be shown before it is known whether the rest follows.
const BEGINNING_BYTES_MAX: usize = 3;

/// The texts by which an injected credential could be known again.
#[derive(Debug, Default)]
pub(super) struct Needles {
    secrets: Vec<Secret<Vec<u8>>>,
    longest: usize,
}

impl Needles {
    /// Adds one.
    pub(super) fn add(&mut self, secret: &[u8]) {
        if secret.len() >= SECRET_BYTES_MIN {
            self.longest = self.longest.max(secret.len());
            self.secrets.push(Secret::new(secret.to_vec()));
        }
    }

    /// Whether there is nothing to look for.
    pub(super) const fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Stars every secret in `bytes`, and says how many there were.
    pub(super) fn star(&self, bytes: &mut [u8]) -> u64 {
        let mut found = 0;
        for secret in &self.secrets {
            let secret = secret.expose();
            if bytes.len() < secret.len() {
                continue;
            }
            let finder = Finder::new(secret);
            let mut at = 0;
            while let Some(rest) = bytes.get_mut(at..)
                && let Some(start) = finder.find(rest)
                && let Some(hit) = rest.get_mut(start..start + secret.len())
            {
                hit.fill(b'*');
                found += 1;
                at += start + secret.len();
            }
        }
        found
    }

    /// Whether any secret is in `bytes`.
    pub(super) fn touch(&self, bytes: &[u8]) -> bool {
        self.secrets
            .iter()
            .map(Secret::expose)
            .any(|secret| bytes.len() >= secret.len() && Finder::new(secret).find(bytes).is_some())
    }

    /// How many bytes at the end of `bytes` could begin a secret.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let most = bytes.len().min(self.longest.saturating_sub(1));
        (1..=most)
            .rev()
            .find(|length| {
                let tail = bytes.get(bytes.len() - length..).unwrap_or_default();
                self.secrets.iter().any(|secret| {
                    secret.expose().len() > *length && secret.expose().starts_with(tail)
                })
            })
            .unwrap_or(0)
    }
}

/// Scrubs one stream.
#[derive(Debug)]
pub(super) struct Scrubber {
    needles: std::sync::Arc<Needles>,
    held: Vec<u8>,
    /// Bytes of `held` that are out already, because somebody waited for them.
    shown: usize,
    found: u64,
}

impl Scrubber {
    /// For one stream.
    pub(super) const fn new(needles: std::sync::Arc<Needles>) -> Self {
        Self { needles, held: Vec::new(), shown: 0, found: 0 }
    }

    /// What may be shown now of what came.
    pub(super) fn push(&mut self, chunk: Bytes) -> Bytes {
        if self.held.is_empty() && self.needles.open_end(&chunk) == 0 && !self.needles.touch(&chunk)
        {
            return chunk;
        }
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(&chunk);
        self.found += self.needles.star(&mut bytes);
        let open = self.needles.open_end(&bytes);
        self.held = bytes.split_off(bytes.len() - open);
        let out = self.shown.min(bytes.len());
        self.shown -= out;
        Bytes::from(bytes).split_off(out)
    }

    /// Whether something is held back that may be shown when nothing has come for a while: so
    /// little that it tells nothing of the secret that it could be the beginning of.
    pub(super) const fn is_holding(&self) -> bool {
        self.held.len() > self.shown && self.held.len() <= BEGINNING_BYTES_MAX
    }

    /// Shows that. If the rest of the secret follows it is starred.
    pub(super) fn let_go(&mut self) -> Bytes {
        if !self.is_holding() {
            return Bytes::new();
        }
        let out = self.held.get(self.shown..).unwrap_or_default();
        self.shown = self.held.len();
        Bytes::copy_from_slice(out)
    }

    /// The rest.
    pub(super) fn finish(&mut self) -> Bytes {
        let rest = Bytes::from(std::mem::take(&mut self.held));
        rest.slice(std::mem::take(&mut self.shown).min(rest.len())..)
    }

    /// Whether nothing is held back.
    pub(super) const fn is_through(&self) -> bool {
        self.held.is_empty()
    }

    /// How many secrets were starred.
    pub(super) const fn found(&self) -> u64 {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn needles() -> Arc<Needles> {
        let mut needles = Needles::default();
        needles.add(b"s3cr3t-t0ken");
        needles.add(b"dXNlcjpwYXNz");
        needles.add(b"short");
        Arc::new(needles)
    }

    #[test]
    fn a_secret_is_starred_wherever_it_is_cut() {
        let text = b"a s3cr3t-s3cr3t-t0ken b dXNlcjpwYXNzdXNlcjpwYXNz short s3cr3t-t0ke";
        let clean = b"a s3cr3t-************ b ************************ short s3cr3t-t0ke";
        for size in 1..=text.len() {
            let mut scrubber = Scrubber::new(needles());
            let mut out = Vec::new();
            for piece in text.chunks(size) {
                out.extend_from_slice(&scrubber.push(Bytes::copy_from_slice(piece)));
            }
            out.extend_from_slice(&scrubber.finish());
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(clean), "{size}");
            assert_eq!(scrubber.found(), 3);
        }
    }

    #[test]
    fn a_beginning_that_somebody_waits_for_is_shown_and_its_rest_starred() {
        let mut scrubber = Scrubber::new(needles());
        let push = |scrubber: &mut Scrubber, text: &'static [u8]| {
            let shown = scrubber.push(Bytes::from_static(text));
            String::from_utf8(shown.to_vec()).unwrap()
        };
        assert_eq!(push(&mut scrubber, b"it is"), "it i");
        assert!(scrubber.is_holding());
        assert_eq!(&scrubber.let_go()[..], b"s");
        assert!(!scrubber.is_holding() && !scrubber.is_through());
        // It goes on as the secret does: what more of it comes is no beginning any more.
        assert_eq!(push(&mut scrubber, b"3cr3"), "");
        assert!(!scrubber.is_holding() && scrubber.let_go().is_empty());
        assert_eq!(push(&mut scrubber, b"t-t0ken, "), "***********, ");
        assert_eq!(scrubber.found(), 1);
        // Or it goes on otherwise.
        assert_eq!(push(&mut scrubber, b"lots"), "lot");
        assert_eq!(&scrubber.let_go()[..], b"s");
        assert_eq!(push(&mut scrubber, b" of"), " of");
        assert_eq!(push(&mut scrubber, b"s"), "");
        assert_eq!(&scrubber.let_go()[..], b"s");
        assert!(scrubber.finish().is_empty());
    }

    #[test]
    fn what_holds_no_secret_passes_without_a_copy() {
        let mut scrubber = Scrubber::new(needles());
        let chunk = Bytes::from_static(b"nothing of the kind.");
        assert_eq!(scrubber.push(chunk.clone()).as_ptr(), chunk.as_ptr());
    }
}
