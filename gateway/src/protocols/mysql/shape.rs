//! The columns of an answer on the wire: how each value is shown to the masks and put back.
//!
//! Owns the step between wire formats and the text that masks work on. Must not know which column
//! is masked. One shape serves every row of an answer, and of later answers with the same columns.

use std::ops::Range;
use std::sync::Arc;

use wire::Edit;
use wire::mysql::Violation;
use wire::mysql::column::{BINARY_COLLATION, Column, kind};
use wire::mysql::row::{binary_values, edit_binary_row, edit_text_row, text_row_values};
use wire::mysql::value::{Form, Type};
use wire::postgres::value::{NestedEdit, edit_json};

use crate::session::{Masked, OutputColumn, RowPlan, ValueKind};

/// The columns of an answer, with what becomes of them.
#[derive(Debug)]
pub(super) struct Shape {
    plan: RowPlan,
    columns: Vec<WireColumn>,
    types: Vec<Type>,
    passes: bool,
}

/// A column as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WireColumn {
    /// Its name in the result.
    pub(super) name: Arc<str>,
    /// Its type.
    pub(super) type_of: Type,
    collation: u16,
}

/// Buffers that values pass through; kept from row to row.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    scratch: Vec<u8>,
    decoded: Vec<u8>,
    changed: Vec<u8>,
    nested: Vec<u8>,
    texts: Texts,
}

/// The values of a row as texts, one behind the other.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    /// Where each lies; `None` is NULL.
    places: Vec<Option<Range<usize>>>,
}

impl WireColumn {
    pub(super) fn of(column: &Column<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(column.name).into(),
            type_of: Type::of(column),
            collation: column.collation,
        }
    }

    /// What kind of value the masks see.
    const fn kind(&self) -> ValueKind {
        match self.type_of.kind {
            kind::TINY => ValueKind::Integer { bits: 8 },
            kind::SHORT | kind::YEAR => ValueKind::Integer { bits: 16 },
            kind::INT24 | kind::LONG => ValueKind::Integer { bits: 32 },
            kind::LONGLONG => ValueKind::Integer { bits: 64 },
            kind::DECIMAL | kind::NEWDECIMAL | kind::FLOAT | kind::DOUBLE => ValueKind::Number,
            kind::DATE => ValueKind::Date,
            kind::DATETIME | kind::TIMESTAMP => ValueKind::Timestamp,
            kind::JSON => ValueKind::Json,
            kind::BIT | kind::GEOMETRY => ValueKind::Bytes,
            kind::TIME | kind::NULL => ValueKind::Other,
            _ if self.collation == BINARY_COLLATION => ValueKind::Bytes,
            _ => ValueKind::Text,
        }
    }

    /// The column as the session wants to see it. Where it comes from, the server's word does not
    /// count: a statement can make it say anything.
    pub(super) fn output(&self) -> OutputColumn<'_> {
        OutputColumn {
            name: &self.name,
            origin: None,
            kind: self.kind(),
            // Whatever the type: NULL can always be put in a value's place.
            maskable: true,
        }
    }
}

impl Shape {
    /// Joins a plan with the columns it was made for.
    pub(super) fn new(plan: RowPlan, columns: Vec<WireColumn>) -> Self {
        let passes = plan.passes_everything() && plan.columns() == columns.len();
        let types = columns.iter().map(|column| column.type_of).collect();
        Self { plan, columns, types, passes }
    }

    /// Whether every row passes as it is.
    #[inline]
    pub(super) const fn passes(&self) -> bool {
        self.passes
    }

    /// The columns.
    pub(super) fn columns(&self) -> &[WireColumn] {
        &self.columns
    }

    /// The values of a row, as they are recorded: binary ones as their text.
    ///
    /// # Errors
    /// Where the row is not one of these columns.
    pub(super) fn record(
        &self,
        payload: &[u8],
        binary: bool,
        buffers: &mut Buffers,
        record: impl FnOnce(&mut dyn ExactSizeIterator<Item = Option<&[u8]>>),
    ) -> Result<(), Violation> {
        if !binary {
            record(&mut text_row_values(payload, self.columns.len())?);
            return Ok(());
        }
        let Buffers { decoded, texts: Texts { bytes, places }, .. } = buffers;
        bytes.clear();
        places.clear();
        for (one, value) in self.types.iter().zip(binary_values(payload, &self.types)?) {
            let start = bytes.len();
            places.push(value?.map(|value| {
                bytes.extend_from_slice(text(*one, value, decoded));
                start..bytes.len()
            }));
        }
        let value = |place: &Option<Range<usize>>| bytes.get(place.clone()?);
        record(&mut places.iter().map(value));
        Ok(())
    }

