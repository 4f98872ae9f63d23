//! What is asked about SSH, as the operation that a session would judge.
//!
//! Owns reading the question. Must not decide anything. A path relative to the login's home is
//! taken as one below `/home/USER`, with a note: only the target knows better.

use std::sync::Arc;

use model::{Access, Action, Domain, Object, ObjectPath, Operation};
use shell::{Reading, TransferPath};

use crate::control::view::SshQuestion;
use crate::control::{Problem, ProblemKind};

/// The operation, and what is worth knowing about how it was read.
pub(super) fn operation(
    question: &SshQuestion,
    user: Option<&str>,
) -> Result<(Operation, Vec<String>), Problem> {
    match question {
        SshQuestion::Exec(text) => Ok(exec(text, user)),
        SshQuestion::Sftp(text) => sftp(text).map(|operation| (operation, Vec::new())),
        SshQuestion::Forward(text) => forward(text).map(|operation| (operation, Vec::new())),
    }
}

fn exec(text: &str, user: Option<&str>) -> (Operation, Vec<String>) {
    let command = match shell::read(text.as_bytes()) {
        Reading::Command(command) => command,
        Reading::Opaque { because } => {
            let note =
                format!("it is not one command of plain words ({because}): granted by opaque");
            return (opaque(text, user), vec![note]);
        }
    };
    let words = command.words();
    match shell::transfer(words) {
        Ok(None) => {
            let object = Object::Command { words: Arc::clone(words) };
            let operation = one("exec", command.canonical(), Action::Exec, object);
            (operation, Vec::new())
        }
        Ok(Some(transfer)) => {
            let home = match user {
                None => String::from("*"),
                Some("root") => String::from("/root"),
                Some(user) => format!("/home/{user}"),
            };
            let needs = transfer.needs();
            let accesses = needs
                .iter()
                .map(|need| Access { action: need.action, object: need.object(&home) })
                .collect();
            let operation = Operation {
                kind: transfer.kind().into(),
                text: command.canonical().into(),
                accesses,
            };
            let relative = |path: &TransferPath| path.base != shell::Base::Root;
            let note = format!("relative paths are taken to be below {home}");
            let notes = needs.iter().any(|need| relative(&need.path)).then_some(note);
            (operation, notes.into_iter().collect())
        }
        Err(odd) => {
            let note = format!("{odd}: a session refuses it, whatever is granted");
            (opaque(text, user), vec![note])
        }
    }
}

fn opaque(text: &str, user: Option<&str>) -> Operation {
    let path = ObjectPath::new([user.unwrap_or("*")]);
    one("opaque exec", text.to_owned(), Action::Opaque, Object::Named { kind: "login", path })
}

/// Reads `read /srv/x`, `rename /srv/x /srv/y`.
fn sftp(text: &str) -> Result<Operation, Problem> {
    let of_files = |action: &Action| {
        action.domain() == Domain::Ssh
            && matches!(
                action,
                Action::Read
                    | Action::Write
                    | Action::List
                    | Action::Remove
                    | Action::Rename
                    | Action::Mkdir
                    | Action::Attributes
                    | Action::Link
            )
    };
    let invalid = |reason: &str| {
        Problem::new(ProblemKind::Invalid, reason).with_remedy(
            "Write an action and absolute paths: read /srv/x, or rename /srv/x /srv/y. The actions \
             are: read, write, list, remove, rename, mkdir, attributes, link.",
        )
    };
    let Reading::Command(command) = shell::read(text.as_bytes()) else {
        return Err(invalid("this is not an action and paths"));
    };
    let Some((action, paths)) = command.words().split_first() else {
        return Err(invalid("there is no action"));
    };
    let action = Action::from_word(action).filter(of_files);
    let action = action.ok_or_else(|| invalid("there is no such action on files"))?;
    if paths.is_empty() || paths.iter().any(|path| !is_normal(path)) {
        return Err(invalid("a path is missing, not absolute, or has . or .. in it"));
    }
    let object = |path: &Arc<str>| Object::File { path: Arc::clone(path) };
    Ok(Operation {
        kind: format!("sftp {action}").into(),
        text: format!("sftp {text}").into(),
        accesses: paths.iter().map(|path| Access { action, object: object(path) }).collect(),
    })
}

fn is_normal(path: &str) -> bool {
    let odd = |part: &str| matches!(part, "" | "." | "..");
    path == "/" || path.strip_prefix('/').is_some_and(|rest| !rest.split('/').any(odd))
}

fn forward(text: &str) -> Result<Operation, Problem> {
    let (host, port) = text
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)))
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| {
            Problem::new(ProblemKind::Invalid, "this is not a host and a port")
                .with_remedy("Write host:port, such as 10.0.0.5:5432.")
        })?;
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let object = Object::Endpoint { host: host.to_ascii_lowercase().into(), port };
    Ok(one("forward", format!("forward to {text}"), Action::Forward, object))
}

fn one(kind: &str, text: String, action: Action, object: Object) -> Operation {
    Operation { kind: kind.into(), text: text.into(), accesses: [Access { action, object }].into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accesses(question: &SshQuestion) -> (String, Vec<String>) {
        let (operation, _) = operation(question, Some("deploy")).unwrap();
        let accesses = operation.accesses.iter().map(ToString::to_string).collect();
        (operation.kind.to_string(), accesses)
    }

    #[test]
    fn a_command_line_is_read_as_a_session_reads_it() {
        let exec = |text: &str| accesses(&SshQuestion::Exec(text.to_owned()));
        assert_eq!(exec("ls  '-l'"), ("exec".into(), vec!["exec on ls -l".into()]));
        let opaque = ("opaque exec".into(), vec!["opaque on login deploy".into()]);
        assert_eq!(exec("ls; rm x"), opaque);
        let (kind, accesses) = exec("scp -f /srv/x");
        assert_eq!(kind, "scp download");
        assert!(accesses.contains(&"read on /srv/x".to_owned()), "{accesses:?}");
    }

    #[test]
    fn files_and_end_points_are_read() {
        let rename = SshQuestion::Sftp("rename /srv/a '/srv/b c'".to_owned());
        let (kind, objects) = accesses(&rename);
        assert_eq!(kind, "sftp rename");
        assert_eq!(objects, ["rename on /srv/a", "rename on /srv/b c"]);
        let (_, objects) = accesses(&SshQuestion::Forward("[FD00::5]:22".to_owned()));
        assert_eq!(objects, ["forward on [fd00::5]:22"]);
        for bad in ["", "read", "open /x", "read x", "read /a/../b", "exec /x", "read /x; ls"] {
            assert!(operation(&SshQuestion::Sftp(bad.to_owned()), None).is_err(), "{bad}");
        }
        for bad in ["", "db", "db:x", ":22", "db:70000"] {
            assert!(operation(&SshQuestion::Forward(bad.to_owned()), None).is_err(), "{bad}");
        }
    }
}
