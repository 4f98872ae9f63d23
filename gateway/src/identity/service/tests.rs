use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use jsonwebtoken::Algorithm;
use model::{CgroupId, FileId, ProcessFacts};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use serde_json::{Value, json};

use super::super::cgroup::{CgroupError, CgroupPaths};
use super::super::process::{ExecutableUnknown, LiveProcess, ProcessTable};
use super::super::testing::HandSetClock;
use super::super::tokens::testing::{TestIssuer, jwks, merge};
use super::super::tokens::{JwksSource, KEYS_BELIEVED};
use super::super::user::UserDatabase;
use super::super::workload::WorkloadMatch;
use super::*;
use crate::tls::HostDialer;

const NOW: u64 = 1_800_000_000;
const REPORT: u64 = 1;
const BACKUP: u64 = 2;

/// A host with two units, whose processes all have one root directory.
#[derive(Debug)]
struct Host {
    root: PathBuf,
    ended: AtomicBool,
}

impl CgroupPaths for Host {
    fn path_of(&self, id: CgroupId) -> Result<Arc<str>, CgroupError> {
        match id.0 {
            REPORT => Ok("/system.slice/report.service".into()),
            BACKUP => Ok("/system.slice/backup.service".into()),
            _ => Err(CgroupError::Vanished(id)),
        }
    }
}

#[derive(Debug)]
struct Process(Arc<OwnedFd>);

impl LiveProcess for Process {
    fn executable(&self) -> Result<String, ExecutableUnknown> {
        Ok(String::from("/usr/bin/psql"))
    }

    fn root(&self) -> Result<OwnedFd, ProcessError> {
        Ok(self.0.as_fd().try_clone_to_owned().unwrap())
    }
}

impl ProcessTable for Host {
    fn find(&self, recorded: &ProcessFacts) -> Result<Arc<dyn LiveProcess>, ProcessError> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(ProcessError::Ended(recorded.tgid));
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let root = nix::fcntl::open(&self.root, flags, Mode::empty()).unwrap();
        Ok(Arc::new(Process(Arc::new(root))))
    }
}

impl UserDatabase for Host {
    fn name_of(&self, _: u32) -> Option<String> {
        Some(String::from("reports"))
    }
}

struct World {
    directory: tempfile::TempDir,
    host: Arc<Host>,
    issuer: TestIssuer,
    clock: Arc<HandSetClock>,
    service: IdentityService,
}

fn workload(name: &str, token: bool) -> WorkloadDefinition {
    let source = TokenSource::WorkloadFile("/token".into());
    WorkloadDefinition {
        name: WorkloadName::new(name),
        matches: WorkloadMatch {
            systemd_unit: Some(format!("{name}.service")),
            ..WorkloadMatch::default()
        },
        token: token.then(|| TokenSettings { provider: String::from("corp"), source }),
        groups: if token { BTreeSet::new() } else { [Group::new("configured")].into() },
    }
}

impl World {
    fn new() -> Self {
        Self::with(&|settings| settings)
    }

    fn with(change: &dyn Fn(IdentitySettings) -> IdentitySettings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issuer = TestIssuer::new("k1", Algorithm::ES256);
        fs::write(directory.path().join("jwks.json"), jwks(&[&issuer])).unwrap();
        let root = directory.path().to_owned();
        let host = Arc::new(Host { root, ended: AtomicBool::new(false) });
        let clock = HandSetClock::at_second(NOW);
        let parts = (Arc::clone(&host), Arc::clone(&host), Arc::clone(&host));
        let attestor = Attestor::new(parts.0, parts.1, parts.2, Arc::clone(&clock) as _);
        let settings = change(settings(directory.path()));
        let dialer = Arc::new(HostDialer);
        let service =
            IdentityService::new(attestor, settings, Arc::clone(&clock) as _, dialer).unwrap();
        Self { directory, host, issuer, clock, service }
    }

    fn issue(&self, changes: &Value) -> String {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "portcullis", "sub": "job",
            "exp": NOW + 300, "groups": ["readers"],
        });
        merge(&mut claims, changes);
        self.issuer.token(&claims)
    }

    /// Puts a token in its place, as careful programs do: beside it first, then over it.
    fn put(&self, token: &str) {
        let beside = self.directory.path().join("token.new");
        fs::write(&beside, token).unwrap();
        fs::rename(&beside, self.directory.path().join("token")).unwrap();
    }

    async fn identify(&self, cgroup: u64) -> Result<Identified, IdentityRefusal> {
        self.service.identify(&binding(cgroup)).await
    }
}

