//! What the sending end of scp's old protocol says: records, and the content of files.
//!
//! Owns the format. Must not know which end sends, nor what a name leads to. Bytes in, events out;
//! a record is bounded, and nothing is held of the content. The receiving end only acknowledges,
//! and is not read.
//!
//! ```text
//!  "T" times "\n"                       for what follows (-p)
//!  "C" mode " " size " " name "\n"      then size bytes, then 0, or 1 or 2 and a message
//!  "D" mode " 0 " name "\n" ... "E\n"   a directory, left again
//!  1 | 2 message "\n"                   an error, fatal if 2
//! ```
//!
//! Format: OpenSSH's `scp.c` (`source`, `rsource`, `sink`); there is no other description.

use super::sftp::Violation;

/// Bytes of the longest record: a path of Linux and the numbers before it.
const RECORD_BYTES_MAX: usize = 4_096 + 64;

/// One thing that the sending end says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A file begins.
    File {
        /// Its name: one component.
        name: Vec<u8>,
        /// Its size in bytes.
        size: u64,
    },
    /// Content of the file that has begun.
    Content(&'a [u8]),
    /// The file is at its end. False where the sender could not read all of it.
    FileEnd(bool),
    /// A directory begins.
    Directory {
        /// Its name: one component.
        name: Vec<u8>,
    },
    /// The directory is left.
    Leave,
    /// Times of what follows.
    Times,
    /// Something could not be sent.
    Error(Vec<u8>),
}

#[derive(Debug)]
enum State {
    /// A record, as far as it has come.
    Record,
    /// So much content is to come.
    Content(u64),
    /// The byte after the content.
    End,
    /// The message after that byte.
    EndMessage,
}

/// Reads what one sending end says.
#[derive(Debug)]
pub struct Source {
    state: State,
    record: Vec<u8>,
    depth: usize,
}

impl Default for Source {
    fn default() -> Self {
        Self { state: State::Record, record: Vec::new(), depth: 0 }
    }
}

impl Source {
    /// Takes from the front of `bytes` up to the next event; `None` where all is taken.
    ///
    /// # Errors
    /// Where it is no record, or one whose name leads elsewhere.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Event<'a>>, Violation> {
        loop {
            match self.state {
                State::Content(0) => self.state = State::End,
                State::Content(left) if !bytes.is_empty() => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (content, rest) = bytes.split_at_checked(count).unwrap_or_default();
                    *bytes = rest;
                    self.state = State::Content(left.saturating_sub(content.len() as u64));
                    return Ok(Some(Event::Content(content)));
                }
                State::End => {
                    let Some((end, rest)) = bytes.split_first() else { return Ok(None) };
                    *bytes = rest;
                    match end {
                        0 => {
                            self.state = State::Record;
                            return Ok(Some(Event::FileEnd(true)));
                        }
                        1 | 2 => self.state = State::EndMessage,
                        _ => return Err(Violation::Value { field: "end of the file" }),
                    }
                }
                State::EndMessage => {
                    if self.line(bytes)?.is_none() {
                        return Ok(None);
                    }
                    self.state = State::Record;
                    return Ok(Some(Event::FileEnd(false)));
                }
                State::Record => {
                    let Some(line) = self.line(bytes)? else { return Ok(None) };
                    return self.record(&line).map(Some);
                }
                State::Content(_) => return Ok(None),
            }
        }
    }

    /// Whether a file has begun and is not at its end.
    #[must_use]
    pub const fn is_in_file(&self) -> bool {
        !matches!(self.state, State::Record)
    }

    /// The next line, without its end.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, Violation> {
        let end = memchr::memchr(b'\n', bytes);
        let count = end.map_or(bytes.len(), |at| at + 1);
        let (taken, rest) = bytes.split_at_checked(count).unwrap_or_default();
        *bytes = rest;
        let length = self.record.len() + taken.len();
        if length > RECORD_BYTES_MAX {
            return Err(Violation::Length { length, limit: RECORD_BYTES_MAX });
        }
        self.record.extend_from_slice(taken);
        if end.is_none() {
            return Ok(None);
        }
        self.record.pop();
        Ok(Some(std::mem::take(&mut self.record)))
    }

    fn record<'a>(&mut self, line: &[u8]) -> Result<Event<'a>, Violation> {
        let unknown = Violation::Value { field: "record" };
        let (kind, rest) = line.split_first().ok_or(unknown)?;
        match kind {
            b'C' => {
                let (size, name) = fields(rest)?;
                self.state = State::Content(size);
                Ok(Event::File { name, size })
            }
            b'D' => {
                let (_, name) = fields(rest)?;
                self.depth += 1;
                Ok(Event::Directory { name })
            }
            b'E' if rest.is_empty() => {
                self.depth = self.depth.checked_sub(1).ok_or(unknown)?;
                Ok(Event::Leave)
            }
            b'T' => Ok(Event::Times),
            1 | 2 => Ok(Event::Error(rest.to_vec())),
            _ => Err(unknown),
        }
    }
}

