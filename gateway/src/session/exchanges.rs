//! What protocols of requests and answers ask of a session beside the rest.
//!
//! Owns no state of its own but the masks of the path asked for last. Must not know a protocol. See
//! `live` for the life of a session.

use std::sync::Arc;

use masking::body::{FieldSet, Place};
use model::audit::AuditEvent;
use model::{Action, Clock, Effect, MaskProfile, Operation};

use super::live::Session;
use super::permit::Receipt;
use super::refusal::Refusal;
use super::target::Enforcement;
use crate::credentials::Tokens;

/// The masks of the bodies at one path.
#[derive(Debug)]
pub(super) struct PathMasks {
    profile: Arc<MaskProfile>,
    path: Box<str>,
    set: Option<Arc<FieldSet>>,
}

impl Session {
    /// What is masked in the bodies at a place, under the decision of a receipt; `None` where
    /// nothing is. The driver of a target asks about places of one kind only.
    pub fn fields(&mut self, receipt: &Receipt, place: &Place<'_>) -> Option<Arc<FieldSet>> {
        let (profile, path) = (receipt.masks(), place.path());
        // Jobs ask for one path over and over.
        if let Some(last) = &self.path_masks
            && Arc::ptr_eq(&last.profile, profile)
            && *last.path == *path
        {
            return last.set.clone();
        }
        let set = FieldSet::new(profile, place, &self.services.transforms);
        let set = (!set.is_empty()).then(|| Arc::new(set));
        self.path_masks =
            Some(PathMasks { profile: Arc::clone(profile), path: path.into(), set: set.clone() });
        set
    }

    /// Whether an operation would have to wait for people, now. Nothing is counted or recorded.
    #[must_use]
    pub fn would_hold(&self, operation: &Operation) -> bool {
        let decision = self.standing.decide(operation, self.services.clock.now());
        decision.effect == Effect::Hold && self.target.enforcement == Enforcement::Enforce
    }

    /// Judges what an operation was answered with: only rules that deny are asked. `answer` is made
    /// where there is one.
    ///
    /// # Errors
    /// The refusal, where the workload may not see it.
    pub fn judge_answer(
        &mut self,
        receipt: &Receipt,
        answer: impl FnOnce() -> Arc<Operation>,
    ) -> Result<(), Refusal> {
        if !self.standing.speaks_of(Action::Answer) {
            return Ok(());
        }
        let answer = answer();
        let Some(decision) = self.standing.denies(&answer, self.services.clock.now()) else {
            return Ok(());
        };
        self.report(receipt.number, &answer, &decision);
        match self.target.enforcement {
            Enforcement::Observe => Ok(()),
            Enforcement::Enforce => Err(self.word(&answer, &decision)),
        }
    }

    /// The headers that conditions of the policy of now ask for, in lower case.
    #[must_use]
    pub fn request_headers(&self) -> Arc<[Arc<str>]> {
        self.policy.request_headers().into()
    }

    /// Where tokens come from that must be fetched.
    #[must_use]
    pub fn tokens(&self) -> &Arc<Tokens> {
        self.services.credentials.tokens()
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.services.clock
    }

    /// Reports a client that goes away when it is shown the gateway's certificate.
    pub fn certificate_refused(&self, executable: &str, name: &str, remedy: &str) {
        self.services.events.emit(AuditEvent::CertificateRefused {
            session: (*self.facts).clone(),
            executable: executable.into(),
            name: name.into(),
            remedy: remedy.into(),
        });
    }
}
