//! Columns of a result, and the parameters of a statement, which look the same.
//!
//! Owns the format and the numbers of types. Must not know what is masked. What a server says of
//! a column's origin can be made up by the statement (MariaDB names derived tables as if they
//! were stored ones), so nothing may rest on it.

use super::{Reader, Violation, put_lenenc, put_u16, put_u32};

/// The collation number of what is no text.
pub const BINARY_COLLATION: u16 = 63;

/// Column flags.
pub mod flag {
    /// Numbers have no sign.
    pub const UNSIGNED: u16 = 0x0020;
}

/// Numbers of types.
pub mod kind {
    #![expect(missing_docs, reason = "the names are those of the protocol's documentation")]
    pub const DECIMAL: u8 = 0;
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const MEDIUM_BLOB: u8 = 250;
    pub const LONG_BLOB: u8 = 251;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// The database it is said to come from.
    pub database: &'a [u8],
    /// The table, under the statement's name for it.
    pub table: &'a [u8],
    /// The table's own name, as it is said.
    pub stored_table: &'a [u8],
    /// The name in the result.
    pub name: &'a [u8],
    /// The column's own name, as it is said.
    pub stored_name: &'a [u8],
    /// The collation of its values.
    pub collation: u16,
    /// Bytes of its longest value.
    pub length: u32,
    /// Its type (see [`kind`]).
    pub kind: u8,
    /// Its flags (see [`flag`]).
    pub flags: u16,
    /// Digits after the point.
    pub decimals: u8,
}

impl<'a> Column<'a> {
    /// Reads the definition of a column.
    ///
    /// # Errors
    /// Where its fields do not fill the message exactly.
    pub fn read(payload: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(payload);
        reader.lenenc("catalog")?;
        let database = reader.lenenc("database")?;
        let table = reader.lenenc("table")?;
        let stored_table = reader.lenenc("stored table")?;
        let name = reader.lenenc("column name")?;
        let stored_name = reader.lenenc("stored column name")?;
        let mut fixed = Reader::new(reader.lenenc("fixed fields")?);
        reader.finish()?;
        let column = Self {
            database,
            table,
            stored_table,
            name,
            stored_name,
            collation: fixed.u16("collation")?,
            length: fixed.u32("length")?,
            kind: fixed.u8("type")?,
            flags: fixed.u16("flags")?,
            decimals: fixed.u8("decimals")?,
        };
        fixed.u16("filler")?;
        fixed.finish()?;
        Ok(column)
    }

    /// Appends its payload.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_lenenc(out, b"def");
        for text in [self.database, self.table, self.stored_table, self.name, self.stored_name] {
            put_lenenc(out, text);
        }
        out.push(12);
        put_u16(out, self.collation);
        put_u32(out, self.length);
        out.push(self.kind);
        put_u16(out, self.flags);
        out.push(self.decimals);
        put_u16(out, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_column_is_read_back_and_every_cut_is_refused() {
        let column = Column {
            database: b"shop",
            table: b"u",
            stored_table: b"users",
            name: b"mail",
            stored_name: b"email",
            collation: 45,
            length: 1020,
            kind: kind::VAR_STRING,
            flags: 0x1001,
            decimals: 0,
        };
        let mut out = Vec::new();
        column.put(&mut out);
        assert_eq!(Column::read(&out), Ok(column));
        for cut in 0..out.len() {
            assert!(Column::read(&out[..cut]).is_err(), "cut at {cut}");
        }
        out.push(0);
        assert_eq!(Column::read(&out), Err(Violation::Trailing { excess: 1 }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Column::read(&payload);
        }
    }
}
