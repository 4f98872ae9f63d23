//! Holds, from opening to every end.

use std::time::Duration;

use model::{Protocol, SessionId};

use super::*;

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_000)
    }
}

fn request(count: u32, within: Duration) -> HoldRequest {
    HoldRequest {
        session: Arc::new(SessionFacts {
            session: SessionId::from_u128(1),
            workload: "nightly-report".into(),
            subject: None,
            target: "analytics".into(),
            protocol: Protocol::Postgres,
            pid: 1,
        }),
        operation: OperationNumber(1),
        kind: "drop table".into(),
        text: "DROP TABLE old".into(),
        digest: OperationDigest([1; 32]),
        requirements: vec![ApprovalRequirement { group: "oncall".into(), count, within }],
        uid: 1000,
        cgroup: String::from("/system.slice/nightly-report.service"),
    }
}

fn approver(uid: u32) -> Approver {
    Approver {
        name: format!("uid {uid}").into(),
        uid,
        groups: [Group::from("oncall")].into(),
        cgroup: Some(String::from("/user.slice")),
    }
}

fn approvals() -> Arc<Approvals> {
    Approvals::new(Arc::new(Noon), 2)
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_approved_hold_ends_once_and_leaves_the_table() {
    let approvals = approvals();
    let waiting = approvals.open(request(1, MINUTE)).unwrap();
    let id = waiting.id();
    assert_eq!(approvals.list().len(), 1);
    assert!(approvals.approve(id, &approver(7), None, None).unwrap().ended);
    assert_eq!(approvals.approve(id, &approver(8), None, None), Err(VoteError::NoSuchHold));
    waiting.ended().await;
    let outcome = waiting.settle(false);
    assert_eq!((outcome.end, outcome.by), (HoldEnd::Approved, vec!["uid 7".into()]));
    assert!(approvals.list().is_empty());
}

#[tokio::test]
async fn a_quorum_counts_people_not_votes() {
    let approvals = approvals();
    let waiting = approvals.open(request(2, MINUTE)).unwrap();
    let first = approvals.approve(waiting.id(), &approver(7), None, None).unwrap();
    assert_eq!((first.ended, first.missing), (false, vec![("oncall".into(), 1)]));
    assert_eq!(approvals.approve(waiting.id(), &approver(7), None, None), Err(VoteError::Again));
    assert!(approvals.approve(waiting.id(), &approver(8), None, None).unwrap().ended);
}

#[tokio::test]
async fn the_workload_cannot_approve_itself() {
    let approvals = approvals();
    let waiting = approvals.open(request(1, MINUTE)).unwrap();
    let vote = |approver: &Approver| approvals.approve(waiting.id(), approver, None, None);
    assert_eq!(vote(&approver(1000)), Err(VoteError::Requester));
    let inside = |path: &str| Approver { cgroup: Some(path.to_owned()), ..approver(0) };
    assert_eq!(vote(&inside("/system.slice/nightly-report.service")), Err(VoteError::Requester));
    assert_eq!(vote(&inside("/system.slice/nightly-report.service/x")), Err(VoteError::Requester));
    assert!(vote(&inside("/system.slice/nightly-report.service2")).is_ok());
}

#[tokio::test]
async fn only_a_member_of_an_asked_group_votes_and_only_on_what_they_saw() {
    let approvals = approvals();
    let waiting = approvals.open(request(1, MINUTE)).unwrap();
    let stranger = Approver { groups: BTreeSet::new(), ..approver(7) };
    assert_eq!(approvals.reject(waiting.id(), &stranger, None), Err(VoteError::NotAnApprover));
    let other = Some(OperationDigest([2; 32]));
    assert_eq!(
        approvals.approve(waiting.id(), &approver(7), None, other),
        Err(VoteError::OtherOperation)
    );
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_hold_expires() {
    let waiting = approvals().open(request(1, MINUTE)).unwrap();
    waiting.ended().await;
    assert_eq!(waiting.settle(false).end, HoldEnd::Expired);
}

#[tokio::test]
async fn one_rejection_ends_it_with_its_comment() {
    let approvals = approvals();
    let waiting = approvals.open(request(2, MINUTE)).unwrap();
    approvals.reject(waiting.id(), &approver(7), Some("not tonight".into())).unwrap();
    let outcome = waiting.settle(false);
    assert_eq!(outcome.end, HoldEnd::Rejected);
    assert_eq!(outcome.comment.as_deref(), Some("not tonight"));
}

#[tokio::test]
async fn a_client_that_goes_away_cannot_be_approved() {
    let approvals = approvals();
    let waiting = approvals.open(request(1, MINUTE)).unwrap();
    let id = waiting.id();
    drop(waiting);
    assert_eq!(approvals.approve(id, &approver(7), None, None), Err(VoteError::NoSuchHold));

    let waiting = approvals.open(request(1, MINUTE)).unwrap();
    approvals.approve(waiting.id(), &approver(7), None, None).unwrap();
    assert_eq!(waiting.settle(true).end, HoldEnd::Cancelled, "a cancel beats a fresh approval");
}

#[tokio::test]
async fn a_workload_holds_no_more_than_its_limit() {
    let approvals = approvals();
    let _first = approvals.open(request(1, MINUTE)).unwrap();
    let second = approvals.open(request(1, MINUTE)).unwrap();
    assert!(approvals.open(request(1, MINUTE)).is_err());
    drop(second);
    assert!(approvals.open(request(1, MINUTE)).is_ok());
}
