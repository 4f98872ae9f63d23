//! One compiled rule, and what it has to say about one access.
//!
//! Owns the matching of actions, objects and columns. Must not know the other rules of a policy
//! nor what a principal is.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Access, Action, ApprovalRequirement, Columns, Effect, Object, RoleName, RuleId};
use model::{ObjectPath, PathPattern};

use crate::condition::Condition;
use crate::object::ObjectPattern;

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) role: RoleName,
    pub(crate) id: RuleId,
    pub(crate) effect: Effect,
    pub(crate) actions: ActionSet,
    pub(crate) objects: Box<[ObjectPattern]>,
    pub(crate) functions: Box<[PathPattern]>,
    pub(crate) condition: Option<Condition>,
    pub(crate) approvals: Option<ApprovalRequirement>,
}

/// What a rule has to do with an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fit {
    /// It speaks of a part of it, or could: enough for a deny, and for a hold to be asked.
    pub(crate) touches: bool,
    /// It speaks of all of it, for certain: needed to grant.
    pub(crate) grants: bool,
}

impl Rule {
    /// What the last part of a name can be for the rule to speak of it, each once; `None` where
    /// that is not spelled out.
    pub(crate) fn last_parts(&self) -> Option<BTreeSet<&str>> {
        if self.objects.is_empty() && self.functions.is_empty() {
            return None;
        }
        let paths = self.objects.iter().map(ObjectPattern::path).chain(&self.functions);
        paths.map(PathPattern::last_literal).collect()
    }

    /// What the rule has to do with an object of one of its actions, its condition and its effect
    /// aside.
    pub(crate) fn fit(&self, object: &Object) -> Fit {
        Fit { touches: self.touches(object), grants: self.grants(object) }
    }

    /// What the rule does to an object of one of its actions, its condition aside: a deny rule
    /// never grants, and what an allow rule touches does not matter.
    pub(crate) fn applies(&self, object: &Object) -> Fit {
        match self.effect {
            Effect::Deny => Fit { touches: self.touches(object), grants: false },
            Effect::Hold => self.fit(object),
            Effect::Allow => Fit { touches: false, grants: self.grants(object) },
        }
    }

    /// Whether the rule speaks of any part of the object, or could.
    fn touches(&self, object: &Object) -> bool {
        if self.objects.is_empty() && self.functions.is_empty() {
            return true;
        }
        let may_be = |path, columns: &Columns| {
            let mut patterns = self.objects.iter();
            patterns.any(|one| one.may_be(path) && one.touches_columns(columns))
        };
        match object {
            Object::Function { path } if !self.functions.is_empty() => {
                self.functions.iter().any(|pattern| pattern.may_match(&path.0))
            }
            Object::Relation { path, columns } => may_be(path, columns),
            // Without columns: a pattern that lists some is about something else.
            Object::Function { path } | Object::Named { path, .. } => may_be(path, &Columns::None),
            Object::Command { .. } | Object::File { .. } | Object::Endpoint { .. } => true,
        }
    }

    /// Whether the rule speaks of all of the object, for certain.
    fn grants(&self, object: &Object) -> bool {
        if self.objects.is_empty() && self.functions.is_empty() {
            return true;
        }
        match object {
            Object::Function { path } if !self.functions.is_empty() => {
                self.functions.iter().any(|pattern| pattern.matches(&path.0))
            }
            Object::Relation { path, columns } => self.grants_relation(path, columns),
            Object::Function { path } | Object::Named { path, .. } => {
                self.objects.iter().any(|one| !one.lists_columns() && one.is(path))
            }
            Object::Command { .. } | Object::File { .. } | Object::Endpoint { .. } => false,
        }
    }

    fn grants_relation(&self, path: &ObjectPath, columns: &Columns) -> bool {
        let mut about = self.objects.iter().filter(|pattern| pattern.is(path));
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

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ActionSet(u64);

// One bit an action.
const _: () = assert!(Action::ALL.len() <= 64, "an ActionSet has 64 bits");

impl ActionSet {
    pub(crate) fn contains(self, action: Action) -> bool {
        self.0 & (1 << action.index()) != 0
    }

    pub(crate) fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| self.contains(*action))
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<T: IntoIterator<Item = Action>>(actions: T) -> Self {
        Self(actions.into_iter().fold(0, |set, action| set | (1 << action.index())))
    }
}

/// An access as people read it, shared by all that quote it: its `Display`, without the detour of
/// formatting where it is asked for on every operation.
pub(crate) fn spelled(access: &Access) -> Arc<str> {
    spell(access, &mut String::with_capacity(SPELLED_BYTES))
}

/// Spells an access by way of a buffer, for whoever spells several.
pub(crate) fn spell(access: &Access, text: &mut String) -> Arc<str> {
    let Object::Relation { path, columns } = &access.object else {
        return access.to_string().into();
    };
    text.clear();
    text.push_str(access.action.as_str());
    text.push_str(" on ");
    push_all(text, &path.0, ".");
    match columns {
        Columns::None => {}
        Columns::All => text.push_str("(*)"),
        Columns::Named(names) => {
            text.push('(');
            push_all(text, names, ", ");
            text.push(')');
        }
    }
    text.as_str().into()
}

/// Room for most accesses.
const SPELLED_BYTES: usize = 96;

fn push_all(text: &mut String, parts: &[Arc<str>], between: &str) {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push_str(between);
        }
        text.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_spelled_as_it_is_displayed() {
        let path = || ObjectPath::new(["shop", "public", "users"]);
        let named = Columns::Named(vec!["email".into(), "id".into()]);
        for object in [
            Object::Relation { path: path(), columns: Columns::None },
            Object::Relation { path: path(), columns: Columns::All },
            Object::Relation { path: path(), columns: named },
            Object::Function { path: path() },
            Object::Named { kind: "schema", path: path() },
        ] {
            let access = Access { action: Action::Select, object };
            assert_eq!(*spelled(&access), access.to_string());
        }
    }
}
