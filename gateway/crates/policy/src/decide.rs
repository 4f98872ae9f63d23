//! From an operation's accesses to its decision.
//!
//! Owns the precedence of effects. Must not know how a rule matches one access (`rule`). The
//! path is the hot one: rules are looked up by action, nothing is allocated before a rule has
//! something to say, conditions are evaluated at most once an operation, and a list of accesses
//! that was decided a moment ago is not decided again (`recent`).

use std::cell::OnceCell;
use std::sync::Arc;

use model::{Access, Action, DecidingRule, Decision, Effect, Operation, Reason, Timestamp};

use crate::condition::{Asked, Facts};
use crate::rule::{Rule, spell, spelled};
use crate::standing::{Standing, View};

impl Standing {
    /// Decides an operation. `now` is what `time` is in conditions.
    #[must_use]
    pub fn decide(&self, operation: &Operation, now: Timestamp) -> Arc<Decision> {
        let view = &*self.view;
        if view.roles.is_empty() || operation.accesses.is_empty() {
            return Arc::clone(&view.settled);
        }
        let lasting = !self.is_conditional(&operation.accesses);
        if lasting && let Some(decision) = self.recent.find(&operation.accesses) {
            return decision;
        }
        let mut judging = Judging::start(self, operation, now);
        for (at, access) in operation.accesses.iter().enumerate() {
            judging.judge(at, access);
        }
        let decision = Arc::new(judging.conclude());
        if lasting {
            self.recent.keep(&operation.accesses, &decision);
        }
        decision
    }

    /// The denial of an operation that needs no grant, because what it belongs to was granted: the
    /// answer to a request. Only `deny` rules are asked; `None` where none has anything to say.
    #[must_use]
    pub fn denies(&self, operation: &Operation, now: Timestamp) -> Option<Arc<Decision>> {
        let mut judging = Judging::start(self, operation, now);
        for (at, access) in operation.accesses.iter().enumerate() {
            judging.ask_denying(at, access);
        }
        let denied = !judging.denying.is_empty() || judging.failed.is_some();
        denied.then(|| Arc::new(judging.conclude()))
    }

    pub(crate) fn asked<'a>(&'a self, operation: &'a Operation, now: Timestamp) -> Asked<'a> {
        Asked {
            operation,
            principal: &self.principal,
            target: &self.target,
            environment: self.environment.as_ref(),
            now,
        }
    }
}

/// A rule and the first access it spoke about, by their indexes.
type Said = (usize, usize);

/// One operation on its way to a decision.
struct Judging<'a> {
    standing: &'a Standing,
    operation: &'a Operation,
    now: Timestamp,
    denying: Vec<Said>,
    holding: Vec<Said>,
    granting: Vec<Said>,
    /// The first access without a grant.
    ungranted: Option<usize>,
    /// The first rule, by precedence, whose condition could not be evaluated.
    failed: Option<(usize, Arc<str>)>,
    /// Conditions evaluated so far: the rule and whether it applies.
    evaluated: Vec<(usize, bool)>,
    facts: OnceCell<Facts>,
}

impl<'a> Judging<'a> {
    const fn start(standing: &'a Standing, operation: &'a Operation, now: Timestamp) -> Self {
        Self {
            standing,
            operation,
            now,
            denying: Vec::new(),
            holding: Vec::new(),
            granting: Vec::new(),
            ungranted: None,
            failed: None,
            evaluated: Vec::new(),
            facts: OnceCell::new(),
        }
    }

