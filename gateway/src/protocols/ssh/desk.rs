//! The desk: the one place of a connection that holds its session.
//!
//! Owns the [`Session`] while channels run, and answers what they ask, in order. Must not know a
//! channel, a word of the protocol, or the upstream. Channels hold a [`Desk`], which can only ask;
//! the queue is bounded, so whoever has too much to record waits. Ends with [`Counter::close`];
//! what is asked after that is refused.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use model::Operation;
use model::audit::SessionEnd;
use tokio::sync::{mpsc, oneshot};

use super::channel::Terminal;
use super::sftp::File;
use crate::session::{
    Answer, CarryOver, Change, Changes, Held, Judgement, OperationOutcome, OutputStream, Permit,
    Receipt, Refusal, RefusalKind, Session, Transfer,
};

/// What may wait at the desk. Raised, channels run further ahead of the recording.
const ASKED_MAX: usize = 64;
/// What stands before a line that was typed: it is a guess.
const TYPED: &str = "typed (best effort)";

/// The side of the desk that channels have.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    asks: mpsc::Sender<Ask>,
}

/// How an operation ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// Whether it succeeded, as far as it told.
    pub(super) outcome: Option<OperationOutcome>,
    /// The upstream's word for it: `exit 0`, `signal TERM`.
    pub(super) status: String,
    /// Bytes shown.
    pub(super) bytes: u64,
    /// Bytes shown that were not handed to the recording.
    pub(super) unrecorded: u64,
    /// Values masked.
    pub(super) masked_values: u64,
    /// Files whose content went through.
    pub(super) files: Vec<File>,
}

/// What a channel asks.
#[derive(Debug)]
pub(super) enum Ask {
    Judge { operation: Arc<Operation>, answer: oneshot::Sender<Judgement> },
    Admit { operation: Arc<Operation>, answer: oneshot::Sender<Result<Permit, Refusal>> },
    Settle { held: Held, cancelled: bool, answer: oneshot::Sender<Result<Permit, Refusal>> },
    Refuse { operation: Arc<Operation>, refusal: Refusal, answer: oneshot::Sender<Refusal> },
    Masker { answer: oneshot::Sender<Option<CarryOver>> },
    ContentMask { path: Arc<str>, answer: oneshot::Sender<Option<String>> },
    Output { receipt: Arc<Receipt>, stream: OutputStream, bytes: Bytes },
    Typed { receipt: Arc<Receipt>, line: String },
    Terminal { receipt: Arc<Receipt>, terminal: Terminal },
    Resized { receipt: Arc<Receipt>, columns: u32, rows: u32 },
    Note { receipt: Arc<Receipt>, text: String },
    Finished { receipt: Arc<Receipt>, ended: Ended },
}

