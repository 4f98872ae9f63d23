//! `git-upload-pack`, `git-receive-pack`, `git-upload-archive`.
//!
//! Owns their command lines. Must not know references or objects: who may fetch from a repository
//! sees all of it.

use model::Action;

use super::{Direction, Need, Odd, Reach, TransferPath};

/// The programs, as clients name them.
pub(crate) const SERVICES: [&str; 3] =
    ["git-upload-pack", "git-receive-pack", "git-upload-archive"];

/// What is asked of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitService {
    /// `git fetch`, `clone`, `ls-remote`.
    UploadPack,
    /// `git push`.
    ReceivePack,
    /// `git archive --remote`.
    UploadArchive,
}

/// The remote end of git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    /// What is asked.
    pub service: GitService,
    /// The repository. git itself also looks for it with `.git` and `/.git` added.
    pub repository: TransferPath,
}

impl Git {
    pub(super) const fn direction(&self) -> Direction {
        match self.service {
            GitService::UploadPack | GitService::UploadArchive => Direction::Download,
            GitService::ReceivePack => Direction::Upload,
        }
    }

    pub(super) fn need(&self) -> Need {
        let action = match self.direction() {
            Direction::Download => Action::Fetch,
            Direction::Upload => Action::Push,
        };
        Need { action, path: self.repository.clone(), reach: Reach::Itself }
    }
}

const fn odd(because: &'static str) -> Odd {
    Odd { program: "git", because }
}

/// `git upload-pack x`; any other use of git is an ordinary command.
pub(super) fn read_subcommand(arguments: &[&str]) -> Result<Option<Git>, Odd> {
    match arguments {
        ["upload-pack", rest @ ..] => read("git-upload-pack", rest),
        ["receive-pack", rest @ ..] => read("git-receive-pack", rest),
        ["upload-archive", rest @ ..] => read("git-upload-archive", rest),
        _ => Ok(None),
    }
}

pub(super) fn read(program: &str, arguments: &[&str]) -> Result<Option<Git>, Odd> {
    let service = match program {
        "git-upload-pack" => GitService::UploadPack,
        "git-receive-pack" => GitService::ReceivePack,
        "git-upload-archive" => GitService::UploadArchive,
        _ => return Ok(None),
    };
    let [repository] = arguments else { return Err(odd("options, or not one repository")) };
    if repository.is_empty() || repository.starts_with('-') {
        return Err(odd("a repository that reads as an option"));
    }
    if repository.contains('\\') {
        return Err(odd("a backslash, which git-shell and fish read differently"));
    }
    Ok(Some(Git { service, repository: TransferPath::with_tilde(repository) }))
}
