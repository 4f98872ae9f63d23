//! Member offsets from the kernel's own type information.
//!
//! Owns a reader of the BTF format (Documentation/bpf/btf.rst in the kernel), as far as it takes to
//! say where a member of a structure is, also inside anonymous structures and unions. Knows nothing
//! of what the offsets are for. Input is the kernel's, but it is read as if it were not: every length
//! is checked.

use std::collections::HashMap;

const MAGIC: u16 = 0xeb9f;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
/// Anonymous structures inside one another; deeper ones are not looked into.
const NESTING_MAX: u32 = 8;

/// Why type information cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfError {
    /// Not little-endian BTF.
    #[error("not BTF of this machine's byte order")]
    Magic,
    /// A section or a type goes beyond the end.
    #[error("BTF is truncated")]
    Truncated,
    /// A kind of type that this reader does not know, so that it cannot find the next one.
    #[error("BTF has a type of the unknown kind {0}")]
    Kind(u32),
}

/// The structures of one BTF file.
#[derive(Debug)]
pub struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type begins in `types`; type id 1 is the first.
    starts: Vec<u32>,
    /// Structures by name.
    structures: HashMap<&'a [u8], u32>,
}

/// One type's header.
struct Type {
    kind: u32,
    members: u32,
    bit_fields: bool,
    /// The type that a modifier (const, volatile, typedef...) modifies.
    referred: u32,
    /// Where what follows the header begins.
    tail: usize,
}

impl<'a> Btf<'a> {
    /// Reads the index of types.
    ///
    /// # Errors
    /// [`BtfError`] where the file is not BTF, is cut short, or is newer than this reader.
    pub fn parse(file: &'a [u8]) -> Result<Self, BtfError> {
        if file.get(..2) != Some(&MAGIC.to_le_bytes()[..]) {
            return Err(BtfError::Magic);
        }
        let word = |at| word_at(file, at).and_then(|word| usize::try_from(word).ok());
        let header = word(4).ok_or(BtfError::Truncated)?;
        let section = |offset_at, length_at| {
            let begin = header.checked_add(word(offset_at)?)?;
            file.get(begin..begin.checked_add(word(length_at)?)?)
        };
        let types = section(8, 12).ok_or(BtfError::Truncated)?;
        let strings = section(16, 20).ok_or(BtfError::Truncated)?;
        let mut btf = Self { types, strings, starts: Vec::new(), structures: HashMap::new() };
        btf.index()?;
        Ok(btf)
    }

    /// Where `member` is in `structure`, in bytes. `None` where there is no such structure or
    /// member, or where the member is a bit field.
    #[must_use]
    pub fn offset(&self, structure: &str, member: &str) -> Option<u32> {
        let bits = self.find(*self.structures.get(structure.as_bytes())?, member.as_bytes(), 0)?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    fn index(&mut self) -> Result<(), BtfError> {
        let mut at = 0_usize;
        while at < self.types.len() {
            let start = u32::try_from(at).map_err(|_| BtfError::Truncated)?;
            let found = self.read(at).ok_or(BtfError::Truncated)?;
            self.starts.push(start);
            if found.kind == KIND_STRUCT
                && let Some(name) = word_at(self.types, at).and_then(|name| self.name(name))
                && !name.is_empty()
            {
                let id = u32::try_from(self.starts.len()).map_err(|_| BtfError::Truncated)?;
                self.structures.entry(name).or_insert(id);
            }
            at = found.tail + tail_length(&found)?;
        }
        if at == self.types.len() { Ok(()) } else { Err(BtfError::Truncated) }
    }

    /// The offset of a member in bits, looking into anonymous members.
    fn find(&self, id: u32, member: &[u8], depth: u32) -> Option<u32> {
        if depth > NESTING_MAX {
            return None;
        }
        let start = *self.starts.get(usize::try_from(id.checked_sub(1)?).ok()?)?;
        let found = self.read(usize::try_from(start).ok()?)?;
        if !matches!(found.kind, KIND_STRUCT | KIND_UNION) {
            // A modifier: what it refers to may be a structure.
            return is_modifier(found.kind)
                .then(|| self.find(found.referred, member, depth + 1))
                .flatten();
        }
        (0..found.members).find_map(|index| {
            let at = found.tail + usize::try_from(index).ok()? * 12;
            let name = self.name(word_at(self.types, at)?)?;
            let offset = word_at(self.types, at + 8)?;
            let bits = if found.bit_fields { offset & 0x00ff_ffff } else { offset };
            if name == member {
                let width = if found.bit_fields { offset >> 24 } else { 0 };
                return (width == 0).then_some(bits);
            }
            if !name.is_empty() {
                return None;
            }
            let inner = self.find(word_at(self.types, at + 4)?, member, depth + 1)?;
            inner.checked_add(bits)
        })
    }

    fn read(&self, at: usize) -> Option<Type> {
        let info = word_at(self.types, at + 4)?;
        Some(Type {
            kind: (info >> 24) & 0x1f,
            members: info & 0xffff,
            bit_fields: info >> 31 == 1,
            referred: word_at(self.types, at + 8)?,
            tail: at + 12,
        })
    }

    fn name(&self, at: u32) -> Option<&'a [u8]> {
        let rest = self.strings.get(usize::try_from(at).ok()?..)?;
        rest.split(|byte| *byte == 0).next()
    }
}

