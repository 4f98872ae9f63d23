//! What clients ask.
//!
//! Owns the requests and their fields. Must not know what they need. Everything borrows the packet.

use bytes::{BufMut, Bytes, BytesMut};

use super::attributes::Attributes;
use super::extended::Extension;
use super::frame::Content;
use super::read::Reader;
use super::write::{packet, string};
use super::{VERSION, Violation, kind};

/// How a file is to be opened (draft 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFlags(u32);

impl OpenFlags {
    const READ: u32 = 0x1;
    const WRITE: u32 = 0x2;
    const APPEND: u32 = 0x4;
    const CREATE: u32 = 0x8;
    const TRUNCATE: u32 = 0x10;
    const EXCLUSIVE: u32 = 0x20;
    const ALL: u32 = 0x3f;

    /// From the field of a packet.
    ///
    /// # Errors
    /// Where a flag is set that version 3 does not have.
    pub const fn from_bits(bits: u32) -> Result<Self, Violation> {
        if bits & !Self::ALL == 0 {
            Ok(Self(bits))
        } else {
            Err(Violation::Value { field: "open flags" })
        }
    }

    /// The field of a packet.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether content is read. Servers open a file for reading where nothing is said.
    #[must_use]
    pub const fn reads(self) -> bool {
        self.0 & Self::READ != 0 || !self.writes()
    }

    /// Whether content is written, or a file made.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.0 & (Self::WRITE | Self::APPEND | Self::CREATE | Self::TRUNCATE) != 0
    }

    /// Whether writes go to the end, whatever their offset.
    #[must_use]
    pub const fn appends(self) -> bool {
        self.0 & Self::APPEND != 0
    }

    /// Whether the file must not exist yet; links are not followed then.
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        self.0 & (Self::EXCLUSIVE | Self::CREATE) == Self::EXCLUSIVE | Self::CREATE
    }
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The number that the answer repeats.
    pub id: u32,
    /// What is asked.
    pub body: Body<'a>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what their names say, as the draft has them")]
