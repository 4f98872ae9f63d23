//! The daemon's answers to the local API.
//!
//! Owns the translation from live values to views. Must not know HTTP, nor change what it shows
//! except where it is asked to (reload, drain, kill).

mod explain;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use model::audit::{AuditEvent, SessionEnd};
use model::{Group, SessionId, Timestamp};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::gateway::Gateway;
use super::kernel::Kernel;
use crate::config::{ConfigErrors, Govern, Governed, Settings};
use crate::control::handles::{DaemonHandle, SocketsHandle};
use crate::control::view::{
    CheckView, DaemonState, InterceptionView, LastDecisionView, ReloadView, SocketPhase,
    SocketView, StatusView, TargetView,
};
use crate::control::{Handles, Peer, UnixApprovers};
use crate::interception::Counter;
use crate::proxy::Listed;
use crate::session::{BoxFuture, Enforcement, Phase};

/// What the local API answers with, for a gateway that no kernel stands before.
#[must_use]
pub fn handles(gateway: Arc<Gateway>) -> Handles {
    Operator::new(gateway, None, PathBuf::new(), CancellationToken::new()).handles()
}

/// The daemon as the API sees it.
#[derive(Debug)]
pub(super) struct Operator {
    gateway: Arc<Gateway>,
    kernel: Option<Arc<Kernel>>,
    config: PathBuf,
    started: Timestamp,
    drain: CancellationToken,
    state: Mutex<PolicyState>,
}

#[derive(Debug)]
struct PolicyState {
    since: Timestamp,
    reload_errors: Vec<String>,
}

impl Operator {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        kernel: Option<Arc<Kernel>>,
        config: PathBuf,
        drain: CancellationToken,
    ) -> Arc<Self> {
        let started = gateway.services().clock.now();
        let state = Mutex::new(PolicyState { since: started, reload_errors: Vec::new() });
        Arc::new(Self { gateway, kernel, config, started, drain, state })
    }

    /// All that the API server needs.
    pub(super) fn handles(self: &Arc<Self>) -> Handles {
        let gateway = Arc::clone(&self.gateway);
        let approvers =
            UnixApprovers::new(Arc::clone(&self.gateway.services().approvals), move |peer| {
                groups_of(&gateway.settings(), peer)
            });
        Handles {
            daemon: Arc::clone(self) as _,
            sockets: Arc::clone(self) as _,
            explain: Arc::clone(self) as _,
            approvals: Arc::new(approvers),
        }
    }

    /// Reads the configuration again.
    pub(super) async fn reload_now(&self, by: &str) -> ReloadView {
        let path = self.config.clone();
        let loaded = tokio::task::spawn_blocking(move || Settings::load(&path)).await;
        let outcome = match loaded {
            Ok(Ok(settings)) => {
                self.gateway.reload(settings, by).await.map_err(|error| vec![error.to_string()])
            }
            Ok(Err(errors)) => Err(texts(&errors)),
            Err(error) => Err(vec![error.to_string()]),
        };
        let outcome = outcome.and_then(|reloaded| {
            if let Some(kernel) = &self.kernel {
                kernel.apply(&self.gateway).map_err(|error| vec![error.to_string()])?;
            }
            Ok(reloaded)
        });
        let mut state = self.state.lock();
        let (applied, errors) = match outcome {
            Ok(reloaded) => {
                state.since = self.gateway.services().clock.now();
                for setting in &reloaded.need_restart {
                    tracing::warn!(setting, "changed; takes effect at the next start");
                }
                (true, Vec::new())
            }
            Err(errors) => {
                self.gateway.reload_refused(errors.clone(), by);
                (false, errors)
            }
        };
        state.reload_errors.clone_from(&errors);
        let policy = self.gateway.services().policies.current().digest();
        ReloadView { applied, policy: format!("{policy:#}"), errors }
    }

    fn interception(&self) -> InterceptionView {
        let settings = self.gateway.settings();
        let governed = governed(&settings.govern);
        let Some(kernel) = &self.kernel else {
            return InterceptionView { governed, ..InterceptionView::default() };
        };
        let counters = kernel.counters();
        let sum = |wanted: fn(&Counter) -> bool| {
            counters.iter().filter(|(counter, _)| wanted(counter)).map(|(_, n)| n).sum()
        };
        InterceptionView {
            programs: u32::try_from(kernel.programs().attached().0).unwrap_or(u32::MAX),
            pinned_at: kernel.programs().pinned_at().display().to_string(),
            governed,
            namespaces: u32::try_from(kernel.namespaces_open()).unwrap_or(u32::MAX),
            captured: sum(|counter| *counter == Counter::Redirected),
            refused: sum(|counter| {
                matches!(
                    counter,
                    Counter::UnlistedRefused
                        | Counter::DatagramRefused
                        | Counter::UnknownNetns
                        | Counter::StorageRefused
                        | Counter::SocketKindRefused
                        | Counter::ListenerDirectRefused
                        | Counter::ListenerBindRefused
                )
            }),
        }
    }

    fn checks(&self) -> Vec<CheckView> {
        let services = self.gateway.services();
        let recording = services.recorder.health();
        let lost = services.events.lost();
        let mut checks = vec![
            CheckView {
                name: "recording".into(),
                healthy: recording.is_ok(),
                detail: recording.err().map(|error| error.to_string()).unwrap_or_default(),
            },
            CheckView {
                name: "audit log".into(),
                healthy: services.events.healthy(),
                detail: if lost > 0 { format!("{lost} lines lost") } else { String::new() },
            },
        ];
        if let Some(kernel) = &self.kernel {
            let (attached, wanted) = kernel.programs().attached();
            checks.push(CheckView {
                name: "kernel programs".into(),
                healthy: attached == wanted,
                detail: if attached == wanted {
                    String::new()
                } else {
                    format!("{attached} of {wanted} attached; restart the daemon to attach them")
                },
            });
        }
        for target in self.gateway.targets().all() {
            if target.addresses.is_empty() {
                checks.push(CheckView {
                    name: format!("target {}", target.name),
                    healthy: false,
                    detail: "its name cannot be resolved, so nothing is captured for it".into(),
                });
            }
        }
        checks
    }
}

