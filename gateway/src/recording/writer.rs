//! The writer thread: takes sessions' blocks, compresses, chains, signs and writes them.
//!
//! Owns the queue, the flush timer and the retries. Must not know what a record says. The queue's
//! lists hold each session at most once each, so they are bounded by the live sessions. Ends when the
//! queue is closed, after everything in it was tried once more.
//!
//! A block that cannot be written stays encoded in its file's state and is tried again each second;
//! meanwhile the session's records stay with the session, bounded, and its operations are refused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::audit::{AuditEvent, SessionFacts};
use model::{Clock, Timestamp};
use parking_lot::{Condvar, Mutex};
use tokio::sync::{Notify, oneshot};

use super::file::{Batch, RecordingFile};
use super::header::{FileHeader, SealBody};
use super::key::SigningKey;
use super::packing::Packer;
use super::recorder::{RecorderSettings, RecordingError};
use super::session::{Ending, Pending, Schedule, SessionRecorder, Shared};
use crate::telemetry::Events;

/// How often writing is tried again after it failed.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Recordings that may wait to be created. Raised, a stalled disk lets more half-open sessions
/// pile up.
const BEGINS_MAX: usize = 4096;

/// A session whose block has so many bytes is busy.
const BUSY_BYTES: usize = 32 * 1024;

/// A buffer larger than this is not kept: it grew while the disk stood still.
const SPARE_BYTES_MAX: usize = 256 * 1024;

/// A recording to be created.
#[derive(Debug)]
pub(super) struct Begin {
    pub(super) header: Box<FileHeader>,
    pub(super) reply: oneshot::Sender<Result<SessionRecorder, RecordingError>>,
}

/// What sessions ask of the writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
    /// True while `trouble` holds something: read before each operation.
    troubled: AtomicBool,
    trouble: Mutex<Option<RecordingError>>,
}

#[derive(Debug, Default)]
struct QueueState {
    begins: VecDeque<Begin>,
    now: Vec<Arc<Shared>>,
    later: Vec<Arc<Shared>>,
    closed: bool,
}

impl Queue {
    pub(super) fn begin(&self, begin: Begin) -> Result<(), RecordingError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(RecordingError::Closed);
        }
        if state.begins.len() >= BEGINS_MAX {
            return Err(RecordingError::Behind);
        }
        state.begins.push_back(begin);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn schedule(
        &self,
        shared: &Arc<Shared>,
        schedule: Schedule,
    ) -> Result<(), RecordingError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(RecordingError::Closed);
        }
        let wakes = match schedule {
            Schedule::Now => {
                state.now.push(Arc::clone(shared));
                true
            }
            Schedule::Later => {
                state.later.push(Arc::clone(shared));
                // The first one starts the timer; the others ride along.
                state.later.len() == 1
            }
        };
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    /// What fails now, creation included.
    pub(super) fn health(&self) -> Result<(), RecordingError> {
        if self.troubled.load(Ordering::Acquire) {
            return Err(self.trouble.lock().clone().unwrap_or(RecordingError::Closed));
        }
        Ok(())
    }

    /// As `health`, for running sessions: that another recording could not be created is not
    /// their trouble, that one could not be written is.
    pub(super) fn writable(&self) -> Result<(), RecordingError> {
        match self.health() {
            Err(RecordingError::NotCreated { .. }) | Ok(()) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn set_trouble(&self, trouble: Option<RecordingError>) {
        let troubled = trouble.is_some();
        *self.trouble.lock() = trouble;
        self.troubled.store(troubled, Ordering::Release);
    }
}

/// What the thread is given.
#[derive(Debug)]
pub(super) struct WriterSettings {
    pub(super) settings: RecorderSettings,
    pub(super) key: SigningKey,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Events,
    pub(super) queue: Arc<Queue>,
}

/// Starts the thread.
pub(super) fn spawn(given: WriterSettings) -> std::io::Result<std::thread::JoinHandle<()>> {
    let packer = Packer::new()?;
    let closing = CloseOnExit(Arc::clone(&given.queue));
    let writer = Writer { given, packer, spare: None, failing: Vec::new(), retry_at: None };
    std::thread::Builder::new().name("recorder".into()).spawn(move || {
        let _closing = closing;
        writer.run();
    })
}

/// However the thread ends, sessions must learn that nobody writes any more.
struct CloseOnExit(Arc<Queue>);

impl Drop for CloseOnExit {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        // Their senders are dropped, which is the answer.
        let abandoned = std::mem::take(&mut state.begins);
        drop(state);
        drop(abandoned);
        self.0.set_trouble(Some(RecordingError::Closed));
    }
}

