//! One session channel: from its opening, through what it asks for, to what it runs.
//!
//! Owns the state before anything runs, and the channel's end: whatever happened, it is closed.
//! Must not know how a command is read (`request`) or how bytes go through (`run`). The task ends
//! when what it runs does, when the client closes the channel before, or with the connection.
//!
//! ```text
//!  opened ── session open? ── accepted ── pty-req, env, .. ── exec | shell | subsystem ── run
//!     └ no: rejected                           └ each judged at once
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{Access, Action, Object, ObjectPath, Operation, Secret};
use russh::server::{ChannelOpenHandle, Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelWriteHalf, Pty, Sig};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::environment;
use super::inflow::{Budget, Inflow};
use super::open::Open;
use super::run::{self, Next};
use crate::session::Judgement;

/// What a new channel comes with.
pub(super) struct Origin {
    /// The channel, not accepted yet.
    pub(super) channel: Channel<Msg>,
    /// The way to accept it.
    pub(super) reply: ChannelOpenHandle,
    /// What the client asks on it.
    pub(super) requests: mpsc::Receiver<Request>,
    /// Whether what it is for has been said.
    pub(super) started: Arc<AtomicBool>,
    /// What its window may grow by.
    pub(super) budget: Budget,
    /// Cancelled when the client has closed it, or is gone.
    pub(super) gone: CancellationToken,
    /// Cancelled when the client is gone.
    pub(super) left: CancellationToken,
    /// The client.
    pub(super) client: Handle,
}

/// What a client asks on a channel.
#[derive(Debug)]
pub(super) enum Request {
    /// Something to have before it starts, and what was judged of it.
    Asked(Asked, Judgement),
    /// What the channel is for.
    Start(Start),
    /// The terminal has another size: columns, rows, and both in pixels.
    Resized([u32; 4]),
    /// A signal for what runs.
    Signal(Sig),
}

/// What a client may have before it starts something.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// A terminal.
    Terminal(Terminal),
    /// The client's agent.
    Agent,
    /// The client's display.
    X11(Display),
    /// An environment variable.
    Variable {
        /// Its name.
        name: Arc<str>,
        /// Its value.
        value: Arc<str>,
    },
}

/// A display.
#[derive(Clone, Debug)]
pub(super) struct Display {
    /// Whether it is for one connection only.
    pub(super) single: bool,
    /// How what connects proves itself.
    pub(super) protocol: Arc<str>,
    /// With what; made up by the client for this purpose.
    pub(super) cookie: Secret<String>,
    /// Which screen.
    pub(super) screen: u32,
}

/// A terminal.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    /// Its type.
    pub(super) term: Arc<str>,
    /// Columns, rows, and both in pixels.
    pub(super) size: [u32; 4],
    /// Its modes (RFC 4254 8).
    pub(super) modes: Vec<(Pty, u32)>,
}

/// What a channel is for.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// A command line.
    Exec(Arc<[u8]>),
    /// The login shell.
    Shell,
    /// A subsystem.
    Subsystem(Arc<str>),
}

impl Asked {
    /// What it needs.
    pub(super) fn operation(&self, user: &Arc<str>) -> Arc<Operation> {
        let (kind, text, accesses) = match self {
            Self::Terminal(terminal) => {
                let text = format!("terminal {}", terminal.term);
                ("pty", text, vec![named(Action::Pty, "login", user)])
            }
            Self::Agent => (
                "agent",
                format!("forward the agent to {user}"),
                vec![named(Action::Agent, "login", user)],
            ),
            Self::X11(_) => {
                ("x11", format!("forward X11 from {user}"), vec![named(Action::X11, "login", user)])
            }
            // The value is nobody's business: it may be a secret.
            Self::Variable { name, value } => {
                let mut accesses = Vec::new();
                if !environment::is_locale(name, value) {
                    accesses.push(named(Action::Env, "variable", name));
                }
                if environment::runs_something(name) {
                    accesses.push(named(Action::Opaque, "login", user));
                }
                ("env", format!("set {name}"), accesses)
            }
        };
        Arc::new(Operation { kind: kind.into(), text: text.into(), accesses: accesses.into() })
    }
}

