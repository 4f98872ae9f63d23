//! What one principal is at one target: the part of a policy that a session decides with.
//!
//! Owns the precomputed view and the handle that a session keeps. Must not know the rest of the
//! policy. A standing is a snapshot: after a reload its holder asks the new policy for a new one.

use std::sync::Arc;

use model::pattern::UNKNOWN_PART;
use model::{
    Access, Action, Decision, Effect, Environment, MaskProfile, Object, PolicyDigest, Principal,
    Reason, RoleName, TargetName,
};

use rustc_hash::FxHashMap;

use crate::condition::Functions;
use crate::recent::Recent;
use crate::rule::{ActionSet, Rule};

/// What one principal is at one target.
pub struct Standing {
    pub(crate) principal: Principal,
    pub(crate) target: TargetName,
    pub(crate) environment: Option<Environment>,
    pub(crate) view: Arc<View>,
    pub(crate) functions: Option<Functions>,
    pub(crate) recent: Recent,
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing")
            .field("principal", &self.principal)
            .field("target", &self.target)
            .field("roles", &self.view.roles)
            .finish_non_exhaustive()
    }
}

impl Standing {
    pub(crate) fn new(
        principal: Principal,
        target: TargetName,
        environment: Option<Environment>,
        view: Arc<View>,
        functions: Option<Functions>,
    ) -> Self {
        Self { principal, target, environment, view, functions, recent: Recent::default() }
    }

    /// Who it is the standing of.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Where.
    #[must_use]
    pub const fn target(&self) -> &TargetName {
        &self.target
    }

    /// The roles that have a rule at this target, sorted.
    #[must_use]
    pub fn roles(&self) -> &[RoleName] {
        &self.view.roles
    }

    /// What must be masked for this principal at this target, whatever the operation.
    #[must_use]
    pub fn masks(&self) -> &Arc<MaskProfile> {
        &self.view.masks
    }

    /// The policy it is a part of.
    #[must_use]
    pub fn digest(&self) -> PolicyDigest {
        self.view.settled.policy
    }

    /// Whether any rule at this target has something to say about an action.
    #[must_use]
    pub fn speaks_of(&self, action: Action) -> bool {
        self.view.by_action.get(action.index()).is_none_or(|speaking| !speaking.all.is_empty())
    }

    /// Whether the decision about these accesses may depend on more than the accesses: on the
    /// operation's text, the time or the token. Such a decision must not be kept for another
    /// operation.
    #[must_use]
    pub fn is_conditional(&self, accesses: &[Access]) -> bool {
        accesses.iter().any(|access| self.view.conditional.contains(access.action))
    }
}

/// The rules of some roles at one target, by action, and what follows from them alone. Shared by
/// all principals with these roles.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) roles: Box<[RoleName]>,
    /// In order of precedence.
    pub(crate) rules: Box<[Arc<Rule>]>,
    /// By [`Action::index`].
    by_action: Box<[Speaking]>,
    /// The rule by which connecting is granted without any rule that names it.
    pub(crate) connects_by: Option<usize>,
    pub(crate) masks: Arc<MaskProfile>,
    /// The actions that a rule with a condition speaks of.
    conditional: ActionSet,
    /// The decision about an operation that needs no access.
    pub(crate) settled: Arc<Decision>,
}

impl View {
    pub(crate) fn new(
        roles: Vec<RoleName>,
        rules: Vec<Arc<Rule>>,
        masks: Arc<MaskProfile>,
        policy: PolicyDigest,
    ) -> Self {
        let grants = |rule: &&Arc<Rule>| rule.effect != Effect::Deny;
        let beyond_connecting = |rule: &Arc<Rule>| {
            grants(&rule) && rule.actions.iter().any(|one| one != Action::Connect)
        };
        let (effect, reason) = if roles.is_empty() {
            (Effect::Deny, Reason::NoRole)
        } else if rules.iter().any(|rule| grants(&rule)) && !rules.iter().any(|rule| bars(rule)) {
            (Effect::Allow, Reason::Granted)
        } else {
            (Effect::Deny, Reason::NotGranted { access: Action::Connect.as_str().into() })
        };
        let settled = Arc::new(Decision {
            effect,
            reason,
            rules: Vec::new(),
            approvals: Vec::new(),
            masks: Arc::clone(&masks),
            policy,
        });
        Self {
            by_action: Action::ALL.iter().map(|action| Speaking::new(&rules, *action)).collect(),
            connects_by: rules.iter().position(beyond_connecting),
            conditional: rules
                .iter()
                .filter(|rule| rule.condition.is_some())
                .flat_map(|rule| rule.actions.iter())
                .collect(),
            roles: roles.into(),
            rules: rules.into(),
            masks,
            settled,
        }
    }

    /// The rules that could have something to say to an access, each once, with their places in
    /// the order of precedence; not in that order.
    pub(crate) fn speaking_of(&self, access: &Access) -> impl Iterator<Item = (usize, &Rule)> {
        let (some, more) = self
            .by_action
            .get(access.action.index())
            .map_or((&[][..], &[][..]), |speaking| speaking.of(&access.object));
        let indexes = some.iter().chain(more);
        indexes.filter_map(|index| self.rules.get(*index).map(|rule| (*index, rule.as_ref())))
    }
}

/// The rules that speak of one action, by the last part of the names they speak of: with many
/// rules for one table each, only those for the table in question are asked.
#[derive(Debug)]
struct Speaking {
    all: Box<[usize]>,
    /// Those that do not spell out the last part.
    of_any: Box<[usize]>,
    by_last: FxHashMap<Box<str>, Box<[usize]>>,
}

impl Speaking {
    fn new(rules: &[Arc<Rule>], action: Action) -> Self {
        let mut of_any = Vec::new();
        let mut by_last: FxHashMap<Box<str>, Vec<usize>> = FxHashMap::default();
        let speaking =
            || rules.iter().enumerate().filter(|(_, rule)| rule.actions.contains(action));
        for (index, rule) in speaking() {
            let Some(names) = rule.objects.last_parts() else {
                of_any.push(index);
                continue;
            };
            for name in names {
                by_last.entry(name.into()).or_default().push(index);
            }
        }
        Self {
            all: speaking().map(|(index, _)| index).collect(),
            of_any: of_any.into(),
            by_last: by_last.into_iter().map(|(name, indexes)| (name, indexes.into())).collect(),
        }
    }

    /// The rules for an object, in two parts.
    fn of(&self, object: &Object) -> (&[usize], &[usize]) {
        match object.path().and_then(|path| path.0.last()) {
            // What the name is could not be found out: any of them may speak of it.
            Some(last) if **last == *UNKNOWN_PART => (&self.all, &[]),
            Some(last) => (&self.of_any, self.by_last.get(&**last).map_or(&[], AsRef::as_ref)),
            None => (&self.all, &[]),
        }
    }
}

/// Whether the rule keeps everybody out, whatever they want.
fn bars(rule: &Rule) -> bool {
    rule.effect == Effect::Deny
        && rule.condition.is_none()
        && rule.actions.contains(Action::Connect)
        && rule.objects.are_all()
}
