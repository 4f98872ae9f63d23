//! A client of SSH that runs commands side by side.
//!
//! Owns one connection, its commands in the order in which they were begun, and what was told at
//! the end. Must not know what the commands do. Every wait has a bound. Ends with the value.

use std::collections::VecDeque;
use std::future::Future;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, OnceLock};

use russh::client::{self, DisconnectReason, Handle, Handler};
use russh::keys::PublicKeyOrCertificate;
use russh::{ChannelMsg, Preferred, cipher};
use tests::eventually::WITHIN;
use tests::sshd::DEPLOY;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::line::Line;
use crate::conformance::subject::Answer;

/// Bytes that the gateway may send ahead. Small, so that a long answer waits for who reads it.
const WINDOW: u32 = 64 * 1024;
/// Messages of a channel that wait for who reads it.
const MESSAGES_WAITING: usize = 8;

/// The one runtime of all clients, and of upstreams that lie.
pub(super) fn runtime() -> &'static tokio::runtime::Runtime {
    static SHARED: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    SHARED.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    })
}

/// Waits for what happens soon.
pub(super) fn soon<F: Future>(future: F) -> F::Output {
    let bounded = async { tokio::time::timeout(WITHIN, future).await };
    runtime().block_on(bounded).expect("it never happened")
}

/// What the library tells.
struct Ear {
    told: Arc<Mutex<String>>,
    _ended: DropGuard,
}

impl Handler for Ear {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.told.lock().unwrap().push_str(&info.message);
                Ok(())
            }
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

/// A connection that is logged in.
pub(super) struct Connection {
    handle: Arc<Handle<Ear>>,
    line: Line,
    told: Arc<Mutex<String>>,
    ended: CancellationToken,
    running: VecDeque<Running>,
}

/// A command that was begun.
struct Running {
    begun: watch::Receiver<bool>,
    /// Lets it go on after its first part.
    go: Arc<Notify>,
    said: JoinHandle<Said>,
}

/// What a command said.
#[derive(Debug, Default)]
struct Said {
    output: Vec<u8>,
    error: Vec<u8>,
    status: Option<u32>,
}

impl Connection {
    /// Logs in over a connection, and waits until the gateway lets something be done: it lets
    /// clients in before it has reached the upstream.
    ///
    /// # Errors
    /// What was told instead.
    pub(super) fn open(stream: TcpStream) -> Result<Self, String> {
        let (line, client) = Line::to(stream);
        let (told, ended) = (Arc::<Mutex<String>>::default(), CancellationToken::new());
        let ear = Ear { told: Arc::clone(&told), _ended: ended.clone().drop_guard() };
        let began = soon(async {
            client.set_nonblocking(true).expect("a socket");
            let client = tokio::net::UnixStream::from_std(client).expect("a socket");
            let mut handle = client::connect_stream(Arc::new(config()), client, ear).await?;
            assert!(handle.authenticate_none(DEPLOY.name).await?.success());
            let channel = handle.channel_open_session().await?;
            channel.close().await?;
            Ok::<_, russh::Error>(handle)
        });
        match began {
            Ok(handle) => {
                let (handle, running) = (Arc::new(handle), VecDeque::new());
                Ok(Self { handle, line, told, ended, running })
            }
            Err(error) => {
                soon(ended.cancelled());
                Err(format!("{} ({error})", told.lock().unwrap()))
            }
        }
    }

    /// What is under it.
    pub(super) const fn line(&self) -> &Line {
        &self.line
    }

    /// Begins a command; where `stops`, it reads no further than its first part until it is asked
    /// for its answer.
    pub(super) fn begin(&mut self, command: &str, stops: bool) {
        let (first, begun) = watch::channel(false);
        let go = Arc::new(Notify::new());
        let (handle, stop) = (Arc::clone(&self.handle), stops.then(|| Arc::clone(&go)));
        let command = command.to_owned();
        let said = runtime().spawn(async move {
            let mut said = Said::default();
            if let Err(error) = run(&handle, &command, &mut said, &first, stop).await {
                said.error.extend_from_slice(format!("({error})").as_bytes());
            }
            said
        });
        self.running.push_back(Running { begun, go, said });
    }

    /// Waits for the first part of the answer of the command that was begun last.
    pub(super) fn first_part(&mut self) {
        let begun = &mut self.running.back_mut().unwrap().begun;
        soon(begun.wait_for(|begun| *begun)).unwrap();
    }

    /// The whole answer of the command that was begun first.
    pub(super) fn answer(&mut self) -> Answer {
        let running = self.running.pop_front().unwrap();
        running.go.notify_one();
        soon(running.said).unwrap().answer()
    }

    /// All that is told until the connection ends.
    pub(super) fn until_end(&mut self) -> String {
        self.running.iter().for_each(|running| running.go.notify_one());
        soon(self.ended.cancelled());
        let told = self.told.lock().unwrap().clone();
        let answers = self.running.drain(..).map(|running| soon(running.said).unwrap().answer());
        answers.fold(told, |text, answer| text + &answer.text)
    }

    /// Opens so many channels at once; how many were opened, all of them kept until all have an
    /// answer.
    pub(super) fn open_channels(&self, count: usize) -> usize {
        let opening = (0..count).map(|_| {
            let handle = Arc::clone(&self.handle);
            runtime().spawn(async move { handle.channel_open_session().await })
        });
        let opening: Vec<_> = opening.collect();
        let opened: Vec<_> =
            opening.into_iter().filter_map(|one| soon(one).unwrap().ok()).collect();
        opened.len()
    }
}

fn config() -> client::Config {
    client::Config {
        window_size: WINDOW,
        channel_buffer_size: MESSAGES_WAITING,
        preferred: Preferred {
            cipher: [cipher::AES_256_GCM].to_vec().into(),
            ..Preferred::DEFAULT
        },
        ..client::Config::default()
    }
}

async fn run(
    handle: &Handle<Ear>,
    command: &str,
    said: &mut Said,
    first: &watch::Sender<bool>,
    mut stop: Option<Arc<Notify>>,
) -> Result<(), russh::Error> {
    let mut channel = handle.channel_open_session().await?;
    channel.exec(true, command).await?;
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                said.output.extend_from_slice(&data);
                first.send_replace(true);
                if let Some(stop) = stop.take() {
                    stop.notified().await;
                }
            }
            ChannelMsg::ExtendedData { data, .. } => said.error.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => {
                assert_eq!(said.status.replace(exit_status), None, "a second exit status");
            }
            _ => {}
        }
    }
    Ok(())
}

impl Said {
    fn answer(&self) -> Answer {
        let output = String::from_utf8_lossy(&self.output);
        let error = String::from_utf8_lossy(&self.error);
        let shown: Vec<&str> = output.lines().take(1_000).collect();
        let refused = self.status == Some(126) && error.starts_with("portcullis:");
        Answer {
            text: format!("{}\n{error}{:?}", shown.join("\n"), self.status),
            values: shown.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect(),
            rows: output.lines().count(),
            refusal: refused.then(|| error.into_owned()),
        }
    }
}
