//! What one principal is at one target: the part of a policy that a session decides with.
//!
//! Owns the precomputed view and the handle that a session keeps. Must not know the rest of the
//! policy. A standing is a snapshot: after a reload its holder asks the new policy for a new one.

use std::sync::Arc;

use model::{
    Access, Action, Decision, Effect, Environment, MaskProfile, PolicyDigest, Principal, Reason,
    RoleName, TargetName,
};

use crate::condition::Functions;
use crate::rule::{ActionSet, Rule};

/// What one principal is at one target.
pub struct Standing {
    pub(crate) principal: Principal,
    pub(crate) target: TargetName,
    pub(crate) environment: Option<Environment>,
    pub(crate) view: Arc<View>,
    pub(crate) functions: Option<Functions>,
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
    pub(crate) const fn new(
        principal: Principal,
        target: TargetName,
        environment: Option<Environment>,
        view: Arc<View>,
        functions: Option<Functions>,
    ) -> Self {
        Self { principal, target, environment, view, functions }
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

    /// Whether the decision about these accesses may depend on more than the accesses: on the
    /// operation's text, the time or the token. Such a decision must not be kept for another
    /// operation.
    #[must_use]
    pub fn is_conditional(&self, accesses: &[Access]) -> bool {
        self.view
            .conditional
            .iter()
            .any(|action| accesses.iter().any(|access| access.action == action))
    }
}

/// The rules of some roles at one target, by action, and what follows from them alone. Shared by
/// all principals with these roles.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) roles: Box<[RoleName]>,
    /// In order of precedence.
    pub(crate) rules: Box<[Arc<Rule>]>,
    /// Indexes into `rules` by [`Action::index`], in order of precedence.
    by_action: Box<[Box<[usize]>]>,
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
        let of = |action: &Action| {
            let speaking =
                rules.iter().enumerate().filter(|(_, rule)| rule.actions.contains(*action));
            speaking.map(|(index, _)| index).collect()
        };
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
            by_action: Action::ALL.iter().map(of).collect(),
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

    /// The rules that speak of an action, with their indexes, in order of precedence.
    pub(crate) fn speaking_of(&self, action: Action) -> impl Iterator<Item = (usize, &Rule)> {
        let indexes = self.by_action.get(action.index()).map_or(&[][..], AsRef::as_ref);
        indexes
            .iter()
            .filter_map(|index| self.rules.get(*index).map(|rule| (*index, rule.as_ref())))
    }
}

/// Whether the rule keeps everybody out, whatever they want.
fn bars(rule: &Rule) -> bool {
    rule.effect == Effect::Deny
        && rule.condition.is_none()
        && rule.actions.contains(Action::Connect)
        && rule.objects.is_empty()
        && rule.functions.is_empty()
}
