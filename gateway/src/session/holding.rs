//! Holding: the part of a session in which an operation waits for people.
//!
//! Owns the step from a decision that holds to a permit, and what an approval is bound to. Must
//! not know who approves or how they are asked (`approvals`). A hold ends by [`Session::settle`], or
//! by being dropped, which cancels it.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use model::audit::{AuditEvent, HoldEnd};
use model::operation::OperationDigest;
use model::{Decision, Effect, Object, Operation, OperationNumber};

use super::card::Phase;
use super::judgement::{Held, Judgement};
use super::live::Session;
use super::permit::Permit;
use super::refusal::{Refusal, RefusalKind};
use crate::approvals::HoldRequest;

impl Session {
    /// Makes a permit or a refusal out of a hold that has ended.
    ///
    /// # Errors
    /// The refusal, unless the hold was approved and the policy of now still asks for no more.
    pub async fn settle(&mut self, held: Held, cancelled: bool) -> Result<Permit, Refusal> {
        self.card.set_phase(Phase::Live);
        let rule = held.decision.rule().cloned();
        let id = held.id();
        let outcome = held.waiting.settle(cancelled);
        self.log.hold_ended(held.number, id, &outcome);
        let kind = match outcome.end {
            HoldEnd::Approved => {
                // Long may have passed: the token too must be good at the moment it runs.
                self.ready().await?;
                return self.still_good(held.number, &held.operation, &held.decision);
            }
            HoldEnd::Rejected => RefusalKind::HoldRejected,
            HoldEnd::Expired => RefusalKind::HoldExpired,
            HoldEnd::Cancelled => RefusalKind::HoldCancelled,
        };
        let mut refusal = Refusal::of_hold(kind, id, rule);
        if let Some(comment) = outcome.comment {
            refusal = refusal.because(format!("The approver says: {comment}"));
        }
        Err(refusal)
    }

    pub(super) fn hold(
        &mut self,
        number: OperationNumber,
        operation: &Arc<Operation>,
        decision: Arc<Decision>,
        parameters: &[&[u8]],
    ) -> Judgement {
        self.report(number, operation, &decision);
        let digest = self.digest(operation, &decision, parameters);
        let asked = self.services.approvals.open(HoldRequest {
            session: Arc::clone(&self.facts),
            operation: number,
            kind: Arc::clone(&operation.kind),
            text: self.shown_text(operation),
            digest,
            requirements: decision.approvals.clone(),
            uid: self.card.binding.user.uid,
            cgroup: self.card.attestation.cgroup_path.clone(),
        });
        match asked {
            Ok(waiting) => {
                self.card.set_phase(Phase::Held);
                self.log.held(number, waiting.id(), waiting.expires());
                self.services.events.emit(AuditEvent::HoldStarted {
                    session: (*self.facts).clone(),
                    hold: waiting.id(),
                    operation: number,
                    text: self.shown_text(operation),
                    expires_us: waiting.expires(),
                });
                Judgement::Held(Held {
                    waiting,
                    number,
                    operation: Arc::clone(operation),
                    decision,
                })
            }
            Err(error) => Judgement::Denied(
                Refusal::new(RefusalKind::Limit, "portcullis: the operation cannot be held")
                    .because(error.to_string()),
            ),
        }
    }

    /// An approval was given under one policy; if another is in force now, ask it again.
    fn still_good(
        &mut self,
        number: OperationNumber,
        operation: &Arc<Operation>,
        approved: &Arc<Decision>,
    ) -> Result<Permit, Refusal> {
        self.stand()?;
        if self.policy.digest() == approved.policy {
            return Ok(self.permit(number, operation, Arc::clone(approved)));
        }
        let now = self.services.clock.now();
        let decision = self.standing.decide(operation, now);
        match decision.effect {
            Effect::Allow => Ok(self.permit(number, operation, decision)),
            Effect::Deny => Err(self.word(operation, &decision)),
            Effect::Hold => Err(Refusal::new(
                RefusalKind::HoldExpired,
                "portcullis: the policy changed while the operation was held",
            )
            .because("The approval was given under another policy and does not carry over.")
            .with_hint("Run it again and have it approved under the policy of now.")),
        }
    }

    /// What an approval is bound to.
    fn digest(
        &self,
        operation: &Operation,
        decision: &Decision,
        parameters: &[&[u8]],
    ) -> OperationDigest {
        let mut context = Context::new(&SHA256);
        let mut part = |bytes: &[u8]| {
            // Each part with its length, so that no two lists of parts read the same.
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        };
        part(operation.kind.as_bytes());
        part(operation.text.as_bytes());
        for access in &*operation.accesses {
            part(access.to_string().as_bytes());
            // The values of a query are not shown, and are approved all the same.
            if let Object::Request(request) = &access.object {
                for (name, value) in request.query.iter().chain(&request.headers) {
                    part(name.as_bytes());
                    part(value.as_bytes());
                }
            }
        }
        for parameter in parameters {
            part(parameter);
        }
        part(self.target.name.as_str().as_bytes());
        part(self.facts.session.to_string().as_bytes());
        part(self.identity.principal().to_string().as_bytes());
        part(decision.policy.as_bytes());
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        OperationDigest(digest)
    }
}
