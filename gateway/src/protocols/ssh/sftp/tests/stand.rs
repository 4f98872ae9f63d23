//! What the tests stand on: an authority that is told what to say, a client, two upstreams.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use model::Operation;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::ssh::sftp::{Answer, Attributes, Body, Framer, OpenFlags, Request, Version};

use crate::protocols::ssh::sftp::{Authority, Ended, Ends, Judged, Over, relay};
use crate::session::{Refusal, RefusalKind};

/// What is said to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    Deny,
    Hold,
}

type Rule = Box<dyn Fn(&Operation) -> Verdict + Send + Sync>;

/// An authority that is told what to say.
#[derive(Clone)]
pub(super) struct Told {
    rule: Arc<Mutex<Rule>>,
    pub(super) log: Arc<Mutex<Vec<String>>>,
    masked: Arc<Mutex<Option<String>>>,
    pub(super) approve: Arc<Notify>,
    standing: watch::Sender<u64>,
}

impl Told {
    fn note(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }
}

pub(super) struct Granted(Arc<Operation>);

impl Authority for Told {
    type Permit = Granted;
    type Receipt = Granted;
    type Held = Granted;

    async fn judge(&self, operation: Arc<Operation>) -> Judged<Granted, Granted> {
        let verdict = (self.rule.lock().unwrap())(&operation);
        let accesses: Vec<_> = operation.accesses.iter().map(ToString::to_string).collect();
        self.note(format!("{verdict:?} {}: {}", operation.text, accesses.join(", ")));
        match verdict {
            Verdict::Allow => Judged::Allowed(Granted(operation)),
            Verdict::Hold => Judged::Held(Granted(operation)),
            Verdict::Deny => {
                Judged::Denied(Refusal::new(RefusalKind::Policy, "portcullis: not granted"))
            }
        }
    }

    async fn settle(&self, held: Granted) -> Result<Granted, Refusal> {
        self.approve.notified().await;
        Ok(held)
    }

    async fn refuse(&self, operation: Arc<Operation>, refusal: Refusal) -> Refusal {
        self.note(format!("refused {}", operation.text));
        refusal
    }

    async fn content_mask(&self, path: &str) -> Option<String> {
        let masked = self.masked.lock().unwrap();
        masked.as_ref().filter(|masked| path.starts_with(*masked)).map(|_| "pii".into())
    }

    fn begin(&self, permit: Granted) -> Granted {
        permit
    }

    async fn admit(&self, receipt: &Granted) -> Result<(), Refusal> {
        match (self.rule.lock().unwrap())(&receipt.0) {
            Verdict::Allow => Ok(()),
            _ => Err(Refusal::new(RefusalKind::Policy, "portcullis: no longer granted")),
        }
    }

    fn standing(&self) -> watch::Receiver<u64> {
        self.standing.subscribe()
    }

    async fn finished(&self, receipt: Granted, ended: Ended) {
        let Ended { outcome, status, bytes, .. } = ended;
        self.note(format!("{outcome:?} {}: {status} [{bytes}]", receipt.0.text));
    }

    async fn tell(&self, line: &str) {
        self.note(format!("told {line}"));
    }

    fn notice(held: &Granted) -> String {
        format!("held {}", held.0.kind)
    }
}

/// One answer, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Status(u32, String),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Name(String),
    Other,
}

/// A client at a relay.
pub(super) struct World {
    pub(super) authority: Told,
    pub(super) relay: JoinHandle<Over>,
    pub(super) directory: TempDir,
    to_relay: Option<mpsc::Sender<Bytes>>,
    from_relay: Option<mpsc::Receiver<Bytes>>,
    framer: Framer,
    next: u32,
    piece: usize,
    server: Option<Child>,
    pub(super) scripted: Option<Scripted>,
}

/// The far ends of a relay whose upstream the test plays.
pub(super) struct Scripted {
    pub(super) sent: mpsc::Receiver<Bytes>,
    pub(super) answers: mpsc::Sender<Bytes>,
    framer: Framer,
}

impl Scripted {
    /// The next packet that was sent upstream.
    pub(super) async fn packet(&mut self) -> Option<Bytes> {
        loop {
            if let Some(packet) = self.framer.packet().unwrap() {
                return Some(packet);
            }
            self.framer.push(within(self.sent.recv()).await?);
        }
    }

    pub(super) async fn answer(&self, packet: Bytes) {
        self.answers.send(packet).await.unwrap();
    }
}

pub(super) async fn within<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(20), future).await.expect("in time")
}

fn sftp_server() -> &'static str {
    let places = ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"];
    places.into_iter().find(|place| Path::new(place).exists()).expect("openssh-sftp-server")
}

impl World {
    fn with(strict: bool) -> (Self, mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
        let authority = Told {
            rule: Arc::new(Mutex::new(Box::new(|_| Verdict::Allow))),
            log: Arc::default(),
            masked: Arc::default(),
            approve: Arc::default(),
            standing: watch::channel(0).0,
        };
        let (to_relay, from_client) = mpsc::channel(4);
        let (to_client, from_relay) = mpsc::channel(4);
        let (answers, from_upstream) = mpsc::channel(4);
        let (to_upstream, sent) = mpsc::channel(4);
        let ends = Ends { from_client, to_client, from_upstream, to_upstream };
        let relay = tokio::spawn(relay(authority.clone(), ends, strict));
        let world = Self {
            authority,
            relay,
            directory: TempDir::new().unwrap(),
            to_relay: Some(to_relay),
            from_relay: Some(from_relay),
            framer: Framer::default(),
            next: 100,
            piece: usize::MAX,
            server: None,
            scripted: None,
        };
        (world, answers, sent)
    }