struct Writer {
    given: WriterSettings,
    packer: Packer,
    /// The buffer of the last large block, for the next busy session.
    spare: Option<Vec<u8>>,
    failing: Vec<Failing>,
    retry_at: Option<Instant>,
}

/// A recording whose file cannot be written now.
struct Failing {
    shared: Arc<Shared>,
    /// Head and records, where the seal is among what could not be written.
    sealed: Option<String>,
}

/// One round's work.
struct Round {
    begins: VecDeque<Begin>,
    blocks: Vec<Arc<Shared>>,
    closed: bool,
}

impl Writer {
    fn run(mut self) {
        let mut flush_at = None;
        loop {
            let round = self.wait(&mut flush_at);
            for begin in round.begins {
                self.create(begin);
            }
            for shared in round.blocks {
                self.write_out(&shared);
            }
            if self.retry_at.is_some_and(|at| at <= Instant::now()) || round.closed {
                self.retry();
            }
            if round.closed {
                break;
            }
        }
    }

    /// Waits for work: something urgent, the flush timer, the retry timer, or the end.
    fn wait(&self, flush_at: &mut Option<Instant>) -> Round {
        let mut state = self.given.queue.state.lock();
        loop {
            let now = Instant::now();
            if state.later.is_empty() {
                *flush_at = None;
            } else if flush_at.is_none() {
                *flush_at = Some(now + self.given.settings.flush_every);
            }
            let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            let flush = due(*flush_at) || state.closed;
            if flush || due(self.retry_at) || !state.begins.is_empty() || !state.now.is_empty() {
                let mut blocks = std::mem::take(&mut state.now);
                if flush {
                    blocks.append(&mut state.later);
                    *flush_at = None;
                }
                let begins = std::mem::take(&mut state.begins);
                return Round { begins, blocks, closed: state.closed };
            }
            match [*flush_at, self.retry_at].into_iter().flatten().min() {
                None => self.given.queue.wake.wait(&mut state),
                Some(at) => {
                    _ = self.given.queue.wake.wait_until(&mut state, at);
                }
            }
        }
    }

    fn create(&mut self, begin: Begin) {
        let header = &begin.header;
        let created = RecordingFile::create(&self.given.settings.directory, header);
        let answer = match created {
            Ok(file) => {
                if self.failing.is_empty() {
                    self.given.queue.set_trouble(None);
                }
                let shared = Arc::new(Shared {
                    facts: facts(header),
                    pending: Mutex::new(Pending::default()),
                    file: Mutex::new(file),
                    taken: Notify::new(),
                });
                Ok(SessionRecorder::new(
                    shared,
                    Arc::clone(&self.given.queue),
                    Arc::clone(&self.given.clock),
                    header.session.started_us,
                    self.given.settings.recorded_result_bytes_max,
                ))
            }
            Err(error) => {
                let error = RecordingError::NotCreated { because: error.to_string().into() };
                if self.failing.is_empty() {
                    self.given.queue.set_trouble(Some(error.clone()));
                }
                self.report(&facts(header), &error);
                Err(error)
            }
        };
        // A session that went away while it waited drops its recorder, which seals it.
        _ = begin.reply.send(answer);
    }

    /// Takes what the session has and writes it. A failing recording keeps its own for the retry.
    fn write_out(&mut self, shared: &Arc<Shared>) {
        if self.failing.iter().any(|failing| Arc::ptr_eq(&failing.shared, shared)) {
            return;
        }
        let mut file = shared.file.lock();
        let sealed = self.encode(shared, &mut file);
        match self.write(&mut file) {
            Ok(()) => self.written(shared, &file, sealed),
            Err(error) => {
                drop(file);
                self.fail(shared, sealed, &error);
            }
        }
    }

    /// Moves what the session has into the file's state; gives the chain's head where that was all.
    fn encode(&mut self, shared: &Shared, file: &mut RecordingFile) -> Option<String> {
        let (batch, ending, lost) = {
            let mut pending = shared.pending.lock();
            pending.listed = false;
            pending.urgent = false;
            pending.failing = None;
            let batch = std::mem::take(&mut pending.batch);
            // A busy session goes on in a buffer that has its size already; a quiet one keeps none.
            if batch.plain.len() >= BUSY_BYTES {
                pending.batch.plain = self.spare.take().unwrap_or_default();
            }
            (batch, pending.ending.take(), std::mem::take(&mut pending.lost))
        };
        shared.taken.notify_one();
        let metrics = self.given.events.metrics();
        metrics.recording_records_lost.increment(lost);
        if batch.records > 0 {
            metrics.recording_records.increment(u64::from(batch.records));
            metrics.recording_plain_bytes.increment(batch.plain.len() as u64);
            self.compress(shared, file, &batch);
        }
        if (BUSY_BYTES..=SPARE_BYTES_MAX).contains(&batch.plain.capacity()) {
            let mut spare = batch.plain;
            spare.clear();
            self.spare = Some(spare);
        }
        let now = self.given.clock.now();
        match ending {
            Some(ending) => self.seal(shared, file, ending),
            None => {
                let sign_every = self.given.settings.sign_every;
                let older_than = Timestamp(
                    now.0.saturating_sub(u64::try_from(sign_every.as_micros()).unwrap_or(u64::MAX)),
                );
                file.checkpoint(&self.given.key, older_than, now);
                None
            }
        }
    }

