//! Patterns over requests to an API server of resources.
//!
//! Owns reading a pattern over resources, and the matching of a whole request: verb, resource,
//! namespace, name, command, or the path of what is no resource. Must not know what a rule does with
//! the answer. What grants must match for certain, what restricts needs only to be possible.
//!
//! A resource is written `name[/subresource][.group]`: `pods`, `pods/log`, `deployments.apps`,
//! `deployments/scale.apps`. Without a group it is of the core group; `*` alone is every resource of
//! every group with all subresources, `*.apps` those of one group; within a part `*` stands for any
//! run of characters. A subresource must be named but where it is a verb of its own: `exec` on
//! `pods` is `exec` on `pods/exec`.

use std::fmt;

use serde::Serialize;

use super::{CommandPattern, PathPattern, Piece, RequestPart, RoutePattern, glob_matches};
use crate::access::Action;
use crate::command::is_interpreter;
use crate::resource::ResourceFacts;

/// A compiled pattern over resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourcePattern {
    text: String,
    name: Glob,
    subresource: Option<Glob>,
    group: Glob,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Glob {
    Any,
    Literal(String),
    Pieces(Vec<Piece>),
}

/// Why a pattern over resources could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourcePatternError {
    /// Nothing, or nothing before or behind a slash or dot.
    #[error("the resource has an empty part")]
    Empty,
    /// A slash behind the group.
    #[error("the group comes last: deployments/scale.apps")]
    Order,
    /// A character that no resource has.
    #[error("{0:?} cannot be in a resource; its name is in lower case and in the plural")]
    Character(char),
}

impl ResourcePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where a part is empty, or has what no resource has.
    pub fn parse(text: &str) -> Result<Self, ResourcePatternError> {
        let odd =
            |c: &char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "-./*?".contains(*c));
        if let Some(odd) = text.chars().find(odd) {
            return Err(ResourcePatternError::Character(odd));
        }
        let (resource, group) = match text.split_once('.') {
            Some((_, group)) if group.contains('/') => return Err(ResourcePatternError::Order),
            Some((resource, group)) => (resource, Some(glob(group)?)),
            None => (text, None),
        };
        let (name, subresource) = match resource.split_once('/') {
            Some((_, more)) if more.contains('/') => return Err(ResourcePatternError::Order),
            Some((name, subresource)) => (glob(name)?, Some(glob(subresource)?)),
            None => (glob(resource)?, None),
        };
        // Every name is one of every group; a name of its own is one of the core group.
        let group = group.unwrap_or_else(|| match name {
            Glob::Any => Glob::Any,
            _ => Glob::Literal(String::new()),
        });
        let subresource = match (&name, subresource) {
            (Glob::Any, None) => Some(Glob::Any),
            (_, subresource) => subresource,
        };
        Ok(Self { text: text.to_owned(), name, subresource, group })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The subresource that it names, spelt out.
    #[must_use]
    pub fn subresource(&self) -> Option<&str> {
        match &self.subresource {
            Some(Glob::Literal(subresource)) => Some(subresource),
            _ => None,
        }
    }

    /// Whether the resource matches for certain: none that is powerful by a wildcard.
    #[must_use]
    pub fn matches(&self, facts: &ResourceFacts) -> bool {
        if !self.may_match(facts) {
            return false;
        }
        let spelt = |glob: &Glob| matches!(glob, Glob::Literal(_));
        !facts.is_powerful() || (spelt(&self.name) && self.subresource.as_ref().is_none_or(spelt))
    }

    /// Whether the resource could match.
    #[must_use]
    pub fn may_match(&self, facts: &ResourceFacts) -> bool {
        let subresource = match &self.subresource {
            None => facts.subresource.is_empty() || facts.is_verb(),
            Some(Glob::Any) if self.name == Glob::Any => true,
            Some(glob) => !facts.subresource.is_empty() && glob.is(&facts.subresource),
        };
        subresource && self.is_of(facts)
    }

    /// Whether a request is answered with objects of the resource: its subresources show them too,
    /// in whole or in part.
    #[must_use]
    pub fn has_objects(&self, facts: &ResourceFacts) -> bool {
        match &self.subresource {
            Some(Glob::Any) | None => facts.has_objects() && self.is_of(facts),
            Some(_) => self.may_match(facts),
        }
    }

    fn is_of(&self, facts: &ResourceFacts) -> bool {
        !facts.is_path() && self.name.is(&facts.resource) && self.group.is(&facts.group)
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for ResourcePattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Glob {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(literal) => literal == text,
            Self::Pieces(pieces) => glob_matches(pieces, text),
        }
    }
}

fn glob(text: &str) -> Result<Glob, ResourcePatternError> {
    match text {
        "" => Err(ResourcePatternError::Empty),
        "*" => Ok(Glob::Any),
        _ if text.contains(['*', '?']) => Ok(Glob::Pieces(
            text.chars()
                .map(|c| match c {
                    '*' => Piece::Run,
                    '?' => Piece::One,
                    other => Piece::Char(other),
                })
                .collect(),
        )),
        _ => Ok(Glob::Literal(text.to_owned())),
    }
}

