//! The objects that a rule speaks of, by their kinds.
//!
//! Owns the matching of objects and columns. Must not know actions beyond two that move what is
//! below a path, nor effects.

use std::collections::BTreeSet;

use model::command::is_interpreter;
use model::{
    Access, Action, Columns, CommandPattern, EndpointPattern, FilePattern, Object, ObjectPath,
    PathPattern, RequestFacts, RequestPart, RequestPattern,
};

use crate::object::ObjectPattern;
use crate::source::BlockSource;

/// The patterns of one rule. Without any it speaks of every object.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    named: Box<[ObjectPattern]>,
    functions: Box<[PathPattern]>,
    commands: Box<[CommandPattern]>,
    paths: Box<[FilePattern]>,
    destinations: Box<[EndpointPattern]>,
    requests: RequestPattern,
}

impl Objects {
    pub(crate) fn of(block: &BlockSource) -> Self {
        Self {
            named: block.objects.clone().into(),
            functions: block.functions.clone().into(),
            commands: block.commands.clone().into(),
            paths: block.paths.clone().into(),
            destinations: block.destinations.clone().into(),
            requests: block.requests.clone(),
        }
    }

    /// Whether every object is spoken of.
    pub(crate) fn are_all(&self) -> bool {
        self.named.is_empty()
            && self.functions.is_empty()
            && self.commands.is_empty()
            && self.paths.is_empty()
            && self.destinations.is_empty()
            && self.requests.is_about_everything()
    }

    /// The first part of a request for which the rule is not about it: to restrict it, or to
    /// grant it.
    pub(crate) fn other_part(&self, request: &RequestFacts, grants: bool) -> Option<RequestPart> {
        if grants {
            self.requests.not_matching(request)
        } else {
            self.requests.not_possible(request)
        }
    }

    /// What the last part of a name can be for the rule to speak of it, each once; `None` where
    /// that is not spelled out.
    pub(crate) fn last_parts(&self) -> Option<BTreeSet<&str>> {
        if self.are_all() {
            return None;
        }
        let paths = self.named.iter().map(ObjectPattern::path).chain(&self.functions);
        paths.map(PathPattern::last_literal).collect()
    }

    /// Whether the patterns speak of any part of the access's object, or could.
    pub(crate) fn touches(&self, access: &Access) -> bool {
        if self.are_all() {
            return true;
        }
        let may_be = |path, columns: &Columns| {
            let mut patterns = self.named.iter();
            patterns.any(|one| one.may_be(path) && one.touches_columns(columns))
        };
        match &access.object {
            Object::Function { path } if !self.functions.is_empty() => {
                self.functions.iter().any(|pattern| pattern.may_match(&path.0))
            }
            Object::Relation { path, columns } => may_be(path, columns),
            // Without columns: a pattern that lists some is about something else.
            Object::Function { path } | Object::Named { path, .. } => may_be(path, &Columns::None),
            Object::Command { words } => self.commands.iter().any(|one| one.may_match(words)),
            Object::File { path } if moves_all_below(access.action) => {
                self.paths.iter().any(|one| one.may_match_below(path))
            }
            Object::File { path } => self.paths.iter().any(|one| one.may_match(path)),
            Object::Endpoint { host, port } => {
                self.destinations.iter().any(|one| one.may_match(host, *port))
            }
            Object::Request(request) => self.requests.may_match(request),
        }
    }

    /// Whether the patterns speak of all of the object, for certain.
    pub(crate) fn grants(&self, object: &Object) -> bool {
        if self.are_all() {
            // Nobody who grants every command thought of those that run any other.
            return !matches!(object, Object::Command { words }
                if words.first().is_none_or(|program| is_interpreter(program)));
        }
        match object {
            Object::Function { path } if !self.functions.is_empty() => {
                self.functions.iter().any(|pattern| pattern.matches(&path.0))
            }
            Object::Relation { path, columns } => self.grants_relation(path, columns),
            Object::Function { path } | Object::Named { path, .. } => {
                self.named.iter().any(|one| !one.lists_columns() && one.is(path))
            }
            Object::Command { words } => self.commands.iter().any(|one| one.matches(words)),
            Object::File { path } => self.paths.iter().any(|one| one.matches(path)),
            Object::Endpoint { host, port } => {
                self.destinations.iter().any(|one| one.matches(host, *port))
            }
            Object::Request(request) => self.requests.matches(request),
        }
    }

    fn grants_relation(&self, path: &ObjectPath, columns: &Columns) -> bool {
        let mut about = self.named.iter().filter(|pattern| pattern.is(path));
        match columns {
            Columns::None => about.next().is_some(),
            Columns::All => about.any(|pattern| !pattern.lists_columns()),
            Columns::Named(names) => {
                let Some(first) = about.next() else { return false };
                // The patterns of one rule add up: each column is covered by one of them.
                names.iter().all(|name| {
                    first.names_column(name) || about.clone().any(|one| one.names_column(name))
                })
            }
        }
    }
}

/// Whether what is done to a directory is done to all below it: what is elsewhere afterwards, or
/// is reached by another name, is no longer where a rule looks for it.
const fn moves_all_below(action: Action) -> bool {
    matches!(action, Action::Rename | Action::Link)
}
