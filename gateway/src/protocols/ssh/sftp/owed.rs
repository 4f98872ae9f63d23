//! What the upstream owes.
//!
//! Owns what each question was, whose, and which answers it may have. Must not know what an answer
//! leads to. An answer that nothing owed explains ends the channel.

use wire::ssh::sftp::{Answer, Body, Extension};

use super::front::Question;
use super::handles::{Name, Opening};

/// One answer that is owed.
pub(super) enum Owed<R> {
    /// Our own: where the login's home is.
    Home,
    /// Our own, asked for the client: the server's limits.
    Limits { client: u32 },
    /// Our own: about a path of the request that is being decided.
    Resolve { target: usize, question: Question },
    /// To a request that opens something.
    Open { client: u32, receipt: R, opening: Opening },
    /// To a request on paths.
    Path { client: u32, receipt: R, expects: Expects },
    /// To a request on a handle.
    Handle { client: u32, name: Name, asked: Asked },
}

/// What was asked of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Read { offset: u64, length: u32 },
    Write,
    Close,
    Other(Expects),
}

impl Asked {
    pub(super) const fn expects(self) -> Expects {
        match self {
            Self::Read { .. } => Expects::Data,
            Self::Write | Self::Close => Expects::Status,
            Self::Other(expects) => expects,
        }
    }
}

/// Which answer fits, beside a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expects {
    Status,
    Data,
    Names,
    Attributes,
    Extended,
}

impl Expects {
    /// What a request is answered with.
    pub(super) const fn of(body: &Body<'_>) -> Self {
        match body {
            Body::Read { .. } => Self::Data,
            Body::ReadDir { .. } | Body::RealPath { .. } | Body::ReadLink { .. } => Self::Names,
            Body::Lstat { .. } | Body::Fstat { .. } | Body::Stat { .. } => Self::Attributes,
            Body::Extended(extension) => match extension {
                Extension::ExpandPath { .. } | Extension::HomeDirectory { .. } => Self::Names,
                Extension::StatVfs { .. }
                | Extension::FstatVfs { .. }
                | Extension::Limits
                | Extension::UsersGroupsById { .. } => Self::Extended,
                _ => Self::Status,
            },
            _ => Self::Status,
        }
    }

    /// Whether an answer fits.
    pub(super) const fn fits(self, answer: &Answer<'_>) -> bool {
        match answer {
            Answer::Status(_) => true,
            Answer::Handle(_) => false,
            Answer::Data(_) => matches!(self, Self::Data),
            Answer::Names { .. } => matches!(self, Self::Names),
            Answer::Attributes(_) => matches!(self, Self::Attributes),
            Answer::Extended(_) => matches!(self, Self::Extended),
        }
    }
}
