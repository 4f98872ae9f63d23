//! Streams of commands, in both forms that an API server has them in.
//!
//! Owns a command that says something on each stream and fails, and one that sends back what is
//! typed. Must not know who is allowed to run it. Ends with the client.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::http::websocket::{FrameHead as Message, Opcode, apply_mask};
use wire::spdy::frame::{FLAG_FIN, kind, names_of, stream_of};
use wire::spdy::{FrameHead, NameReader};

use super::pages::Page;
use super::switched::agree;

/// What is said on the output, in two pieces that part an address.
pub const OUTPUT: [&str; 2] = ["Ann writes from customer1@ma", "il.example today\n"];
/// What is said on the error output.
pub const ERROR: &str = "card 5555555555554444 refused\n";
/// The last word.
pub const STATUS: &str = r#"{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"5"}]}}"#;

const SPDY_PROTOCOL: &str = "x-stream-protocol-version";

type Io = TokioIo<Upgraded>;

/// Whether a path is one of streams.
pub(super) fn is_one(path: &str) -> bool {
    ["/exec", "/attach", "/portforward"].iter().any(|end| path.ends_with(end))
}

/// Agrees to the first form that is offered.
pub(super) fn answer(request: &mut Request<Incoming>) -> Response<Page> {
    let mut response = Response::new(Page::Whole(None));
    let Some(wanted) = request.headers().get(header::UPGRADE).cloned() else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for name in [SPDY_PROTOCOL, "sec-websocket-protocol"] {
        let offered = request.headers().get(name).and_then(|value| value.to_str().ok());
        let first = offered.and_then(|list| list.split(',').next()).map(str::trim);
        if let Some(first) = first {
            // One that lies agrees to what was not offered.
            let lies = request.uri().query().is_some_and(|query| query.contains("command=lie"));
            let agreed = if lies { "base64.channel.k8s.io" } else { first };
            response.headers_mut().insert(name, agreed.parse().expect("a value"));
        }
    }
    let is_websocket = wanted.as_bytes().eq_ignore_ascii_case(b"websocket");
    agree(request, response.headers_mut(), wanted);
    let runs = |command: &str| request.uri().query().is_some_and(|query| query.contains(command));
    let (echoes, vanishes) = (runs("command=cat"), runs("command=vanish"));
    let forwards = request.uri().path().ends_with("/portforward");
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let io = TokioIo::new(upgraded);
        let _ = match (forwards, is_websocket) {
            (true, _) => back(io).await,
            (false, true) => socket(io, echoes, vanishes).await,
            (false, false) => spdy(io, echoes).await,
        };
    });
    response
}

/// Sends everything back.
async fn back(mut io: Io) -> std::io::Result<()> {
    let mut bytes = vec![0; 4_096];
    loop {
        let read = io.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        io.write_all(bytes.get(..read).unwrap_or_default()).await?;
    }
}

/// What there is to say on each stream, in order: its name and bytes.
fn said() -> Vec<(&'static str, Bytes)> {
    let [first, second] = OUTPUT;
    vec![
        ("stdout", first.into()),
        ("stderr", ERROR.into()),
        ("stdout", second.into()),
        ("error", STATUS.into()),
    ]
}

async fn spdy(mut io: Io, echoes: bool) -> std::io::Result<()> {
    let (mut names, mut streams) = (NameReader::default(), Vec::<(String, u32)>::new());
    let find = |streams: &[(String, u32)], name: &str| {
        streams.iter().find(|(own, _)| own == name).map_or(0, |(_, stream)| *stream)
    };
    loop {
        let mut head = [0; 8];
        io.read_exact(&mut head).await?;
        let head = FrameHead::read(head).expect("a frame");
        let mut payload = vec![0; usize::try_from(head.length()).expect("a length")];
        io.read_exact(&mut payload).await?;
        match head {
            FrameHead::Control { kind: kind::SYN_STREAM, .. } => {
                let read = names_of(kind::SYN_STREAM, &payload).expect("names");
                let read = names.read(read).expect("names");
                let name =
                    read.into_iter().find(|(name, _)| name == "streamtype").expect("a type").1;
                let stream = stream_of(&payload).expect("a stream");
                streams.push((name.clone(), stream));
                let reply = FrameHead::Control { kind: kind::SYN_REPLY, flags: 0, length: 4 };
                io.write_all(&reply.write()).await?;
                io.write_u32(stream).await?;
                if name == "stderr" && !echoes {
                    for (name, bytes) in said() {
                        send(&mut io, find(&streams, name), &bytes, 0).await?;
                    }
                    for name in ["stdout", "stderr", "error"] {
                        send(&mut io, find(&streams, name), b"", FLAG_FIN).await?;
                    }
                }
            }
            FrameHead::Data { stream, .. } if stream == find(&streams, "stdin") && echoes => {
                send(&mut io, find(&streams, "stdout"), &payload, 0).await?;
            }
            _ => {}
        }
    }
}

async fn send(io: &mut Io, stream: u32, bytes: &[u8], flags: u8) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).expect("a length");
    io.write_all(&FrameHead::Data { stream, flags, length }.write()).await?;
    io.write_all(bytes).await
}

async fn socket(mut io: Io, echoes: bool, vanishes: bool) -> std::io::Result<()> {
    if vanishes {
        say(&mut io, Opcode::Binary, 1, b"gone").await?;
        return io.shutdown().await;
    }
    if !echoes {
        for (name, bytes) in said() {
            let number = match name {
                "stdout" => 1,
                "stderr" => 2,
                _ => 3,
            };
            say(&mut io, Opcode::Binary, number, &bytes).await?;
        }
        return say(&mut io, Opcode::Close, 3, b"\xe8").await;
    }
    loop {
        let mut head = vec![0; 6];
        io.read_exact(&mut head).await?;
        let (read, _) = Message::read(&head).expect("a frame").expect("a short one");
        let mut payload = vec![0; usize::try_from(read.payload_bytes).expect("a length")];
        io.read_exact(&mut payload).await?;
        apply_mask(read.mask.expect("a key"), 0, &mut payload);
        match (read.opcode, payload.split_first()) {
            (Opcode::Binary | Opcode::Text, Some((0, typed))) => {
                say(&mut io, Opcode::Binary, 1, typed).await?
            }
            (Opcode::Close, _) => return say(&mut io, Opcode::Close, 3, b"\xe8").await,
            _ => {}
        }
    }
}

async fn say(io: &mut Io, opcode: Opcode, number: u8, bytes: &[u8]) -> std::io::Result<()> {
    let mut out = Vec::new();
    let payload_bytes = bytes.len() as u64 + 1;
    Message { is_last: true, opcode, mask: None, payload_bytes }.write(&mut out);
    out.push(number);
    out.extend_from_slice(bytes);
    io.write_all(&out).await
}
