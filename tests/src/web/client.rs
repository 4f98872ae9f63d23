//! A client of HTTP/1 that sends any bytes and reads answers to their last one.
//!
//! Owns the reading of answers: heads as they are, bodies by every framing, trailers. Must not know
//! whether a gateway is in between.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its fields in order, as they came.
    pub headers: Vec<(String, String)>,
    /// Its body, without its framing.
    pub body: Vec<u8>,
    /// What came behind a body in chunks.
    pub trailers: Vec<(String, String)>,
    /// Whether the body ended as it should.
    pub is_whole: bool,
}

impl Answered {
    /// The first value of a field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        all.next().map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection.
#[derive(Debug)]
pub struct WebClient<S = TcpStream> {
    stream: S,
    held: Vec<u8>,
}

impl WebClient {
    /// Says that nothing more comes.
    pub fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

impl<S: Read + Write> WebClient<S> {
    /// Over an open connection.
    #[must_use]
    pub const fn over(stream: S) -> Self {
        Self { stream, held: Vec::new() }
    }

    /// The connection itself.
    #[must_use]
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Sends bytes; a connection that has ended is seen by the next answer.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Asks for something with a request line and more fields.
    ///
    /// # Panics
    /// Where no answer comes.
    pub fn ask(&mut self, method: &str, target: &str, fields: &[&str]) -> Answered {
        self.send(request(method, target, fields));
        self.answer_to(method).unwrap_or_else(|| panic!("no answer to {method} {target}"))
    }

    /// Gets something.
    ///
    /// # Panics
    /// Where no answer comes.
    pub fn get(&mut self, target: &str) -> Answered {
        self.ask("GET", target, &[])
    }

    /// The next answer; `None` where the connection ended before one began.
    pub fn answer(&mut self) -> Option<Answered> {
        self.answer_to("GET")
    }

    /// The next answer to a request of this method.
    pub fn answer_to(&mut self, method: &str) -> Option<Answered> {
        let mut answered = self.head()?;
        let is_chunked = answered
            .header("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let length = answered.header("content-length").and_then(|length| length.parse().ok());
        let is_empty =
            method == "HEAD" || answered.status < 200 || [204, 304].contains(&answered.status);
        if is_empty {
            answered.is_whole = true;
        } else if is_chunked {
            answered.is_whole = self.chunks(&mut answered).is_some();
        } else if let Some(length) = length {
            answered.is_whole = self.until(length);
            answered.body = self.take(length);
        } else {
            answered.body = self.rest();
            answered.is_whole = true;
        }
        Some(answered)
    }

    /// The head of the next answer.
    ///
    /// # Panics
    /// Where it is none.
    pub fn head(&mut self) -> Option<Answered> {
        let head = self.block()?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        Some(Answered { status, headers: lines.map(field).collect(), ..Answered::default() })
    }

    /// What comes until the connection ends.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.held)
    }

    /// Waits until something has come, and takes nothing of it.
    pub fn begins(&mut self) -> bool {
        !self.held.is_empty() || self.more()
    }

    /// At least one byte of a body, as it came.
    pub fn some(&mut self) -> Vec<u8> {
        if self.held.is_empty() {
            let _ = self.more();
        }
        std::mem::take(&mut self.held)
    }

    fn chunks(&mut self, answered: &mut Answered) -> Option<()> {
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            if size == 0 {
                loop {
                    let line = self.line()?;
                    if line.is_empty() {
                        return Some(());
                    }
                    answered.trailers.push(field(&line));
                }
            }
            let is_whole = self.until(size);
            answered.body.extend(self.take(size));
            if !is_whole {
                return None;
            }
            let _ = self.line()?;
        }
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.held, b"\r\n") {
                let line = self.take(end + 2);
                let line = String::from_utf8_lossy(&line).into_owned();
                return Some(line.trim_end_matches("\r\n").to_owned());
            }
            if !self.more() {
                return None;
            }
        }
    }

    fn block(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.held, b"\r\n\r\n") {
                return Some(self.take(end + 4));
            }
            if !self.more() {
                return None;
            }
        }
    }

    fn until(&mut self, length: usize) -> bool {
        while self.held.len() < length {
            if !self.more() {
                return false;
            }
        }
        true
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.held.split_off(length.min(self.held.len()));
        std::mem::replace(&mut self.held, rest)
    }

    fn more(&mut self) -> bool {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    self.held.extend_from_slice(buffer.get(..read).unwrap_or_default());
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }
}

/// A request without a body, for the usual host.
#[must_use]
pub fn request(method: &str, target: &str, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", super::NAME)
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.to_owned(), value.trim().to_owned())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
