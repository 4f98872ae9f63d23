//! From a source to a policy, or to everything that is wrong with it.
//!
//! Owns the compiled policy. Must not know what a single rule matches (`rule`) nor how a decision
//! is reached (`decide`). A policy is immutable but for a bounded cache of views, which only
//! saves work.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use model::{
    Action, Decision, Effect, Environment, Group, Operation, PolicyDigest, Principal, RoleName,
    Tag, TargetName, Timestamp,
};
use rustc_hash::FxHashMap;

use crate::condition::{Asked, Condition, Facts, Functions};
use crate::error::{PolicyError, RuleProblem};
use crate::explain::Explanation;
use crate::objects::Objects;
use crate::rule::{ActionSet, Rule};
use crate::source::{ClassificationSource, PolicySource, RuleSource};
use crate::standing::{Standing, View};
use crate::{check, digest, masks};

/// Views kept for principals with the same roles at the same target. Raised, more memory where
/// roles are combined in very many ways; beyond it a view is built for each session.
const VIEWS_MAX: usize = 1_024;

/// A compiled policy.
#[derive(Debug)]
pub struct Policy {
    digest: PolicyDigest,
    /// Sorted by name.
    pub(crate) roles: Box<[Role]>,
    targets: FxHashMap<TargetName, Target>,
    classification: Box<[ClassificationSource]>,
    views: Mutex<FxHashMap<ViewKey, Arc<View>>>,
    functions: Option<Functions>,
    headers: Arc<[Arc<str>]>,
}

/// A target and the roles held, by index.
type ViewKey = (TargetName, Box<[usize]>);

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: RoleName,
    pub(crate) groups: BTreeSet<Group>,
    unmask: BTreeSet<Tag>,
    /// In order of precedence, then by id.
    pub(crate) rules: Box<[ReachingRule]>,
}

/// A rule and the targets it reaches.
#[derive(Debug)]
pub(crate) struct ReachingRule {
    pub(crate) rule: Arc<Rule>,
    pub(crate) reach: BTreeSet<TargetName>,
}

#[derive(Debug)]
struct Target {
    environment: Option<Environment>,
}

/// Compiles a policy.
///
/// # Errors
/// Everything that is wrong with the source, in the order of its origins.
pub fn compile(source: &PolicySource) -> Result<Policy, Vec<PolicyError>> {
    let mut errors = check::check(source);
    let mut roles = Vec::new();
    for role in &source.roles {
        let mut rules = Vec::new();
        for rule in &role.rules {
            match compile_rule(&role.name, rule) {
                Ok(compiled) => rules.push(ReachingRule {
                    rule: Arc::new(compiled),
                    reach: check::reach(source, rule).map(|target| target.name.clone()).collect(),
                }),
                Err(problem) => errors.push(check::rule_error(role, rule, problem)),
            }
        }
        rules.sort_by(|a, b| precedence(&a.rule, &b.rule));
        roles.push(Role {
            name: role.name.clone(),
            groups: role.groups.iter().cloned().collect(),
            unmask: role.unmask.iter().cloned().collect(),
            rules: rules.into(),
        });
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.origin);
        return Err(errors);
    }
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    let conditions =
        || roles.iter().flat_map(|role| &role.rules).filter_map(|one| one.rule.condition.as_ref());
    let headers: BTreeSet<Arc<str>> = conditions().flat_map(|one| one.headers()).cloned().collect();
    let headers: Arc<[Arc<str>]> = headers.into_iter().collect();
    Ok(Policy {
        digest: digest::digest(source),
        functions: conditions().next().map(|_| Functions::standard(&headers)),
        headers,
        roles: roles.into(),
        targets: source
            .targets
            .iter()
            .map(|one| (one.name.clone(), Target { environment: one.environment.clone() }))
            .collect(),
        classification: source.classification.clone().into(),
        views: Mutex::default(),
    })
}

fn compile_rule(role: &RoleName, rule: &RuleSource) -> Result<Rule, RuleProblem> {
    let condition = rule.when.as_ref().map(Condition::compile).transpose()?;
    let (actions, objects) = match &rule.block {
        None => (ActionSet::from_iter([Action::Connect]), Objects::default()),
        Some(block) => (block.actions.iter().copied().collect(), Objects::of(block)),
    };
    Ok(Rule {
        role: role.clone(),
        id: rule.id.clone(),
        effect: rule.effect,
        actions,
        objects,
        condition,
        approvals: rule.approvers.clone(),
    })
}

