//! Running a prepared statement: its parameters.
//!
//! Owns the format. Must not know the statement: how many parameters it has, and their types where
//! the client has told them before, is said by the caller.

use crate::mysql::column::kind;
use crate::mysql::value::Type;
use crate::mysql::{Reader, Violation, packet, put_u16, put_u32};

use super::code;

/// How rows are to come.
pub mod cursor {
    /// All at once.
    pub const NONE: u8 = 0;
    /// As they are fetched.
    pub const READ_ONLY: u8 = 1;
}

/// The flag of a parameter's type that says it has no sign.
const UNSIGNED: u8 = 0x80;

/// Runs a prepared statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execute<'a> {
    /// The statement.
    pub statement: u32,
    /// How rows are to come (see [`cursor`]).
    pub flags: u8,
    /// How often it is run; always 1.
    pub iterations: u32,
    /// What stands for the parameters: see [`Execute::bound`].
    pub rest: &'a [u8],
}

/// The parameters of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// The types, where the client has told them now.
    pub new_types: Option<Vec<Type>>,
    /// The NULL map, the types where they were told, and the values, as they were sent.
    pub values: &'a [u8],
}

impl<'a> Execute<'a> {
    pub(super) fn read(mut reader: Reader<'a>) -> Result<Self, Violation> {
        Ok(Self {
            statement: reader.u32("statement")?,
            flags: reader.u8("cursor")?,
            iterations: reader.u32("iterations")?,
            rest: reader.rest(),
        })
    }

    /// Reads the parameters of a statement that has `count` of them, at least one. `known` are
    /// their types as they were told before; `is_long` says of which the value was sent in parts.
    /// Servers do not look at what follows the last value, and some clients leave something there:
    /// it is left out.
    ///
    /// # Errors
    /// Where they are truncated, have types that no value has, or types that were never told.
    pub fn bound(
        &self,
        count: usize,
        known: Option<&[Type]>,
        is_long: impl Fn(usize) -> bool,
    ) -> Result<Bound<'a>, Violation> {
        let mut reader = Reader::new(self.rest);
        let nulls = reader.bytes(count.div_ceil(8), "NULL map")?;
        let new_types = match reader.u8("whether types follow")? {
            0 => None,
            1 => Some(types(&mut reader, count)?),
            _ => return Err(Violation::Value { field: "whether types follow" }),
        };
        let types = new_types.as_deref().or(known).unwrap_or_default();
        if types.len() != count {
            return Err(Violation::Value { field: "types of the parameters" });
        }
        for (index, one) in types.iter().enumerate() {
            let null = nulls.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0);
            if !null && !is_long(index) {
                one.take(&mut reader)?;
            }
        }
        let values = self.rest.get(..self.rest.len() - reader.rest().len()).unwrap_or_default();
        Ok(Bound { new_types, values })
    }

    /// Appends it as a command. Gives the number that the first packet of its answer has.
    pub fn put(&self, out: &mut Vec<u8>) -> u8 {
        let mut sequence = 0;
        packet(out, &mut sequence, |out| {
            out.push(code::STMT_EXECUTE);
            put_u32(out, self.statement);
            out.push(self.flags);
            put_u32(out, self.iterations);
            out.extend_from_slice(self.rest);
        });
        sequence
    }

    /// The same, with the types of its parameters, where the client left them out because it has
    /// told them before.
    pub fn put_with_types(&self, out: &mut Vec<u8>, types: &[Type]) -> u8 {
        let nulls = types.len().div_ceil(8);
        let head = self.rest.get(..nulls).unwrap_or_default();
        let tail = match self.rest.get(nulls) {
            Some(0) => self.rest.get(nulls + 1..).unwrap_or_default(),
            _ => return self.put(out),
        };
        let mut rest = head.to_vec();
        rest.push(1);
        for one in types {
            rest.extend_from_slice(&[one.kind, if one.unsigned { UNSIGNED } else { 0 }]);
        }
        rest.extend_from_slice(tail);
        Execute { rest: &rest, ..*self }.put(out)
    }
}

