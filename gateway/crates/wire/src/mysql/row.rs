//! Rows: their values, read and written anew, as text and in binary.
//!
//! Owns both formats. Must not know what is masked, nor what a value means. A row in which nothing
//! changes is not written; of one that is, what is untouched is copied by ranges.

use super::value::Type;
use super::{Reader, Violation, put_lenenc};
use crate::Edit;

/// The first byte of a row in binary.
const BINARY_ROW: u8 = 0;
/// Bits of the NULL map before that of the first column.
const NULL_MAP_OFFSET: usize = 2;

/// Each value of a row of texts; `None` is NULL. Ends after the first that is broken.
pub fn text_values(payload: &[u8]) -> impl Iterator<Item = Result<Option<&[u8]>, Violation>> {
    let mut reader = Reader::new(payload);
    std::iter::from_fn(move || {
        if reader.is_empty() {
            return None;
        }
        let value = reader.value("value");
        if value.is_err() {
            reader = Reader::new(b"");
        }
        Some(value)
    })
}

/// The values of a row of texts, however often they are read; `None` is NULL.
///
/// # Errors
/// Where the row has not exactly `columns` values.
#[inline]
pub fn text_row_values(
    payload: &[u8],
    columns: usize,
) -> Result<impl ExactSizeIterator<Item = Option<&[u8]>>, Violation> {
    let mut reader = Reader::new(payload);
    for _ in 0..columns {
        let _ = reader.value("value")?;
    }
    reader.finish()?;
    let mut reader = Reader::new(payload);
    // Each can be read: it has been.
    Ok((0..columns).map(move |_| reader.value("value").unwrap_or_default()))
}

/// Shows each value of a row of texts that is not NULL to `edit`, and writes the row anew as it
/// says. `scratch` is emptied before each value and is where `edit` leaves a replacement. Says
/// whether anything was written: where not, the row stays as it is.
///
/// # Errors
/// Where the row has not exactly `columns` values. Then `out` may end in half a row.
#[inline]
pub fn edit_text_row(
    payload: &[u8],
    columns: usize,
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    mut edit: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Edit,
) -> Result<bool, Violation> {
    let mut reader = Reader::new(payload);
    let mut copied = 0;
    let mut changed = false;
    for index in 0..columns {
        let at = payload.len() - reader.rest().len();
        let Some(value) = reader.value("value")? else { continue };
        scratch.clear();
        let edited = edit(index, value, scratch);
        if edited == Edit::Keep {
            continue;
        }
        changed = true;
        out.extend_from_slice(payload.get(copied..at).unwrap_or_default());
        copied = payload.len() - reader.rest().len();
        match edited {
            Edit::Replace => put_lenenc(out, scratch),
            Edit::Null | Edit::Keep => out.push(0xfb),
        }
    }
    reader.finish()?;
    if changed {
        out.extend_from_slice(payload.get(copied..).unwrap_or_default());
    }
    Ok(changed)
}

/// Each value of a row in binary, without its length; `None` is NULL.
///
/// # Errors
/// Where the row has no head. Values are checked as they are read.
pub fn binary_values<'a>(
    payload: &'a [u8],
    types: &'a [Type],
) -> Result<impl Iterator<Item = Result<Option<&'a [u8]>, Violation>> + use<'a>, Violation> {
    let (nulls, mut reader) = binary_head(payload, types.len())?;
    Ok(types.iter().enumerate().map(move |(index, one)| {
        if is_null(nulls, index) { Ok(None) } else { one.take(&mut reader).map(Some) }
    }))
}