fn settings(directory: &Path) -> IdentitySettings {
    let provider = ProviderSettings {
        name: String::from("corp"),
        issuer: String::from("https://idp.example"),
        audiences: vec![String::from("portcullis")],
        groups_claim: String::from("groups"),
        jwks: JwksSource::File(directory.join("jwks.json")),
        algorithms: vec![],
        leeway: Duration::ZERO,
        keys_believed: KEYS_BELIEVED,
    };
    IdentitySettings {
        workloads: vec![workload("report", true), workload("backup", true)],
        providers: vec![provider],
    }
}

fn binding(cgroup: u64) -> Binding {
    Binding {
        original: "10.0.5.10:5432".parse().unwrap(),
        cgroup: CgroupId(cgroup),
        process: ProcessFacts {
            tgid: 7,
            tid: 7,
            start_boottime_ns: 1,
            exec_id: 1,
            executable: Some(FileId { device: 1, inode: 1 }),
            comm: String::from("psql"),
        },
        user: UserFacts { uid: 0, gid: 0, login_uid: None },
        socket_cookie: 1,
        netns_cookie: 1,
        connected_boottime_ns: 2,
    }
}

fn groups(identified: &Identified) -> Vec<&str> {
    identified.principal.groups.iter().map(Group::as_str).collect()
}

#[tokio::test]
async fn a_workload_without_a_token_has_the_groups_of_the_configuration() {
    let world = World::with(&|mut settings| {
        settings.workloads = vec![workload("report", false)];
        settings
    });
    let identified = world.identify(REPORT).await.unwrap();
    assert_eq!(groups(&identified), ["configured"]);
    assert_eq!(identified.principal.to_string(), "report");
    assert_eq!(identified.attestation.user_name.as_deref(), Some("reports"));
    assert_eq!(identified.standing(Timestamp(u64::MAX)), Standing::Good);
}

#[tokio::test]
async fn a_token_gives_the_principal_its_subject_and_groups() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    let identified = world.identify(REPORT).await.unwrap();
    assert_eq!(identified.principal.to_string(), "report (job)");
    assert_eq!(groups(&identified), ["readers"]);
    assert_eq!(identified.standing(world.clock.now()), Standing::Good);
    world.put(&world.issue(&json!({"groups": null})));
    let identified = world.service.reidentify(&identified).await.unwrap();
    assert_eq!(groups(&identified), Vec::<&str>::new());
}

#[tokio::test]
async fn without_a_valid_token_there_is_no_principal_and_the_refusal_says_why() {
    let world = World::new();
    let missing = world.identify(REPORT).await.unwrap_err();
    assert_eq!(missing.kind(), SocketRefusal::NoValidToken);
    assert_eq!(missing.workload(), Some(&WorkloadName::new("report")));
    assert_snapshot!(missing, @"workload `report`: the token cannot be read: /token: No such file or directory (os error 2)");
    world.put("not a token");
    assert_snapshot!(world.identify(REPORT).await.unwrap_err(), @"workload `report`: the token is not valid: it is not a signed JWT: it has not three parts");
    world.put(&world.issue(&json!({"aud": "grafana"})));
    assert_snapshot!(world.identify(REPORT).await.unwrap_err(), @"workload `report`: the token is not valid: it is for another audience (`aud`)");
    world.put(&TestIssuer::new("k2", Algorithm::ES256).token(&json!({})));
    assert_snapshot!(world.identify(REPORT).await.unwrap_err(), @"workload `report`: identity provider `corp` has no key `k2` that can verify signatures");
    world.host.ended.store(true, Ordering::SeqCst);
    assert_snapshot!(world.identify(REPORT).await.unwrap_err(), @"workload `report`: the token cannot be read: process 7 has ended since it connected");
}

#[tokio::test]
async fn a_socket_of_nobody_is_refused() {
    let world = World::with(&|mut settings| {
        let mut twin = workload("report", true);
        twin.name = WorkloadName::new("twin");
        settings.workloads = vec![workload("report", true), twin];
        settings
    });
    let vanished = world.identify(77).await.unwrap_err();
    assert_eq!(vanished.kind(), SocketRefusal::NoWorkload);
    assert_snapshot!(vanished, @"cgroup 77 no longer exists");
    let none = world.identify(BACKUP).await.unwrap_err();
    assert_eq!(none.kind(), SocketRefusal::NoWorkload);
    assert_snapshot!(none, @"no workload matches /system.slice/backup.service");
    let ambiguous = world.identify(REPORT).await.unwrap_err();
    assert_eq!(ambiguous.kind(), SocketRefusal::AmbiguousWorkload);
    assert_snapshot!(ambiguous, @"workloads `report`, `twin` match alike: give one of them what the others ask for too");
}

