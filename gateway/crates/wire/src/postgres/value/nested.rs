//! Values that hold values: arrays and records in binary, and JSON.
//!
//! Owns the walk and the rebuilding. Must not know what is looked for: a closure decides about
//! each leaf. Writes to a buffer of the caller's; what cannot be walked is reported, so that the
//! caller can put a stand-in.

use super::Shape;
use crate::Edit;
use crate::postgres::write::{put_i32, put_u32};
use crate::postgres::{Reader, Violation};

/// What became of a value that holds values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NestedEdit {
    /// Nothing changed; the output is to be ignored.
    Unchanged,
    /// The output holds the new value.
    Changed,
    /// The value is not of its type.
    Malformed,
}

/// Decides about one leaf: its type, its bytes, and the buffer for a replacement.
pub type EditLeaf<'a> = dyn FnMut(u32, &[u8], &mut Vec<u8>) -> Edit + 'a;

/// Shows each leaf of an array or record in binary to `edit`, with its type, and rebuilds the
/// value as it says. `out` and `scratch` are emptied first.
pub fn edit_nested(
    type_oid: u32,
    bytes: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    edit: &mut EditLeaf<'_>,
) -> NestedEdit {
    out.clear();
    let walked = match Shape::of(type_oid) {
        Shape::Array(_) => walk_array(bytes, out, scratch, edit),
        Shape::Record => walk_record(bytes, out, scratch, edit),
        _ => return NestedEdit::Malformed,
    };
    match walked {
        Ok(true) => NestedEdit::Changed,
        Ok(false) => NestedEdit::Unchanged,
        Err(_) => NestedEdit::Malformed,
    }
}

fn walk_array(
    bytes: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    edit: &mut EditLeaf<'_>,
) -> Result<bool, Violation> {
    const DIMENSIONS_MAX: usize = 6;
    let mut reader = Reader::new(bytes);
    let dimensions = usize::try_from(reader.i32("dimensions")?)
        .ok()
        .filter(|count| *count <= DIMENSIONS_MAX)
        .ok_or(Violation::Value { field: "dimensions" })?;
    reader.i32("flags")?;
    let element = reader.u32("element type")?;
    reader.bytes(dimensions * 8, "dimensions")?;
    let head = bytes.len() - reader.rest().len();
    out.extend_from_slice(bytes.get(..head).unwrap_or_default());
    let mut changed = false;
    while !reader.rest().is_empty() {
        let value = reader.value("element")?;
        changed |= put_leaf(element, value, out, scratch, edit);
    }
    // The flag says whether there are NULLs; clients accept it set without need, not the reverse.
    if let (true, Some(flags)) = (changed, out.get_mut(4..8)) {
        flags.copy_from_slice(&1_i32.to_be_bytes());
    }
    Ok(changed)
}

fn walk_record(
    bytes: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    edit: &mut EditLeaf<'_>,
) -> Result<bool, Violation> {
    let mut reader = Reader::new(bytes);
    let count = reader.i32("number of fields")?;
    put_i32(out, count);
    let mut changed = false;
    for _ in 0..count {
        let type_oid = reader.u32("field type")?;
        let value = reader.value("field")?;
        put_u32(out, type_oid);
        changed |= put_leaf(type_oid, value, out, scratch, edit);
    }
    reader.finish()?;
    Ok(changed)
}

fn put_leaf(
    type_oid: u32,
    value: Option<&[u8]>,
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    edit: &mut EditLeaf<'_>,
) -> bool {
    let Some(value) = value else {
        put_i32(out, -1);
        return false;
    };
    scratch.clear();
    let (new, changed) = match edit(type_oid, value, scratch) {
        Edit::Keep => (Some(value), false),
        Edit::Null => (None, true),
        Edit::Replace => (Some(scratch.as_slice()), true),
    };
    match new {
        None => put_i32(out, -1),
        Some(bytes) => {
            put_i32(out, i32::try_from(bytes.len()).unwrap_or(i32::MAX));
            out.extend_from_slice(bytes);
        }
    }
    changed
}

/// Shows each string (unescaped, without its quotes) and number of a JSON text to `edit`, and
/// rebuilds the text: a changed string is escaped anew, a changed number becomes 0. `edit` says
/// whether it changed the leaf and leaves the new text in its second argument. `out` is emptied
/// first.
pub fn edit_json(
    text: &[u8],
    out: &mut Vec<u8>,
    edit: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> bool,
) -> NestedEdit {
    out.clear();
    let mut changed = false;
    let mut new = Vec::new();
    let mut unescaped = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        new.clear();
        match first {
            b'"' => {
                let Some(end) = string_end(tail) else { return NestedEdit::Malformed };
                let (raw, after) = tail.split_at(end);
                let leaf = if memchr::memchr(b'\\', raw).is_some() {
                    if unescape(raw, &mut unescaped).is_none() {
                        return NestedEdit::Malformed;
                    }
                    unescaped.as_slice()
                } else {
                    raw
                };
                out.push(b'"');
                if edit(leaf, &mut new) {
                    changed = true;
                    escape(&new, out);
                } else {
                    out.extend_from_slice(raw);
                }
                out.push(b'"');
                rest = after.get(1..).unwrap_or_default();
            }
            b'-' | b'0'..=b'9' => {
                let end = rest
                    .iter()
                    .position(|byte| {
                        !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
                    })
                    .unwrap_or(rest.len());
                let (number, after) = rest.split_at(end);
                if edit(number, &mut new) {
                    changed = true;
                    out.push(b'0');
                } else {
                    out.extend_from_slice(number);
                }
                rest = after;
            }
            other => {
                out.push(*other);
                rest = tail;
            }
        }
    }
    if changed { NestedEdit::Changed } else { NestedEdit::Unchanged }
}

