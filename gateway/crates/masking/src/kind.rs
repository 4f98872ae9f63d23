//! What kind of value some text is: enough to keep its type when it is changed.
//!
//! Owns the kinds. Must not know a server's type names or numbers; a driver maps those to these,
//! and maps what it does not know to [`ValueKind::Other`], the kind that is only ever kept or
//! made NULL.

/// The kind of a value that is given as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// Free text of any length.
    Text,
    /// A whole number in a signed type of that many bits (16, 32, 64).
    Integer {
        /// Width of the type; a masked value always fits.
        bits: u8,
    },
    /// A decimal or floating-point number.
    Number,
    /// A truth value: `t`, `true`, `1` and their opposites, in either case.
    Boolean,
    /// A calendar date.
    Date,
    /// A date with a time of day, with or without an offset.
    Timestamp,
    /// A UUID, with or without hyphens.
    Uuid,
    /// A JSON text.
    Json,
    /// Bytes: raw, or in the hexadecimal text form that begins with `\x`.
    Bytes,
    /// Anything else (arrays, ranges, composites, enumerations): no masked value of the type can
    /// be made up, so every mask makes it NULL.
    Other,
}

impl ValueKind {
    /// Every kind, for sweeps.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Integer { bits: 16 },
        Self::Integer { bits: 32 },
        Self::Integer { bits: 64 },
        Self::Number,
        Self::Boolean,
        Self::Date,
        Self::Timestamp,
        Self::Uuid,
        Self::Json,
        Self::Bytes,
        Self::Other,
    ];
}
