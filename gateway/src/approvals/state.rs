//! The state machine of one hold.
//!
//! Owns who has voted and the end. Must not know time or tables: it is told whether the hold has
//! expired. An end is final.
//!
//! ```text
//!            yes, quorum missing
//!              ┌─────┐
//!   Waiting ───┴──▶ Waiting ── yes, every quorum met ──▶ Approved
//!      ├── no ─────────────────────────────────────────▶ Rejected
//!      ├── time over ──────────────────────────────────▶ Expired
//!      └── client gone ────────────────────────────────▶ Cancelled
//! ```

use std::sync::Arc;

use model::audit::HoldEnd;
use model::{ApprovalRequirement, Group};

use super::{Approver, Outcome};

#[derive(Debug, Default)]
pub(super) struct State {
    yes: Vec<Approver>,
    comment: Option<Arc<str>>,
    end: Option<(HoldEnd, Vec<Arc<str>>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vote {
    Yes,
    No,
}

/// Where a hold stands after a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Whether the hold has ended by this vote.
    pub ended: bool,
    /// What is still missing, `(group, votes)`.
    pub missing: Vec<(Group, u32)>,
}

/// Why a vote does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoteError {
    /// There is no such open hold: it never was, or it has ended.
    #[error("no such hold is open; it may have been decided, expired, or its client is gone")]
    NoSuchHold,
    /// The hold's time is over.
    #[error("the hold has expired")]
    Expired,
    /// The workload itself asks.
    #[error("the workload that asks cannot approve itself")]
    Requester,
    /// The approver belongs to no group that is asked.
    #[error("you belong to none of the groups that must approve this")]
    NotAnApprover,
    /// One person counts once.
    #[error("you have already approved this; another approver is needed")]
    Again,
    /// The digest given is not the hold's.
    #[error("the hold is for another operation than the one you looked at")]
    OtherOperation,
}

impl State {
    pub(super) fn vote(
        &mut self,
        requirements: &[ApprovalRequirement],
        approver: &Approver,
        comment: Option<Arc<str>>,
        vote: Vote,
        expired: bool,
    ) -> Result<Progress, VoteError> {
        if self.end.is_some() {
            return Err(VoteError::NoSuchHold);
        }
        if expired {
            return Err(VoteError::Expired);
        }
        if !requirements.iter().any(|need| approver.groups.contains(&need.group)) {
            return Err(VoteError::NotAnApprover);
        }
        if vote == Vote::No {
            self.comment = comment;
            self.end = Some((HoldEnd::Rejected, vec![Arc::clone(&approver.name)]));
            return Ok(Progress { ended: true, missing: Vec::new() });
        }
        if self.yes.iter().any(|earlier| earlier.uid == approver.uid) {
            return Err(VoteError::Again);
        }
        self.yes.push(approver.clone());
        self.comment = comment.or_else(|| self.comment.take());
        let missing = self.missing(requirements);
        let ended = missing.is_empty();
        if ended {
            self.end = Some((HoldEnd::Approved, self.approved_by()));
        }
        Ok(Progress { ended, missing })
    }

    /// The end, made now if there is none yet. A client that cancels beats an approval that has
    /// not been acted on.
    pub(super) fn finish(&mut self, otherwise: HoldEnd, cancelled: bool) -> Outcome {
        if cancelled && !matches!(self.end, Some((HoldEnd::Rejected, _))) {
            self.end = Some((HoldEnd::Cancelled, Vec::new()));
        }
        let (end, by) = self.end.get_or_insert_with(|| (otherwise, Vec::new())).clone();
        Outcome { end, by, comment: self.comment.clone() }
    }

    pub(super) fn approved_by(&self) -> Vec<Arc<str>> {
        self.yes.iter().map(|approver| Arc::clone(&approver.name)).collect()
    }

    fn missing(&self, requirements: &[ApprovalRequirement]) -> Vec<(Group, u32)> {
        requirements
            .iter()
            .filter_map(|need| {
                let have = self
                    .yes
                    .iter()
                    .filter(|approver| approver.groups.contains(&need.group))
                    .count();
                let have = u32::try_from(have).unwrap_or(u32::MAX);
                let missing = need.count.max(1).saturating_sub(have);
                (missing > 0).then(|| (need.group.clone(), missing))
            })
            .collect()
    }
}
