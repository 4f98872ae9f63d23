//! What clients say once a session has begun: every message, each told by its tag.
//!
//! Owns the tags and, a file per family, the fields of the messages. Must not know which message
//! may follow which. Borrows the bodies.

mod copy;
mod extended;
mod login;
mod simple;

pub use copy::{CopyFail, put_copy_fail};
pub use extended::{
    Bind, Describe, Execute, Formats, Parse, Subject, put_close, put_describe, put_flush,
    put_parse, put_sync,
};
pub use login::{Password, put_password, put_sasl_initial_response, put_sasl_response};
pub use simple::{FunctionCall, Query, put_query, put_terminate};

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `Bind`.
    Bind,
    /// `Close`.
    Close,
    /// `CopyData`.
    CopyData,
    /// `CopyDone`.
    CopyDone,
    /// `CopyFail`.
    CopyFail,
    /// `Describe`.
    Describe,
    /// `Execute`.
    Execute,
    /// `Flush`.
    Flush,
    /// `FunctionCall`.
    FunctionCall,
    /// `Parse`.
    Parse,
    /// `PasswordMessage`, `GSSResponse`, `SASLInitialResponse` or `SASLResponse`.
    Password,
    /// `Query`.
    Query,
    /// `Sync`.
    Sync,
    /// `Terminate`.
    Terminate,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Bind,
        Self::Close,
        Self::CopyData,
        Self::CopyDone,
        Self::CopyFail,
        Self::Describe,
        Self::Execute,
        Self::Flush,
        Self::FunctionCall,
        Self::Parse,
        Self::Password,
        Self::Query,
        Self::Sync,
        Self::Terminate,
    ];

    /// The kind of a tag; `None` where the protocol has no such message.
    #[inline]
    #[must_use]
    pub const fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            b'B' => Self::Bind,
            b'C' => Self::Close,
            b'd' => Self::CopyData,
            b'c' => Self::CopyDone,
            b'f' => Self::CopyFail,
            b'D' => Self::Describe,
            b'E' => Self::Execute,
            b'H' => Self::Flush,
            b'F' => Self::FunctionCall,
            b'P' => Self::Parse,
            b'p' => Self::Password,
            b'Q' => Self::Query,
            b'S' => Self::Sync,
            b'X' => Self::Terminate,
            _ => return None,
        })
    }

    /// Its tag.
    #[inline]
    #[must_use]
    pub const fn tag(self) -> u8 {
        match self {
            Self::Bind => b'B',
            Self::Close => b'C',
            Self::CopyData => b'd',
            Self::CopyDone => b'c',
            Self::CopyFail => b'f',
            Self::Describe => b'D',
            Self::Execute => b'E',
            Self::Flush => b'H',
            Self::FunctionCall => b'F',
            Self::Parse => b'P',
            Self::Password => b'p',
            Self::Query => b'Q',
            Self::Sync => b'S',
            Self::Terminate => b'X',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_tag() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_tag(kind.tag()), Some(*kind));
        }
        let known = (0..=u8::MAX).filter(|tag| Kind::from_tag(*tag).is_some()).count();
        assert_eq!(known, Kind::ALL.len());
    }
}
