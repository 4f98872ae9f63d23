//! Explanations: the same steps a live operation takes, told instead of taken.
//!
//! Owns the assembly of an explanation. Must not decide anything by itself: the policy explains.

mod http;
mod ssh;

use std::path::PathBuf;
use std::sync::Arc;

use model::{
    Access, Action, Attestation, Binding, Domain, Effect, Object, ObjectPath, Operation, Principal,
    Protocol, RequestFacts, TargetName, WorkloadName,
};
use policy::{Explanation, Outcome, Policy, Verdict};

use super::Operator;
use crate::config::{ConfigFile, Settings};
use crate::control::handles::ExplainHandle;
use crate::control::view::{
    AccessView, ApprovalView, DecisionView, ExplainRequest, ExplainSubject, ExplainView, MaskView,
    RoleView, RuleView, WorkloadView,
};
use crate::control::{Problem, ProblemKind};
use crate::proxy::Listed;
use crate::session::{BoxFuture, Card, DatabaseScope, Enforcement, Refusal, Target};

/// What an explanation is about.
struct Subject {
    card: Option<Arc<Card>>,
    principal: Principal,
    target: Arc<Target>,
    database: Option<String>,
    notes: Vec<String>,
}

impl ExplainHandle for Operator {
    fn explain(&self, request: ExplainRequest) -> BoxFuture<'_, Result<ExplainView, Problem>> {
        Box::pin(async move { self.explain_now(&request) })
    }
}

impl Operator {
    fn explain_now(&self, request: &ExplainRequest) -> Result<ExplainView, Problem> {
        let candidate = candidate(request)?;
        let policy = match &candidate {
            Some(settings) => Arc::clone(&settings.policy),
            None => self.gateway.services().policies.current(),
        };
        let mut subject = self.subject(request, candidate.as_ref())?;
        let operation = self.operation(request, &policy, &mut subject)?;
        let now = self.gateway.services().clock.now();
        let explanation = policy.explain(&subject.principal, &subject.target.name, &operation, now);
        let refused = self.refused(&subject, &operation, &explanation);
        let asked = request.statement.is_some() || request.ssh.is_some() || request.http.is_some();
        let mut view = view(&subject, &policy, &explanation, candidate.is_some(), asked);
        if let Some(refusal) = refused {
            view.decision.effect = Effect::Deny;
            let because = refusal.detail.map(|detail| format!(" {detail}"));
            view.decision.reason = format!("{}.{}", refusal.message, because.unwrap_or_default());
        }
        Ok(view)
    }

    /// What a session refuses for what is masked, whatever is granted.
    fn refused(
        &self,
        subject: &Subject,
        operation: &Operation,
        explanation: &Explanation,
    ) -> Option<Refusal> {
        if explanation.decision.effect == Effect::Deny {
            return None;
        }
        let driver = self.gateway.driver(subject.target.protocol)?;
        driver.refuses_masked(operation, &explanation.decision.masks)
    }

    fn subject(
        &self,
        request: &ExplainRequest,
        candidate: Option<&Settings>,
    ) -> Result<Subject, Problem> {
        let listed = self.gateway.proxy().connections().list();
        match &request.subject {
            ExplainSubject::Socket(session) => {
                let found = listed.iter().find(|one| one.card.session == *session);
                self.live(found, &format!("session {session} is not live"))
            }
            ExplainSubject::Pid(pid) => {
                let found = listed.iter().rev().find(|one| one.card.binding.process.tgid == *pid);
                self.live(found, &format!("process {pid} has no live session"))
            }
            ExplainSubject::Workload { workload, target, database } => {
                let target = self.target(target)?;
                let (principal, notes) = self.workload(workload, candidate)?;
                let database = database.clone();
                Ok(Subject { card: None, principal, target, database, notes })
            }
        }
    }

    fn live(&self, listed: Option<&Listed>, missing: &str) -> Result<Subject, Problem> {
        let card = &listed
            .ok_or_else(|| {
                Problem::new(ProblemKind::NotFound, missing)
                    .with_remedy("`portcullis sockets` lists the live ones.")
            })?
            .card;
        Ok(Subject {
            principal: (*card.principal()).clone(),
            target: self.target(&card.target)?,
            database: card.login().1.map(|database| database.to_string()),
            card: Some(Arc::clone(card)),
            notes: Vec::new(),
        })
    }

    fn target(&self, name: &TargetName) -> Result<Arc<Target>, Problem> {
        let targets = self.gateway.targets();
        let found = targets.all().iter().find(|target| target.name == *name);
        found.map(Arc::clone).ok_or_else(|| {
            let known: Vec<_> = targets.all().iter().map(|one| one.name.to_string()).collect();
            Problem::new(ProblemKind::NotFound, format!("there is no target `{name}`"))
                .with_remedy(format!("The targets are: {}.", known.join(", ")))
        })
    }

