//! The facts of recordings in the form that `--json` prints.
//!
//! Owns the field names of that form. Must not know how they are found.

use std::path::PathBuf;

use serde::Serialize;

use crate::recording::{SealBody, SessionHeader, Summary, VerifyReport};

/// One recording.
#[derive(Debug, Serialize)]
pub(super) struct SessionFacts {
    #[serde(flatten)]
    pub(super) header: SessionHeader,
    pub(super) seal: Option<SealBody>,
    pub(super) path: PathBuf,
    pub(super) file_bytes: u64,
}

impl From<Summary> for SessionFacts {
    fn from(summary: Summary) -> Self {
        Self {
            header: summary.header,
            seal: summary.seal,
            path: summary.path,
            file_bytes: summary.file_bytes,
        }
    }
}

impl SessionFacts {
    /// The cause of the end, as the audit log words it.
    pub(super) fn end_word(&self) -> String {
        let Some(seal) = &self.seal else { return "unsealed".to_owned() };
        let cause = serde_json::to_value(&seal.end).ok();
        let cause = cause.as_ref().and_then(|end| end.get("cause")?.as_str());
        cause.unwrap_or("ended").to_owned()
    }
}

/// One recording and whether it holds.
#[derive(Debug, Serialize)]
pub(super) struct ShownFacts {
    #[serde(flatten)]
    pub(super) session: SessionFacts,
    pub(super) verified: VerifyFacts,
}

/// The findings about one recording.
#[derive(Debug, Serialize)]
pub(super) struct VerifyFacts {
    pub(super) path: PathBuf,
    pub(super) session: String,
    pub(super) good: bool,
    pub(super) verdict: String,
    pub(super) signature: String,
    pub(super) blocks: u64,
    pub(super) records: u64,
    pub(super) signed_records: u64,
    pub(super) chain_head: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

impl VerifyFacts {
    pub(super) fn new(path: PathBuf, report: &VerifyReport) -> Self {
        let word = |value: serde_json::Result<serde_json::Value>| {
            value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let named = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Self {
            session: report
                .session
                .map(|session| session.to_string())
                .or_else(named)
                .unwrap_or_default(),
            good: report.ok(),
            verdict: word(serde_json::to_value(report.verdict)),
            signature: word(serde_json::to_value(report.signature)),
            blocks: report.blocks,
            records: report.records,
            signed_records: report.signed_records,
            chain_head: report.chain_head.clone(),
            key: report.key.map(|key| key.to_string()),
            problem: report.problem.as_ref().map(ToString::to_string),
            path,
        }
    }
}
