//! A session's end of its recording.
//!
//! Owns what the session pushed and the writer has not taken yet. Must not know files. `push` encodes
//! into one block in memory under a lock that only the writer, a few times a second, contends for:
//! it never waits for a disk. `ready` is where a session waits, and where it is told that its
//! recording is in trouble. Ends with [`SessionRecorder::finish`]; one that is dropped without it (a
//! driver that panicked) is sealed with that as its cause.

use std::sync::Arc;
use std::time::Duration;

use model::audit::{SessionEnd, SessionFacts};
use model::{Clock, Effect, OperationNumber, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::encoding::{self, EncodingError};
use super::file::{Batch, RecordingFile};
use super::header::Counts;
use super::layout::PENDING_BYTES_MAX;
use super::outputs::Outputs;
use super::record::{OperationOutcome, Record, Stream};
use super::recorder::{RecordingError, STALLED_AFTER};
use super::writer::Queue;

/// A block of this many bytes is handed over at once. Larger blocks compress better and lose more.
const BLOCK_BYTES: usize = 64 * 1024;

/// A session with more than this waiting waits too.
const READY_BYTES: usize = 128 * 1024;

/// What session and writer share of one recording.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) facts: SessionFacts,
    pub(super) pending: Mutex<Pending>,
    /// Locked by the writer only.
    pub(super) file: Mutex<RecordingFile>,
    /// Told when the writer has taken a block.
    pub(super) taken: Notify,
}

/// What the writer has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) batch: Batch,
    /// In the writer's list of blocks that wait for their time.
    pub(super) listed: bool,
    /// In its list of blocks to be written at once.
    pub(super) urgent: bool,
    /// Records not kept since the last gap record.
    gap: u64,
    /// Records not kept that the writer has not counted.
    pub(super) lost: u64,
    /// Why the file cannot be written now.
    pub(super) failing: Option<RecordingError>,
    pub(super) ending: Option<Ending>,
}

impl Pending {
    /// Says that records were lost, where the next one is written.
    pub(super) fn add_gap(&mut self, records: u64) {
        self.gap += records;
    }
}

/// How the session ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) end: SessionEnd,
    pub(super) at: Timestamp,
    pub(super) counts: Counts,
    pub(super) records_lost: u64,
}

/// Records one session.
#[derive(Debug)]
pub struct SessionRecorder {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    started: Timestamp,
    last_at: Duration,
    counts: Counts,
    lost: u64,
    result: ResultBudget,
    outputs: Outputs,
    result_bytes_max: usize,
    finished: bool,
}

/// How much of the current operation's result may still be kept.
#[derive(Debug, Default)]
struct ResultBudget {
    operation: OperationNumber,
    left: usize,
    omitted_rows: u64,
    omitted_bytes: u64,
}

/// What `push` asks of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// Write within the flush interval.
    Later,
    /// Write now.
    Now,
}

impl SessionRecorder {
    pub(super) fn new(
        shared: Arc<Shared>,
        queue: Arc<Queue>,
        clock: Arc<dyn Clock>,
        started: Timestamp,
        result_bytes_max: usize,
    ) -> Self {
        Self {
            shared,
            queue,
            clock,
            started,
            last_at: Duration::ZERO,
            counts: Counts::default(),
            lost: 0,
            result: ResultBudget::default(),
            outputs: Outputs::default(),
            result_bytes_max,
            finished: false,
        }
    }

