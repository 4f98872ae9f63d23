//! What went wrong with a chore, as a sentence for the person who ran it.
//!
//! Owns the one error type of this package. Must not know any chore: nobody handles a fault here,
//! it is shown and the chore ends.

use std::fmt;

/// The result of a step of a chore.
pub(crate) type Outcome<T = ()> = Result<T, Fault>;

/// A chore failed; the text says at what and why.
#[derive(Debug)]
pub(crate) struct Fault(String);

impl Fault {
    /// A fault with this text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `Err` with this text, for `return`.
    pub(crate) fn because<T>(text: impl Into<String>) -> Outcome<T> {
        Err(Self::new(text))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was being done when something failed.
pub(crate) trait During<T> {
    /// Puts `what: ` before the error's own text.
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> During<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Fault(format!("{what}: {error}")))
    }
}

impl<T> During<T> for Option<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.ok_or_else(|| Fault(what.to_string()))
    }
}
