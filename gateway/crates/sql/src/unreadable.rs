//! Why a text could not be read at all.
//!
//! Owns the reasons and their wording, which is the server's where the server has one. Must not
//! know what is answered to the client.

/// A text that cannot be judged, and so must not be forwarded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The grammar refuses it; the server would too.
    #[error("{message}")]
    Syntax {
        /// The server's own words: `syntax error at or near "FORM"`.
        message: String,
        /// Characters from the start of the text, counted from 1, as in the server's answer.
        position: Option<usize>,
    },
    /// A NUL character; the server's text ends there, ours would not.
    #[error("the statement contains a NUL character")]
    Nul,
    /// More bytes than [`text_bytes_max`](crate::AnalysisLimits::text_bytes_max).
    #[error("the statement is {bytes} bytes long, more than the {bytes_max} allowed")]
    TooLong {
        /// What came.
        bytes: usize,
        /// What may come.
        bytes_max: usize,
    },
    /// More than [`statements_max`](crate::AnalysisLimits::statements_max).
    #[error("there are more than {statements_max} statements in one message")]
    TooMany {
        /// What may come.
        statements_max: usize,
    },
    /// More than [`depth_max`](crate::AnalysisLimits::depth_max).
    #[error("the statement nests more than {depth_max} levels deep")]
    TooDeep {
        /// What may come.
        depth_max: usize,
    },
    /// More than [`nodes_max`](crate::AnalysisLimits::nodes_max).
    #[error("the statement has more than {nodes_max} parts")]
    TooComplex {
        /// What may come.
        nodes_max: usize,
    },
    /// A shape that the grammar would need too long for, and that no honest statement has.
    #[error("the statement has {what}")]
    Tangled {
        /// What it has.
        what: &'static str,
    },
    /// A statement that is known, and not read.
    #[error("{what} is not read by the gateway; use {instead}")]
    NotRead {
        /// Its words.
        what: &'static str,
        /// What does the same.
        instead: &'static str,
    },
    /// The reader itself failed; the statement is refused and the fault is ours.
    #[error("the statement could not be read")]
    Internal,
}

impl Unreadable {
    /// Whether the text is only too much of something that is allowed.
    #[must_use]
    pub const fn is_too_much(&self) -> bool {
        matches!(
            self,
            Self::TooLong { .. }
                | Self::TooMany { .. }
                | Self::TooDeep { .. }
                | Self::TooComplex { .. }
                | Self::Tangled { .. }
        )
    }

    /// Characters from the start of the text, counted from 1, where the reason has a place.
    #[must_use]
    pub const fn position(&self) -> Option<usize> {
        match self {
            Self::Syntax { position, .. } => *position,
            Self::Nul
            | Self::TooLong { .. }
            | Self::TooMany { .. }
            | Self::TooDeep { .. }
            | Self::TooComplex { .. }
            | Self::Tangled { .. }
            | Self::NotRead { .. }
            | Self::Internal => None,
        }
    }
}
