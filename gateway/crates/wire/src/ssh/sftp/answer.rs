//! What servers answer.
//!
//! Owns the answers and their fields. Must not know what was asked. Everything borrows the packet.

use bytes::{BufMut, Bytes, BytesMut};

use super::attributes::Attributes;
use super::extended::EXTENSIONS;
use super::frame::Content;
use super::read::Reader;
use super::write::{packet, string};
use super::{VERSION, Violation, kind};

/// The codes of a status (draft 7). Servers send others too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum StatusCode {
    /// It was done.
    Ok = 0,
    /// There is no more.
    Eof = 1,
    /// No such file.
    NoSuchFile = 2,
    /// It is not allowed.
    PermissionDenied = 3,
    /// It failed.
    Failure = 4,
    /// The packet was broken.
    BadMessage = 5,
    /// The server has no such request.
    OpUnsupported = 8,
}

/// A status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// The code.
    pub code: u32,
    /// Words for people; empty from servers of old.
    pub message: &'a [u8],
}

/// One name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name, or a path.
    pub name: &'a [u8],
    /// A line as `ls -l` prints it.
    pub long: &'a [u8],
    /// The file's attributes.
    pub attributes: Attributes<'a>,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// How it went.
    Status(Status<'a>),
    /// What was opened.
    Handle(&'a [u8]),
    /// Content.
    Data(Content<'a>),
    /// Names. The first of them; all have been checked.
    Names {
        /// How many.
        count: u32,
        /// The first, where there is one.
        first: Option<Entry<'a>>,
    },
    /// Attributes.
    Attributes(Attributes<'a>),
    /// An extension's own answer.
    Extended(&'a [u8]),
}

impl<'a> Answer<'a> {
    /// Reads a packet: the id it answers, and the answer.
    ///
    /// # Errors
    /// Where it is no whole answer of version 3.
    pub fn read(packet: &'a [u8]) -> Result<(u32, Self), Violation> {
        Self::read_pieces(packet, &[])
    }

    pub(super) fn read_pieces(
        first: &'a [u8],
        rest: &'a [BytesMut],
    ) -> Result<(u32, Self), Violation> {
        let mut reader = Reader::of_pieces(first, rest);
        let kind = reader.u8("type")?;
        if !matches!(kind, kind::STATUS..=kind::ATTRS | kind::EXTENDED_REPLY) {
            return Err(Violation::Type(kind));
        }
        let id = reader.u32("id")?;
        let answer = match kind {
            kind::STATUS => {
                let code = reader.u32("status code")?;
                let mut message = &[][..];
                if !reader.is_empty() {
                    message = reader.string("error message")?;
                    reader.string("language tag")?;
                }
                Self::Status(Status { code, message })
            }
            kind::HANDLE => Self::Handle(reader.handle()?),
            kind::DATA => Self::Data(reader.content("data")?),
            kind::NAME => Self::read_names(&mut reader)?,
            kind::ATTRS => Self::Attributes(Attributes::read(&mut reader)?),
            _ => {
                let body = reader.rest();
                reader = Reader::new(&[]);
                Self::Extended(body)
            }
        };
        reader.end()?;
        Ok((id, answer))
    }

    fn read_names(reader: &mut Reader<'a>) -> Result<Self, Violation> {
        let count = reader.u32("name count")?;
        let mut first = None;
        // Each name takes twelve bytes at least: the packet bounds the count.
        for _ in 0..count {
            let entry = Entry {
                name: reader.string("name")?,
                long: reader.string("long name")?,
                attributes: Attributes::read(reader)?,
            };
            first.get_or_insert(entry);
        }
        Ok(Self::Names { count, first })
    }
}

/// Writes a status.
#[must_use]
pub fn write_status(id: u32, code: StatusCode, message: &str) -> Bytes {
    write_status_code(id, code as u32, message)
}

/// Writes a status of any code: one that a server sent.
#[must_use]
pub fn write_status_code(id: u32, code: u32, message: &str) -> Bytes {
    packet(kind::STATUS, |out| {
        out.put_u32(id);
        out.put_u32(code);
        string(out, message.as_bytes());
        string(out, b"en");
    })
}

/// Writes one name without attributes: what servers answer to questions for a path.
#[must_use]
pub fn write_name(id: u32, name: &[u8]) -> Bytes {
    packet(kind::NAME, |out| {
        out.put_u32(id);
        out.put_u32(1);
        string(out, name);
        string(out, name);
        out.put_slice(Attributes::NONE.raw());
    })
}

/// Writes the answer of `limits@openssh.com`: the longest packet, read and write, and how many
/// handles; 0 for no limit.
#[must_use]
pub fn write_limits(id: u32, limits: [u64; 4]) -> Bytes {
    packet(kind::EXTENDED_REPLY, |out| {
        out.put_u32(id);
        limits.iter().for_each(|limit| out.put_u64(*limit));
    })
}

/// Reads the fields of that answer.
#[must_use]
pub fn read_limits(fields: &[u8]) -> Option<[u64; 4]> {
    let mut reader = Reader::new(fields);
    let mut limits = [0; 4];
    for limit in &mut limits {
        *limit = reader.u64("limit").ok()?;
    }
    Some(limits)
}

/// The first packet of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version it speaks.
    pub version: u32,
    /// Which of [`EXTENSIONS`] it has, with their versions.
    pub extensions: Vec<(&'static str, Vec<u8>)>,
}

impl Version {
    /// Reads a packet. Extensions that are not known are left out.
    ///
    /// # Errors
    /// Where it is another packet, or broken.
    pub fn read(packet: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8("type")?;
        if kind != kind::VERSION {
            return Err(Violation::Type(kind));
        }
        let version = reader.u32("version")?;
        let mut extensions = Vec::new();
        while !reader.is_empty() {
            let name = reader.string("extension name")?;
            let data = reader.string("extension data")?;
            let known = EXTENSIONS.iter().find(|known| known.as_bytes() == name);
            if let Some(known) = known
                && !extensions.iter().any(|(name, _)| name == known)
            {
                extensions.push((*known, data.to_vec()));
            }
        }
        Ok(Self { version, extensions })
    }

    /// Writes a packet, its length first.
    #[must_use]
    pub fn write(&self) -> Bytes {
        packet(kind::VERSION, |out| {
            out.put_u32(self.version.min(VERSION));
            for (name, data) in &self.extensions {
                string(out, name.as_bytes());
                string(out, data);
            }
        })
    }
}