/// Like [`edit_text_row`], for a row in binary. `edit` sees a value's bytes without their length,
/// and a replacement is written with the length it needs; one that cannot stand there is NULL.
///
/// # Errors
/// Where the row has not exactly the values of `types`. Then `out` may end in half a row.
#[inline]
pub fn edit_binary_row(
    payload: &[u8],
    types: &[Type],
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    mut edit: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Edit,
) -> Result<bool, Violation> {
    let (nulls, mut reader) = binary_head(payload, types.len())?;
    let row_at = out.len();
    let mut copied = 0;
    let mut changed = false;
    for (index, one) in types.iter().enumerate() {
        if is_null(nulls, index) {
            continue;
        }
        let at = payload.len() - reader.rest().len();
        let value = one.take(&mut reader)?;
        scratch.clear();
        let edited = edit(index, value, scratch);
        if edited == Edit::Keep {
            continue;
        }
        changed = true;
        out.extend_from_slice(payload.get(copied..at).unwrap_or_default());
        copied = payload.len() - reader.rest().len();
        if edited != Edit::Replace || !one.put(out, scratch) {
            let bit = index + NULL_MAP_OFFSET;
            if let Some(byte) = out.get_mut(row_at + 1 + bit / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    reader.finish()?;
    if changed {
        out.extend_from_slice(payload.get(copied..).unwrap_or_default());
    }
    Ok(changed)
}

/// The NULL map of a row in binary, and a reader over its values.
fn binary_head(payload: &[u8], columns: usize) -> Result<(&[u8], Reader<'_>), Violation> {
    let mut reader = Reader::new(payload);
    if reader.u8("head of the row")? != BINARY_ROW {
        return Err(Violation::Value { field: "head of the row" });
    }
    let nulls = reader.bytes((columns + NULL_MAP_OFFSET).div_ceil(8), "NULL map")?;
    Ok((nulls, reader))
}

#[inline]
fn is_null(nulls: &[u8], index: usize) -> bool {
    let bit = index + NULL_MAP_OFFSET;
    nulls.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::column::kind;
    use proptest::prelude::*;

    type Values = Vec<Option<Vec<u8>>>;

    fn text_row(values: &Values) -> Vec<u8> {
        let mut out = Vec::new();
        for value in values {
            match value {
                Some(value) => put_lenenc(&mut out, value),
                None => out.push(0xfb),
            }
        }
        out
    }

    const TEXT: Type = Type { kind: kind::VAR_STRING, unsigned: false };
    const LONG: Type = Type { kind: kind::LONG, unsigned: false };

    fn binary_row(values: &Values, types: &[Type]) -> Vec<u8> {
        let mut out = vec![0; 1 + (values.len() + 2).div_ceil(8)];
        for (index, (value, one)) in values.iter().zip(types).enumerate() {
            match value {
                Some(value) => assert!(one.put(&mut out, value)),
                None => out[1 + (index + 2) / 8] |= 1 << ((index + 2) % 8),
            }
        }
        out
    }

    /// What the values are after the edits: 0 keeps, 1 makes NULL, anything else replaces.
    fn wanted(values: &Values, edits: &[(u8, Vec<u8>)]) -> Values {
        values
            .iter()
            .zip(edits)
            .map(|(value, (kind, new))| match (value, kind) {
                (None, _) | (_, 1) => None,
                (Some(old), 0) => Some(old.clone()),
                (Some(_), _) => Some(new.clone()),
            })
            .collect()
    }

    fn editor(edits: &[(u8, Vec<u8>)]) -> impl FnMut(usize, &[u8], &mut Vec<u8>) -> Edit {
        move |index, _, scratch| match edits[index].0 {
            0 => Edit::Keep,
            1 => Edit::Null,
            _ => {
                scratch.extend_from_slice(&edits[index].1);
                Edit::Replace
            }
        }
    }

    #[test]
    fn a_row_whose_values_are_too_few_or_too_many_is_refused() {
        let whole = text_row(&vec![Some(b"1".to_vec()), None, Some(b"amy".to_vec())]);
        let keep = |_: usize, _: &[u8], _: &mut Vec<u8>| Edit::Keep;
        let edit = |row: &[u8], columns| {
            edit_text_row(row, columns, &mut Vec::new(), &mut Vec::new(), keep)
        };
        assert_eq!(edit(&whole, 3), Ok(false));
        assert!(edit(&whole, 2).is_err() && edit(&whole, 4).is_err());
        let values: Vec<_> = text_row_values(&whole, 3).unwrap().collect();
        assert_eq!(values, [Some(&b"1"[..]), None, Some(b"amy")]);
        assert!(text_row_values(&whole, 2).is_err() && text_row_values(&whole, 4).is_err());
        for cut in 0..whole.len() {
            assert!(edit(&whole[..cut], 3).is_err(), "cut at {cut}");
            assert!(text_row_values(&whole[..cut], 3).is_err(), "cut at {cut}");
        }
        let types = [LONG, TEXT];
        let whole = binary_row(&vec![Some(vec![1, 0, 0, 0]), Some(b"amy".to_vec())], &types);
        let edit = |row: &[u8], types: &[Type]| {
            edit_binary_row(row, types, &mut Vec::new(), &mut Vec::new(), keep)
        };
        assert_eq!(edit(&whole, &types), Ok(false));
        assert!(edit(&whole, &[LONG]).is_err() && edit(&whole, &[LONG, TEXT, TEXT]).is_err());
        for cut in 0..whole.len() {
            assert!(edit(&whole[..cut], &types).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_replacement_that_cannot_stand_there_is_null() {
        let types = [LONG];
        let row = binary_row(&vec![Some(vec![1, 0, 0, 0])], &types);
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        let changed = edit_binary_row(&row, &types, &mut out, &mut scratch, |_, _, scratch| {
            scratch.extend_from_slice(b"***");
            Edit::Replace
        });
        assert_eq!(changed, Ok(true));
        assert_eq!(out, binary_row(&vec![None], &types));
    }

    proptest! {
        #[test]
        fn an_edited_row_is_the_row_of_the_edited_values(
            values in prop::collection::vec(
                prop::option::of(prop::collection::vec(any::<u8>(), 0..300)), 0..20),
            edits in prop::collection::vec(
                (0u8..3, prop::collection::vec(any::<u8>(), 0..12)), 20),
        ) {
            let want = wanted(&values, &edits);
            let row = text_row(&values);
            let (mut out, mut scratch) = (Vec::new(), Vec::new());
            let changed =
                edit_text_row(&row, values.len(), &mut out, &mut scratch, editor(&edits)).unwrap();
            let got = if changed { &out } else { &row };
            prop_assert_eq!(got, &text_row(&want));
            let back: Result<Values, _> =
                text_values(got).map(|value| Ok(value?.map(<[u8]>::to_vec))).collect();
            prop_assert_eq!(back, Ok::<_, Violation>(want.clone()));

            let types = vec![TEXT; values.len()];
            let row = binary_row(&values, &types);
            let mut out = Vec::new();
            let changed =
                edit_binary_row(&row, &types, &mut out, &mut scratch, editor(&edits)).unwrap();
            let got = if changed { &out } else { &row };
            prop_assert_eq!(got, &binary_row(&want, &types));
            let back: Result<Values, _> = binary_values(got, &types).unwrap()
                .map(|value| Ok(value?.map(<[u8]>::to_vec))).collect();
            prop_assert_eq!(back, Ok::<_, Violation>(want));
        }

        #[test]
        fn no_row_panics(
            payload in prop::collection::vec(any::<u8>(), 0..64),
            kinds in prop::collection::vec(any::<u8>(), 0..8),
        ) {
            let types: Vec<Type> =
                kinds.iter().map(|kind| Type { kind: *kind, unsigned: false }).collect();
            let null = |_: usize, _: &[u8], _: &mut Vec<u8>| Edit::Null;
            let (mut out, mut scratch) = (Vec::new(), Vec::new());
            let _ = text_values(&payload).count();
            let _ = edit_text_row(&payload, types.len(), &mut out, &mut scratch, null);
            let _ = edit_binary_row(&payload, &types, &mut out, &mut scratch, null);
            let _ = binary_values(&payload, &types).map(Iterator::count);
        }
    }
}