impl Desk {
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.ok()?;
        answered.await.ok()
    }

    /// Judges an operation.
    pub(super) async fn judge(&self, operation: &Arc<Operation>) -> Judgement {
        let operation = Arc::clone(operation);
        let judged = self.ask(|answer| Ask::Judge { operation, answer }).await;
        judged.unwrap_or_else(|| Judgement::Denied(over()))
    }

    /// Whether an operation could go, now; nothing is recorded unless it could not.
    pub(super) async fn admit(&self, operation: &Arc<Operation>) -> Result<Permit, Refusal> {
        let operation = Arc::clone(operation);
        let admitted = self.ask(|answer| Ask::Admit { operation, answer }).await;
        admitted.unwrap_or_else(|| Err(over()))
    }

    /// Makes a permit or a refusal of a hold that has ended, or that its client has given up.
    pub(super) async fn settle(&self, held: Held, cancelled: bool) -> Result<Permit, Refusal> {
        let settled = self.ask(|answer| Ask::Settle { held, cancelled, answer }).await;
        settled.unwrap_or_else(|| Err(over()))
    }

    /// Gives up a hold that nobody waits for any more. Where the desk is too busy to hear of it, the
    /// hold ends all the same, and its end is recorded with the session's.
    pub(super) fn give_up(&self, held: Held) {
        let (answer, _nobody) = oneshot::channel();
        if self.asks.try_send(Ask::Settle { held, cancelled: true, answer }).is_err() {
            tracing::debug!("the desk was not told that a hold is given up");
        }
    }

    /// Refuses an operation for a reason that is not the policy's, with the record of a denial.
    pub(super) async fn refuse(&self, operation: &Arc<Operation>, refusal: Refusal) -> Refusal {
        let (operation, spare) = (Arc::clone(operation), refusal.clone());
        let refused = self.ask(|answer| Ask::Refuse { operation, refusal, answer }).await;
        refused.unwrap_or(spare)
    }

    /// What masks one stream of text.
    ///
    /// # Errors
    /// Where the session is over: then nothing may be shown.
    pub(super) async fn masker(&self) -> Result<Option<CarryOver>, Refusal> {
        self.ask(|answer| Ask::Masker { answer }).await.ok_or_else(over)
    }

    /// The tag by which a file's content must be masked, where it must be. A path that ends in
    /// `/**` asks of everything below.
    pub(super) async fn content_mask(&self, path: &str) -> Option<String> {
        let path = path.into();
        let tag = self.ask(|answer| Ask::ContentMask { path, answer }).await;
        // Nothing may be shown once the session is over.
        tag.unwrap_or_else(|| Some(String::from("what an ended session must not show")))
    }

    /// Records output as it is shown.
    pub(super) async fn output(&self, receipt: &Arc<Receipt>, stream: OutputStream, bytes: Bytes) {
        let receipt = Arc::clone(receipt);
        self.tell(Ask::Output { receipt, stream, bytes }).await;
    }

    /// Records a line that seems to have been typed at a terminal.
    pub(super) async fn typed(&self, receipt: &Arc<Receipt>, line: String) {
        self.tell(Ask::Typed { receipt: Arc::clone(receipt), line }).await;
    }

    /// Records that an operation's output goes to a terminal.
    pub(super) async fn terminal(&self, receipt: &Arc<Receipt>, terminal: &Terminal) {
        let (receipt, terminal) = (Arc::clone(receipt), terminal.clone());
        self.tell(Ask::Terminal { receipt, terminal }).await;
    }

    /// Records that an operation's terminal changed its size.
    pub(super) async fn resized(&self, receipt: &Arc<Receipt>, columns: u32, rows: u32) {
        self.tell(Ask::Resized { receipt: Arc::clone(receipt), columns, rows }).await;
    }

    /// Records something about an operation, for people.
    pub(super) async fn note(&self, receipt: &Arc<Receipt>, text: String) {
        self.tell(Ask::Note { receipt: Arc::clone(receipt), text }).await;
    }

    /// Records the end of an operation.
    pub(super) async fn finished(&self, receipt: Arc<Receipt>, ended: Ended) {
        self.tell(Ask::Finished { receipt, ended }).await;
    }

    async fn tell(&self, ask: Ask) {
        if self.asks.send(ask).await.is_err() {
            tracing::debug!("the session is over; a record of it is not kept");
        }
    }
}

/// What is said once there is no session any more.
pub(super) fn over() -> Refusal {
    Refusal::new(RefusalKind::Ending, "portcullis: this session is over")
}

/// The side of the desk that has the session.
#[derive(Debug)]
pub(super) struct Counter {
    session: Session,
    /// `None` once the end was told: it does not come twice.
    changes: Option<Changes>,
    asked: mpsc::Receiver<Ask>,
}

/// What comes next at the desk.
#[derive(Debug)]
pub(super) enum Next {
    /// Somebody asks.
    Asked(Ask),
    /// Something befell the session.
    Changed(Change),
}

impl Counter {
    /// Opens the desk of a session.
    pub(super) fn open(session: Session) -> (Self, Desk) {
        let (asks, asked) = mpsc::channel(ASKED_MAX);
        let changes = Some(session.changes());
        (Self { session, changes, asked }, Desk { asks })
    }