    /// Adds a record. Never waits. Parameters are cut to `recorded_result_bytes_max` in sum; rows
    /// beyond it are counted, not kept, and so is output that goes to no terminal.
    ///
    /// # Errors
    /// When the record may not reach the disk: the session must refuse the operation. The record is
    /// kept as long as there is room, so that the refusal too is in the recording once it can be
    /// written.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), RecordingError> {
        self.tally(record);
        match record {
            Record::ResultRow { operation, values } => {
                let bytes = values.iter().map(|value| match value {
                    super::Value::Null => 0,
                    super::Value::Whole(bytes) => bytes.len() as u64,
                    super::Value::Cut { bytes_total, .. } => *bytes_total,
                });
                if self.result_is_full(*operation) {
                    let bytes = bytes.sum();
                    self.skip_rows(*operation, 1, bytes);
                    return Ok(());
                }
            }
            Record::Output { operation: Some(operation), stream, bytes } => {
                return self.push_output(*operation, *stream, bytes);
            }
            Record::Terminal { operation, .. } => self.outputs.opens_terminal(*operation),
            Record::OperationEnded { operation, .. } => {
                self.close_result(*operation)?;
                let bytes = self.outputs.end(*operation);
                if bytes > 0 {
                    self.omitted(*operation, 0, bytes)?;
                }
            }
            _ => {}
        }
        let mut budget = match record {
            Record::ResultRow { .. } => self.result.left,
            _ => self.result_bytes_max,
        };
        let pushed = self.append(record.is_urgent(), |block, at| {
            encoding::append(block, at, record, &mut budget)
        });
        if matches!(record, Record::ResultRow { .. }) {
            self.result.left = budget;
        }
        pushed
    }

    fn push_output(
        &mut self,
        operation: OperationNumber,
        stream: Stream,
        bytes: &[u8],
    ) -> Result<(), RecordingError> {
        let bytes = self.outputs.keep(operation, stream, bytes, self.result_bytes_max);
        if bytes.is_empty() {
            return Ok(());
        }
        let record = Record::Output { operation: Some(operation), stream, bytes: bytes.into() };
        self.append(false, |block, at| encoding::append(block, at, &record, &mut 0))
    }

    /// Adds a row from its values, without a [`Record`] being built. As [`SessionRecorder::push`].
    ///
    /// # Errors
    /// As [`SessionRecorder::push`].
    pub fn push_row<'v>(
        &mut self,
        operation: OperationNumber,
        values: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    ) -> Result<(), RecordingError> {
        if self.result_is_full(operation) {
            let bytes = values.map(|value| value.map_or(0, |bytes| bytes.len() as u64)).sum();
            self.skip_rows(operation, 1, bytes);
            return Ok(());
        }
        let mut left = self.result.left;
        let pushed = self.append(false, |block, at| {
            encoding::append_row(block, at, operation.0, values, &mut left)
        });
        self.result.left = left;
        pushed
    }

    /// Adds column names, without a [`Record`] being built. As [`SessionRecorder::push`].
    ///
    /// # Errors
    /// As [`SessionRecorder::push`].
    pub fn push_columns<'v>(
        &mut self,
        operation: OperationNumber,
        names: impl ExactSizeIterator<Item = &'v str>,
    ) -> Result<(), RecordingError> {
        self.append(false, |block, at| encoding::append_columns(block, at, operation.0, names))
    }

    /// True once the operation's result has reached its limit: further rows need not be decoded
    /// for the recording, only counted with [`SessionRecorder::skip_rows`].
    pub fn result_is_full(&mut self, operation: OperationNumber) -> bool {
        if self.result.operation != operation {
            // A result that was left without an end: its count goes in before the next begins.
            let before = self.result.operation;
            _ = self.close_result(before);
            self.result =
                ResultBudget { operation, left: self.result_bytes_max, ..ResultBudget::default() };
        }
        self.result.left == 0
    }

    /// Counts rows that were shown and are not kept.
    pub fn skip_rows(&mut self, operation: OperationNumber, rows: u64, bytes: u64) {
        if self.result_is_full(operation) {
            self.result.omitted_rows += rows;
            self.result.omitted_bytes += bytes;
        }
    }

    /// Waits until the recorder has room. Call before each operation: returns at once nearly
    /// always.
    ///
    /// # Errors
    /// When no recording, or not this one, can be written now, or the writer does not answer:
    /// refuse the operation.
    pub async fn ready(&mut self) -> Result<(), RecordingError> {
        while let Some(waiting) = self.must_wait()? {
            tokio::time::timeout(STALLED_AFTER, waiting)
                .await
                .map_err(|_| RecordingError::Stalled)?;
        }
        Ok(())
    }

    /// What the session did so far, by its records.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Ends the recording: the last record, the seal, the event. Never waits.
    pub fn finish(mut self, end: SessionEnd) {
        self.end(end);
    }

    /// What the writer sees of it.
    #[cfg(test)]
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    fn must_wait(&self) -> Result<Option<impl Future<Output = ()>>, RecordingError> {
        self.queue.writable()?;
        let pending = self.shared.pending.lock();
        if let Some(error) = &pending.failing {
            return Err(error.clone());
        }
        let waits = pending.batch.plain.len() >= READY_BYTES;
        Ok(waits.then(|| self.shared.taken.notified()))
    }

    fn end(&mut self, end: SessionEnd) {
        if self.finished {
            return;
        }
        self.finished = true;
        let open = self.result.operation;
        _ = self.close_result(open);
        let counts = self.counts;
        let at = self.clock.now();
        let record = Record::SessionEnded { end: std::borrow::Cow::Borrowed(&end), counts };
        // Small and last: kept even where the session's room is full.
        _ = self.append_within(usize::MAX, true, |block, at| {
            encoding::append(block, at, &record, &mut 0)
        });
        let ending = Ending { end, at, counts, records_lost: self.lost };
        self.shared.pending.lock().ending = Some(ending);
        // The writer may have taken the last record already, before it could see the ending.
        _ = self.queue.schedule(&self.shared, Schedule::Now);
    }

    fn tally(&mut self, record: &Record<'_>) {
        let counts = &mut self.counts;
        match record {
            Record::OperationStarted { .. } => counts.operations += 1,
            Record::Decided { effect: Effect::Deny, .. } => counts.denied += 1,
            Record::Held { .. } => counts.held += 1,
            Record::OperationEnded { outcome, rows, masked_values, .. } => {
                counts.rows += rows;
                counts.masked_values += masked_values;
                counts.failed += u64::from(*outcome == OperationOutcome::Failed);
            }
            _ => {}
        }
    }

    /// Says how much of the operation's result was left out.
    fn close_result(&mut self, operation: OperationNumber) -> Result<(), RecordingError> {
        let (rows, bytes) = (self.result.omitted_rows, self.result.omitted_bytes);
        if self.result.operation != operation || rows == 0 {
            return Ok(());
        }
        self.result.omitted_rows = 0;
        self.result.omitted_bytes = 0;
        self.omitted(operation, rows, bytes)
    }

    fn omitted(
        &mut self,
        operation: OperationNumber,
        rows: u64,
        bytes: u64,
    ) -> Result<(), RecordingError> {
        let record = Record::ResultOmitted { operation, rows, bytes };
        self.append(false, |block, at| encoding::append(block, at, &record, &mut 0))
    }

    fn append(
        &mut self,
        urgent: bool,
        write: impl FnOnce(&mut Vec<u8>, Duration) -> Result<(), EncodingError>,
    ) -> Result<(), RecordingError> {
        self.append_within(PENDING_BYTES_MAX, urgent, write)
    }

    fn append_within(
        &mut self,
        bytes_max: usize,
        urgent: bool,
        write: impl FnOnce(&mut Vec<u8>, Duration) -> Result<(), EncodingError>,
    ) -> Result<(), RecordingError> {
        // A clock that was set back must not make times run backwards.
        let at = self.clock.now().since(self.started).max(self.last_at);
        self.last_at = at;
        let mut guard = self.shared.pending.lock();
        let pending = &mut *guard;
        if pending.batch.plain.len() >= bytes_max {
            pending.gap += 1;
            pending.lost += 1;
            self.lost += 1;
            return Err(pending.failing.clone().unwrap_or(RecordingError::Behind));
        }
        if pending.gap > 0 {
            let gap = Record::Gap { records: pending.gap };
            if pending.batch.add(at, |block, at| encoding::append(block, at, &gap, &mut 0)).is_ok()
            {
                pending.gap = 0;
            }
        }
        if pending.batch.add(at, write).is_err() {
            pending.gap += 1;
            pending.lost += 1;
            self.lost += 1;
            return Err(RecordingError::TooLarge);
        }
        let now = urgent || pending.batch.plain.len() >= BLOCK_BYTES;
        let schedule = if now && !pending.urgent {
            pending.urgent = true;
            Some(Schedule::Now)
        } else if !now && !pending.listed && !pending.urgent {
            pending.listed = true;
            Some(Schedule::Later)
        } else {
            None
        };
        let failing = pending.failing.clone();
        drop(guard);
        if let Some(schedule) = schedule {
            self.queue.schedule(&self.shared, schedule)?;
        }
        failing.map_or(Ok(()), Err)
    }
}

impl Drop for SessionRecorder {
    fn drop(&mut self) {
        self.end(SessionEnd::Internal { because: "the session was dropped before its end".into() });
    }
}

impl Batch {
    /// Adds an encoded record; nothing on an error.
    fn add(
        &mut self,
        at: Duration,
        write: impl FnOnce(&mut Vec<u8>, Duration) -> Result<(), EncodingError>,
    ) -> Result<(), EncodingError> {
        write(&mut self.plain, at)?;
        let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        if self.records == 0 {
            self.first_at_us = at_us;
        }
        self.last_at_us = at_us;
        self.records += 1;
        Ok(())
    }
}
