//! What a client starts, read into what it needs and what is sent for it.
//!
//! Owns the reading of command lines and subsystem names into operations. Must not judge. The text
//! of a command is never sent on as it came, unless it is granted as a whole (`opaque`): what is
//! judged is written anew.

use std::sync::Arc;

use model::{Access, Action, Object, Operation};

use super::channel::{Start, named};
use super::open::Open;
use crate::session::{Refusal, RefusalKind};

/// What is to be done, and what it needs.
#[derive(Debug)]
pub(super) struct Plan {
    /// What is judged.
    pub(super) operation: Arc<Operation>,
    /// What is sent.
    pub(super) forward: Forward,
    /// Whether its output is text that is masked and recorded.
    pub(super) is_text: bool,
}

/// What is sent upstream.
#[derive(Debug)]
pub(super) enum Forward {
    /// A command line.
    Exec(Vec<u8>),
    /// The login shell.
    Shell,
    /// A subsystem.
    Subsystem(Arc<str>),
}

/// What cannot be judged.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// What it is, for the record.
    pub(super) operation: Arc<Operation>,
    /// What is said of it.
    pub(super) refusal: Refusal,
}

/// Reads what a client starts.
pub(super) async fn plan(start: &Start, open: &Open) -> Result<Plan, Box<Unreadable>> {
    match start {
        Start::Shell => {
            let access = named(Action::Shell, "login", &open.user);
            let operation = operation("shell", "login shell".into(), [access]);
            Ok(Plan { operation, forward: Forward::Shell, is_text: true })
        }
        Start::Subsystem(name) => {
            let access = named(Action::Subsystem, "subsystem", name);
            let operation = operation("subsystem", format!("subsystem {name}"), [access]);
            let forward = Forward::Subsystem(Arc::clone(name));
            Ok(Plan { operation, forward, is_text: false })
        }
        Start::Exec(text) => exec(text, open).await,
    }
}

async fn exec(text: &[u8], open: &Open) -> Result<Plan, Box<Unreadable>> {
    if text.len() > open.text_bytes_max {
        let message = "portcullis: the command line is too long to be read";
        return Err(Box::new(Unreadable {
            operation: operation("exec", "a command line that is too long".into(), []),
            refusal: Refusal::new(RefusalKind::Limit, message),
        }));
    }
    std::future::ready(()).await;
    match simple_words(text) {
        Some(words) => {
            let object = Object::Command { words };
            let text = object.to_string();
            let forward = Forward::Exec(text.clone().into_bytes());
            let operation = operation("exec", text, [Access { action: Action::Exec, object }]);
            Ok(Plan { operation, forward, is_text: true })
        }
        None => {
            let access = named(Action::Opaque, "login", &open.user);
            let shown = String::from_utf8_lossy(text).into_owned();
            let operation = operation("opaque exec", shown, [access]);
            Ok(Plan { operation, forward: Forward::Exec(text.to_vec()), is_text: true })
        }
    }
}

fn simple_words(text: &[u8]) -> Option<Arc<[Arc<str>]>> {
    let text = std::str::from_utf8(text).ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -_./:@%+,".contains(&byte);
    let words: Arc<[Arc<str>]> =
        text.split(' ').filter(|w| !w.is_empty()).map(Into::into).collect();
    (text.bytes().all(is_plain) && !words.is_empty()).then_some(words)
}

fn operation<const N: usize>(kind: &str, text: String, accesses: [Access; N]) -> Arc<Operation> {
    Arc::new(Operation { kind: kind.into(), text: text.into(), accesses: accesses.into() })
}
