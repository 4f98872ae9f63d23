//! HTTP's words for the conformance suite, and what protocols say that HTTP carries.

use std::net::TcpStream;
use std::time::Duration;

use model::Protocol;
use tests::cluster::User;
use tests::middle::{Middle, Plan};
use tests::web::client::{Answered, WebClient, request};
use tests::web::people::{JSON, RAW_VALUES};
use tests::web::{TOKEN, WebServer};
use tests::world::{Opener, Upstream, World};

use super::subject::{Answer, Credential, Deceived, Deed, Kind, Peer, Subject};

/// Lines of the long answer.
const LONG_LINES: usize = 200_000;

/// A protocol over HTTP.
pub(super) struct Web(pub(super) &'static Words);

/// What differs between protocols over HTTP.
pub(super) struct Words {
    pub(super) protocol: Protocol,
    pub(super) server: fn() -> Upstream,
    pub(super) block_of_allowed: &'static str,
    /// The method and target of a deed.
    pub(super) target: fn(&Deed) -> (&'static str, String),
    /// A path that anybody may read, and one that asks for the credential.
    pub(super) open: &'static str,
    pub(super) guarded: &'static str,
    /// A sensitive document, with a value that nobody may be shown.
    pub(super) document: &'static str,
    pub(super) raw_values: &'static [&'static str],
    /// The values of a document that is shown.
    pub(super) values: fn(&serde_json::Value) -> Vec<String>,
    /// Whether an answer is a refusal by the gateway.
    pub(super) is_refusal: fn(&Answered) -> bool,
}

pub(super) static HTTP: Words = Words {
    protocol: Protocol::Http,
    server: || WebServer::shared().into(),
    block_of_allowed: "http: { methods: [GET] }",
    target,
    open: "/show/x",
    guarded: "/guarded",
    document: JSON,
    raw_values: RAW_VALUES,
    values,
    is_refusal: |answered| {
        answered.header("content-type").is_some_and(|kind| kind.contains("problem"))
    },
};

struct Session(WebClient, &'static Words);

impl Subject for Web {
    fn protocol(&self) -> Protocol {
        self.0.protocol
    }

    fn server(&self) -> Upstream {
        (self.0.server)()
    }

    fn cuts(&self, deed: &Deed) -> Vec<usize> {
        (1..self.0.head(deed).len()).collect()
    }

    fn block_of_allowed(&self) -> &'static str {
        self.0.block_of_allowed
    }

    fn speaks_unasked(&self) -> bool {
        false
    }

    fn tells_of_lost_upstreams(&self) -> bool {
        false
    }

    fn session(&self, world: &World) -> Box<dyn Peer> {
        Box::new(Session(world.web(), self.0))
    }

    fn fresh_place(&self, _: &World) -> String {
        String::new()
    }

    fn session_at(&self, world: &World, _: &str) -> Box<dyn Peer> {
        self.session(world)
    }

    fn refused_login(&self, world: &World) -> String {
        let answered = world.web().get(self.0.guarded);
        assert!(answered.status >= 400, "a log-in that must be refused was not");
        format!("{answered:?} {}", answered.text())
    }

    fn login_from_nowhere(&self, world: &World) -> Result<(), String> {
        let stream = TcpStream::connect(world.address()).map_err(|error| error.to_string())?;
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        login(stream, self.0.open)
    }

    fn login_as(&self, world: &World, opener: &Opener) -> Result<(), String> {
        login(world.open_as(opener), self.0.open)
    }

    fn reached(&self, world: &World, deed: &Deed) -> bool {
        let marker = deed.marker();
        world.web_server().seen().iter().any(|seen| seen.target.contains(&marker))
    }

    fn has_happened(&self, world: &World, _: &str, deed: &Deed) -> bool {
        self.reached(world, deed)
    }

    fn plan(&self, middle: &Middle, deed: &Deed, plan: Plan) {
        middle.plan(&deed.marker(), plan);
    }

    fn credentials(&self) -> Vec<Credential> {
        assert!(TOKEN.starts_with("canary-"));
        let right = User { name: "gateway", password: TOKEN };
        let wrong = User { name: "gateway", password: "canary-wrong-77aa" };
        let bearer = |user: User| {
            move |usual: tests::world::Configuration| {
                let credential = format!("{{ bearer: {} }}", usual.secret());
                usual.credential(user).host_credential(&credential)
            }
        };
        vec![Credential {
            name: "the bearer token",
            right: Box::new(bearer(right)),
            wrong: Box::new(bearer(wrong)),
            secrets: vec![right.password.to_owned(), wrong.password.to_owned()],
        }]
    }

    fn raw_values(&self) -> &'static [&'static str] {
        self.0.raw_values
    }

    fn sensitive_answer_bytes(&self) -> usize {
        330
    }

    fn cuts_at_once(&self) -> usize {
        1
    }

    fn long_rows(&self) -> usize {
        LONG_LINES
    }

    fn oversize_frames(&self) -> Vec<(&'static str, Vec<u8>)> {
        let head =
            |fields: &str| format!("POST /show/x HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n");
        vec![
            ("a length beyond 64 bits", head("Content-Length: 99999999999999999999\r\n").into()),
            ("a negative length", head("Content-Length: -1\r\n").into()),
            ("two lengths", head("Content-Length: 1\r\nContent-Length: 2\r\n").into()),
            ("a head without an end", vec![b'x'; 70_000]),
            (
                "a chunk of all the bytes there are",
                (head("Transfer-Encoding: chunked\r\n") + "ffffffffffffffff\r\nx").into(),
            ),
            ("a method that is none", b"\0\0\0\0 / HTTP/1.1\r\n\r\n".to_vec()),
        ]
    }

    fn lies(&self) -> Vec<&'static str> {
        self.0.lies().into_iter().map(|(what, _)| what).collect()
    }

    fn deceived(&self, lie: &str, deed: &Deed) -> Deceived {
        let middle = Middle::before(self.server().address());
        let world = super::world_behind(self, &middle);
        let (_, said) = self.0.lies().into_iter().find(|(what, _)| *what == lie).unwrap();
        let marker = deed.marker();
        Deceived::new(world, move || middle.plan(&marker, Plan::Say(said.clone())))
    }
}