    fn workload(
        &self,
        name: &WorkloadName,
        candidate: Option<&Settings>,
    ) -> Result<(Principal, Vec<String>), Problem> {
        let current = self.gateway.settings();
        let settings = candidate.unwrap_or(&current);
        let found = settings.workloads.iter().find(|one| one.name == *name);
        let workload = found.ok_or_else(|| {
            let known: Vec<_> = settings.workloads.iter().map(|one| one.name.to_string()).collect();
            Problem::new(ProblemKind::NotFound, format!("there is no workload `{name}`"))
                .with_remedy(format!("The workloads are: {}.", known.join(", ")))
        })?;
        let (groups, notes) = match &workload.identity {
            crate::config::WorkloadIdentity::Groups(groups) => (groups.clone(), Vec::new()),
            crate::config::WorkloadIdentity::Token { provider, .. } => {
                let live = self.gateway.proxy().connections().list();
                let card = live.iter().rev().map(|one| &one.card);
                let newest = card.map(|card| card.principal()).find(|one| one.workload == *name);
                match newest {
                    Some(principal) => return Ok(((*principal).clone(), Vec::new())),
                    None => (
                        Default::default(),
                        vec![format!(
                            "its groups come from a token of provider `{provider}`, and no live \
                             session shows one; explained without groups"
                        )],
                    ),
                }
            }
        };
        Ok((Principal { workload: name.clone(), token: None, groups }, notes))
    }

    /// What is judged: the statement asked about, or the session's being let in.
    fn operation(
        &self,
        request: &ExplainRequest,
        policy: &Policy,
        subject: &mut Subject,
    ) -> Result<Operation, Problem> {
        if let Some(question) = &request.http {
            let Some(target) = &subject.target.http else {
                let text = format!("target `{}` is not one of requests", subject.target.name);
                return Err(Problem::new(ProblemKind::Invalid, text)
                    .with_remedy("Ask about a statement with --statement."));
            };
            let driver = self.gateway.driver(subject.target.protocol);
            let means = |facts: &Arc<RequestFacts>, query: &str, upgrades| match &driver {
                Some(driver) => driver.accesses(facts, query, upgrades),
                None => Err(String::from("its protocol has no driver")),
            };
            let wanted = policy.request_headers();
            let (operation, notes) = http::operation(question, target, wanted, means)?;
            subject.notes.extend(notes);
            return Ok(operation);
        }
        if let Some(question) = &request.ssh {
            if subject.target.protocol != Protocol::Ssh {
                let text = format!("target `{}` is not one of SSH", subject.target.name);
                return Err(Problem::new(ProblemKind::Invalid, text)
                    .with_remedy("Ask about a statement with --statement."));
            }
            let login = subject
                .card
                .as_ref()
                .and_then(|card| card.login().0)
                .map(|login| login.to_string());
            let user = login.or_else(|| subject.target.credential.user.clone());
            let (operation, notes) = ssh::operation(question, user.as_deref())?;
            subject.notes.extend(notes);
            return Ok(operation);
        }
        Ok(self.statement(request, subject))
    }

    fn statement(&self, request: &ExplainRequest, subject: &mut Subject) -> Operation {
        let services = self.gateway.services();
        let Some(statement) = &request.statement else { return connect(subject) };
        let driver = self.gateway.driver(subject.target.protocol);
        let Some(dialect) = driver.and_then(|driver| driver.dialect()) else {
            subject.notes.push("this protocol has no statements".into());
            return connect(subject);
        };
        let name = &subject.target.name;
        let found = services.databases.any(name, subject.database.as_deref());
        let snapshot = found.unwrap_or_else(|| {
            subject.notes.push(
                "no session has shown what this database holds; names are taken as written, in \
                 schema public"
                    .into(),
            );
            services.databases.empty(name, subject.database.as_deref().unwrap_or("*"))
        });
        let path: Arc<[Arc<str>]> = ["\"$user\"".into(), "public".into()].into();
        let scope = DatabaseScope::new(&services.readings, dialect, snapshot, path);
        let statements = services.readings.read(statement, &scope);
        if let Some(unreadable) = &statements.unreadable {
            subject.notes.push(format!("it cannot be read: {unreadable}"));
        }
        (*statements.operation).clone()
    }
}

fn candidate(request: &ExplainRequest) -> Result<Option<Settings>, Problem> {
    if request.candidate.is_empty() {
        return Ok(None);
    }
    let files: Vec<ConfigFile> = request
        .candidate
        .iter()
        .map(|file| ConfigFile { path: PathBuf::from(&file.name), text: file.text.clone() })
        .collect();
    let parsed = Settings::parse(&files);
    parsed.map(Some).map_err(|errors| {
        Problem::new(ProblemKind::Invalid, "the candidate configuration has errors")
            .with_details(super::texts(&errors))
    })
}