pub enum Body<'a> {
    /// Open a file.
    Open { path: &'a [u8], flags: OpenFlags, attributes: Attributes<'a> },
    /// Close a handle.
    Close { handle: &'a [u8] },
    /// Read content.
    Read { handle: &'a [u8], offset: u64, length: u32 },
    /// Write content.
    Write { handle: &'a [u8], offset: u64, data: Content<'a> },
    /// Attributes, of a link itself.
    Lstat { path: &'a [u8] },
    /// Attributes of an open file.
    Fstat { handle: &'a [u8] },
    /// Set attributes.
    SetStat { path: &'a [u8], attributes: Attributes<'a> },
    /// Set attributes of an open file.
    FsetStat { handle: &'a [u8], attributes: Attributes<'a> },
    /// Open a directory.
    OpenDir { path: &'a [u8] },
    /// The next names of a directory.
    ReadDir { handle: &'a [u8] },
    /// Remove a file.
    Remove { path: &'a [u8] },
    /// Make a directory.
    MkDir { path: &'a [u8], attributes: Attributes<'a> },
    /// Remove a directory.
    RmDir { path: &'a [u8] },
    /// The path as the server sees it.
    RealPath { path: &'a [u8] },
    /// Attributes.
    Stat { path: &'a [u8] },
    /// Give another name.
    Rename { from: &'a [u8], to: &'a [u8] },
    /// What a link says.
    ReadLink { path: &'a [u8] },
    /// Make a symbolic link. The order on the wire is OpenSSH's, target first: the draft has it the
    /// other way round, and nearly everybody follows OpenSSH.
    SymLink { target: &'a [u8], link: &'a [u8] },
    /// One of the extensions.
    Extended(Extension<'a>),
}

/// Reads the first packet of a client: the version it speaks. What extensions it names is of no
/// consequence.
///
/// # Errors
/// Where it is another packet.
pub fn read_init(packet: &[u8]) -> Result<u32, Violation> {
    let mut reader = Reader::new(packet);
    match reader.u8("type")? {
        kind::INIT => reader.u32("version"),
        other => Err(Violation::Type(other)),
    }
}

/// Writes the first packet of a client.
#[must_use]
pub fn write_init() -> Bytes {
    packet(kind::INIT, |out| out.put_u32(VERSION))
}

/// The id of a request that may be broken otherwise, for an answer that says so.
#[must_use]
pub fn id_of(packet: &[u8]) -> Option<u32> {
    packet.get(1..)?.first_chunk().map(|id| u32::from_be_bytes(*id))
}

impl<'a> Request<'a> {
    /// Reads a packet.
    ///
    /// # Errors
    /// Where it is no whole request of version 3.
    pub fn read(packet: &'a [u8]) -> Result<Self, Violation> {
        Self::read_pieces(packet, &[])
    }

    pub(super) fn read_pieces(first: &'a [u8], rest: &'a [BytesMut]) -> Result<Self, Violation> {
        let mut reader = Reader::of_pieces(first, rest);
        let kind = reader.u8("type")?;
        if !matches!(kind, kind::OPEN..=kind::SYMLINK | kind::EXTENDED) {
            return Err(Violation::Type(kind));
        }
        let id = reader.u32("id")?;
        let body = Body::read(kind, &mut reader)?;
        reader.end()?;
        Ok(Self { id, body })
    }

    /// Writes a packet, its length first.
    #[must_use]
    pub fn write(&self) -> Bytes {
        packet(self.body.kind(), |out| {
            out.put_u32(self.id);
            self.body.write(out);
        })
    }
}

impl<'a> Body<'a> {
    fn read(kind: u8, reader: &mut Reader<'a>) -> Result<Self, Violation> {
        Ok(match kind {
            kind::OPEN => Self::Open {
                path: reader.path()?,
                flags: OpenFlags::from_bits(reader.u32("open flags")?)?,
                attributes: Attributes::read(reader)?,
            },
            kind::CLOSE => Self::Close { handle: reader.handle()? },
            kind::READ => Self::Read {
                handle: reader.handle()?,
                offset: reader.u64("offset")?,
                length: reader.u32("length")?,
            },
            kind::WRITE => Self::Write {
                handle: reader.handle()?,
                offset: reader.u64("offset")?,
                data: reader.content("data")?,
            },
            kind::LSTAT => Self::Lstat { path: reader.path()? },
            kind::FSTAT => Self::Fstat { handle: reader.handle()? },
            kind::SETSTAT => {
                Self::SetStat { path: reader.path()?, attributes: Attributes::read(reader)? }
            }
            kind::FSETSTAT => {
                Self::FsetStat { handle: reader.handle()?, attributes: Attributes::read(reader)? }
            }
            kind::OPENDIR => Self::OpenDir { path: reader.path()? },
            kind::READDIR => Self::ReadDir { handle: reader.handle()? },
            kind::REMOVE => Self::Remove { path: reader.path()? },
            kind::MKDIR => {
                Self::MkDir { path: reader.path()?, attributes: Attributes::read(reader)? }
            }
            kind::RMDIR => Self::RmDir { path: reader.path()? },
            kind::REALPATH => Self::RealPath { path: reader.path()? },
            kind::STAT => Self::Stat { path: reader.path()? },
            kind::RENAME => Self::Rename { from: reader.path()?, to: reader.path()? },
            kind::READLINK => Self::ReadLink { path: reader.path()? },
            kind::SYMLINK => Self::SymLink { target: reader.path()?, link: reader.path()? },
            kind::EXTENDED => Self::Extended(Extension::read(reader)?),
            other => return Err(Violation::Type(other)),
        })
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Open { .. } => kind::OPEN,
            Self::Close { .. } => kind::CLOSE,
            Self::Read { .. } => kind::READ,
            Self::Write { .. } => kind::WRITE,
            Self::Lstat { .. } => kind::LSTAT,
            Self::Fstat { .. } => kind::FSTAT,
            Self::SetStat { .. } => kind::SETSTAT,
            Self::FsetStat { .. } => kind::FSETSTAT,
            Self::OpenDir { .. } => kind::OPENDIR,
            Self::ReadDir { .. } => kind::READDIR,
            Self::Remove { .. } => kind::REMOVE,
            Self::MkDir { .. } => kind::MKDIR,
            Self::RmDir { .. } => kind::RMDIR,
            Self::RealPath { .. } => kind::REALPATH,
            Self::Stat { .. } => kind::STAT,
            Self::Rename { .. } => kind::RENAME,
            Self::ReadLink { .. } => kind::READLINK,
            Self::SymLink { .. } => kind::SYMLINK,
            Self::Extended(_) => kind::EXTENDED,
        }
    }

    fn write(&self, out: &mut BytesMut) {
        match self {
            Self::Open { path, flags, attributes } => {
                string(out, path);
                out.put_u32(flags.bits());
                out.put_slice(attributes.raw());
            }
            Self::Read { handle, offset, length } => {
                string(out, handle);
                out.put_u64(*offset);
                out.put_u32(*length);
            }
            Self::Write { handle, offset, data } => {
                string(out, handle);
                out.put_u64(*offset);
                out.put_u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
                data.pieces().for_each(|piece| out.put_slice(piece));
            }
            Self::SetStat { path: name, attributes }
            | Self::MkDir { path: name, attributes }
            | Self::FsetStat { handle: name, attributes } => {
                string(out, name);
                out.put_slice(attributes.raw());
            }
            Self::Rename { from: first, to: second }
            | Self::SymLink { target: first, link: second } => {
                string(out, first);
                string(out, second);
            }
            Self::Close { handle: name }
            | Self::Fstat { handle: name }
            | Self::ReadDir { handle: name }
            | Self::Lstat { path: name }
            | Self::OpenDir { path: name }
            | Self::Remove { path: name }
            | Self::RmDir { path: name }
            | Self::RealPath { path: name }
            | Self::Stat { path: name }
            | Self::ReadLink { path: name } => string(out, name),
            Self::Extended(extension) => extension.write(out),
        }
    }
}
