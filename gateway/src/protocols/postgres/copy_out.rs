//! `COPY .. TO STDOUT`, masked: rows cut out of the stream, changed, and put back.
//!
//! Owns the three formats (text, CSV, binary: PostgreSQL documentation, "COPY", "File Formats").
//! Must not know which column is masked. Holds at most one unfinished row; a row longer than its
//! bound ends the session, because it could be neither shown nor held. What is left at the end
//! without a row's end is dropped.

use wire::Edit;
use wire::postgres::{Format, Violation};

use super::shape::{Buffers, Shape};
use crate::session::sql::{CopyFormat, CopyOptions};

/// Masks the data of one COPY.
#[derive(Debug)]
pub(super) struct CopyMask {
    shape: Shape,
    syntax: Syntax,
    /// The beginning of a row whose end has not come.
    pending: Vec<u8>,
    pending_bytes_max: usize,
    buffers: Buffers,
    value: Vec<u8>,
    changed: Vec<u8>,
    at_start: bool,
    rows: u64,
    masked: u64,
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Syntax {
    Text { delimiter: u8, null: Vec<u8>, header: bool },
    Csv { delimiter: u8, quote: u8, escape: u8, null: Vec<u8>, header: bool },
    Binary,
}

/// Whether a COPY with these options can be masked at all: judged before anything is sent.
pub(super) fn is_maskable(options: &CopyOptions) -> bool {
    Syntax::of(options).is_some()
}

impl Syntax {
    fn of(options: &CopyOptions) -> Option<Self> {
        let one = |given: &Option<std::sync::Arc<str>>, default: u8| match given.as_deref() {
            None => Some(default),
            Some(text) => match text.as_bytes() {
                [byte] => Some(*byte),
                _ => None,
            },
        };
        let utf8 = options.encoding.as_deref().is_none_or(|name| {
            let folded = name.to_ascii_lowercase().replace(['-', '_'], "");
            folded == "utf8" || folded == "unicode"
        });
        if !utf8 {
            return None;
        }
        let null = |default: &str| options.null.as_deref().unwrap_or(default).as_bytes().to_vec();
        match options.format {
            CopyFormat::Text => Some(Self::Text {
                delimiter: one(&options.delimiter, b'\t')?,
                null: null("\\N"),
                header: options.header,
            }),
            CopyFormat::Csv => {
                let quote = one(&options.quote, b'"')?;
                Some(Self::Csv {
                    delimiter: one(&options.delimiter, b',')?,
                    quote,
                    escape: one(&options.escape, quote)?,
                    null: null(""),
                    header: options.header,
                })
            }
            CopyFormat::Binary => Some(Self::Binary),
            CopyFormat::Other => None,
        }
    }

    /// The wire format of values.
    const fn format(&self) -> Format {
        match self {
            Self::Text { .. } | Self::Csv { .. } => Format::Text,
            Self::Binary => Format::Binary,
        }
    }
}

/// The wire format of the values of a COPY with these options.
pub(super) fn value_format(options: &CopyOptions) -> Option<Format> {
    Syntax::of(options).map(|syntax| syntax.format())
}

impl CopyMask {
    /// Begins a COPY; `None` where its options are such that it cannot be masked.
    pub(super) fn new(options: &CopyOptions, shape: Shape, row_bytes_max: usize) -> Option<Self> {
        Some(Self {
            shape,
            syntax: Syntax::of(options)?,
            pending: Vec::new(),
            pending_bytes_max: row_bytes_max,
            buffers: Buffers::default(),
            value: Vec::new(),
            changed: Vec::new(),
            at_start: true,
            rows: 0,
            masked: 0,
        })
    }

    /// Rows let through so far.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Values changed so far.
    pub(super) const fn masked(&self) -> u64 {
        self.masked
    }

