//! What was done, kept: a tamper-evident file per session, and the audit log.
//!
//! Owns the recorder, the file format, the key that signs it, the reader, the verifier, the replay
//! and the audit log's file. Must not know a protocol, a policy or how a value is masked: it keeps
//! what the session hands it, and the session hands it only what the workload was shown. The
//! recorder's one writer thread ends with [`Recorder::shutdown`], the audit log's with
//! [`AuditLog::close`]; each flushes first.
//!
//! The way of a record:
//! ```text
//! session task                      writer thread                          disk
//! push ──> block in memory ──┬─ 64 KiB, deny, hold, end ─┬─> compress, chain, ──> <date>/<id>.rec
//!          (one a session)   └─ or 200 ms old ───────────┘   sign, pwrite
//! ```
//! A session whose blocks cannot be written is told so by every `push` and by `ready`, and refuses
//! new operations; what it says meanwhile is kept, bounded, and written when the disk is back.
//!
//! Survives: the death of the daemon (all but the last 200 ms), a full disk. Does not survive: loss
//! of power within the kernel's write-back time, unless `sync_at_seal` is set; the audit log, which is
//! synced each second, then still names the chain's head.

mod audit_log;
mod encoding;
mod file;
mod header;
mod key;
mod layout;
mod library;
mod outputs;
mod packing;
mod reader;
mod record;
mod recorder;
pub mod replay;
mod session;
pub mod terminal;
mod verify;
mod walk;
mod writer;

pub use audit_log::{AuditLog, AuditLogError};
pub use header::{Counts, SealBody, SessionHeader};
pub use key::{KeyError, PublicKey, SigningKey, Trust};
pub use library::{Filter, Summary, find, list, open};
pub use reader::{ReadError, Reader};
pub use record::{Direction, Entry, OperationOutcome, Record, Stream, Value};
pub use recorder::{Recorder, RecorderSettings, RecordingError};
pub use session::SessionRecorder;
pub use verify::{SignatureState, Verdict, VerifyReport, verify};
pub use walk::{Problem, ProblemKind};

#[cfg(test)]
pub(crate) mod tests;
