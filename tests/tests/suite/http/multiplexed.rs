//! HTTP/2: many requests at once, gRPC, and frames of heads that only it can have.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tests::assert_eventually;
use tests::web::people::RAW_VALUES;
use tests::web::{TOKEN, WebServer};
use tests::world::World;

use super::bare;

type Body = Full<Bytes>;

async fn connect<B>(world: &World) -> SendRequest<B>
where
    B: http_body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = world.open_as(&world.usual_opener());
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn to(world: &World, method: &str, path: &str) -> http::request::Builder {
    let port = world.web_server().port();
    let address = format!("http://api.test:{port}{path}");
    Request::builder().version(Version::HTTP_2).method(method).uri(address)
}

async fn text(response: Response<Incoming>) -> (StatusCode, String, HeaderMap) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    (status, String::from_utf8_lossy(&body.to_bytes()).into_owned(), trailers)
}

#[test]
fn requests_run_side_by_side_on_one_connection() {
    let (world, server) = super::world();
    world.block_on(async {
        let mut client = connect::<Body>(&world).await;
        let hang = to(&world, "GET", "/hang").body(Body::default()).unwrap();
        let hanging = tokio::spawn(client.send_request(hang));
        let asked = (0..100).map(|number| {
            let method = if number % 3 == 1 { "DELETE" } else { "GET" };
            let request = to(&world, method, &format!("/show/{number}"));
            client.send_request(request.body(Body::default()).unwrap())
        });
        let asked: Vec<_> = asked.map(tokio::spawn).collect();
        for (number, asked) in asked.into_iter().enumerate() {
            let (status, text, _) = text(asked.await.unwrap().unwrap()).await;
            if number % 3 == 1 {
                assert_eq!(status, 403, "{text}");
            } else {
                assert_eq!((status.as_u16(), text), (200, format!("this is {number}\n")));
            }
        }
        hanging.abort();
    });
    assert_eq!(server.accepted(), 1);
    assert!(server.seen().iter().all(|seen| seen.method == "GET" && seen.version == "HTTP/2.0"));
    let authorization = format!("Bearer {TOKEN}");
    let seen = server.last_seen();
    assert_eq!(seen.header("authorization"), Some(&*authorization));
}

#[test]
fn answers_are_masked_and_held_ones_do_not_stop_others() {
    let (world, _) = super::world();
    world.block_on(async {
        let mut client = connect::<Body>(&world).await;
        let put = to(&world, "PUT", "/drop/x").body(Body::from("sure")).unwrap();
        let held = tokio::spawn(client.send_request(put));
        let get = to(&world, "GET", "/people/gzip").body(Body::default()).unwrap();
        let (status, shown, _) = text(client.send_request(get).await.unwrap()).await;
        assert_eq!(status, 200);
        for raw in RAW_VALUES {
            assert!(!shown.contains(raw), "{shown}");
        }
        let hold = world.hold();
        world.approve(hold.id).unwrap();
        let (status, said, _) = text(held.await.unwrap().unwrap()).await;
        assert_eq!((status.as_u16(), said.as_str()), (200, "done x\n"));
    });
}

#[test]
fn a_stream_that_is_given_up_gives_up_its_hold() {
    let (world, server) = super::world();
    world.block_on(async {
        let mut client = connect::<Body>(&world).await;
        let put = to(&world, "PUT", "/drop/x").body(Body::default()).unwrap();
        let held = tokio::spawn(client.send_request(put));
        assert_eventually!(!world.holds().is_empty());
        held.abort();
        assert_eventually!(world.holds().is_empty(), "the hold outlives its stream");
        let get = to(&world, "GET", "/show/on").body(Body::default()).unwrap();
        assert_eq!(client.send_request(get).await.unwrap().status(), 200);
    });
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn calls_of_grpc_stream_both_ways_and_end_with_their_status() {
    let server = WebServer::plain();
    let world = World::with(server, bare);
    world.block_on(async {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
        let body = Receiving(receiver);
        let mut client = connect::<Receiving>(&world).await;
        let call = to(&world, "POST", "/svc.People/Chat")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(body)
            .unwrap();
        let response = client.send_request(call);
        sender.send(Bytes::from_static(b"\0\0\0\0\x03one")).await.unwrap();
        let mut response = response.await.unwrap();
        let first = response.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(first.data_ref().unwrap().as_ref(), b"\0\0\0\0\x03one");
        sender.send(Bytes::from_static(b"\0\0\0\0\x03two")).await.unwrap();
        drop(sender);
        let (status, shown, trailers) = text(response).await;
        assert_eq!((status.as_u16(), shown.as_str()), (200, "\0\0\0\0\x03two"));
        assert_eq!(trailers.get("grpc-status").unwrap(), "0");
    });
    assert_eq!(server.last_seen().header("te"), Some("trailers"));
}

#[test]
fn a_call_of_grpc_that_is_refused_is_told_in_its_own_words() {
    let server = WebServer::plain();
    let world = World::with(server, |usual| {
        usual.rule("{ id: no-calls, effect: deny, target: shop, http: { methods: [POST], paths: [\"/svc.People/Delete\"] } }")
    });
    world.block_on(async {
        let mut client = connect::<Body>(&world).await;
        let call = to(&world, "POST", "/svc.People/Delete")
            .header("content-type", "application/grpc")
            .body(Body::from("\0\0\0\0\0"))
            .unwrap();
        let response = client.send_request(call).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], "7");
        let message = response.headers()["grpc-message"].to_str().unwrap();
        assert!(message.contains("no-calls"), "{message}");
    });
    assert!(server.seen().is_empty());
}

#[test]
fn a_percent_sign_without_digits_is_judged_and_sent_encoded() {
    let (world, server) = super::world();
    let (status, _, _) = world.block_on(async {
        let mut client = connect::<Body>(&world).await;
        let call = to(&world, "GET", "/show/x?rate=100%&name=%4").body(Body::default()).unwrap();
        text(client.send_request(call).await.unwrap()).await
    });
    assert_eq!(status, 200);
    assert!(
        server.last_seen().target.ends_with("/show/x?rate=100%25&name=%254"),
        "{:?}",
        server.seen()
    );
}

#[test]
fn heads_that_contradict_themselves_reach_no_server() {
    let (world, server) = super::world();
    world.block_on(async {
        let mut client = connect::<Body>(&world).await;
        let port = server.port();
        for (what, address, host, status) in [
            ("another host", format!("http://api.test:{port}/show/x"), Some("evil.test"), 400),
            ("a foreign authority", "http://evil.test/show/x".to_owned(), None, 421),
            ("a path with dots", format!("http://api.test:{port}/show/../x"), None, 400),
            ("two slashes", format!("http://api.test:{port}//x"), None, 400),
        ] {
            let mut request = Request::get(&address).version(Version::HTTP_2);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let response = client.send_request(request.body(Body::default()).unwrap()).await;
            assert_eq!(response.unwrap().status(), status, "{what}");
        }
    });
    assert!(server.seen().is_empty(), "{:?}", server.seen());
}

/// A channel as a body.
struct Receiving(tokio::sync::mpsc::Receiver<Bytes>);

impl http_body::Body for Receiving {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.get_mut().0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
