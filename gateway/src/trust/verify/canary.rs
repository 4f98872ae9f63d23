//! A server on the loopback address that shows a certificate by the host's authority.
//!
//! Owns its threads, and what it has seen. A client that asks it anything over TLS has trusted it:
//! certificates are verified before the first request. It answers `CONNECT` for any name, so that a
//! client reaches it by every name as through a proxy, and forwards nothing. Ends when dropped.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, Stream};

/// What a request's path begins with; a number follows.
pub(super) const PATH: &str = "/portcullis-verify-";
const SILENCE_MAX: Duration = Duration::from_secs(15);
const HEAD_BYTES_MAX: usize = 16 * 1024;
const CONNECTIONS_MAX: usize = 64;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\
                        Connection: close\r\n\r\nok\n";

/// The server.
#[derive(Debug)]
pub(super) struct Canary {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    config: Arc<ServerConfig>,
    seen: Mutex<BTreeSet<usize>>,
    connections: AtomicUsize,
    ends: AtomicBool,
}

impl Canary {
    pub(super) fn start(config: Arc<ServerConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            config,
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        let accepting = thread::Builder::new()
            .name("canary".into())
            .spawn(move || accept(&listener, &theirs))?;
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a request with this number has come over TLS.
    pub(super) fn has_seen(&self, number: usize) -> bool {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let _refused = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accepting) = self.accepting.take() {
            let _panicked = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ends.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if shared.connections.fetch_add(1, Ordering::AcqRel) < CONNECTIONS_MAX {
            let theirs = Arc::clone(shared);
            let serve = move || {
                let _client_went_away = serve(stream, &theirs);
                theirs.connections.fetch_sub(1, Ordering::AcqRel);
            };
            // Ends by itself: every read has its time.
            if thread::Builder::new().name("canary-client".into()).spawn(serve).is_ok() {
                continue;
            }
        }
        shared.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    let mut first = [0_u8; 1];
    stream.peek(&mut first)?;
    if first == *b"C" {
        head(&mut stream)?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    }
    let mut connection =
        ServerConnection::new(Arc::clone(&shared.config)).map_err(io::Error::other)?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    let head = head(&mut tls)?;
    let text = String::from_utf8_lossy(&head);
    let digits = text
        .split_once(PATH)
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
        shared.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }
    tls.write_all(ANSWER)?;
    connection.send_close_notify();
    connection.write_tls(&mut stream)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // What the client still sends is read, so that no reset overtakes the answer.
    io::copy(&mut stream.take(HEAD_BYTES_MAX as u64), &mut io::sink())?;
    Ok(())
}

/// Reads to the empty line, byte by byte: what follows is another layer's.
fn head(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        if from.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&byte);
    }
    Ok(head)
}
