//! The columns of an answer on the wire: how each value is shown to the masks and put back.
//!
//! Owns the step between wire formats and the text that masks work on. Must not know which column
//! is masked. One shape serves every row of an answer, and of later answers with the same columns.

use wire::Edit;
use wire::postgres::backend::{Column, RowChange, RowDescription, edit_row};
use wire::postgres::value::{
    NestedEdit, Shape as Type, TextForm, binary_of, edit_json, edit_nested, oid, text_of,
};
use wire::postgres::{Format, Violation};

use crate::session::{Masked, OutputColumn, RowPlan, ValueKind};

/// The columns of an answer, with what becomes of them.
#[derive(Debug)]
pub(super) struct Shape {
    plan: RowPlan,
    columns: Vec<WireColumn>,
    passes: bool,
}

/// A column's type and format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WireColumn {
    /// Object id of its type; 0 where it is not known.
    pub(super) type_oid: u32,
    /// The format of its values.
    pub(super) format: Format,
}

/// Buffers that values pass through; kept from row to row.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    decoded: Vec<u8>,
    changed: Vec<u8>,
    nested: Vec<u8>,
    leaf: Vec<u8>,
}

impl WireColumn {
    /// What kind of value the masks see.
    pub(super) const fn kind(self) -> ValueKind {
        match Type::of(self.type_oid) {
            // Its text has a currency sign.
            _ if self.type_oid == oid::MONEY => ValueKind::Other,
            Type::Text => ValueKind::Text,
            Type::Json | Type::Jsonb => ValueKind::Json,
            Type::Integer(bytes) => ValueKind::Integer { bits: bytes * 8 },
            Type::Numeric | Type::Float(_) => ValueKind::Number,
            Type::Bool => ValueKind::Boolean,
            Type::Date => ValueKind::Date,
            Type::Timestamp => ValueKind::Timestamp,
            Type::Uuid => ValueKind::Uuid,
            Type::Bytes => ValueKind::Bytes,
            Type::Time
            | Type::TimeTz
            | Type::Interval
            | Type::Network
            | Type::Array(_)
            | Type::Record
            | Type::Opaque => ValueKind::Other,
        }
    }
}

/// The columns of a description, as the session wants to see them.
pub(super) fn output_columns<'a>(
    description: &RowDescription<'a>,
) -> (Vec<OutputColumn<'a>>, Vec<WireColumn>) {
    description.columns().map(|column| (output_column(&column), wire_column(&column))).unzip()
}

fn wire_column(column: &Column<'_>) -> WireColumn {
    WireColumn { type_oid: column.type_oid, format: column.format }
}

fn output_column<'a>(column: &Column<'a>) -> OutputColumn<'a> {
    OutputColumn {
        name: str::from_utf8(column.name).unwrap_or("?"),
        origin: (column.table != 0).then_some((column.table, column.attribute)),
        kind: wire_column(column).kind(),
        // Whatever the type: NULL can always be put in a value's place.
        maskable: true,
    }
}

impl Shape {
    /// Joins a plan with the columns it was made for.
    pub(super) fn new(plan: RowPlan, columns: Vec<WireColumn>) -> Self {
        let passes = plan.passes_everything() && plan.columns() == columns.len();
        Self { plan, columns, passes }
    }

    /// Whether every row passes as it is.
    #[inline]
    pub(super) const fn passes(&self) -> bool {
        self.passes
    }

    /// How many columns.
    pub(super) const fn len(&self) -> usize {
        self.columns.len()
    }

    /// Shows a whole `DataRow` to the masks (see [`edit_row`]) and counts the values they changed.
    #[inline]
    pub(super) fn edit_row(
        &self,
        row: &mut [u8],
        out: &mut Vec<u8>,
        buffers: &mut Buffers,
    ) -> Result<(RowChange, u64), Violation> {
        let mut masked = 0;
        let mut scratch = std::mem::take(&mut buffers.changed);
        let change = edit_row(row, self.columns.len(), out, &mut scratch, |index, value, new| {
            let edit = self.edit(index, value, new, buffers);
            masked += u64::from(edit != Edit::Keep);
            edit
        });
        buffers.changed = scratch;
        change.map(|change| (change, masked))
    }

    /// Shows one value to the masks. What takes its place is appended to `new`.
    #[inline]
    pub(super) fn edit(
        &self,
        index: usize,
        value: &[u8],
        new: &mut Vec<u8>,
        buffers: &mut Buffers,
    ) -> Edit {
        if self.plan.passes(index) {
            return Edit::Keep;
        }
        let Some(column) = self.columns.get(index) else { return Edit::Null };
        let shape = Type::of(column.type_oid);
        match (shape, column.format) {
            (Type::Json, _) | (Type::Jsonb, Format::Text) => self.json(index, value, new, buffers),
            (Type::Jsonb, Format::Binary) => match value.split_first() {
                Some((1, text)) => {
                    new.push(1);
                    self.json(index, text, new, buffers)
                }
                _ => Edit::Null,
            },
            // Raw bytes are looked at as they are, like text.
            (_, Format::Text) | (Type::Text | Type::Bytes, Format::Binary) => {
                edit_of(self.plan.value(index, value, new))
            }
            (Type::Array(_) | Type::Record, Format::Binary) => {
                self.nested(index, column.type_oid, value, new, buffers)
            }
            (_, Format::Binary) => self.binary(index, column.type_oid, value, new, buffers),
        }
    }

