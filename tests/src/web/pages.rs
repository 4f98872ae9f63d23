//! What the web server of the tests answers.
//!
//! Owns the pages. Each path is one kind of answer; the rest of the path and the query are the
//! test's own, to find its requests by.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::mpsc;

use super::{Seen, State, api, aws, people, replay, streams, switched};

/// Lines of `/long`.
const LONG_LINES: usize = 200_000;

/// An answer's body.
pub(super) enum Page {
    /// Whole.
    Whole(Option<Bytes>),
    /// In the making; its length, where it is announced.
    Coming(mpsc::Receiver<io::Result<Frame<Bytes>>>, Option<u64>),
}

impl Body for Page {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Coming(parts, _) => parts.poll_recv(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Coming(_, length) => length.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

type Parts = mpsc::Sender<io::Result<Frame<Bytes>>>;

/// Answers a request, and writes down that it came.
pub(super) async fn answer(
    state: Arc<State>,
    mut request: Request<Incoming>,
) -> Result<Response<Page>, Infallible> {
    let seen = seen(&request);
    state.seen.lock().expect("nobody panicked").push(seen.clone());
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (first, rest) = split(&path);
    let replay = state.replay.lock().expect("nobody panicked").clone();
    if let Some(replay) = replay {
        return Ok(replay::answer(replay, &seen, &mut request));
    }
    let response = match first {
        "api" if streams::is_one(&path) => streams::answer(&mut request),
        "api" | "apis" | "version" => api::answer(&seen, &path, &query),
        "echo" => echo(seen, request).await,
        "reflect" => reflect(&seen),
        "people" => {
            // Read first: what comes behind an answer is of no request any more.
            let _ = request.into_body().collect().await;
            forms(rest)
        }
        "sensitive" => typed("application/json", people::JSON),
        "show" => typed("text/plain", &format!("this is {rest}\n")),
        "fail" => status(StatusCode::INTERNAL_SERVER_ERROR, "it failed\n"),
        "long" => long(),
        "status" => status(StatusCode::from_bytes(rest.as_bytes()).expect("a status"), ""),
        "trailers" => trailers(),
        "redirect" => {
            let mut response = status(StatusCode::FOUND, "elsewhere\n");
            let to = HeaderValue::from_str(query.strip_prefix("to=").unwrap_or("/"));
            response.headers_mut().insert(header::LOCATION, to.expect("a location"));
            response
        }
        "slow" => slow(),
        "drip" => drip(rest, &query),
        "upload" => upload(request).await,
        "download" => download(query.strip_prefix("bytes=").and_then(|n| n.parse().ok())),
        "close" => with(typed("text/plain", "bye\n"), &[("connection", "close")]),
        "cut" => cut(),
        "bytes" => with(
            typed("application/json", people::JSON),
            &[
                ("etag", "\"abc\""),
                ("accept-ranges", "bytes"),
                ("digest", "sha-256=X"),
                ("content-md5", "Q"),
            ],
        ),
        "hang" => std::future::pending().await,
        "switch" => switched::answer(&mut request),
        "token" => token(&state, request, &query).await,
        "guarded" => guarded(&seen),
        "svc.People" => grpc(request),
        "repo.git" => git(&state, request).await,
        "store" | "" => aws::answer(&state, request).await.map(whole),
        _ => done(request, rest).await,
    };
    Ok(response)
}

fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').unwrap_or((path, ""))
}

fn seen(request: &Request<Incoming>) -> Seen {
    Seen {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        version: format!("{:?}", request.version()),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
    }
}

pub(super) fn whole(bytes: impl Into<Bytes>) -> Page {
    let bytes = bytes.into();
    Page::Whole((!bytes.is_empty()).then_some(bytes))
}

pub(super) fn typed(kind: &'static str, text: &str) -> Response<Page> {
    let mut response = Response::new(whole(text.to_owned()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(super) fn status(status: StatusCode, text: &str) -> Response<Page> {
    let mut response = typed("text/plain", text);
    *response.status_mut() = status;
    response
}

fn with(mut response: Response<Page>, headers: &[(&'static str, &'static str)]) -> Response<Page> {
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    response
}

/// A page that is made by a task.
fn coming<F>(
    kind: &'static str,
    length: Option<u64>,
    make: impl FnOnce(Parts) -> F,
) -> Response<Page>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (parts, coming) = mpsc::channel(4);
    tokio::spawn(make(parts));
    let mut response = Response::new(Page::Coming(coming, length));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn data(parts: &Parts, bytes: impl Into<Bytes>) -> bool {
    parts.send(Ok(Frame::data(bytes.into()))).await.is_ok()
}

async fn echo(seen: Seen, request: Request<Incoming>) -> Response<Page> {
    let body = request.into_body().collect().await;
    let (text, trailers) = match body {
        Ok(body) => {
            let trailers = body.trailers().cloned().unwrap_or_default();
            (String::from_utf8_lossy(&body.to_bytes()).into_owned(), trailers)
        }
        Err(error) => (format!("broken: {error}"), HeaderMap::new()),
    };
    let trailers: Vec<_> = trailers
        .iter()
        .map(|(name, value)| json!([name.as_str(), value.to_str().unwrap_or("?")]))
        .collect();
    let said = json!({
        "method": seen.method, "target": seen.target, "version": seen.version,
        "headers": seen.headers, "body": text, "trailers": trailers,
    });
    let page = typed("application/json", &said.to_string());
    with(page, &[("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")])
}

/// Says back whatever could be a secret.
fn reflect(seen: &Seen) -> Response<Page> {
    let told: Vec<String> = ["authorization", "x-api-key", "cookie", "x-amz-security-token"]
        .iter()
        .filter_map(|name| seen.header(name))
        .map(str::to_owned)
        .chain([seen.target.clone()])
        .collect();
    let mut page = typed("text/plain", &format!("you said {}\n", told.join(" and ")));
    for value in &told {
        let value = HeaderValue::from_str(value).expect("what a header held");
        page.headers_mut().append("x-reflected", value);
    }
    page
}

fn forms(rest: &str) -> Response<Page> {
    match rest {
        "" | "json" => typed("application/json", people::JSON),
        "lines" => typed("application/x-ndjson", &people::lines()),
        "events" => typed("text/event-stream", &people::events()),
        "form" => typed("application/x-www-form-urlencoded", people::form()),
        "text" => typed("text/plain; charset=utf-8", people::text()),
        "bytes" => typed("application/octet-stream", people::JSON),
        "utf-16" => typed("application/json; charset=utf-16", people::JSON),
        "unknown-coding" => {
            with(typed("application/json", people::JSON), &[("content-encoding", "x-mine")])
        }
        "bomb" => {
            let mut response = typed("application/json", "");
            let bomb = zstd::encode_all(&vec![b' '; 64 * 1024 * 1024][..], 3).expect("memory");
            *response.body_mut() = whole(bomb);
            with(response, &[("content-encoding", "zstd")])
        }
        "gzip" => coded("gzip"),
        "deflate" => coded("deflate"),
        "zstd" => coded("zstd"),
        "br" => coded("br"),
        _ => status(StatusCode::NOT_FOUND, "no such form\n"),
    }
}

fn coded(coding: &'static str) -> Response<Page> {
    let mut response = typed("application/json", "");
    *response.body_mut() = whole(people::coded(coding));
    with(response, &[("content-encoding", coding)])
}

pub(super) fn long() -> Response<Page> {
    coming("text/plain", None, |parts| async move {
        for lines in (0..LONG_LINES).collect::<Vec<_>>().chunks(1_000) {
            let text: String = lines.iter().map(|line| format!("line {line}\n")).collect();
            if !data(&parts, text).await {
                return;
            }
        }
    })
}

fn trailers() -> Response<Page> {
    let page = coming("text/plain", None, |parts| async move {
        data(&parts, "part one, ").await;
        data(&parts, "part two\n").await;
        let trailers = HeaderMap::from_iter([(
            HeaderName::from_static("x-sum"),
            HeaderValue::from_static("42"),
        )]);
        let _ = parts.send(Ok(Frame::trailers(trailers))).await;
    });
    with(page, &[("trailer", "x-sum")])
}

fn slow() -> Response<Page> {
    coming("text/event-stream", None, |parts| async move {
        for count in 0..5 {
            if !data(&parts, format!("data: {{\"count\":{count},\"mail\":\"a@b.example\"}}\n\n"))
                .await
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
}

/// Sends the pieces of the query, each so many milliseconds after the last. The rest of the path is
/// that number, and the body's type.
fn drip(rest: &str, query: &str) -> Response<Page> {
    let (pause, kind) = rest.split_once('/').expect("a number and a type");
    let pause = Duration::from_millis(pause.parse().expect("a number"));
    let kind = HeaderValue::from_str(kind).expect("a type");
    let pieces: Vec<Bytes> = query.split(',').map(unescaped).collect();
    let mut response = coming("text/plain", None, move |parts| async move {
        for piece in pieces {
            if !data(&parts, piece).await {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    });
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn unescaped(text: &str) -> Bytes {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).expect("two digits");
        out.push(u8::from_str_radix(hex, 16).expect("two digits"));
        out.extend_from_slice(rest.as_bytes());
    }
    out.into()
}

async fn upload(request: Request<Incoming>) -> Response<Page> {
    let mut body = request.into_body();
    let mut count = 0_u64;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => count += frame.data_ref().map_or(0, |data| data.len() as u64),
            Err(error) => return status(StatusCode::BAD_REQUEST, &format!("{error}\n")),
        }
    }
    typed("text/plain", &format!("{count}\n"))
}

fn download(bytes: Option<u64>) -> Response<Page> {
    let bytes = bytes.expect("a number of bytes");
    coming("application/octet-stream", Some(bytes), move |parts| async move {
        let piece = Bytes::from(vec![0x5a; 64 * 1024]);
        let mut left = bytes;
        while left > 0 {
            let length = left.min(64 * 1024);
            let piece = piece.slice(..usize::try_from(length).expect("a piece"));
            if !data(&parts, piece).await {
                return;
            }
            left -= length;
        }
    })
}

/// Breaks off in the middle of what was announced.
fn cut() -> Response<Page> {
    coming("text/plain", Some(100), |parts| async move {
        data(&parts, "only this").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _ = parts.send(Err(io::ErrorKind::BrokenPipe.into())).await;
    })
}

/// An OAuth 2 token endpoint. The query says for how many seconds a token is good.
async fn token(state: &State, request: Request<Incoming>, query: &str) -> Response<Page> {
    let authorization = request.headers().get(header::AUTHORIZATION).cloned();
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let known = authorization.is_some() || body.contains("client_secret=canary-client");
    if !known || !body.contains("grant_type=client_credentials") {
        return status(StatusCode::UNAUTHORIZED, "{\"error\":\"invalid_client\"}");
    }
    let number = state.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    let seconds: u64 = query.parse().unwrap_or(3_600);
    let token = json!({
        "access_token": format!("canary-token-{number}"), "token_type": "Bearer",
        "expires_in": seconds,
    });
    typed("application/json", &token.to_string())
}

/// Only for who has the token.
pub(super) fn guarded(seen: &Seen) -> Response<Page> {
    if seen.header("authorization") == Some(&format!("Bearer {}", super::TOKEN)) {
        return typed("text/plain", "come in\n");
    }
    with(status(StatusCode::UNAUTHORIZED, "who are you?\n"), &[("www-authenticate", "Bearer")])
}

/// Sends back the messages of a call, with its status in trailers.
fn grpc(request: Request<Incoming>) -> Response<Page> {
    coming("application/grpc", None, |parts| async move {
        let mut body = request.into_body();
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(bytes) = frame.into_data()
                && !data(&parts, bytes).await
            {
                return;
            }
        }
        let trailers = HeaderMap::from_iter([(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )]);
        let _ = parts.send(Ok(Frame::trailers(trailers))).await;
    })
}

/// Anything else is done, once its body has come.
async fn done(request: Request<Incoming>, rest: &str) -> Response<Page> {
    match request.into_body().collect().await {
        Ok(_) => typed("text/plain", &format!("done {rest}\n")),
        Err(error) => status(StatusCode::BAD_REQUEST, &format!("{error}\n")),
    }
}

/// A repository, served by git's own program for that (CGI). The path is
/// below the directory that a test offers.
async fn git(state: &State, request: Request<Incoming>) -> Response<Page> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let root = state.repositories.lock().expect("nobody panicked").clone();
    tokio::task::spawn_blocking(move || super::station::git_backend(&root, &parts, &body))
        .await
        .expect("it did not panic")
        .map(whole)
}
