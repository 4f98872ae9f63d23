//! OpenSSH's extensions: requests by name.
//!
//! Owns their names and fields. Must not know what they are granted for. An extension that is not
//! here cannot be judged; a relay must not let clients know of it.

use bytes::{BufMut, BytesMut};

use super::Violation;
use super::attributes::Attributes;
use super::read::Reader;
use super::write::string;

/// The names of all extensions that can be read, as servers announce them.
pub const EXTENSIONS: [&str; 11] = [
    "posix-rename@openssh.com",
    "statvfs@openssh.com",
    "fstatvfs@openssh.com",
    "hardlink@openssh.com",
    "fsync@openssh.com",
    "lsetstat@openssh.com",
    "limits@openssh.com",
    "expand-path@openssh.com",
    "copy-data",
    "home-directory",
    "users-groups-by-id@openssh.com",
];

/// An extended request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension<'a> {
    /// Rename, replacing what has the new name.
    PosixRename {
        /// The old name.
        from: &'a [u8],
        /// The new name.
        to: &'a [u8],
    },
    /// What the file system has room for.
    StatVfs {
        /// A path on it.
        path: &'a [u8],
    },
    /// The same of a handle.
    FstatVfs {
        /// A handle on it.
        handle: &'a [u8],
    },
    /// Make a hard link.
    HardLink {
        /// The file.
        from: &'a [u8],
        /// Its new name.
        to: &'a [u8],
    },
    /// Write through to the disk.
    Fsync {
        /// The file.
        handle: &'a [u8],
    },
    /// Set attributes, of a link itself where it is one.
    LsetStat {
        /// The file.
        path: &'a [u8],
        /// What is set.
        attributes: Attributes<'a>,
    },
    /// The server's limits.
    Limits,
    /// A path with `~` or `~user` replaced, made absolute.
    ExpandPath {
        /// The path.
        path: &'a [u8],
    },
    /// Copy from one handle to another on the server.
    CopyData {
        /// What is read.
        from: &'a [u8],
        /// From where.
        offset: u64,
        /// How many bytes; 0 for all.
        length: u64,
        /// What is written.
        to: &'a [u8],
        /// From where on.
        at: u64,
    },
    /// A user's home directory.
    HomeDirectory {
        /// The user; empty for the login itself.
        user: &'a [u8],
    },
    /// The names of users and groups.
    UsersGroupsById {
        /// Numbers of users, four bytes each.
        users: &'a [u8],
        /// Numbers of groups, four bytes each.
        groups: &'a [u8],
    },
    /// One that is not known.
    Unknown {
        /// Its name.
        name: &'a [u8],
    },
}

impl<'a> Extension<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Violation> {
        let name = reader.string("extension name")?;
        Ok(match name {
            b"posix-rename@openssh.com" => {
                Self::PosixRename { from: reader.path()?, to: reader.path()? }
            }
            b"statvfs@openssh.com" => Self::StatVfs { path: reader.path()? },
            b"fstatvfs@openssh.com" => Self::FstatVfs { handle: reader.handle()? },
            b"hardlink@openssh.com" => Self::HardLink { from: reader.path()?, to: reader.path()? },
            b"fsync@openssh.com" => Self::Fsync { handle: reader.handle()? },
            b"lsetstat@openssh.com" => {
                Self::LsetStat { path: reader.path()?, attributes: Attributes::read(reader)? }
            }
            b"limits@openssh.com" => Self::Limits,
            b"expand-path@openssh.com" => Self::ExpandPath { path: reader.path()? },
            b"copy-data" => Self::CopyData {
                from: reader.handle()?,
                offset: reader.u64("read offset")?,
                length: reader.u64("length")?,
                to: reader.handle()?,
                at: reader.u64("write offset")?,
            },
            b"home-directory" => Self::HomeDirectory { user: reader.path()? },
            b"users-groups-by-id@openssh.com" => Self::UsersGroupsById {
                users: reader.string("user ids")?,
                groups: reader.string("group ids")?,
            },
            name => {
                // What an unknown extension holds is unknown too.
                *reader = Reader::new(&[]);
                Self::Unknown { name }
            }
        })
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        string(out, self.name());
        match self {
            Self::PosixRename { from, to } | Self::HardLink { from, to } => {
                string(out, from);
                string(out, to);
            }
            Self::StatVfs { path } | Self::ExpandPath { path } => string(out, path),
            Self::FstatVfs { handle } | Self::Fsync { handle } => string(out, handle),
            Self::LsetStat { path, attributes } => {
                string(out, path);
                out.put_slice(attributes.raw());
            }
            Self::Limits | Self::Unknown { .. } => {}
            Self::CopyData { from, offset, length, to, at } => {
                string(out, from);
                out.put_u64(*offset);
                out.put_u64(*length);
                string(out, to);
                out.put_u64(*at);
            }
            Self::HomeDirectory { user } => string(out, user),
            Self::UsersGroupsById { users, groups } => {
                string(out, users);
                string(out, groups);
            }
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'a [u8] {
        match self {
            Self::PosixRename { .. } => b"posix-rename@openssh.com",
            Self::StatVfs { .. } => b"statvfs@openssh.com",
            Self::FstatVfs { .. } => b"fstatvfs@openssh.com",
            Self::HardLink { .. } => b"hardlink@openssh.com",
            Self::Fsync { .. } => b"fsync@openssh.com",
            Self::LsetStat { .. } => b"lsetstat@openssh.com",
            Self::Limits => b"limits@openssh.com",
            Self::ExpandPath { .. } => b"expand-path@openssh.com",
            Self::CopyData { .. } => b"copy-data",
            Self::HomeDirectory { .. } => b"home-directory",
            Self::UsersGroupsById { .. } => b"users-groups-by-id@openssh.com",
            Self::Unknown { name } => name,
        }
    }
}
