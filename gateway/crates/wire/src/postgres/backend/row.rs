//! Rows: what columns they have, and their values, read and rewritten.
//!
//! Owns `RowDescription`, `DataRow` and `ParameterDescription`. Must not know what is masked, nor
//! what a value means. A row is changed in place where lengths allow it; otherwise it is written
//! anew, and what is untouched is copied by ranges.

use crate::Edit;
use crate::postgres::frame::HEADER_BYTES;
use crate::postgres::write::{message, put_cstr, put_i16, put_i32, put_u32};
use crate::postgres::{Format, Reader, Violation};

/// One column of a `RowDescription`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// The name in the result.
    pub name: &'a [u8],
    /// Object id of the table it comes from; 0 where it is no plain column.
    pub table: u32,
    /// Its number in that table: 0 for the whole row, negative for system columns.
    pub attribute: i16,
    /// Object id of its type.
    pub type_oid: u32,
    /// Bytes of the type, negative where they vary.
    pub type_bytes: i16,
    /// The type's modifier, such as the length of a `varchar`.
    pub type_modifier: i32,
    /// The format its values come in; always text in the description of a statement.
    pub format: Format,
}

/// `RowDescription`: checked to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowDescription<'a> {
    count: usize,
    columns: &'a [u8],
}

impl<'a> RowDescription<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let count = reader.count("number of columns")?;
        let columns = reader.rest();
        for _ in 0..count {
            read_column(&mut reader)?;
        }
        reader.finish()?;
        Ok(Self { count, columns })
    }

    /// How many columns.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether rows have no columns.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each column.
    pub fn columns(&self) -> impl Iterator<Item = Column<'a>> + use<'a> {
        let mut reader = Reader::new(self.columns);
        (0..self.count).map_while(move |_| read_column(&mut reader).ok())
    }
}

fn read_column<'a>(reader: &mut Reader<'a>) -> Result<Column<'a>, Violation> {
    Ok(Column {
        name: reader.cstr("column name")?,
        table: reader.u32("table")?,
        attribute: reader.i16("attribute number")?,
        type_oid: reader.u32("type")?,
        type_bytes: reader.i16("type size")?,
        type_modifier: reader.i32("type modifier")?,
        format: Format::from_code(reader.i16("column format")?)?,
    })
}

/// Appends a `RowDescription`.
pub fn put_row_description(out: &mut Vec<u8>, columns: &[Column<'_>]) {
    message(out, b'T', |out| {
        put_i16(out, i16::try_from(columns.len()).unwrap_or(i16::MAX));
        for column in columns {
            put_cstr(out, column.name);
            put_u32(out, column.table);
            put_i16(out, column.attribute);
            put_u32(out, column.type_oid);
            put_i16(out, column.type_bytes);
            put_i32(out, column.type_modifier);
            put_i16(out, i16::from(column.format == Format::Binary));
        }
    });
}

/// Reads the body of a `ParameterDescription`: the types of a statement's parameters.
///
/// # Errors
/// Where its fields do not fill it exactly.
pub fn parameter_types(body: &[u8]) -> Result<impl Iterator<Item = u32>, Violation> {
    let mut reader = Reader::new(body);
    let count = reader.count("number of parameters")?;
    let types = reader.bytes(count * 4, "parameter types")?;
    reader.finish()?;
    Ok(types.as_chunks::<4>().0.iter().map(|four| u32::from_be_bytes(*four)))
}

/// `DataRow`: its number of values, and a reader over them.
#[derive(Clone, Copy, Debug)]
pub struct DataRow<'a> {
    count: usize,
    values: &'a [u8],
}

impl<'a> DataRow<'a> {
    /// Reads the head of the body. The values are checked as they are read.
    ///
    /// # Errors
    /// Where there is no count, or it is negative.
    #[inline]
    pub fn read(body: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let count = reader.count("number of values")?;
        Ok(Self { count, values: reader.rest() })
    }

    /// How many values.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each value; `None` is NULL. Ends after the first that is truncated.
    pub fn values(&self) -> impl Iterator<Item = Result<Option<&'a [u8]>, Violation>> + use<'a> {
        let mut reader = Reader::new(self.values);
        let mut left = self.count;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let value = reader.value("value");
            if value.is_err() {
                left = 0;
            }
            Some(value)
        })
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Nothing changed.
    None,
    /// Values changed where they stood.
    InPlace,
    /// The row was written to the output; what stands in the buffer must not be sent.
    Rewritten,
}