/// `0644 5 name`: the size, and the name.
fn fields(record: &[u8]) -> Result<(u64, Vec<u8>), Violation> {
    let mut fields = record.splitn(3, |byte| *byte == b' ');
    let mode = fields.next().unwrap_or_default();
    // Four digits, but for senders that give the file's type too.
    if !(3..=7).contains(&mode.len()) || !mode.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return Err(Violation::Value { field: "mode" });
    }
    let size = str::from_utf8(fields.next().unwrap_or_default()).unwrap_or_default();
    let digits = !size.is_empty() && size.bytes().all(|digit| digit.is_ascii_digit());
    let size = size.parse().ok().filter(|_| digits).ok_or(Violation::Value { field: "size" })?;
    let name = fields.next().unwrap_or_default();
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || name.contains(&0) {
        return Err(Violation::Value { field: "name" });
    }
    Ok((size, name.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TREE: &[u8] =
        b"T1 0 1 0\nD0755 0 d\nC0644 3 a b\nabc\0C0600 0 empty\n\0C0644 2 x\nhi\x01x: \
        read error\nE\n\x01scp: y: No such file\nC0644 1 last\nz\0";

    fn told(pieces: impl Iterator<Item = Vec<u8>>) -> Result<Vec<String>, Violation> {
        let mut source = Source::default();
        let mut told: Vec<String> = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for piece in pieces {
            let mut rest = &piece[..];
            while let Some(event) = source.next(&mut rest)? {
                match event {
                    Event::File { name, size } => {
                        told.push(format!("file {} {size}:", text(&name)))
                    }
                    Event::Content(content) => told.last_mut().unwrap().push_str(&text(content)),
                    Event::FileEnd(whole) => told.push(format!("end {whole}")),
                    Event::Directory { name } => told.push(format!("in {}", text(&name))),
                    Event::Leave => told.push("out".into()),
                    Event::Times => told.push("times".into()),
                    Event::Error(message) => told.push(format!("error {}", text(&message))),
                }
            }
            assert!(rest.is_empty());
        }
        Ok(told)
    }

    fn one(bytes: &[u8]) -> Result<Vec<String>, Violation> {
        told(std::iter::once(bytes.to_vec()))
    }

    #[test]
    fn a_tree_is_read_in_pieces_of_any_length() {
        let expected = [
            "times",
            "in d",
            "file a b 3:abc",
            "end true",
            "file empty 0:",
            "end true",
            "file x 2:hi",
            "end false",
            "out",
            "error scp: y: No such file",
            "file last 1:z",
            "end true",
        ];
        for length in 1..TREE.len() {
            let pieces = TREE.chunks(length).map(<[u8]>::to_vec);
            assert_eq!(told(pieces).unwrap(), expected, "in pieces of {length}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_and_what_is_no_record_are_refused() {
        for bytes in [
            &b"C0644 3 ../x\n"[..],
            b"C0644 3 /etc/x\n",
            b"C0644 3 ..\n",
            b"C0644 3 .\n",
            b"C0644 3 \n",
            b"C0644 3\n",
            b"D0755 0 ..\n",
            b"D0755 0 a/b\n",
            b"E\n",
            b"C0644 -3 x\n",
            b"C0644 +3 x\n",
            b"C0644 99999999999999999999 x\n",
            b"C9999 3 x\n",
            b"Cx\n",
            b"\n",
            b"hello\n",
            b"\0\n",
            b"C0644 1 x\nab",
            b"C0644 3 a\0b\n",
        ] {
            assert!(one(bytes).is_err(), "{bytes:?}");
        }
        assert!(one(&vec![b'C'; 5_000]).is_err());
    }

    proptest! {
        #[test]
        fn random_bytes_end_nothing(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut source = Source::default();
            let mut rest = &bytes[..];
            while let Ok(Some(_)) = source.next(&mut rest) {}
        }

        #[test]
        fn random_records_end_nothing(text in "[CDETced0-7 \\n\\x00\\x01a/.]{0,60}") {
            let mut source = Source::default();
            let mut rest = text.as_bytes();
            while let Ok(Some(_)) = source.next(&mut rest) {}
        }
    }
}
