//! Tells whether a recording is what was written.
//!
//! Owns the report. Must not know how blocks are checked (`walk`).
//!
//! What it can find: an edited byte, a block cut out, moved, repeated or taken from another
//! recording, a missing end, a forged signature. What it cannot find alone: that the end of an
//! *unsealed* recording was cut exactly between blocks, which looks like a crash (the verdict is
//! `Unsealed`), or that root replaced everything with the host's own key. Against both stands
//! the chain head in the audit log, shipped off the host: compare [`VerifyReport::chain_head`].

use std::path::Path;

use model::SessionId;
use serde::Serialize;

use super::header::SealBody;
use super::key::{PublicKey, Trust};
use super::layout;
use super::reader::{self, ReadError};
use super::walk::{Problem, Step, Stop};

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Whole, and signed to the end.
    Sealed,
    /// What is there is as it was written, but the end is missing: the session still runs, the
    /// daemon died, or the end was cut off.
    Unsealed,
    /// It was changed.
    Broken,
}

/// What the signatures say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// None was found.
    Absent,
    /// Those found hold, by a key that was given as trusted.
    Trusted,
    /// Those found hold, by the key the recording itself names.
    SelfNamed,
    /// One does not hold, or the key is not trusted.
    Bad,
}

/// The findings about one recording.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// In one word.
    pub verdict: Verdict,
    /// The session, where the header could be read.
    pub session: Option<SessionId>,
    /// Blocks that hold.
    pub blocks: u64,
    /// Records that hold.
    pub records: u64,
    /// How many of them a signature covers.
    pub signed_records: u64,
    /// True where the seal was found and holds.
    pub sealed: bool,
    /// What the signatures say.
    pub signature: SignatureState,
    /// The key that signed, where the header could be read.
    pub key: Option<PublicKey>,
    /// The link of the last block that holds, hexadecimal: what the audit log's `recording_sealed`
    /// names for a whole recording.
    pub chain_head: String,
    /// Bytes of an unfinished block at the end.
    pub torn_bytes: u64,
    /// The seal.
    pub seal: Option<SealBody>,
    /// The first problem.
    pub problem: Option<Problem>,
}

impl VerifyReport {
    /// True where the recording is whole, unchanged and signed.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.verdict == Verdict::Sealed
    }

    fn stopped(mut self, stop: Stop, path: &Path) -> Result<Self, ReadError> {
        use super::walk::ProblemKind::{BadSignature, ForeignKey};
        let problem = match stop {
            Stop::Problem(problem) => problem,
            Stop::Io(_) => return Err(reader::error(path, stop)),
        };
        if let ForeignKey(key) = &problem.kind {
            self.key = Some(*key);
        }
        if matches!(problem.kind, BadSignature | ForeignKey(_)) {
            self.signature = SignatureState::Bad;
        }
        self.verdict = Verdict::Broken;
        self.problem = Some(problem);
        Ok(self)
    }
}

/// Checks the recording at `path` from its first byte to its last.
///
/// # Errors
/// Only when the file cannot be read; what is wrong with its content is in the report.
pub fn verify(path: &Path, trust: &Trust) -> Result<VerifyReport, ReadError> {
    let mut report = VerifyReport {
        verdict: Verdict::Unsealed,
        session: None,
        blocks: 0,
        records: 0,
        signed_records: 0,
        sealed: false,
        signature: SignatureState::Absent,
        key: None,
        chain_head: String::new(),
        torn_bytes: 0,
        seal: None,
        problem: None,
    };
    let mut walk = match reader::start(path, trust) {
        Ok(walk) => walk,
        Err(stop) => return report.stopped(stop, path),
    };
    report.session = Some(walk.header().session.session);
    report.key = PublicKey::from_hex(&walk.header().key);
    let holds = match trust {
        Trust::Keys(_) => SignatureState::Trusted,
        Trust::AnyKey => SignatureState::SelfNamed,
    };
    let end = loop {
        match walk.step() {
            Ok(Step::Records(_)) => {}
            Ok(Step::Checkpoint) => report.signature = holds,
            Ok(Step::Sealed(seal)) => {
                report.verdict = Verdict::Sealed;
                report.signature = holds;
                report.sealed = true;
                report.seal = Some(seal);
                break None;
            }
            Ok(Step::Ended { torn }) => {
                report.torn_bytes = torn;
                break None;
            }
            Err(stop) => break Some(stop),
        }
    };
    report.blocks = walk.blocks;
    report.records = walk.records();
    report.signed_records = walk.signed_records;
    report.chain_head = layout::hexadecimal(walk.link());
    match end {
        None => Ok(report),
        Some(stop) => report.stopped(stop, path),
    }
}
