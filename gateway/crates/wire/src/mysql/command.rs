//! What clients ask: commands, and how prepared statements are run.
//!
//! Owns their formats. Must not know which are accepted. Text is given as bytes; whether it is
//! UTF-8 is for whoever reads it.

mod execute;

use super::{Reader, Violation, packet, put_u16, put_u32};

pub use execute::{Bound, Execute, cursor, put_texts};

/// The numbers of commands.
pub mod code {
    #![expect(missing_docs, reason = "the names are those of the protocol's documentation")]
    pub const QUIT: u8 = 0x01;
    pub const INIT_DB: u8 = 0x02;
    pub const QUERY: u8 = 0x03;
    pub const FIELD_LIST: u8 = 0x04;
    pub const STATISTICS: u8 = 0x09;
    pub const PROCESS_KILL: u8 = 0x0c;
    pub const PING: u8 = 0x0e;
    pub const CHANGE_USER: u8 = 0x11;
    pub const BINLOG_DUMP: u8 = 0x12;
    pub const STMT_PREPARE: u8 = 0x16;
    pub const STMT_EXECUTE: u8 = 0x17;
    pub const STMT_SEND_LONG_DATA: u8 = 0x18;
    pub const STMT_CLOSE: u8 = 0x19;
    pub const STMT_RESET: u8 = 0x1a;
    pub const SET_OPTION: u8 = 0x1b;
    pub const STMT_FETCH: u8 = 0x1c;
    pub const RESET_CONNECTION: u8 = 0x1f;
}

