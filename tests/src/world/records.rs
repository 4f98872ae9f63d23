//! What the gateway wrote down: audit lines, logs, recordings.
//!
//! Owns reading them back. Must not know what should stand in them.

use std::fs;
use std::path::PathBuf;

use gateway::recording::{
    self, Entry, Filter, Reader, Record, Trust, Value as Shown, VerifyReport,
};
use serde_json::Value;

use super::{World, log};

/// What a recording holds, as one text: every field, and every value as it was shown.
#[must_use]
pub fn text_of(entries: &[Entry]) -> String {
    let shown = |entry: &Entry| {
        let values: &[Shown<'_>] = match &entry.record {
            Record::ResultRow { values, .. } => values,
            Record::OperationStarted { parameters, .. } => parameters,
            _ => &[],
        };
        let bytes = values.iter().filter_map(|value| match value {
            Shown::Null => None,
            Shown::Whole(bytes) | Shown::Cut { kept: bytes, .. } => Some(bytes),
        });
        let streamed = match &entry.record {
            Record::Output { bytes, .. } => Some(bytes),
            _ => None,
        };
        let texts: Vec<_> = bytes.chain(streamed).map(|one| String::from_utf8_lossy(one)).collect();
        format!("{:?} {}\n", entry.record, texts.join("|"))
    };
    entries.iter().map(shown).collect()
}

impl World {
    /// The audit log, a line each. One that is just being written is not there yet.
    ///
    /// # Panics
    /// Where a line is not JSON.
    #[must_use]
    pub fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.state().join("state/audit.jsonl")).unwrap_or_default();
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        let lines = whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
        lines.collect()
    }

    /// Audit lines of one kind.
    #[must_use]
    pub fn events(&self, kind: &str) -> Vec<Value> {
        self.audit().into_iter().filter(|line| line["event"] == kind).collect()
    }

    /// The first audit line of a kind for which `is_it` holds, once there is one.
    ///
    /// # Panics
    /// Where none is written in time.
    #[must_use]
    pub fn event(&self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let find = || self.events(kind).into_iter().find(&is_it);
        crate::assert_eventually!(find().is_some(), "no such {kind} in {:#?}", self.audit());
        find().expect("it was there a moment ago")
    }

    /// Where recordings are.
    #[must_use]
    pub fn recordings_directory(&self) -> PathBuf {
        self.state().join("state/recordings")
    }

    /// Every recording, whole and verified, with its entries.
    ///
    /// # Panics
    /// Where one cannot be read.
    #[must_use]
    pub fn recordings(&self) -> Vec<(VerifyReport, Vec<Entry>)> {
        let directory = self.recordings_directory();
        let key = self.gateway.services().recorder.public_key();
        let trust = Trust::Keys(vec![key]);
        let found = recording::list(&directory, &Filter::default()).expect("a directory");
        found
            .into_iter()
            .map(|summary| {
                let report = recording::verify(&summary.path, &trust).expect("a recording");
                let reader = Reader::open_path(&summary.path, &trust).expect("a recording");
                (report, reader.map(|entry| entry.expect("an entry")).collect())
            })
            .collect()
    }

    /// All that is written down anywhere, as one text, to look for what must not be in it.
    #[must_use]
    pub fn everything_written(&self) -> String {
        let audit: String = self.audit().iter().map(ToString::to_string).collect();
        let recordings: String = self
            .recordings()
            .iter()
            .flat_map(|(_, all)| all)
            .map(|one| format!("{one:?}"))
            .collect();
        format!("{audit}\n{recordings}\n{}", log::text())
    }
}
