//! Where HTTP/1 requests begin and end, read so strictly that no two readers can disagree.
//!
//! Owns the framing of a client's bytes: heads, bodies by length or in chunks, and what follows an
//! upgrade. Must not know what a request means. It changes nothing: whoever feeds it passes the
//! bytes on once it has found no fault in them. Source: RFC 9112; what that leaves to the
//! recipient's tolerance (bare LF, folded lines, repeated lengths, blanks before a colon) is a fault.
//!
//! ```text
//!  ┌────────▶ Head ── length 0 ─────────────────────────┐
//!  │            ├──── content-length ──▶ Sized ─────────┤
//!  │            ├──── chunked ──▶ Size ─▶ Data ─▶ .. ─▶ Trailers
//!  │            └──── upgrade ──▶ Waiting (for the answer to it)
//!  └────────────────────────────────────────────────────┘
//! ```

mod request_line;

use std::fmt;

pub use request_line::encode as encode_target;

/// Bytes of one head, or of the trailers of one body. Raised, a stranger can make us hold more.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Fields of a head, or of a body's trailers: what the library reads without memory of their own.
pub const FIELDS_MAX: usize = 100;
/// Hexadecimal digits of a chunk's size: what fits 60 bits.
const SIZE_DIGITS_MAX: u32 = 15;

/// What two readers could understand differently, or what nobody should send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A line ends without CR, or CR stands without LF.
    LineEnd,
    /// A line that continues another one.
    Folded,
    /// A request line that is not `METHOD target HTTP/1.1`.
    RequestLine,
    /// A method that nobody can have.
    Method,
    /// A request target that is not a path (or `*` for OPTIONS).
    Target,
    /// A request target in which something stands as it is that addresses have encoded: whoever
    /// has the line may write it so ([`encode_target`]) and go on.
    Unencoded,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version,
    /// A field without a name, or a blank around it.
    FieldName,
    /// A byte that no field can hold.
    FieldValue,
    /// Too many or too long.
    TooLong,
    /// `content-length` that is no number, or given twice.
    ContentLength,
    /// `transfer-encoding` other than `chunked` alone, given twice, or in HTTP/1.0.
    TransferEncoding,
    /// Both lengths at once.
    BothLengths,
    /// No host, or more than one.
    Host,
    /// `expect` other than `100-continue`.
    Expect,
    /// A chunk whose size cannot be read, or that has extensions.
    Chunk,
    /// A trailer that belongs into the head.
    Trailer,
}

impl Fault {
    /// What is wrong, for people.
    #[must_use]
    pub const fn because(self) -> &'static str {
        match self {
            Self::LineEnd => "a line does not end with CR LF",
            Self::Folded => "a header line is folded",
            Self::RequestLine => "the request line is malformed",
            Self::Method => "the method is not one",
            Self::Target => "the request target is not a path",
            Self::Unencoded => "the request target is not encoded",
            Self::Version => "the version is neither HTTP/1.1 nor HTTP/1.0",
            Self::FieldName => "a header's name is malformed",
            Self::FieldValue => "a header's value holds control characters",
            Self::TooLong => "the head is too long",
            Self::ContentLength => "content-length is malformed or repeated",
            Self::TransferEncoding => "transfer-encoding is not chunked alone",
            Self::BothLengths => "content-length and transfer-encoding are both given",
            Self::Host => "there is not exactly one host header",
            Self::Expect => "expect is not 100-continue",
            Self::Chunk => "a chunk's size is malformed or has extensions",
            Self::Trailer => "a trailer holds what belongs into the head",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.because())
    }
}

impl std::error::Error for Fault {}

/// What the lexer is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// A head, or the rest of one: nothing of it may be passed on before it is whole.
    Head,
    /// This many bytes of a body, which nothing can be wrong with.
    Body(u64),
    /// The lines between chunks, or trailers.
    Lines,
    /// The answer to an upgrade: what comes next depends on it.
    Answer,
    /// Anything: the protocol has been switched.
    Anything,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Sized(u64),
    /// In a chunk's size: its digits so far, and their number.
    Size {
        size: u64,
        digits: u32,
        carriage_return: bool,
    },
    Data(u64),
    /// Between a chunk's data and the next size: bytes of CR LF seen.
    DataEnd(u8),
    Trailers,
    Waiting,
    Switched,
}

/// How the body of a request is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Framing {
    #[default]
    None,
    Sized(u64),
    Chunked,
}

/// Reads one client's side of a connection.
#[derive(Debug)]
pub struct RequestLexer {
    state: State,
    /// Where the line begins, in the head or the trailers, that is not whole yet.
    line_start: usize,
}

impl Default for RequestLexer {
    fn default() -> Self {
        Self { state: State::Head, line_start: 0 }
    }
}

