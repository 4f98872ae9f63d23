//! What the SSH library calls when a client says something.
//!
//! Owns the client's side of a connection: accepting whoever comes, and handing what is said on a
//! channel to that channel's task. Must not know the upstream, and never waits for it once somebody
//! is let in: the library's loop serves every channel of the connection. What is offered at login (passwords,
//! keys) is dropped here, unread. Ends with the library's task; dropping it tells every channel
//! that the client is gone.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::Secret;
use russh::server::{Auth, ChannelOpenHandle, Handle, Handler, Msg, Response, Session};
use russh::server::{PublicKeyOffer, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, Pty, Sig};
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::channel::{self, Asked, Display, Origin, Request, Start, Terminal};
use super::client_stream::Line;
use super::environment;
use super::forwards::{self, Wanted};
use super::inflow::Budget;
use super::open::Open;
use crate::session::Judgement;

/// Channels of one connection. Raised, one client can make us hold more.
const CHANNELS_MAX: usize = 512;
/// Requests of one channel that may wait: `pty-req`, each `env`, then one start, signals, resizes.
const REQUESTS_MAX: usize = 256;
/// How long a request that comes before the session is open may wait for it.
const OPENED_WITHIN: Duration = Duration::from_secs(60);
/// How long a client waits in its login for what the target has it read. Clients bound their logins
/// to half a minute and more.
const BANNER_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of a user name.
const USER_BYTES_MAX: usize = 256;

/// The client's side of a connection.
pub(super) struct Front {
    line: Arc<Line>,
    login: Option<oneshot::Sender<Arc<str>>>,
    banner: Option<oneshot::Receiver<Option<String>>>,
    open: watch::Receiver<Option<Arc<Open>>>,
    channels: FxHashMap<ChannelId, Entry>,
    tasks: TaskTracker,
    budget: Budget,
    left: CancellationToken,
    _left: DropGuard,
}

/// What is known of a channel here.
struct Entry {
    requests: mpsc::Sender<Request>,
    /// Whether what it is for has been said. Cleared where the target does not have it.
    started: Arc<AtomicBool>,
    /// Dropped when the client closes it, or is gone: its task learns of it.
    gone: Option<DropGuard>,
}

impl Front {
    /// The front of one connection. `login` gets the user's name; `banner` has what the client is
    /// to read before it is let in; `open` has what channels need once the session is open; `left`
    /// is cancelled when the client is gone.
    pub(super) fn new(
        line: Arc<Line>,
        login: oneshot::Sender<Arc<str>>,
        banner: oneshot::Receiver<Option<String>>,
        open: watch::Receiver<Option<Arc<Open>>>,
        tasks: TaskTracker,
        budget: Budget,
        left: CancellationToken,
    ) -> Self {
        Self {
            line,
            login: Some(login),
            banner: Some(banner),
            open,
            channels: FxHashMap::default(),
            tasks,
            budget,
            _left: left.clone().drop_guard(),
            left,
        }
    }

    /// Whoever asks is let in: who they are was settled when their socket was bound. What they may
    /// do is settled next.
    fn let_in(&mut self, user: &str) -> Auth {
        if user.len() > USER_BYTES_MAX {
            return Auth::reject();
        }
        if let Some(login) = self.login.take() {
            self.line.logged_in();
            // Nobody waits for it any more: the connection is ending.
            drop(login.send(user.into()));
        }
        Auth::Accept
    }

    /// Hands a request to its channel's task. False where it cannot take it.
    fn hand(&self, channel: ChannelId, request: Request) -> bool {
        self.channels
            .get(&channel)
            .is_some_and(|entry| entry.gone.is_some() && entry.requests.try_send(request).is_ok())
    }

