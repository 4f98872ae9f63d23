//! Long texts of statements, read where nobody waits for them.
//!
//! Owns the text that a session has to have read before it goes on, and its reading until the session
//! is quiet. Must not know what a text means. The reading is the one that [`Session::read`] would make
//! on the spot, and is used only where names still mean the same.

use std::sync::Arc;

use super::live::Session;
use super::statements::{DatabaseScope, LONG_TEXT_BYTES, Statements};

/// What is read aside.
#[derive(Debug, Default)]
pub(super) enum Aside {
    #[default]
    Nothing,
    /// To be read.
    Wanted(Arc<str>),
    /// Read, with what names meant.
    Read { text: Arc<str>, scope: DatabaseScope, statements: Arc<Statements> },
}

impl Aside {
    /// The reading of this text, where there is one and names still mean the same.
    pub(super) fn find(&self, text: &str, scope: &DatabaseScope) -> Option<Arc<Statements>> {
        match self {
            Self::Read { text: read, scope: then, statements }
                if **read == *text && then.means_the_same_as(scope) =>
            {
                Some(Arc::clone(statements))
            }
            _ => None,
        }
    }
}

impl Session {
    /// Whether this text is to be read aside first: then nothing more is taken in before
    /// [`Self::read_aside`] has done so, and the same message is taken in again.
    pub fn must_read_aside(&mut self, text: &[u8]) -> bool {
        if text.len() <= LONG_TEXT_BYTES {
            return false;
        }
        let (Some(database), Ok(text)) = (&self.database, str::from_utf8(text)) else {
            return false;
        };
        if self.aside.find(text, database).is_some() {
            return false;
        }
        self.aside = Aside::Wanted(text.into());
        true
    }

    /// Reads the text that is to be read aside, while other sessions of this thread go on. `false`
    /// where there is none.
    pub async fn read_aside(&mut self) -> bool {
        let Aside::Wanted(text) = &self.aside else { return false };
        let Some(scope) = self.database.clone() else { return false };
        let text = Arc::clone(text);
        let readings = Arc::clone(&self.services.readings);
        let statements = readings.read_aside(Arc::clone(&text), scope.clone()).await;
        self.aside = Aside::Read { text, scope, statements };
        true
    }

    /// Lets go of what was read aside: the session is quiet.
    pub fn forget_aside(&mut self) {
        self.aside = Aside::Nothing;
    }
}
