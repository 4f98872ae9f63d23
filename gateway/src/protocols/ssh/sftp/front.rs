//! The one request that is being decided.
//!
//! Owns its way from the paths that it names to a permit. Must not send: it says what to ask the
//! target, and takes the answers. Ends with a permit, a refusal, or with the channel, which gives a
//! hold up.
//!
//! ```text
//! Answers ── resolved ──▶ Judgement ── held ──▶ Hold ──▶ permit | refusal
//! ```
//!
//! Strict paths, for a request that follows a link at the end of its path:
//!
//! ```text
//! REALPATH path ── name ──▶ resolved
//!      └ fails ──▶ LSTAT path ── not there ──▶ REALPATH parent ── name ──▶ parent + last name
//!                     └ there (a link to nowhere, or not to be looked into): cannot be resolved
//! ```
//!
//! For others (remove, rename, ...) it is the parent alone. What cannot be resolved is judged by
//! its lexical path; where that is allowed, the client gets the target's own words for the failure.
//!
//! Between the target's answer and the request that follows, somebody else on the target may put a
//! link in the place of a directory. The protocol has no way to exclude that; paths whose
//! directories only trusted users of the target can write to are safe.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use model::Operation;
use wire::ssh::sftp::{Answer, Body, StatusCode};

use super::authority::{Authority, Judged};
use super::paths;
use super::plan::{Plan, Target};
use crate::session::{Refusal, RefusalKind};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A question of our own about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// `REALPATH` of the whole path.
    Whole,
    /// `LSTAT` of the path: is there nothing?
    Absent,
    /// `REALPATH` of its directory.
    Parent,
    /// `LSTAT` of the path: is it a directory?
    Directory,
}

/// What the decision waits for.
enum Waits<A: Authority> {
    /// So many answers of the target's.
    Answers(usize),
    /// The session.
    Judgement(Boxed<Judged<A::Permit, A::Held>>),
    /// An approver.
    Hold(Boxed<Result<A::Permit, Refusal>>),
}

/// The request that is being decided.
pub(super) struct Front<A: Authority> {
    /// The client's packet.
    pub(super) packet: Bytes,
    /// The client's id.
    pub(super) id: u32,
    /// What it needs.
    pub(super) plan: Plan,
    /// The target's words, where a path could not be resolved.
    pub(super) failure: Option<(u32, Vec<u8>)>,
    waits: Waits<A>,
}

/// What came of waiting.
pub(super) enum Step<A: Authority> {
    /// It waits for an approver; people are to be told so.
    Held(String),
    /// It is decided.
    Decided(Result<A::Permit, Refusal>),
}

impl<A: Authority> Front<A> {
    /// Begins, with the questions to ask.
    pub(super) fn begin(
        packet: Bytes,
        id: u32,
        plan: Plan,
        strict: bool,
    ) -> (Self, Vec<(usize, Question)>) {
        let mut questions = Vec::new();
        for (index, target) in plan.targets.iter().enumerate() {
            if strict && target.resolved.is_none() && paths::split(&target.path).is_some() {
                let first = if target.follows { Question::Whole } else { Question::Parent };
                questions.push((index, first));
            }
            if target.moves {
                questions.push((index, Question::Directory));
            }
        }
        let waits = Waits::Answers(questions.len());
        (Self { packet, id, plan, failure: None, waits }, questions)
    }

    /// Whether people are waited for.
    pub(super) const fn is_held(&self) -> bool {
        matches!(self.waits, Waits::Hold(_))
    }

    /// Whether all questions are answered, and nothing has been judged yet.
    pub(super) const fn is_resolved(&self) -> bool {
        matches!(self.waits, Waits::Answers(0))
    }

    /// What to send for a question.
    pub(super) fn ask(&self, target: usize, question: Question) -> Option<Body<'_>> {
        let path = self.plan.targets.get(target)?.path.as_slice();
        Some(match question {
            Question::Whole => Body::RealPath { path },
            Question::Parent => Body::RealPath { path: paths::split(path)?.0 },
            Question::Absent | Question::Directory => Body::Lstat { path },
        })
    }

    /// Takes an answer, and gives the question that follows from it.
    pub(super) fn answered(
        &mut self,
        index: usize,
        question: Question,
        answer: &Answer<'_>,
    ) -> Option<Question> {
        let target = self.plan.targets.get_mut(index)?;
        let real = match answer {
            Answer::Names { first: Some(entry), .. } if entry.name.starts_with(b"/") => {
                Some(paths::absolute(b"/", entry.name))
            }
            _ => None,
        };
        let absent = StatusCode::NoSuchFile as u32;
        let next = match (question, real, answer) {
            (Question::Whole, Some(real), _) => {
                target.resolved = Some(real);
                None
            }
            (Question::Whole, None, _) => Some(Question::Absent),
            (Question::Absent, _, Answer::Status(status)) if status.code == absent => {
                Some(Question::Parent)
            }
            (Question::Parent, Some(real), _) => {
                target.resolved = paths::split(&target.path)
                    .map(|(_, name)| paths::absolute(b"/", &paths::join(&real, name)));
                None
            }
            (Question::Directory, _, answer) => {
                target.tree =
                    matches!(answer, Answer::Attributes(attributes) if attributes.is_directory());
                None
            }
            (Question::Absent | Question::Parent, ..) => {
                if !target.optional {
                    self.failure.get_or_insert_with(|| failure(answer));
                }
                None
            }
        };
        if next.is_none()
            && let Waits::Answers(left) = &mut self.waits
        {
            *left = left.saturating_sub(1);
        }
        next
    }

    /// Asks the session.
    pub(super) fn judge(&mut self, authority: A) {
        let operation = self.plan.operation();
        let contents = self.plan.targets.iter().filter(|target| target.content);
        let contents: Vec<String> = contents.map(Target::object).collect();
        self.waits = Waits::Judgement(Box::pin(judge(authority, operation, contents)));
    }

    /// Waits for what comes next. Cancel-safe.
    pub(super) async fn step(&mut self, authority: &A) -> Step<A> {
        match &mut self.waits {
            Waits::Answers(_) => std::future::pending().await,
            Waits::Hold(hold) => Step::Decided(hold.await),
            Waits::Judgement(judgement) => match judgement.await {
                Judged::Allowed(permit) => Step::Decided(Ok(permit)),
                Judged::Denied(refusal) => Step::Decided(Err(refusal)),
                Judged::Held(held) => {
                    let notice = A::notice(&held);
                    let authority = authority.clone();
                    self.waits = Waits::Hold(Box::pin(async move { authority.settle(held).await }));
                    Step::Held(notice)
                }
            },
        }
    }
}

/// Content that must be masked is not shown as a file at all: no mask fits a file of any format.
async fn judge<A: Authority>(
    authority: A,
    operation: Arc<Operation>,
    contents: Vec<String>,
) -> Judged<A::Permit, A::Held> {
    for path in &contents {
        if let Some(tag) = authority.content_mask(path).await {
            let message = format!("portcullis: the content of {path} must be masked ({tag})");
            let refusal = Refusal::new(RefusalKind::Masking, message)
                .because("Files are shown whole or not at all.");
            return Judged::Denied(authority.refuse(operation, refusal).await);
        }
    }
    authority.judge(operation).await
}

fn failure(answer: &Answer<'_>) -> (u32, Vec<u8>) {
    match answer {
        Answer::Status(status) if status.code > StatusCode::Eof as u32 => {
            (status.code, status.message.to_vec())
        }
        _ => (StatusCode::Failure as u32, b"portcullis: the path cannot be resolved".to_vec()),
    }
}