impl RequestLexer {
    /// What comes next.
    #[must_use]
    pub const fn expects(&self) -> Expects {
        match self.state {
            State::Head => Expects::Head,
            State::Sized(left) | State::Data(left) => Expects::Body(left),
            State::Size { .. } | State::DataEnd(_) | State::Trailers => Expects::Lines,
            State::Waiting => Expects::Answer,
            State::Switched => Expects::Anything,
        }
    }

    /// The upgrade was answered: from here on anything goes, or another request comes.
    pub fn answered(&mut self, switched: bool) {
        if self.state == State::Waiting {
            self.state = if switched { State::Switched } else { State::Head };
        }
    }

    /// Reads `bytes`, and says how many from their beginning may be passed on: all up to the last
    /// place where nothing is pending. The rest is to be given again, with more behind it.
    ///
    /// # Errors
    /// The first fault, and how many bytes before it may be passed on: none of the request that has
    /// it, unless its head was passed on earlier.
    pub fn read(&mut self, bytes: &[u8]) -> Result<usize, (usize, Fault)> {
        let (mut at, mut begun) = (0, None);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.state == State::Head {
                begun = Some(at);
            }
            let step = match self.state {
                State::Head => self.read_head(rest),
                State::Sized(left) | State::Data(left) => Ok(self.read_body(left, rest.len())),
                State::Size { size, digits, carriage_return } => {
                    self.read_size(rest, size, digits, carriage_return)
                }
                State::DataEnd(seen) => self.read_data_end(rest, seen),
                State::Trailers => self.read_trailers(rest),
                State::Waiting => Ok(0),
                State::Switched => Ok(rest.len()),
            };
            match step {
                Ok(0) => break,
                Ok(step) => at += step,
                Err(fault) => {
                    let Some(begun) = begun else { return Err((at, fault)) };
                    (self.state, self.line_start) = (State::Head, 0);
                    return Err((begun, fault));
                }
            }
        }
        Ok(at)
    }

    fn read_body(&mut self, left: u64, available: usize) -> usize {
        let step = usize::try_from(left).unwrap_or(usize::MAX).min(available);
        let left = left - step as u64;
        self.state = match self.state {
            State::Data(_) if left == 0 => State::DataEnd(0),
            State::Data(_) => State::Data(left),
            _ if left == 0 => State::Head,
            _ => State::Sized(left),
        };
        step
    }

    /// Reads a whole head, or nothing. What was looked at before is not looked at again.
    fn read_head(&mut self, rest: &[u8]) -> Result<usize, Fault> {
        let Some(end) = block_end(rest, &mut self.line_start)? else { return Ok(0) };
        self.line_start = 0;
        let head = rest.get(..end).unwrap_or_default();
        self.state = match Head::read(head)? {
            Head { upgrade: true, framing: Framing::None | Framing::Sized(0), .. } => {
                State::Waiting
            }
            // With a body it would be open where the other protocol begins: it is no upgrade.
            Head { framing: Framing::None | Framing::Sized(0), .. } => State::Head,
            Head { framing: Framing::Sized(length), .. } => State::Sized(length),
            Head { framing: Framing::Chunked, .. } => {
                State::Size { size: 0, digits: 0, carriage_return: false }
            }
        };
        Ok(end)
    }

    fn read_size(
        &mut self,
        rest: &[u8],
        mut size: u64,
        mut digits: u32,
        mut carriage_return: bool,
    ) -> Result<usize, Fault> {
        for (index, byte) in rest.iter().enumerate() {
            match (byte, carriage_return) {
                (b'\n', true) => {
                    self.state = if size == 0 { State::Trailers } else { State::Data(size) };
                    return Ok(index + 1);
                }
                (b'\r', false) if digits > 0 => carriage_return = true,
                (digit, false) => {
                    let value = char::from(*digit).to_digit(16).ok_or(Fault::Chunk)?;
                    digits += 1;
                    if digits > SIZE_DIGITS_MAX {
                        return Err(Fault::Chunk);
                    }
                    size = size << 4 | u64::from(value);
                }
                (_, true) => return Err(Fault::LineEnd),
            }
        }
        self.state = State::Size { size, digits, carriage_return };
        Ok(rest.len())
    }

    fn read_data_end(&mut self, rest: &[u8], seen: u8) -> Result<usize, Fault> {
        let wanted = if seen == 0 { b'\r' } else { b'\n' };
        if rest.first() != Some(&wanted) {
            return Err(Fault::Chunk);
        }
        self.state = if seen == 0 {
            State::DataEnd(1)
        } else {
            State::Size { size: 0, digits: 0, carriage_return: false }
        };
        Ok(1)
    }

    /// Reads all trailers, or nothing.
    fn read_trailers(&mut self, rest: &[u8]) -> Result<usize, Fault> {
        if rest.starts_with(b"\r\n") {
            (self.state, self.line_start) = (State::Head, 0);
            return Ok(2);
        }
        if rest == b"\r" {
            return Ok(0);
        }
        let Some(end) = block_end(rest, &mut self.line_start)? else { return Ok(0) };
        self.line_start = 0;
        for line in lines(rest.get(..end).unwrap_or_default()) {
            let (name, _) = field(line)?;
            if FORBIDDEN_TRAILERS.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden)) {
                return Err(Fault::Trailer);
            }
        }
        self.state = State::Head;
        Ok(end)
    }
}

