//! Which workload a token came from.
//!
//! Owns the memory of tokens seen and who presented each first. Must not know what a token says.
//! An entry lives as long as its token is valid; then the token is useless anyway. The memory is
//! the daemon's own: it outlives a reload and starts empty with the process.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use model::{Timestamp, WorkloadName};
use parking_lot::Mutex;

/// Valid tokens remembered; when it is full, a new token is refused. Raised, the daemon holds
/// about 150 bytes more for each.
const TOKENS_MAX: usize = 65_536;

/// Why a token is not accepted from this workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresenterError {
    /// Another workload presented it before.
    #[error("the token belongs to workload `{belongs_to}` and was presented by `{presented_by}`")]
    AnotherWorkloads {
        /// Who presents it now.
        presented_by: WorkloadName,
        /// Who presented it first.
        belongs_to: WorkloadName,
    },
    /// Too many valid tokens are about.
    #[error("more than {TOKENS_MAX} valid tokens are in use")]
    Full,
}

/// Remembers who presented which token.
#[derive(Debug, Default)]
pub struct Presenters {
    seen: Mutex<HashMap<[u8; 32], Presented>>,
}

#[derive(Debug)]
struct Presented {
    by: WorkloadName,
    useless_from: Timestamp,
}

impl Presenters {
    /// Notes that `workload` presents a token, known by its text and, where the provider gave it
    /// one, by its id (`iss` and `jti`): signed again with the same id it is the same token.
    ///
    /// # Errors
    /// Where it belongs to another workload, or the memory is full.
    pub fn present(
        &self,
        workload: &WorkloadName,
        token: &[u8],
        issuer_and_id: Option<(&str, &str)>,
        useless_from: Timestamp,
        now: Timestamp,
    ) -> Result<(), PresenterError> {
        let keys = [
            Some(hash(&[b"text", token])),
            issuer_and_id.map(|(issuer, id)| hash(&[b"id", issuer.as_bytes(), id.as_bytes()])),
        ];
        let mut seen = self.seen.lock();
        if seen.len() + keys.len() > TOKENS_MAX {
            seen.retain(|_, presented| presented.useless_from > now);
        }
        for key in keys.iter().flatten() {
            match seen.get(key) {
                Some(known) if known.useless_from > now && known.by != *workload => {
                    return Err(PresenterError::AnotherWorkloads {
                        presented_by: workload.clone(),
                        belongs_to: known.by.clone(),
                    });
                }
                None if seen.len() + keys.len() > TOKENS_MAX => return Err(PresenterError::Full),
                _ => {}
            }
        }
        for key in keys.into_iter().flatten() {
            seen.insert(key, Presented { by: workload.clone(), useless_from });
        }
        Ok(())
    }
}

/// A hash over parts of which none can run into the next.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&part.len().to_be_bytes());
        joined.extend_from_slice(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, &joined).as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Timestamp = Timestamp::from_seconds(1_100);
    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_101);

    #[test]
    fn b5_a_token_that_another_workload_presents_is_refused() {
        let presenters = Presenters::default();
        let (one, other) = (WorkloadName::new("one"), WorkloadName::new("other"));
        presenters.present(&one, b"token", None, SOON, NOW).unwrap();
        presenters.present(&one, b"token", None, SOON, NOW).unwrap();
        let refused = presenters.present(&other, b"token", None, SOON, NOW).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the token belongs to workload `one` and was presented by `other`"
        );
        presenters.present(&other, b"another", None, SOON, NOW).unwrap();
    }

    #[test]
    fn b5_the_same_id_is_the_same_token() {
        let presenters = Presenters::default();
        let (one, other) = (WorkloadName::new("one"), WorkloadName::new("other"));
        presenters.present(&one, b"a", Some(("iss", "7")), SOON, NOW).unwrap();
        assert!(presenters.present(&other, b"b", Some(("iss", "7")), SOON, NOW).is_err());
        presenters.present(&other, b"c", Some(("is", "s7")), SOON, NOW).unwrap();
        // The refused one left nothing behind.
        presenters.present(&one, b"b", None, SOON, NOW).unwrap();
    }

    #[test]
    fn a_useless_token_is_forgotten_and_a_full_memory_refuses() {
        let presenters = Presenters::default();
        let (one, other) = (WorkloadName::new("one"), WorkloadName::new("other"));
        for token in 0..TOKENS_MAX - 1 {
            presenters.present(&one, &token.to_be_bytes(), None, SOON, NOW).unwrap();
        }
        let full = presenters.present(&one, b"one more", None, SOON, NOW);
        assert_eq!(full, Err(PresenterError::Full));
        presenters.present(&one, &7_usize.to_be_bytes(), None, SOON, NOW).unwrap();
        presenters.present(&other, b"one more", None, Timestamp(u64::MAX), LATER).unwrap();
        presenters.present(&other, &7_usize.to_be_bytes(), None, SOON, LATER).unwrap();
    }
}
