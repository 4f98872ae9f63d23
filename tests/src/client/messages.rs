//! Messages of the PostgreSQL protocol: writing a frontend's, reading a backend's.
//!
//! Owns the layouts (PostgreSQL documentation, "Message Formats"). Written apart from the
//! gateway's own codec, so that one cannot hide the other's mistake.

use std::fmt;

/// A message that the server sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub tag: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.escape_ascii().to_string();
        write!(f, "{}({body})", char::from(self.tag))
    }
}

/// The fields of an error or notice.
#[derive(Clone, PartialEq, Eq)]
pub struct Fields(pub Vec<(u8, String)>);

impl Fields {
    /// One field by its type (`C`: SQLSTATE, `M`: message, `D`: detail, `H`: hint).
    #[must_use]
    pub fn get(&self, kind: u8) -> &str {
        self.0.iter().find(|(one, _)| *one == kind).map_or("", |(_, text)| text)
    }

    /// The SQLSTATE.
    #[must_use]
    pub fn code(&self) -> &str {
        self.get(b'C')
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(k, v)| (char::from(*k), v))).finish()
    }
}

impl Message {
    /// The kind and data of an authentication request.
    #[must_use]
    pub fn authentication(&self) -> Option<(u32, &[u8])> {
        let (kind, data) = self.body.split_first_chunk::<4>()?;
        (self.tag == b'R').then(|| (u32::from_be_bytes(*kind), data))
    }

    /// Name and value of a parameter status.
    #[must_use]
    pub fn parameter(&self) -> Option<(String, String)> {
        let mut texts = self.body.split(|byte| *byte == 0).map(text);
        Some((texts.next()?, texts.next()?))
    }

    /// The fields of an error or notice.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let fields = self.body.split(|byte| *byte == 0).filter_map(|field| {
            let (kind, rest) = field.split_first()?;
            Some((*kind, text(rest)))
        });
        Fields(fields.collect())
    }

    /// The values of a data row; `None` is NULL.
    ///
    /// # Panics
    /// Where it is not a whole data row.
    #[must_use]
    pub fn values(&self) -> Vec<Option<Vec<u8>>> {
        assert_eq!(self.tag, b'D', "not a data row: {self:?}");
        let (count, mut rest) = self.body.split_first_chunk::<2>().expect("a count");
        let mut values = Vec::new();
        for _ in 0..u16::from_be_bytes(*count) {
            let (length, after) = rest.split_first_chunk::<4>().expect("a length");
            let length = i32::from_be_bytes(*length);
            let Ok(length) = usize::try_from(length) else {
                values.push(None);
                rest = after;
                continue;
            };
            let (value, after) = after.split_at(length);
            values.push(Some(value.to_vec()));
            rest = after;
        }
        assert!(rest.is_empty(), "bytes after the last value: {self:?}");
        values
    }

    /// The values of a data row as text, `NULL` for NULL.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let values = self.values().into_iter();
        values.map(|value| value.map_or_else(|| "NULL".to_owned(), |value| text(&value))).collect()
    }
}

/// The types of messages, as one word: `TDDCZ`.
#[must_use]
pub fn tags(messages: &[Message]) -> String {
    messages.iter().map(|message| char::from(message.tag)).collect()
}

/// The rows of an answer, as text.
#[must_use]
pub fn rows(messages: &[Message]) -> Vec<Vec<String>> {
    messages.iter().filter(|message| message.tag == b'D').map(Message::texts).collect()
}

/// The first error of an answer.
#[must_use]
pub fn error(messages: &[Message]) -> Option<Fields> {
    messages.iter().find(|message| message.tag == b'E').map(Message::fields)
}

/// The transaction state of the last message: `I`, `T` or `E`.
#[must_use]
pub fn transaction_state(messages: &[Message]) -> Option<char> {
    let last = messages.last().filter(|message| message.tag == b'Z')?;
    last.body.first().copied().map(char::from)
}

/// A message of this type.
#[must_use]
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend(length(body.len() + 4));
    bytes.extend(body);
    bytes
}

