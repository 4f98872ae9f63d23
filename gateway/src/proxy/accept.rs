//! From an accepted socket to a running driver.
//!
//! Owns the sequence and its refusals, each an event that says why. Must not know how a binding is
//! read or a token verified: it asks.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use model::audit::{AuditEvent, SessionEnd, SessionFacts, SocketRefusal};
use model::{Attestation, Binding, SessionId, WorkloadName};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::{ConnectionGuard, Connections};
use super::targets::{Claim, TargetError, Targets};
use super::workers::Workers;
use crate::interception::{ByteCounts, FlowTable};
use crate::protocols::Registry;
use crate::session::{BoxFuture, Card, CardFacts, Identified, Pending, Services, Stream, Target};

/// What a driver may take to say goodbye after it was told to end.
const FAREWELL_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Finds out who is behind a binding.
pub trait Identity: Send + Sync + std::fmt::Debug {
    /// Attests the process, finds its workload and verifies its token.
    fn identify<'a>(
        &'a self,
        binding: &'a Binding,
    ) -> BoxFuture<'a, Result<Accepted, IdentityError>>;
}

/// Who is behind a binding.
#[derive(Debug)]
pub struct Accepted {
    /// What was found out about the process.
    pub attestation: Arc<Attestation>,
    /// The principal, and how to verify it again.
    pub identified: Box<dyn Identified>,
}

/// Why nobody is behind a binding.
#[derive(Clone, Debug)]
pub struct IdentityError {
    /// The sort of refusal.
    pub why: SocketRefusal,
    /// More about it.
    pub detail: Arc<str>,
    /// The cgroup's path, where it was found.
    pub cgroup: Option<Arc<str>>,
    /// The workload, where it was found.
    pub workload: Option<WorkloadName>,
}

/// Gives TLS towards workloads by target; `None` where TLS is declined.
pub type ClientTlsOf = dyn Fn(&Target) -> Option<Arc<ServerConfig>> + Send + Sync;

/// What the proxy is made of.
pub struct ProxyParts {
    /// Handles of sessions.
    pub services: Arc<Services>,
    /// Bindings of accepted sockets.
    pub flows: Arc<dyn FlowTable>,
    /// Who is behind them.
    pub identity: Arc<dyn Identity>,
    /// Where they go.
    pub targets: Arc<ArcSwap<Targets>>,
    /// Drivers.
    pub registry: Registry,
    /// TLS towards workloads, by target.
    pub client_tls: Arc<ClientTlsOf>,
    /// Where connections are served.
    pub workers: Workers,
}