    /// A relay to a real server, greeted. It starts in a directory of its own.
    pub(super) async fn new(strict: bool) -> Self {
        let (mut world, answers, mut sent) = Self::with(strict);
        let mut server = Command::new(sftp_server())
            .current_dir(world.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (mut stdin, mut stdout) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        tokio::spawn(async move {
            while let Some(bytes) = sent.recv().await {
                if stdin.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            let mut buffer = vec![0; 32 * 1024];
            while let Ok(count @ 1..) = stdout.read(&mut buffer).await {
                if answers.send(Bytes::copy_from_slice(&buffer[..count])).await.is_err() {
                    return;
                }
            }
        });
        world.server = Some(server);
        world.greet().await;
        world
    }

    /// A relay whose upstream the test plays, greeted; the home is `/home/u`.
    pub(super) async fn scripted(strict: bool) -> Self {
        let (mut world, answers, sent) = Self::with(strict);
        let mut scripted = Scripted { sent, answers, framer: Framer::default() };
        world.send_bytes(&wire::ssh::sftp::request::write_init()).await;
        scripted.packet().await.unwrap();
        let version = Version { version: 3, extensions: vec![("copy-data", b"1".to_vec())] };
        scripted.answer(version.write()).await;
        let home = scripted.packet().await.unwrap();
        let id = Request::read(&home).unwrap().id;
        scripted.answer(wire::ssh::sftp::answer::write_name(id, b"/home/u")).await;
        world.packet().await.unwrap();
        world.scripted = Some(scripted);
        world
    }

    pub(super) fn scripted_mut(&mut self) -> &mut Scripted {
        self.scripted.as_mut().unwrap()
    }

    async fn greet(&mut self) {
        self.send_bytes(&wire::ssh::sftp::request::write_init()).await;
        let version = self.packet().await.unwrap();
        let version = Version::read(&version).unwrap();
        assert_eq!(version.version, 3);
        assert!(version.extensions.len() > 5, "{version:?}");
    }

    /// From now on the client's bytes come in pieces of this length.
    pub(super) fn in_pieces(&mut self, piece: usize) {
        self.piece = piece;
    }

    pub(super) fn rule(&self, rule: impl Fn(&Operation) -> Verdict + Send + Sync + 'static) {
        *self.authority.rule.lock().unwrap() = Box::new(rule);
    }

    pub(super) fn policy_changed(&self) {
        self.authority.standing.send_modify(|count| *count += 1);
    }

    pub(super) fn mask(&self, path: &str) {
        *self.authority.masked.lock().unwrap() = Some(path.to_owned());
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.authority.log.lock().unwrap().clone()
    }

    #[track_caller]
    pub(super) fn logged(&self, line: &str) {
        let log = self.log();
        assert!(log.iter().any(|entry| entry.contains(line)), "{line} is not in {log:#?}");
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.directory.path()).unwrap().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(super) async fn send_bytes(&self, bytes: &[u8]) {
        for piece in bytes.chunks(self.piece) {
            let to = self.to_relay.as_ref().unwrap();
            within(to.send(Bytes::copy_from_slice(piece))).await.unwrap();
        }
    }

    /// Sends a request, and gives its id.
    pub(super) async fn send(&mut self, body: Body<'_>) -> u32 {
        self.next += 1;
        self.send_bytes(&Request { id: self.next, body }.write()).await;
        self.next
    }

    pub(super) async fn packet(&mut self) -> Option<Bytes> {
        loop {
            if let Some(packet) = self.framer.packet().unwrap() {
                return Some(packet);
            }
            let bytes = within(self.from_relay.as_mut().unwrap().recv()).await?;
            self.framer.push(bytes);
        }
    }

    pub(super) async fn answer(&mut self) -> (u32, Got) {
        let packet = self.packet().await.expect("an answer");
        let (id, answer) = Answer::read(&packet).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got = match answer {
            Answer::Status(status) => Got::Status(status.code, text(status.message)),
            Answer::Handle(handle) => Got::Handle(handle.to_vec()),
            Answer::Data(data) => Got::Data(data.to_vec()),
            Answer::Names { first: Some(first), .. } => Got::Name(text(first.name)),
            _ => Got::Other,
        };
        (id, got)
    }

    /// Asks, and waits for the answer to exactly this.
    pub(super) async fn ask(&mut self, body: Body<'_>) -> Got {
        let id = self.send(body).await;
        let (answered, got) = self.answer().await;
        assert_eq!(answered, id);
        got
    }

    pub(super) async fn status(&mut self, body: Body<'_>) -> u32 {
        match self.ask(body).await {
            Got::Status(code, _) => code,
            other => panic!("{other:?}"),
        }
    }

    /// Opens: 1 reads, 0x1a writes anew.
    pub(super) async fn open(&mut self, path: &str, flags: u32) -> Got {
        self.ask(open(path, flags)).await
    }

    pub(super) async fn opened(&mut self, path: &str, flags: u32) -> Vec<u8> {
        match self.open(path, flags).await {
            Got::Handle(handle) => handle,
            other => panic!("{other:?}"),
        }
    }

    /// No more from the client; what the relay made of it.
    pub(super) async fn end(mut self) -> Over {
        self.to_relay = None;
        while within(self.from_relay.as_mut().unwrap().recv()).await.is_some() {}
        within(self.relay).await.unwrap()
    }

    /// The client is gone.
    pub(super) async fn go(mut self) -> (Over, Vec<String>) {
        self.from_relay = None;
        let over = within(&mut self.relay).await.unwrap();
        let log = self.log();
        (over, log)
    }
}

pub(super) fn open(path: &str, flags: u32) -> Body<'_> {
    let flags = OpenFlags::from_bits(flags).unwrap();
    Body::Open { path: path.as_bytes(), flags, attributes: Attributes::NONE }
}
