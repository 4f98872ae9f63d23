//! A live session: every operation passes here on its way up, every answer on its way down.
//!
//! Owns the sequence number, the standing under the policy of now, and the recording of one
//! session. Must not know a protocol. Ends by [`Session::close`]; dropped without it (a panic in a
//! driver), the recording is sealed as it is and the proxy names the cause.
//!
//! ```text
//! judge ── allow ──▶ Permit ── gate ──▶ Receipt ── row_plan, finished
//!   │ ├──── hold ──▶ Held ── wait, settle ──▶ Permit | Refusal
//!   │ └──── deny ──▶ Refusal
//!   └ first of all: policy changed? token still good? recording healthy?
//! ```

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use masking::Masker;
use model::audit::{AuditEvent, ResourceAsked, SessionEnd, SessionFacts};
use model::{
    DecidingRule, Decision, Effect, MaskProfile, Operation, OperationNumber, Reason, Timestamp,
};
use policy::{Policy, Standing};
use tokio::sync::watch;

use super::altered::Altered;
use super::aside::Aside;
use super::card::{Card, LastDecision};
use super::change::Changes;
use super::classified::Classified;
use super::exchanges::PathMasks;
use super::judgement::Judgement;
use super::log::{SessionLog, not_recorded};
use super::own_tables::OwnTables;
use super::pending::{Identified, Login};
use super::permit::{Permit, Receipt};
use super::refusal::{Refusal, RefusalKind};
use super::services::Services;
use super::statements::{DatabaseScope, Statements};
use super::target::{Enforcement, OnRecordingFailure, Target};

/// How long after [`Session::ready`] operations may be judged. A batch takes milliseconds; one that
/// takes longer has gone around it.
const VERIFIED_FOR: Duration = Duration::from_secs(5);

/// Bytes of an operation's text that an audit line shows.
const AUDIT_TEXT_BYTES_MAX: usize = 2_048;

/// Bytes of an operation's text that a recording keeps. Raised, a few long statements fill what a
/// session may have waiting for the disk.
const RECORDED_TEXT_BYTES_MAX: usize = 64 * 1024;

/// A live session.
#[derive(Debug)]
pub struct Session {
    pub(super) services: Arc<Services>,
    pub(super) target: Arc<Target>,
    pub(super) card: Arc<Card>,
    pub(super) facts: Arc<SessionFacts>,
    pub(super) identity: Box<dyn Identified>,
    pub(super) log: SessionLog,
    pub(super) policy: Arc<Policy>,
    pub(super) standing: Arc<Standing>,
    /// Counts standings, so that what was decided under another one is known.
    pub(super) standing_number: u32,
    pub(super) masks: Arc<MaskProfile>,
    pub(super) masker: OnceLock<Arc<Masker>>,
    pub(super) classified: Arc<Classified>,
    /// The masks of the path asked for last.
    pub(super) path_masks: Option<PathMasks>,
    pub(super) policy_changes: watch::Receiver<u64>,
    pub(super) number: OperationNumber,
    pub(super) database: Option<DatabaseScope>,
    pub(super) altered: Altered,
    /// Its temporary tables, where they are known.
    pub(super) own_tables: Option<OwnTables>,
    pub(super) aside: Aside,
    pub(super) login: Login,
    pub(super) connect: Arc<Operation>,
    pub(super) verified: Option<Timestamp>,
}

impl Session {
    /// Judges one operation under the policy of now. `parameters` is what the operation runs with
    /// (bound values): an approval holds for these and no others.
    pub fn judge(&mut self, operation: &Arc<Operation>, parameters: &[&[u8]]) -> Judgement {
        self.judge_unless(operation, parameters, None)
    }

    /// Judges a text of statements: the policy first, then what no policy can allow (changing a
    /// setting that reading relies on, copying masked values away).
    pub fn judge_statements(
        &mut self,
        statements: &Arc<Statements>,
        parameters: &[&[u8]],
    ) -> Judgement {
        let objection = self.objection(statements);
        let judgement = self.judge_unless(&statements.operation, parameters, objection);
        match (judgement, &statements.unreadable) {
            (Judgement::Denied(_), Some(unreadable)) => {
                Judgement::Denied(Refusal::of_unreadable(unreadable))
            }
            (judgement, _) => judgement,
        }
    }

