//! One statement, command or request, reduced to what is decided, shown and approved.
//!
//! Owns the protocol-neutral form. Must not know a grammar or a wire format. Made by the session
//! from what a driver decoded; lives until its answer has been sent.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::access::Access;

/// SHA-256 over everything an approval is bound to: operation, parameters, objects, target,
/// principal and policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationDigest(pub [u8; 32]);

impl fmt::Display for OperationDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for OperationDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationDigest({self})")
    }
}

impl Serialize for OperationDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One statement, command or request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// What kind, one lower-case word or phrase: `select`, `drop table`, `copy out`.
    pub kind: Arc<str>,
    /// The operation as the workload wrote it, for people.
    pub text: Arc<str>,
    /// What it needs. Empty where it needs nothing beyond the session itself.
    pub accesses: Arc<[Access]>,
}
