//! Why an operation is decided as it is: roles, rules and what each said to each access.
//!
//! Owns the explanation as data and as text. Must not decide anything: the decision in it comes
//! from where every decision comes from, and what rules say is asked of the rules themselves.

mod text;

use std::sync::Arc;

use model::{
    Access, Action, Columns, Decision, Effect, Environment, Group, Object, Operation, Principal,
    RequestPart, RoleName, RuleId, TargetName, Timestamp,
};
use serde::Serialize;

use crate::compile::{Policy, ReachingRule};
use crate::rule::{Rule, spelled};
use crate::standing::Standing;

/// Why an operation is decided as it is.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Who.
    pub principal: Principal,
    /// Where.
    pub target: TargetName,
    /// The target's environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Kind of the operation.
    pub kind: Arc<str>,
    /// Text of the operation.
    pub text: Arc<str>,
    /// The roles of the principal, sorted, with the groups that give them.
    pub roles: Vec<ExplainedRole>,
    /// What the operation needs, and what each rule says to it.
    pub accesses: Vec<ExplainedAccess>,
    /// The decision, with its obligations.
    pub decision: Arc<Decision>,
}

/// A role that the principal has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedRole {
    /// The role.
    pub role: RoleName,
    /// The groups of the principal that give it.
    pub by_groups: Vec<Group>,
    /// Whether it has a rule at the target.
    pub at_target: bool,
}

/// One access and what the rules say to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedAccess {
    /// The access, as people read it.
    pub access: Arc<str>,
    /// What comes of it.
    pub outcome: Outcome,
    /// Every rule of the principal's roles, in order of precedence.
    pub rules: Vec<ExplainedRule>,
}

/// What comes of one access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A deny rule matches, or a condition cannot be evaluated.
    Denied,
    /// No rule grants it.
    NotGranted,
    /// It needs approval.
    Held,
    /// It is granted.
    Allowed,
}

/// One rule and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedRule {
    /// The role.
    pub role: RoleName,
    /// The rule.
    pub rule: RuleId,
    /// Its effect.
    pub effect: Effect,
    /// What it says.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What a rule says to an access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It matches, and has its effect.
    Matches,
    /// It does not name connecting; being a rule for something here, it grants it.
    GrantsConnecting,
    /// It holds what it touches, and does not grant all of it.
    HoldsInPart,
    /// It is about another target.
    OtherTarget,
    /// It is about other actions.
    OtherAction,
    /// It is about other objects.
    OtherObject,
    /// It is about this object, and not about all (to grant) or any (to refuse) of its columns.
    OtherColumns,
    /// It is about other requests.
    OtherRequest {
        /// The first part by which they are others.
        part: RequestPart,
    },
    /// Its condition does not hold.
    ConditionFalse {
        /// The condition.
        when: Arc<str>,
    },
    /// Its condition cannot be evaluated, which refuses the operation.
    ConditionFailed {
        /// The condition.
        when: Arc<str>,
        /// Why not.
        because: Arc<str>,
    },
}

impl Explanation {
    pub(crate) fn new(
        policy: &Policy,
        standing: &Standing,
        operation: &Operation,
        now: Timestamp,
    ) -> Self {
        let held = policy.held_roles(&standing.principal);
        let held: Vec<_> = held.iter().filter_map(|index| policy.roles.get(*index)).collect();
        let mut rules: Vec<&ReachingRule> = held.iter().flat_map(|role| &role.rules).collect();
        rules.sort_by(|a, b| {
            let by_effect = b.rule.effect.cmp(&a.rule.effect);
            by_effect.then_with(|| (&a.rule.role, &a.rule.id).cmp(&(&b.rule.role, &b.rule.id)))
        });
        let explain = |access| explain_access(policy, standing, operation, now, &rules, access);
        Self {
            principal: standing.principal.clone(),
            target: standing.target.clone(),
            environment: standing.environment.clone(),
            kind: Arc::clone(&operation.kind),
            text: Arc::clone(&operation.text),
            roles: held
                .iter()
                .map(|role| ExplainedRole {
                    role: role.name.clone(),
                    by_groups: role
                        .groups
                        .intersection(&standing.principal.groups)
                        .cloned()
                        .collect(),
                    at_target: standing.roles().contains(&role.name),
                })
                .collect(),
            accesses: operation.accesses.iter().map(explain).collect(),
            decision: standing.decide(operation, now),
        }
    }
}