fn types(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Type>, Violation> {
    let raw = reader.bytes(count.saturating_mul(2), "types of the parameters")?;
    raw.as_chunks::<2>()
        .0
        .iter()
        .map(|[number, flags]| {
            let one = Type { kind: *number, unsigned: flags & UNSIGNED != 0 };
            match one.form() {
                Some(_) => Ok(one),
                None => Err(Violation::Value { field: "type of a parameter" }),
            }
        })
        .collect()
}

/// Appends what stands for parameters, with their types: texts and NULLs.
pub fn put_texts(out: &mut Vec<u8>, values: &[Option<&[u8]>]) {
    let mut nulls = vec![0; values.len().div_ceil(8)];
    for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_none()) {
        if let Some(byte) = nulls.get_mut(index / 8) {
            *byte |= 1 << (index % 8);
        }
    }
    out.extend_from_slice(&nulls);
    out.push(1);
    for _ in values {
        put_u16(out, u16::from(kind::VAR_STRING));
    }
    for value in values.iter().flatten() {
        crate::mysql::put_lenenc(out, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::command::Command;
    use proptest::prelude::*;

    fn execute(rest: &[u8]) -> Execute<'_> {
        Execute { statement: 7, flags: cursor::NONE, iterations: 1, rest }
    }

    #[test]
    fn parameters_are_read_and_every_cut_refused() {
        let mut rest = Vec::new();
        put_texts(&mut rest, &[Some(b"amy"), None, Some(b"")]);
        let mut out = Vec::new();
        assert_eq!(execute(&rest).put(&mut out), 1);
        assert_eq!(Command::read(&out[4..]), Ok(Command::Execute(execute(&rest))));
        let bound = execute(&rest).bound(3, None, |_| false).unwrap();
        let types = bound.new_types.unwrap();
        assert_eq!(types.len(), 3);
        for cut in 0..rest.len() {
            assert!(execute(&rest[..cut]).bound(3, None, |_| false).is_err(), "cut at {cut}");
        }
        assert!(execute(&rest).bound(2, None, |_| false).is_err());
        assert!(execute(&rest).bound(4, None, |_| false).is_err());
        // Sent in parts before: then it is not here.
        let without = execute(&rest[..rest.len() - 1]).bound(3, None, |index| index == 2);
        assert_eq!(without.unwrap().values, &rest[..rest.len() - 1]);
        let more = [&rest[..], b"left over"].concat();
        assert_eq!(execute(&more).bound(3, None, |_| false).unwrap().values, rest);
    }

    #[test]
    fn types_are_those_that_were_told_last() {
        let rest = [0, 0, 3, b'a', b'm', b'y'];
        assert!(execute(&rest).bound(1, None, |_| false).is_err(), "never told");
        let text = Type { kind: kind::VAR_STRING, unsigned: false };
        assert!(execute(&rest).bound(1, Some(&[text]), |_| false).is_ok());
        assert!(execute(&rest).bound(1, Some(&[text, text]), |_| false).is_err());
        let mut out = Vec::new();
        execute(&rest).put_with_types(&mut out, &[text]);
        let Ok(Command::Execute(told)) = Command::read(&out[4..]) else { panic!("a run") };
        assert_eq!(told.rest, [0, 1, kind::VAR_STRING, 0, 3, b'a', b'm', b'y']);
        let unknown = [0, 1, 99, 0, 1];
        assert!(execute(&unknown).bound(1, None, |_| false).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            rest in prop::collection::vec(any::<u8>(), 0..64),
            count in 1usize..2_000,
        ) {
            let known = vec![Type { kind: kind::LONG, unsigned: false }; count];
            let _ = execute(&rest).bound(count, Some(&known), |index| index % 3 == 0);
            let _ = execute(&rest).bound(count, None, |_| false);
        }
    }
}
