//! The server's word that a COPY begins: `CopyInResponse`, `CopyOutResponse`, `CopyBothResponse`.
//!
//! Owns their common shape. Must not know the data. Borrows the body.

use crate::postgres::{Format, Reader, Violation};

/// The body of all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyResponse {
    /// Text (also CSV) or binary.
    pub format: Format,
    /// How many columns.
    pub columns: usize,
}

impl CopyResponse {
    /// Reads the body.
    ///
    /// # Errors
    /// Where its fields do not fill it exactly.
    pub fn read(body: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(body);
        let format = Format::from_code(i16::from(reader.u8("copy format")?))?;
        let columns = reader.count("number of columns")?;
        for _ in 0..columns {
            Format::from_code(reader.i16("column format")?)?;
        }
        reader.finish()?;
        Ok(Self { format, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_gives_format_and_number_of_columns() {
        assert_eq!(
            CopyResponse::read(&[1, 0, 2, 0, 1, 0, 1]),
            Ok(CopyResponse { format: Format::Binary, columns: 2 })
        );
        assert!(CopyResponse::read(&[0, 0, 2, 0, 0]).is_err());
        assert!(CopyResponse::read(&[2, 0, 0]).is_err());
        assert!(CopyResponse::read(&[0, 255, 255]).is_err());
    }
}