impl DaemonHandle for Operator {
    fn status(&self) -> StatusView {
        let services = self.gateway.services();
        let cards = self.gateway.proxy().connections().list();
        let targets = self.gateway.targets();
        let targets = targets.all().iter().map(|target| TargetView {
            name: target.name.clone(),
            protocol: target.protocol,
            addresses: target.addresses.iter().map(ToString::to_string).collect(),
            environment: target.environment.as_ref().map(|environment| environment.0.to_string()),
            enforced: target.enforcement == Enforcement::Enforce,
            sessions: cards.iter().filter(|one| one.card.target == target.name).count() as u64,
        });
        let targets = targets.collect();
        let state = self.state.lock();
        StatusView {
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            state: if self.gateway.proxy().is_draining() {
                DaemonState::Draining
            } else {
                DaemonState::Serving
            },
            started_us: self.started,
            now_us: services.clock.now(),
            config: self.config.display().to_string(),
            policy: format!("{:#}", services.policies.current().digest()),
            policy_since_us: state.since,
            reload_errors: state.reload_errors.clone(),
            sessions: cards.len() as u64,
            holds: services.approvals.list().len() as u64,
            interception: self.interception(),
            targets,
            checks: self.checks(),
        }
    }

    fn metrics(&self) -> String {
        self.gateway.services().events.metrics().render()
    }

    fn reload(&self, by: String) -> BoxFuture<'_, ReloadView> {
        Box::pin(async move { self.reload_now(&by).await })
    }

    fn drain(&self) {
        self.drain.cancel();
    }

    fn audit(&self, event: AuditEvent) {
        self.gateway.services().events.emit(event);
    }
}

impl SocketsHandle for Operator {
    fn sockets(&self) -> Vec<SocketView> {
        self.gateway.proxy().connections().list().iter().map(socket).collect()
    }

    fn kill(&self, session: SessionId) -> bool {
        let card = self.gateway.proxy().connections().card(session);
        card.is_some_and(|card| {
            card.ending().end(SessionEnd::Killed);
            true
        })
    }
}

fn socket(listed: &Listed) -> SocketView {
    use std::sync::atomic::Ordering::Relaxed;
    let card = &listed.card;
    let (process, attestation) = (&card.binding.process, &card.attestation);
    let principal = card.principal();
    let (_user, database) = card.login();
    SocketView {
        session: card.session,
        pid: process.tgid,
        comm: process.comm.clone(),
        executable: attestation.executable.clone(),
        unit: attestation.systemd_unit.clone(),
        container: attestation.container.clone(),
        cgroup: attestation.cgroup_path.clone(),
        uid: card.binding.user.uid,
        user: attestation.user_name.clone(),
        workload: principal.workload.clone(),
        principal: principal.to_string(),
        groups: principal.groups.iter().map(ToString::to_string).collect(),
        original: card.binding.original,
        target: card.target.clone(),
        protocol: card.protocol,
        database: database.map(|database| database.to_string()),
        phase: match (card.ending().cause(), card.phase()) {
            (Some(_), _) => SocketPhase::Ending,
            (None, Phase::Opening) => SocketPhase::Opening,
            (None, Phase::Live) => SocketPhase::Live,
            (None, Phase::Held) => SocketPhase::Held,
        },
        last: card.last().map(|last| LastDecisionView {
            operation: last.number,
            kind: last.kind.to_string(),
            effect: last.effect,
            rule: last.rule,
            at_us: last.at,
        }),
        operations: card.operations.load(Relaxed),
        masked_values: card.masked_values.load(Relaxed),
        kernel_bytes_from_client: listed.kernel.map(|counts| counts.received),
        kernel_bytes_to_client: listed.kernel.map(|counts| counts.acknowledged),
        bytes_from_client: card.bytes_from_client.load(Relaxed),
        bytes_to_client: card.bytes_to_client.load(Relaxed),
        accepted_us: card.accepted,
    }
}

/// The approver groups of somebody at the control socket. A group that the configuration does not
/// map is the host's group of its name.
fn groups_of(settings: &Settings, peer: &Peer) -> BTreeSet<Group> {
    let mapped = &settings.control.approver_groups;
    let own = peer.unix_groups.iter().map(|name| Group::new(&**name));
    let mut groups: BTreeSet<Group> = own.filter(|group| !mapped.contains_key(group)).collect();
    for (group, members) in mapped {
        let user = peer.user.as_deref();
        let named = members.users.iter().any(|name| Some(name.as_str()) == user);
        let within = members.groups.iter().any(|name| peer.unix_groups.contains(name.as_str()));
        if named || within {
            groups.insert(group.clone());
        }
    }
    groups
}

fn governed(govern: &Govern) -> Vec<String> {
    match govern {
        Govern::Host => vec!["host".into()],
        Govern::Parts(parts) => parts
            .iter()
            .map(|part| match part {
                Governed::SystemdUnit(unit) => unit.clone(),
                Governed::Cgroup(path) => path.clone(),
            })
            .collect(),
    }
}

fn texts(errors: &ConfigErrors) -> Vec<String> {
    errors.0.iter().map(ToString::to_string).collect()
}
