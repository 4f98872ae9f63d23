//! What a request needs: on which paths, which actions.
//!
//! Owns the reading of requests into operations, and the request that is sent for one. Must not
//! judge, nor know how a path is resolved. What is sent names the paths that were judged, never the
//! ones that the client wrote.

use std::sync::Arc;

use model::{Access, Action, Object, Operation};
use wire::ssh::sftp::{Attributes, Body, Extension};

use super::paths;

/// One path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Absolute, lexically.
    pub(super) path: Vec<u8>,
    /// What is done to it.
    pub(super) actions: &'static [Action],
    /// Whether a link at its end is followed.
    pub(super) follows: bool,
    /// Whether its content is shown, or gets another name under which it might be.
    pub(super) content: bool,
    /// Whether it may be a directory that is moved with all that is below.
    pub(super) moves: bool,
    /// Whether it need not exist, nor its parent.
    pub(super) optional: bool,
    /// The path as the target resolves it.
    pub(super) resolved: Option<Vec<u8>>,
    /// It is a directory, and everything below is meant too.
    pub(super) tree: bool,
}

impl Target {
    const fn new(path: Vec<u8>, actions: &'static [Action]) -> Self {
        Self {
            path,
            actions,
            follows: false,
            content: false,
            moves: false,
            optional: false,
            resolved: None,
            tree: false,
        }
    }

    const fn followed(mut self) -> Self {
        self.follows = true;
        self
    }

    const fn with_content(mut self) -> Self {
        self.content = true;
        self
    }

    const fn moved(mut self) -> Self {
        self.moves = true;
        self
    }

    /// The path that is judged and sent.
    pub(super) fn judged(&self) -> &[u8] {
        self.resolved.as_deref().unwrap_or(&self.path)
    }

    /// The same, as rules see it.
    pub(super) fn object(&self) -> String {
        let path = paths::object(self.judged());
        if self.tree { format!("{}/**", path.trim_end_matches('/')) } else { path }
    }
}

/// What is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The operation's kind.
    pub(super) kind: &'static str,
    /// Its paths, in the order in which they are told.
    pub(super) targets: Vec<Target>,
    /// Something on no path that is known.
    anywhere: Option<Action>,
}

/// Reads a request. `of_handle` has the path of the handle, for requests by handle that are judged
/// on their own. `None` for requests that are judged with their handle, or not at all.
pub(super) fn plan(body: &Body<'_>, home: &[u8], of_handle: Option<&[u8]>) -> Option<Plan> {
    use Action::{Link, List, Mkdir, Read, Remove, Rename, Write};
    let absolute = |path: &[u8]| paths::absolute(home, path);
    let on = |path: &[u8], actions: &'static [Action]| Target::new(absolute(path), actions);
    let (kind, targets) = match body {
        Body::Open { path, flags, .. } => {
            let actions: &'static [Action] = match (flags.reads(), flags.writes()) {
                (_, false) => &[Read],
                (false, true) => &[Write],
                (true, true) => &[Read, Write],
            };
            let mut target = on(path, actions);
            target.follows = !flags.is_exclusive();
            target.content = flags.reads();
            ("sftp open", vec![target])
        }
        Body::OpenDir { path } => ("sftp list", vec![on(path, &[List]).followed()]),
        Body::Stat { path } => ("sftp stat", vec![on(path, &[List]).followed()]),
        Body::Lstat { path } => ("sftp stat", vec![on(path, &[List])]),
        Body::ReadLink { path } => ("sftp readlink", vec![on(path, &[List])]),
        Body::SetStat { path, attributes } => {
            ("sftp setstat", vec![on(path, setting(attributes)).followed()])
        }
        Body::FsetStat { attributes, .. } => {
            let path = of_handle?;
            let mut target = Target::new(path.to_vec(), setting(attributes));
            target.resolved = Some(path.to_vec());
            ("sftp setstat", vec![target])
        }
        Body::Remove { path } => ("sftp remove", vec![on(path, &[Remove])]),
        Body::RmDir { path } => ("sftp rmdir", vec![on(path, &[Remove])]),
        Body::MkDir { path, .. } => ("sftp mkdir", vec![on(path, &[Mkdir])]),
        Body::Rename { from, to } | Body::Extended(Extension::PosixRename { from, to }) => {
            ("sftp rename", vec![on(from, &[Rename]).with_content().moved(), on(to, &[Rename])])
        }
        Body::Extended(Extension::HardLink { from, to }) => {
            // Systems differ in whether a link's own name or its file gets the new name. The
            // resolved path is no link.
            ("sftp link", vec![on(from, &[Link]).followed().with_content(), on(to, &[Link])])
        }
        Body::SymLink { target, link } => {
            let link = on(link, &[Link]);
            let beside = paths::split(&link.path).map_or(&b"/"[..], |(parent, _)| parent);
            let mut target = Target::new(paths::absolute(beside, target), &[Link]).followed();
            target.optional = true;
            ("sftp symlink", vec![link, target])
        }
        Body::Extended(extension) => return extended(extension, &on),
        Body::RealPath { .. }
        | Body::Close { .. }
        | Body::Read { .. }
        | Body::Write { .. }
        | Body::Fstat { .. }
        | Body::ReadDir { .. } => return None,
    };
    Some(Plan { kind, targets, anywhere: None })
}

