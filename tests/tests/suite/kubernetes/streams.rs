//! What follows exec, attach and port-forward, in both forms.

use std::io::{Read, Write};

use flate2::{Compress, Compression, FlushCompress};
use gateway::recording::Record;
use tests::assert_eventually;
use tests::web::client::{WebClient, request};
use tests::web::streams::STATUS;
use tests::world::{World, text_of};
use wire::http::websocket::{FrameHead as Message, Opcode, apply_mask};
use wire::spdy::frame::kind;
use wire::spdy::{FrameHead, dictionary};

const EXEC: &str = "/api/v1/namespaces/shop/pods/web/exec";
const SPDY: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    "X-Stream-Protocol-Version: v4.channel.k8s.io",
    "X-Stream-Protocol-Version: v9.channel.k8s.io",
    "Content-Length: 0",
];
const SOCKET: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.dG9r, v5.channel.k8s.io",
];
/// What is shown of what the command says.
const SHOWN: (&str, &str) =
    ("Ann writes from c***@***.example today\n", "card ************4444 refused\n");

fn world() -> (World, &'static tests::web::WebServer) {
    super::world_with(|usual| {
        usual
            .rule("{ id: run, effect: allow, target: shop, kubernetes: { verbs: [exec, attach, portforward], resources: [pods] } }")
    })
}

/// A connection that goes on in another protocol; what came right behind the answer comes first.
struct Line {
    client: WebClient,
    held: Vec<u8>,
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.held.is_empty() {
            self.held = self.client.some();
        }
        let length = buffer.len().min(self.held.len());
        buffer.iter_mut().zip(self.held.drain(..length)).for_each(|(to, from)| *to = from);
        Ok(length)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.client.stream().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.client.stream().flush()
    }
}

fn upgraded(world: &World, method: &str, target: &str, fields: &[&str]) -> Line {
    let mut client: WebClient = world.web();
    client.send(request(method, target, fields));
    let answered = client.head().unwrap();
    assert_eq!(answered.status, 101, "{answered:?} {}", answered.text());
    Line { client, held: Vec::new() }
}

/// Opens streams, the first with number 1, the next with 3.
fn open(stream: &mut Line, kinds: &[&str]) {
    let mut writer = Compress::new(Compression::best(), true);
    writer.set_dictionary(&dictionary()).unwrap();
    for (number, kind) in (0_u32..).map(|index| 2 * index + 1).zip(kinds) {
        let mut names = 1_u32.to_be_bytes().to_vec();
        for text in ["streamtype", kind] {
            names.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
            names.extend(text.as_bytes());
        }
        let mut packed = Vec::with_capacity(1024);
        writer.compress_vec(&names, &mut packed, FlushCompress::Sync).unwrap();
        let length = u32::try_from(packed.len() + 10).unwrap();
        let head = FrameHead::Control { kind: kind::SYN_STREAM, flags: 0, length };
        stream.write_all(&head.write()).unwrap();
        stream.write_all(&number.to_be_bytes()).unwrap();
        stream.write_all(&[0; 6]).unwrap();
        stream.write_all(&packed).unwrap();
    }
}

fn data(stream: &mut Line, number: u32, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap();
    stream.write_all(&FrameHead::Data { stream: number, flags: 0, length }.write()).unwrap();
    stream.write_all(bytes).unwrap();
}

/// The next frame: its stream and bytes, where it has some; `None` at the end.
fn next(stream: &mut Line) -> Option<Option<(u32, Vec<u8>)>> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).ok()?;
    let head = FrameHead::read(head).unwrap();
    let mut payload = vec![0; usize::try_from(head.length()).unwrap()];
    stream.read_exact(&mut payload).unwrap();
    Some(match head {
        FrameHead::Data { stream, .. } => Some((stream, payload)),
        FrameHead::Control { .. } => None,
    })
}

/// Bytes of each stream until so many have ended, or the connection has.
fn until_end(stream: &mut Line, mut ends: usize) -> Vec<(u32, Vec<u8>)> {
    let mut came: Vec<(u32, Vec<u8>)> = Vec::new();
    while ends > 0 {
        let Some(frame) = next(stream) else { break };
        let Some((number, payload)) = frame else { continue };
        // The server ends each stream with a frame that has nothing in it.
        ends -= usize::from(payload.is_empty());
        match came.iter_mut().find(|(own, _)| *own == number) {
            Some((_, bytes)) => bytes.extend(payload),
            None => came.push((number, payload)),
        }
    }
    came.sort();
    came
}

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let (key, mut out, mut payload) = ([1, 2, 3, 4], Vec::new(), payload.to_vec());
    let payload_bytes = payload.len() as u64;
    Message { is_last: true, opcode, mask: Some(key), payload_bytes }.write(&mut out);
    apply_mask(key, 0, &mut payload);
    out.extend(payload);
    out
}