/// Fields that say how the message is framed, routed or who sends it (RFC 9110 6.5.1).
const FORBIDDEN_TRAILERS: &[&[u8]] = &[
    b"transfer-encoding",
    b"content-length",
    b"content-encoding",
    b"content-type",
    b"host",
    b"authorization",
    b"proxy-authorization",
    b"cookie",
    b"connection",
    b"upgrade",
    b"te",
    b"trailer",
];

/// The end of a block of lines that ends with an empty one. `looked` is where the line begins that
/// was not whole when it was last looked at.
fn block_end(bytes: &[u8], looked: &mut usize) -> Result<Option<usize>, Fault> {
    let mut count = 0;
    loop {
        let rest = bytes.get(*looked..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'\n', rest) else { break };
        let line = rest.get(..length).unwrap_or_default();
        let Some((b'\r', line)) = line.split_last() else { return Err(Fault::LineEnd) };
        if line.contains(&b'\r') {
            return Err(Fault::LineEnd);
        }
        // An empty line before a request is none of its head's (RFC 9112 2.2).
        let leads = line.is_empty() && *looked == 0;
        *looked += length + 1;
        count += 1;
        if line.is_empty() && !leads {
            return if *looked > HEAD_BYTES_MAX { Err(Fault::TooLong) } else { Ok(Some(*looked)) };
        }
        if leads {
            return Ok(Some(*looked));
        }
        // A head's first line is none of its fields.
        if count > FIELDS_MAX + 1 {
            return Err(Fault::TooLong);
        }
    }
    if bytes.len() > HEAD_BYTES_MAX { Err(Fault::TooLong) } else { Ok(None) }
}

/// The lines of a block, without their ends and without the empty one.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
}

/// What a head says about framing.
#[derive(Debug, Default)]
struct Head {
    framing: Framing,
    upgrade: bool,
}

impl Head {
    fn read(head: &[u8]) -> Result<Self, Fault> {
        let mut lines = lines(head);
        let Some(request_line) = lines.next() else { return Ok(Self::default()) };
        let is_old = request_line::read(request_line)?;
        let (mut length, mut chunked, mut hosts) = (None::<u64>, false, 0_u32);
        let (mut upgrade, mut nominated) = (false, false);
        for (count, line) in lines.enumerate() {
            if count >= FIELDS_MAX {
                return Err(Fault::TooLong);
            }
            let (name, value) = field(line)?;
            if name.eq_ignore_ascii_case(b"content-length") {
                if length.replace(read_length(value)?).is_some() {
                    return Err(Fault::ContentLength);
                }
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                if is_old || chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Fault::TransferEncoding);
                }
                chunked = true;
            } else if name.eq_ignore_ascii_case(b"host") {
                hosts += 1;
            } else if name.eq_ignore_ascii_case(b"upgrade") {
                // To HTTP/2 in the clear nobody has to switch, and nobody does.
                upgrade |= !has_token(value, b"h2c");
            } else if name.eq_ignore_ascii_case(b"connection") {
                nominated |= has_token(value, b"upgrade");
            } else if name.eq_ignore_ascii_case(b"expect")
                && !value.eq_ignore_ascii_case(b"100-continue")
            {
                return Err(Fault::Expect);
            }
        }
        if hosts > 1 || (hosts == 0 && !is_old) {
            return Err(Fault::Host);
        }
        let framing = match (length, chunked) {
            (Some(_), true) => return Err(Fault::BothLengths),
            (Some(length), false) => Framing::Sized(length),
            (None, true) => Framing::Chunked,
            (None, false) => Framing::None,
        };
        Ok(Self { framing, upgrade: upgrade && nominated && !is_old })
    }
}

/// Name and value of a field line, blanks around the value left out.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Err(Fault::Folded);
    }
    let colon = memchr::memchr(b':', line).ok_or(Fault::FieldName)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Fault::FieldName)?;
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Fault::FieldName);
    }
    let value = value.get(1..).unwrap_or_default();
    if value.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
        return Err(Fault::FieldValue);
    }
    Ok((name, trim(value)))
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn read_length(value: &[u8]) -> Result<u64, Fault> {
    let text = std::str::from_utf8(value).map_err(|_| Fault::ContentLength)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::ContentLength);
    }
    let length: u64 = text.parse().map_err(|_| Fault::ContentLength)?;
    if length > i64::MAX as u64 { Err(Fault::ContentLength) } else { Ok(length) }
}

/// Whether a comma-separated list has a token.
fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|item| trim(item).eq_ignore_ascii_case(token))
}

/// `tchar` of RFC 9110 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