    fn compress(&mut self, shared: &Shared, file: &mut RecordingFile, batch: &Batch) {
        if let Err(error) = file.append(batch, &mut self.packer) {
            // Only for want of memory. The records are gone, and that is said where they would be.
            let lost = u64::from(batch.records);
            self.given.events.metrics().recording_records_lost.increment(lost);
            shared.pending.lock().add_gap(lost);
            let error = RecordingError::Unwritable { because: error.to_string().into() };
            self.report(&shared.facts, &error);
        }
    }

    fn seal(&self, shared: &Shared, file: &mut RecordingFile, ending: Ending) -> Option<String> {
        let body = SealBody {
            ended_us: ending.at,
            end: ending.end,
            counts: ending.counts,
            records: file.records(),
            records_lost: ending.records_lost,
        };
        match file.seal(&self.given.key, body) {
            Ok(head) => Some(head),
            Err(error) => {
                let error = RecordingError::Unwritable { because: error.to_string().into() };
                self.report(&shared.facts, &error);
                None
            }
        }
    }

    fn write(&self, file: &mut RecordingFile) -> std::io::Result<()> {
        let written = file.write()?;
        self.given.events.metrics().recording_bytes.increment(written as u64);
        Ok(())
    }

    fn written(&self, shared: &Shared, file: &RecordingFile, sealed: Option<String>) {
        let Some(chain_head) = sealed else { return };
        if self.given.settings.sync_at_seal
            && let Err(error) = file.sync()
        {
            let error = RecordingError::Unwritable { because: error.to_string().into() };
            self.report(&shared.facts, &error);
        }
        self.given.events.emit(AuditEvent::RecordingSealed {
            session: shared.facts.session,
            chain_head,
            records: file.records(),
        });
    }

    fn fail(&mut self, shared: &Arc<Shared>, sealed: Option<String>, error: &std::io::Error) {
        let error = RecordingError::Unwritable { because: error.to_string().into() };
        shared.pending.lock().failing = Some(error.clone());
        self.report(&shared.facts, &error);
        self.failing.push(Failing { shared: Arc::clone(shared), sealed });
        self.retry_at.get_or_insert(Instant::now() + RETRY_EVERY);
        self.settle_trouble(Some(error));
    }

    /// Tries what failed before; what succeeds goes on with what its session said meanwhile.
    fn retry(&mut self) {
        self.retry_at = None;
        for failing in std::mem::take(&mut self.failing) {
            let mut file = failing.shared.file.lock();
            match self.write(&mut file) {
                Ok(()) => {
                    self.written(&failing.shared, &file, failing.sealed);
                    drop(file);
                    self.write_out(&failing.shared);
                }
                Err(_) => {
                    drop(file);
                    self.failing.push(failing);
                }
            }
        }
        if !self.failing.is_empty() {
            self.retry_at.get_or_insert(Instant::now() + RETRY_EVERY);
        }
        self.settle_trouble(None);
    }

    fn settle_trouble(&self, new: Option<RecordingError>) {
        let count = u32::try_from(self.failing.len()).unwrap_or(u32::MAX);
        self.given.events.metrics().recordings_failing.set(f64::from(count));
        if self.failing.is_empty() {
            self.given.queue.set_trouble(None);
        } else if new.is_some() {
            self.given.queue.set_trouble(new);
        }
    }

    fn report(&self, facts: &SessionFacts, error: &RecordingError) {
        self.given.events.emit(AuditEvent::RecordingFailed {
            session: facts.clone(),
            because: error.to_string().into(),
        });
    }
}

fn facts(header: &FileHeader) -> SessionFacts {
    let session = &header.session;
    SessionFacts {
        session: session.session,
        workload: session.principal.workload.clone(),
        subject: session.principal.token.clone(),
        target: session.target.clone(),
        protocol: session.protocol,
        pid: session.binding.process.tgid,
    }
}
