//! Paths as a transfer names them.
//!
//! Owns where a relative one begins. Must not know the directories of any host.

use std::sync::Arc;

/// What a relative path begins at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The path is absolute.
    Root,
    /// The login's home directory, where the server of a transfer starts.
    Home,
    /// The home of another user, as git reads `~bob/x`: `bob`. No caller can know where that is.
    HomeOf(Arc<str>),
}

/// A path that a transfer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPath {
    /// Where it begins.
    pub base: Base,
    /// The path, as the program is given it, less what `base` says. May hold `.`, `..` and empty
    /// parts; may be empty, for the base itself.
    pub text: Arc<str>,
}

impl TransferPath {
    /// A path that the program gives to the system as it is: `~` is a name like any other.
    pub(super) fn plain(text: &str) -> Self {
        let base = if text.starts_with('/') { Base::Root } else { Base::Home };
        Self { base, text: text.into() }
    }

    /// A path in which the program itself replaces `~` and `~user`.
    pub(super) fn with_tilde(text: &str) -> Self {
        let Some(after) = text.strip_prefix('~') else { return Self::plain(text) };
        let (user, rest) = after.split_once('/').unwrap_or((after, ""));
        let base = if user.is_empty() { Base::Home } else { Base::HomeOf(user.into()) };
        Self { base, text: rest.into() }
    }

    /// A path relative to this one, as a program started in it would see it.
    pub(super) fn join(&self, relative: &str) -> Self {
        if relative.starts_with('/') {
            return Self::plain(relative);
        }
        Self { base: self.base.clone(), text: format!("{}/{relative}", self.text).into() }
    }

    /// The absolute path without `.`, `..` and empty parts; `*` where it cannot be told. `home` is
    /// the login's home directory, absolute. `..` is taken lexically: where that matters, ask the
    /// target for the real path of the result's parents.
    #[must_use]
    pub fn resolve(&self, home: &str) -> String {
        let full = match self.base {
            Base::Root => self.text.to_string(),
            Base::Home if home.starts_with('/') => format!("{home}/{}", self.text),
            Base::Home | Base::HomeOf(_) => return String::from("*"),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in full.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }
}
