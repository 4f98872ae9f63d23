//! A client of MySQL's protocol that does what a test says, byte for byte.
//!
//! Owns a blocking connection. Must not know the gateway. Everything that was received is kept as
//! messages, so that a test can look at what no client library shows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use wire::mysql::answer::{EofPacket, ErrPacket};
use wire::mysql::auth::NATIVE;
use wire::mysql::command::{code, put_command};
use wire::mysql::frame::{Framer, Step};
use wire::mysql::handshake::{Greeting, ResponseHead, put_response};
use wire::mysql::row::text_values;
use wire::mysql::{Capabilities, put_payload};

/// How long a test waits for a byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
#[derive(Debug)]
pub struct MysqlClient {
    stream: TcpStream,
    framer: Framer,
    /// A message that was looked at and is still to be taken.
    seen: Option<(u8, Vec<u8>)>,
    /// The number of the connection that the server greeted with.
    pub connection: u32,
}

/// An answer: of each result its rows as text, or what was said in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Rows of all results.
    pub rows: Vec<Vec<String>>,
    /// Number and text of an error.
    pub error: Option<(u16, String)>,
    /// How many results there were.
    pub results: usize,
}

impl MysqlClient {
    /// Logs in over a connection.
    ///
    /// # Errors
    /// What the server says against it, or that it closes.
    pub fn login(stream: TcpStream, database: &str) -> Result<Self, String> {
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.set_nodelay(true);
        let mut client =
            Self { stream, framer: Framer::new(1024, 1 << 20), seen: None, connection: 0 };
        let (_, payload) = client.receive()?;
        let greeting = match Greeting::read(&payload) {
            Ok(greeting) => greeting,
            Err(_) => return Err(error_of(&payload).map_or_else(String::new, |(_, text)| text)),
        };
        client.connection = greeting.connection;
        let head = ResponseHead {
            capabilities: Capabilities::OFFERED & greeting.capabilities,
            packet_bytes_max: 1 << 24,
            collation: 45,
        };
        let (mut response, mut out) = (Vec::new(), Vec::new());
        let none = std::iter::empty();
        put_response(
            &mut response,
            &head,
            b"workload",
            &[7; 20],
            Some(database.as_bytes()),
            NATIVE,
            none,
        );
        put_payload(&mut out, &mut 1, &response);
        client.send(&out);
        let (_, payload) = client.receive()?;
        match error_of(&payload) {
            Some((code, text)) => Err(format!("{code}: {text}")),
            None => Ok(client),
        }
    }

    /// Sends bytes; a peer that has hung up is seen by the next answer.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a text.
    pub fn begin(&mut self, text: &str) {
        self.send(&query(text));
    }

    /// Runs a text.
    ///
    /// # Panics
    /// Where the connection ends instead.
    pub fn query(&mut self, text: &str) -> Results {
        self.begin(text);
        self.results().expect("an answer")
    }

    /// The next message: the number of its first packet, and its payload.
    ///
    /// # Errors
    /// Where the connection ends.
    pub fn receive(&mut self) -> Result<(u8, Vec<u8>), String> {
        if let Some(seen) = self.seen.take() {
            return Ok(seen);
        }
        loop {
            match self.framer.step(usize::MAX).map_err(|violation| violation.to_string())? {
                Step::Message { range, sequence, .. } => {
                    let payload = self.framer.bytes(range).to_vec();
                    self.framer.consume();
                    return Ok((sequence, payload));
                }
                Step::NeedMore { missing } => {
                    let count = self
                        .stream
                        .read(self.framer.space(missing))
                        .map_err(|error| error.to_string())?;
                    if count == 0 {
                        return Err("the connection has ended".into());
                    }
                    self.framer.filled(count);
                }
                Step::Large { .. } | Step::Chunk { .. } => return Err("a long message".into()),
            }
        }
    }

    /// Waits until something of the answer is there.
    ///
    /// # Errors
    /// Where the connection ends.
    pub fn wait(&mut self) -> Result<(), String> {
        let seen = self.receive()?;
        self.seen = Some(seen);
        Ok(())
    }

    /// Takes in one whole answer to a text.
    ///
    /// # Errors
    /// Where the connection ends before it does.
    pub fn results(&mut self) -> Result<Results, String> {
        let mut all = Results::default();
        loop {
            let (_, first) = self.receive()?;
            all.results += 1;
            if first.first() == Some(&0xff) {
                all.error = error_of(&first);
                return Ok(all);
            }
            let status = if first.first() == Some(&0) {
                wire::mysql::answer::OkPacket::read(&first, Capabilities::OFFERED)
                    .map_err(|violation| violation.to_string())?
                    .status
            } else {
                self.until_eof()?;
                match self.rows(&mut all)? {
                    Some(end) => end.status,
                    None => return Ok(all),
                }
            };
            if status & wire::mysql::status::MORE_RESULTS == 0 {
                return Ok(all);
            }
        }
    }

    fn until_eof(&mut self) -> Result<(), String> {
        while !EofPacket::is(&self.receive()?.1) {}
        Ok(())
    }

    /// Takes in rows of texts to their end; nothing where they end by an error.
    fn rows(&mut self, all: &mut Results) -> Result<Option<EofPacket>, String> {
        loop {
            let (_, payload) = self.receive()?;
            if EofPacket::is(&payload) {
                let end = EofPacket::read(&payload).map_err(|violation| violation.to_string())?;
                return Ok(Some(end));
            }
            if payload.first() == Some(&0xff) {
                all.error = error_of(&payload);
                return Ok(None);
            }
            let text = |value: Option<&[u8]>| {
                value.map_or_else(|| "NULL".into(), |value| String::from_utf8_lossy(value).into())
            };
            let row: Result<Vec<String>, _> =
                text_values(&payload).map(|value| value.map(text)).collect();
            all.rows.push(row.map_err(|violation| violation.to_string())?);
        }
    }

    /// Takes in what comes until the connection ends, as text.
    pub fn until_end(&mut self) -> String {
        let mut all = String::new();
        while let Ok((_, payload)) = self.receive() {
            match error_of(&payload) {
                Some((code, text)) => all.push_str(&format!("{code}: {text}\n")),
                None => all.push_str(&String::from_utf8_lossy(&payload)),
            }
        }
        all
    }
}

/// The packet of a text.
#[must_use]
pub fn query(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_command(&mut out, code::QUERY, text.as_bytes());
    out
}

/// Number and text of an error.
#[must_use]
pub fn error_of(payload: &[u8]) -> Option<(u16, String)> {
    let error = ErrPacket::read(payload).ok()?;
    Some((error.code, String::from_utf8_lossy(error.message).into_owned()))
}
