//! What servers say once a session has begun: every message, each told by its tag.
//!
//! Owns the tags and, a file per family, the fields of the messages. Must not know which message
//! answers which. Borrows the bodies.

mod authentication;
mod copy;
mod fields;
mod row;
mod status;

pub use authentication::{
    Authentication, Mechanisms, put_authentication_cleartext, put_authentication_ok,
};
pub use copy::CopyResponse;
pub use fields::{FieldKind, Fields, Notification, Severity, Words, put_error, put_notice};
pub use row::{
    Column, DataRow, RowChange, RowDescription, edit_row, parameter_types, put_row_description,
};
pub use status::{
    CommandComplete, KeyData, NegotiateVersion, ParameterStatus, put_command_complete, put_empty,
    put_key_data, put_negotiate_version, put_parameter_status, put_ready, ready_for_query,
};

/// Defines the kinds with their tags in one place.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $variant:ident = $tag:literal, )*) => {
        /// The kind of a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $( $(#[$doc])* $variant, )* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The kind of a tag; `None` where the protocol has no such message.
            #[inline]
            #[must_use]
            pub const fn from_tag(tag: u8) -> Option<Self> {
                match tag {
                    $( $tag => Some(Self::$variant), )*
                    _ => None,
                }
            }

            /// Its tag.
            #[inline]
            #[must_use]
            pub const fn tag(self) -> u8 {
                match self { $( Self::$variant => $tag, )* }
            }
        }
    };
}

kinds! {
    /// `Authentication*`.
    Authentication = b'R',
    /// `BackendKeyData`.
    KeyData = b'K',
    /// `BindComplete`.
    BindComplete = b'2',
    /// `CloseComplete`.
    CloseComplete = b'3',
    /// `CommandComplete`.
    CommandComplete = b'C',
    /// `CopyBothResponse`.
    CopyBoth = b'W',
    /// `CopyData`.
    CopyData = b'd',
    /// `CopyDone`.
    CopyDone = b'c',
    /// `CopyInResponse`.
    CopyIn = b'G',
    /// `CopyOutResponse`.
    CopyOut = b'H',
    /// `DataRow`.
    DataRow = b'D',
    /// `EmptyQueryResponse`.
    EmptyQuery = b'I',
    /// `ErrorResponse`.
    Error = b'E',
    /// `FunctionCallResponse`.
    FunctionCallResponse = b'V',
    /// `NegotiateProtocolVersion`.
    NegotiateVersion = b'v',
    /// `NoData`.
    NoData = b'n',
    /// `NoticeResponse`.
    Notice = b'N',
    /// `NotificationResponse`.
    Notification = b'A',
    /// `ParameterDescription`.
    ParameterDescription = b't',
    /// `ParameterStatus`.
    ParameterStatus = b'S',
    /// `ParseComplete`.
    ParseComplete = b'1',
    /// `PortalSuspended`.
    PortalSuspended = b's',
    /// `ReadyForQuery`.
    ReadyForQuery = b'Z',
    /// `RowDescription`.
    RowDescription = b'T',
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_tag() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_tag(kind.tag()), Some(*kind));
        }
        assert_eq!(Kind::from_tag(0), None);
    }
}