fn login(stream: TcpStream, path: &str) -> Result<(), String> {
    let mut client = WebClient::over(stream);
    client.send(request("GET", path, &[]));
    match client.answer() {
        Some(answered) if answered.status < 400 => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

impl Words {
    /// Answers that no honest server gives, with raw values in them.
    pub(super) fn lies(&self) -> Vec<(&'static str, Vec<u8>)> {
        let raw = self.raw_values.first().copied().unwrap_or_default();
        let said =
            |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}").into_bytes();
        let json = "Content-Type: application/json\r\n";
        vec![
            ("no answer of HTTP", format!("{raw} is no status line\r\n\r\n").into()),
            ("a status that is none", format!("HTTP/1.1 20 {raw}\r\n\r\n").into()),
            (
                "a head that breaks off in a name",
                format!("HTTP/1.1 200 OK\r\n{raw} {raw}\r\n\r\n").into(),
            ),
            (
                "two lengths",
                said(&format!("{json}Content-Length: 3\r\nContent-Length: 300\r\n"), self.document),
            ),
            (
                "a chunk without a size",
                said(
                    &format!("{json}Transfer-Encoding: chunked\r\n"),
                    &format!("xyz\r\n{raw}\r\n0\r\n\r\n"),
                ),
            ),
            (
                "a document that is none",
                said(
                    &format!("{json}Content-Length: {}\r\n", raw.len() + 12),
                    &format!("{{\"email\":]{raw}\"}}"),
                ),
            ),
            (
                "a coding that is another",
                said(
                    &format!(
                        "{json}Content-Encoding: gzip\r\nContent-Length: {}\r\n",
                        self.document.len()
                    ),
                    self.document,
                ),
            ),
        ]
    }

    fn head(&self, deed: &Deed) -> String {
        let (method, target) = (self.target)(deed);
        request(method, &target, &[])
    }

    fn shown(&self, answered: &Answered) -> Answer {
        let body = answered.text();
        let is_json =
            answered.header("content-type").is_some_and(|kind| kind == "application/json");
        let is_document = is_json && answered.is_whole;
        let document = is_document.then(|| serde_json::from_str(&body).unwrap());
        let lines = body.lines().count();
        let body: String = body.lines().take(1_000).map(|line| line.to_owned() + "\n").collect();
        // Of the session that answers nothing is the same twice.
        let text = body.lines().filter(|line| !line.contains("\"request\"")).collect::<Vec<_>>();
        let refused = (self.is_refusal)(answered) && [403, 503].contains(&answered.status);
        Answer {
            text: format!("{} {}", answered.status, text.join("\n")),
            values: document.map(|document| (self.values)(&document)).unwrap_or_default(),
            rows: lines,
            refusal: refused.then(|| body.clone()),
        }
    }
}

impl Peer for Session {
    fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes);
    }

    fn begin(&mut self, deed: &Deed) {
        self.0.send(self.1.head(deed));
    }

    fn begin_cut(&mut self, deed: &Deed, at: usize) {
        let head = self.1.head(deed);
        let (first, second) = head.split_at(at);
        self.0.send(first);
        std::thread::sleep(Duration::from_millis(1));
        self.0.send(second);
    }

    fn begin_truncated(&mut self, deed: &Deed, at: usize) {
        self.0.send(self.1.head(deed).get(..at).unwrap());
    }

    fn begin_too_long(&mut self, deed: &Deed) {
        let (method, target) = (self.1.target)(deed);
        self.0.send(request(method, &format!("{target}?{}", "x".repeat(40_000)), &[]));
    }

    fn begin_at_once(&mut self, deeds: &[Deed]) {
        self.0.send(deeds.iter().map(|deed| self.1.head(deed)).collect::<String>());
    }

    fn first_part(&mut self) {
        // What is looked at is put back by reading the body from it.
        assert!(self.0.begins(), "nothing came");
    }

    fn answer(&mut self) -> Answer {
        self.1.shown(&self.0.answer().expect("an answer"))
    }

    fn until_end(&mut self) -> String {
        let mut text = String::new();
        while let Some(answered) = self.0.answer() {
            text.push_str(&self.1.shown(&answered).text);
        }
        text + &String::from_utf8_lossy(&self.0.rest())
    }
}

/// The texts and numbers of a document.
fn values(document: &serde_json::Value) -> Vec<String> {
    let people = document.get("people").and_then(|people| people.as_array());
    let people = people.cloned().unwrap_or_default();
    let members =
        people.iter().filter_map(|person| person.as_object()).flat_map(|one| one.values());
    members.map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).collect()
}

fn target(deed: &Deed) -> (&'static str, String) {
    let number = deed.marker();
    match deed.kind {
        Kind::Allowed => ("GET", format!("/show/{number}")),
        Kind::Denied => ("DELETE", format!("/users/{number}")),
        Kind::Held => ("PUT", format!("/drop/{number}")),
        Kind::Sensitive => ("GET", format!("/sensitive/{number}")),
        Kind::Failing => ("GET", format!("/fail/{number}")),
        Kind::Long => ("GET", format!("/long/{number}")),
    }
}
