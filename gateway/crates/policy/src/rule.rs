//! One compiled rule, and what it has to say about one access.
//!
//! Owns the matching of actions, objects and columns. Must not know the other rules of a policy
//! nor what a principal is.

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
    /// What the rule has to do with an object of one of its actions, its condition aside.
    pub(crate) fn fit(&self, object: &Object) -> Fit {
        if self.objects.is_empty() && self.functions.is_empty() {
            return Fit { touches: true, grants: true };
        }
        match object {
            Object::Function { path } if !self.functions.is_empty() => self.fit_function(path),
            Object::Relation { path, columns } => self.fit_relation(path, columns),
            Object::Function { path } | Object::Named { path, .. } => self.fit_whole(path),
        }
    }

    /// Whether the rule applies to the object, given its effect.
    pub(crate) fn applies(&self, object: &Object) -> Fit {
        let fit = self.fit(object);
        match self.effect {
            Effect::Deny => Fit { grants: false, ..fit },
            Effect::Hold => fit,
            Effect::Allow => Fit { touches: false, ..fit },
        }
    }

    fn fit_function(&self, path: &ObjectPath) -> Fit {
        Fit {
            touches: self.functions.iter().any(|pattern| pattern.may_match(&path.0)),
            grants: self.functions.iter().any(|pattern| pattern.matches(&path.0)),
        }
    }

    /// An object without columns: a pattern that lists some is about something else.
    fn fit_whole(&self, path: &ObjectPath) -> Fit {
        let mut whole = self.objects.iter().filter(|pattern| !pattern.lists_columns());
        Fit {
            touches: whole.clone().any(|pattern| pattern.may_be(path)),
            grants: whole.any(|pattern| pattern.is(path)),
        }
    }

    fn fit_relation(&self, path: &ObjectPath, columns: &Columns) -> Fit {
        let touches = self
            .objects
            .iter()
            .any(|pattern| pattern.touches_columns(columns) && pattern.may_be(path));
        let mut about = self.objects.iter().filter(|pattern| pattern.is(path));
        let grants = match columns {
            Columns::None => about.next().is_some(),
            Columns::All => about.any(|pattern| !pattern.lists_columns()),
            // The patterns of one rule add up: each column is covered by one of them.
            Columns::Named(names) if names.is_empty() => about.next().is_some(),
            Columns::Named(names) => {
                names.iter().all(|name| about.clone().any(|pattern| pattern.names_column(name)))
            }
        };
        Fit { touches, grants }
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

/// An access as people read it, shared by all that quote it.
pub(crate) fn spelled(access: &Access) -> Arc<str> {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    // Writing to a string cannot fail.
    let _ = write!(text, "{access}");
    text.into()
}
