//! The whole gateway as one value.
//!
//! Owns the parts and their order of start and stop. Must not know where accepted sockets come
//! from: [`Gateway::listen`] is given listeners, by the kernel side or by a test. Ends with
//! [`Gateway::stop`].

use std::sync::Arc;

use arc_swap::ArcSwap;
use masking::Transforms;
use model::audit::AuditEvent;
use model::{Clock, PolicyDigest, Protocol, TargetName};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use rustls::ServerConfig;
use sql::AnalysisLimits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::identity::CurrentIdentity;
use super::plan::{self, TargetProblem};
use super::state::{StateDirectory, StateError};
use crate::approvals::Approvals;
use crate::config::Settings;
use crate::credentials::{CredentialStore, HostEnvironment, Tokens};
use crate::host_keys::HostKeys;
use crate::identity::attestation::Attestor;
use crate::identity::{IdentityService, SettingsError};
use crate::interception::FlowTable;
use crate::protocols::{Driver, Registry};
use crate::proxy::{Proxy, ProxyParts, Targets, Workers};
use crate::recording::{AuditLog, AuditLogError, KeyError, Recorder, RecorderSettings, SigningKey};
use crate::session::{ClientTls, Databases, Dial, Policies, Readings, Services};
use crate::telemetry::{Events, Metrics};
use crate::tls::{CertificateNames, DownstreamTls, HostCa, HostCaError, HostDialer, LentAuthority};

/// What a gateway stands on: the real thing in the daemon, made-up in tests.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Bindings of accepted sockets.
    pub flows: Arc<dyn FlowTable>,
    /// The way to upstreams.
    pub dial: Arc<dyn Dial>,
    /// What can be found out about processes.
    pub attestor: Attestor,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The drivers.
    pub registry: Registry,
}