/// The next message; `None` at the end.
fn message(stream: &mut Line) -> Option<(Opcode, Vec<u8>)> {
    let mut held = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        held.extend(byte);
        if let Some((head, _)) = Message::read(&held).unwrap() {
            let mut payload = vec![0; usize::try_from(head.payload_bytes).unwrap()];
            stream.read_exact(&mut payload).ok()?;
            return Some((head.opcode, payload));
        }
    }
}

/// How operations ended, and what was recorded, once the session is over.
fn recorded(world: &World) -> (Vec<String>, String) {
    let _ = world.event("session_ended", |_| true);
    assert_eventually!(world.recordings().iter().any(|(report, _)| report.ok()));
    let recordings = world.recordings();
    let entries = || recordings.iter().flat_map(|(_, entries)| entries);
    let ends = entries().filter_map(|entry| match &entry.record {
        Record::OperationEnded { status, masked_values, .. } => {
            Some(format!("{status} ({masked_values} masked)"))
        }
        _ => None,
    });
    (ends.collect(), recordings.iter().map(|(_, entries)| text_of(entries)).collect())
}

#[test]
fn output_over_spdy_is_masked_across_frames_and_recorded() {
    let (world, server) = world();
    let target = format!("{EXEC}?command=report&command=-v&stdout=1&stderr=1");
    let mut stream = upgraded(&world, "POST", &target, SPDY);
    let offered: Vec<_> = server
        .last_seen()
        .headers
        .into_iter()
        .filter(|(name, _)| name == "x-stream-protocol-version")
        .map(|(_, value)| value)
        .collect();
    assert_eq!(offered, ["v4.channel.k8s.io"]);
    open(&mut stream, &["error", "stdout", "stderr"]);
    let came = until_end(&mut stream, 3);
    let texts: Vec<String> =
        came.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert_eq!(texts, [STATUS, SHOWN.0, SHOWN.1]);
    drop(stream);
    let (ends, text) = recorded(&world);
    assert_eq!(ends.last().map(String::as_str), Some("exit 5 (2 masked)"), "{ends:?}");
    assert!(text.contains("report") && text.contains("c***@***.example"), "{text}");
    assert!(!text.contains("customer1@") && !text.contains("5555555555554444"), "{text}");
}

