//! What follows a switch of protocols: WebSocket messages, or lines of no protocol, sent back.
//!
//! Owns both servers. Ends with the client.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pages::Page;
use super::people;

/// What RFC 6455 has a server put behind the client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Agrees to whatever is asked for.
pub(super) fn answer(request: &mut Request<Incoming>) -> Response<Page> {
    let mut response = Response::new(Page::Whole(None));
    let Some(wanted) = request.headers().get(header::UPGRADE).cloned() else {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return response;
    };
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let is_websocket = wanted.as_bytes().eq_ignore_ascii_case(b"websocket");
    agree(request, response.headers_mut(), wanted);
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        if is_websocket {
            let _ = messages(upgraded).await;
        } else {
            let _ = echo(upgraded).await;
        }
    });
    response
}

/// Says in an answer that it goes on as it was asked to.
pub(super) fn agree(request: &Request<Incoming>, headers: &mut HeaderMap, wanted: HeaderValue) {
    if let Some(key) = request.headers().get("sec-websocket-key") {
        let text = format!("{}{GUID}", key.to_str().expect("a key"));
        let accepted = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()));
        let accepted = HeaderValue::from_str(&accepted).expect("base64");
        headers.insert("sec-websocket-accept", accepted);
    }
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, wanted);
}

async fn echo(upgraded: Upgraded) -> std::io::Result<()> {
    let mut io = TokioIo::new(upgraded);
    let mut bytes = vec![0; 4096];
    loop {
        let read = io.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        io.write_all(bytes.get(..read).unwrap_or_default()).await?;
    }
}

/// Sends every message back; for `people` it sends the people instead.
async fn messages(upgraded: Upgraded) -> std::io::Result<()> {
    let mut io = TokioIo::new(upgraded);
    loop {
        let mut head = [0; 2];
        io.read_exact(&mut head).await?;
        let [first, second] = head;
        let length = match second & 0x7f {
            126 => u64::from(io.read_u16().await?),
            127 => io.read_u64().await?,
            short => u64::from(short),
        };
        let mut key = [0; 4];
        io.read_exact(&mut key).await?;
        let mut payload = vec![0; usize::try_from(length).expect("a length")];
        io.read_exact(&mut payload).await?;
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        if payload == b"people" {
            payload = people::JSON.as_bytes().to_vec();
        }
        let mut out = vec![first];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..126) => out.push(u8::try_from(length).expect("it is short")),
            Ok(length) => {
                out.push(126);
                out.extend(length.to_be_bytes());
            }
            Err(_) => {
                out.push(127);
                out.extend((payload.len() as u64).to_be_bytes());
            }
        }
        out.extend(payload);
        io.write_all(&out).await?;
        if first & 0x0f == 8 {
            return Ok(());
        }
    }
}
