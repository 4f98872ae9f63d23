//! How answers begin and end: OK, EOF, ERR, and the number of columns.
//!
//! Owns their formats and the changes of the session's state that an OK tells. Must not know what
//! was asked.

use super::status::{MORE_RESULTS, STATE_CHANGED};
use super::{Capabilities, Reader, Violation, put_lenenc, put_lenenc_int, put_u16};

/// Payload bytes from which on a message that begins like an EOF is none.
const EOF_BYTES_BELOW: usize = 9;

/// The most columns a result can have, in every server.
pub const COLUMNS_MAX: u64 = 65_535;

/// Something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OkPacket<'a> {
    /// Rows it affected.
    pub affected: u64,
    /// The last number that `AUTO_INCREMENT` gave.
    pub last_insert_id: u64,
    /// The session's status.
    pub status: u16,
    /// How many warnings there are.
    pub warnings: u16,
    /// What was done, for people.
    pub info: &'a [u8],
    /// Changes of the session's state, as they were sent.
    pub changes: &'a [u8],
}

impl<'a> OkPacket<'a> {
    /// Reads an OK, whatever its first byte.
    ///
    /// # Errors
    /// Where a field is truncated, or something follows the last.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        reader.u8("kind of the message")?;
        let affected = reader.lenenc_int("affected rows")?;
        let last_insert_id = reader.lenenc_int("last inserted number")?;
        let status = reader.u16("status")?;
        let warnings = reader.u16("warnings")?;
        let mut ok = Self { affected, last_insert_id, status, warnings, info: b"", changes: b"" };
        if !reader.is_empty() {
            ok.info = reader.lenenc("information")?;
        }
        if capabilities.has(Capabilities::SESSION_TRACK) && status & STATE_CHANGED != 0 {
            ok.changes = reader.lenenc("changes of state")?;
            for change in StateChanges::of(ok.changes) {
                change?;
            }
        }
        reader.finish()?;
        Ok(ok)
    }

    /// Appends its payload for a peer with these capabilities: changes of state are left out where
    /// it does not know them.
    pub fn put(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        let tracks = capabilities.has(Capabilities::SESSION_TRACK) && !self.changes.is_empty();
        let status =
            if tracks { self.status | STATE_CHANGED } else { self.status & !STATE_CHANGED };
        out.push(0x00);
        put_lenenc_int(out, self.affected);
        put_lenenc_int(out, self.last_insert_id);
        put_u16(out, status);
        put_u16(out, self.warnings);
        if tracks || !self.info.is_empty() {
            put_lenenc(out, self.info);
        }
        if tracks {
            put_lenenc(out, self.changes);
        }
    }

    /// Each change of the session's state.
    pub fn changes(&self) -> impl Iterator<Item = StateChange<'a>> + use<'a> {
        StateChanges::of(self.changes).map_while(Result::ok)
    }
}

/// A change of the session's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateChange<'a> {
    /// A setting has a new value.
    Variable {
        /// Its name.
        name: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// Another database is the default one.
    Schema(&'a [u8]),
    /// Something has changed: `1` or `0`.
    Changed(&'a [u8]),
    /// Something else, by its number and as it was sent.
    Other(u8, &'a [u8]),
}

const TRACK_VARIABLE: u8 = 0;
const TRACK_SCHEMA: u8 = 1;
const TRACK_STATE: u8 = 2;

impl StateChange<'_> {
    /// Appends it to what [`OkPacket::changes`] is.
    pub fn put(&self, out: &mut Vec<u8>) {
        let mut data = Vec::new();
        let kind = match self {
            Self::Variable { name, value } => {
                put_lenenc(&mut data, name);
                put_lenenc(&mut data, value);
                TRACK_VARIABLE
            }
            Self::Schema(name) => {
                put_lenenc(&mut data, name);
                TRACK_SCHEMA
            }
            Self::Changed(flag) => {
                put_lenenc(&mut data, flag);
                TRACK_STATE
            }
            Self::Other(kind, raw) => {
                data.extend_from_slice(raw);
                *kind
            }
        };
        out.push(kind);
        put_lenenc(out, &data);
    }
}

/// The changes of an OK, one after the other; after the first that is broken, none.
struct StateChanges<'a> {
    reader: Reader<'a>,
    /// What is left of a variable entry: it may hold several pairs (MariaDB).
    variables: Reader<'a>,
}

impl<'a> StateChanges<'a> {
    const fn of(changes: &'a [u8]) -> Self {
        Self { reader: Reader::new(changes), variables: Reader::new(b"") }
    }

    fn take(&mut self) -> Result<Option<StateChange<'a>>, Violation> {
        loop {
            if !self.variables.is_empty() {
                let name = self.variables.lenenc("name of a setting")?;
                let value = self.variables.value("value of a setting")?.unwrap_or_default();
                return Ok(Some(StateChange::Variable { name, value }));
            }
            if self.reader.is_empty() {
                return Ok(None);
            }
            let kind = self.reader.u8("kind of a change")?;
            let data = self.reader.lenenc("change of state")?;
            let mut inner = Reader::new(data);
            match kind {
                TRACK_VARIABLE => self.variables = inner,
                TRACK_SCHEMA => {
                    let name = inner.value("name of the database")?.unwrap_or_default();
                    inner.finish()?;
                    return Ok(Some(StateChange::Schema(name)));
                }
                TRACK_STATE => {
                    let flag = inner.lenenc("change of state")?;
                    inner.finish()?;
                    return Ok(Some(StateChange::Changed(flag)));
                }
                other => return Ok(Some(StateChange::Other(other, data))),
            }
        }
    }
}