/// Deny before hold before allow, then by role and id: never by the order of the source.
fn precedence(a: &Rule, b: &Rule) -> std::cmp::Ordering {
    b.effect.cmp(&a.effect).then_with(|| (&a.role, &a.id).cmp(&(&b.role, &b.id)))
}

impl Policy {
    /// The digest: the same for the same rules, in whatever order and file they stand.
    #[must_use]
    pub const fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// The names of all roles, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &RoleName> {
        self.roles.iter().map(|role| &role.name)
    }

    /// The headers of requests that some condition asks for, sorted, in lower case. A request is
    /// judged with these and no others.
    #[must_use]
    pub fn request_headers(&self) -> &[Arc<str>] {
        &self.headers
    }

    /// What a principal is at a target: its roles, their rules and its masks, ready to decide
    /// with. A target that the policy does not know gives no role.
    #[must_use]
    pub fn standing(&self, principal: &Principal, target: &TargetName) -> Arc<Standing> {
        let environment = self.targets.get(target).and_then(|one| one.environment.clone());
        let view = self.view(self.held_roles(principal), target);
        Arc::new(Standing::new(
            principal.clone(),
            target.clone(),
            environment,
            view,
            self.functions.clone(),
        ))
    }

    /// Decides once, for callers that keep no [`Standing`].
    #[must_use]
    pub fn decide(
        &self,
        principal: &Principal,
        target: &TargetName,
        operation: &Operation,
        now: Timestamp,
    ) -> Arc<Decision> {
        self.standing(principal, target).decide(operation, now)
    }

    /// Says in full how an operation is decided.
    #[must_use]
    pub fn explain(
        &self,
        principal: &Principal,
        target: &TargetName,
        operation: &Operation,
        now: Timestamp,
    ) -> Explanation {
        Explanation::new(self, &self.standing(principal, target), operation, now)
    }

    /// Indexes of the roles that the principal's groups give it.
    pub(crate) fn held_roles(&self, principal: &Principal) -> Box<[usize]> {
        let held = |role: &Role| role.groups.iter().any(|group| principal.groups.contains(group));
        let indexed = self.roles.iter().enumerate();
        indexed.filter(|(_, role)| held(role)).map(|(index, _)| index).collect()
    }

    fn view(&self, held: Box<[usize]>, target: &TargetName) -> Arc<View> {
        // A poisoned cache still holds whole views: entries are inserted complete.
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.clone(), held);
        if let Some(view) = views.get(&key) {
            return Arc::clone(view);
        }
        let view = Arc::new(self.build_view(&key.1, target));
        if views.len() < VIEWS_MAX {
            views.insert(key, Arc::clone(&view));
        }
        view
    }

    fn build_view(&self, held: &[usize], target: &TargetName) -> View {
        let mut rules: Vec<Arc<Rule>> = Vec::new();
        let mut names: Vec<RoleName> = Vec::new();
        let mut unmasked: Vec<&Tag> = Vec::new();
        let known = self.targets.contains_key(target);
        for role in held.iter().filter_map(|index| self.roles.get(*index)) {
            let before = rules.len();
            let here = role.rules.iter().filter(|one| one.reach.contains(target));
            rules.extend(here.map(|one| Arc::clone(&one.rule)));
            let added = rules.get(before..).unwrap_or_default();
            if !added.is_empty() {
                names.push(role.name.clone());
            }
            let lets_in = added.iter().any(|rule| rule.effect != Effect::Deny);
            if known && (lets_in || role.rules.is_empty()) {
                unmasked.extend(&role.unmask);
            }
        }
        rules.sort_by(|a, b| precedence(a, b));
        let masks = masks::profile(&self.classification, target, &unmasked);
        View::new(names, rules, Arc::new(masks), self.digest)
    }

    /// Evaluates one rule's condition for an explanation; `None` where it has none.
    pub(crate) fn condition_holds(
        &self,
        rule: &Rule,
        asked: &Asked<'_>,
    ) -> Option<Result<bool, Arc<str>>> {
        let condition = rule.condition.as_ref()?;
        let Some(functions) = &self.functions else {
            return Some(Err("conditions are not set up".into()));
        };
        Some(condition.holds(&Facts::gather(functions, asked)))
    }
}