    fn judge(&mut self, at: usize, access: &Access) {
        let view: &'a View = &self.standing.view;
        let (mut allowed_by, mut held, mut hold_grants) = (None::<usize>, false, None::<usize>);
        for (index, rule) in view.speaking_of(access) {
            // The first allow rule is enough; a further one matters only if its condition fails.
            let settled = allowed_by.is_some_and(|first| first < index);
            if rule.effect == Effect::Allow && settled && rule.condition.is_none() {
                continue;
            }
            let fit = rule.applies(access);
            if !(fit.touches || fit.grants) || !self.condition_holds(index, rule) {
                continue;
            }
            match rule.effect {
                Effect::Deny => note(&mut self.denying, index, at),
                Effect::Hold => {
                    if fit.touches {
                        held = true;
                        note(&mut self.holding, index, at);
                    }
                    if fit.grants {
                        hold_grants = Some(hold_grants.map_or(index, |first| first.min(index)));
                    }
                }
                Effect::Allow => {
                    allowed_by = Some(allowed_by.map_or(index, |first| first.min(index)));
                }
            }
        }
        if access.action == Action::Connect {
            allowed_by = allowed_by.or(view.connects_by);
        }
        match (allowed_by, hold_grants) {
            (Some(rule), _) if !held => note(&mut self.granting, rule, at),
            (Some(_), _) => {}
            (None, Some(rule)) => note(&mut self.holding, rule, at),
            (None, None) => self.ungranted = self.ungranted.or(Some(at)),
        }
    }

    /// Notes the deny rules that touch the access.
    fn ask_denying(&mut self, at: usize, access: &Access) {
        let view: &'a View = &self.standing.view;
        for (index, rule) in view.speaking_of(access) {
            if rule.effect == Effect::Deny
                && rule.applies(access).touches
                && self.condition_holds(index, rule)
            {
                note(&mut self.denying, index, at);
            }
        }
    }

    /// Whether the rule's condition holds. One that cannot be evaluated does not, and is
    /// remembered: it refuses the operation.
    fn condition_holds(&mut self, index: usize, rule: &Rule) -> bool {
        let Some(condition) = &rule.condition else { return true };
        if let Some((_, holds)) = self.evaluated.iter().find(|(known, _)| *known == index) {
            return *holds;
        }
        let answer = match &self.standing.functions {
            None => Err("conditions are not set up".into()),
            Some(functions) => condition.holds(self.facts.get_or_init(|| {
                Facts::gather(functions, &self.standing.asked(self.operation, self.now))
            })),
        };
        let holds = answer.unwrap_or_else(|because| {
            if self.failed.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
                self.failed = Some((index, because));
            }
            false
        });
        self.evaluated.push((index, holds));
        holds
    }

    fn conclude(self) -> Decision {
        let access_at = |at: usize| self.operation.accesses.get(at);
        let view = &*self.standing.view;
        let (effect, reason, said) = if !self.denying.is_empty() {
            (Effect::Deny, Reason::DeniedByRule, self.denying)
        } else if let Some((index, because)) = self.failed {
            let rule = view.rules.get(index).map_or_else(|| "".into(), |rule| rule.id.clone());
            (Effect::Deny, Reason::ConditionFailed { rule, because }, Vec::new())
        } else if let Some(access) = self.ungranted.and_then(access_at) {
            (Effect::Deny, Reason::NotGranted { access: spelled(access) }, Vec::new())
        } else if !self.holding.is_empty() {
            (Effect::Hold, Reason::HeldByRule, self.holding)
        } else {
            (Effect::Allow, Reason::Granted, self.granting)
        };
        let mut rules = Vec::with_capacity(said.len());
        let mut approvals = Vec::new();
        let mut text = String::new();
        for (index, at) in said {
            let (Some(rule), Some(access)) = (view.rules.get(index), access_at(at)) else {
                continue;
            };
            if let Some(required) = rule.approvals.as_ref().filter(|_| effect == Effect::Hold)
                && !approvals.contains(required)
            {
                approvals.push(required.clone());
            }
            rules.push(DecidingRule {
                role: rule.role.clone(),
                rule: rule.id.clone(),
                effect: rule.effect,
                access: spell(access, &mut text),
            });
        }
        Decision {
            effect,
            reason,
            rules,
            approvals,
            masks: Arc::clone(&view.masks),
            policy: view.settled.policy,
        }
    }
}

/// Remembers a rule with the first access it spoke about. Kept in order of precedence, so that
/// the order of accesses does not change which rule comes first.
fn note(list: &mut Vec<Said>, rule: usize, at: usize) {
    if let Err(place) = list.binary_search_by_key(&rule, |(known, _)| *known) {
        list.insert(place, (rule, at));
    }
}
