//! Clients that do not trust the gateway's certificate.
//!
//! Owns what is remembered of them: which program failed for which name, and how often. Must not
//! know what is done about it. Bounded; forgotten when the daemon ends.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Handshakes that end after our certificate before it is taken for distrust: one may be chance.
const TIMES_MIN: u32 = 2;
/// Programs and names remembered.
const REMEMBERED_MAX: usize = 4_096;

/// A program and the name it asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Who {
    /// The program's file.
    pub(super) executable: Arc<str>,
    /// The name in TLS, or the address.
    pub(super) name: Arc<str>,
}

/// Who failed how often since it last succeeded.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Distrust {
    failed: Mutex<HashMap<Who, u32>>,
}

impl Distrust {
    /// One more handshake ended when the client had seen our certificate. Says whether it is clear
    /// by now that it is not trusted.
    pub(super) fn failed(&self, who: &Who) -> bool {
        let mut failed = self.failed.lock();
        if failed.len() >= REMEMBERED_MAX && !failed.contains_key(who) {
            failed.clear();
        }
        let times = failed.entry(who.clone()).or_default();
        *times = times.saturating_add(1);
        *times >= TIMES_MIN
    }

    /// A handshake was completed.
    pub(super) fn trusted(&self, who: &Who) {
        let mut failed = self.failed.lock();
        if !failed.is_empty() {
            failed.remove(who);
        }
    }

    /// Whether it is clear that this program does not trust us.
    pub(super) fn is_clear(&self, who: &Who) -> bool {
        self.failed.lock().get(who).is_some_and(|times| *times >= TIMES_MIN)
    }
}

/// What to do about a program that does not trust the gateway, by what it is.
pub(super) fn remedy(executable: &str) -> &'static str {
    let name = executable.rsplit('/').next().unwrap_or_default();
    match name {
        name if name.starts_with("node") => {
            "set NODE_EXTRA_CA_CERTS for it (portcullis trust apply), and restart it"
        }
        name if name.starts_with("python") || name.starts_with("pip") || name == "aws" => {
            "it may use the bundle of certifi: portcullis trust apply, and restart it"
        }
        name if name.starts_with("java") => {
            "its trust store lacks the certificate: portcullis trust apply, and restart it"
        }
        _ => "run portcullis trust apply; portcullis trust verify shows what trusts the gateway",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_chance_and_a_success_forgets() {
        let who = Who { executable: "/usr/bin/node".into(), name: "api.example".into() };
        let distrust = Distrust::default();
        assert!(!distrust.failed(&who));
        assert!(!distrust.is_clear(&who));
        assert!(distrust.failed(&who));
        assert!(distrust.is_clear(&who));
        distrust.trusted(&who);
        assert!(!distrust.is_clear(&who));
    }
}
