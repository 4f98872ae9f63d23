//! gRPC with the library that jobs use, on both ends: what a client sees is the same straight to the
//! server and through the gateway.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tests::programs;
use tests::web::WebServer;
use tests::world::World;

use super::{DOOR, bare};

const SERVER: &str = r#"
import grpc, sys, time
from concurrent import futures
def unary(request, context):
    seen = dict(context.invocation_metadata())
    context.set_trailing_metadata((("x-after", "1"), ("x-bin", b"\x00\xff")))
    if request == b"who": return ("%s %s" % (seen.get("authorization"), seen.get("x-own"))).encode()
    if request == b"fail": context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: \u00e9 %")
    if request == b"leak": context.abort(grpc.StatusCode.UNAUTHENTICATED, "not " + seen.get("authorization", "anybody"))
    if request == b"sleep": time.sleep(5)
    return request
def many(request, context):
    for number in range(int(request)):
        yield b"%d" % number
def sum_up(requests, context):
    return b"%d" % sum(len(request) for request in requests)
def chat(requests, context):
    for request in requests:
        yield b"re: " + request
handlers = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Many": grpc.unary_stream_rpc_method_handler(many),
    "Sum": grpc.stream_unary_rpc_method_handler(sum_up),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Secret": grpc.unary_unary_rpc_method_handler(unary),
}
server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("svc.Test", handlers),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(0)
"#;

const CLIENT: &str = r#"
import grpc, queue, sys, time
channel = grpc.insecure_channel("%s:%s" % tuple(sys.argv[1:3]), options=[("grpc.default_authority", "api.test")])
unary = channel.unary_unary("/svc.Test/Unary")
answer, call = unary.with_call(b"hello", timeout=20)
print(answer, [(k, v) for k, v in call.trailing_metadata()])
print(unary(b"who", metadata=(("authorization", "Bearer own"), ("x-own", "mine")), timeout=20))
def told(call):
    try: print("answered", call())
    except grpc.RpcError as error: print(error.code(), error.details() if error.code() != grpc.StatusCode.PERMISSION_DENIED else "no-secrets" in error.details())
told(lambda: unary(b"fail", timeout=20))
told(lambda: unary(b"leak", timeout=20))
told(lambda: unary(b"sleep", timeout=1))
told(lambda: channel.unary_unary("/svc.Test/Nothing")(b"", timeout=20))
told(lambda: channel.unary_unary("/svc.Test/Secret")(b"x", timeout=20))
big = bytes(range(256)) * 8000
print(unary(big, timeout=40) == big, unary(big, timeout=40, compression=grpc.Compression.Gzip) == big)
print(sum(1 for _ in channel.unary_stream("/svc.Test/Many")(b"1000", timeout=40)))
print(channel.stream_unary("/svc.Test/Sum")((b"x" * 1000 for _ in range(2000)), timeout=40))
asked = queue.Queue()
calls = channel.stream_stream("/svc.Test/Chat")(iter(asked.get, None), timeout=40)
for number in range(5):
    asked.put(b"%d" % number)
    print(next(calls))
asked.put(None)
print(list(calls), calls.code())
# Nobody takes what comes for a while: the smallest messages there are.
slow = channel.unary_stream("/svc.Test/Many")(b"20000", timeout=60)
next(slow); time.sleep(2)
print(sum(1 for _ in slow))
cancelled = channel.unary_stream("/svc.Test/Many")(b"100000000", timeout=40)
next(cancelled); cancelled.cancel()
futures = [unary.future(b"%d" % number, timeout=40) for number in range(200)]
print(sum(int(one.result()) for one in futures))
"#;

/// The server, which ends with its standard input.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let python = programs::cache().join("python/bin/python");
        let mut command = Command::new(python);
        command.args(["-c", SERVER]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("`cargo xtask setup` makes it");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port: u16 = line.trim().parse().expect("a port");
        Self { child, address: ([127, 0, 0, 1], port).into() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn every_kind_of_call_does_the_same() {
    let server = Server::start();
    let run = |host: &str| {
        programs::python(CLIENT, &[host, &server.address.port().to_string()]).success()
    };
    let direct = run("127.0.0.1");
    assert!(direct.contains("StatusCode.NOT_FOUND") && direct.contains("19900"), "{direct}");
    let world = World::with(WebServer::shared(), |usual| bare(usual).upstream_at(server.address));
    assert_eq!(run(DOOR), direct);
    assert!(!world.events("session_ended").is_empty());
}

#[test]
fn calls_are_decided_by_method_and_logged_in_by_the_gateway() {
    let server = Server::start();
    let world = World::with(WebServer::shared(), |usual| {
        usual.upstream_at(server.address).rule(
            "{ id: no-secrets, effect: deny, target: shop, http: { methods: [POST], \
             paths: [\"/svc.Test/Secret\"] } }",
        )
    });
    let said = programs::python(CLIENT, &[DOOR, &world.port().to_string()]).success();
    assert!(said.contains("StatusCode.PERMISSION_DENIED True"), "{said}");
    // What the server said back of the gateway's own credential is starred, in a message as well.
    assert!(said.contains("Bearer *****") && said.contains(" mine"), "{said}");
    assert!(said.contains("UNAUTHENTICATED not Bearer ****"), "{said}");
    assert!(!said.contains(tests::web::TOKEN), "{said}");
    assert!(said.contains("19900"), "{said}");
}