    /// Shows a row to the masks. Says whether it was written behind `out` anew, and how many values
    /// they changed.
    #[inline]
    pub(super) fn edit_row(
        &self,
        payload: &[u8],
        binary: bool,
        out: &mut Vec<u8>,
        buffers: &mut Buffers,
    ) -> Result<(bool, u64), Violation> {
        let mut masked = 0;
        let mut scratch = std::mem::take(&mut buffers.scratch);
        let changed = if binary {
            edit_binary_row(payload, &self.types, out, &mut scratch, |index, value, new| {
                let edit = self.binary(index, value, new, buffers);
                masked += u64::from(edit != Edit::Keep);
                edit
            })
        } else {
            edit_text_row(payload, self.columns.len(), out, &mut scratch, |index, value, new| {
                let edit = self.text(index, value, new, buffers);
                masked += u64::from(edit != Edit::Keep);
                edit
            })
        };
        buffers.scratch = scratch;
        changed.map(|changed| (changed, masked))
    }

    #[inline]
    fn text(&self, index: usize, value: &[u8], new: &mut Vec<u8>, buffers: &mut Buffers) -> Edit {
        if self.plan.passes(index) {
            return Edit::Keep;
        }
        self.looked_through(index, value, new, buffers)
    }

    fn looked_through(
        &self,
        index: usize,
        value: &[u8],
        new: &mut Vec<u8>,
        buffers: &mut Buffers,
    ) -> Edit {
        match self.plan.value(index, value, new) {
            Masked::Null => Edit::Null,
            Masked::Unchanged if !may_be_json(value) => Edit::Keep,
            Masked::Value if !may_be_json(new) => Edit::Replace,
            masked => {
                if masked == Masked::Unchanged {
                    new.extend_from_slice(value);
                }
                self.json(index, value, new, buffers)
            }
        }
    }

    /// JSON hides letters behind escapes (`\u0040`), so a text with any is looked at string by
    /// string, unescaped. `MariaDB` has no type for it: what looks like it is taken for it.
    fn json(&self, index: usize, value: &[u8], new: &mut Vec<u8>, buffers: &mut Buffers) -> Edit {
        let edited = edit_json(new, &mut buffers.nested, &mut |leaf, out| {
            !matches!(self.plan.value(index, leaf, out), Masked::Unchanged)
        });
        if edited == NestedEdit::Changed {
            new.clear();
            new.extend_from_slice(&buffers.nested);
        }
        if new == value { Edit::Keep } else { Edit::Replace }
    }

    /// A binary value goes through its text and back; what cannot go back becomes NULL.
    fn binary(&self, index: usize, value: &[u8], new: &mut Vec<u8>, buffers: &mut Buffers) -> Edit {
        if self.plan.passes(index) {
            return Edit::Keep;
        }
        let Some(one) = self.types.get(index) else { return Edit::Null };
        if one.form() == Some(Form::Long) {
            return self.text(index, value, new, buffers);
        }
        let text = text(*one, value, &mut buffers.decoded);
        buffers.changed.clear();
        match self.plan.value(index, text, &mut buffers.changed) {
            Masked::Unchanged => Edit::Keep,
            Masked::Value if one.binary(&buffers.changed, new) => Edit::Replace,
            Masked::Value | Masked::Null => Edit::Null,
        }
    }
}

/// Whether a text may be JSON in which something is escaped.
fn may_be_json(text: &[u8]) -> bool {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'"')) && text.contains(&b'\\')
}

/// The text of a binary value; bytes that have none are given as they are.
fn text<'a>(one: Type, value: &'a [u8], decoded: &'a mut Vec<u8>) -> &'a [u8] {
    if one.form() != Some(Form::Long) && one.text(value, decoded).is_some() {
        return decoded;
    }
    value
}
