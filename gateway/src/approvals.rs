//! Holds: operations that wait for people.
//!
//! Owns every open hold and who may end it how. Must not know what is held (it sees a digest and a
//! text), what a session is, or who delivers a vote. A hold is in the table from [`Approvals::open`]
//! until its [`Waiting`] is settled or dropped; dropping is a cancellation, so a client that went
//! away can no longer be approved. Holds do not outlive the daemon: neither do their sockets.

mod state;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::audit::{HoldEnd, SessionFacts};
use model::operation::OperationDigest;
use model::{ApprovalRequirement, Clock, Group, HoldId, OperationNumber, Timestamp, WorkloadName};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::watch;

pub use state::{Progress, VoteError};
use state::{State, Vote};

/// All open holds.
#[derive(Debug)]
pub struct Approvals {
    clock: Arc<dyn Clock>,
    per_workload_max: usize,
    open: Mutex<FxHashMap<HoldId, Arc<Entry>>>,
}

/// What is asked to be held.
#[derive(Debug)]
pub struct HoldRequest {
    /// The session that asks.
    pub session: Arc<SessionFacts>,
    /// The operation's number in it.
    pub operation: OperationNumber,
    /// The operation's kind.
    pub kind: Arc<str>,
    /// The operation as people may read it.
    pub text: Arc<str>,
    /// What an approval is bound to.
    pub digest: OperationDigest,
    /// Who must approve; all of them.
    pub requirements: Vec<ApprovalRequirement>,
    /// The user id that asks.
    pub uid: u32,
    /// The cgroup that asks, as a path below the cgroup2 root.
    pub cgroup: String,
}

/// Somebody who votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// Their name, for people: `alice` or `uid 1000`.
    pub name: Arc<str>,
    /// Their user id, as the kernel says.
    pub uid: u32,
    /// The approver groups they belong to.
    pub groups: BTreeSet<Group>,
    /// The cgroup their process is in, where known.
    pub cgroup: Option<String>,
}

/// A hold as people see it.
#[derive(Clone, Debug)]
pub struct HoldView {
    /// The hold.
    pub id: HoldId,
    /// The session that waits.
    pub session: Arc<SessionFacts>,
    /// The operation's number in it.
    pub operation: OperationNumber,
    /// The operation's kind.
    pub kind: Arc<str>,
    /// The operation.
    pub text: Arc<str>,
    /// What an approval is bound to.
    pub digest: OperationDigest,
    /// Who must approve.
    pub requirements: Vec<ApprovalRequirement>,
    /// Who has approved so far.
    pub approved_by: Vec<Arc<str>>,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
}

/// How a hold ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How.
    pub end: HoldEnd,
    /// Who voted for that end.
    pub by: Vec<Arc<str>>,
    /// What the last of them said.
    pub comment: Option<Arc<str>>,
}

/// Why an operation cannot be held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workload {workload} already has {max} held operations, the most its limits allow")]
pub struct TooManyHolds {
    workload: WorkloadName,
    max: usize,
}

#[derive(Debug)]
struct Entry {
    id: HoldId,
    request: HoldRequest,
    since: Timestamp,
    expires: Timestamp,
    state: Mutex<State>,
    ended: watch::Sender<bool>,
}

