//! The session, and what the requests of a connection ask of it.
//!
//! Owns the [`Session`] while requests run. Must not know a request's form. Requests of one
//! connection may run side by side (HTTP/2): each question has the session to itself for a moment.
//! What need not be answered, and what is said by something being dropped, is noted down and told to
//! the session as soon as it is free, in order. Ends with [`Desk::take`]: after that nothing is
//! allowed.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures_util::FutureExt;
use model::Operation;
use parking_lot::Mutex;

use crate::session::{
    Answer, FieldSet, Held, Judgement, OperationOutcome, OutputStream, Permit, Place, Receipt,
    Refusal, RefusalKind, Session,
};

/// The kind of terminal, which nothing over HTTP says.
const TERM: &str = "xterm";

/// The session of a connection.
#[derive(Debug)]
pub(super) struct Desk {
    session: tokio::sync::Mutex<Option<Session>>,
    notes: Mutex<Vec<Note>>,
}

/// What the session is told.
#[derive(Debug)]
pub(super) enum Note {
    /// A part of a body, as it was sent or shown.
    Output { receipt: Weak<Receipt>, stream: OutputStream, bytes: Bytes },
    /// The terminal of what runs: a new one, or its new size.
    Terminal { receipt: Weak<Receipt>, is_new: bool, columns: u32, rows: u32 },
    /// The end of an operation.
    Finished { receipt: Arc<Receipt>, ended: Ended },
    /// A hold that nobody waits for any more.
    GivenUp(Box<Held>),
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Whether the upstream did it.
    pub(super) outcome: OperationOutcome,
    /// Status and type of the answer.
    pub(super) status: String,
    /// Bytes of the body, as shown.
    pub(super) bytes: u64,
    /// Values masked.
    pub(super) masked_values: u64,
}

impl Desk {
    /// Of a session.
    pub(super) fn new(session: Session) -> Self {
        Self { session: tokio::sync::Mutex::new(Some(session)), notes: Mutex::default() }
    }

    /// Judges an operation.
    pub(super) async fn judge(&self, operation: &Arc<Operation>, parts: &[&[u8]]) -> Judgement {
        let mut session = self.session.lock().await;
        let judgement = match session.as_mut() {
            None => Judgement::Denied(over()),
            Some(session) => {
                self.tell_notes(session);
                match session.ready().await {
                    Ok(()) => session.judge(operation, parts),
                    Err(refusal) => Judgement::Denied(refusal),
                }
            }
        };
        drop(session);
        self.catch_up();
        judgement
    }

    /// Makes a permit or a refusal of a hold that has ended.
    pub(super) async fn settle(&self, held: Held) -> Result<Permit, Refusal> {
        let mut session = self.session.lock().await;
        let settled = match session.as_mut() {
            None => Err(over()),
            Some(session) => session.settle(held, false).await,
        };
        drop(session);
        self.catch_up();
        settled
    }

    /// Asks the session something that is answered at once.
    pub(super) async fn ask<T>(&self, ask: impl FnOnce(&mut Session) -> T) -> Option<T> {
        let mut session = self.session.lock().await;
        let answer = session.as_mut().map(ask);
        drop(session);
        self.catch_up();
        answer
    }

    /// Judges the session itself again.
    pub(super) async fn rejudge(&self) -> Result<(), Refusal> {
        let mut session = self.session.lock().await;
        let rejudged = match session.as_mut() {
            None => Err(over()),
            Some(session) => session.rejudge().await,
        };
        drop(session);
        self.catch_up();
        rejudged
    }

    /// Refuses an operation for a reason that is not the policy's, with the record of a denial.
    pub(super) async fn refuse(&self, operation: &Arc<Operation>, refusal: Refusal) -> Refusal {
        let spare = refusal.clone();
        let refused = self.ask(|session| session.refuse_operation(operation, refusal)).await;
        refused.unwrap_or(spare)
    }

    /// Judges an answer by what is known once it begins.
    pub(super) async fn judge_answer(
        &self,
        receipt: &Receipt,
        operation: impl FnOnce() -> Arc<Operation>,
    ) -> Result<(), Refusal> {
        let judged = self.ask(|session| session.judge_answer(receipt, operation)).await;
        judged.unwrap_or_else(|| Err(over()))
    }

    /// What must be masked in the bodies at this place.
    pub(super) async fn fields(
        &self,
        receipt: &Receipt,
        place: &Place<'_>,
    ) -> Result<Option<Arc<FieldSet>>, Refusal> {
        self.ask(|session| session.fields(receipt, place)).await.ok_or_else(over)
    }

    /// Tells the session something that has no answer.
    pub(super) fn tell(&self, note: Note) {
        self.notes.lock().push(note);
        self.catch_up();
    }

    /// Takes the session away, at the end.
    pub(super) async fn take(&self) -> Option<Session> {
        let mut session = self.session.lock().await.take()?;
        self.tell_notes(&mut session);
        Some(session)
    }

    /// Tells what was noted while the session was busy. Whoever has it does so when it is done.
    fn catch_up(&self) {
        while !self.notes.lock().is_empty() {
            let Ok(mut session) = self.session.try_lock() else { return };
            match session.as_mut() {
                Some(session) => self.tell_notes(session),
                None => self.notes.lock().clear(),
            }
        }
    }

    fn tell_notes(&self, session: &mut Session) {
        let notes = std::mem::take(&mut *self.notes.lock());
        for note in notes {
            match note {
                Note::Output { receipt, stream, bytes } => {
                    // What a client still sends of a body that was answered is of no operation.
                    if let Some(receipt) = receipt.upgrade() {
                        session.record_output(Some(&receipt), stream, &bytes);
                    }
                }
                Note::Terminal { receipt, is_new, columns, rows } => match receipt.upgrade() {
                    Some(receipt) if is_new => session.terminal(&receipt, TERM, columns, rows),
                    Some(receipt) => session.resized(&receipt, columns, rows),
                    None => {}
                },
                Note::Finished { receipt, ended } => finish(session, receipt, &ended),
                Note::GivenUp(held) => {
                    // A hold that is cancelled is settled at once.
                    drop(session.settle(*held, true).now_or_never());
                }
            }
        }
    }
}

fn finish(session: &mut Session, receipt: Arc<Receipt>, ended: &Ended) {
    let Some(receipt) = Arc::into_inner(receipt) else {
        tracing::debug!("an operation is still in use; its end is not recorded");
        return;
    };
    let answer = Answer {
        outcome: ended.outcome,
        status: &ended.status,
        code: None,
        rows: 0,
        bytes: ended.bytes,
        masked_values: ended.masked_values,
    };
    session.finished(receipt, &answer);
}

/// What is said once there is no session any more.
pub(super) fn over() -> Refusal {
    Refusal::new(RefusalKind::Ending, "portcullis: this session is over")
}