impl<'a> Iterator for StateChanges<'a> {
    type Item = Result<StateChange<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.take();
        if next.is_err() {
            *self = Self::of(b"");
        }
        next.transpose()
    }
}

/// The end of columns, parameters or rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EofPacket {
    /// How many warnings there are.
    pub warnings: u16,
    /// The session's status.
    pub status: u16,
}

impl EofPacket {
    /// Whether a message where rows are due is an EOF.
    #[inline]
    #[must_use]
    pub fn is(payload: &[u8]) -> bool {
        payload.first() == Some(&0xfe) && payload.len() < EOF_BYTES_BELOW
    }

    /// Reads an EOF.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(payload: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        if reader.u8("kind of the message")? != 0xfe {
            return Err(Violation::Value { field: "kind of the message" });
        }
        let warnings = reader.u16("warnings")?;
        let status = reader.u16("status")?;
        reader.finish()?;
        Ok(Self { warnings, status })
    }

    /// Appends its payload.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.push(0xfe);
        put_u16(out, self.warnings);
        put_u16(out, self.status);
    }

    /// Whether another result follows.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.status & MORE_RESULTS != 0
    }
}

/// Something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrPacket<'a> {
    /// The server's number of the error.
    pub code: u16,
    /// The SQLSTATE, where it is told.
    pub sqlstate: Option<[u8; 5]>,
    /// What failed, for people.
    pub message: &'a [u8],
}

impl<'a> ErrPacket<'a> {
    /// Reads an ERR.
    ///
    /// # Errors
    /// Where it is none, or truncated.
    pub fn read(payload: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        if reader.u8("kind of the message")? != 0xff {
            return Err(Violation::Value { field: "kind of the message" });
        }
        let code = reader.u16("error number")?;
        let mut sqlstate = None;
        if let [b'#', rest @ ..] = reader.rest() {
            let state = rest.first_chunk::<5>();
            sqlstate = Some(*state.ok_or(Violation::Truncated { field: "SQLSTATE" })?);
            reader.bytes(6, "SQLSTATE")?;
        }
        Ok(Self { code, sqlstate, message: reader.rest() })
    }

    /// Appends its payload.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.push(0xff);
        put_u16(out, self.code);
        if let Some(state) = self.sqlstate {
            out.push(b'#');
            out.extend_from_slice(&state);
        }
        out.extend_from_slice(self.message);
    }
}