/// The highest number that a command has: MariaDB's own begin at 250.
const LAST_OF_MYSQL: u8 = 0x21;
const FIRST_OF_MARIADB: u8 = 0xfa;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Goodbye.
    Quit,
    /// Another default database.
    InitDb(&'a [u8]),
    /// Statements, as text.
    Query(&'a [u8]),
    /// Nothing: whether the server is there.
    Ping,
    /// Everything back to what it was after login.
    ResetConnection,
    /// Several statements in one text from now on (0), or no longer (1).
    SetOption(u16),
    /// Ends another connection.
    ProcessKill(u32),
    /// Prepares a statement.
    Prepare(&'a [u8]),
    /// Runs a prepared statement.
    Execute(Execute<'a>),
    /// A part of a parameter's value, before the statement is run. Not answered.
    LongData {
        /// The statement.
        statement: u32,
        /// The parameter, from 0.
        parameter: u16,
        /// The part.
        data: &'a [u8],
    },
    /// Forgets a prepared statement. Not answered.
    Close(u32),
    /// Forgets the long data and the cursor of a prepared statement.
    Reset(u32),
    /// Asks for rows of a cursor.
    Fetch {
        /// The statement.
        statement: u32,
        /// How many rows.
        rows: u32,
    },
    /// Another, by its number.
    Other(u8),
}

impl<'a> Command<'a> {
    /// Reads a command.
    ///
    /// # Errors
    /// Where it is empty, its number is that of no command, or a field is truncated.
    pub fn read(payload: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        let number = reader.u8("command")?;
        let command = match number {
            code::QUIT => Self::Quit,
            code::PING => Self::Ping,
            code::RESET_CONNECTION => Self::ResetConnection,
            // What has no fields may be followed by anything: servers do not look.
            code::INIT_DB => return Ok(Self::InitDb(reader.rest())),
            code::QUERY => return Ok(Self::Query(reader.rest())),
            code::STMT_PREPARE => return Ok(Self::Prepare(reader.rest())),
            code::STMT_EXECUTE => return Execute::read(reader).map(Self::Execute),
            code::STMT_SEND_LONG_DATA => {
                let statement = reader.u32("statement")?;
                let parameter = reader.u16("parameter")?;
                return Ok(Self::LongData { statement, parameter, data: reader.rest() });
            }
            code::SET_OPTION => Self::SetOption(reader.u16("option")?),
            code::PROCESS_KILL => Self::ProcessKill(reader.u32("connection")?),
            code::STMT_CLOSE => Self::Close(reader.u32("statement")?),
            code::STMT_RESET => Self::Reset(reader.u32("statement")?),
            code::STMT_FETCH => {
                let statement = reader.u32("statement")?;
                Self::Fetch { statement, rows: reader.u32("rows")? }
            }
            0..=LAST_OF_MYSQL | FIRST_OF_MARIADB.. => Self::Other(number),
            _ => return Err(Violation::Value { field: "command" }),
        };
        Ok(command)
    }

    /// Whether a command with this number exists.
    #[must_use]
    pub const fn exists(number: u8) -> bool {
        number <= LAST_OF_MYSQL || number >= FIRST_OF_MARIADB
    }
}

/// Appends a command: its number and what follows. Gives the number that the first packet of its
/// answer has.
pub fn put_command(out: &mut Vec<u8>, number: u8, body: &[u8]) -> u8 {
    let mut sequence = 0;
    packet(out, &mut sequence, |out| {
        out.push(number);
        out.extend_from_slice(body);
    });
    sequence
}

/// Appends a command about a prepared statement: its number, the statement, what follows.
pub fn put_statement_command(out: &mut Vec<u8>, number: u8, statement: u32, body: &[u8]) -> u8 {
    let mut sequence = 0;
    packet(out, &mut sequence, |out| {
        out.push(number);
        put_u32(out, statement);
        out.extend_from_slice(body);
    });
    sequence
}

/// What a server answers to the preparation of a statement, before it describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The statement's number.
    pub statement: u32,
    /// Columns of its rows.
    pub columns: u16,
    /// Its parameters.
    pub parameters: u16,
    /// How many warnings there are.
    pub warnings: u16,
}

impl Prepared {
    /// Reads it.
    ///
    /// # Errors
    /// Where it is truncated, or something follows.
    pub fn read(payload: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        if reader.u8("kind of the message")? != 0 {
            return Err(Violation::Value { field: "kind of the message" });
        }
        let statement = reader.u32("statement")?;
        let columns = reader.u16("number of columns")?;
        let parameters = reader.u16("number of parameters")?;
        reader.u8("filler")?;
        let warnings = reader.u16("warnings")?;
        reader.finish()?;
        Ok(Self { statement, columns, parameters, warnings })
    }

    /// Appends its payload.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.push(0);
        put_u32(out, self.statement);
        put_u16(out, self.columns);
        put_u16(out, self.parameters);
        out.push(0);
        put_u16(out, self.warnings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_command_is_read_and_every_cut_of_its_fields_refused() {
        assert_eq!(Command::read(b"\x03SELECT 1"), Ok(Command::Query(b"SELECT 1")));
        assert_eq!(Command::read(b"\x03"), Ok(Command::Query(b"")));
        assert_eq!(Command::read(b"\x16SELECT ?"), Ok(Command::Prepare(b"SELECT ?")));
        assert_eq!(Command::read(b"\x02shop"), Ok(Command::InitDb(b"shop")));
        for (payload, want) in [
            (&b"\x1b\x01\x00"[..], Command::SetOption(1)),
            (b"\x0c\x07\x00\x00\x00", Command::ProcessKill(7)),
            (b"\x19\x07\x00\x00\x00", Command::Close(7)),
            (b"\x1a\x07\x00\x00\x00", Command::Reset(7)),
            (b"\x1c\x07\x00\x00\x00\x09\x00\x00\x00", Command::Fetch { statement: 7, rows: 9 }),
            (
                b"\x18\x07\x00\x00\x00\x02\x00",
                Command::LongData { statement: 7, parameter: 2, data: b"" },
            ),
        ] {
            assert_eq!(Command::read(payload), Ok(want));
            for cut in 0..payload.len() {
                assert!(Command::read(&payload[..cut]).is_err(), "{payload:?} cut at {cut}");
            }
        }
        for number in [0x04, 0x08, 0x0d, 0x11, 0x12, 0x15, 0x1e, 0xfa, 0xfe] {
            assert_eq!(Command::read(&[number]), Ok(Command::Other(number)));
        }
        assert!(Command::read(&[0x80]).is_err() && !Command::exists(0x80));
    }

    #[test]
    fn an_answer_to_a_preparation_is_read_back() {
        let prepared = Prepared { statement: 7, columns: 3, parameters: 2, warnings: 1 };
        let mut out = Vec::new();
        prepared.put(&mut out);
        assert_eq!(Prepared::read(&out), Ok(prepared));
        assert!((0..out.len()).all(|cut| Prepared::read(&out[..cut]).is_err()));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Command::read(&payload);
            let _ = Prepared::read(&payload);
        }
    }
}
