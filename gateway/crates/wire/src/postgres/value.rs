//! Values inside rows: which types there are, how their bytes become text, and what may stand in
//! their place.
//!
//! Owns the built-in types by object id ([`Shape`]), text forms of binary values ([`text_of`]) and
//! the way back ([`binary_of`]), and walks into arrays and records ([`edit_nested`]). Must not
//! know which value is masked. Pure functions over borrowed bytes.
//!
//! Object ids: `pg_type.dat` of PostgreSQL 18; those below 10,000 never change.

mod binary;
mod datetime;
mod nested;
mod numeric;
mod text;

pub use binary::binary_of;
pub use nested::{EditLeaf, NestedEdit, edit_json, edit_nested};
pub use text::{TextForm, text_of};

/// Object ids of the types that the gateway treats on their own.
pub mod oid {
    macro_rules! oids {
        ($( $name:ident = $oid:literal, )*) => {
            $( #[doc = concat!("Object id of type `", stringify!($name), "`.")]
               pub const $name: u32 = $oid; )*
        };
    }
    oids! {
        BOOL = 16, BYTEA = 17, CHAR = 18, NAME = 19, INT8 = 20, INT2 = 21, INT4 = 23,
        REGPROC = 24, TEXT = 25, OID = 26, TID = 27, XID = 28, CID = 29, JSON = 114, XML = 142,
        CIDR = 650, FLOAT4 = 700, FLOAT8 = 701, UNKNOWN = 705, MONEY = 790, MACADDR = 829,
        INET = 869, BPCHAR = 1042, VARCHAR = 1043, DATE = 1082, TIME = 1083, TIMESTAMP = 1114,
        TIMESTAMPTZ = 1184, INTERVAL = 1186, TIMETZ = 1266, BIT = 1560, VARBIT = 1562,
        NUMERIC = 1700, REFCURSOR = 1790, VOID = 2278, CSTRING = 2275, RECORD = 2249, UUID = 2950,
        JSONB = 3802, MACADDR8 = 774, XID8 = 5069, PG_LSN = 3220,
    }
}

/// What a type is like, as far as masking and recording care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Plain text in both formats.
    Text,
    /// JSON text in both formats.
    Json,
    /// A version byte and JSON text in binary.
    Jsonb,
    /// A whole number of this many bytes.
    Integer(u8),
    /// `numeric`.
    Numeric,
    /// A floating-point number of this many bytes.
    Float(u8),
    /// `bool`.
    Bool,
    /// `date`.
    Date,
    /// `timestamp` and `timestamptz`.
    Timestamp,
    /// `time`.
    Time,
    /// `timetz`.
    TimeTz,
    /// `interval`.
    Interval,
    /// `uuid`.
    Uuid,
    /// `bytea`.
    Bytes,
    /// `inet` and `cidr`.
    Network,
    /// An array; the object id of its elements.
    Array(u32),
    /// `record`, and every composite type as far as it can be told.
    Record,
    /// A type that we know nothing about: extensions, enums, ranges, geometry.
    Opaque,
}

impl Shape {
    /// The shape of a type. Domains never appear: servers report their base type.
    #[must_use]
    pub const fn of(type_oid: u32) -> Self {
        match type_oid {
            oid::TEXT
            | oid::VARCHAR
            | oid::BPCHAR
            | oid::NAME
            | oid::CHAR
            | oid::XML
            | oid::UNKNOWN
            | oid::CSTRING
            | oid::REFCURSOR => Self::Text,
            oid::JSON => Self::Json,
            oid::JSONB => Self::Jsonb,
            oid::INT2 => Self::Integer(2),
            oid::INT4 => Self::Integer(4),
            oid::INT8 | oid::MONEY => Self::Integer(8),
            oid::NUMERIC => Self::Numeric,
            oid::FLOAT4 => Self::Float(4),
            oid::FLOAT8 => Self::Float(8),
            oid::BOOL => Self::Bool,
            oid::DATE => Self::Date,
            oid::TIMESTAMP | oid::TIMESTAMPTZ => Self::Timestamp,
            oid::TIME => Self::Time,
            oid::TIMETZ => Self::TimeTz,
            oid::INTERVAL => Self::Interval,
            oid::UUID => Self::Uuid,
            oid::BYTEA => Self::Bytes,
            oid::INET | oid::CIDR => Self::Network,
            oid::RECORD => Self::Record,
            other => match array_element(other) {
                Some(element) => Self::Array(element),
                None => Self::Opaque,
            },
        }
    }

    /// Whether its values, in text format, are words in which detectors may look and whose length
    /// and letters may change.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text)
    }
}

/// The element type of a built-in array type.
const fn array_element(type_oid: u32) -> Option<u32> {
    Some(match type_oid {
        143 => oid::XML,
        199 => oid::JSON,
        651 => oid::CIDR,
        719 => 718,
        775 => oid::MACADDR8,
        791 => oid::MONEY,
        1000 => oid::BOOL,
        1001 => oid::BYTEA,
        1002 => oid::CHAR,
        1003 => oid::NAME,
        1005 => oid::INT2,
        1007 => oid::INT4,
        1009 => oid::TEXT,
        1014 => oid::BPCHAR,
        1015 => oid::VARCHAR,
        1016 => oid::INT8,
        1021 => oid::FLOAT4,
        1022 => oid::FLOAT8,
        1028 => oid::OID,
        1040 => oid::MACADDR,
        1041 => oid::INET,
        1115 => oid::TIMESTAMP,
        1182 => oid::DATE,
        1183 => oid::TIME,
        1185 => oid::TIMESTAMPTZ,
        1187 => oid::INTERVAL,
        1231 => oid::NUMERIC,
        1263 => oid::CSTRING,
        1270 => oid::TIMETZ,
        1561 => oid::BIT,
        1563 => oid::VARBIT,
        2201 => oid::REFCURSOR,
        2287 => oid::RECORD,
        2951 => oid::UUID,
        3807 => oid::JSONB,
        _ => return None,
    })
}
