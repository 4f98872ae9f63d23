//! An explanation as people read it.
//!
//! Owns the words and the layout. Adds nothing to the data.

use std::fmt;
use std::time::Duration;

use model::{Decision, Effect, Reason};

use super::{ExplainedAccess, ExplainedRule, Explanation, Outcome, Verdict};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "principal  {}", self.principal)?;
        let groups: Vec<&str> = self.principal.groups.iter().map(|group| group.as_str()).collect();
        writeln!(f, "groups     {}", or_none(&groups.join(", ")))?;
        write!(f, "target     {}", self.target)?;
        if let Some(environment) = &self.environment {
            write!(f, " ({})", environment.0)?;
        }
        writeln!(f)?;
        if self.roles.is_empty() {
            writeln!(f, "roles      none")?;
        }
        for (index, role) in self.roles.iter().enumerate() {
            let by: Vec<&str> = role.by_groups.iter().map(|group| group.as_str()).collect();
            let head = if index == 0 { "roles" } else { "" };
            let here = if role.at_target { "" } else { "; no rule at this target" };
            writeln!(f, "{head:<10} {} (by {}){here}", role.role, by.join(", "))?;
        }
        writeln!(f, "operation  {}: {}", self.kind, one_line(&self.text))?;
        if self.accesses.is_empty() {
            writeln!(f, "           needs nothing beyond being connected")?;
        }
        self.accesses.iter().try_for_each(|access| write_access(f, access))?;
        write_decision(f, &self.decision)
    }
}

fn write_access(f: &mut fmt::Formatter<'_>, access: &ExplainedAccess) -> fmt::Result {
    let outcome = match access.outcome {
        Outcome::Denied => "denied",
        Outcome::NotGranted => "not granted",
        Outcome::Held => "held",
        Outcome::Allowed => "allowed",
    };
    writeln!(f, "\n{}: {outcome}", access.access)?;
    let width = access.rules.iter().map(|rule| name(rule).chars().count()).max().unwrap_or(0);
    for rule in &access.rules {
        writeln!(f, "  {:<5} {:<width$}  {}", rule.effect, name(rule), words(rule))?;
    }
    Ok(())
}

fn name(rule: &ExplainedRule) -> String {
    format!("{}/{}", rule.role, rule.rule)
}

impl ExplainedRule {
    /// What the rule says to the access, for people.
    #[must_use]
    pub fn words(&self) -> String {
        words(self)
    }
}

impl Explanation {
    /// Why the decision is what it is, for people.
    #[must_use]
    pub fn reason(&self) -> String {
        because(&self.decision.reason)
    }
}

fn words(rule: &ExplainedRule) -> String {
    match &rule.verdict {
        Verdict::Matches => "matches".to_owned(),
        Verdict::GrantsConnecting => "grants connecting".to_owned(),
        Verdict::HoldsInPart => "matches in part: held, not granted".to_owned(),
        Verdict::OtherTarget => "- other target".to_owned(),
        Verdict::OtherAction => "- other actions".to_owned(),
        Verdict::OtherObject => "- other objects".to_owned(),
        Verdict::OtherColumns if rule.effect == Effect::Deny => "- other columns".to_owned(),
        Verdict::OtherColumns => "- not for all of these columns".to_owned(),
        Verdict::OtherRequest { part } => format!("- other {part}"),
        Verdict::ConditionFalse { when } => format!("- condition is false: {when}"),
        Verdict::ConditionFailed { when, because } => {
            format!("condition failed: {when}: {because}")
        }
    }
}

fn write_decision(f: &mut fmt::Formatter<'_>, decision: &Decision) -> fmt::Result {
    writeln!(f, "\ndecision   {}: {}", decision.effect, because(&decision.reason))?;
    for rule in &decision.rules {
        writeln!(f, "           {}/{}: {}", rule.role, rule.rule, rule.access)?;
    }
    for one in &decision.approvals {
        let (count, group) = (one.count, &one.group);
        writeln!(f, "approval   {count} of {group} within {}", span(one.within))?;
    }
    let masks = &decision.masks;
    if masks.is_empty() {
        writeln!(f, "masks      none")?;
    }
    let columns = masks.columns.iter().map(|m| (m.pattern.to_string(), &m.tag, m.transform));
    let found =
        masks.detectors.iter().map(|m| (format!("found {}", m.detector), &m.tag, m.transform));
    let fields = masks.fields.iter().map(|m| (m.to_string(), &m.tag, m.transform));
    for (index, (what, tag, transform)) in columns.chain(fields).chain(found).enumerate() {
        let head = if index == 0 { "masks" } else { "" };
        writeln!(f, "{head:<10} {what} -> {transform} ({tag})")?;
    }
    let others = masks.columns.len() + masks.fields.len() + masks.detectors.len();
    let mut head = "masks";
    for mask in &masks.files {
        head = if others == 0 { head } else { "" };
        writeln!(f, "{head:<10} {} -> refused ({})", mask.pattern, mask.tag)?;
        head = "";
    }
    writeln!(f, "policy     {}", decision.policy)
}

fn because(reason: &Reason) -> String {
    match reason {
        Reason::Granted => "every access is granted".to_owned(),
        Reason::DeniedByRule => "a deny rule matches".to_owned(),
        Reason::HeldByRule => "a hold rule matches".to_owned(),
        Reason::NotGranted { access } => format!("no rule grants {access}"),
        Reason::NoRole => "no role has a rule at this target".to_owned(),
        Reason::ConditionFailed { rule, because } => {
            format!("the condition of rule {rule} cannot be evaluated: {because}")
        }
        Reason::Refused { because } => because.to_string(),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// Line breaks and other control characters of a statement must not break the layout.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}