/// A startup packet of protocol 3.0.
#[must_use]
pub fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    startup_of(3 << 16, parameters)
}

/// A startup packet of this protocol number.
#[must_use]
pub fn startup_of(version: u32, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(zero_ended(name));
        body.extend(zero_ended(value));
    }
    body.push(0);
    untagged(&body)
}

/// Asks whether the server wants TLS.
#[must_use]
pub fn ssl_request() -> Vec<u8> {
    untagged(&80_877_103_u32.to_be_bytes())
}

/// Asks whether the server wants GSSAPI encryption.
#[must_use]
pub fn gss_request() -> Vec<u8> {
    untagged(&80_877_104_u32.to_be_bytes())
}

/// Asks to cancel what a session with this key is doing.
#[must_use]
pub fn cancel_request(key: &[u8]) -> Vec<u8> {
    untagged(&[&80_877_102_u32.to_be_bytes(), key].concat())
}

/// A password, or its MD5 hash.
#[must_use]
pub fn password(text: &str) -> Vec<u8> {
    message(b'p', &zero_ended(text))
}

/// The first message of a SASL exchange.
#[must_use]
pub fn sasl_initial(mechanism: &str, data: &[u8]) -> Vec<u8> {
    message(b'p', &[zero_ended(mechanism), length(data.len()).to_vec(), data.to_vec()].concat())
}

/// A simple query.
#[must_use]
pub fn query(text: &str) -> Vec<u8> {
    message(b'Q', &zero_ended(text))
}

/// Prepares a statement; parameter types by OID.
#[must_use]
pub fn parse(name: &str, text: &str, types: &[u32]) -> Vec<u8> {
    let mut body = [zero_ended(name), zero_ended(text)].concat();
    body.extend(count(types.len()));
    body.extend(types.iter().flat_map(|oid| oid.to_be_bytes()));
    message(b'P', &body)
}

/// Binds text parameters to a statement; result formats are 0 (text) or 1 (binary).
#[must_use]
pub fn bind(portal: &str, statement: &str, values: &[Option<&str>], formats: &[i16]) -> Vec<u8> {
    let mut body = [zero_ended(portal), zero_ended(statement)].concat();
    body.extend(count(0));
    body.extend(count(values.len()));
    for value in values {
        match value {
            Some(value) => {
                body.extend(length(value.len()));
                body.extend(value.as_bytes());
            }
            None => body.extend((-1_i32).to_be_bytes()),
        }
    }
    body.extend(count(formats.len()));
    body.extend(formats.iter().flat_map(|format| format.to_be_bytes()));
    message(b'B', &body)
}

/// Describes a portal.
#[must_use]
pub fn describe_portal(name: &str) -> Vec<u8> {
    message(b'D', &[b"P".to_vec(), zero_ended(name)].concat())
}

/// Describes a statement.
#[must_use]
pub fn describe_statement(name: &str) -> Vec<u8> {
    message(b'D', &[b"S".to_vec(), zero_ended(name)].concat())
}

/// Runs a portal for so many rows; 0 is all.
#[must_use]
pub fn execute(portal: &str, rows: u32) -> Vec<u8> {
    message(b'E', &[zero_ended(portal), rows.to_be_bytes().to_vec()].concat())
}

/// Closes a statement.
#[must_use]
pub fn close_statement(name: &str) -> Vec<u8> {
    message(b'C', &[b"S".to_vec(), zero_ended(name)].concat())
}

/// Ends a batch.
#[must_use]
pub fn sync() -> Vec<u8> {
    message(b'S', &[])
}

/// Asks for what has been answered so far.
#[must_use]
pub fn flush() -> Vec<u8> {
    message(b'H', &[])
}

/// Says goodbye.
#[must_use]
pub fn terminate() -> Vec<u8> {
    message(b'X', &[])
}

fn untagged(body: &[u8]) -> Vec<u8> {
    [length(body.len() + 4).to_vec(), body.to_vec()].concat()
}

fn zero_ended(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a message that fits").to_be_bytes()
}

fn count(of: usize) -> [u8; 2] {
    u16::try_from(of).expect("a count that fits").to_be_bytes()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
