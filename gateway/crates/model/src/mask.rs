//! What is to be masked, and how: the part of a decision that the masking code carries out.
//!
//! Owns the words. Must not know how a value is found or changed (`masking`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::Tag;
use crate::pattern::{FieldPattern, FilePattern, PathPattern, ResourcePattern, RoutePattern};
use crate::resource::ResourceFacts;

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

/// Mask the fields of bodies (JSON, forms, events) that match a pattern. What is masked in an
/// object or an array is every value in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct FieldMask {
    /// Matches the names from the root of the document down to the field.
    pub pattern: FieldPattern,
    /// The paths of the requests whose bodies are meant; with none, all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RoutePattern>,
    /// The resources whose objects are meant; with none, all, and documents that are no objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourcePattern>,
    /// The classification.
    pub tag: Tag,
    /// How.
    pub transform: Transform,
}

impl FieldMask {
    /// Whether documents at this path are meant, or could be: a path that is not known or not
    /// normal may be any, and a slash at its end makes no other document of it.
    #[must_use]
    pub fn is_about(&self, path: &str) -> bool {
        self.resources.is_empty() && self.is_at(path)
    }

    /// Whether the objects that a request to an API server is answered with are meant. What is no
    /// resource has no objects: of that only documents are meant whose path is named.
    #[must_use]
    pub fn is_about_objects(&self, facts: &ResourceFacts) -> bool {
        if facts.is_path() {
            return !self.routes.is_empty() && self.is_about(&facts.request.path);
        }
        let meant = self.resources.is_empty()
            || self.resources.iter().any(|resource| resource.has_objects(facts));
        meant && self.is_at(&facts.request.path)
    }

    fn is_at(&self, path: &str) -> bool {
        self.routes.is_empty() || self.routes.iter().any(|route| route.may_match(path))
    }
}

impl fmt::Display for FieldMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field {}", self.pattern)?;
        for (index, resource) in self.resources.iter().enumerate() {
            write!(f, "{} {resource}", if index == 0 { " of" } else { "," })?;
        }
        for (index, route) in self.routes.iter().enumerate() {
            write!(f, "{} {route}", if index == 0 { " at" } else { "," })?;
        }
        Ok(())
    }
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
    /// By field of a body. Where several match one field, the first counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldMask>,
}

impl MaskProfile {
    /// Whether there is nothing to mask at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { columns, detectors, files, fields } = self;
        columns.is_empty() && detectors.is_empty() && files.is_empty() && fields.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_mask_is_about_its_routes_and_about_what_might_be_one() {
        let mask = |routes: &[&str]| FieldMask {
            pattern: FieldPattern::parse("**.email").unwrap(),
            routes: routes.iter().map(|route| RoutePattern::parse(route).unwrap()).collect(),
            resources: Vec::new(),
            tag: "pii.email".into(),
            transform: Transform::Redact,
        };
        let users = mask(&["/v1/users/**", "/v1/me"]);
        for path in
            ["/v1/users", "/v1/users/7", "/v1/users/", "/v1/me", "/v1/me/", "*", "", "/a//b"]
        {
            assert!(users.is_about(path), "{path}");
        }
        for path in ["/", "/v1", "/v1/", "/v1/mess", "/v1/user/"] {
            assert!(!users.is_about(path), "{path}");
        }
        assert!(mask(&[]).is_about("/") && mask(&["/"]).is_about("/"));
        assert_eq!(users.to_string(), "field **.email at /v1/users/**, /v1/me");
        assert_eq!(mask(&[]).to_string(), "field **.email");
    }
}
