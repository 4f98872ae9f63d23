//! Where errors are gathered while the configuration is read and checked.
//!
//! Owns turning a node and a reason into an error with its place. Must not know what is checked.

use std::cell::RefCell;

use super::error::{ConfigError, ConfigErrors, ConfigWarning};
use super::tree::{Places, Spot};

/// The errors so far, and the places they speak of.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) places: Places,
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigWarning>>,
}

impl Report {
    /// Refuses what stands at a node.
    pub(super) fn refuse(
        &self,
        spot: Spot,
        reason: impl Into<String>,
        remedy: impl Into<Option<String>>,
    ) {
        self.errors.borrow_mut().extend(self.error(spot, reason.into(), remedy.into()));
    }

    /// Warns of what stands at a node.
    pub(super) fn warn(&self, spot: Spot, reason: impl Into<String>, remedy: impl Into<String>) {
        let warning = self.error(spot, reason.into(), Some(remedy.into()));
        self.warnings.borrow_mut().extend(warning.map(ConfigWarning));
    }

    /// The warnings so far.
    pub(super) fn warnings(&self) -> Vec<ConfigWarning> {
        self.warnings.borrow().clone()
    }

    /// The error about a node, for callers that keep it for later.
    pub(super) fn error(
        &self,
        spot: Spot,
        reason: String,
        remedy: Option<String>,
    ) -> Option<ConfigError> {
        let written = self.places.written(spot)?;
        Some(ConfigError {
            file: written.file.to_path_buf(),
            line: written.line,
            column: written.column,
            key: written.key.clone(),
            value: written.shown.clone(),
            reason,
            remedy,
        })
    }

    /// Whether nothing has been refused.
    pub(super) fn is_clean(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// How many errors there are so far.
    pub(super) fn count(&self) -> usize {
        self.errors.borrow().len()
    }

    /// All errors, by file and line.
    pub(super) fn into_errors(self) -> ConfigErrors {
        let mut errors = self.errors.into_inner();
        errors.sort_by(|a, b| {
            (&a.file, a.line, a.column, &a.key).cmp(&(&b.file, b.line, b.column, &b.key))
        });
        errors.dedup();
        ConfigErrors(errors)
    }
}

/// The candidate that was probably meant, if any is close.
pub(super) fn nearest<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|one| (strsim::damerau_levenshtein(wanted, one), one))
        .filter(|(distance, one)| *distance <= 1 + one.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// "did you mean X?", or the whole choice where nothing is close.
pub(super) fn suggestion(wanted: &str, known: &[&str]) -> String {
    nearest(wanted, known.iter().copied()).map_or_else(
        || format!("use one of: {}", known.join(", ")),
        |near| format!("did you mean {near}?"),
    )
}