fn explain_access(
    policy: &Policy,
    standing: &Standing,
    operation: &Operation,
    now: Timestamp,
    rules: &[&ReachingRule],
    access: &Access,
) -> ExplainedAccess {
    let said: Vec<Said> = rules
        .iter()
        .map(|one| {
            if one.reach.contains(&standing.target) {
                said(policy, standing, operation, now, &one.rule, access)
            } else {
                Said::nothing(Verdict::OtherTarget)
            }
        })
        .collect();
    let explained = |(one, said): (&&ReachingRule, &Said)| ExplainedRule {
        role: one.rule.role.clone(),
        rule: one.rule.id.clone(),
        effect: one.rule.effect,
        verdict: said.verdict.clone(),
    };
    ExplainedAccess {
        access: spelled(access),
        outcome: outcome(&said),
        rules: rules.iter().zip(&said).map(explained).collect(),
    }
}

/// What one rule says to an access, and what that does.
struct Said {
    verdict: Verdict,
    /// It refuses the operation.
    refuses: bool,
    /// It holds the access, whoever grants it.
    touches: bool,
    /// It grants the access.
    grants: bool,
    /// What it grants is granted once approved.
    holds: bool,
}

impl Said {
    const fn nothing(verdict: Verdict) -> Self {
        Self { verdict, refuses: false, touches: false, grants: false, holds: false }
    }
}

fn said(
    policy: &Policy,
    standing: &Standing,
    operation: &Operation,
    now: Timestamp,
    rule: &Rule,
    access: &Access,
) -> Said {
    // Being a rule for something here, it lets its principal connect.
    let connects = access.action == Action::Connect
        && rule.effect != Effect::Deny
        && rule.actions.iter().any(|action| action != Action::Connect);
    let otherwise = |verdict| {
        let verdict = if connects { Verdict::GrantsConnecting } else { verdict };
        Said { grants: connects, ..Said::nothing(verdict) }
    };
    if !rule.actions.contains(access.action) {
        return otherwise(Verdict::OtherAction);
    }
    let fit = rule.applies(access);
    if !(fit.touches || fit.grants) {
        return otherwise(other(rule, access));
    }
    let when = || rule.condition.as_ref().map_or_else(|| "".into(), |one| Arc::clone(one.text()));
    match policy.condition_holds(rule, &standing.asked(operation, now)) {
        Some(Err(because)) => {
            let verdict = Verdict::ConditionFailed { when: when(), because };
            Said { refuses: true, ..Said::nothing(verdict) }
        }
        Some(Ok(false)) => otherwise(Verdict::ConditionFalse { when: when() }),
        Some(Ok(true)) | None => Said {
            verdict: match rule.effect {
                Effect::Hold if !fit.grants => Verdict::HoldsInPart,
                _ => Verdict::Matches,
            },
            refuses: rule.effect == Effect::Deny,
            touches: rule.effect == Effect::Hold && fit.touches,
            grants: fit.grants || connects,
            holds: rule.effect == Effect::Hold && !connects,
        },
    }
}

/// In what the rule is about something else than the access's object.
fn other(rule: &Rule, access: &Access) -> Verdict {
    match rule.objects.other_part(access, rule.effect == Effect::Allow) {
        Some(part) => Verdict::OtherRequest { part },
        None if whole_object_fits(rule, access) => Verdict::OtherColumns,
        None => Verdict::OtherObject,
    }
}

/// Whether the rule would speak of the object if columns did not count.
fn whole_object_fits(rule: &Rule, access: &Access) -> bool {
    let Object::Relation { path, .. } = &access.object else { return false };
    let object = Object::Relation { path: path.clone(), columns: Columns::All };
    let fit = rule.fit(&Access { action: access.action, object });
    fit.touches || fit.grants
}

fn outcome(said: &[Said]) -> Outcome {
    let any = |test: fn(&Said) -> bool| said.iter().any(test);
    if any(|one| one.refuses) {
        return Outcome::Denied;
    }
    let allowed = any(|one| one.grants && !one.holds);
    if !(allowed || any(|one| one.grants)) {
        Outcome::NotGranted
    } else if any(|one| one.touches) || !allowed {
        Outcome::Held
    } else {
        Outcome::Allowed
    }
}
