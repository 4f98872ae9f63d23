//! One compiled rule, and what it has to say about one access.
//!
//! Owns the matching of actions and what follows from the matching of objects (`objects`). Must not
//! know the other rules of a policy nor what a principal is.

use std::sync::Arc;

use model::{Access, Action, ApprovalRequirement, Columns, Effect, Object, RoleName, RuleId};

use crate::condition::Condition;
use crate::objects::Objects;

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) role: RoleName,
    pub(crate) id: RuleId,
    pub(crate) effect: Effect,
    pub(crate) actions: ActionSet,
    pub(crate) objects: Objects,
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
    /// What the rule has to do with the object of an access of one of its actions, its condition
    /// and its effect aside.
    pub(crate) fn fit(&self, access: &Access) -> Fit {
        Fit { touches: self.objects.touches(access), grants: self.objects.grants(access) }
    }

    /// What the rule does to the object of an access of one of its actions, its condition aside: a
    /// deny rule never grants, and what an allow rule touches does not matter.
    pub(crate) fn applies(&self, access: &Access) -> Fit {
        match self.effect {
            Effect::Deny => Fit { touches: self.objects.touches(access), grants: false },
            Effect::Hold => self.fit(access),
            Effect::Allow => Fit { touches: false, grants: self.objects.grants(access) },
        }
    }
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ActionSet(u128);

// One bit an action.
const _: () = assert!(Action::ALL.len() <= 128, "an ActionSet has 128 bits");

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
    use model::ObjectPath;

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