/// Shows each value of a row that is not NULL to `edit`, and changes the row as it says.
///
/// `row` is the whole message with its header. A value whose new form has its old length is
/// changed in place; from the first that has not, the row is written to `out`. `scratch` is
/// emptied before each value and is where `edit` leaves a replacement.
///
/// # Errors
/// Where the row has not exactly `columns` values, or they do not fill it exactly. Then `out` may
/// end in a half-written message: the caller gives up the connection.
#[inline]
pub fn edit_row(
    row: &mut [u8],
    columns: usize,
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    mut edit: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Edit,
) -> Result<RowChange, Violation> {
    const COUNT_BYTES: usize = 2;
    let count =
        Reader::new(row.get(HEADER_BYTES..).unwrap_or_default()).count("number of values")?;
    if count != columns {
        return Err(Violation::Value { field: "number of values" });
    }
    let mut rewrite = Rewrite { message_at: out.len(), copied: 0, begun: false };
    let mut changed = false;
    let mut at = HEADER_BYTES + COUNT_BYTES;
    for index in 0..count {
        let truncated = Violation::Truncated { field: "value" };
        let length = row
            .get(at..)
            .and_then(<[u8]>::first_chunk::<4>)
            .map(|four| i32::from_be_bytes(*four))
            .ok_or(truncated)?;
        let value_at = at + 4;
        if length == -1 {
            at = value_at;
            continue;
        }
        let length = usize::try_from(length).map_err(|_| Violation::Value { field: "value" })?;
        let end = value_at.checked_add(length).ok_or(truncated)?;
        let value = row.get_mut(value_at..end).ok_or(truncated)?;
        scratch.clear();
        match edit(index, value, scratch) {
            Edit::Keep => {}
            Edit::Replace if scratch.len() == value.len() => {
                value.copy_from_slice(scratch);
                changed = true;
            }
            Edit::Replace => rewrite.value(row, at, end, Some(scratch), out),
            Edit::Null => rewrite.value(row, at, end, None, out),
        }
        at = end;
    }
    if at != row.len() {
        return Err(Violation::Trailing { excess: row.len().saturating_sub(at) });
    }
    if rewrite.begun {
        rewrite.finish(row, out)?;
        return Ok(RowChange::Rewritten);
    }
    Ok(if changed { RowChange::InPlace } else { RowChange::None })
}

/// A row being written anew.
struct Rewrite {
    /// Where the message begins in the output.
    message_at: usize,
    /// Bytes of the old row that are already in the output.
    copied: usize,
    begun: bool,
}

