//! The words of a refusal: what the client is told, in whatever protocol it speaks.
//!
//! Owns the neutral text (message, detail, hint, rule) and the kind a driver picks its error code
//! by. Must not know any protocol's error format. Every text here is safe for the peer: no
//! credential, no value of a row, no path of the host.

use std::sync::Arc;

use model::{Decision, HoldId, Reason, RuleId};
use sql::Unreadable;

/// What sort of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The policy does not allow it.
    Policy,
    /// A hold was rejected by an approver.
    HoldRejected,
    /// A hold expired.
    HoldExpired,
    /// A hold was cancelled by the client itself.
    HoldCancelled,
    /// It could not be read, so it could not be judged.
    Unreadable,
    /// Its answer cannot be masked soundly.
    Masking,
    /// It would change what the gateway's reading of statements relies on.
    Pinned,
    /// A limit is reached.
    Limit,
    /// It cannot be recorded, or another part of ours failed.
    Internal,
    /// The upstream cannot be reached, trusted or logged in to.
    Upstream,
    /// The session is ending: policy change, expiry, kill or drain.
    Ending,
}

/// A refusal, ready to be worded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What sort.
    pub kind: RefusalKind,
    /// One sentence: what is refused.
    pub message: Arc<str>,
    /// Why, naming the rule.
    pub detail: Option<Arc<str>>,
    /// What to do about it.
    pub hint: Option<Arc<str>>,
    /// The rule, where one decided.
    pub rule: Option<RuleId>,
    /// Where in the text, in characters from 1.
    pub position: Option<usize>,
}

impl Refusal {
    /// A refusal without a rule.
    pub fn new(kind: RefusalKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, message: message.into(), detail: None, hint: None, rule: None, position: None }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, detail: impl Into<Arc<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Arc<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Words a decision that denies.
    #[must_use]
    pub(super) fn of_decision(decision: &Decision, kind: &str, session: &str) -> Self {
        let access = decision.rules.first().map(|rule| Arc::clone(&rule.access));
        let message = match (&decision.reason, &access) {
            (Reason::NotGranted { access }, _) => format!("portcullis: {access} is not granted"),
            (Reason::NoRole, _) => String::from("portcullis: no role grants anything here"),
            (Reason::Refused { because }, _) => format!("portcullis: {because}"),
            (_, Some(access)) => format!("portcullis: permission denied: {access}"),
            (_, None) => format!("portcullis: permission denied for {kind}"),
        };
        let detail = match (decision.rules.first(), &decision.reason) {
            (_, Reason::ConditionFailed { rule, because }) => {
                Some(format!("The condition of rule \"{rule}\" could not be evaluated: {because}."))
            }
            (Some(deciding), _) => Some(format!(
                "Rule \"{}\" of role \"{}\" decides: {}.",
                deciding.rule, deciding.role, deciding.effect
            )),
            (None, Reason::NotGranted { .. }) => {
                Some(String::from("No rule of this workload's roles allows it."))
            }
            (None, Reason::NoRole) => {
                Some(String::from("The groups of this workload give it no role at this target."))
            }
            _ => None,
        };
        Self {
            kind: RefusalKind::Policy,
            message: message.into(),
            detail: detail.map(Into::into),
            hint: Some(format!("Operator: portcullis explain --socket {session}").into()),
            rule: decision.rule().cloned(),
            position: None,
        }
    }

    /// Words what could not be read, as the server would.
    #[must_use]
    pub(super) fn of_unreadable(unreadable: &Unreadable) -> Self {
        let kind =
            if unreadable.is_too_much() { RefusalKind::Limit } else { RefusalKind::Unreadable };
        let mut refusal = Self::new(kind, unreadable.to_string())
            .because("portcullis could not read the statement, so it was not sent.");
        if matches!(unreadable, Unreadable::TooLong { .. }) {
            refusal = refusal
                .with_hint("Send less in one statement, or raise `limits.statement_bytes_max`.");
        }
        refusal.position = unreadable.position();
        refusal
    }

    /// Words the end of a hold that was not granted.
    #[must_use]
    pub(super) fn of_hold(kind: RefusalKind, hold: HoldId, rule: Option<RuleId>) -> Self {
        let message = match kind {
            RefusalKind::HoldRejected => "portcullis: an approver rejected the held operation",
            RefusalKind::HoldExpired => "portcullis: the held operation was not approved in time",
            _ => "portcullis: the held operation was cancelled before it was approved",
        };
        let mut refusal = Self::new(kind, message)
            .because(format!("Hold {hold} ended without approval; nothing was sent."));
        if kind == RefusalKind::HoldExpired {
            refusal = refusal.with_hint("Run it again and have it approved while it waits.");
        }
        refusal.rule = rule;
        refusal
    }
}