/// How the answer to a statement begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning<'a> {
    /// Done, without rows.
    Ok(OkPacket<'a>),
    /// Failed.
    Err(ErrPacket<'a>),
    /// Rows of so many columns.
    Rows(usize),
    /// The server asks for a file of the client's. Nobody has allowed that.
    LocalFile,
}

impl<'a> Beginning<'a> {
    /// Reads the first message of an answer.
    ///
    /// # Errors
    /// Where it is none of these.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, Violation> {
        match payload.first() {
            Some(0x00) => OkPacket::read(payload, capabilities).map(Self::Ok),
            Some(0xff) => ErrPacket::read(payload).map(Self::Err),
            Some(0xfb) => Ok(Self::LocalFile),
            _ => {
                let mut reader = Reader::new(payload);
                let count = reader.lenenc_int("number of columns")?;
                reader.finish()?;
                if count == 0 || count > COLUMNS_MAX {
                    return Err(Violation::Value { field: "number of columns" });
                }
                let count = usize::try_from(count);
                count.map(Self::Rows).map_err(|_| Violation::Value { field: "number of columns" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn changes() -> Vec<u8> {
        let mut out = Vec::new();
        StateChange::Variable { name: b"autocommit", value: b"ON" }.put(&mut out);
        StateChange::Schema(b"shop").put(&mut out);
        StateChange::Changed(b"1").put(&mut out);
        StateChange::Other(5, b"\x08T_______").put(&mut out);
        out
    }

    #[test]
    fn an_ok_with_changes_of_state_is_read_back_and_every_cut_is_refused() {
        let changes = changes();
        let ok = OkPacket {
            affected: 300,
            last_insert_id: 70_000,
            status: 2 | STATE_CHANGED,
            warnings: 1,
            info: b"Rows matched: 1",
            changes: &changes,
        };
        let mut out = Vec::new();
        ok.put(&mut out, Capabilities::OFFERED);
        assert_eq!(OkPacket::read(&out, Capabilities::OFFERED), Ok(ok));
        let told: Vec<_> = ok.changes().collect();
        assert_eq!(told[1], StateChange::Schema(b"shop"));
        assert_eq!(told.len(), 4);
        for cut in 0..out.len() {
            assert!(OkPacket::read(&out[..cut], Capabilities::OFFERED).is_err(), "cut at {cut}");
        }
        // A peer that does not know of them is not told.
        let mut out = Vec::new();
        ok.put(&mut out, Capabilities::NONE);
        let read = OkPacket::read(&out, Capabilities::NONE).unwrap();
        assert_eq!((read.status, read.info, read.changes), (2, &b"Rows matched: 1"[..], &b""[..]));
    }

    #[test]
    fn several_settings_in_one_change_are_told_apart() {
        let mut data = Vec::new();
        for text in ["character_set_client", "gbk", "autocommit", "ON"] {
            put_lenenc(&mut data, text.as_bytes());
        }
        let mut raw = vec![TRACK_VARIABLE];
        put_lenenc(&mut raw, &data);
        let told: Vec<_> = StateChanges::of(&raw).collect::<Result<_, _>>().unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], StateChange::Variable { name: b"character_set_client", value: b"gbk" });
    }

    #[test]
    fn errors_and_ends_are_read_back() {
        let error = ErrPacket { code: 1142, sqlstate: Some(*b"42000"), message: b"denied" };
        let mut out = Vec::new();
        error.put(&mut out);
        assert_eq!(ErrPacket::read(&out), Ok(error));
        assert!((0..9).all(|cut| cut == 3 || ErrPacket::read(&out[..cut]).is_err()));
        let eof = EofPacket { warnings: 1, status: MORE_RESULTS };
        let mut out = Vec::new();
        eof.put(&mut out);
        assert!(EofPacket::is(&out) && eof.has_more());
        assert_eq!(EofPacket::read(&out), Ok(eof));
        assert!((0..out.len()).all(|cut| EofPacket::read(&out[..cut]).is_err()));
    }

    #[test]
    fn an_answer_begins_in_one_of_four_ways() {
        let read = |bytes: &'static [u8]| Beginning::read(bytes, Capabilities::OFFERED);
        assert_eq!(read(&[3]), Ok(Beginning::Rows(3)));
        assert_eq!(read(&[0xfc, 0x10, 0x27]), Ok(Beginning::Rows(10_000)));
        assert_eq!(read(b"\xfb/etc/passwd"), Ok(Beginning::LocalFile));
        assert!(matches!(read(&[0, 0, 0, 2, 0, 0, 0]), Ok(Beginning::Ok(_))));
        assert!(matches!(read(&[0xff, 1, 0]), Ok(Beginning::Err(_))));
        for lie in [&b""[..], &[3, 0], &[0xfe, 0, 0, 0, 0, 1, 0, 0, 0], &[0xfd, 0, 0, 1]] {
            assert!(read(lie).is_err(), "{lie:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Beginning::read(&payload, Capabilities::OFFERED);
            let _ = OkPacket::read(&payload, Capabilities::OFFERED).map(|ok| ok.changes().count());
            let _ = ErrPacket::read(&payload);
            let _ = EofPacket::read(&payload);
            let _ = StateChanges::of(&payload).count();
        }
    }
}