impl Rewrite {
    /// Writes what stands before the value whose length field is at `at`, then the new value.
    fn value(&mut self, row: &[u8], at: usize, end: usize, new: Option<&[u8]>, out: &mut Vec<u8>) {
        self.begun = true;
        out.extend_from_slice(row.get(self.copied..at).unwrap_or_default());
        match new {
            None => put_i32(out, -1),
            Some(bytes) => {
                put_i32(out, i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                out.extend_from_slice(bytes);
            }
        }
        self.copied = end;
    }

    /// Writes the rest, and the new length into the header.
    fn finish(self, row: &[u8], out: &mut Vec<u8>) -> Result<(), Violation> {
        out.extend_from_slice(row.get(self.copied..).unwrap_or_default());
        let length = out.len() - self.message_at - 1;
        let too_long = Violation::TooLong { length, limit: i32::MAX.unsigned_abs() as usize };
        let length = i32::try_from(length).map_err(|_| too_long)?;
        out.get_mut(self.message_at + 1..self.message_at + HEADER_BYTES)
            .ok_or(too_long)?
            .copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row_of(values: &[Option<Vec<u8>>]) -> Vec<u8> {
        let mut out = Vec::new();
        message(&mut out, b'D', |out| {
            put_i16(out, i16::try_from(values.len()).unwrap());
            for value in values {
                match value {
                    None => put_i32(out, -1),
                    Some(bytes) => {
                        put_i32(out, i32::try_from(bytes.len()).unwrap());
                        out.extend_from_slice(bytes);
                    }
                }
            }
        });
        out
    }

    fn edit_with(
        row: &mut [u8],
        columns: usize,
        edit: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Edit,
    ) -> (Result<RowChange, Violation>, Vec<u8>) {
        let mut out = b"before".to_vec();
        let change = edit_row(row, columns, &mut out, &mut Vec::new(), edit);
        (change, out.split_off(6))
    }

    #[test]
    fn a_value_of_equal_length_changes_in_place() {
        let mut row = row_of(&[Some(b"1".to_vec()), Some(b"amy".to_vec())]);
        let (change, out) = edit_with(&mut row, 2, |index, _, scratch| {
            scratch.extend_from_slice(b"***");
            if index == 1 { Edit::Replace } else { Edit::Keep }
        });
        assert_eq!(change, Ok(RowChange::InPlace));
        assert!(out.is_empty());
        assert_eq!(row, row_of(&[Some(b"1".to_vec()), Some(b"***".to_vec())]));
    }

    #[test]
    fn a_row_whose_count_or_lengths_lie_is_refused() {
        let whole = row_of(&[Some(b"1".to_vec()), None, Some(b"amy".to_vec())]);
        let keep = |_: usize, _: &[u8], _: &mut Vec<u8>| Edit::Keep;
        assert!(edit_with(&mut whole.clone(), 2, keep).0.is_err());
        assert!(edit_with(&mut whole.clone(), 4, keep).0.is_err());
        for cut in 5..whole.len() {
            assert!(edit_with(&mut whole[..cut].to_vec(), 3, keep).0.is_err(), "cut at {cut}");
        }
        let mut longer = whole;
        longer.push(0);
        assert_eq!(edit_with(&mut longer, 3, keep).0, Err(Violation::Trailing { excess: 1 }));
    }

    #[test]
    fn a_description_is_read_back() {
        let columns = [
            Column {
                name: b"email",
                table: 16_423,
                attribute: 2,
                type_oid: 25,
                type_bytes: -1,
                type_modifier: -1,
                format: Format::Binary,
            },
            Column {
                name: b"",
                table: 0,
                attribute: -7,
                type_oid: 23,
                type_bytes: 4,
                type_modifier: -1,
                format: Format::Text,
            },
        ];
        let mut out = Vec::new();
        put_row_description(&mut out, &columns);
        let body = &out[5..];
        let description = RowDescription::read(body).unwrap();
        assert_eq!(description.columns().collect::<Vec<_>>(), columns);
        for cut in 0..body.len() {
            assert!(RowDescription::read(&body[..cut]).is_err(), "cut at {cut}");
        }
        assert!(parameter_types(&[0, 1, 0, 0, 0, 23]).unwrap().eq([23]));
        assert!(parameter_types(&[0, 2, 0, 0, 0, 23]).is_err());
    }

    proptest! {
        #[test]
        fn an_edited_row_is_the_row_of_the_edited_values(
            values in prop::collection::vec(
                prop::option::of(prop::collection::vec(any::<u8>(), 0..12)), 0..8),
            edits in prop::collection::vec(
                (0u8..3, prop::collection::vec(any::<u8>(), 0..12)), 8),
        ) {
            let mut row = row_of(&values);
            let (change, out) = edit_with(&mut row, values.len(), |index, _, scratch| {
                let (kind, new) = &edits[index];
                match kind {
                    0 => Edit::Keep,
                    1 => Edit::Null,
                    _ => { scratch.extend_from_slice(new); Edit::Replace }
                }
            });
            let want: Vec<_> = values.iter().enumerate().map(|(index, value)| {
                match (value, edits[index].0) {
                    (None, _) | (_, 1) => None,
                    (Some(old), 0) => Some(old.clone()),
                    (Some(_), _) => Some(edits[index].1.clone()),
                }
            }).collect();
            let got = if change.unwrap() == RowChange::Rewritten { out } else { row };
            prop_assert_eq!(&got, &row_of(&want));
            let back: Vec<_> = DataRow::read(&got[5..]).unwrap().values()
                .map(|value| value.unwrap().map(<[u8]>::to_vec)).collect();
            prop_assert_eq!(back, want);
        }

        #[test]
        fn no_body_panics(mut body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = RowDescription::read(&body);
            let _ = DataRow::read(&body).map(|row| row.values().count());
            let count = body.get(5..7).map_or(0, |two| usize::from(two[0]) << 8 | usize::from(two[1]));
            let _ = edit_with(&mut body, count, |_, _, _| Edit::Null);
        }
    }
}
