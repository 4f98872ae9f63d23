//! Capability bits: what client and server agree on for a connection.
//!
//! Owns the bits and the sets that the gateway offers and asks for. Must not know who agrees.
//!
//! What is never agreed to, on either side: `LOCAL_FILES` (a server that reads the client's files),
//! compression, `QUERY_ATTRIBUTES` (a statement's text would begin elsewhere),
//! `OPTIONAL_RESULTSET_METADATA` (rows whose columns nobody describes), `IGNORE_SPACE` and
//! `NO_SCHEMA` (statements would be read otherwise), `DEPRECATE_EOF` (one form of answers is
//! enough), and everything that only MariaDB has, which stands in the upper half.

use std::ops::{BitAnd, BitOr};

/// A set of capabilities: the protocol's 32 bits, and MariaDB's above them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(pub u64);

macro_rules! bits {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Capabilities {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }
    };
}

bits! {
    /// Old passwords are improved; MariaDB's servers leave it out to say that they are MariaDB.
    LONG_PASSWORD = 0;
    /// Rows found count as affected, changed or not.
    FOUND_ROWS = 1;
    /// Column flags of two bytes.
    LONG_FLAG = 2;
    /// A database is named at login.
    CONNECT_WITH_DB = 3;
    /// Databases are not named in statements.
    NO_SCHEMA = 4;
    /// Packets are compressed with zlib.
    COMPRESS = 5;
    /// The client is of ODBC; the server does nothing with it.
    ODBC = 6;
    /// The server may ask for files of the client.
    LOCAL_FILES = 7;
    /// Spaces may stand before the parenthesis of a function.
    IGNORE_SPACE = 8;
    /// The protocol of 4.1, which everything here is.
    PROTOCOL_41 = 9;
    /// The timeout of interactive clients applies.
    INTERACTIVE = 10;
    /// TLS follows.
    SSL = 11;
    /// No signal where the connection breaks; the server does nothing with it.
    IGNORE_SIGPIPE = 12;
    /// The status of transactions is told.
    TRANSACTIONS = 13;
    /// Was a name of `PROTOCOL_41`.
    RESERVED = 14;
    /// Authentication by challenge.
    SECURE_CONNECTION = 15;
    /// Several statements in one text.
    MULTI_STATEMENTS = 16;
    /// Several results of one text.
    MULTI_RESULTS = 17;
    /// Several results of a prepared statement.
    PS_MULTI_RESULTS = 18;
    /// Methods of authentication have names.
    PLUGIN_AUTH = 19;
    /// The client describes itself.
    CONNECT_ATTRS = 20;
    /// The answer to the challenge has its length before it.
    PLUGIN_AUTH_LENENC = 21;
    /// Expired passwords leave a session that can only set a new one.
    EXPIRED_PASSWORDS = 22;
    /// Changes of the session's state are told.
    SESSION_TRACK = 23;
    /// Results end with an OK in the place of an EOF.
    DEPRECATE_EOF = 24;
    /// Columns may be left undescribed.
    OPTIONAL_METADATA = 25;
    /// Packets are compressed with Zstandard.
    ZSTD = 26;
    /// Statements come with attributes before their text.
    QUERY_ATTRIBUTES = 27;
}

impl Capabilities {
    /// None.
    pub const NONE: Self = Self(0);

    /// What clients are offered at most; `SSL` besides, where there is TLS.
    pub const OFFERED: Self = Self::LONG_PASSWORD
        .with(Self::FOUND_ROWS)
        .with(Self::LONG_FLAG)
        .with(Self::CONNECT_WITH_DB)
        .with(Self::ODBC)
        .with(Self::PROTOCOL_41)
        .with(Self::INTERACTIVE)
        .with(Self::IGNORE_SIGPIPE)
        .with(Self::TRANSACTIONS)
        .with(Self::SECURE_CONNECTION)
        .with(Self::MULTI_STATEMENTS)
        .with(Self::MULTI_RESULTS)
        .with(Self::PS_MULTI_RESULTS)
        .with(Self::PLUGIN_AUTH)
        .with(Self::CONNECT_ATTRS)
        .with(Self::PLUGIN_AUTH_LENENC)
        .with(Self::SESSION_TRACK);

    /// What is asked of a server whatever the client said; one without them is turned away.
    pub const NEEDED: Self = Self::PROTOCOL_41
        .with(Self::LONG_FLAG)
        .with(Self::TRANSACTIONS)
        .with(Self::SECURE_CONNECTION)
        .with(Self::PLUGIN_AUTH)
        .with(Self::PLUGIN_AUTH_LENENC)
        .with(Self::SESSION_TRACK);

    /// What the client chooses and the server is told.
    pub const CARRIED: Self = Self::FOUND_ROWS
        .with(Self::INTERACTIVE)
        .with(Self::MULTI_STATEMENTS)
        .with(Self::MULTI_RESULTS)
        .with(Self::PS_MULTI_RESULTS);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both have.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` are in it.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The protocol's own 32 bits.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
    pub const fn low(self) -> u32 {
        self.0 as u32
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.common(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangerous_is_offered_or_carried() {
        let all = Capabilities::OFFERED | Capabilities::NEEDED | Capabilities::CARRIED;
        for never in [
            Capabilities::LOCAL_FILES,
            Capabilities::COMPRESS,
            Capabilities::ZSTD,
            Capabilities::QUERY_ATTRIBUTES,
            Capabilities::OPTIONAL_METADATA,
            Capabilities::IGNORE_SPACE,
            Capabilities::NO_SCHEMA,
            Capabilities::DEPRECATE_EOF,
            Capabilities(0xffff_ffff << 32),
        ] {
            assert_eq!(all & never, Capabilities::NONE, "{never:?}");
        }
        assert!(Capabilities::OFFERED.has(Capabilities::CARRIED));
    }
}
