//! The recorder: begins recordings, owns their writer, says whether they can be written.
//!
//! Owns the writer thread and the settings. Must not know what a session does. Ends with
//! [`Recorder::shutdown`]: recordings that still run are written out and left unsealed, since their
//! sessions did not end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Limits};
use parking_lot::Mutex;

use super::header::{FileHeader, SessionHeader};
use super::key::{PublicKey, SigningKey};
use super::session::SessionRecorder;
use super::writer::{self, Begin, Queue, WriterSettings};
use crate::telemetry::Events;

/// How long a session waits for a recorder that does not answer before it gives up.
pub(super) const STALLED_AFTER: Duration = Duration::from_secs(5);

/// How recordings are kept.
#[derive(Clone, Debug)]
pub struct RecorderSettings {
    /// Where: made, mode 0700, when the first recording begins.
    pub directory: PathBuf,
    /// How long a record may wait in memory before it is written.
    pub flush_every: Duration,
    /// How long records may go without a signature over them.
    pub sign_every: Duration,
    /// Whether a sealed recording is synced to the disk before its seal is told to the audit log.
    /// Costs a disk's latency a session, in one thread for all.
    pub sync_at_seal: bool,
    /// Bytes of results kept an operation.
    pub recorded_result_bytes_max: usize,
}

impl RecorderSettings {
    /// In `directory`, by `limits`, flushed each 200 ms, signed each 10 s, not synced.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, limits: &Limits) -> Self {
        Self {
            directory: directory.into(),
            flush_every: Duration::from_millis(200),
            sign_every: Duration::from_secs(10),
            sync_at_seal: false,
            recorded_result_bytes_max: limits.recorded_result_bytes_max,
        }
    }
}

/// A recording cannot be made. A session that must be recorded refuses then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// The file could not be created.
    #[error("the recording cannot be created: {because}")]
    NotCreated {
        /// What failed.
        because: Arc<str>,
    },
    /// The file cannot be written now. Records are kept in memory, bounded.
    #[error("the recording cannot be written: {because}")]
    Unwritable {
        /// What failed.
        because: Arc<str>,
    },
    /// The writer does not keep up, and the session's records fill their bound.
    #[error("the recorder does not keep up")]
    Behind,
    /// The writer did not answer in time.
    #[error("the recorder did not answer within {} s", STALLED_AFTER.as_secs())]
    Stalled,
    /// One record is larger than a record may be.
    #[error("a record is larger than a recording takes")]
    TooLarge,
    /// The recorder is shut down.
    #[error("the recorder is shut down")]
    Closed,
}

/// Makes recordings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: Arc<Queue>,
    key: PublicKey,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Recorder {
    /// Starts the writer thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        settings: RecorderSettings,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        events: Events,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let public = key.public();
        let writer = WriterSettings { settings, key, clock, events, queue: Arc::clone(&queue) };
        let thread = writer::spawn(writer)?;
        let thread = Mutex::new(Some(thread));
        let inner = Inner { queue, key: public, thread };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Begins a session's recording: its file exists, header written, when this returns.
    ///
    /// # Errors
    /// When the file cannot be created, or the writer does not answer: the session must not run.
    pub async fn begin(&self, header: SessionHeader) -> Result<SessionRecorder, RecordingError> {
        let file = FileHeader {
            gateway: env!("CARGO_PKG_VERSION").to_owned(),
            key: self.inner.key.to_string(),
            session: header,
        };
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.inner.queue.begin(Begin { header: Box::new(file), reply })?;
        tokio::time::timeout(STALLED_AFTER, answer)
            .await
            .map_err(|_| RecordingError::Stalled)?
            .map_err(|_| RecordingError::Closed)?
    }

    /// False while a recording cannot be written, or the last one could not be created. For
    /// status: a new session asks [`Recorder::begin`] itself, which is also what finds out that the
    /// disk is back.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.inner.queue.health().is_ok()
    }

    /// As [`Recorder::healthy`], with the reason.
    ///
    /// # Errors
    /// What fails now.
    pub fn health(&self) -> Result<(), RecordingError> {
        self.inner.queue.health()
    }

    /// The key that signs.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.inner.key
    }

    /// Writes out what is waiting, and ends the writer thread. Later records are refused.
    ///
    /// # Errors
    /// [`RecordingError::Stalled`] when the disk does not take it `within` that time.
    pub async fn shutdown(&self, within: Duration) -> Result<(), RecordingError> {
        self.inner.queue.close();
        let thread = self.inner.thread.lock().take();
        let Some(thread) = thread else { return Ok(()) };
        let joined = tokio::task::spawn_blocking(move || thread.join());
        match tokio::time::timeout(within, joined).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(_) => Err(RecordingError::Closed),
            Err(_) => Err(RecordingError::Stalled),
        }
    }
}

impl Drop for Inner {
    /// A recorder that is dropped without a shutdown still ends its thread.
    fn drop(&mut self) {
        self.queue.close();
    }
}
