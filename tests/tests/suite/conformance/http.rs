//! HTTP's words for the conformance suite.

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

pub(super) struct Http;

struct Session(WebClient);

impl Subject for Http {
    fn protocol(&self) -> Protocol {
        Protocol::Http
    }

    fn server(&self) -> Upstream {
        WebServer::shared().into()
    }

    fn cuts(&self, deed: &Deed) -> Vec<usize> {
        (1..head(deed).len()).collect()
    }

    fn block_of_allowed(&self) -> &'static str {
        "http: { methods: [GET] }"
    }

    fn speaks_unasked(&self) -> bool {
        false
    }

    fn session(&self, world: &World) -> Box<dyn Peer> {
        Box::new(Session(world.web()))
    }

    fn fresh_place(&self, _: &World) -> String {
        String::new()
    }

    fn session_at(&self, world: &World, _: &str) -> Box<dyn Peer> {
        self.session(world)
    }

    fn refused_login(&self, world: &World) -> String {
        let answered = world.web().get("/guarded");
        assert!(answered.status >= 400, "a log-in that must be refused was not");
        format!("{answered:?} {}", answered.text())
    }

    fn login_from_nowhere(&self, world: &World) -> Result<(), String> {
        let stream = TcpStream::connect(world.address()).map_err(|error| error.to_string())?;
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        login(stream)
    }

    fn login_as(&self, world: &World, opener: &Opener) -> Result<(), String> {
        login(world.open_as(opener))
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
        RAW_VALUES
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
        lies().into_iter().map(|(what, _)| what).collect()
    }

    fn deceived(&self, lie: &str, deed: &Deed) -> Deceived {
        let middle = Middle::before(self.server().address());
        let world = super::world_behind(self, &middle);
        let (_, said) = lies().into_iter().find(|(what, _)| *what == lie).unwrap();
        let marker = deed.marker();
        Deceived::new(world, move || middle.plan(&marker, Plan::Say(said.clone())))
    }
}

fn login(stream: TcpStream) -> Result<(), String> {
    let mut client = WebClient::over(stream);
    client.send(request("GET", "/show/x", &[]));
    match client.answer() {
        Some(answered) if answered.status < 400 => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Answers that no honest server gives, with raw values in them.
fn lies() -> Vec<(&'static str, Vec<u8>)> {
    let raw = "customer1@mail.example";
    let said = |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}").into_bytes();
    let json = "Content-Type: application/json\r\n";
    vec![
        ("no answer of HTTP", format!("{raw} is no status line\r\n\r\n").into()),
        ("a status that is none", format!("HTTP/1.1 20 {raw}\r\n\r\n").into()),
        (
            "a head that breaks off in a name",
            format!("HTTP/1.1 200 OK\r\n{raw} {raw}\r\n\r\n").into(),
        ),
        ("two lengths", said(&format!("{json}Content-Length: 3\r\nContent-Length: 300\r\n"), JSON)),
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
                &format!("{json}Content-Encoding: gzip\r\nContent-Length: {}\r\n", JSON.len()),
                JSON,
            ),
        ),
    ]
}

impl Peer for Session {
    fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes);
    }

    fn begin(&mut self, deed: &Deed) {
        self.0.send(head(deed));
    }

    fn begin_cut(&mut self, deed: &Deed, at: usize) {
        let head = head(deed);
        let (first, second) = head.split_at(at);
        self.0.send(first);
        std::thread::sleep(Duration::from_millis(1));
        self.0.send(second);
    }

    fn begin_truncated(&mut self, deed: &Deed, at: usize) {
        self.0.send(head(deed).get(..at).unwrap());
    }

    fn begin_too_long(&mut self, deed: &Deed) {
        let (method, target) = target(deed);
        self.0.send(request(method, &format!("{target}?{}", "x".repeat(40_000)), &[]));
    }

    fn begin_at_once(&mut self, deeds: &[Deed]) {
        self.0.send(deeds.iter().map(head).collect::<String>());
    }

    fn first_part(&mut self) {
        // What is looked at is put back by reading the body from it.
        assert!(self.0.begins(), "nothing came");
    }

    fn answer(&mut self) -> Answer {
        shown(&self.0.answer().expect("an answer"))
    }

    fn until_end(&mut self) -> String {
        let mut text = String::new();
        while let Some(answered) = self.0.answer() {
            text.push_str(&shown(&answered).text);
        }
        text + &String::from_utf8_lossy(&self.0.rest())
    }
}

fn shown(answered: &Answered) -> Answer {
    let body = answered.text();
    let is_json = answered.header("content-type").is_some_and(|kind| kind == "application/json");
    let problem = answered.header("content-type").is_some_and(|kind| kind.contains("problem"));
    let values = if is_json && answered.is_whole { values(&body) } else { Vec::new() };
    let lines = body.lines().count();
    let body: String = body.lines().take(1_000).map(|line| line.to_owned() + "\n").collect();
    // Of the session that answers nothing is the same twice.
    let text = body.lines().filter(|line| !line.contains("\"request\"")).collect::<Vec<_>>();
    Answer {
        text: format!("{} {}", answered.status, text.join("\n")),
        values,
        rows: lines,
        refusal: (problem && [403, 503].contains(&answered.status)).then(|| body.clone()),
    }
}

/// The texts and numbers of a document.
fn values(body: &str) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(body).unwrap();
    let people = document.get("people").and_then(|people| people.as_array());
    let people = people.cloned().unwrap_or_default();
    let members =
        people.iter().filter_map(|person| person.as_object()).flat_map(|one| one.values());
    members.map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).collect()
}

fn head(deed: &Deed) -> String {
    let (method, target) = target(deed);
    request(method, &target, &[])
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