    /// Starts what a channel is for: once. What is said at once is whether it is begun with; whether
    /// it may run is told on its standard error, where people see it. An answer that came later
    /// could be taken for the answer to another request. Subsystems are answered by their task.
    fn start(
        &mut self,
        channel: ChannelId,
        start: Start,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let entry = self.channels.get(&channel);
        let first = entry.is_some_and(|entry| !entry.started.swap(true, Ordering::AcqRel));
        let answers = matches!(start, Start::Subsystem(_));
        if !(first && self.hand(channel, Request::Start(start))) {
            session.channel_failure(channel)
        } else if answers {
            Ok(())
        } else {
            session.channel_success(channel)
        }
    }

    /// Judges what a channel asks for before it starts, and answers.
    async fn ask(
        &mut self,
        channel: ChannelId,
        asked: Asked,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let granted = self.is_granted(channel, asked).await;
        if granted { session.channel_success(channel) } else { session.channel_failure(channel) }
    }

    /// Judges what a channel asks for before it starts.
    async fn is_granted(&mut self, channel: ChannelId, asked: Asked) -> bool {
        let open = self.open.borrow().clone();
        let early =
            self.channels.get(&channel).is_some_and(|entry| !entry.started.load(Ordering::Acquire));
        match open {
            Some(open) if early => {
                let operation = asked.operation(&open.user);
                match open.desk.judge(&operation).await {
                    // What is held is asked for again, and waited for, when the channel starts.
                    judged @ (Judgement::Allowed(_) | Judgement::Held(_)) => {
                        self.hand(channel, Request::Asked(asked, judged))
                    }
                    // Whoever may have no terminal is told why where it can be read: by what was
                    // to run in it.
                    judged @ Judgement::Denied(_) if matches!(asked, Asked::Terminal(_)) => {
                        self.hand(channel, Request::Asked(asked, judged))
                    }
                    Judgement::Denied(_) => false,
                }
            }
            _ => false,
        }
    }

    /// Takes a channel in, and hands it to the task that `serve` makes.
    async fn take_in<T>(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        client: Handle,
        serve: impl FnOnce(Origin, watch::Receiver<Option<Arc<Open>>>) -> T,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        self.channels.retain(|_, entry| !entry.requests.is_closed());
        if self.channels.len() >= CHANNELS_MAX {
            return reply.reject(ChannelOpenFailure::ResourceShortage).await;
        }
        if self.open.borrow().as_ref().is_some_and(|open| open.closing.is_cancelled()) {
            let reason = String::from("portcullis: the gateway is shutting down");
            return reply.reject(ChannelOpenFailure::Other { code: 2, reason }).await;
        }
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let (started, gone) = (Arc::<AtomicBool>::default(), CancellationToken::new());
        let entry = Entry {
            requests,
            started: Arc::clone(&started),
            gone: Some(gone.clone().drop_guard()),
        };
        self.channels.insert(channel.id(), entry);
        let budget = self.budget.clone();
        let (requests, left) = (asked, self.left.clone());
        let origin = Origin { channel, reply, requests, started, budget, gone, left, client };
        self.tasks.spawn(serve(origin, self.open.clone()));
    }

    /// The session, once it is open. Nothing of the client is read meanwhile.
    async fn when_open(&self) -> Option<Arc<Open>> {
        let mut open = self.open.clone();
        let opened = timeout(OPENED_WITHIN, channel::opened(&mut open));
        opened.await.ok().flatten()
    }
}

