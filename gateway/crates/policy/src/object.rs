//! An object as rules name it: a path, and for relations the columns that are meant.
//!
//! Owns reading and matching one such pattern. Must not know what a rule does with the answer.
//! The text is a path pattern, or a path pattern and a list of columns in parentheses:
//! `shop.public.users(email, name_*)`. A list of `*` alone is no list.

use std::fmt;
use std::sync::Arc;

use model::{Columns, ObjectPath, PathPattern, PatternError};

/// A path pattern with an optional list of column patterns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectPattern {
    path: PathPattern,
    /// `None` where the pattern speaks of the object with all its columns.
    columns: Option<Vec<PathPattern>>,
}

impl ObjectPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where the path or a column is not a pattern, a parenthesis is not closed at the end, or a
    /// column has more than one part.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Some((path, list)) = split_columns(text) else {
            return Ok(Self { path: PathPattern::parse(text)?, columns: None });
        };
        let list = list.strip_suffix(')').ok_or(PatternError::Columns)?;
        let mut columns = Vec::new();
        for column in split_list(list) {
            let column = PathPattern::parse(column.trim())?;
            if !column.can_match_arity(1) {
                return Err(PatternError::Columns);
            }
            columns.push(column);
        }
        let every = columns.iter().any(|column| column.as_str() == "*");
        Ok(Self {
            path: PathPattern::parse(path.trim_end())?,
            columns: (!every).then_some(columns),
        })
    }

    /// Reads the pattern of a name that has one part, dots and all.
    ///
    /// # Errors
    /// Where it is empty.
    pub fn parse_name(text: &str) -> Result<Self, PatternError> {
        Ok(Self { path: PathPattern::parse_name(text)?, columns: None })
    }

    /// The pattern of the object's name.
    #[must_use]
    pub const fn path(&self) -> &PathPattern {
        &self.path
    }

    /// Whether it speaks of some columns only.
    #[must_use]
    pub const fn lists_columns(&self) -> bool {
        self.columns.is_some()
    }

    /// Whether it could be about this object, whatever the columns.
    pub(crate) fn may_be(&self, path: &ObjectPath) -> bool {
        self.path.may_match(&path.0)
    }

    /// Whether it is for certain about this object, whatever the columns.
    pub(crate) fn is(&self, path: &ObjectPath) -> bool {
        self.path.matches(&path.0)
    }

    /// Whether it speaks of this column.
    pub(crate) fn names_column(&self, column: &Arc<str>) -> bool {
        self.columns.as_ref().is_none_or(|columns| {
            columns.iter().any(|pattern| pattern.matches(std::slice::from_ref(column)))
        })
    }

    /// Whether it speaks of any of these columns, or could.
    pub(crate) fn touches_columns(&self, columns: &Columns) -> bool {
        match columns {
            Columns::None => self.columns.is_none(),
            Columns::Named(names) => names.iter().any(|name| self.names_column(name)),
            Columns::All => true,
        }
    }
}

impl fmt::Display for ObjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        let Some(columns) = &self.columns else { return Ok(()) };
        for (index, column) in columns.iter().enumerate() {
            write!(f, "{}{column}", if index == 0 { "(" } else { ", " })?;
        }
        f.write_str(")")
    }
}

/// The text before the first parenthesis outside quotes, and the text after it.
fn split_columns(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'(' && !quoted
    })?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Splits at the commas outside quotes.
fn split_list(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Columns {
        Columns::Named(names.iter().map(|name| Arc::from(*name)).collect())
    }

    #[test]
    fn a_pattern_prints_as_it_was_written() {
        for text in ["shop.*", "shop.public.users(email, name_*)", "\"a(b\".c.d(\"x,y\")"] {
            assert_eq!(ObjectPattern::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ObjectPattern::parse("a.b.c (*)").unwrap().to_string(), "a.b.c");
    }

    #[test]
    fn a_mistake_in_the_list_is_refused() {
        for text in ["a.b.c(", "a.b.c()", "a.b.c(x", "a.b.c(x).y", "a.b.c(x,)", "a(b.c)", "(x)"] {
            assert!(ObjectPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_touches_what_shares_a_column_with_it() {
        let pattern = ObjectPattern::parse("shop.public.users(email, name_*)").unwrap();
        assert!(pattern.touches_columns(&named(&["id", "name_first"])));
        assert!(pattern.touches_columns(&Columns::All));
        assert!(!pattern.touches_columns(&named(&["id"])));
        assert!(!pattern.touches_columns(&Columns::None));
        assert!(ObjectPattern::parse("shop.*").unwrap().touches_columns(&Columns::None));
    }
}