#[tokio::test]
async fn b5_a_token_that_another_workload_presented_is_refused() {
    let world = World::new();
    world.put(&world.issue(&json!({"jti": "1"})));
    world.identify(REPORT).await.unwrap();
    assert_snapshot!(world.identify(BACKUP).await.unwrap_err(), @"workload `backup`: the token belongs to workload `report` and was presented by `backup`");
    // Signed anew, the same id: the same token.
    world.put(&world.issue(&json!({"jti": "1", "iat": NOW})));
    assert!(world.identify(BACKUP).await.is_err());
    // A reload forgets nothing.
    let after = world.service.succeed(settings(world.directory.path())).unwrap();
    assert!(after.identify(&binding(BACKUP)).await.is_err());
    world.put(&world.issue(&json!({"jti": "2"})));
    after.identify(&binding(BACKUP)).await.unwrap();
}

#[tokio::test]
async fn b6_what_happens_to_a_token_counts_at_the_next_operation() {
    let world = World::new();
    world.put(&world.issue(&json!({"groups": ["readers", "writers"]})));
    let first = world.identify(REPORT).await.unwrap();
    assert_eq!(first.standing(world.clock.now()), Standing::Good);
    // Another token with other groups.
    world.put(&world.issue(&json!({})));
    let changed = Standing::Recheck("the token's file changed");
    assert_eq!(first.standing(world.clock.now()), changed);
    let second = world.service.reidentify(&first).await.unwrap();
    assert_eq!(groups(&second), ["readers"]);
    assert_eq!(second.standing(world.clock.now()), Standing::Good);
    // No token any more.
    fs::remove_file(world.directory.path().join("token")).unwrap();
    assert_eq!(second.standing(world.clock.now()), changed);
    assert!(world.service.reidentify(&second).await.is_err());
}

#[tokio::test]
async fn b6_an_expired_token_ends_the_principal() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    let identified = world.identify(REPORT).await.unwrap();
    world.clock.pass(Duration::from_secs(299));
    let renewed = world.service.reidentify(&identified).await.unwrap();
    assert_eq!(renewed.standing(world.clock.now()), Standing::Good);
    world.clock.pass(Duration::from_secs(1));
    let expired = Standing::Recheck("the token expired");
    assert_eq!(renewed.standing(world.clock.now()), expired);
    assert_snapshot!(world.service.reidentify(&renewed).await.unwrap_err(), @"workload `report`: the token is not valid: it expired (`exp`) at 2027-01-15T08:05:00Z");
}

#[tokio::test]
async fn b6_a_key_that_the_provider_takes_away_ends_the_principal() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    let identified = world.identify(REPORT).await.unwrap();
    let other = TestIssuer::new("k2", Algorithm::ES256);
    fs::write(world.directory.path().join("jwks.json"), jwks(&[&other])).unwrap();
    // Nobody else comes with a token: the session's own check finds it.
    world.clock.pass(Duration::from_secs(1));
    assert!(matches!(identified.standing(world.clock.now()), Standing::Recheck(_)));
    assert!(world.service.reidentify(&identified).await.is_err());
    let changed = Standing::Recheck("the provider's keys changed");
    assert_eq!(identified.standing(world.clock.now()), changed);
}

#[tokio::test]
async fn a_link_that_leads_to_another_token_is_noticed_within_a_second() {
    let world = World::new();
    let place = |name: &str| world.directory.path().join(name);
    for (name, group) in [("one", "readers"), ("two", "writers")] {
        fs::write(place(name), world.issue(&json!({"groups": [group]}))).unwrap();
    }
    std::os::unix::fs::symlink("one", place("token")).unwrap();
    let first = world.identify(REPORT).await.unwrap();
    world.clock.pass(Duration::from_secs(1));
    assert!(matches!(first.standing(world.clock.now()), Standing::Recheck(_)));
    let same = world.service.reidentify(&first).await.unwrap();
    assert!(Arc::ptr_eq(&same.principal, &first.principal), "nothing was verified anew");
    assert_eq!(same.standing(world.clock.now()), Standing::Good);
    std::os::unix::fs::symlink("two", place("token.new")).unwrap();
    fs::rename(place("token.new"), place("token")).unwrap();
    world.clock.pass(Duration::from_secs(1));
    assert!(matches!(same.standing(world.clock.now()), Standing::Recheck(_)));
    let second = world.service.reidentify(&same).await.unwrap();
    assert_eq!(groups(&second), ["writers"]);
}