    /// Judges statements without running them (see [`Self::admit`]).
    ///
    /// # Errors
    /// The refusal, where they would be denied.
    pub fn admit_statements(&mut self, statements: &Arc<Statements>) -> Result<Permit, Refusal> {
        let objection = self.objection(statements);
        match (self.admit(&statements.operation), objection, &statements.unreadable) {
            (Err(_), _, Some(unreadable)) => Err(Refusal::of_unreadable(unreadable)),
            (Ok(_), Some(objection), _) => {
                Err(self.refuse_operation(&statements.operation, objection))
            }
            (admitted, ..) => admitted,
        }
    }

    /// Judges one more message of an operation that has already been judged (running what was
    /// bound). What is allowed now goes on under the same number, with the masks of now; an
    /// approval given to the same principal under the same policy carries on; anything else is
    /// judged anew.
    pub fn judge_further(
        &mut self,
        receipt: &Receipt,
        statements: &Arc<Statements>,
        parameters: &[&[u8]],
    ) -> Judgement {
        if self.stand().is_ok() && Arc::ptr_eq(&receipt.operation, &statements.operation) {
            let decision = self.standing.decide(&receipt.operation, self.services.clock.now());
            let goes_on = match decision.effect {
                Effect::Allow => true,
                Effect::Hold => {
                    receipt.decision.effect == Effect::Hold
                        && receipt.standing == self.standing_number
                }
                Effect::Deny => false,
            };
            if goes_on {
                return Judgement::Allowed(self.permit(
                    receipt.number,
                    &receipt.operation,
                    decision,
                ));
            }
        }
        self.judge_statements(statements, parameters)
    }

    fn judge_unless(
        &mut self,
        operation: &Arc<Operation>,
        parameters: &[&[u8]],
        objection: Option<Refusal>,
    ) -> Judgement {
        let number = self.number.next();
        self.number = number;
        if let Err(refusal) = self.stand() {
            return self.refuse(number, operation, refusal);
        }
        let now = self.services.clock.now();
        let decision = self.standing.decide(operation, now);
        if decision.effect != Effect::Deny
            && let Some(objection) = objection
        {
            return self.refuse(number, operation, objection);
        }
        self.show(number, operation, &decision, now);
        if !self.record_decision(number, operation, &decision) {
            return Judgement::Denied(not_recorded());
        }
        match (decision.effect, self.target.enforcement) {
            (Effect::Allow, _) => {
                if self.target.audit_allowed {
                    self.report(number, operation, &decision);
                }
                Judgement::Allowed(self.permit(number, operation, decision))
            }
            (_, Enforcement::Observe) => {
                self.report(number, operation, &decision);
                Judgement::Allowed(self.permit(number, operation, decision))
            }
            (Effect::Deny, Enforcement::Enforce) => {
                self.report(number, operation, &decision);
                Judgement::Denied(self.word(operation, &decision))
            }
            (Effect::Hold, Enforcement::Enforce) => {
                self.hold(number, operation, decision, parameters)
            }
        }
    }

    /// Judges without running: whether an operation could ever go, now. Nothing is counted or
    /// recorded unless it is refused; a hold is not begun, it will be when the operation runs.
    ///
    /// # Errors
    /// The refusal, where it would be denied.
    pub fn admit(&mut self, operation: &Arc<Operation>) -> Result<Permit, Refusal> {
        self.stand()?;
        let now = self.services.clock.now();
        let decision = self.standing.decide(operation, now);
        if decision.effect == Effect::Deny && self.target.enforcement == Enforcement::Enforce {
            let number = self.number.next();
            self.number = number;
            self.show(number, operation, &decision, now);
            self.record_decision(number, operation, &decision);
            self.report(number, operation, &decision);
            return Err(self.word(operation, &decision));
        }
        Ok(self.permit(self.number, operation, decision))
    }

    /// Refuses an operation for a reason that is not the policy's (masking, pins, limits), with
    /// the same record and event as a denial.
    pub fn refuse_operation(&mut self, operation: &Arc<Operation>, refusal: Refusal) -> Refusal {
        let number = self.number.next();
        self.number = number;
        match self.refuse(number, operation, refusal) {
            Judgement::Denied(refusal) => refusal,
            Judgement::Allowed(_) | Judgement::Held(_) => {
                Refusal::new(RefusalKind::Internal, "portcullis: refused")
            }
        }
    }