fn extended(
    extension: &Extension<'_>,
    on: &dyn Fn(&[u8], &'static [Action]) -> Target,
) -> Option<Plan> {
    let (kind, targets, anywhere) = match extension {
        Extension::StatVfs { path } => {
            ("sftp statvfs", vec![on(path, &[Action::List]).followed()], None)
        }
        Extension::LsetStat { path, attributes } => {
            ("sftp setstat", vec![on(path, setting(attributes))], None)
        }
        // Where another user's home is, only the target knows.
        Extension::ExpandPath { .. } | Extension::HomeDirectory { .. } => {
            ("sftp home", Vec::new(), Some(Action::List))
        }
        Extension::UsersGroupsById { .. } => ("sftp names", Vec::new(), None),
        _ => return None,
    };
    Some(Plan { kind, targets, anywhere })
}

const fn setting(attributes: &Attributes<'_>) -> &'static [Action] {
    match (attributes.size().is_some(), attributes.beside_size()) {
        (true, false) => &[Action::Write],
        (true, true) => &[Action::Write, Action::Attributes],
        (false, _) => &[Action::Attributes],
    }
}

impl Plan {
    /// The operation on the paths as they are known now.
    pub(super) fn operation(&self) -> Arc<Operation> {
        let file = |path: &str| Object::File { path: path.into() };
        let mut accesses = Vec::new();
        let mut text = String::from(self.kind);
        for target in &self.targets {
            text.push(' ');
            text.push_str(&paths::shown(target.judged()));
            let object = target.object();
            accesses.extend(
                target
                    .actions
                    .iter()
                    .map(|action| Access { action: *action, object: file(&object) }),
            );
        }
        if let Some([Action::Write | Action::Read, ..]) = self.targets.first().map(|t| t.actions)
            && self.kind == "sftp open"
        {
            let both = accesses.iter().map(|access| access.action.as_str());
            text.push_str(&format!(" to {}", both.collect::<Vec<_>>().join(" and ")));
        }
        if let Some(action) = self.anywhere {
            accesses.push(Access { action, object: file("*") });
        }
        Arc::new(Operation { kind: self.kind.into(), text: text.into(), accesses: accesses.into() })
    }

    /// The request with the paths that were judged.
    pub(super) fn rewrite<'a>(&'a self, body: &Body<'a>) -> Body<'a> {
        let at = |index: usize| self.targets.get(index).map_or(&b"/"[..], Target::judged);
        let (path, second) = (at(0), at(1));
        match *body {
            Body::Open { flags, attributes, .. } => Body::Open { path, flags, attributes },
            Body::OpenDir { .. } => Body::OpenDir { path },
            Body::Stat { .. } => Body::Stat { path },
            Body::Lstat { .. } => Body::Lstat { path },
            Body::ReadLink { .. } => Body::ReadLink { path },
            Body::SetStat { attributes, .. } => Body::SetStat { path, attributes },
            Body::Remove { .. } => Body::Remove { path },
            Body::RmDir { .. } => Body::RmDir { path },
            Body::MkDir { attributes, .. } => Body::MkDir { path, attributes },
            Body::Rename { .. } => Body::Rename { from: path, to: second },
            // What a link says is its content: relative stays relative.
            Body::SymLink { target, .. } => Body::SymLink { target, link: path },
            Body::Extended(Extension::PosixRename { .. }) => {
                Body::Extended(Extension::PosixRename { from: path, to: second })
            }
            Body::Extended(Extension::HardLink { .. }) => {
                Body::Extended(Extension::HardLink { from: path, to: second })
            }
            Body::Extended(Extension::StatVfs { .. }) => {
                Body::Extended(Extension::StatVfs { path })
            }
            Body::Extended(Extension::LsetStat { attributes, .. }) => {
                Body::Extended(Extension::LsetStat { path, attributes })
            }
            other => other,
        }
    }
}