#[tokio::test]
async fn a_token_is_still_read_when_the_process_that_connected_is_gone() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    let identified = world.identify(REPORT).await.unwrap();
    world.host.ended.store(true, Ordering::SeqCst);
    world.put(&world.issue(&json!({"groups": ["others"]})));
    let again = world.service.reidentify(&identified).await.unwrap();
    assert_eq!(groups(&again), ["others"]);
}

#[tokio::test]
async fn a_reload_takes_the_workload_away_or_gives_it_other_groups() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    let identified = world.identify(REPORT).await.unwrap();
    let with = |workloads: Vec<WorkloadDefinition>| {
        let settings = IdentitySettings { workloads, ..settings(world.directory.path()) };
        world.service.succeed(settings).unwrap()
    };
    let gone = with(vec![workload("backup", true)]).reidentify(&identified).await.unwrap_err();
    assert_eq!(gone.kind(), SocketRefusal::NoWorkload);
    let other = with(vec![workload("report", false)]).reidentify(&identified).await.unwrap();
    assert_eq!(groups(&other), ["configured"]);
    assert!(other.principal.token.is_none());
}

#[tokio::test]
async fn a_reload_that_asks_more_of_tokens_counts_for_tokens_accepted_before() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    let identified = world.identify(REPORT).await.unwrap();
    let mut stricter = settings(world.directory.path());
    stricter.providers[0].audiences = vec![String::from("portcullis-eu")];
    let stricter = world.service.succeed(stricter).unwrap();
    assert!(stricter.reidentify(&identified).await.is_err());
    let same = world.service.succeed(settings(world.directory.path())).unwrap();
    same.reidentify(&identified).await.unwrap();
}

#[tokio::test]
async fn keys_outlive_a_reload_while_their_source_fails() {
    let world = World::new();
    world.put(&world.issue(&json!({})));
    world.identify(REPORT).await.unwrap();
    fs::remove_file(world.directory.path().join("jwks.json")).unwrap();
    let after = world.service.succeed(settings(world.directory.path())).unwrap();
    after.identify(&binding(REPORT)).await.unwrap();
}

#[test]
fn every_mistake_in_the_settings_is_reported_at_once() {
    let world = World::new();
    let mut wrong = settings(world.directory.path());
    let mut url = wrong.providers[0].clone();
    url.name = String::from("url");
    url.jwks = JwksSource::Url { url: String::from("http://idp.example"), ca_file: None };
    wrong.providers[0].algorithms = vec![String::from("RS256"), String::from("HS256")];
    wrong.providers[0].audiences.clear();
    wrong.providers[0].issuer.clear();
    wrong.providers[0].groups_claim = String::from("a..b");
    wrong.providers[0].leeway = Duration::from_secs(61);
    wrong.providers.push(url);
    wrong.workloads[0].token.as_mut().unwrap().provider = String::from("nobody");
    wrong.workloads[1].matches = WorkloadMatch::default();
    let errors = world.service.succeed(wrong).unwrap_err();
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_snapshot!(text.join("\n"), @r#"
    workload `report`, token.provider: there is no identity provider `nobody`
    workload `backup`, match: nothing is asked for, so everything would match; give at least one of systemd_unit, cgroup, user, executable, container
    identity provider `corp`, issuer: it is empty; give the `iss` of its tokens
    identity provider `corp`, audience: there is none, or an empty one; give the `aud` that tokens for this gateway have
    identity provider `corp`, groups_claim: `a..b` names no claim; give a claim (groups) or a path (realm_access.roles)
    identity provider `corp`, leeway: 61 seconds are too many; at most 60 seconds are forgiven
    identity provider `corp`, algorithms: `HS256` is not accepted; choose among RS*, PS*, ES256, ES384 and EdDSA; secrets shared with a provider (HS*) prove nothing
    identity provider `url`, jwks.url: `http://idp.example` is no https address; give an address that begins with https://
    "#);
    let mut twice = settings(world.directory.path());
    twice.providers.push(twice.providers[0].clone());
    let errors = world.service.succeed(twice).unwrap_err();
    assert_snapshot!(errors[0], @"identity provider `corp`, name: another provider has this name; names are unique: rename one");
}

#[tokio::test]
async fn d4_a_token_is_in_no_text_about_it() {
    let world = World::new();
    let token = world.issue(&json!({}));
    world.put(&token);
    let identified = world.identify(REPORT).await.unwrap();
    let signature = token.rsplit('.').next().unwrap();
    let shown = format!("{identified:?} {:?}", world.service);
    assert!(!shown.contains(signature));
    for wrong in [format!("{token}x"), format!("x{token}"), format!("{token}.{token}")] {
        world.put(&wrong);
        let refused = world.identify(REPORT).await.unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains(signature));
    }
}