    /// Takes a piece of the stream and appends every row that ends in it, masked.
    ///
    /// # Errors
    /// Where a row is not of the format, or longer than may be held.
    pub(super) fn push(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Violation> {
        let mut pending = std::mem::take(&mut self.pending);
        let taken = if pending.is_empty() {
            self.take_rows(data, out)?
        } else {
            pending.extend_from_slice(data);
            self.take_rows(&pending, out)?
        };
        if pending.is_empty() {
            pending.extend_from_slice(data.get(taken..).unwrap_or_default());
        } else {
            pending.drain(..taken);
        }
        if pending.len() > self.pending_bytes_max {
            return Err(Violation::TooLong {
                length: pending.len(),
                limit: self.pending_bytes_max,
            });
        }
        self.pending = pending;
        Ok(())
    }

    fn take_rows(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<usize, Violation> {
        let mut at = 0;
        while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
            let taken = match &self.syntax {
                Syntax::Text { .. } => self.take_text_row(rest, out)?,
                Syntax::Csv { .. } => self.take_csv_row(rest, out)?,
                Syntax::Binary => self.take_binary_row(rest, out)?,
            };
            match taken {
                Some(taken) => at += taken,
                None => break,
            }
        }
        Ok(at)
    }

    /// Shows one value to the masks; what takes its place is left in `self.changed`.
    fn edit(&mut self, column: usize, value: &[u8]) -> Edit {
        self.changed.clear();
        let edit = self.shape.edit(column, value, &mut self.changed, &mut self.buffers);
        self.masked += u64::from(edit != Edit::Keep);
        edit
    }

    fn take_text_row(
        &mut self,
        data: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Violation> {
        let Syntax::Text { delimiter, null, header } = self.syntax.clone() else {
            return Ok(None);
        };
        // A newline within a value is written `\n`, so a bare one ends the row.
        let Some(end) = memchr::memchr(b'\n', data) else { return Ok(None) };
        let line = data.get(..end).unwrap_or_default();
        if std::mem::take(&mut self.at_start) && header {
            out.extend_from_slice(data.get(..=end).unwrap_or_default());
            return Ok(Some(end + 1));
        }
        let mut rest = line;
        let mut column = 0;
        loop {
            let length = text_field_end(rest, delimiter);
            let (field, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.put_text_field(column, field, delimiter, &null, out);
            column += 1;
            match after.split_first() {
                Some((_, after)) => {
                    out.push(delimiter);
                    rest = after;
                }
                None => break,
            }
        }
        self.end_row(column)?;
        out.push(b'\n');
        Ok(Some(end + 1))
    }

    fn put_text_field(
        &mut self,
        column: usize,
        field: &[u8],
        delimiter: u8,
        null: &[u8],
        out: &mut Vec<u8>,
    ) {
        if field == null {
            out.extend_from_slice(field);
            return;
        }
        let mut value = std::mem::take(&mut self.value);
        let escaped = memchr::memchr(b'\\', field).is_some();
        let edit = if escaped {
            value.clear();
            unescape_text(field, &mut value);
            self.edit(column, &value)
        } else {
            self.edit(column, field)
        };
        self.value = value;
        match edit {
            Edit::Keep => out.extend_from_slice(field),
            Edit::Null => out.extend_from_slice(null),
            Edit::Replace => escape_text(&self.changed, delimiter, out),
        }
    }

    fn take_csv_row(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, Violation> {
        let Syntax::Csv { delimiter, quote, escape, null, header } = self.syntax.clone() else {
            return Ok(None);
        };
        let Some(end) = csv_row_end(data, quote, escape) else { return Ok(None) };
        if std::mem::take(&mut self.at_start) && header {
            out.extend_from_slice(data.get(..=end).unwrap_or_default());
            return Ok(Some(end + 1));
        }
        let mut rest = data.get(..end).unwrap_or_default();
        let mut column = 0;
        loop {
            let length = csv_field_end(rest, delimiter, quote, escape);
            let (field, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let marks = CsvMarks { delimiter, quote, escape, null: &null };
            self.put_csv_field(column, field, &marks, out);
            column += 1;
            match after.split_first() {
                Some((_, after)) => {
                    out.push(delimiter);
                    rest = after;
                }
                None => break,
            }
        }
        self.end_row(column)?;
        out.push(b'\n');
        Ok(Some(end + 1))
    }

    fn put_csv_field(
        &mut self,
        column: usize,
        field: &[u8],
        marks: &CsvMarks<'_>,
        out: &mut Vec<u8>,
    ) {
        if field == marks.null {
            out.extend_from_slice(field);
            return;
        }
        let mut value = std::mem::take(&mut self.value);
        let quoted = field.first() == Some(&marks.quote);
        let edit = if quoted {
            value.clear();
            unquote_csv(field, marks, &mut value);
            self.edit(column, &value)
        } else {
            self.edit(column, field)
        };
        self.value = value;
        match edit {
            Edit::Keep => out.extend_from_slice(field),
            Edit::Null => out.extend_from_slice(marks.null),
            Edit::Replace => quote_csv(&self.changed, quoted, marks, out),
        }
    }

    /// The header (signature, flags, extension), a row, or the trailer.
    fn take_binary_row(
        &mut self,
        data: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Violation> {
        const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
        let number = |at: usize| {
            data.get(at..).and_then(<[u8]>::first_chunk::<4>).map(|four| i32::from_be_bytes(*four))
        };
        if self.at_start {
            let Some(extension) = number(SIGNATURE.len() + 4) else { return Ok(None) };
            let extension = usize::try_from(extension)
                .map_err(|_| Violation::Value { field: "COPY header" })?;
            let length = SIGNATURE.len().saturating_add(8).saturating_add(extension);
            let Some(head) = data.get(..length) else { return Ok(None) };
            if !head.starts_with(SIGNATURE) {
                return Err(Violation::Value { field: "COPY signature" });
            }
            out.extend_from_slice(head);
            self.at_start = false;
            return Ok(Some(length));
        }
        let Some((count, _)) = data.split_first_chunk::<2>() else { return Ok(None) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            out.extend_from_slice(&count.to_be_bytes());
            return Ok(Some(2));
        }
        let columns =
            usize::try_from(count).map_err(|_| Violation::Value { field: "COPY field count" })?;
        // First whether the row is whole, so that nothing is written of one that is not.
        let mut end = 2_usize;
        for _ in 0..columns {
            let Some(length) = number(end) else { return Ok(None) };
            end = end.saturating_add(4).saturating_add(match length {
                -1 => 0,
                _ => {
                    usize::try_from(length).map_err(|_| Violation::Value { field: "COPY field" })?
                }
            });
        }
        if end > data.len() {
            return Ok(None);
        }
        out.extend_from_slice(&count.to_be_bytes());
        let mut at = 2;
        for column in 0..columns {
            let length = number(at).and_then(|length| usize::try_from(length).ok());
            at += 4;
            let Some(length) = length else {
                out.extend_from_slice(&(-1_i32).to_be_bytes());
                continue;
            };
            let value = data.get(at..at + length).unwrap_or_default();
            at += length;
            let edit = self.edit(column, value);
            let shown = match edit {
                Edit::Keep => value,
                Edit::Replace => self.changed.as_slice(),
                Edit::Null => {
                    out.extend_from_slice(&(-1_i32).to_be_bytes());
                    continue;
                }
            };
            out.extend_from_slice(&i32::try_from(shown.len()).unwrap_or(i32::MAX).to_be_bytes());
            out.extend_from_slice(shown);
        }
        self.end_row(columns)?;
        Ok(Some(end))
    }

    /// A row with another number of fields was cut wrongly, by us or by the server.
    fn end_row(&mut self, columns: usize) -> Result<(), Violation> {
        // A relation without columns gives empty lines.
        if columns != self.shape.len() && !(self.shape.len() == 0 && columns == 1) {
            return Err(Violation::Value { field: "number of COPY fields" });
        }
        self.rows += 1;
        Ok(())
    }
}

/// Where a field of a text row ends: at a delimiter that no backslash precedes.
fn text_field_end(rest: &[u8], delimiter: u8) -> usize {
    let mut from = 0;
    while let Some(found) =
        rest.get(from..).and_then(|rest| memchr::memchr2(delimiter, b'\\', rest))
    {
        let at = from + found;
        if rest.get(at) == Some(&delimiter) {
            return at;
        }
        from = at + 2;
    }
    rest.len()
}

fn unescape_text(field: &[u8], out: &mut Vec<u8>) {
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let Some((code, tail)) = rest.split_first() else { break };
        rest = tail;
        // The server writes these and no others (`\x41` and `\101` are only read).
        out.push(match code {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => *other,
        });
    }
}

fn escape_text(value: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    for byte in value {
        let code = match byte {
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            b'\\' => b'\\',
            other if *other == delimiter => *other,
            other => {
                out.push(*other);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', code]);
    }
}

struct CsvMarks<'a> {
    delimiter: u8,
    quote: u8,
    escape: u8,
    null: &'a [u8],
}

/// Where a CSV row ends: at a newline outside quotes. Within quotes an escape (which may be the
/// quote itself) takes the meaning of the quote or escape that follows.
fn csv_row_end(data: &[u8], quote: u8, escape: u8) -> Option<usize> {
    let mut inside = false;
    let mut bytes = data.iter().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if inside && *byte == escape {
            match bytes.peek() {
                Some((_, next)) if **next == quote || **next == escape => {
                    bytes.next();
                }
                // The last byte: whether it closes or escapes, only the next piece tells.
                None => return None,
                Some(_) if escape == quote => inside = false,
                Some(_) => {}
            }
        } else if *byte == quote {
            inside = !inside;
        } else if *byte == b'\n' && !inside {
            return Some(at);
        }
    }
    None
}

fn csv_field_end(rest: &[u8], delimiter: u8, quote: u8, escape: u8) -> usize {
    let mut inside = false;
    let mut bytes = rest.iter().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if inside && *byte == escape {
            match bytes.peek() {
                Some((_, next)) if **next == quote || **next == escape => {
                    bytes.next();
                }
                _ if escape == quote => inside = false,
                _ => {}
            }
        } else if *byte == quote {
            inside = !inside;
        } else if *byte == delimiter && !inside {
            return at;
        }
    }
    rest.len()
}

fn unquote_csv(field: &[u8], marks: &CsvMarks<'_>, out: &mut Vec<u8>) {
    let inner = field.get(1..field.len().saturating_sub(1)).unwrap_or_default();
    let mut rest = inner;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == marks.escape
            && let Some((next, tail)) = rest.split_first()
            && (*next == marks.quote || *next == marks.escape)
        {
            out.push(*next);
            rest = tail;
            continue;
        }
        out.push(*first);
    }
}

fn quote_csv(value: &[u8], quoted: bool, marks: &CsvMarks<'_>, out: &mut Vec<u8>) {
    let special = |byte: &u8| {
        *byte == marks.delimiter || *byte == marks.quote || matches!(byte, b'\n' | b'\r')
    };
    let lone_end = value == b"\\.";
    if !quoted && value != marks.null && !value.iter().any(special) && !lone_end {
        out.extend_from_slice(value);
        return;
    }
    out.push(marks.quote);
    for byte in value {
        if *byte == marks.quote || *byte == marks.escape {
            out.push(marks.escape);
        }
        out.push(*byte);
    }
    out.push(marks.quote);
}