#[test]
fn output_over_websocket_is_masked_across_messages_and_recorded() {
    let (world, server) = world();
    let target = format!("{EXEC}?command=report&stdout=1&stderr=1");
    let mut stream = upgraded(&world, "GET", &target, SOCKET);
    let seen = server.last_seen();
    assert_eq!(seen.header("sec-websocket-protocol"), Some("v5.channel.k8s.io"));
    let (mut shown, mut error, mut status) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((opcode, payload)) = message(&mut stream) {
        match (opcode, payload.split_first()) {
            (Opcode::Close, _) => break,
            (_, Some((1, bytes))) => shown.extend_from_slice(bytes),
            (_, Some((2, bytes))) => error.extend_from_slice(bytes),
            (_, Some((3, bytes))) => status.extend_from_slice(bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(String::from_utf8_lossy(&shown), SHOWN.0);
    assert_eq!(String::from_utf8_lossy(&error), SHOWN.1);
    assert_eq!(String::from_utf8_lossy(&status), STATUS);
    stream.write_all(&frame(Opcode::Close, b"\x03\xe8")).unwrap();
    drop(stream);
    let (ends, text) = recorded(&world);
    assert_eq!(ends.last().map(String::as_str), Some("exit 5 (2 masked)"), "{ends:?}");
    assert!(text.contains("4444") && !text.contains("customer1@"), "{text}");
}

#[test]
fn what_is_typed_comes_back_and_sizes_are_recorded() {
    let (world, _) = world();
    let target = format!("{EXEC}?command=cat&stdin=1&stdout=1&tty=1");
    let mut stream = upgraded(&world, "POST", &target, SPDY);
    open(&mut stream, &["error", "stdin", "stdout", "resize"]);
    data(&mut stream, 7, b"{\"Width\":132,\"Height\":50}\n");
    data(&mut stream, 3, b"hello pod");
    // It may come in pieces: the last word is held back for what may follow.
    let mut came = Vec::new();
    while came.len() < b"hello pod".len() {
        if let Some((number, bytes)) = next(&mut stream).unwrap() {
            assert_eq!(number, 5);
            came.extend(bytes);
        }
    }
    assert_eq!(came, b"hello pod");
    drop(stream);
    let _ = world.event("session_ended", |_| true);
    assert_eventually!(world.recordings().iter().any(|(report, _)| report.ok()));
    let recordings = world.recordings();
    let records = || recordings.iter().flat_map(|(_, entries)| entries).map(|one| &one.record);
    assert!(records().any(|record| matches!(record, Record::Terminal { .. })));
    let sized = |record: &&Record| matches!(record, Record::Resized { columns: 132, rows: 50, .. });
    assert_eq!(records().filter(sized).count(), 1);
}

#[test]
fn ports_pass_as_they_are_and_are_counted() {
    let (world, _) = world();
    let target = "/api/v1/namespaces/shop/pods/web/portforward";
    let mut stream = upgraded(&world, "POST", target, SPDY);
    stream.write_all(b"any bytes at all").unwrap();
    let mut back = [0; 16];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"any bytes at all");
    drop(stream);
    let (ends, text) = recorded(&world);
    assert_eq!(ends.last().map(String::as_str), Some("16 bytes sent, 16 shown (0 masked)"));
    assert!(text.contains("portforward") && !text.contains("any bytes"), "{text}");
}

#[test]
fn what_cannot_be_read_is_not_begun() {
    let (world, server) = world();
    let target = format!("{EXEC}?command=report&stdout=1");
    let socket = |protocol: &'static str| {
        let mut fields = SOCKET.to_vec();
        fields.pop();
        fields.push(protocol);
        fields
    };
    for fields in [
        socket("Sec-WebSocket-Protocol: base64.channel.k8s.io"),
        socket("Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.dG9r"),
        vec!["Connection: Upgrade", "Upgrade: SPDY/2"],
        vec!["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v9"],
    ] {
        let answered = world.web().ask("GET", &target, &fields);
        assert_eq!(answered.status, 400, "{fields:?}: {answered:?}");
        assert!(answered.text().contains("is not read here"), "{}", answered.text());
    }
    assert!(server.seen().is_empty());
    // A server that agrees to another form than was offered is not believed.
    let answered = world.web().ask("GET", &format!("{EXEC}?command=lie&stdout=1"), SOCKET);
    assert_eq!(answered.status, 502, "{answered:?}");
}

#[test]
fn a_stream_of_something_else_breaks_the_connection() {
    let (world, _) = world();
    let target = format!("{EXEC}?command=cat&stdin=1&stdout=1");
    for kinds in [&["stdout", "other"][..], &["stdout", "data"]] {
        let mut stream = upgraded(&world, "POST", &target, SPDY);
        open(&mut stream, kinds);
        let _ = until_end(&mut stream, usize::MAX);
    }
    // Nor are bytes of a stream that was never opened passed on.
    let mut stream = upgraded(&world, "POST", &target, SPDY);
    data(&mut stream, 9, b"x");
    let _ = until_end(&mut stream, usize::MAX);
}

#[test]
fn what_is_typed_as_text_is_typed() {
    let (world, _) = world();
    let target = format!("{EXEC}?command=cat&stdin=1&stdout=1");
    let mut stream = upgraded(&world, "GET", &target, SOCKET);
    stream.write_all(&frame(Opcode::Text, b"\0hello\n")).unwrap();
    // It may come in pieces: the last word is held back for what may follow.
    let mut came: Vec<u8> = Vec::new();
    while came != b"hello\n" {
        let (opcode, payload) = message(&mut stream).unwrap();
        assert_eq!((opcode, payload[0]), (Opcode::Binary, 1));
        came.extend(&payload[1..]);
    }
}

#[test]
fn a_socket_that_ends_without_a_word_ends_on_the_other_side_too() {
    let (world, _) = world();
    let mut stream = upgraded(&world, "GET", &format!("{EXEC}?command=vanish"), SOCKET);
    assert_eq!(message(&mut stream), Some((Opcode::Binary, b"\x01gone".to_vec())));
    assert_eq!(message(&mut stream), None);
    drop(stream);
    let _ = world.event("session_ended", |_| true);
    // Nor does a client say a word that is killed: what it ran would run on.
    let stream = upgraded(&world, "GET", &format!("{EXEC}?command=cat&stdin=1"), SOCKET);
    drop(stream);
    assert_eventually!(world.open_connections() == 0);
}

#[test]
fn a_client_that_switches_and_would_close_is_switched() {
    let (world, server) = world();
    for (method, fields) in [("POST", SPDY), ("GET", SOCKET)] {
        let mut fields = fields.to_vec();
        fields[0] = "Connection: Upgrade, close";
        let target = format!("{EXEC}?command=report&stdout=1&stderr=1");
        let mut stream = upgraded(&world, method, &target, &fields);
        assert_eq!(server.last_seen().header("connection"), Some("upgrade"));
        if method == "POST" {
            open(&mut stream, &["error", "stdout", "stderr"]);
            let came = until_end(&mut stream, 3);
            assert_eq!(came.first().map(|(_, bytes)| bytes.as_slice()), Some(STATUS.as_bytes()));
        } else {
            let (mut shown, end) = (Vec::<u8>::new(), SHOWN.0.as_bytes());
            while shown != end {
                let Some((_, payload)) = message(&mut stream) else { break };
                shown.extend(payload.strip_prefix(&[1]).unwrap_or_default());
            }
            assert_eq!(shown, end);
        }
    }
}
