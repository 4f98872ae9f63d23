//! Streams of unchanged clients: what they and the server say once the protocol is switched.
//!
//! Owns the commands. Everything happens in the pod `batch-1` of `team-a`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::kube::kubectl::{KubeStation, Kubectl};
use tests::kube::recorder::{Recorder, Speaker, Turn};
use tests::kube::{ADMIN, KubeCluster};
use tests::programs;

use super::encoded;

/// Commands of kubectl, and what they are given to read.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("exec", "exec batch-1 -- echo hello", ""),
    (
        "exec with standard error and a status",
        "exec batch-1 -- sh -c",
        "echo out; echo err >&2; exit 5",
    ),
    ("exec with input", "exec -i batch-1 -- cat", "a line of input\n"),
    ("exec of what is not there", "exec batch-1 -- no-such-program", ""),
    ("attach", "attach batch-1", ""),
];

/// The client of Python's, which speaks WebSocket.
const PYTHON: &str = r#"
from kubernetes import client, config
from kubernetes.stream import stream
config.load_kube_config()
api = client.CoreV1Api()
answer = stream(api.connect_get_namespaced_pod_exec, "batch-1", "team-a",
                command=["sh", "-c", "echo out; echo err >&2"],
                stderr=True, stdin=False, stdout=True, tty=False)
print(answer)
"#;

/// Each stream of each command.
pub(super) fn all(cluster: &KubeCluster) -> Vec<Value> {
    let mut lines = Vec::new();
    for (name, arguments, given) in COMMANDS {
        let recorder = Recorder::before(cluster);
        let station = KubeStation::new(cluster, recorder.address(), ADMIN);
        let mut command = kubectl(&station, arguments);
        let mut input = "";
        match arguments.ends_with("-c") {
            true => _ = command.arg(given),
            false => input = given,
        }
        let said = fed(&mut command, input);
        assert!(!said.everything().is_empty() || input.is_empty(), "{name}: {said:?}");
        lines.push(line(name, &recorder));
    }
    lines.push(forwarded(cluster));
    let recorder = Recorder::before(cluster);
    let station = KubeStation::new(cluster, recorder.address(), ADMIN);
    let said = programs::run(&mut station.python(PYTHON)).success();
    assert!(said.contains("out") && said.contains("err"), "{said}");
    lines.push(line("exec over WebSocket", &recorder));
    lines
}

fn kubectl(station: &KubeStation, arguments: &str) -> Command {
    let mut command = station.command(Kubectl::Old.path());
    command.args(["--namespace", "team-a"]).args(arguments.split(' '));
    command
}

/// Runs a program with this to read.
fn fed(command: &mut Command, input: &str) -> programs::Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a program");
    let mut pipe = child.stdin.take().expect("its input");
    pipe.write_all(input.as_bytes()).expect("a program that reads");
    drop(pipe);
    programs::ended(child)
}

/// One connection through a port that kubectl forwards.
fn forwarded(cluster: &KubeCluster) -> Value {
    let recorder = Recorder::before(cluster);
    let station = KubeStation::new(cluster, recorder.address(), ADMIN);
    let service = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = service.local_addr().expect("its address").port();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = service.accept().expect("a connection");
        let mut asked = [0; 5];
        stream.read_exact(&mut asked).expect("what is asked");
        stream.write_all(b"pong!").expect("an answer");
    });
    let mut command = kubectl(&station, &format!("port-forward pod/batch-1 :{port}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("kubectl");
    let mut said = std::io::BufReader::new(child.stdout.take().expect("its output"));
    let mut first = String::new();
    std::io::BufRead::read_line(&mut said, &mut first).expect("a line");
    let local = first.split([':', ' ']).find_map(|word| word.parse::<u16>().ok());
    let mut stream =
        std::net::TcpStream::connect(("127.0.0.1", local.expect(&first))).expect("a connection");
    stream.write_all(b"ping?").expect("a port that is forwarded");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "pong!");
    served.join().expect("a service");
    child.kill().expect("kubectl ends");
    let _ = child.wait().expect("kubectl ends");
    line("port-forward", &recorder)
}

/// The one stream among what was said.
fn line(name: &str, recorder: &Recorder) -> Value {
    let connections = recorder.connections();
    let mut streams = connections.iter().filter_map(|turns| stream(turns));
    let (request, answer, turns) = streams.next().expect(name);
    let turns: Vec<Value> = turns
        .iter()
        .map(|(speaker, bytes)| json!([format!("{speaker:?}").to_lowercase(), encoded(bytes)]))
        .collect();
    json!({"name": name, "request": request, "answer": answer, "turns": turns})
}

/// The head of the request that switched protocols, the head of its answer, and the rest.
fn stream(turns: &[Turn]) -> Option<(String, String, Vec<Turn>)> {
    let at = turns.iter().position(|(speaker, bytes)| {
        *speaker == Speaker::Server && bytes.starts_with(b"HTTP/1.1 101 ")
    })?;
    let (_, request) = turns.get(at.checked_sub(1)?)?;
    let (_, answer) = turns.get(at)?;
    let mut rest: Vec<Turn> = turns.get(at + 1..)?.to_vec();
    let (answer, first) = head(answer)?;
    if !first.is_empty() {
        rest.insert(0, (Speaker::Server, first));
    }
    Some((steady(&head(request)?.0), steady(&answer), rest))
}

fn head(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let (head, rest) = bytes.split_at(end);
    Some((String::from_utf8_lossy(head).into_owned(), rest.to_vec()))
}

/// Without keys, tokens and ports, which are never the same twice, or not to be written down.
fn steady(head: &str) -> String {
    let line = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "host" => "Host: kubernetes\r\n".to_owned(),
            "authorization" => "Authorization: Bearer a-token\r\n".to_owned(),
            "sec-websocket-key" => "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n".to_owned(),
            "sec-websocket-accept" => "Sec-WebSocket-Accept: of-the-key\r\n".to_owned(),
            "date" | "audit-id" | "origin" => String::new(),
            _ => line.to_owned(),
        }
    };
    head.split_inclusive("\r\n").map(line).collect()
}
