//! The daemon as a process: signals, readiness, the kernel's side, the control socket.
//!
//! Owns what only a process has. Must not know how any part works. Ends on SIGTERM, SIGINT or
//! `portcullis drain`; SIGHUP reloads.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::clock::SystemClock;
use super::gateway::{Environment, Gateway};
use super::kernel::Kernel;
use super::views::Operator;
use crate::config::Settings;
use crate::control::{Server, ServerSettings};
use crate::identity::attestation::Attestor;
use crate::interception::{Installation, InstanceName, Programs};
use crate::protocols::Registry;
use crate::telemetry::logging;

/// Stack of the thread that serves operators, who may ask what a statement would do: reading one
/// recurses; the reader grows its stack from here on.
const CONTROL_STACK_BYTES: usize = 4 * 1024 * 1024;

/// How the daemon is asked to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The configuration: a file or a directory.
    pub config: PathBuf,
    /// The control socket, instead of the configuration's.
    pub control: Option<PathBuf>,
}

/// Why the daemon could not run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the daemon until it is told to end.
#[must_use]
pub fn run(options: &RunOptions) -> ExitCode {
    if let Err(error) = logging::install(logging::Format::detect(), None) {
        return failed(&error.into());
    }
    let settings = match Settings::load(&options.config) {
        Ok(settings) => settings,
        Err(errors) => {
            tracing::error!(config = %options.config.display(), "configuration refused:\n{errors}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Accepts, and serves operators; connections have threads of their own.
        .worker_threads(1)
        .thread_name("control")
        .thread_stack_size(CONTROL_STACK_BYTES)
        .build();
    match runtime {
        Ok(runtime) => match runtime.block_on(serve(options, settings)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
        Err(error) => failed(&error.into()),
    }
}

fn failed(error: &Failure) -> ExitCode {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(error = chain, "cannot run");
    ExitCode::FAILURE
}

async fn serve(options: &RunOptions, settings: Settings) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock);
    let installation = Installation::new(InstanceName::new(&settings.instance)?);
    // Signals are caught before anything is made, so that nothing is left by one that comes early.
    let mut signals = Signals::catch()?;
    let kernel = Kernel::start(installation, settings.listen_port, own_cgroup()).await?;
    let socket = options.control.clone().unwrap_or_else(|| settings.control.socket.clone());
    let gateway = Gateway::start(
        settings,
        Environment {
            flows: kernel.flows(),
            dial: kernel.dial(),
            attestor: Attestor::of_host(Arc::clone(&clock) as _)?,
            clock,
            registry: Registry::complete(),
        },
    )
    .await?;
    let drain = CancellationToken::new();
    let config = options.config.clone();
    let operator =
        Operator::new(Arc::clone(&gateway), Some(Arc::clone(&kernel)), config, drain.clone());
    let server = Server::bind(ServerSettings {
        path: socket,
        group: control_group(),
        operators: std::collections::BTreeSet::new(),
    })?;
    let control = CancellationToken::new();
    let served = tokio::spawn(server.run(operator.handles(), control.clone()));
    let metrics = metrics_task(&gateway, control.clone()).await?;
    kernel.serve(&gateway).await?;
    notify(sd_notify::NotifyState::Ready);
    tracing::info!("ready");
    let because = loop {
        match signals.next(&drain).await {
            Event::Reload => {
                gateway.services().events.reopen();
                let outcome = operator.reload_now("signal").await;
                tracing::info!(applied = outcome.applied, errors = ?outcome.errors, "reload");
            }
            Event::End(because) => break because,
        }
    };
    notify(sd_notify::NotifyState::Stopping);
    tracing::info!(because, "draining");
    kernel.stop().await;
    gateway.stop(because).await;
    control.cancel();
    if served.await.is_err() {
        tracing::error!("the control socket's task failed");
    }
    if let Some(metrics) = metrics
        && metrics.await.is_err()
    {
        tracing::error!("the task that serves metrics failed");
    }
    Ok(())
}

/// Members of this host group may open the control socket; without it, only root may. What each
/// may do there is decided by who they are.
const CONTROL_GROUP: &str = "portcullis";

fn control_group() -> Option<u32> {
    match nix::unistd::Group::from_name(CONTROL_GROUP) {
        Ok(group) => group.map(|group| group.gid.as_raw()),
        Err(error) => {
            tracing::warn!(group = CONTROL_GROUP, error = %error, "group not looked up");
            None
        }
    }
}

async fn metrics_task(
    gateway: &Gateway,
    stop: CancellationToken,
) -> Result<Option<tokio::task::JoinHandle<()>>, Failure> {
    let Some(address) = gateway.settings().metrics_listen else { return Ok(None) };
    let metrics = Arc::clone(gateway.services().events.metrics());
    Ok(Some(tokio::spawn(super::metrics::serve(address, metrics, stop).await?)))
}

fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(error = %error, "nobody to notify");
    }
}

/// The cgroup the daemon itself is in: under `govern: host` it is left out.
fn own_cgroup() -> String {
    let text = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
    unified.unwrap_or("/").to_owned()
}

/// Detaches the kernel programs of an instance: nothing is captured from then on.
///
/// # Errors
/// Where the name is none, or a pin cannot be removed.
pub fn uninstall(instance: &str) -> Result<(), Failure> {
    Programs::uninstall(&Installation::new(InstanceName::new(instance)?))?;
    Ok(())
}

enum Event {
    Reload,
    End(&'static str),
}

struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self, drain: &CancellationToken) -> Event {
        tokio::select! {
            biased; // Whoever wants it ended should not wait for a reload.
            _ = self.terminate.recv() => Event::End("terminated"),
            _ = self.interrupt.recv() => Event::End("interrupted"),
            () = drain.cancelled() => Event::End("drained by an operator"),
            _ = self.hangup.recv() => Event::Reload,
        }
    }
}
