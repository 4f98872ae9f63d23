//! Users of the host as approvers.

use std::time::Duration;

use model::audit::{HoldEnd, SessionFacts};
use model::operation::OperationDigest;
use model::{ApprovalRequirement, Clock, OperationNumber, Protocol, SessionId, Timestamp};

use super::*;
use crate::approvals::{HoldRequest, Waiting};

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1)
    }
}

/// A hold of uid 999 in `/system.slice/job.service` that asks two of oncall.
fn held() -> (UnixApprovers, Waiting) {
    let approvals = Approvals::new(Arc::new(Still), 4);
    let waiting = approvals.open(HoldRequest {
        session: Arc::new(SessionFacts {
            session: SessionId::from_u128(1),
            workload: "job".into(),
            subject: None,
            target: "analytics".into(),
            protocol: Protocol::Postgres,
            pid: 7,
        }),
        operation: OperationNumber(3),
        kind: "drop table".into(),
        text: "DROP TABLE users".into(),
        digest: OperationDigest([7; 32]),
        requirements: vec![ApprovalRequirement {
            group: "oncall".into(),
            count: 2,
            within: Duration::from_secs(600),
        }],
        uid: 999,
        cgroup: "/system.slice/job.service".into(),
    });
    (UnixApprovers::by_unix_group(approvals), waiting.unwrap())
}

fn peer(uid: u32, user: &str, groups: &[&str], cgroup: Option<&str>) -> Peer {
    Peer {
        uid,
        user: Some(user.into()),
        unix_groups: groups.iter().map(|group| Arc::from(*group)).collect(),
        cgroup: cgroup.map(Into::into),
    }
}

fn alice() -> Peer {
    peer(1000, "alice", &["oncall"], Some("/user.slice/user-1000.slice"))
}

#[tokio::test]
async fn members_of_the_unix_group_make_the_quorum() {
    let (approvers, waiting) = held();
    let id = waiting.id();
    let view = approvers.holds().pop().unwrap();
    assert_eq!((view.id, view.kind.as_str(), view.pid), (id, "drop table", 7));
    let vote = VoteRequest { comment: Some("fine".into()), digest: Some(view.digest) };
    let first = approvers.approve(id, &alice(), vote.clone()).unwrap();
    assert!(!first.ended);
    assert_eq!(first.by, "uid 1000 (alice)");
    assert_eq!(first.missing, [RequirementView { group: "oncall".into(), count: 1 }]);
    let again = approvers.approve(id, &alice(), vote.clone()).unwrap_err();
    assert_eq!(again.kind, ProblemKind::Conflict);
    let bob = peer(1001, "bob", &["users", "oncall"], Some("/user.slice"));
    assert!(approvers.approve(id, &bob, vote.clone()).unwrap().ended);
    let outcome = waiting.settle(false);
    assert_eq!(outcome.end, HoldEnd::Approved);
    assert_eq!(outcome.by, ["alice".into(), "bob".into()]);
    let late = approvers.approve(id, &bob, vote).unwrap_err();
    assert_eq!(late.kind, ProblemKind::NotFound);
}

#[tokio::test]
async fn who_may_not_vote_is_told_why_and_the_hold_stays() {
    let (approvers, waiting) = held();
    let outsider = peer(1002, "eve", &["users"], Some("/user.slice"));
    let same_user = peer(999, "job", &["oncall"], Some("/user.slice"));
    let inside = peer(0, "root", &["oncall"], Some("/system.slice/job.service/child"));
    let unknown = peer(1000, "alice", &["oncall"], None);
    for (peer, why) in [
        (&outsider, "none of the groups"),
        (&same_user, "cannot approve itself"),
        (&inside, "cannot approve itself"),
        (&unknown, "cgroup of your process"),
    ] {
        for result in [
            approvers.approve(waiting.id(), peer, VoteRequest::default()),
            approvers.reject(waiting.id(), peer, VoteRequest::default()),
        ] {
            let problem = result.unwrap_err();
            assert_eq!(problem.kind, ProblemKind::Forbidden);
            assert!(problem.message.contains(why), "{}", problem.message);
            assert!(problem.remedy.is_some());
        }
    }
    let other = VoteRequest { comment: None, digest: Some("00".repeat(32)) };
    let problem = approvers.approve(waiting.id(), &alice(), other).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Conflict);
    assert_eq!(approvers.holds().len(), 1);
    let voted = approvers.reject(waiting.id(), &alice(), VoteRequest::default()).unwrap();
    assert!(voted.ended);
}

#[tokio::test]
async fn a_process_is_told_by_the_kernel() {
    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    let peer = Peer::of(&ours.peer_cred().unwrap());
    assert_eq!(peer.uid, nix::unistd::geteuid().as_raw());
    assert!(peer.cgroup.is_some_and(|cgroup| cgroup.starts_with('/')));
    drop(theirs);
}
