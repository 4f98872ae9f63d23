//! The attributes of a file (draft 5).
//!
//! Owns their flags and fields. Must not know whom they are asked of. The fields are kept as they
//! came, to be written again unchanged.

use super::Violation;
use super::read::Reader;

const SIZE: u32 = 0x1;
const OWNER: u32 = 0x2;
const PERMISSIONS: u32 = 0x4;
const TIMES: u32 = 0x8;
const EXTENDED: u32 = 0x8000_0000;

/// The file type's bits of the permissions, and the directory's among them (`stat.h`).
const TYPE_MASK: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

/// Attributes: which are given, and those that a decision turns on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes<'a> {
    raw: &'a [u8],
    flags: u32,
    size: Option<u64>,
    permissions: Option<u32>,
}

impl<'a> Attributes<'a> {
    /// No attribute at all.
    pub const NONE: Attributes<'static> =
        Attributes { raw: &[0, 0, 0, 0], flags: 0, size: None, permissions: None };

    /// The bytes, as they stand in a packet.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The size in bytes. Given to be set, it cuts or extends the file's content.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Mode and type of the file.
    #[must_use]
    pub const fn permissions(&self) -> Option<u32> {
        self.permissions
    }

    /// Whether the type is given, and is a directory.
    #[must_use]
    pub const fn is_directory(&self) -> bool {
        matches!(self.permissions, Some(mode) if mode & TYPE_MASK == DIRECTORY)
    }

    /// Whether the type is not given, or is a directory.
    #[must_use]
    pub const fn may_be_directory(&self) -> bool {
        self.permissions.is_none() || self.is_directory()
    }

    /// Whether anything beside the size is given.
    #[must_use]
    pub const fn beside_size(&self) -> bool {
        self.flags & !SIZE != 0
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Violation> {
        let whole = reader.rest();
        let flags = reader.u32("attribute flags")?;
        if flags & !(SIZE | OWNER | PERMISSIONS | TIMES | EXTENDED) != 0 {
            return Err(Violation::Value { field: "attribute flags" });
        }
        let mut attributes = Self { raw: &[], flags, size: None, permissions: None };
        if flags & SIZE != 0 {
            attributes.size = Some(reader.u64("size")?);
        }
        if flags & OWNER != 0 {
            reader.u32("user id")?;
            reader.u32("group id")?;
        }
        if flags & PERMISSIONS != 0 {
            attributes.permissions = Some(reader.u32("permissions")?);
        }
        if flags & TIMES != 0 {
            reader.u32("access time")?;
            reader.u32("modification time")?;
        }
        if flags & EXTENDED != 0 {
            // Each pair takes eight bytes at least: the packet bounds the count.
            for _ in 0..reader.u32("extended attribute count")? {
                reader.string("extended attribute name")?;
                reader.string("extended attribute value")?;
            }
        }
        let taken = whole.len().saturating_sub(reader.rest().len());
        attributes.raw = whole.get(..taken).unwrap_or_default();
        Ok(attributes)
    }
}
