//! Refusals in PostgreSQL's words.
//!
//! Owns the choice of SQLSTATE for each sort of refusal, and the texts that name a remedy. Must
//! not know why something is refused. Appends to buffers of the caller's.

use wire::postgres::backend::{Severity, Words, put_error, put_notice};

use crate::session::{Refusal, RefusalKind};

/// The SQLSTATE of a refusal: PostgreSQL documentation, appendix "Error Codes".
pub(super) const fn sqlstate(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Policy
        | RefusalKind::HoldRejected
        | RefusalKind::HoldExpired
        | RefusalKind::Masking => state::INSUFFICIENT_PRIVILEGE,
        RefusalKind::HoldCancelled => state::QUERY_CANCELED,
        RefusalKind::Unreadable => state::SYNTAX_ERROR,
        RefusalKind::Pinned => state::CANT_CHANGE_RUNTIME_PARAM,
        RefusalKind::Limit => state::PROGRAM_LIMIT_EXCEEDED,
        RefusalKind::Internal => state::SYSTEM_ERROR,
        RefusalKind::Upstream => state::CONNECTION_FAILURE,
        RefusalKind::Ending => state::ADMIN_SHUTDOWN,
    }
}

/// The SQLSTATEs we originate.
pub(super) mod state {
    /// Everything is well; notices carry it.
    pub(crate) const SUCCESSFUL: &str = "00000";
    /// The upstream is gone or cannot be reached.
    pub(crate) const CONNECTION_FAILURE: &str = "08006";
    /// A peer broke the protocol.
    pub(crate) const PROTOCOL_VIOLATION: &str = "08P01";
    /// Known, and not supported through the gateway.
    pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    /// A startup parameter has a value that is not accepted.
    pub(crate) const INVALID_PARAMETER_VALUE: &str = "22023";
    /// No such prepared statement.
    pub(crate) const INVALID_STATEMENT_NAME: &str = "26000";
    /// No user name in the startup packet.
    pub(crate) const INVALID_AUTHORIZATION: &str = "28000";
    /// No such cursor or portal.
    pub(crate) const INVALID_CURSOR_NAME: &str = "34000";
    /// The policy says no.
    pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";
    /// The grammar says no.
    pub(crate) const SYNTAX_ERROR: &str = "42601";
    /// A limit is reached.
    pub(crate) const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
    /// The setting is pinned.
    pub(crate) const CANT_CHANGE_RUNTIME_PARAM: &str = "55P02";
    /// Cancelled before it ran.
    pub(crate) const QUERY_CANCELED: &str = "57014";
    /// The session is ended from outside.
    pub(crate) const ADMIN_SHUTDOWN: &str = "57P01";
    /// Our own fault.
    pub(crate) const SYSTEM_ERROR: &str = "58000";
}

/// Appends a refusal as an `ErrorResponse`.
pub(super) fn put_refusal(out: &mut Vec<u8>, severity: Severity, refusal: &Refusal) {
    put_error(
        out,
        &Words {
            severity,
            sqlstate: sqlstate(refusal.kind),
            message: &refusal.message,
            detail: refusal.detail.as_deref(),
            hint: refusal.hint.as_deref(),
            position: refusal.position,
        },
    );
}

/// Appends a notice of ours.
pub(super) fn put_our_notice(out: &mut Vec<u8>, message: &str) {
    put_notice(
        out,
        &Words {
            severity: Severity::Notice,
            sqlstate: state::SUCCESSFUL,
            message,
            detail: None,
            hint: None,
            position: None,
        },
    );
}

/// An error of the driver's own: a SQLSTATE, a sentence, a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) sqlstate: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Complaint {
    pub(super) fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into(), hint: None }
    }

    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Appends it as an `ErrorResponse`.
    pub(super) fn put(&self, out: &mut Vec<u8>, severity: Severity) {
        put_error(
            out,
            &Words {
                severity,
                sqlstate: self.sqlstate,
                message: &self.message,
                detail: None,
                hint: self.hint.as_deref(),
                position: None,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::postgres::backend::Fields;

    #[test]
    fn a_denial_has_the_sqlstate_detail_and_hint_that_clients_show() {
        let refusal = Refusal::new(RefusalKind::Policy, "portcullis: permission denied: delete")
            .because("Rule \"no-dml\" of role \"reader\" decides: deny.")
            .with_hint("Operator: portcullis explain");
        let mut out = Vec::new();
        put_refusal(&mut out, Severity::Error, &refusal);
        let fields = Fields::read(&out[5..]).unwrap();
        assert_eq!(fields.sqlstate(), Some("42501"));
        assert_eq!(fields.get(b'S'), Some(&b"ERROR"[..]));
        assert_eq!(fields.message(), "portcullis: permission denied: delete");
        assert!(fields.get(b'D').is_some_and(|detail| detail.starts_with(b"Rule \"no-dml\"")));
        assert_eq!(fields.get(b'H'), Some(&b"Operator: portcullis explain"[..]));
    }

    #[test]
    fn a_notice_is_no_error() {
        let mut out = Vec::new();
        put_our_notice(&mut out, "held");
        assert_eq!(out[0], b'N');
        assert_eq!(Fields::read(&out[5..]).unwrap().sqlstate(), Some("00000"));
    }
}
