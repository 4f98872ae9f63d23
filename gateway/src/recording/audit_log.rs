//! The audit log's file: JSON lines, one fact each.
//!
//! Owns the file, its queue and its writer thread. Must not know what an event means. Ends with
//! [`AuditLog::close`], after a last write and sync.
//!
//! - *Order and numbers.* A line gets its number when it enters the queue, under the queue's lock:
//!   numbers in the file only grow, and have no gap unless lines were lost. The gap is followed by an
//!   `audit_lines_lost` line that says how many.
//! - *Sync.* Lines are written at once and synced to the disk (`fdatasync`) at most one second later,
//!   and before a rotation and the end. A death of the daemon loses nothing written; a loss of
//!   power loses a second at most.
//! - *Trouble.* When a write fails the file is cut back to its last whole line, what was to be
//!   written is kept and tried again each second, and [`AuditSink::healthy`] is false meanwhile. The
//!   queue is bounded: beyond it lines are lost, and counted.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::audit::{AuditEvent, AuditLine};
use parking_lot::{Condvar, Mutex};

use crate::telemetry::{AuditSink, Metrics};

/// Lines that may wait for the disk. Raised, a stalled disk costs more memory (about 1 KiB a line).
const LINES_MAX: usize = 8192;

/// Bytes written at once.
const WRITE_BYTES: usize = 256 * 1024;

const SYNC_EVERY: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// The audit log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("audit log {path}: {source}")]
pub struct AuditLogError {
    /// The file.
    pub path: PathBuf,
    /// What failed.
    pub source: io::Error,
}

/// The audit log.
#[derive(Debug)]
pub struct AuditLog {
    queue: Arc<Queue>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    healthy: AtomicBool,
    lost: AtomicU64,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<AuditLine>,
    sequence: u64,
    /// Lines lost since the last line was taken in.
    gap: u64,
    reopen: bool,
    closed: bool,
}

impl AuditLog {
    /// Opens the log at `path` (mode 0600; its directory is made 0700 where it is missing) and
    /// starts its writer.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread cannot be started.
    pub fn open(path: &Path, metrics: Arc<Metrics>) -> Result<Arc<Self>, AuditLogError> {
        let wrong = |source| AuditLogError { path: path.to_owned(), source };
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty())
        {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700).create(directory).map_err(wrong)?;
        }
        let file = open_for_append(path).map_err(wrong)?;
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            wake: Condvar::new(),
            healthy: AtomicBool::new(true),
            lost: AtomicU64::new(0),
            metrics,
        });
        let writer = Writer {
            queue: Arc::clone(&queue),
            path: path.to_owned(),
            file,
            unwritten: Vec::new(),
            unsynced_since: None,
            retry_at: None,
        };
        let thread = std::thread::Builder::new()
            .name("audit-log".into())
            .spawn(move || writer.run())
            .map_err(wrong)?;
        Ok(Arc::new(Self { queue, thread: Mutex::new(Some(thread)) }))
    }

    /// Writes and syncs what is queued, then ends the writer. Later lines are lost, and counted.
    /// Blocks until the disk has answered.
    pub fn close(&self) {
        self.queue.state.lock().closed = true;
        self.queue.wake.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A panicked writer has marked the log unhealthy already.
            _ = thread.join();
        }
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.close();
    }
}

impl AuditSink for AuditLog {
    fn append(&self, time: Timestamp, event: AuditEvent) {
        let mut state = self.queue.state.lock();
        state.sequence += 1;
        if state.closed || state.lines.len() >= LINES_MAX {
            state.gap += 1;
            drop(state);
            self.queue.lost.fetch_add(1, Ordering::Relaxed);
            self.queue.metrics.audit_lines_lost.increment(1);
            return;
        }
        if state.gap > 0 {
            let lines = std::mem::take(&mut state.gap);
            let sequence = state.sequence;
            state.sequence += 1;
            let event = AuditEvent::AuditLinesLost { lines };
            state.lines.push(AuditLine { time_us: time, sequence, event });
        }
        let sequence = state.sequence;
        let wakes = state.lines.is_empty();
        state.lines.push(AuditLine { time_us: time, sequence, event });
        drop(state);
        if wakes {
            self.queue.wake.notify_one();
        }
    }

    fn healthy(&self) -> bool {
        self.queue.healthy.load(Ordering::Acquire)
    }

    fn lost(&self) -> u64 {
        self.queue.lost.load(Ordering::Relaxed)
    }

    fn reopen(&self) {
        self.queue.state.lock().reopen = true;
        self.queue.wake.notify_one();
    }
}

impl Queue {
    fn set_healthy(&self, healthy: bool) {
        if self.healthy.swap(healthy, Ordering::AcqRel) != healthy {
            self.metrics.audit_healthy.set(if healthy { 1.0 } else { 0.0 });
        }
    }
}