/// Bytes that follow the header of a type.
fn tail_length(found: &Type) -> Result<usize, BtfError> {
    let members = usize::try_from(found.members).map_err(|_| BtfError::Truncated)?;
    Ok(match found.kind {
        // Pointers, forward declarations, modifiers, functions, floats.
        2 | 7..=12 | 16 | 18 => 0,
        // Integers, variables, declaration tags.
        1 | 14 | 17 => 4,
        // Arrays.
        3 => 12,
        // Structures, unions, data sections, 64-bit enumerations.
        KIND_STRUCT | KIND_UNION | 15 | 19 => members * 12,
        // Enumerations, function prototypes.
        6 | 13 => members * 8,
        unknown => return Err(BtfError::Kind(unknown)),
    })
}

/// typedef, volatile, const, restrict, type tag.
fn is_modifier(kind: u32) -> bool {
    matches!(kind, 8..=11 | 18)
}

fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_kernel_says_where_its_members_are() {
        let file = std::fs::read("/sys/kernel/btf/vmlinux").unwrap();
        let btf = Btf::parse(&file).unwrap();
        // Fixed by the user-visible layout: `struct list_head` and `struct timespec64`.
        assert_eq!(btf.offset("list_head", "next"), Some(0));
        assert_eq!(btf.offset("list_head", "prev"), Some(8));
        assert_eq!(btf.offset("timespec64", "tv_nsec"), Some(8));
        // Inside an anonymous structure.
        assert!(btf.offset("mm_struct", "exe_file").unwrap() > 0);
        assert_eq!(btf.offset("task_struct", "no_such_member"), None);
        assert_eq!(btf.offset("no_such_struct", "next"), None);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_never_a_panic() {
        let file = std::fs::read("/sys/kernel/btf/vmlinux").unwrap();
        for length in (0..2_000).chain([file.len() / 2, file.len() - 1]) {
            let cut = file.get(..length).unwrap();
            assert!(Btf::parse(cut).is_err(), "{length} bytes were accepted");
        }
    }

    #[test]
    fn a_bit_field_has_no_byte_offset() {
        // One structure `s` with a 3-bit member `b` at bit 8 (kind flag set).
        let mut types = Vec::new();
        for word in [1_u32, (4 << 24) | 1 | (1 << 31), 4, 3, 0, (3 << 24) | 8] {
            types.extend_from_slice(&word.to_le_bytes());
        }
        let strings = b"\0s\0b\0";
        let mut file = vec![0x9f, 0xeb, 1, 0];
        let lengths = [24, 0, types.len(), types.len(), strings.len()];
        for length in lengths {
            file.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
        }
        file.extend_from_slice(&types);
        file.extend_from_slice(strings);
        let btf = Btf::parse(&file).unwrap();
        assert_eq!(btf.offset("s", "b"), None);
    }
}