    /// What can befall the session from outside, to be waited for beside everything else.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes { card: Arc::clone(&self.card), policy_changes: self.policy_changes.clone() }
    }

    /// Judges the session itself again, after a change of policy.
    ///
    /// # Errors
    /// The refusal, where the session would not be let in today.
    pub async fn rejudge(&mut self) -> Result<(), Refusal> {
        self.ready().await?;
        self.take_standing()
    }

    /// What must be masked for this session.
    #[must_use]
    pub const fn masks(&self) -> &Arc<MaskProfile> {
        &self.masks
    }

    /// Ends the session.
    pub fn close(mut self, cause: SessionEnd) -> SessionEnd {
        self.log.close(&cause);
        cause
    }

    /// Makes the session ready for a batch of operations: the identity is verified again where
    /// that is due, and the recording has room. Returns at once nearly always. Operations that
    /// are judged long after the last call are refused.
    ///
    /// # Errors
    /// The refusal, where the identity no longer holds, or the session must be recorded and
    /// cannot be.
    pub async fn ready(&mut self) -> Result<(), Refusal> {
        let now = self.services.clock.now();
        if !self.identity.stands(now) {
            match self.identity.verify().await {
                Ok(false) => {}
                Ok(true) => self.take_standing()?,
                Err(because) => {
                    self.card.ending().end(SessionEnd::TokenExpired);
                    return Err(ending(&SessionEnd::TokenExpired)
                        .because(because)
                        .with_hint("Renew the workload's token; new connections will use it."));
                }
            }
        }
        self.verified = Some(self.services.clock.now());
        match self.log.ready().await {
            Err(_) if self.target.on_recording_failure == OnRecordingFailure::Deny => {
                Err(not_recorded())
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that what stands behind this session still stands.
    pub(super) fn stand(&mut self) -> Result<(), Refusal> {
        if let Some(cause) = self.card.ending().cause() {
            return Err(ending(cause));
        }
        let now = self.services.clock.now();
        if self.verified.is_none_or(|verified| now.since(verified) > VERIFIED_FOR) {
            return Err(Refusal::new(
                RefusalKind::Internal,
                "portcullis: the identity was not verified in time; try again",
            ));
        }
        if !self.services.policies.is_current(&self.policy) {
            self.take_standing()?;
        }
        Ok(())
    }

    /// Takes the standing of the principal of now under the policy of now.
    fn take_standing(&mut self) -> Result<(), Refusal> {
        self.policy_changes.mark_unchanged();
        self.policy = self.services.policies.current();
        let principal = self.identity.principal();
        self.standing = self.policy.standing(&principal, &self.target.name);
        self.standing_number = self.standing_number.wrapping_add(1);
        self.set_masks(Arc::clone(self.standing.masks()));
        self.card.set_principal(principal);
        let decision = self.standing.decide(&self.connect, self.services.clock.now());
        if decision.effect == Effect::Deny && self.target.enforcement == Enforcement::Enforce {
            self.card.ending().end(SessionEnd::PolicyChanged);
            return Err(ending(&SessionEnd::PolicyChanged)
                .because(self.word(&self.connect, &decision).message));
        }
        Ok(())
    }

    pub(super) fn permit(
        &self,
        number: OperationNumber,
        operation: &Arc<Operation>,
        decision: Arc<Decision>,
    ) -> Permit {
        Permit {
            receipt: Receipt {
                number,
                operation: Arc::clone(operation),
                decision,
                standing: self.standing_number,
                begun: Instant::now(),
            },
        }
    }

    fn refuse(
        &mut self,
        number: OperationNumber,
        operation: &Arc<Operation>,
        refusal: Refusal,
    ) -> Judgement {
        let now = self.services.clock.now();
        let decision = Arc::new(Decision {
            effect: Effect::Deny,
            reason: Reason::Refused { because: Arc::clone(&refusal.message) },
            rules: Vec::<DecidingRule>::new(),
            approvals: Vec::new(),
            masks: Arc::clone(&self.masks),
            policy: self.policy.digest(),
        });
        self.show(number, operation, &decision, now);
        self.record_decision(number, operation, &decision);
        self.report(number, operation, &decision);
        Judgement::Denied(refusal)
    }

    /// Puts the decision where `portcullis sockets` reads it.
    fn show(
        &self,
        number: OperationNumber,
        operation: &Operation,
        decision: &Decision,
        at: Timestamp,
    ) {
        self.services.events.metrics().operation_decided(decision.effect);
        self.card.decided(LastDecision {
            number,
            kind: Arc::clone(&operation.kind),
            effect: decision.effect,
            rule: decision.rule().cloned(),
            at,
        });
    }

    /// One audit line about a decision that people must see.
    pub(super) fn report(
        &self,
        number: OperationNumber,
        operation: &Operation,
        decision: &Decision,
    ) {
        self.services.events.emit(AuditEvent::OperationDecided {
            session: (*self.facts).clone(),
            operation: number,
            kind: Arc::clone(&operation.kind),
            text: self.shown_text(operation),
            resource: ResourceAsked::of(operation),
            effect: decision.effect,
            observed_only: self.target.enforcement == Enforcement::Observe,
            reason: decision.reason.clone(),
            rules: decision.rules.clone(),
            policy: decision.policy,
        });
    }

    pub(super) fn word(&self, operation: &Operation, decision: &Decision) -> Refusal {
        Refusal::of_decision(decision, &operation.kind, &self.facts.session.to_string())
    }

    /// Records a decision. False where the operation must not go on because it is not recorded.
    fn record_decision(
        &mut self,
        number: OperationNumber,
        operation: &Operation,
        decision: &Decision,
    ) -> bool {
        let shown = self.scanned(&operation.text);
        let text = cut_for_recording(shown.as_deref().unwrap_or(&operation.text));
        let recorded = self.log.decided(number, operation, &text, decision);
        recorded.is_ok() || self.target.on_recording_failure == OnRecordingFailure::Allow
    }

    /// The text with what detectors find masked; `None` where they find nothing.
    fn scanned(&self, text: &str) -> Option<String> {
        if self.masks.detectors.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        let hits = self.masker().scan_set().mask(text.as_bytes(), &mut out);
        (hits > 0).then(|| String::from_utf8_lossy(&out).into_owned())
    }

    /// The text for audit lines and approvers: scanned, and cut where it is long.
    pub(super) fn shown_text(&self, operation: &Operation) -> Arc<str> {
        let text =
            self.scanned(&operation.text).map_or_else(|| Arc::clone(&operation.text), Into::into);
        if text.len() <= AUDIT_TEXT_BYTES_MAX {
            return text;
        }
        let end = text.floor_char_boundary(AUDIT_TEXT_BYTES_MAX);
        format!("{}...", text.get(..end).unwrap_or_default()).into()
    }

    fn set_masks(&mut self, masks: Arc<MaskProfile>) {
        if masks != self.masks {
            self.masker = OnceLock::new();
            if let Some(database) = &self.database {
                self.classified = database.snapshot.classified(&masks);
            }
        }
        self.masks = masks;
    }

    pub(super) fn masker(&self) -> &Arc<Masker> {
        self.masker.get_or_init(|| {
            Arc::new(Masker::new(&self.masks, Arc::clone(&self.services.transforms)))
        })
    }

    /// Why statements must be refused whatever the policy says.
    fn objection(&self, statements: &Statements) -> Option<Refusal> {
        let pinned = statements
            .statements()
            .iter()
            .find_map(|statement| statement.settings.iter().find(|change| change.pinned));
        if let Some(change) = pinned {
            let name = change.name.as_deref().unwrap_or("a setting");
            return Some(
                Refusal::new(
                    RefusalKind::Pinned,
                    format!("portcullis: {name} is pinned for this session"),
                )
                .because("What later statements mean depends on it.")
                .with_hint("Leave it at the value the session started with."),
            );
        }
        self.masking_objection(statements)
    }
}

/// The text as a recording keeps it: the beginning of a long one, with its size and SHA-256.
fn cut_for_recording(text: &str) -> Cow<'_, str> {
    if text.len() <= RECORDED_TEXT_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(RECORDED_TEXT_BYTES_MAX);
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut rest = format!(" ... [{} bytes in all, SHA-256 ", text.len());
    rest.extend(digest.as_ref().iter().map(|byte| format!("{byte:02x}")));
    cut.push_str(&rest);
    cut.push(']');
    Cow::Owned(cut)
}

/// Words an end that was ordered.
fn ending(cause: &SessionEnd) -> Refusal {
    let message = match cause {
        SessionEnd::PolicyChanged => "portcullis: the policy no longer allows this session",
        SessionEnd::TokenExpired => "portcullis: the workload's token is no longer valid",
        SessionEnd::Killed => "portcullis: an operator ended this session",
        SessionEnd::Drained => "portcullis: the gateway is shutting down",
        _ => "portcullis: this session is ending",
    };
    Refusal::new(RefusalKind::Ending, message)
}