/// The writer thread's own.
struct Writer {
    queue: Arc<Queue>,
    path: PathBuf,
    file: File,
    /// Whole lines that did not reach the file yet.
    unwritten: Vec<u8>,
    unsynced_since: Option<Instant>,
    retry_at: Option<Instant>,
}

/// What woke the writer.
struct Round {
    lines: Vec<AuditLine>,
    reopen: bool,
    closed: bool,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.set_healthy(false);
    }
}

impl Writer {
    fn run(mut self) {
        loop {
            let round = self.wait();
            self.encode(&round.lines);
            self.write();
            let due = self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_EVERY);
            if due || round.reopen || round.closed {
                self.sync();
            }
            if round.reopen {
                self.reopen();
            }
            if round.closed {
                break;
            }
        }
    }

    fn wait(&self) -> Round {
        let mut state = self.queue.state.lock();
        loop {
            let now = Instant::now();
            let sync_at = self.unsynced_since.map(|since| since + SYNC_EVERY);
            let timer = [sync_at, self.retry_at].into_iter().flatten().min();
            // While writing fails, lines stay in the bounded queue.
            let takes = self.retry_at.is_none_or(|at| at <= now);
            let work = takes && !state.lines.is_empty();
            if work || state.reopen || state.closed || timer.is_some_and(|at| at <= now) {
                let lines = if takes { std::mem::take(&mut state.lines) } else { Vec::new() };
                let reopen = std::mem::take(&mut state.reopen);
                return Round { lines, reopen, closed: state.closed };
            }
            match timer {
                None => self.queue.wake.wait(&mut state),
                Some(at) => {
                    _ = self.queue.wake.wait_until(&mut state, at);
                }
            }
        }
    }

    fn encode(&mut self, lines: &[AuditLine]) {
        for line in lines {
            let whole = self.unwritten.len();
            if let Err(error) = serde_json::to_writer(&mut self.unwritten, line) {
                // No event of ours can fail to serialise; one that did would leave its gap.
                self.unwritten.truncate(whole);
                self.queue.lost.fetch_add(1, Ordering::Relaxed);
                self.queue.metrics.audit_lines_lost.increment(1);
                tracing::error!(%error, sequence = line.sequence, "audit line not written");
                continue;
            }
            self.unwritten.push(b'\n');
        }
    }

    fn write(&mut self) {
        if self.retry_at.take().is_some() {
            // Opened anew: a half line that could not be cut back is ended, a file that was lost
            // is made again.
            self.reopen();
        }
        while !self.unwritten.is_empty() {
            let end = whole_lines(&self.unwritten, WRITE_BYTES);
            let chunk = self.unwritten.get(..end).unwrap_or_default();
            if let Err(error) = append_or_cut_back(&mut self.file, chunk) {
                tracing::error!(path = %self.path.display(), %error, "audit log not written");
                self.queue.set_healthy(false);
                self.retry_at = Some(Instant::now() + RETRY_EVERY);
                return;
            }
            self.unwritten.drain(..end);
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        self.queue.set_healthy(true);
    }

    fn sync(&mut self) {
        self.unsynced_since = None;
        if let Err(error) = self.file.sync_data()
            && error.kind() != io::ErrorKind::InvalidInput
        {
            // Not a regular file is fine; a disk that does not take it is not.
            tracing::error!(path = %self.path.display(), %error, "audit log not synced");
            self.queue.set_healthy(false);
            self.unsynced_since = Some(Instant::now());
        }
    }

    fn reopen(&mut self) {
        match open_for_append(&self.path) {
            Ok(file) => self.file = file,
            Err(error) => {
                // Lines go on into the file that was moved away: none is lost, but somebody looks
                // for them in the wrong place.
                tracing::error!(path = %self.path.display(), %error, "audit log not reopened");
            }
        }
    }
}

/// Opens the log; a last line that a crash left unfinished is ended, so that the next stands alone.
fn open_for_append(path: &Path) -> io::Result<File> {
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(file);
    }
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// Appends whole lines; on an error the file is cut back to where it was.
fn append_or_cut_back(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let before = file.metadata()?;
    let written = file.write_all(lines);
    if written.is_err() && before.is_file() {
        // Where even that fails, the half line is ended when the file is opened for the retry.
        _ = file.set_len(before.len());
    }
    written
}

/// The end of the last whole line within `bytes_max`, or of the first line.
fn whole_lines(lines: &[u8], bytes_max: usize) -> usize {
    let within = lines.get(..bytes_max).unwrap_or(lines);
    memchr::memrchr(b'\n', within)
        .or_else(|| memchr::memchr(b'\n', lines))
        .map_or(lines.len(), |end| end + 1)
}

#[cfg(test)]
mod tests;