/// Why a gateway cannot start, or not change over to new settings.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The state directory.
    #[error("the state directory cannot be used: {0}")]
    State(#[from] StateError),
    /// The audit log.
    #[error("the audit log cannot be opened: {0}")]
    Audit(#[from] AuditLogError),
    /// The key of recordings.
    #[error("the key that signs recordings cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The recorder.
    #[error("the recorder cannot start: {0}")]
    Recorder(std::io::Error),
    /// The threads that serve connections.
    #[error("the threads that serve connections cannot start: {0}")]
    Workers(std::io::Error),
    /// The host's certificate authority.
    #[error("the host's certificate authority cannot be used: {0}")]
    Authority(#[from] HostCaError),
    /// A target.
    #[error("{0}")]
    Target(#[from] TargetProblem),
    /// Workloads and identity providers.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Identity(Vec<SettingsError>),
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// The policy before.
    pub before: PolicyDigest,
    /// The policy now.
    pub now: PolicyDigest,
    /// Settings that changed and take effect only at the next start.
    pub need_restart: Vec<&'static str>,
}

/// A gateway.
pub struct Gateway {
    services: Arc<Services>,
    proxy: Arc<Proxy>,
    audit: Arc<AuditLog>,
    identity: Arc<ArcSwap<IdentityService>>,
    targets: Arc<ArcSwap<Targets>>,
    client_tls: ClientTlsTable,
    state: StateDirectory,
    registry: Registry,
    settings: Mutex<Arc<Settings>>,
    stop: CancellationToken,
}

/// TLS towards workloads, by target.
type ClientTlsTable = Arc<ArcSwap<FxHashMap<TargetName, Arc<ServerConfig>>>>;

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Builds and starts everything but listeners.
    ///
    /// # Errors
    /// The first part that cannot be had; nothing is left running then.
    pub async fn start(
        settings: Settings,
        environment: Environment,
    ) -> Result<Arc<Self>, GatewayError> {
        let settings = Arc::new(settings);
        warn_of(&settings);
        let clock = environment.clock;
        let state = StateDirectory::open(&settings.state_directory)?;
        let targets = plan::targets(&settings).await?;
        let mask_key = state.mask_key()?;
        let key = SigningKey::load_or_create(&state.path("recording.key"))?;
        let client_tls = client_tls(&settings, &targets, &state, &environment.registry, &clock)?;
        let host_keys = Arc::new(HostKeys::new(&state.path("ca"), Arc::clone(&clock)));
        plan::check_host_keys(&targets, &host_keys)?;
        let dialer = Arc::new(HostDialer);
        let identity = IdentityService::new(
            environment.attestor,
            plan::identity(&settings),
            Arc::clone(&clock),
            Arc::clone(&dialer) as _,
        )
        .map_err(GatewayError::Identity)?;
        let metrics = Metrics::new();
        let audit = AuditLog::open(&settings.audit.file, Arc::clone(&metrics))?;
        let events = Events::new(Arc::clone(&audit) as _, metrics, Arc::clone(&clock));
        let recorder = Recorder::start(
            RecorderSettings::new(&settings.recording.directory, &settings.limits),
            key,
            Arc::clone(&clock),
            events.clone(),
        )
        .map_err(GatewayError::Recorder)?;
        let limits = Arc::new(settings.limits.clone());
        let policy = Arc::clone(&settings.policy);
        events.emit(AuditEvent::DaemonStarted {
            version: env!("CARGO_PKG_VERSION"),
            policy: policy.digest(),
        });
        let analysis = AnalysisLimits {
            text_bytes_max: limits.statement_bytes_max,
            ..AnalysisLimits::default()
        };
        let services = Arc::new(Services {
            policies: Arc::new(Policies::new(policy)),
            approvals: Approvals::new(Arc::clone(&clock), limits.holds_per_workload_max),
            readings: Arc::new(Readings::new(analysis)),
            databases: Arc::new(Databases::new(Arc::clone(&clock))),
            credentials: Arc::new(CredentialStore::new(
                Arc::new(HostEnvironment),
                Arc::new(Tokens::new(dialer, Arc::clone(&clock))),
            )),
            host_keys,
            transforms: Arc::new(Transforms::new(&mask_key)),
            dial: environment.dial,
            events,
            recorder,
            clock,
            limits,
        });
        let identity = Arc::new(ArcSwap::from_pointee(identity));
        let registry = environment.registry.clone();
        let targets = Arc::new(ArcSwap::from_pointee(Targets::new(targets)));
        let client_tls: ClientTlsTable = Arc::new(ArcSwap::from_pointee(client_tls));
        let table = Arc::clone(&client_tls);
        let workers = Workers::start().map_err(GatewayError::Workers)?;
        let proxy = Proxy::new(ProxyParts {
            services: Arc::clone(&services),
            flows: environment.flows,
            identity: Arc::new(CurrentIdentity(Arc::clone(&identity))),
            targets: Arc::clone(&targets),
            registry: environment.registry,
            client_tls: Arc::new(move |target| table.load().get(&target.name).map(Arc::clone)),
            workers,
        });
        let (stop, settings) = (CancellationToken::new(), Mutex::new(settings));
        let gateway = Self {
            services,
            proxy,
            audit,
            identity,
            targets,
            client_tls,
            state,
            registry,
            settings,
            stop,
        };
        Ok(Arc::new(gateway))
    }

    /// Takes connections from a listener until the gateway stops.
    pub fn listen(&self, listener: TcpListener) {
        self.proxy.listen(listener, self.stop.child_token());
    }

    /// The handles of sessions.
    #[must_use]
    pub const fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The proxy.
    #[must_use]
    pub const fn proxy(&self) -> &Arc<Proxy> {
        &self.proxy
    }

    /// The targets of now.
    #[must_use]
    pub fn targets(&self) -> Arc<Targets> {
        self.targets.load_full()
    }

    /// The identity service of now.
    #[must_use]
    pub fn identity(&self) -> Arc<IdentityService> {
        self.identity.load_full()
    }

    /// The driver of a protocol.
    #[must_use]
    pub fn driver(&self, protocol: Protocol) -> Option<Arc<dyn Driver>> {
        self.registry.driver(protocol)
    }

    /// The settings of now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock())
    }

    /// Changes over to new settings: policy, workloads, identity providers, targets. Everything
    /// is built before anything is swapped; live sessions are judged again.
    ///
    /// # Errors
    /// What cannot be built; the old settings stay.
    pub async fn reload(&self, settings: Settings, by: &str) -> Result<Reloaded, GatewayError> {
        let settings = Arc::new(settings);
        warn_of(&settings);
        let targets = plan::targets(&settings).await?;
        let identity = self
            .identity
            .load()
            .succeed(plan::identity(&settings))
            .map_err(GatewayError::Identity)?;
        let tls =
            client_tls(&settings, &targets, &self.state, &self.registry, &self.services.clock)?;
        plan::check_host_keys(&targets, &self.services.host_keys)?;
        let policy = Arc::clone(&settings.policy);
        let (before, now) = (self.services.policies.current().digest(), policy.digest());
        let old = {
            // Held over all of it: names that are being resolved again see either all or nothing.
            let mut current = self.settings.lock();
            self.targets.store(Arc::new(Targets::new(targets)));
            self.client_tls.store(Arc::new(tls));
            self.identity.store(Arc::new(identity));
            self.services.policies.swap(policy);
            std::mem::replace(&mut *current, Arc::clone(&settings))
        };
        self.services.events.emit(AuditEvent::PolicyLoaded { policy: now, by: by.into() });
        Ok(Reloaded { before, now, need_restart: need_restart(&old, &settings) })
    }

    /// Says that a reload was asked for and the new settings are not usable.
    pub fn reload_refused(&self, errors: Vec<String>, by: &str) {
        self.services.events.emit(AuditEvent::PolicyRejected { errors, by: by.into() });
    }

    /// Resolves the names of targets again. Says whether addresses changed.
    pub async fn resolve_again(&self) -> Result<bool, GatewayError> {
        let settings = self.settings();
        let fresh = plan::targets(&settings).await?;
        let addresses = |targets: &[Arc<crate::session::Target>]| {
            targets.iter().map(|one| (one.name.clone(), one.addresses.clone())).collect::<Vec<_>>()
        };
        let current = self.settings.lock();
        if !Arc::ptr_eq(&current, &settings) {
            // Others are in force since the names were asked for, with addresses of their own.
            return Ok(false);
        }
        let changed = addresses(&fresh) != addresses(self.targets.load().all());
        if changed {
            self.targets.store(Arc::new(Targets::new(fresh)));
        }
        Ok(changed)
    }

    /// Takes no more connections, lets operations in flight finish, ends what is left, and writes
    /// out what is recorded.
    pub async fn stop(&self, because: &'static str) {
        self.stop.cancel();
        let within = self.services.limits.drain_within;
        self.proxy.drain(within).await;
        self.services.events.emit(AuditEvent::DaemonStopped { because });
        if let Err(error) = self.services.recorder.shutdown(within).await {
            tracing::error!(error = %error, "recordings could not be written out");
        }
        let audit = Arc::clone(&self.audit);
        // Joins the writer's thread, which may wait for the disk.
        if tokio::task::spawn_blocking(move || audit.close()).await.is_err() {
            tracing::error!("the audit log could not be closed");
        }
    }
}

fn client_tls(
    settings: &Settings,
    targets: &[Arc<crate::session::Target>],
    state: &StateDirectory,
    registry: &Registry,
    clock: &Arc<dyn Clock>,
) -> Result<FxHashMap<TargetName, Arc<ServerConfig>>, GatewayError> {
    let (mut named, mut lent) = (Vec::new(), Vec::new());
    let mut all = CertificateNames::default();
    for (one, target) in settings.targets.iter().zip(targets) {
        if target.client_tls == ClientTls::Refuse {
            continue;
        }
        let names = plan::certificate_names(one, target)?;
        let authority = one.http.as_ref().and_then(|http| http.client_authority.as_ref());
        if let Some(files) = authority {
            lent.push((target, names, files));
            continue;
        }
        all.dns.extend(names.dns.iter().cloned());
        all.addresses.extend(names.addresses.iter().copied());
        named.push((target, names));
    }
    let mut table = FxHashMap::default();
    let alpn = |target: &crate::session::Target| {
        registry.driver(target.protocol).map_or(&[][..], |driver| driver.client_alpn())
    };
    for (target, names, files) in lent {
        let authority = LentAuthority::read(&files.certificate, &files.key)?;
        let downstream = DownstreamTls::lent(authority, Arc::clone(clock))?;
        table.insert(target.name.clone(), downstream.server_config(&names, alpn(target))?);
    }
    if named.is_empty() {
        return Ok(table);
    }
    let (authority, change) = HostCa::open(&state.path("ca"), &all, clock.as_ref())?;
    tracing::info!(
        certificate = %authority.certificate_file().display(),
        fingerprint = authority.fingerprint(),
        ?change,
        "host certificate authority"
    );
    let downstream = DownstreamTls::new(authority, Arc::clone(clock))?;
    for (target, names) in named {
        table.insert(target.name.clone(), downstream.server_config(&names, alpn(target))?);
    }
    Ok(table)
}

fn warn_of(settings: &Settings) {
    for warning in &settings.warnings {
        let about = &warning.0;
        tracing::warn!(
            file = %about.file.display(),
            line = about.line,
            key = about.key,
            remedy = about.remedy.as_deref(),
            "{}",
            about.reason
        );
    }
}

/// Settings that are read once, at the start.
fn need_restart(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let checks = [
        ("instance", old.instance != new.instance),
        ("state_directory", old.state_directory != new.state_directory),
        ("recording", old.recording != new.recording),
        ("audit", old.audit != new.audit),
        ("control.socket", old.control.socket != new.control.socket),
        ("listen", old.listen_port != new.listen_port),
        ("metrics", old.metrics_listen != new.metrics_listen),
        ("limits", old.limits != new.limits),
    ];
    checks.into_iter().filter_map(|(name, changed)| changed.then_some(name)).collect()
}
