//! The objects that a rule speaks of, by their kinds.
//!
//! Owns the matching of objects and columns. Must not know actions beyond two that move what is
//! below a path, nor effects.

use std::collections::BTreeSet;

use model::command::is_interpreter;
use model::{
    Access, Action, ApiPattern, Columns, CommandPattern, EndpointPattern, FilePattern, Object,
    ObjectPath, PathPattern, RequestPart, RequestPattern,
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
    api: ApiPattern,
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
            api: block.api.clone(),
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
            && self.api.is_empty()
    }

    /// The first part of a request for which the rule is not about it: to restrict it, or to
    /// grant it.
    pub(crate) fn other_part(&self, access: &Access, grants: bool) -> Option<RequestPart> {
        let (action, requests, api) = (access.action, &self.requests, &self.api);
        match &access.object {
            Object::Request(request) if grants => requests.not_matching(request),
            Object::Request(request) => requests.not_possible(request),
            Object::Resource(resource) if grants => api.not_matching(action, resource),
            Object::Resource(resource) => api.not_possible(action, resource),
            _ => None,
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
            Object::Request(_) | Object::Resource(_) => self.other_part(access, false).is_none(),
        }
    }

    /// Whether the patterns speak of all of the object, for certain.
    pub(crate) fn grants(&self, access: &Access) -> bool {
        let all = self.are_all();
        match &access.object {
            // Nobody who grants every command thought of those that run any other.
            Object::Command { words } if all => {
                words.first().is_some_and(|program| !is_interpreter(program))
            }
            // Nor of what must be named.
            Object::Request(_) | Object::Resource(_) => self.other_part(access, true).is_none(),
            _ if all => true,
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
