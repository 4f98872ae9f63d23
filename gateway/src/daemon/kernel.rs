//! The kernel's side of the daemon: programs installed, namespaces listened in, events followed.
//!
//! Owns the order in which interception comes up, so that nothing is redirected before somebody
//! listens for it, and the tasks that follow the kernel. Must not know sessions. When it ends, the
//! programs stay: governed connects are refused until another daemon adopts them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Binding;
use model::audit::{AuditEvent, SocketRefusal};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::gateway::Gateway;
use super::plan;
use crate::interception::{
    Adoption, Attempt, Counter, Dialer, EventReader, FlowTable, Installation, InterceptionError,
    KernelEvent, KernelFlows, Listeners, Namespaces, Predating, Programs, Refusal, Whose,
};
use crate::session::{BoxFuture, Dial};

/// How often deserted namespaces are let go of and names of targets resolved again.
const UPKEEP_EVERY: Duration = Duration::from_secs(30);

/// Why interception cannot run.
#[derive(Debug, thiserror::Error)]
pub(super) enum KernelError {
    /// Programs or maps.
    #[error(transparent)]
    Interception(#[from] InterceptionError),
    /// Namespaces or listeners.
    #[error("network namespaces cannot be listened in: {0}")]
    Namespaces(#[from] io::Error),
}

/// Interception, running.
#[derive(Debug)]
pub(super) struct Kernel {
    programs: Arc<Programs>,
    flows: Arc<KernelFlows>,
    namespaces: Namespaces,
    listeners: Listeners,
    own_cgroup: String,
    open: Mutex<BTreeMap<u64, CancellationToken>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Kernel {
    /// Loads or adopts the programs. Nothing more is captured than was before.
    pub(super) async fn start(
        installation: Installation,
        listen_port: u16,
        own_cgroup: String,
    ) -> Result<Arc<Self>, KernelError> {
        let loaded = tokio::task::spawn_blocking(move || Programs::load_or_adopt(&installation));
        let programs = Arc::new(loaded.await.map_err(io::Error::other)??);
        let flows = Arc::new(KernelFlows::new(Arc::clone(&programs)));
        let namespaces = Namespaces::start()?;
        let listeners =
            Listeners::new(Arc::clone(&programs), Arc::clone(&flows) as _, namespaces.clone())
                .starting_at(listen_port);
        tracing::info!(
            adopted = programs.adoption() == Adoption::Adopted,
            governs_new_cgroups = programs.governs_new_cgroups(),
            "kernel programs"
        );
        Ok(Arc::new(Self {
            programs,
            flows,
            namespaces,
            listeners,
            own_cgroup,
            open: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    pub(super) fn flows(&self) -> Arc<dyn FlowTable> {
        Arc::clone(&self.flows) as Arc<dyn FlowTable>
    }

    pub(super) fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(KernelDial(Dialer::new(self.flows(), self.namespaces.clone())))
    }

    pub(super) const fn programs(&self) -> &Arc<Programs> {
        &self.programs
    }

    /// Opens listeners, then captures and governs: in this order, nobody is redirected to nothing.
    pub(super) async fn serve(self: &Arc<Self>, gateway: &Arc<Gateway>) -> Result<(), KernelError> {
        let reader = EventReader::open(&self.programs)?;
        let (mut events, follow) = reader.run(self.stop.child_token());
        self.tasks.spawn(follow);
        self.listen(gateway, self.namespaces.own_cookie()).await?;
        self.apply(gateway)?;
        self.listen_where_governed(gateway).await;
        let (kernel, served) = (Arc::clone(self), Arc::clone(gateway));
        self.tasks.spawn(async move {
            let mut upkeep = tokio::time::interval(UPKEEP_EVERY);
            loop {
                tokio::select! {
                    biased; // What the kernel reports waits for nobody.
                    () = kernel.stop.cancelled() => break,
                    event = events.recv() => match event {
                        Some(event) => kernel.handle(&served, event).await,
                        None => break,
                    },
                    _ = upkeep.tick() => kernel.keep_up(&served).await,
                }
            }
        });
        let (kernel, served) = (Arc::clone(self), Arc::clone(gateway));
        // Apart from what the kernel reports, which does not wait for a slow name server.
        self.tasks.spawn(async move {
            let resolving = async {
                let mut again = tokio::time::interval(UPKEEP_EVERY);
                loop {
                    again.tick().await;
                    kernel.resolve_again(&served).await;
                }
            };
            kernel.stop.run_until_cancelled(resolving).await;
        });
        Ok(())
    }

    /// Brings what is captured and who is governed in line with the settings of now.
    pub(super) fn apply(&self, gateway: &Gateway) -> Result<(), InterceptionError> {
        let settings = gateway.settings();
        self.programs.capture(&plan::captured(gateway.targets().all()))?;
        let govern = plan::govern(&settings, self.own_cgroup.clone());
        self.programs.govern(&govern, plan::unlisted(&settings), false)
    }

    /// Closes listeners and ends the tasks; the programs stay.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        for (_, open) in std::mem::take(&mut *self.open.lock()) {
            open.cancel();
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(super) fn counters(&self) -> Vec<(Counter, u64)> {
        self.programs.counters().unwrap_or_default()
    }

    /// How many network namespaces are listened in.
    pub(super) fn namespaces_open(&self) -> usize {
        self.open.lock().len()
    }

    async fn listen(&self, gateway: &Gateway, cookie: u64) -> io::Result<()> {
        if self.open.lock().contains_key(&cookie) {
            return Ok(());
        }
        let opened = self.listeners.open(cookie).await?;
        let close = self.stop.child_token();
        for listener in [Some(opened.v4), opened.v6].into_iter().flatten() {
            listener.set_nonblocking(true)?;
            gateway.proxy().listen(TcpListener::from_std(listener)?, close.clone());
        }
        tracing::info!(netns_cookie = cookie, port = opened.port, "listening");
        self.open.lock().insert(cookie, close);
        Ok(())
    }

    /// Opens listeners in the namespaces that governed processes are in already, and ends their
    /// connections to captured destinations that no hook saw.
    async fn listen_where_governed(&self, gateway: &Gateway) {
        let programs = Arc::clone(&self.programs);
        // Walks the cgroup tree and /proc, which may take a while on a large host.
        let listed =
            tokio::task::spawn_blocking(move || one_process_per_namespace(&programs)).await;
        match listed.map_err(io::Error::other) {
            Ok(Ok(governed)) => {
                for tgid in governed {
                    self.listen_at(gateway, tgid, None).await;
                }
            }
            Ok(Err(error)) => tracing::warn!(error = %error, "governed processes cannot be listed"),
            Err(error) => tracing::error!(error = %error, "governed processes were not listed"),
        }
        self.end_predating(gateway, Whose::Governed).await;
    }

    /// Ends connections that are older than their governance, in every namespace that is known.
    async fn end_predating(&self, gateway: &Gateway, whose: Whose) {
        let captured = plan::captured(gateway.targets().all());
        let predating = Predating::new(Arc::clone(&self.programs), self.namespaces.clone());
        for cookie in self.namespaces.known() {
            match predating.end(cookie, &captured, whose).await {
                Ok(0) => {}
                Ok(ended) => {
                    tracing::info!(netns_cookie = cookie, ended, "older connections ended")
                }
                Err(error) => {
                    tracing::warn!(netns_cookie = cookie, %error, "older connections not ended");
                }
            }
        }
    }

    async fn listen_at(&self, gateway: &Gateway, tgid: u32, expected: Option<u64>) {
        let learned = self.namespaces.learn(tgid, expected).await;
        let opened = match learned {
            Ok(cookie) => self.listen(gateway, cookie).await,
            Err(error) => Err(error),
        };
        if let Err(error) = opened {
            tracing::warn!(tgid, error = %error, "no listener in a workload's network namespace");
        }
    }

    async fn handle(&self, gateway: &Arc<Gateway>, event: KernelEvent) {
        match event {
            KernelEvent::Redirected(attempt) => {
                tracing::debug!(tgid = attempt.tgid, to = %attempt.destination, "redirected");
            }
            KernelEvent::Refused(refusal, attempt) => {
                report(gateway, &attempt, &format!("{refusal:?}"));
                if refusal == Refusal::UnknownNetns {
                    // The client will try again; then there is a listener.
                    self.listen_at(gateway, attempt.tgid, Some(attempt.netns_cookie)).await;
                }
            }
            KernelEvent::NetnsSeen { netns_cookie, tgid } => {
                let expected = (netns_cookie != 0).then_some(netns_cookie);
                self.listen_at(gateway, tgid, expected).await;
            }
            KernelEvent::TaskEntered { tgid, .. } => {
                self.listen_at(gateway, tgid, None).await;
                self.end_predating(gateway, Whose::Process(tgid)).await;
            }
            other => tracing::debug!(event = ?other, "kernel event"),
        }
    }

    async fn keep_up(&self, gateway: &Gateway) {
        // Where the kernel does not govern new cgroups itself, they are looked for.
        if !self.programs.governs_new_cgroups()
            && let Err(error) = self.apply(gateway)
        {
            tracing::error!(error = %error, "new cgroups not governed");
        }
        let namespaces = self.namespaces.clone();
        let deserted = tokio::task::spawn_blocking(move || namespaces.forget_deserted()).await;
        for cookie in deserted.ok().and_then(Result::ok).unwrap_or_default() {
            if let Some(close) = self.open.lock().remove(&cookie) {
                close.cancel();
            }
            if let Err(error) = self.programs.forget_listener(cookie) {
                tracing::warn!(netns_cookie = cookie, error = %error, "listener not forgotten");
            }
        }
    }

    /// Captures the addresses that the names of targets have now.
    async fn resolve_again(&self, gateway: &Gateway) {
        match gateway.resolve_again().await {
            Ok(false) => {}
            Ok(true) => {
                if let Err(error) = self.apply(gateway) {
                    tracing::error!(error = %error, "captured addresses not updated");
                }
            }
            Err(error) => tracing::warn!(error = %error, "targets not resolved again"),
        }
    }
}

/// One process for each network namespace that governed processes are in.
fn one_process_per_namespace(programs: &Programs) -> Result<Vec<u32>, InterceptionError> {
    let mut namespaces: BTreeMap<std::path::PathBuf, u32> = BTreeMap::new();
    for tgid in programs.governed_processes()? {
        if let Ok(namespace) = std::fs::read_link(format!("/proc/{tgid}/ns/net")) {
            namespaces.entry(namespace).or_insert(tgid);
        }
    }
    Ok(namespaces.into_values().collect())
}

fn report(gateway: &Gateway, attempt: &Attempt, detail: &str) {
    gateway.services().events.emit(AuditEvent::SocketRefused {
        why: SocketRefusal::Kernel,
        detail: detail.into(),
        original: Some(attempt.destination),
        pid: (attempt.tgid != 0).then_some(attempt.tgid),
        uid: (attempt.tgid != 0).then_some(attempt.uid),
        cgroup: None,
        workload: None,
    });
}

/// Dials from the workload's network namespace.
#[derive(Debug)]
struct KernelDial(Dialer);

impl Dial for KernelDial {
    fn dial<'a>(
        &'a self,
        binding: &'a Binding,
        address: SocketAddr,
    ) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(self.0.connect(binding.netns_cookie, address))
    }
}