impl Handler for Front {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        self.line.key_taken();
        Ok(None)
    }

    /// Whoever logs in waits a moment for the target, which says what it says at its login.
    async fn accepted_banner(&mut self) -> Result<Option<String>, russh::Error> {
        let Some(banner) = self.banner.take() else { return Ok(None) };
        Ok(timeout(BANNER_WITHIN, banner).await.ok().and_then(Result::ok).flatten())
    }

    async fn auth_none(&mut self, user: &str) -> Result<Auth, russh::Error> {
        Ok(self.let_in(user))
    }

    async fn auth_password(&mut self, user: &str, _password: &str) -> Result<Auth, russh::Error> {
        Ok(self.let_in(user))
    }

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        _offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.let_in(user))
    }

    async fn auth_openssh_certificate(
        &mut self,
        user: &str,
        _certificate: &russh::keys::Certificate,
    ) -> Result<Auth, russh::Error> {
        Ok(self.let_in(user))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        _response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.let_in(user))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.take_in(channel, reply, session.handle(), channel::serve).await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        originator: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let wanted = Wanted::Port { host: host.to_owned(), port };
        let who = (originator.to_owned(), originator_port);
        let serve = |origin, open| forwards::serve(origin, wanted, who, open);
        self.take_in(channel, reply, session.handle(), serve).await;
        Ok(())
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        path: &str,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let wanted = Wanted::Socket { path: path.to_owned() };
        let serve = |origin, open| forwards::serve(origin, wanted, (String::new(), 0), open);
        self.take_in(channel, reply, session.handle(), serve).await;
        Ok(())
    }

    async fn tcpip_forward(
        &mut self,
        host: &str,
        port: &mut u32,
        _session: &mut Session,
    ) -> Result<bool, russh::Error> {
        let Some(open) = self.when_open().await else { return Ok(false) };
        let wanted = Wanted::Port { host: host.to_owned(), port: *port };
        let listening = forwards::listen(&open, wanted).await;
        *port = listening.unwrap_or(*port);
        Ok(listening.is_some())
    }

    async fn cancel_tcpip_forward(
        &mut self,
        host: &str,
        port: u32,
        _session: &mut Session,
    ) -> Result<bool, russh::Error> {
        let Some(open) = self.when_open().await else { return Ok(false) };
        Ok(forwards::cancel(&open, &Wanted::Port { host: host.to_owned(), port }).await)
    }

    async fn streamlocal_forward(
        &mut self,
        path: &str,
        _session: &mut Session,
    ) -> Result<bool, russh::Error> {
        let Some(open) = self.when_open().await else { return Ok(false) };
        Ok(forwards::listen(&open, Wanted::Socket { path: path.to_owned() }).await.is_some())
    }

    async fn cancel_streamlocal_forward(
        &mut self,
        path: &str,
        _session: &mut Session,
    ) -> Result<bool, russh::Error> {
        let Some(open) = self.when_open().await else { return Ok(false) };
        Ok(forwards::cancel(&open, &Wanted::Socket { path: path.to_owned() }).await)
    }

    async fn agent_request(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<bool, russh::Error> {
        Ok(self.is_granted(channel, Asked::Agent).await)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        single: bool,
        protocol: &str,
        cookie: &str,
        screen: u32,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let cookie = Secret::new(cookie.to_owned());
        let display = Display { single, protocol: protocol.into(), cookie, screen };
        self.ask(channel, Asked::X11(display), session).await
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        // Its task goes on until what it ran has ended, and counts as long.
        if let Some(entry) = self.channels.get_mut(&channel) {
            drop(entry.gone.take());
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        pixel_width: u32,
        pixel_height: u32,
        modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let size = [columns, rows, pixel_width, pixel_height];
        // What the library does not know it gives as the end of the list.
        let modes = modes.iter().filter(|(mode, _)| *mode != Pty::TTY_OP_END).copied().collect();
        let asked = Asked::Terminal(Terminal { term: term.into(), size, modes });
        self.ask(channel, asked, session).await
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if !environment::is_name(name) || value.len() > environment::VALUE_BYTES_MAX {
            return session.channel_failure(channel);
        }
        let asked = Asked::Variable { name: name.into(), value: value.into() };
        self.ask(channel, asked, session).await
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.start(channel, Start::Shell, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.start(channel, Start::Exec(command.into()), session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.start(channel, Start::Subsystem(name.into()), session)
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        pixel_width: u32,
        pixel_height: u32,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        // Asks for no answer; one that cannot be taken is lost like one that came too late.
        self.hand(channel, Request::Resized([columns, rows, pixel_width, pixel_height]));
        Ok(())
    }

    async fn signal(
        &mut self,
        channel: ChannelId,
        signal: Sig,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.hand(channel, Request::Signal(signal));
        Ok(())
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("left", &self.left).finish_non_exhaustive()
    }
}
