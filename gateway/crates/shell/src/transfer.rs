//! The programs that carry files: what the servers of scp, rsync and git are asked to do.
//!
//! Owns the recognition of their command lines and what each needs. Must not know where a relative
//! path leads (the caller resolves it against the login's home), nor what a rule grants. A command
//! line that names such a server and is not understood whole is [`Odd`]: it must be refused, never
//! run as an ordinary command.

mod git;
mod path;
mod rsync;
mod rsync_options;
mod scp;

use std::sync::Arc;

use model::{Action, Object};
use thiserror::Error;

pub use git::{Git, GitService};
pub use path::{Base, TransferPath};
pub use rsync::Rsync;
pub use scp::Scp;

pub(crate) use git::SERVICES as GIT_SERVICES;

/// Why the command line of a file transfer could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{program} is asked for something that cannot be judged: {because}")]
pub struct Odd {
    /// The program.
    pub program: &'static str,
    /// What is odd.
    pub because: &'static str,
}

/// Which way the content goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the target to the workload.
    Download,
    /// From the workload to the target.
    Upload,
}

/// How far below its path something reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The path itself.
    Itself,
    /// The path itself, or where it is a directory, a file in it of a name that is said later.
    /// Who cannot find out which must take it for everything below.
    Into,
    /// Everything below the path too.
    Tree,
    /// Anywhere: what the peer says later decides, or links do. The path is of no use.
    Anywhere,
}

/// One thing that a transfer must be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: Action,
    /// On what.
    pub path: TransferPath,
    /// How far below.
    pub reach: Reach,
}

impl Need {
    /// What the action is done to. What reaches below its path is written `/srv/app/**`: a grant
    /// must cover all of it, and a denial of any part of it applies. What reaches anywhere is `*`.
    #[must_use]
    pub fn object(&self, home: &str) -> Object {
        let path = match (self.reach, self.path.resolve(home)) {
            (Reach::Anywhere, _) => String::from("*"),
            (Reach::Tree | Reach::Into, path) if path != "*" => {
                format!("{}/**", path.trim_end_matches('/'))
            }
            (_, path) => path,
        };
        Object::File { path: path.into() }
    }
}

/// A file transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// The remote end of `scp -O`.
    Scp(Scp),
    /// The remote end of `rsync`.
    Rsync(Rsync),
    /// The remote end of `git fetch`, `push` or `archive`.
    Git(Git),
}

impl Transfer {
    /// Which way the content goes.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self {
            Self::Scp(scp) => scp.direction,
            Self::Rsync(rsync) => rsync.direction,
            Self::Git(git) => git.direction(),
        }
    }

    /// The operation's kind, for people: `scp download`, `git push`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match (self, self.direction()) {
            (Self::Scp(_), Direction::Download) => "scp download",
            (Self::Scp(_), Direction::Upload) => "scp upload",
            (Self::Rsync(_), Direction::Download) => "rsync download",
            (Self::Rsync(_), Direction::Upload) => "rsync upload",
            (Self::Git(_), Direction::Download) => "git fetch",
            (Self::Git(_), Direction::Upload) => "git push",
        }
    }

    /// All that it needs. Never empty.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        match self {
            Self::Scp(scp) => scp.needs(),
            Self::Rsync(rsync) => rsync.needs(),
            Self::Git(git) => vec![git.need()],
        }
    }
}

/// Recognises a file transfer.
///
/// # Errors
/// Where it is the server of one, and asked for something that is not understood.
pub fn transfer(words: &[Arc<str>]) -> Result<Option<Transfer>, Odd> {
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    let Some((program, arguments)) = words.split_first() else { return Ok(None) };
    match name(program) {
        "scp" => Ok(scp::read(arguments)?.map(Transfer::Scp)),
        "rsync" => Ok(rsync::read(arguments)?.map(Transfer::Rsync)),
        "git" => Ok(git::read_subcommand(arguments)?.map(Transfer::Git)),
        other => Ok(git::read(other, arguments)?.map(Transfer::Git)),
    }
}

/// The program's name, where it is found by the search path or in a directory of the system.
/// A program of the same name elsewhere is somebody's own, and judged as any command.
fn name(program: &str) -> &str {
    const SYSTEM: [&str; 3] = ["/usr/bin/", "/bin/", "/usr/local/bin/"];
    let bare = SYSTEM.iter().find_map(|directory| program.strip_prefix(directory));
    match bare.unwrap_or(program) {
        name if name.contains('/') => "",
        name => name,
    }
}

#[cfg(test)]
mod tests;