fn connect(subject: &Subject) -> Operation {
    let protocol = subject.target.protocol;
    // Without a database of its own, a session is one with the target.
    let name = match protocol.domain() {
        Domain::Sql => subject.database.as_deref().unwrap_or("*"),
        _ => subject.target.name.as_str(),
    };
    let object = Object::Named { kind: protocol.connects_to(), path: ObjectPath::new([name]) };
    Operation {
        kind: "connect".into(),
        text: format!("connect to {name}").into(),
        accesses: [Access { action: Action::Connect, object }].into(),
    }
}

fn view(
    subject: &Subject,
    policy: &Policy,
    explanation: &Explanation,
    candidate: bool,
    asked: bool,
) -> ExplainView {
    let card = subject.card.as_deref();
    let decision = &explanation.decision;
    ExplainView {
        session: card.map(|card| card.session),
        binding: card.map(|card| binding(&card.binding)).unwrap_or_default(),
        attestation: card.map(|card| (*card.attestation).clone()),
        workload: Some(WorkloadView {
            name: subject.principal.workload.clone(),
            matched_by: card.map(|card| matched_by(&card.attestation)).unwrap_or_default(),
        }),
        principal: subject.principal.to_string(),
        groups: subject.principal.groups.iter().map(ToString::to_string).collect(),
        target: subject.target.name.clone(),
        roles: explanation
            .roles
            .iter()
            .filter(|role| role.at_target)
            .map(|role| RoleView {
                name: role.role.to_string(),
                through: role.by_groups.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        kind: explanation.kind.to_string(),
        statement: asked.then(|| explanation.text.to_string()),
        accesses: explanation.accesses.iter().map(access).collect(),
        decision: DecisionView {
            effect: decision.effect,
            reason: explanation.reason(),
            rules: decision.rules.iter().map(|rule| rule.rule.to_string()).collect(),
            approvals: decision
                .approvals
                .iter()
                .map(|need| ApprovalView {
                    group: need.group.to_string(),
                    count: need.count,
                    within_ms: u64::try_from(need.within.as_millis()).unwrap_or(u64::MAX),
                })
                .collect(),
            enforced: subject.target.enforcement == Enforcement::Enforce,
        },
        masks: masks(decision),
        policy: format!("{:#}", policy.digest()),
        candidate,
        notes: subject.notes.clone(),
    }
}

fn masks(decision: &model::Decision) -> Vec<MaskView> {
    let columns = decision.masks.columns.iter().map(|mask| MaskView {
        what: mask.pattern.to_string(),
        tag: mask.tag.to_string(),
        transform: mask.transform.to_string(),
    });
    let detectors = decision.masks.detectors.iter().map(|mask| MaskView {
        what: format!("detector {}", mask.detector),
        tag: mask.tag.to_string(),
        transform: mask.transform.to_string(),
    });
    let fields = decision.masks.fields.iter().map(|mask| MaskView {
        what: mask.to_string(),
        tag: mask.tag.to_string(),
        transform: mask.transform.to_string(),
    });
    let files = decision.masks.files.iter().map(|mask| MaskView {
        what: mask.pattern.to_string(),
        tag: mask.tag.to_string(),
        transform: "refuse".to_owned(),
    });
    columns.chain(fields).chain(detectors).chain(files).collect()
}

fn access(explained: &policy::ExplainedAccess) -> AccessView {
    let rules = explained.rules.iter().map(|rule| RuleView {
        role: rule.role.to_string(),
        rule: rule.rule.to_string(),
        effect: rule.effect,
        matches: matches!(
            rule.verdict,
            Verdict::Matches | Verdict::GrantsConnecting | Verdict::HoldsInPart
        ),
        because: rule.words(),
    });
    AccessView {
        access: explained.access.to_string(),
        rules: rules.collect(),
        effect: match explained.outcome {
            Outcome::Allowed => Effect::Allow,
            Outcome::Held => Effect::Hold,
            Outcome::Denied | Outcome::NotGranted => Effect::Deny,
        },
    }
}

/// The kernel's record, line by line.
fn binding(binding: &Binding) -> Vec<(String, String)> {
    let process = &binding.process;
    let executable = process.executable.map_or_else(
        || String::from("not known"),
        |file| format!("device {} inode {}", file.device, file.inode),
    );
    [
        ("original destination", binding.original.to_string()),
        ("process", format!("{} ({})", process.tgid, process.comm)),
        ("thread", process.tid.to_string()),
        ("executable", executable),
        ("user", format!("uid {} gid {}", binding.user.uid, binding.user.gid)),
        ("cgroup", binding.cgroup.0.to_string()),
        ("network namespace", binding.netns_cookie.to_string()),
        ("socket", binding.socket_cookie.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn matched_by(attestation: &Attestation) -> Vec<String> {
    let unit = attestation.systemd_unit.as_ref().map(|unit| format!("systemd_unit: {unit}"));
    let cgroup = Some(format!("cgroup: {}", attestation.cgroup_path));
    let user = attestation.user_name.as_ref().map(|user| format!("user: {user}"));
    let executable = attestation.executable.as_ref().map(|path| format!("executable: {path}"));
    [unit, cgroup, user, executable].into_iter().flatten().collect()
}