    /// Waits for what comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Next {
        let change = tokio::select! {
            biased; // An order to end beats everything.
            change = next_change(self.changes.as_mut()) => change,
            Some(ask) = self.asked.recv() => return Next::Asked(ask),
        };
        if matches!(change, Change::End(_)) {
            self.changes = None;
        }
        Next::Changed(change)
    }

    /// The session, for what the driver itself asks.
    pub(super) const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Answers. A channel that no longer waits for its answer is gone; a hold it had ends with it.
    pub(super) async fn answer(&mut self, ask: Ask) {
        let session = &mut self.session;
        match ask {
            Ask::Judge { operation, answer } => {
                let judged = match session.ready().await {
                    Ok(()) => session.judge(&operation, &[]),
                    Err(refusal) => Judgement::Denied(refusal),
                };
                if let Err(Judgement::Held(held)) = answer.send(judged) {
                    let _refused = session.settle(held, true).await;
                }
            }
            Ask::Admit { operation, answer } => {
                let admitted = match session.ready().await {
                    Ok(()) => session.admit(&operation),
                    Err(refusal) => Err(refusal),
                };
                drop(answer.send(admitted));
            }
            Ask::Settle { held, cancelled, answer } => {
                let settled = session.settle(held, cancelled).await;
                drop(answer.send(settled));
            }
            Ask::Refuse { operation, refusal, answer } => {
                drop(answer.send(session.refuse_operation(&operation, refusal)));
            }
            Ask::Masker { answer } => drop(answer.send(session.stream_masker())),
            Ask::ContentMask { path, answer } => {
                let mask = session.masks().file(&path);
                drop(answer.send(mask.map(|mask| mask.tag.to_string())));
            }
            Ask::Output { receipt, stream, bytes } => {
                // The recording may wait for its disk here; what is shown waits with it.
                if let Err(refusal) = session.ready().await {
                    tracing::debug!(refusal = %refusal.message, "output shown while not ready");
                }
                session.record_output(Some(&receipt), stream, &bytes);
            }
            Ask::Typed { receipt, line } => {
                session.record_notice(Some(&receipt), TYPED, &line);
            }
            Ask::Terminal { receipt, terminal } => {
                let [columns, rows, ..] = terminal.size;
                session.terminal(&receipt, &terminal.term, columns, rows);
            }
            Ask::Resized { receipt, columns, rows } => {
                session.resized(&receipt, columns, rows);
            }
            Ask::Note { receipt, text } => {
                // As with output, a recording that is behind is waited for.
                if let Err(refusal) = session.ready().await {
                    tracing::debug!(refusal = %refusal.message, "noted while not ready");
                }
                session.record_notice(Some(&receipt), "NOTICE", &text);
            }
            Ask::Finished { receipt, ended } => finish(session, receipt, &ended),
        }
    }

    /// Answers until `done`.
    pub(super) async fn until(&mut self, done: impl Future<Output = ()>) {
        tokio::pin!(done);
        loop {
            let ask = tokio::select! {
                biased; // There is no use in waiting for more once it is done.
                () = &mut done => return,
                Some(ask) = self.asked.recv() => ask,
            };
            self.answer(ask).await;
        }
    }

    /// Answers what was asked before the end, and ends the session.
    pub(super) async fn close(mut self, cause: SessionEnd) -> SessionEnd {
        self.asked.close();
        while let Ok(ask) = self.asked.try_recv() {
            self.answer(ask).await;
        }
        self.session.close(cause)
    }
}

async fn next_change(changes: Option<&mut Changes>) -> Change {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

fn finish(session: &mut Session, receipt: Arc<Receipt>, ended: &Ended) {
    let Some(receipt) = Arc::into_inner(receipt) else {
        tracing::debug!("an operation ended that somebody still goes on with");
        return;
    };
    for file in &ended.files {
        let transfer = Transfer {
            path: &file.path,
            direction: file.direction,
            bytes: file.moved.bytes,
            sha256: file.moved.sha256,
            whole: file.whole,
        };
        session.transferred(&receipt, &transfer);
    }
    if ended.unrecorded > 0 {
        session.skip_rows(&receipt, 0, ended.unrecorded);
    }
    session.finished(
        receipt,
        &Answer {
            outcome: ended.outcome.unwrap_or(OperationOutcome::Abandoned),
            status: &ended.status,
            code: None,
            rows: 0,
            bytes: ended.bytes,
            masked_values: ended.masked_values,
        },
    );
}