impl Approvals {
    /// No holds yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, per_workload_max: usize) -> Arc<Self> {
        Arc::new(Self { clock, per_workload_max, open: Mutex::default() })
    }

    /// Opens a hold. It expires after the shortest span of its requirements.
    ///
    /// # Errors
    /// Where the workload has as many holds as its limits allow.
    pub fn open(self: &Arc<Self>, request: HoldRequest) -> Result<Waiting, TooManyHolds> {
        let since = self.clock.now();
        let within =
            request.requirements.iter().map(|need| need.within).min().unwrap_or(Duration::ZERO);
        let workload = request.session.workload.clone();
        let mut open = self.open.lock();
        let have = open.values().filter(|entry| entry.request.session.workload == workload).count();
        if have >= self.per_workload_max {
            return Err(TooManyHolds { workload, max: self.per_workload_max });
        }
        let entry = Arc::new(Entry {
            id: HoldId::from_u128(uuid::Uuid::now_v7().as_u128()),
            request,
            since,
            expires: since.after(within),
            state: Mutex::new(State::default()),
            ended: watch::Sender::new(false),
        });
        open.insert(entry.id, Arc::clone(&entry));
        drop(open);
        let deadline = tokio::time::Instant::now() + within;
        Ok(Waiting { approvals: Arc::clone(self), entry, deadline })
    }

    /// Every open hold, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<HoldView> {
        let entries: Vec<_> = self.open.lock().values().map(Arc::clone).collect();
        let mut views: Vec<_> = entries.iter().map(|entry| entry.view()).collect();
        views.sort_by_key(|view| view.id);
        views
    }

    /// Votes for a hold. `digest`, where given, must be the hold's own: whoever looked at one
    /// operation cannot approve another.
    ///
    /// # Errors
    /// Where there is no such open hold, or this approver may not vote on it.
    pub fn approve(
        &self,
        hold: HoldId,
        approver: &Approver,
        comment: Option<Arc<str>>,
        digest: Option<OperationDigest>,
    ) -> Result<Progress, VoteError> {
        self.vote(hold, approver, comment, digest, Vote::Yes)
    }

    /// Votes against a hold; one vote ends it.
    ///
    /// # Errors
    /// As [`Self::approve`].
    pub fn reject(
        &self,
        hold: HoldId,
        approver: &Approver,
        comment: Option<Arc<str>>,
    ) -> Result<Progress, VoteError> {
        self.vote(hold, approver, comment, None, Vote::No)
    }

    fn vote(
        &self,
        hold: HoldId,
        approver: &Approver,
        comment: Option<Arc<str>>,
        digest: Option<OperationDigest>,
        vote: Vote,
    ) -> Result<Progress, VoteError> {
        let entry = self.open.lock().get(&hold).map(Arc::clone).ok_or(VoteError::NoSuchHold)?;
        if digest.is_some_and(|digest| digest != entry.request.digest) {
            return Err(VoteError::OtherOperation);
        }
        if entry.is_requester(approver) {
            return Err(VoteError::Requester);
        }
        let expired = self.clock.now() >= entry.expires;
        let progress = entry.state.lock().vote(
            &entry.request.requirements,
            approver,
            comment,
            vote,
            expired,
        )?;
        if progress.ended {
            entry.ended.send_replace(true);
        }
        Ok(progress)
    }
}

impl Entry {
    /// The workload cannot approve itself: not by its user id (root is told apart by the cgroup
    /// alone), and not from inside its own cgroup.
    fn is_requester(&self, approver: &Approver) -> bool {
        let same_user = approver.uid != 0 && approver.uid == self.request.uid;
        let own = self.request.cgroup.trim_end_matches('/');
        let inside = approver.cgroup.as_deref().is_some_and(|cgroup| {
            !own.is_empty()
                && cgroup
                    .strip_prefix(own)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        same_user || inside
    }

    fn view(&self) -> HoldView {
        HoldView {
            id: self.id,
            session: Arc::clone(&self.request.session),
            operation: self.request.operation,
            kind: Arc::clone(&self.request.kind),
            text: Arc::clone(&self.request.text),
            digest: self.request.digest,
            requirements: self.request.requirements.clone(),
            approved_by: self.state.lock().approved_by(),
            since: self.since,
            expires: self.expires,
        }
    }
}

/// The waiting side of a hold. Dropping it cancels the hold.
#[derive(Debug)]
pub struct Waiting {
    approvals: Arc<Approvals>,
    entry: Arc<Entry>,
    deadline: tokio::time::Instant,
}

impl Waiting {
    /// The hold.
    #[must_use]
    pub fn id(&self) -> HoldId {
        self.entry.id
    }

    /// When it expires.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.entry.expires
    }

    /// Resolves when somebody has decided or the time is over. Cancel-safe.
    pub async fn ended(&self) {
        let mut ended = self.entry.ended.subscribe();
        tokio::select! {
            biased; // A vote that came in time counts, even if the timer fired as well.
            _changed = ended.wait_for(|ended| *ended) => {}
            () = tokio::time::sleep_until(self.deadline) => {}
        }
    }

    /// Takes the hold out of the table and says how it ended. Called before anybody has decided,
    /// the hold is cancelled or, where its time is over, expired. An end counts once: a vote that
    /// comes later finds no hold.
    #[must_use]
    pub fn settle(self, cancelled: bool) -> Outcome {
        let expired = tokio::time::Instant::now() >= self.deadline;
        let otherwise = if expired && !cancelled { HoldEnd::Expired } else { HoldEnd::Cancelled };
        self.entry.state.lock().finish(otherwise, cancelled)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.approvals.open.lock().remove(&self.entry.id);
        let _outcome = self.entry.state.lock().finish(HoldEnd::Cancelled, false);
    }
}

#[cfg(test)]
mod tests;
