//! What a real API server said, said again.
//!
//! Owns reading `fixtures/kubernetes/recorded`, and finding the answer to a request: the one of the
//! exchange that a test is about, or of another with the same request. What it was never asked it
//! does not answer. A stream is played turn by turn: what the client says has to be what the recorded
//! one said, byte for byte, or nothing more comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Seen;
use super::pages::{Page, status, whole};
use super::switched::agree;

const EXCHANGES: &str = include_str!("../../fixtures/kubernetes/recorded/exchanges.jsonl");
const STREAMS: &str = include_str!("../../fixtures/kubernetes/recorded/streams.jsonl");

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What it is about, for people.
    pub name: String,
    /// The method.
    pub method: String,
    /// The target.
    pub uri: String,
    /// The forms that were asked for.
    pub accept: String,
    /// What was sent.
    pub request_body: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// Its fields.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a client and the server said once the protocol was switched.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What it is about, for people.
    pub name: String,
    /// The method.
    pub method: String,
    /// The target.
    pub uri: String,
    /// The fields of the request, as lines.
    pub fields: Vec<String>,
    /// The fields of the answer.
    pub agreed: Vec<(String, String)>,
    /// In turns: whether the client spoke, and what was said.
    pub turns: Vec<(bool, Vec<u8>)>,
}

/// What is said again.
#[derive(Clone, Debug)]
pub(super) enum Replay {
    /// All exchanges; the one at this place before others with the same request.
    Exchange(usize),
    Stream(Box<Stream>),
}

/// The recorded exchanges.
///
/// # Panics
/// Where they cannot be read.
#[must_use]
pub fn exchanges() -> Vec<Exchange> {
    lines(EXCHANGES).iter().map(exchange).collect()
}

/// The recorded streams.
///
/// # Panics
/// Where they cannot be read.
#[must_use]
pub fn streams() -> Vec<Stream> {
    lines(STREAMS).iter().map(stream).collect()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
}

fn text(line: &Value, name: &str) -> String {
    line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(line: &'a Value, name: &str) -> &'a [Value] {
    line.get(name).and_then(Value::as_array).expect("a list")
}

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("base64")
}

fn exchange(line: &Value) -> Exchange {
    let pair = |pair: &Value| {
        let part = |at: usize| pair.get(at).and_then(Value::as_str).expect("a field").to_owned();
        (part(0), part(1))
    };
    let body = match line.get("body_base64").and_then(Value::as_str) {
        Some(coded) => bytes(coded),
        None => text(line, "body").into_bytes(),
    };
    let status = line.get("status").and_then(Value::as_u64).expect("a status");
    Exchange {
        name: text(line, "name"),
        method: text(line, "method"),
        uri: text(line, "uri"),
        accept: text(line, "accept"),
        request_body: line.get("request_body").and_then(Value::as_str).map(str::to_owned),
        status: u16::try_from(status).expect("a status"),
        headers: list(line, "headers").iter().map(pair).collect(),
        body,
    }
}

fn stream(line: &Value) -> Stream {
    let (request, answer) = (text(line, "request"), text(line, "answer"));
    let mut fields = request.split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned);
    let first = fields.next().expect("a request line");
    let mut words = first.split(' ').map(str::to_owned);
    let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.into(), value.into()));
    let turn = |turn: &Value| {
        let part = |at: usize| turn.get(at).and_then(Value::as_str).expect("a turn");
        (part(0) == "client", bytes(part(1)))
    };
    Stream {
        name: text(line, "name"),
        method: words.next().expect("a method"),
        uri: words.next().expect("a target"),
        fields: fields.filter(|line| !line.starts_with("Host:")).collect(),
        agreed: answer.split("\r\n").skip(1).filter_map(field).collect(),
        turns: list(line, "turns").iter().map(turn).collect(),
    }
}

/// Answers a request.
pub(super) fn answer(
    replay: Replay,
    seen: &Seen,
    request: &mut Request<Incoming>,
) -> Response<Page> {
    match replay {
        Replay::Stream(stream) => switch(*stream, seen, request),
        Replay::Exchange(at) => {
            let all = exchanges();
            let is_asked = |one: &&Exchange| {
                let accept = seen.header("accept").unwrap_or_default();
                one.method == seen.method && one.uri == seen.target && one.accept == accept
            };
            let own = all.get(at).filter(is_asked);
            match own.or_else(|| all.iter().find(is_asked)) {
                Some(exchange) => shown(exchange),
                None => status(StatusCode::NOT_IMPLEMENTED, &format!("not recorded: {seen:?}\n")),
            }
        }
    }
}

fn shown(exchange: &Exchange) -> Response<Page> {
    let mut response = Response::new(whole(exchange.body.clone()));
    *response.status_mut() = StatusCode::from_u16(exchange.status).expect("a status");
    put(&mut response, &exchange.headers);
    response
}

fn put(response: &mut Response<Page>, fields: &[(String, String)]) {
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        response.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
    }
}

fn switch(stream: Stream, seen: &Seen, request: &mut Request<Incoming>) -> Response<Page> {
    if (&seen.method, &seen.target) != (&stream.method, &stream.uri) {
        return status(StatusCode::NOT_IMPLEMENTED, &format!("not recorded: {seen:?}\n"));
    }
    let mut response = Response::new(Page::Whole(None));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    put(&mut response, &stream.agreed);
    let wanted = request.headers().get(header::UPGRADE).cloned().expect("an upgrade");
    agree(request, response.headers_mut(), wanted);
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await {
            let _ = play(upgraded, stream.turns).await;
        }
    });
    response
}

async fn play(upgraded: Upgraded, turns: Vec<(bool, Vec<u8>)>) -> std::io::Result<()> {
    let mut io = TokioIo::new(upgraded);
    for (is_client, said) in turns {
        if !is_client {
            io.write_all(&said).await?;
            continue;
        }
        let mut came = vec![0; said.len()];
        let _ = io.read_exact(&mut came).await?;
        if came != said {
            return Err(std::io::Error::other("the client says something else"));
        }
    }
    io.shutdown().await
}