/// An access on something that has a kind and a name.
pub(super) fn named(action: Action, kind: &'static str, name: &Arc<str>) -> Access {
    Access { action, object: Object::Named { kind, path: ObjectPath::new([Arc::clone(name)]) } }
}

/// A channel that the client has, before and while something runs on it.
pub(super) struct Live {
    /// What the client is sent.
    pub(super) to_client: Arc<ChannelWriteHalf<Msg>>,
    /// What the client asks.
    pub(super) requests: mpsc::Receiver<Request>,
    /// Whether what it is for has been said.
    started: Arc<AtomicBool>,
    /// Whether the client waits to hear that it has what it asked for.
    pub(super) owes_answer: bool,
    /// Cancelled when the client has closed it, or is gone.
    pub(super) gone: CancellationToken,
    /// Cancelled when the client is gone.
    pub(super) left: CancellationToken,
    /// The client.
    pub(super) client: Handle,
    /// What it asked for and may have, or waits for.
    pub(super) asked: Vec<(Asked, Judgement)>,
    /// Whether it has a terminal: lines to it end otherwise.
    pub(super) in_terminal: bool,
}

/// Serves one channel.
pub(super) async fn serve(origin: Origin, mut open: watch::Receiver<Option<Arc<Open>>>) {
    let Origin { channel, reply, requests, started, budget, gone, left, client } = origin;
    // Until the session is open, nothing can be asked for. Dropping the reply rejects.
    let open = tokio::select! {
        biased; // A client that is gone needs nothing.
        () = gone.cancelled() => return,
        open = opened(&mut open) => open,
    };
    let Some(open) = open else { return };
    reply.accept().await;
    let (from_client, to_client) = channel.split();
    let mut from_client = Inflow::new(from_client, &budget);
    let mut live = Live {
        to_client: Arc::new(to_client),
        requests,
        started,
        owes_answer: false,
        gone,
        left,
        client,
        asked: Vec::new(),
        in_terminal: false,
    };
    while let Some(start) = setup(&mut live, &mut from_client).await {
        live.owes_answer = matches!(start, Start::Subsystem(_));
        match run::run(&mut live, &mut from_client, &open, start).await {
            Next::Ask => live.started.store(false, Ordering::Release),
            Next::Close => break,
        }
    }
    run::give_up(&mut live, &open).await;
    if let Err(error) = live.to_client.close().await {
        tracing::debug!(%error, "the client is gone before its channel");
    }
}

impl Live {
    /// Says whether the client has what it asked for, once.
    pub(super) async fn answer(&mut self, has: bool) {
        if !std::mem::take(&mut self.owes_answer) {
            return;
        }
        let id = self.to_client.id();
        let told = if has {
            self.client.channel_success(id).await
        } else {
            self.client.channel_failure(id).await
        };
        if told.is_err() {
            tracing::debug!("the client is gone before its answer");
        }
    }
}

/// The session, once it is open; `None` where it will not be.
pub(super) async fn opened(open: &mut watch::Receiver<Option<Arc<Open>>>) -> Option<Arc<Open>> {
    open.wait_for(Option::is_some).await.ok().and_then(|open| open.clone())
}

/// Collects what is asked for until something is to start. `None` where the channel is over first.
async fn setup(live: &mut Live, from_client: &mut Inflow) -> Option<Start> {
    loop {
        tokio::select! {
            biased; // What was asked before the end was asked in vain, but comes first.
            request = live.requests.recv() => match request? {
                Request::Start(start) => return Some(start),
                Request::Asked(asked, judged) => {
                    live.in_terminal |= matches!(asked, Asked::Terminal(_));
                    live.asked.push((asked, judged));
                }
                Request::Resized(size) => resize(&mut live.asked, size),
                Request::Signal(_) => {}
            },
            // Data before anything runs is for nobody (as with OpenSSH's server).
            message = from_client.next() => if let ChannelMsg::Close = message? {
                return None;
            },
        }
    }
}

/// A terminal that changed its size before it was had.
fn resize(asked: &mut [(Asked, Judgement)], to: [u32; 4]) {
    for (asked, _) in asked {
        if let Asked::Terminal(terminal) = asked {
            terminal.size = to;
        }
    }
}
