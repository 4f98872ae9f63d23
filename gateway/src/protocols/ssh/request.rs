//! What a client starts, read into what it needs and what is sent for it.
//!
//! Owns the reading of command lines and subsystem names into operations. Must not judge. The text
//! of a command is never sent on as it came, unless it is granted as a whole (`opaque`): what is
//! judged is written anew.

use std::sync::Arc;

use model::{Access, Action, Object, Operation};
use shell::{Base, Command, Direction, Need, Reading, Transfer};

use super::channel::{Start, named};
use super::home::{self, Conversation};
use super::open::Open;
use super::places;
use crate::session::{Refusal, RefusalKind};

/// The subsystem whose operations are judged one by one.
const SFTP: &str = "sftp";
/// Programs that serve it on their standard streams.
const SFTP_SERVERS: [&str; 2] = ["internal-sftp", "sftp-server"];

/// What is to be done, and what it needs.
#[derive(Debug)]
pub(super) struct Plan {
    /// What is judged.
    pub(super) operation: Arc<Operation>,
    /// What is sent.
    pub(super) forward: Forward,
    /// What comes of it.
    pub(super) content: Content,
    /// What its author may want to know where it is refused.
    pub(super) remark: Option<String>,
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

/// What the bytes of an operation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text for people: masked and recorded.
    Text,
    /// A program's own protocol: changed, it would break.
    Binary,
    /// scp's protocol: not changed either, but read along.
    Copy(Direction),
    /// SFTP: each of its operations is judged.
    Files,
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
            let operation = operation("shell", "login shell".into(), vec![access]);
            Ok(Plan { operation, forward: Forward::Shell, content: Content::Text, remark: None })
        }
        Start::Subsystem(name) => Ok(subsystem(name)),
        Start::Exec(text) if text.len() > open.text_bytes_max => Err(too_long()),
        Start::Exec(text) => match shell::read(text) {
            Reading::Command(command) => self::command(&command, open).await,
            Reading::Opaque { because } => Ok(opaque(text, because, &open.user)),
        },
    }
}

fn subsystem(name: &Arc<str>) -> Plan {
    let forward = Forward::Subsystem(Arc::clone(name));
    if &**name == SFTP {
        // It needs nothing by itself.
        let operation = operation("sftp", name.to_string(), Vec::new());
        return Plan { operation, forward, content: Content::Files, remark: None };
    }
    let access = named(Action::Subsystem, "subsystem", name);
    let operation = operation("subsystem", format!("subsystem {name}"), vec![access]);
    // What nobody knows may be text; what is masked of it is lost rather than shown.
    Plan { operation, forward, content: Content::Text, remark: None }
}

/// A text that is not one command: granted as it is, or not at all.
fn opaque(text: &[u8], because: &'static str, user: &Arc<str>) -> Plan {
    let access = named(Action::Opaque, "login", user);
    let shown = String::from_utf8_lossy(text).into_owned();
    Plan {
        operation: operation("opaque exec", shown, vec![access]),
        forward: Forward::Exec(text.to_vec()),
        content: Content::Text,
        remark: Some(format!("The command is opaque: {because}.")),
    }
}

async fn command(command: &Command, open: &Open) -> Result<Plan, Box<Unreadable>> {
    let text = command.canonical();
    let forward = Forward::Exec(text.clone().into_bytes());
    match shell::transfer(command.words()) {
        Ok(Some(transfer)) => {
            let accesses = accesses(&transfer, open).await;
            let remark = accesses.iter().any(is_unknown).then(|| UNKNOWN_PATH.to_owned());
            let operation = operation(transfer.kind(), text, accesses);
            let content = match transfer {
                Transfer::Scp(scp) => Content::Copy(scp.direction),
                Transfer::Rsync(_) | Transfer::Git(_) => Content::Binary,
            };
            Ok(Plan { operation, forward, content, remark })
        }
        // A server of somebody's choice, not the target's: that needs the grant of a subsystem.
        Ok(None) if is_sftp_server(command) => {
            let access = named(Action::Subsystem, "subsystem", &SFTP.into());
            let operation = operation("subsystem", text, vec![access]);
            Ok(Plan { operation, forward, content: Content::Files, remark: None })
        }
        Ok(None) => {
            let object = Object::Command { words: Arc::clone(command.words()) };
            let operation = operation("exec", text, vec![Access { action: Action::Exec, object }]);
            Ok(Plan { operation, forward, content: Content::Text, remark: None })
        }
        Err(odd) => Err(Box::new(Unreadable {
            operation: operation("transfer", text, Vec::new()),
            refusal: Refusal::new(RefusalKind::Unreadable, format!("portcullis: {odd}"))
                .because("A transfer that is not understood whole is not begun."),
        })),
    }
}

fn is_sftp_server(command: &Command) -> bool {
    let program = command.words().first().map(|program| program.rsplit('/').next());
    program.flatten().is_some_and(|name| SFTP_SERVERS.contains(&name))
}

/// What a transfer needs, on paths as the target has them.
async fn accesses(transfer: &Transfer, open: &Open) -> Vec<Access> {
    let needs = transfer.needs();
    let is_relative = needs.iter().any(|need| need.path.base == Base::Home);
    let home = if is_relative { home::of(open).await } else { home::UNKNOWN.into() };
    let objects = if places::must_ask(&needs, open.strict_paths) {
        let mut target = Conversation::begin(open).await;
        let objects = places::objects(&needs, &home, open.strict_paths, &mut target).await;
        if let Some(target) = target {
            target.end().await;
        }
        objects
    } else {
        places::objects(&needs, &home, false, &mut None).await
    };
    let access = |(need, path): (&Need, String)| Access {
        action: need.action,
        object: Object::File { path: path.into() },
    };
    needs.iter().zip(objects).map(access).collect()
}

/// What is said where a path could not be told.
const UNKNOWN_PATH: &str = "Where its path leads could not be found out: it is another user's home, \
     the transfer may lead out of it, or the target's sftp server does not say (then \
     `sftp_paths: lexical` has paths judged as they are written).";

fn is_unknown(access: &Access) -> bool {
    matches!(&access.object, Object::File { path } if **path == *home::UNKNOWN)
}

fn too_long() -> Box<Unreadable> {
    let message = "portcullis: the command line is too long to be read";
    Box::new(Unreadable {
        operation: operation("exec", "a command line that is too long".into(), Vec::new()),
        refusal: Refusal::new(RefusalKind::Limit, message),
    })
}

fn operation(kind: &str, text: String, accesses: Vec<Access>) -> Arc<Operation> {
    Arc::new(Operation { kind: kind.into(), text: text.into(), accesses: accesses.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command_of(text: &str) -> Command {
        match shell::read(text.as_bytes()) {
            Reading::Command(command) => command,
            Reading::Opaque { because } => panic!("{text}: {because}"),
        }
    }

    #[test]
    fn a_server_of_sftp_by_any_path_is_one() {
        for text in ["internal-sftp", "/usr/lib/openssh/sftp-server -e", "./sftp-server"] {
            assert!(is_sftp_server(&command_of(text)), "{text}");
        }
        assert!(!is_sftp_server(&command_of("sftp-servers")));
    }
}
