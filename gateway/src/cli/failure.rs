//! How a command ends.
//!
//! Owns the exit statuses and the form of an error: what went wrong, then what to do about it.

use std::process::ExitCode;

use crate::control::{ClientError, ProblemKind};

/// The exit status, as the help documents it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Exit {
    Done,
    NotGood,
    NoAnswer,
    NotPermitted,
    Impossible,
    /// The daemon's own.
    Daemon(ExitCode),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::NotGood => Self::from(1),
            Exit::NoAnswer => Self::from(3),
            Exit::NotPermitted => Self::from(4),
            Exit::Impossible => Self::from(5),
            Exit::Daemon(code) => code,
        }
    }
}

/// What went wrong and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    exit: Exit,
    message: String,
    details: Vec<String>,
    remedy: Option<String>,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new(), remedy: None }
    }

    pub(super) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn details(&self) -> &[String] {
        &self.details
    }

    pub(super) fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::NotRunning { .. }
            | ClientError::Connection { .. }
            | ClientError::Answer { .. }
            | ClientError::TooLate => Exit::NoAnswer,
            ClientError::NoPermission { .. } => Exit::NotPermitted,
            ClientError::Refused(problem) => match problem.kind {
                ProblemKind::Forbidden => Exit::NotPermitted,
                ProblemKind::Invalid => Exit::NotGood,
                _ => Exit::Impossible,
            },
        };
        let details = match &error {
            ClientError::Refused(problem) => problem.details.clone(),
            _ => Vec::new(),
        };
        Self { exit, message: error.to_string(), details, remedy: error.remedy() }
    }
}