/// What one rule says of requests to an API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiPattern {
    /// The verbs that are named: those that must be are granted by no other.
    pub verbs: Vec<Action>,
    /// The resources.
    pub resources: Vec<ResourcePattern>,
    /// The namespaces.
    pub namespaces: Vec<PathPattern>,
    /// The names of the objects.
    pub names: Vec<PathPattern>,
    /// The commands that are run.
    pub commands: Vec<CommandPattern>,
    /// The paths of what is no resource.
    pub paths: Vec<RoutePattern>,
}

impl ApiPattern {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.verbs.is_empty() && self.paths.is_empty() && !self.is_about_resources()
    }

    /// Whether it has patterns that only resources fit.
    #[must_use]
    pub const fn is_about_resources(&self) -> bool {
        let Self { resources, namespaces, names, commands, .. } = self;
        !(resources.is_empty() && namespaces.is_empty() && names.is_empty() && commands.is_empty())
    }

    /// The first part by which it does not fit a request for certain.
    #[must_use]
    pub fn not_matching(&self, action: Action, facts: &ResourceFacts) -> Option<RequestPart> {
        if action.must_be_named() && !self.verbs.contains(&action) {
            return Some(RequestPart::Verb);
        }
        if facts.is_path() {
            return self.other_path(|one| one.matches(&facts.request.path));
        }
        let named =
            |pattern: &PathPattern, name: &str| !name.is_empty() && pattern.matches(&[name]);
        let powerful = self.resources.is_empty() && facts.is_powerful();
        let commanded = || match (action, self.commands.as_slice()) {
            // Nobody who grants every command thought of those that run any other.
            (Action::KubeExec, []) => {
                facts.command.first().is_some_and(|program| !is_interpreter(program))
            }
            (Action::KubeExec, commands) => commands.iter().any(|one| one.matches(&facts.command)),
            _ => true,
        };
        if powerful || self.is_other_resource(|one| one.matches(facts)) {
            Some(RequestPart::Resource)
        } else if !fits(&self.namespaces, |one| named(one, &facts.namespace)) {
            Some(RequestPart::Namespace)
        } else if !fits(&self.names, |one| named(one, &facts.name)) {
            Some(RequestPart::Name)
        } else {
            (!commanded()).then_some(RequestPart::Command)
        }
    }

    /// The first part by which it cannot fit a request.
    #[must_use]
    pub fn not_possible(&self, action: Action, facts: &ResourceFacts) -> Option<RequestPart> {
        if facts.is_path() {
            return self.other_path(|one| one.may_match(&facts.request.path));
        }
        let in_namespace = |one: &PathPattern| match &*facts.namespace {
            "" => facts.spans_namespaces() && is_of_several(action, facts),
            namespace => one.may_match(&[namespace]),
        };
        // What is proxied may have a scheme and a port around its name: `https:web:443`.
        let has_name = |one: &PathPattern| {
            facts.name.is_empty()
                || one.may_match(&[&*facts.name])
                || (facts.is_verb() && facts.name.split(':').any(|name| one.may_match(&[name])))
        };
        let runs = |one: &CommandPattern| one.may_match(&facts.command);
        if self.is_other_resource(|one| one.may_match(facts)) {
            Some(RequestPart::Resource)
        } else if !fits(&self.namespaces, in_namespace) {
            Some(RequestPart::Namespace)
        } else if !fits(&self.names, has_name) {
            Some(RequestPart::Name)
        } else {
            let other = action == Action::KubeExec && !fits(&self.commands, runs);
            other.then_some(RequestPart::Command)
        }
    }

    /// Whether it is about other resources, or about none.
    fn is_other_resource(&self, is_it: impl Fn(&ResourcePattern) -> bool) -> bool {
        let only_paths = !self.paths.is_empty() && !self.is_about_resources();
        only_paths || !fits(&self.resources, is_it)
    }

    fn other_path(&self, is_it: impl Fn(&RoutePattern) -> bool) -> Option<RequestPart> {
        let only_resources = self.paths.is_empty() && self.is_about_resources();
        (only_resources || !fits(&self.paths, is_it)).then_some(RequestPart::Path)
    }

    /// Whether it fits whatever `inner` fits, as far as equal patterns show it.
    #[must_use]
    pub fn covers(&self, inner: &Self) -> bool {
        fn holds<T: PartialEq>(outer: &[T], inner: &[T]) -> bool {
            outer.is_empty() || (!inner.is_empty() && inner.iter().all(|one| outer.contains(one)))
        }
        let resources = !self.is_about_resources() && !self.paths.is_empty();
        let paths = self.is_about_resources() && self.paths.is_empty();
        // What is about one half of all requests only covers nothing of the other.
        let other_half = (resources && (inner.paths.is_empty() || inner.is_about_resources()))
            || (paths && (!inner.is_about_resources() || !inner.paths.is_empty()));
        !other_half
            && holds(&self.resources, &inner.resources)
            && holds(&self.namespaces, &inner.namespaces)
            && holds(&self.names, &inner.names)
            && holds(&self.commands, &inner.commands)
            && (paths || holds(&self.paths, &inner.paths))
    }
}

/// Whether the request is about the objects of a kind, and not about one that is named.
fn is_of_several(action: Action, facts: &ResourceFacts) -> bool {
    let several = [Action::KubeList, Action::KubeWatch, Action::KubeDeleteCollection];
    several.contains(&action) || facts.name.is_empty()
}

fn fits<T>(patterns: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    patterns.is_empty() || patterns.iter().any(is_it)
}

#[cfg(test)]
mod tests;
