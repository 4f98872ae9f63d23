//! Refusals in MySQL's words.
//!
//! Owns the choice of error number and SQLSTATE for each sort of refusal, and the one text that an
//! error has here: message, reason and remedy together. Must not know why something is refused.

use wire::mysql::answer::ErrPacket;

use crate::session::{Refusal, RefusalKind};

/// Number and SQLSTATE of an error: MySQL documentation, "Server Error Message Reference".
pub(super) type Code = (u16, &'static [u8; 5]);

/// The errors we originate.
pub(super) mod code {
    use super::Code;

    /// The policy says no.
    pub(crate) const DENIED: Code = (1142, b"42000");
    /// The session is ended from outside.
    pub(crate) const SHUTDOWN: Code = (1053, b"08S01");
    /// The statement cannot be read.
    pub(crate) const SYNTAX: Code = (1064, b"42000");
    /// Our own fault.
    pub(crate) const UNKNOWN: Code = (1105, b"HY000");
    /// A message is longer than is accepted.
    pub(crate) const TOO_LARGE: Code = (1153, b"08S01");
    /// The connection to the upstream is broken.
    pub(crate) const UPSTREAM: Code = (1158, b"08S01");
    /// A peer broke the protocol.
    pub(crate) const OUT_OF_ORDER: Code = (1156, b"08S01");
    /// A limit is reached.
    pub(crate) const LIMIT: Code = (1226, b"42000");
    /// Known, and not supported through the gateway.
    pub(crate) const NOT_SUPPORTED: Code = (1235, b"42000");
    /// The setting is pinned.
    pub(crate) const PINNED: Code = (1238, b"HY000");
    /// No such prepared statement.
    pub(crate) const NO_STATEMENT: Code = (1243, b"HY000");
    /// Cancelled before it ran.
    pub(crate) const INTERRUPTED: Code = (1317, b"70100");
    /// Parameters that cannot be read.
    pub(crate) const WRONG_PARAMETERS: Code = (1210, b"HY000");
    /// No cursor is open.
    pub(crate) const NO_CURSOR: Code = (1326, b"24000");
    /// The text is not in the character set of the session.
    pub(crate) const WRONG_STRING: Code = (1300, b"HY000");
}

/// The error of a refusal.
pub(super) const fn code_of(kind: RefusalKind) -> Code {
    match kind {
        RefusalKind::Policy
        | RefusalKind::HoldRejected
        | RefusalKind::HoldExpired
        | RefusalKind::Masking => code::DENIED,
        RefusalKind::HoldCancelled => code::INTERRUPTED,
        RefusalKind::Unreadable => code::SYNTAX,
        RefusalKind::Pinned => code::PINNED,
        RefusalKind::Limit => code::LIMIT,
        RefusalKind::Internal => code::UNKNOWN,
        RefusalKind::Upstream => code::UPSTREAM,
        RefusalKind::Ending => code::SHUTDOWN,
    }
}

/// An error of ours: a number, and one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    code: Code,
    pub(super) message: String,
}

impl Complaint {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Appends the payload of its ERR.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (code, sqlstate) = self.code;
        ErrPacket { code, sqlstate: Some(*sqlstate), message: self.message.as_bytes() }.put(out);
    }
}

impl From<&Refusal> for Complaint {
    fn from(refusal: &Refusal) -> Self {
        let parts = [Some(&refusal.message), refusal.detail.as_ref(), refusal.hint.as_ref()];
        let mut message = String::new();
        for part in parts.into_iter().flatten() {
            if !message.is_empty() {
                message.push_str(if message.ends_with('.') { " " } else { ". " });
            }
            message.push_str(part);
        }
        Self::new(code_of(refusal.kind), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_has_the_number_and_one_text_with_rule_and_remedy() {
        let refusal = Refusal::new(RefusalKind::Policy, "portcullis: permission denied: delete")
            .because("Rule \"no-dml\" of role \"reader\" decides: deny.")
            .with_hint("Operator: portcullis explain");
        let mut out = Vec::new();
        Complaint::from(&refusal).put(&mut out);
        let error = ErrPacket::read(&out).unwrap();
        assert_eq!((error.code, error.sqlstate), (1142, Some(*b"42000")));
        assert_eq!(
            String::from_utf8_lossy(error.message),
            "portcullis: permission denied: delete. Rule \"no-dml\" of role \"reader\" decides: \
             deny. Operator: portcullis explain"
        );
    }
}
