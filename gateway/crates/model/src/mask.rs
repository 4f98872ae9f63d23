//! What is to be masked, and how: the part of a decision that the masking code carries out.
//!
//! Owns the words. Must not know how a value is found or changed (`masking`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::Tag;
use crate::pattern::{FilePattern, PathPattern};

/// Defines a word enum with its texts in one place.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $( $(#[$doc])* $variant, )* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word of configuration and audit.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How a value is changed. Type and format are always kept.
    Transform {
        /// A fixed value of the type (`***` for text, 0 for numbers).
        Redact = "redact",
        /// SQL NULL.
        Null = "null",
        /// First character and shape stay: `a***@***.com`.
        Partial = "partial",
        /// All but the last four characters are starred.
        Last4 = "last4",
        /// A keyed hash in hexadecimal: equal values stay equal, so joins still work.
        Hash = "hash",
        /// A date or timestamp is cut to its year.
        DateYear = "date_year",
    }
}

words! {
    /// What a detector looks for in values whose column says nothing.
    Detector {
        /// Payment card numbers: 13 to 19 digits that pass Luhn and begin like an issuer.
        PaymentCard = "payment_card",
        /// E-mail addresses.
        Email = "email",
    }
}

/// Mask the columns that match a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ColumnMask {
    /// Matches `database.schema.table.column`.
    pub pattern: PathPattern,
    /// The classification.
    pub tag: Tag,
    /// How.
    pub transform: Transform,
}

/// Mask what a detector finds, in every value that no column mask has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct DetectorMask {
    /// What is looked for.
    pub detector: Detector,
    /// The classification.
    pub tag: Tag,
    /// How the found part is changed.
    pub transform: Transform,
}

/// Files whose content must not be seen. A file is not masked in passing, because what it is
/// cannot be known: a transfer of one is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct FileMask {
    /// Matches the file's path.
    pub pattern: FilePattern,
    /// The classification.
    pub tag: Tag,
}

/// All masks of one principal at one target: the classification less the tags it may see raw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct MaskProfile {
    /// By column. Where several match one column, the first counts.
    pub columns: Vec<ColumnMask>,
    /// By content.
    pub detectors: Vec<DetectorMask>,
    /// By path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileMask>,
}

impl MaskProfile {
    /// Whether there is nothing to mask at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.detectors.is_empty() && self.files.is_empty()
    }

    /// The mask of one column, `name` being `[database, schema, table, column]`.
    #[must_use]
    pub fn column<S: AsRef<str>>(&self, name: &[S]) -> Option<&ColumnMask> {
        self.columns.iter().find(|mask| mask.pattern.matches(name))
    }

    /// The mask of one file, or of one that the path could stand for: `*` for one that is not
    /// known, `/srv/**` for a directory with all below it.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileMask> {
        self.files.iter().find(|mask| mask.pattern.may_match(path))
    }

    /// The mask of one file or of any below it: for what is done to a directory and so to all in
    /// it, such as giving it another name.
    #[must_use]
    pub fn file_below(&self, path: &str) -> Option<&FileMask> {
        self.files.iter().find(|mask| mask.pattern.may_match_below(path))
    }
}