/// The proxy.
pub struct Proxy {
    parts: ProxyParts,
    connections: Arc<Connections>,
    tracker: TaskTracker,
    draining: AtomicBool,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// A connection that has a session's identity.
struct Bound {
    guard: Arc<ConnectionGuard>,
    pending: Pending,
    card: Arc<Card>,
    facts: Arc<SessionFacts>,
}

impl Proxy {
    /// A proxy without listeners yet.
    #[must_use]
    pub fn new(parts: ProxyParts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            connections: Arc::default(),
            tracker: TaskTracker::new(),
            draining: AtomicBool::new(false),
        })
    }

    /// The table of connections.
    #[must_use]
    pub const fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Accepts from `listener` until `stop` is cancelled.
    pub fn listen(self: &Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let proxy = Arc::clone(self);
        self.tracker.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    biased; // A listener that is being closed takes no more.
                    () = stop.cancelled() => break,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, peer)) => proxy.take(stream, peer),
                    // Out of descriptors or memory: those that wait may free some.
                    Err(error) => {
                        tracing::error!(error = %error, "accept failed");
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                }
            }
        });
    }

    /// Refuses new connections from now on and waits for those there are. Their drivers end them
    /// after `within` at the latest; then they get time to say so.
    pub async fn drain(&self, within: std::time::Duration) {
        self.draining.store(true, Ordering::Release);
        self.connections.end_all(&SessionEnd::Drained);
        let within = within + FAREWELL_WITHIN;
        if tokio::time::timeout(within, self.connections.drained()).await.is_err() {
            tracing::warn!(left = self.connections.open(), "drain deadline passed");
        }
        self.tracker.close();
    }

    /// Whether the daemon is draining.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    fn take(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let proxy = Arc::clone(self);
        let serve = move |stream| async move { proxy.connection(stream, peer).await };
        if let Err(error) = self.parts.workers.serve(stream, &self.tracker, serve) {
            tracing::error!(%error, "an accepted connection was lost");
        }
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(binding) = self.binding(&stream, peer) else { return };
        let Some(bound) = self.bind(&binding, &stream, peer).await else { return };
        let Bound { guard, pending, card, facts } = bound;
        // Small messages both ways: waiting to fill segments would only add latency.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "client socket is gone");
        }
        let Some(driver) = self.parts.registry.driver(facts.protocol) else {
            tracing::error!(protocol = %facts.protocol, "no driver");
            return;
        };
        self.started(&card, &facts);
        let opened = Arc::clone(&guard);
        let pending = pending.on_open(move || opened.opened());
        let served =
            AssertUnwindSafe(driver.serve(Stream::Plain(stream), pending)).catch_unwind().await;
        let end = served.unwrap_or_else(|_panic| SessionEnd::Internal {
            because: "the protocol driver failed".into(),
        });
        // What ended it from outside is the cause, whatever the driver saw of it.
        let end = card.ending().cause().cloned().unwrap_or(end);
        let kernel = self.connections.last_counts(card.session);
        self.ended(&card, &facts, end, kernel);
        drop(guard);
    }

    fn binding(&self, stream: &TcpStream, peer: SocketAddr) -> Option<Arc<Binding>> {
        match self.parts.flows.binding(stream.as_fd()) {
            Ok(Some(binding)) => Some(Arc::new(binding)),
            Ok(None) => {
                self.refused(SocketRefusal::NoBinding, &format!("connected directly from {peer}"));
                None
            }
            Err(error) => {
                self.refused(SocketRefusal::NoBinding, &format!("{error} (from {peer})"));
                None
            }
        }
    }

    async fn bind(
        &self,
        binding: &Arc<Binding>,
        stream: &TcpStream,
        peer: SocketAddr,
    ) -> Option<Bound> {
        let services = &self.parts.services;
        if self.is_draining() {
            self.refused_binding(SocketRefusal::Draining, "draining", binding, None, None);
            return None;
        }
        let within = services.limits.handshake_within;
        let identified = self.parts.identity.identify(binding);
        let identified = tokio::time::timeout(within, identified).await;
        let accepted = match identified {
            Ok(Ok(accepted)) => accepted,
            Ok(Err(IdentityError { why, detail, cgroup, workload })) => {
                self.refused_binding(why, &detail, binding, cgroup, workload);
                return None;
            }
            Err(_elapsed) => {
                let detail = "identification took too long";
                self.refused_binding(SocketRefusal::NoValidToken, detail, binding, None, None);
                return None;
            }
        };
        let principal = accepted.identified.principal();
        let workload = principal.workload.clone();
        let cgroup: Arc<str> = accepted.attestation.cgroup_path.as_str().into();
        let target = match self.target(binding.original, stream, &workload).await {
            Ok(target) => target,
            Err((why, detail)) => {
                self.refused_binding(why, &detail, binding, Some(cgroup), Some(workload));
                return None;
            }
        };
        let card = Arc::new(Card::new(
            CardFacts {
                session: SessionId::from_u128(uuid::Uuid::now_v7().as_u128()),
                binding: Arc::clone(binding),
                attestation: Arc::clone(&accepted.attestation),
                principal: Arc::clone(&principal),
                target: target.name.clone(),
                protocol: target.protocol,
                peer,
                accepted: services.clock.now(),
            },
            CancellationToken::new(),
        ));
        let socket = stream.as_fd().try_clone_to_owned().ok();
        let (name, limits) = (workload.clone(), &services.limits);
        let guard = match self.connections.register(Arc::clone(&card), socket, name, limits) {
            Ok(guard) => Arc::new(guard),
            Err(error) => {
                let (why, detail) = (SocketRefusal::LimitReached, error.to_string());
                self.refused_binding(why, &detail, binding, Some(cgroup), Some(workload));
                return None;
            }
        };
        let facts = Arc::new(SessionFacts {
            session: card.session,
            workload,
            subject: principal.token.clone(),
            target: target.name.clone(),
            protocol: target.protocol,
            pid: binding.process.tgid,
        });
        let mut pending = Pending::new(
            Arc::clone(services),
            Arc::clone(&target),
            Arc::clone(&card),
            Arc::clone(&facts),
            accepted.identified,
        );
        if let Some(tls) = (self.parts.client_tls)(&target) {
            pending = pending.with_client_tls(tls);
        }
        Some(Bound { guard, pending, card, facts })
    }

    /// The target that is meant: by the address, and where several have it by the name that the
    /// client asks for with its first bytes.
    async fn target(
        &self,
        address: SocketAddr,
        client: &TcpStream,
        workload: &WorkloadName,
    ) -> Result<Arc<Target>, (SocketRefusal, String)> {
        let worded = |error: TargetError| {
            let why = match error {
                TargetError::None(_) | TargetError::NoSuchName { .. } => SocketRefusal::NoTarget,
                TargetError::Ambiguous { .. } => SocketRefusal::AmbiguousTarget,
            };
            (why, error.to_string())
        };
        let claim = self.parts.targets.load().of(address).map_err(worded)?;
        let Claim::ByName(several) = &claim else {
            return claim.named(address, None).map_err(worded);
        };
        let limits = &self.parts.services.limits;
        let counted = self.connections.await_name(workload, limits);
        let _counted = counted.map_err(|error| (SocketRefusal::LimitReached, error.to_string()))?;
        let driver = several.first().and_then(|target| self.parts.registry.driver(target.protocol));
        let name = match driver {
            None => None,
            Some(driver) => {
                let named = driver.server_name(client);
                tokio::time::timeout(limits.handshake_within, named).await.ok().flatten()
            }
        };
        claim.named(address, name.as_deref()).map_err(worded)
    }

    fn started(&self, card: &Card, facts: &SessionFacts) {
        self.parts.services.events.emit(AuditEvent::SessionStarted {
            session: facts.clone(),
            original: card.binding.original,
            attestation: Arc::clone(&card.attestation),
            uid: card.binding.user.uid,
        });
    }

    fn ended(
        &self,
        card: &Card,
        facts: &SessionFacts,
        end: SessionEnd,
        kernel: Option<ByteCounts>,
    ) {
        let duration = self.parts.services.clock.now().since(card.accepted);
        self.parts.services.events.emit(AuditEvent::SessionEnded {
            session: facts.clone(),
            end,
            operations: card.operations.load(Ordering::Relaxed),
            masked_values: card.masked_values.load(Ordering::Relaxed),
            bytes_from_client: card.bytes_from_client.load(Ordering::Relaxed),
            bytes_to_client: card.bytes_to_client.load(Ordering::Relaxed),
            kernel_bytes_from_client: kernel.map(|counts| counts.received),
            kernel_bytes_to_client: kernel.map(|counts| counts.acknowledged),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        });
    }

    fn refused(&self, why: SocketRefusal, detail: &str) {
        self.parts.services.events.emit(AuditEvent::SocketRefused {
            why,
            detail: detail.into(),
            original: None,
            pid: None,
            uid: None,
            cgroup: None,
            workload: None,
        });
    }

    fn refused_binding(
        &self,
        why: SocketRefusal,
        detail: &str,
        binding: &Binding,
        cgroup: Option<Arc<str>>,
        workload: Option<WorkloadName>,
    ) {
        self.parts.services.events.emit(AuditEvent::SocketRefused {
            why,
            detail: detail.into(),
            original: Some(binding.original),
            pid: Some(binding.process.tgid),
            uid: Some(binding.user.uid),
            cgroup,
            workload,
        });
    }
}
