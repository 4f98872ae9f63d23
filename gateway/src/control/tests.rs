//! The API as nobody, as a viewer and as an operator, and the client against a real socket.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use futures_util::future::{BoxFuture, FutureExt};
use model::audit::AuditEvent;
use model::{Effect, HoldId, SessionId, Timestamp};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::handles::{ApprovalsHandle, DaemonHandle, ExplainHandle, SocketsHandle};
use super::routes::{Api, ROUTES, Role, router};
use super::view::{
    DaemonState, DecisionView, ExplainRequest, ExplainSubject, ExplainView, HoldView,
    InterceptionView, ReloadView, SocketPhase, SocketView, StatusView, VoteRequest, VoteView,
};
use super::{
    Client, ClientError, Handles, Peer, Problem, ProblemKind, Server, ServerError, ServerSettings,
};

const SESSION: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0001;
const HOLD: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0002;

/// A daemon that answers from memory and keeps what it was told.
#[derive(Default)]
struct Fake {
    audit: Mutex<Vec<String>>,
    votes: Mutex<Vec<String>>,
    drained: Mutex<bool>,
}

impl DaemonHandle for Fake {
    fn status(&self) -> StatusView {
        StatusView {
            version: "0.1.0".into(),
            pid: 7,
            state: DaemonState::Serving,
            started_us: Timestamp(1),
            now_us: Timestamp(2),
            config: "/etc/portcullis".into(),
            policy: "00".repeat(32),
            policy_since_us: Timestamp(1),
            reload_errors: Vec::new(),
            sessions: 1,
            holds: 0,
            interception: InterceptionView::default(),
            targets: Vec::new(),
            checks: Vec::new(),
        }
    }

    fn metrics(&self) -> String {
        "portcullis_sessions_live 1\n".into()
    }

    fn reload(&self, by: String) -> BoxFuture<'_, ReloadView> {
        let errors = vec![format!("asked by {by}")];
        async { ReloadView { applied: false, policy: "00".into(), errors } }.boxed()
    }

    fn drain(&self) {
        *self.drained.lock() = true;
    }

    fn audit(&self, event: AuditEvent) {
        if let AuditEvent::ControlAction { action, subject, by, accepted } = event {
            self.audit.lock().push(format!("{action} {subject} by {by}: {accepted}"));
        }
    }
}

impl SocketsHandle for Fake {
    fn sockets(&self) -> Vec<SocketView> {
        vec![socket()]
    }

    fn kill(&self, session: SessionId) -> bool {
        session.as_u128() == SESSION
    }
}

impl ExplainHandle for Fake {
    fn explain(&self, request: ExplainRequest) -> BoxFuture<'_, Result<ExplainView, Problem>> {
        async move {
            match request.subject {
                ExplainSubject::Pid(7) => Ok(explanation()),
                _ => Err(Problem::new(ProblemKind::NotFound, "no such socket")),
            }
        }
        .boxed()
    }
}

impl ApprovalsHandle for Fake {
    fn holds(&self) -> Vec<HoldView> {
        Vec::new()
    }

    fn approve(&self, id: HoldId, peer: &Peer, vote: VoteRequest) -> Result<VoteView, Problem> {
        self.votes.lock().push(format!("yes {peer} {:?}", vote.comment));
        Ok(VoteView { id, by: peer.to_string(), ended: true, missing: Vec::new() })
    }

    fn reject(&self, _: HoldId, _: &Peer, _: VoteRequest) -> Result<VoteView, Problem> {
        Err(Problem::new(ProblemKind::NotFound, "no such hold").with_remedy("look again"))
    }
}

fn socket() -> SocketView {
    SocketView {
        session: SessionId::from_u128(SESSION),
        pid: 4711,
        comm: "psql".into(),
        executable: Some("/usr/bin/psql".into()),
        unit: Some("nightly-report.service".into()),
        container: None,
        cgroup: "/system.slice/nightly-report.service".into(),
        uid: 999,
        user: Some("report".into()),
        workload: "nightly-report".into(),
        principal: "nightly-report".into(),
        groups: vec!["readers".into()],
        original: "10.0.5.10:5432".parse().unwrap(),
        target: "analytics".into(),
        protocol: model::Protocol::Postgres,
        database: Some("shop".into()),
        phase: SocketPhase::Live,
        last: None,
        operations: 0,
        masked_values: 0,
        kernel_bytes_from_client: None,
        kernel_bytes_to_client: None,
        bytes_from_client: 1,
        bytes_to_client: 2,
        accepted_us: Timestamp(1),
    }
}

