//! Patterns of a rule for SSH that can never match, and actions that no pattern is left for.
//!
//! Owns which kind of object each action is done to. Must not know how one pattern matches.

use model::command::base_name;
use model::{Action, CommandPattern, Domain};

use crate::error::RuleProblem;
use crate::source::BlockSource;

/// The kinds of objects, each with the key of a rule that lists them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Command,
    File,
    Endpoint,
    Name,
}

impl Kind {
    const fn key(self) -> &'static str {
        match self {
            Self::Command => "commands",
            Self::File => "paths",
            Self::Endpoint => "destinations",
            Self::Name => "names",
        }
    }

    /// The actions that are done to such objects.
    fn actions(self) -> String {
        let own = Action::ALL.iter().filter(|action| action.domain() == Domain::Ssh);
        let words: Vec<&str> =
            own.filter(|action| kinds(**action).contains(&self)).map(|one| one.as_str()).collect();
        words.join(", ")
    }
}

/// What an action is done to. A forward can be to a socket of the file system.
const fn kinds(action: Action) -> &'static [Kind] {
    use Action as A;
    match action {
        A::Exec => &[Kind::Command],
        A::Read
        | A::Write
        | A::List
        | A::Remove
        | A::Rename
        | A::Mkdir
        | A::Attributes
        | A::Link
        | A::Fetch
        | A::Push => &[Kind::File],
        A::Forward | A::Listen => &[Kind::Endpoint, Kind::File],
        _ => &[Kind::Name],
    }
}

pub(super) fn rule_problems(block: &BlockSource) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    let mut check = |kind: Kind, patterns: Vec<String>| {
        let done = block.actions.iter().any(|action| kinds(*action).contains(&kind));
        if !done {
            let because = format!(
                "none of the actions is about {}; these are: {}",
                kind.key(),
                kind.actions()
            );
            let never = |pattern| RuleProblem::NeverMatches { pattern, because: because.clone() };
            problems.extend(patterns.into_iter().map(never));
        }
    };
    check(Kind::Command, block.commands.iter().map(ToString::to_string).collect());
    check(Kind::File, block.paths.iter().map(ToString::to_string).collect());
    check(Kind::Endpoint, block.destinations.iter().map(ToString::to_string).collect());
    check(Kind::Name, block.objects.iter().map(ToString::to_string).collect());
    let transfers = block.commands.iter().filter_map(|one| Some((one, transfer(one)?)));
    problems.extend(transfers.map(|(pattern, instead)| RuleProblem::NeverMatches {
        pattern: pattern.to_string(),
        because: format!("this is not judged as a command: grant {instead}"),
    }));
    if problems.is_empty() {
        let left = block.actions.iter().filter(|action| !has_pattern(**action, block));
        problems.extend(left.map(|action| RuleProblem::ActionUnlisted {
            action: *action,
            key: kinds(*action).first().map_or("names", |kind| kind.key()),
        }));
    }
    problems
}

fn has_pattern(action: Action, block: &BlockSource) -> bool {
    kinds(action).iter().any(|kind| match kind {
        Kind::Command => !block.commands.is_empty(),
        Kind::File => !block.paths.is_empty(),
        Kind::Endpoint => !block.destinations.is_empty(),
        Kind::Name => !block.objects.is_empty(),
    })
}

/// What to grant instead, where every command that the pattern matches is the server's side of a
/// transfer: those are judged by the files that they read and write.
fn transfer(pattern: &CommandPattern) -> Option<&'static str> {
    let mut words = pattern.literals();
    let program = base_name(words.next()?);
    match (program, words.next()) {
        ("scp", Some("-t" | "-f")) => Some("read or write on paths"),
        ("rsync", Some("--server")) => Some("read or write on paths"),
        ("git-upload-pack", _) | ("git", Some("upload-pack")) => Some("fetch on paths"),
        ("git-receive-pack", _) | ("git", Some("receive-pack")) => Some("push on paths"),
        _ => None,
    }
}