/// Where the quote stands that ends a string.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    let mut rest = raw;
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'\\' {
            out.push(*first);
            rest = tail;
            continue;
        }
        let (code, mut tail) = tail.split_first()?;
        match code {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'"' | b'\\' | b'/' => out.push(*code),
            b'u' => {
                let character = unicode_escape(&mut tail)?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return None,
        }
        rest = tail;
    }
    Some(())
}

/// Reads what follows `\u`, and the second half of a surrogate pair where the first asks for it.
/// A lone half becomes U+FFFD.
fn unicode_escape(rest: &mut &[u8]) -> Option<char> {
    let first = hex4(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    let mut ahead: &[u8] = rest;
    if ahead.starts_with(b"\\u") {
        ahead = ahead.get(2..)?;
        let second = hex4(&mut ahead)?;
        if (0xdc00..0xe000).contains(&second) {
            *rest = ahead;
            return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
    }
    Some(char::REPLACEMENT_CHARACTER)
}

fn hex4(rest: &mut &[u8]) -> Option<u32> {
    let (four, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    let digits = str::from_utf8(four).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[
                    b'\\',
                    b'u',
                    b'0',
                    b'0',
                    digit(byte >> 4),
                    digit(byte & 15),
                ]);
            }
            other => out.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oid;
    use super::*;
    use proptest::prelude::*;

    fn star_mail(leaf: &[u8], new: &mut Vec<u8>) -> bool {
        new.extend_from_slice(b"*\"*");
        leaf.contains(&b'@') || leaf == b"4111111111111111"
    }

    fn json(text: &str) -> Option<String> {
        let mut out = Vec::new();
        match edit_json(text.as_bytes(), &mut out, &mut star_mail) {
            NestedEdit::Changed => Some(String::from_utf8(out).unwrap()),
            NestedEdit::Unchanged => None,
            NestedEdit::Malformed => Some("malformed".into()),
        }
    }

    #[test]
    fn json_stays_json() {
        assert_eq!(
            json(r#"{"a": "x@y.z", "n": 4111111111111111, "b": [true, "c\n", -1.5e3]}"#).as_deref(),
            Some(r#"{"a": "*\"*", "n": 0, "b": [true, "c\n", -1.5e3]}"#)
        );
        assert_eq!(json(r#"{"a": "x", "n": 1}"#), None);
        assert_eq!(json(r#""x""#), None);
        assert_eq!(json(r#"{"a": "x"#).as_deref(), Some("malformed"));
    }

    #[test]
    fn an_escaped_letter_does_not_hide_a_value() {
        assert_eq!(json(r#"["amy\u0040shop.example"]"#).as_deref(), Some(r#"["*\"*"]"#));
        assert_eq!(json(r#"["\ud83d\ude00\u0040"]"#).as_deref(), Some(r#"["*\"*"]"#));
        assert_eq!(json(r#"["\ud83d@"]"#).as_deref(), Some(r#"["*\"*"]"#));
        assert_eq!(json(r#"["\uZZZZ"]"#).as_deref(), Some("malformed"));
    }

    fn text_array(values: &[Option<&[u8]>]) -> Vec<u8> {
        let mut out = Vec::new();
        for value in [1, 0] {
            put_i32(&mut out, value);
        }
        put_u32(&mut out, oid::TEXT);
        put_i32(&mut out, i32::try_from(values.len()).unwrap());
        put_i32(&mut out, 1);
        for value in values {
            match value {
                None => put_i32(&mut out, -1),
                Some(bytes) => {
                    put_i32(&mut out, i32::try_from(bytes.len()).unwrap());
                    out.extend_from_slice(bytes);
                }
            }
        }
        out
    }

    #[test]
    fn one_element_of_an_array_changes_and_the_rest_stays() {
        let mut out = Vec::new();
        let edited = edit_nested(
            1009,
            &text_array(&[Some(b"a"), None, Some(b"x@y")]),
            &mut out,
            &mut Vec::new(),
            &mut |type_oid, leaf, scratch| {
                assert_eq!(type_oid, oid::TEXT);
                scratch.extend_from_slice(b"***");
                if leaf.contains(&b'@') { Edit::Replace } else { Edit::Keep }
            },
        );
        assert_eq!(edited, NestedEdit::Changed);
        let mut want = text_array(&[Some(b"a"), None, Some(b"***")]);
        want[7] = 1;
        assert_eq!(out, want);
    }

    #[test]
    fn a_field_of_a_record_becomes_null() {
        let mut record = Vec::new();
        put_i32(&mut record, 2);
        for (type_oid, value) in [(oid::INT4, &[0, 0, 0, 7][..]), (oid::TEXT, b"x@y")] {
            put_u32(&mut record, type_oid);
            put_i32(&mut record, i32::try_from(value.len()).unwrap());
            record.extend_from_slice(value);
        }
        let mut out = Vec::new();
        let edited =
            edit_nested(oid::RECORD, &record, &mut out, &mut Vec::new(), &mut |type_oid, _, _| {
                if type_oid == oid::TEXT { Edit::Null } else { Edit::Keep }
            });
        assert_eq!(edited, NestedEdit::Changed);
        assert_eq!(out.len(), record.len() - 3);
        assert_eq!(&out[out.len() - 4..], [255; 4]);
    }

    proptest! {
        #[test]
        fn no_value_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for type_oid in [1009, oid::RECORD, oid::TEXT] {
                let _ = edit_nested(
                    type_oid, &bytes, &mut Vec::new(), &mut Vec::new(), &mut |_, _, _| Edit::Null);
            }
            let _ = edit_json(&bytes, &mut Vec::new(), &mut star_mail);
        }
    }
}
