//! The answer to a question of our own.
//!
//! Owns the reading of one result, text rows or none. Must not know the question. Ends with
//! [`Part::Done`] or [`Part::Failed`].

use wire::mysql::answer::{Beginning, EofPacket, ErrPacket};
use wire::mysql::column::Column;
use wire::mysql::row::text_values;
use wire::mysql::{Capabilities, Violation};

/// What a message of the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Something on the way.
    More,
    /// A row: read it with [`values`].
    Row,
    /// The end, with the session's status.
    Done(u16),
    /// The server said no, by this number.
    Failed(u16),
}

/// Where the answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reply {
    /// Nothing has come.
    #[default]
    Begin,
    /// So many columns are still to be described.
    Columns(usize),
    /// The end of the columns is due.
    ColumnsEnd,
    /// Rows.
    Rows,
}

impl Reply {
    /// Takes the next message.
    ///
    /// # Errors
    /// Where it does not belong there.
    pub(super) fn take(
        &mut self,
        payload: &[u8],
        capabilities: Capabilities,
    ) -> Result<Part, Violation> {
        match *self {
            Self::Begin => match Beginning::read(payload, capabilities)? {
                Beginning::Ok(ok) => return Ok(Part::Done(ok.status)),
                Beginning::Err(error) => return Ok(Part::Failed(error.code)),
                Beginning::Rows(count) => *self = Self::Columns(count),
                Beginning::LocalFile => return Err(Violation::Value { field: "answer" }),
            },
            Self::Columns(left) => {
                Column::read(payload)?;
                *self = match left.saturating_sub(1) {
                    0 => Self::ColumnsEnd,
                    left => Self::Columns(left),
                };
            }
            Self::ColumnsEnd => {
                EofPacket::read(payload)?;
                *self = Self::Rows;
            }
            Self::Rows if EofPacket::is(payload) => {
                let end = EofPacket::read(payload)?;
                // We ask one question at a time.
                if end.has_more() {
                    return Err(Violation::Value { field: "status" });
                }
                return Ok(Part::Done(end.status));
            }
            Self::Rows if payload.first() == Some(&0xff) => {
                return Ok(Part::Failed(ErrPacket::read(payload)?.code));
            }
            Self::Rows => return Ok(Part::Row),
        }
        Ok(Part::More)
    }
}

/// The values of a row as text; `None` where the row cannot be read.
pub(super) fn values(payload: &[u8]) -> Option<Vec<Option<&str>>> {
    text_values(payload)
        .map(|value| match value.ok()? {
            Some(bytes) => str::from_utf8(bytes).ok().map(Some),
            None => Some(None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_rows_and_one_without_are_read_to_their_end() {
        let take = |reply: &mut Reply, payload: &[u8]| reply.take(payload, Capabilities::OFFERED);
        let mut reply = Reply::default();
        let mut column = Vec::new();
        Column {
            database: b"",
            table: b"",
            stored_table: b"",
            name: b"x",
            stored_name: b"",
            collation: 45,
            length: 1,
            kind: 253,
            flags: 0,
            decimals: 0,
        }
        .put(&mut column);
        assert_eq!(take(&mut reply, &[1]), Ok(Part::More));
        assert_eq!(take(&mut reply, &column), Ok(Part::More));
        assert_eq!(take(&mut reply, &[0xfe, 0, 0, 2, 0]), Ok(Part::More));
        assert_eq!(take(&mut reply, b"\x03amy"), Ok(Part::Row));
        assert_eq!(values(b"\x03amy\xfb"), Some(vec![Some("amy"), None]));
        assert_eq!(take(&mut reply, &[0xfe, 0, 0, 2, 0]), Ok(Part::Done(2)));
        let ok = [0, 0, 0, 2, 0, 0, 0];
        assert_eq!(take(&mut Reply::default(), &ok), Ok(Part::Done(2)));
        assert_eq!(take(&mut Reply::default(), &[0xff, 7, 0]), Ok(Part::Failed(7)));
        assert!(take(&mut Reply::default(), b"\xfb/etc/passwd").is_err());
        assert!(take(&mut Reply::Rows, &[0xfe, 0, 0, 8, 0]).is_err(), "more results");
        assert_eq!(values(b"\x05amy"), None);
        assert_eq!(values(b"\x01\xff"), None);
    }
}
