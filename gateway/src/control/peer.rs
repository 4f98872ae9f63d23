//! Who is at the other end of the control socket.
//!
//! Owns the reading of the kernel's word about the peer and of the user database, and the turning
//! of a peer into an approver. Must not trust anything the peer says itself.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fmt;
use std::sync::Arc;

use model::{Group, HoldId};
use nix::unistd::{Gid, Group as UnixGroup, Uid, User, getgrouplist};

use super::handles::ApprovalsHandle;
use super::problem::{Problem, ProblemKind};
use super::view::{HoldView, RequirementView, VoteRequest, VoteView};
use crate::approvals::{self, Approvals, Approver, VoteError};

/// The process at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// User id, as the kernel says (`SO_PEERCRED`).
    pub uid: u32,
    /// Name of the user, where the user database has one.
    pub user: Option<Arc<str>>,
    /// Names of the groups the user database gives that user.
    pub unix_groups: BTreeSet<Arc<str>>,
    /// Path of the process's cgroup below the cgroup2 root; `None` where it could not be read.
    pub cgroup: Option<Arc<str>>,
}

impl Peer {
    /// Reads the peer of an accepted connection.
    #[must_use]
    pub fn of(credentials: &tokio::net::unix::UCred) -> Self {
        let user = User::from_uid(Uid::from_raw(credentials.uid())).ok().flatten();
        Self {
            uid: credentials.uid(),
            unix_groups: groups_of(user.as_ref(), credentials.gid()),
            user: user.map(|user| user.name.into()),
            cgroup: credentials.pid().and_then(cgroup_of),
        }
    }
}

impl fmt::Display for Peer {
    /// `uid 1000 (alice)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {}", self.uid)?;
        match &self.user {
            Some(user) => write!(f, " ({user})"),
            None => Ok(()),
        }
    }
}

fn groups_of(user: Option<&User>, gid: u32) -> BTreeSet<Arc<str>> {
    let mut gids = vec![Gid::from_raw(gid)];
    if let Some(user) = user
        && let Ok(name) = CString::new(user.name.as_str())
        && let Ok(more) = getgrouplist(&name, user.gid)
    {
        gids.extend(more);
    }
    let name = |gid: Gid| UnixGroup::from_gid(gid).ok().flatten().map(|group| group.name.into());
    gids.into_iter().filter_map(name).collect()
}

/// The cgroup2 line of `/proc/PID/cgroup` (cgroups(7)): `0::/path`.
fn cgroup_of(pid: i32) -> Option<Arc<str>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(Into::into)
}

/// Gives a peer its approver groups.
pub type GroupsOf = dyn Fn(&Peer) -> BTreeSet<Group> + Send + Sync;

/// The approvals of people who are users of this host.
#[derive(Clone)]
pub struct UnixApprovers {
    approvals: Arc<Approvals>,
    groups_of: Arc<GroupsOf>,
}

impl fmt::Debug for UnixApprovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnixApprovers")
    }
}

impl UnixApprovers {
    /// With a mapping of the configuration's own.
    pub fn new(
        approvals: Arc<Approvals>,
        groups_of: impl Fn(&Peer) -> BTreeSet<Group> + Send + Sync + 'static,
    ) -> Self {
        Self { approvals, groups_of: Arc::new(groups_of) }
    }

    /// Where a user's approver groups are simply their unix groups.
    #[must_use]
    pub fn by_unix_group(approvals: Arc<Approvals>) -> Self {
        Self::new(approvals, |peer| peer.unix_groups.iter().map(|n| Group::new(&**n)).collect())
    }

    /// An approver's own cgroup tells them from the workload; who has none is not believed.
    fn approver(&self, peer: &Peer) -> Result<Approver, Problem> {
        let cgroup = peer.cgroup.as_ref().ok_or_else(|| {
            Problem::new(ProblemKind::Forbidden, "the cgroup of your process could not be read")
                .with_remedy("Approve from a process that lives until it has the answer.")
        })?;
        let name = peer.user.clone().unwrap_or_else(|| format!("uid {}", peer.uid).into());
        Ok(Approver {
            name,
            uid: peer.uid,
            groups: (self.groups_of)(peer),
            cgroup: Some(cgroup.to_string()),
        })
    }
}