    /// JSON hides letters behind escapes (`\u0040`), so a text with any is looked at string by
    /// string, unescaped.
    fn json(&self, index: usize, text: &[u8], new: &mut Vec<u8>, buffers: &mut Buffers) -> Edit {
        let before = new.len();
        match self.plan.value(index, text, new) {
            Masked::Null => return Edit::Null,
            Masked::Value => {}
            Masked::Unchanged => new.extend_from_slice(text),
        }
        let changed = new.get(before..).unwrap_or_default();
        if !changed.contains(&b'\\') {
            return if changed == text { Edit::Keep } else { Edit::Replace };
        }
        let edited = edit_json(changed, &mut buffers.nested, &mut |leaf, out| {
            !matches!(self.plan.value(index, leaf, out), Masked::Unchanged)
        });
        match edited {
            NestedEdit::Unchanged if changed == text => Edit::Keep,
            NestedEdit::Unchanged => Edit::Replace,
            NestedEdit::Changed => {
                new.truncate(before);
                new.extend_from_slice(&buffers.nested);
                Edit::Replace
            }
            NestedEdit::Malformed => Edit::Null,
        }
    }

    /// A binary value goes through its text and back; what cannot go back becomes NULL.
    fn binary(
        &self,
        index: usize,
        type_oid: u32,
        value: &[u8],
        new: &mut Vec<u8>,
        buffers: &mut Buffers,
    ) -> Edit {
        let text = match text_of(type_oid, Format::Binary, value, &mut buffers.decoded) {
            TextForm::Decoded => buffers.decoded.as_slice(),
            // A type we do not know: its bytes are looked at, and only NULL can replace them.
            TextForm::AsIs | TextForm::Tail(_) | TextForm::None => value,
        };
        buffers.leaf.clear();
        match self.plan.value(index, text, &mut buffers.leaf) {
            Masked::Unchanged => Edit::Keep,
            Masked::Value if binary_of(type_oid, &buffers.leaf, new) => Edit::Replace,
            Masked::Value | Masked::Null => Edit::Null,
        }
    }

    /// Arrays and records are looked at leaf by leaf. Leaves that are themselves nested are looked
    /// at as bytes.
    fn nested(
        &self,
        index: usize,
        type_oid: u32,
        value: &[u8],
        new: &mut Vec<u8>,
        buffers: &mut Buffers,
    ) -> Edit {
        let Buffers { decoded, nested, leaf, .. } = buffers;
        let mut changed = Vec::new();
        let edited =
            edit_nested(type_oid, value, nested, leaf, &mut |leaf_oid, bytes, replacement| {
                let text = match text_of(leaf_oid, Format::Binary, bytes, decoded) {
                    TextForm::Decoded => decoded.as_slice(),
                    TextForm::Tail(skip) => bytes.get(skip..).unwrap_or_default(),
                    TextForm::AsIs | TextForm::None => bytes,
                };
                changed.clear();
                match self.plan.value(index, text, &mut changed) {
                    Masked::Unchanged => Edit::Keep,
                    Masked::Value if binary_of(leaf_oid, &changed, replacement) => Edit::Replace,
                    Masked::Value | Masked::Null => Edit::Null,
                }
            });
        match edited {
            NestedEdit::Unchanged => Edit::Keep,
            NestedEdit::Changed => {
                new.extend_from_slice(nested);
                Edit::Replace
            }
            NestedEdit::Malformed => Edit::Null,
        }
    }

    /// The text of a value as it was shown, for the recording.
    pub(super) fn text<'a>(
        columns: &[WireColumn],
        index: usize,
        value: &'a [u8],
        decoded: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        let Some(column) = columns.get(index) else { return value };
        match text_of(column.type_oid, column.format, value, decoded) {
            TextForm::Decoded => decoded,
            TextForm::Tail(skip) => value.get(skip..).unwrap_or_default(),
            TextForm::AsIs | TextForm::None => value,
        }
    }

    /// The columns.
    pub(super) fn columns(&self) -> &[WireColumn] {
        &self.columns
    }
}

const fn edit_of(masked: Masked) -> Edit {
    match masked {
        Masked::Unchanged => Edit::Keep,
        Masked::Null => Edit::Null,
        Masked::Value => Edit::Replace,
    }
}
