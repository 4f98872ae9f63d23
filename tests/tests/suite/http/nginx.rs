//! A real server that nobody here wrote: what a client gets is the same straight to it and through
//! the gateway.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tests::nginx::Nginx;
use tests::web::client::{Answered, WebClient, request};
use tests::web::station::{WebStation, base};
use tests::web::{NAME, WebServer};
use tests::world::{Configuration, World};

use super::bare;

/// Bytes of an upload.
const UPLOAD: usize = 6 * 1024 * 1024;

fn plain(usual: Configuration, at: SocketAddr) -> Configuration {
    bare(usual).upstream_at(at)
}

fn connect(nginx: &Nginx) -> TcpStream {
    let stream = TcpStream::connect(nginx.plain()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What is the same however an answer came here: a connection's own fields and the time are not.
fn lasting(mut answered: Answered) -> Answered {
    let own = ["date", "connection", "keep-alive"];
    answered.headers.retain(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
    // Where the framing stands among the others is the sender's choice.
    answered
        .headers
        .sort_by_key(|(name, _)| name == "Content-Length" || name == "Transfer-Encoding");
    answered
}

/// Everything that is asked on one connection.
fn ask_all(client: &mut WebClient, etag: &str) -> Vec<Answered> {
    let matches = format!("If-None-Match: {etag}");
    let if_range = format!("If-Range: {etag}");
    let asked: &[(&str, &str, &[&str])] = &[
        ("GET", "/small.txt", &[]),
        ("GET", "/empty.txt", &[]),
        ("HEAD", "/small.txt", &[]),
        ("HEAD", "/big.bin", &[]),
        ("GET", "/big.bin", &[]),
        ("GET", "/small.txt", &[&matches]),
        ("GET", "/small.txt", &["If-None-Match: \"other\""]),
        ("GET", "/small.txt", &["If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"]),
        ("GET", "/big.bin", &["Range: bytes=1000-1999"]),
        ("GET", "/big.bin", &["Range: bytes=-5"]),
        ("GET", "/small.txt", &["Range: bytes=2-5", &if_range]),
        ("GET", "/small.txt", &["Range: bytes=900-"]),
        ("GET", "/numbers.json", &["Accept-Encoding: gzip"]),
        ("HEAD", "/numbers.json", &["Accept-Encoding: gzip"]),
        ("GET", "/numbers.json", &["Accept-Encoding: identity"]),
        ("GET", "/missing", &[]),
        ("GET", "/moved", &[]),
        ("GET", "/cookies", &[]),
        ("GET", "/nothing", &[]),
        ("POST", "/small.txt", &["Content-Length: 0"]),
        ("OPTIONS", "/small.txt", &[]),
        ("DELETE", "/small.txt", &[]),
    ];
    asked.iter().map(|(method, target, fields)| client.ask(method, target, fields)).collect()
}

/// Puts something there by every framing, reads it back, and takes it away.
fn upload(client: &mut WebClient) -> Vec<Answered> {
    let bytes: Vec<u8> = (0..=252).cycle().take(UPLOAD).collect();
    let mut answers = Vec::new();
    client.send(request("PUT", "/up/known", &[&format!("Content-Length: {UPLOAD}")]));
    client.stream().write_all(&bytes).unwrap();
    answers.push(client.answer().unwrap());
    client.send(request("PUT", "/up/unknown", &["Transfer-Encoding: chunked"]));
    for piece in bytes.chunks(100_000) {
        client.send(format!("{:x}\r\n", piece.len()));
        client.stream().write_all(piece).unwrap();
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    answers.push(client.answer().unwrap());
    client.send(request("PUT", "/up/asked", &["Content-Length: 5", "Expect: 100-continue"]));
    answers.push(client.head().unwrap());
    client.send("hello");
    answers.push(client.answer().unwrap());
    for target in ["/up/known", "/up/unknown", "/up/asked"] {
        answers.push(client.get(target));
        answers.push(client.ask("DELETE", target, &[]));
    }
    let body = &answers.iter().find(|one| one.body.len() == UPLOAD).unwrap().body;
    assert_eq!(body, &bytes);
    // A file's time is its own.
    for answer in &mut answers {
        let own = ["last-modified", "etag"];
        answer.headers.retain(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
    }
    answers
}

#[test]
fn one_connection_shows_what_nginx_sends() {
    let nginx = Nginx::start();
    let world = World::with(WebServer::shared(), |usual| plain(usual, nginx.plain()));
    let (mut direct, mut through) = (WebClient::over(connect(nginx)), world.web());
    let etag = direct.get("/small.txt").header("etag").unwrap().to_owned();
    let expected = ask_all(&mut direct, &etag);
    let answered = ask_all(&mut through, &etag);
    for (expected, answered) in expected.into_iter().zip(answered) {
        assert_eq!(lasting(answered), lasting(expected));
    }
    let expected: Vec<_> = upload(&mut direct).into_iter().map(lasting).collect();
    let answered: Vec<_> = upload(&mut through).into_iter().map(lasting).collect();
    assert_eq!(answered, expected);
    // It says that the connection stays, and closes it.
    let failing = ["If-Match: \"other\""];
    for client in [&mut direct, &mut through] {
        assert_eq!(client.ask("GET", "/small.txt", &failing).status, 412);
        assert!(client.answer().is_none(), "the connection stays open");
    }
    for client in [&mut WebClient::over(connect(nginx)), &mut world.web()] {
        let answered = client.get("/closing");
        assert_eq!(
            (answered.text().as_str(), answered.header("connection")),
            ("bye\n", Some("close"))
        );
        assert!(client.answer().is_none(), "the connection stays open");
    }
    let ahead: String = (0..20).map(|_| request("GET", "/small.txt", &[])).collect();
    let mut client = world.web();
    client.send(ahead);
    for _ in 0..20 {
        assert_eq!(client.answer().unwrap().text(), "a small page\n");
    }
    for client in [&mut WebClient::over(connect(nginx)), &mut world.web()] {
        client.send(request("GET", "/gone", &[]));
        assert!(client.answer().is_none(), "nginx goes away without a word");
    }
}

/// What curl does, with the version that it spoke.
const JOB: &str = r#"
ask() { curl -sS --max-time 30 "$@"; }
# What is left are the fields in their order: those of a connection and the time are its own.
lasting() { grep -v -i -e '^date:' -e '^connection:' -e '^transfer-encoding:'; }
for path in small.txt numbers.json missing moved cookies nothing; do
    ask -i --compressed "$BASE/$path" | lasting
done
ask -I "$BASE/big.bin" | lasting
ask "$BASE/big.bin" | cksum
ask -r 5-9 -w '%{http_version} %{http_code}\n' "$BASE/small.txt"
head -c 4000000 /dev/zero > zeros
ask -T zeros -w '%{http_version} %{http_code}\n' "$BASE/up/zeros"
ask "$BASE/up/zeros" | cksum
ask -X DELETE -w '%{http_code}\n' "$BASE/up/zeros"
ask -Z -w '%{http_code}\n' -o /dev/null "$BASE/big.bin" -o /dev/null "$BASE/big.bin" -o /dev/null "$BASE/big.bin"
"#;

#[test]
fn curl_prints_the_same_over_both_versions() {
    let nginx = Nginx::start();
    let world = World::with(WebServer::shared(), |usual| {
        let ca = nginx.authority().write(usual.directory());
        let tls = format!("{{ mode: verify-full, ca: {} }}", ca.display());
        bare(usual).upstream_at(nginx.secure()).upstream_tls(&tls)
    });
    let base = base(true, nginx.secure().port());
    let direct = WebStation::reaching(
        &base,
        std::net::Ipv4Addr::LOCALHOST,
        nginx.authority().certificate_pem(),
    );
    let through = world.station_for(&base);
    for version in ["--http1.1", "--http2"] {
        let job = JOB.replace("curl -sS", &format!("curl -sS {version}"));
        let expected = direct.run("sh", &["-c", &job]).success();
        let said = through.run("sh", &["-c", &job]).success();
        assert!(expected.contains("HTTP/") && expected.contains("a small page"), "{expected}");
        assert_eq!(said, expected, "{version} of {NAME}");
    }
}