impl ApprovalsHandle for UnixApprovers {
    fn holds(&self) -> Vec<HoldView> {
        self.approvals.list().iter().map(view_of).collect()
    }

    fn approve(&self, hold: HoldId, peer: &Peer, vote: VoteRequest) -> Result<VoteView, Problem> {
        let approver = self.approver(peer)?;
        // The digest is compared as text: one that is not well-formed is simply another one.
        if let Some(digest) = vote.digest {
            let found = self.approvals.list().into_iter().find(|view| view.id == hold);
            if found.is_some_and(|view| view.digest.to_string() != digest) {
                return Err(problem_of(VoteError::OtherOperation, &approver));
            }
        }
        let comment = vote.comment.map(Into::into);
        let progress = self.approvals.approve(hold, &approver, comment, None);
        progress.map(|p| vote_of(hold, peer, p)).map_err(|error| problem_of(error, &approver))
    }

    fn reject(&self, hold: HoldId, peer: &Peer, vote: VoteRequest) -> Result<VoteView, Problem> {
        let approver = self.approver(peer)?;
        let progress = self.approvals.reject(hold, &approver, vote.comment.map(Into::into));
        progress.map(|p| vote_of(hold, peer, p)).map_err(|error| problem_of(error, &approver))
    }
}

fn vote_of(id: HoldId, peer: &Peer, progress: approvals::Progress) -> VoteView {
    let missing = progress.missing.into_iter();
    VoteView {
        id,
        by: peer.to_string(),
        ended: progress.ended,
        missing: missing
            .map(|(g, count)| RequirementView { group: g.to_string(), count })
            .collect(),
    }
}

fn problem_of(error: VoteError, approver: &Approver) -> Problem {
    let (kind, remedy) = match error {
        VoteError::NoSuchHold => {
            (ProblemKind::NotFound, "List the open holds with `portcullis approvals list`.".into())
        }
        VoteError::Expired => {
            (ProblemKind::Conflict, "The workload may run the operation again.".into())
        }
        VoteError::Requester => (ProblemKind::Forbidden, "Ask another approver.".into()),
        VoteError::NotAnApprover => {
            let mine: Vec<_> = approver.groups.iter().map(Group::as_str).collect();
            let remedy = format!(
                "Ask a member of the group that is asked. Your groups are: {}.",
                if mine.is_empty() { "none".to_owned() } else { mine.join(", ") }
            );
            (ProblemKind::Forbidden, remedy)
        }
        VoteError::Again => (ProblemKind::Conflict, "Ask another approver.".into()),
        VoteError::OtherOperation => {
            (ProblemKind::Conflict, "Look again with `portcullis approvals list`.".into())
        }
    };
    Problem::new(kind, error.to_string()).with_remedy(remedy)
}

fn view_of(hold: &approvals::HoldView) -> HoldView {
    let need = |need: &model::ApprovalRequirement| RequirementView {
        group: need.group.to_string(),
        count: need.count,
    };
    HoldView {
        id: hold.id,
        session: hold.session.session,
        workload: hold.session.workload.clone(),
        subject: hold.session.subject.as_ref().map(|subject| subject.subject.clone()),
        pid: hold.session.pid,
        target: hold.session.target.clone(),
        operation: hold.operation,
        kind: hold.kind.to_string(),
        text: hold.text.to_string(),
        digest: hold.digest.to_string(),
        requirements: hold.requirements.iter().map(need).collect(),
        approved_by: hold.approved_by.iter().map(ToString::to_string).collect(),
        since_us: hold.since,
        expires_us: hold.expires,
    }
}

#[cfg(test)]
mod tests;