fn explanation() -> ExplainView {
    ExplainView {
        session: None,
        binding: Vec::new(),
        attestation: None,
        workload: None,
        principal: "nightly-report".into(),
        groups: Vec::new(),
        target: "analytics".into(),
        roles: Vec::new(),
        kind: "select".into(),
        statement: None,
        accesses: Vec::new(),
        decision: DecisionView {
            effect: Effect::Deny,
            reason: "no role".into(),
            rules: Vec::new(),
            approvals: Vec::new(),
            enforced: true,
        },
        masks: Vec::new(),
        policy: "00".into(),
        candidate: false,
        notes: Vec::new(),
    }
}

fn fake() -> (Arc<Fake>, Handles) {
    let fake = Arc::new(Fake::default());
    let handles = Handles {
        daemon: Arc::clone(&fake) as _,
        sockets: Arc::clone(&fake) as _,
        explain: Arc::clone(&fake) as _,
        approvals: Arc::clone(&fake) as _,
    };
    (fake, handles)
}

fn peer(uid: u32) -> Arc<Peer> {
    Arc::new(Peer { uid, user: None, unix_groups: BTreeSet::new(), cgroup: Some("/".into()) })
}

async fn ask(method: Method, path: &str, peer: Option<Arc<Peer>>, body: &str) -> StatusCode {
    let (_, handles) = fake();
    let operators = BTreeSet::from([50]);
    let api = Api { handles, operators, token: CancellationToken::new() };
    let id = if path.contains("approvals") {
        HoldId::from_u128(HOLD).to_string()
    } else {
        SessionId::from_u128(SESSION).to_string()
    };
    let uri = path.replace("{id}", &id);
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(peer) = peer {
        request = request.extension(peer);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router(Arc::new(api)).oneshot(request).await.unwrap();
    let status = response.status();
    if !status.is_success() {
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.kind.status(), status);
    }
    status
}

#[tokio::test]
async fn every_endpoint_answers_nobody_viewer_and_operator_as_its_role_says() {
    for (method, path, role) in ROUTES {
        let body = if path.ends_with("explain") { r#"{"subject":{"pid":7}}"# } else { "" };
        let ask = |peer| ask(method.clone(), path, peer, body);
        assert_eq!(ask(None).await, StatusCode::FORBIDDEN, "{method} {path} as nobody");
        let viewer = ask(Some(peer(1000))).await;
        let denied = viewer == StatusCode::FORBIDDEN;
        assert_eq!(denied, *role == Role::Operator, "{method} {path} as a viewer");
        for operator in [0, 50] {
            let status = ask(Some(peer(operator))).await;
            assert_ne!(status, StatusCode::FORBIDDEN, "{method} {path} as uid {operator}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_reason() {
    let cases = [
        (Method::POST, "/v1/explain", "{"),
        (Method::POST, "/v1/explain", r#"{"subject":{"pid":7},"extra":1}"#),
        (Method::POST, "/v1/approvals/nonsense/approve", ""),
        (Method::POST, "/v1/approvals/{id}/approve", r#"{"coment":"typo"}"#),
        (Method::POST, "/v1/sessions/ses_1/kill", ""),
        (Method::GET, "/v1/sockets?watch_ms=x", ""),
        (Method::GET, "/v1/sockets?watch=1", ""),
    ];
    for (method, path, body) in cases {
        let status = ask(method, path, Some(peer(0)), body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}");
    }
    let long = format!(r#"{{"comment":"{}"}}"#, "x".repeat(2_000));
    let path = "/v1/approvals/{id}/approve";
    assert_eq!(ask(Method::POST, path, Some(peer(0)), &long).await, StatusCode::BAD_REQUEST);
    assert_eq!(ask(Method::GET, "/v1/none", Some(peer(0)), "").await, StatusCode::NOT_FOUND);
    assert_eq!(ask(Method::GET, "/v1/reload", Some(peer(0)), "").await, StatusCode::NOT_FOUND);
}

fn settings(directory: &Path) -> ServerSettings {
    let path = directory.join("run/control.sock");
    let operators = BTreeSet::from([nix::unistd::geteuid().as_raw()]);
    ServerSettings { path, group: None, operators }
}

#[tokio::test]
async fn the_client_asks_every_question_over_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let client = Client::new(&settings.path);
    let server = Server::bind(settings.clone()).unwrap();
    let mode = std::fs::metadata(&settings.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let (fake, handles) = fake();
    let token = CancellationToken::new();
    let running = tokio::spawn(server.run(handles, token.clone()));

    assert_eq!(client.status().await.unwrap().pid, 7);
    assert_eq!(client.metrics().await.unwrap(), "portcullis_sessions_live 1\n");
    assert_eq!(client.sockets().await.unwrap(), [socket()]);
    let request = ExplainRequest {
        subject: ExplainSubject::Pid(7),
        statement: None,
        ssh: None,
        http: None,
        candidate: Vec::new(),
    };
    assert_eq!(client.explain(&request).await.unwrap(), explanation());
    assert_eq!(client.holds().await.unwrap(), []);
    let vote = VoteRequest { comment: Some("fine".into()), digest: None };
    assert!(client.approve(HoldId::from_u128(HOLD), &vote).await.unwrap().ended);
    let refused = client.reject(HoldId::from_u128(HOLD), &vote).await.unwrap_err();
    assert_eq!(refused.to_string(), "no such hold");
    assert_eq!(refused.remedy().as_deref(), Some("look again"));
    client.kill(SessionId::from_u128(SESSION)).await.unwrap();
    let missing = client.kill(SessionId::from_u128(9)).await.unwrap_err();
    assert!(matches!(missing, ClientError::Refused(ref p) if p.kind == ProblemKind::NotFound));
    let me = Peer::to_string(&this_process());
    assert_eq!(client.reload().await.unwrap().errors, [format!("asked by {me}")]);
    client.drain().await.unwrap();
    assert!(*fake.drained.lock());
    let audit = fake.audit.lock().join("\n");
    assert_eq!(audit.lines().count(), 6, "each change is one audit line:\n{audit}");
    assert!(audit.lines().all(|line| line.contains(&me)), "{audit}");

    token.cancel();
    running.await.unwrap();
    assert!(!settings.path.exists(), "the socket goes with the server");
    assert!(matches!(client.status().await, Err(ClientError::NotRunning { .. })));
}

fn this_process() -> Peer {
    let uid = nix::unistd::geteuid();
    let user = nix::unistd::User::from_uid(uid).unwrap();
    Peer {
        uid: uid.as_raw(),
        user: user.map(|user| user.name.into()),
        unix_groups: BTreeSet::new(),
        cgroup: None,
    }
}

#[tokio::test]
async fn a_watch_goes_on_until_the_server_ends() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let client = Client::new(&settings.path);
    let token = CancellationToken::new();
    let running = tokio::spawn(Server::bind(settings).unwrap().run(fake().1, token.clone()));
    let mut watch = client.watch_sockets(Duration::from_millis(1)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(watch.next().await.unwrap().unwrap(), [socket()]);
    }
    token.cancel();
    while let Some(line) = watch.next().await {
        assert_eq!(line.unwrap(), [socket()]);
    }
    running.await.unwrap();
}

#[tokio::test]
async fn a_daemon_that_is_there_is_not_pushed_aside_and_a_dead_one_is() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let first = Server::bind(settings.clone()).unwrap();
    assert!(matches!(Server::bind(settings.clone()), Err(ServerError::InUse { .. })));
    drop(first);
    // What a killed daemon leaves: a socket file that nobody listens on.
    drop(std::os::unix::net::UnixListener::bind(&settings.path).unwrap());
    drop(Server::bind(settings.clone()).unwrap());
    std::fs::write(&settings.path, "not a socket").unwrap();
    assert!(matches!(Server::bind(settings), Err(ServerError::NotASocket { .. })));
}
