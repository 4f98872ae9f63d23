//! What can be wrong with a policy: each error names the part, the reason and the remedy.
//!
//! Owns the errors and their words. Must not know how they are found (`check`) nor where the
//! part was written, beyond carrying its [`Origin`].

use model::{Action, Domain, Effect, Environment, Group, RoleName, RuleId, Tag, TargetName};

use crate::condition::ConditionError;
use crate::source::Origin;

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{subject}: {problem}")]
pub struct PolicyError {
    /// Where the part was written.
    pub origin: Origin,
    /// The part, as people name it: `rule no-dml of role report-reader`.
    pub subject: String,
    /// What is wrong.
    pub problem: Problem,
}

impl PolicyError {
    /// What to do about it, in one sentence.
    #[must_use]
    pub fn remedy(&self) -> String {
        match &self.problem {
            Problem::Role(problem) => problem.remedy(),
            Problem::Rule(problem) => problem.remedy(),
            Problem::Classification(problem) => problem.remedy(),
            Problem::Target(problem) => problem.remedy(),
        }
    }
}

/// What is wrong, by the kind of part it is wrong with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A role.
    #[error(transparent)]
    Role(#[from] RoleProblem),
    /// A rule.
    #[error(transparent)]
    Rule(#[from] RuleProblem),
    /// A classification.
    #[error(transparent)]
    Classification(#[from] ClassificationProblem),
    /// A target.
    #[error(transparent)]
    Target(#[from] TargetProblem),
}

/// What is wrong with a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleProblem {
    /// Its name is taken.
    #[error("another role has the same name")]
    Duplicate,
    /// Nobody can have it.
    #[error("it lists no group, so nobody can have it")]
    NoGroups,
    /// One of its groups never comes up.
    #[error("no workload and no identity provider can yield the group {0}")]
    GroupNotYielded(Group),
    /// It does nothing.
    #[error("it has no rule and unmasks nothing, so it does nothing")]
    Empty,
    /// It unmasks a tag that nothing has.
    #[error("it unmasks the tag {tag}, which no classification gives")]
    UnknownTag {
        /// The tag.
        tag: Tag,
        /// A tag of nearly that name.
        nearest: Option<Tag>,
    },
}

impl RoleProblem {
    fn remedy(&self) -> String {
        match self {
            Self::Duplicate => "give each role its own name, or merge the two".to_owned(),
            Self::NoGroups => "list the groups that have this role".to_owned(),
            Self::GroupNotYielded(group) => format!(
                "give {group} to a workload, list it under an identity provider, or remove it"
            ),
            Self::Empty => "give it rules, or remove it".to_owned(),
            Self::UnknownTag { nearest: Some(nearest), .. } => format!("did you mean {nearest}?"),
            Self::UnknownTag { tag, .. } => {
                format!("classify something as {tag}, or remove it from unmask")
            }
        }
    }
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RuleProblem {
    /// Its id is taken.
    #[error("another rule has the same id (in role {0})")]
    DuplicateId(RoleName),
    /// It names a target that does not exist.
    #[error("there is no target {name}")]
    UnknownTarget {
        /// What it says.
        name: TargetName,
        /// A target of nearly that name.
        nearest: Option<TargetName>,
    },
    /// None of its targets is in its environments.
    #[error("none of its targets is in {}", environments(.0))]
    NoTarget(Vec<Environment>),
    /// Its block has no action.
    #[error("its {0} block lists no action")]
    NoActions(Domain),
    /// It names an action of another domain.
    #[error("the action {action} does not belong in a {domain} block")]
    ForeignAction {
        /// The action.
        action: Action,
        /// The block's domain.
        domain: Domain,
    },
    /// It names a target of another domain.
    #[error("the target {target} takes {theirs} rules, and this is a {ours} rule")]
    ForeignTarget {
        /// The target.
        target: TargetName,
        /// What the target's operations need.
        theirs: Domain,
        /// What the rule speaks of.
        ours: Domain,
    },
    /// One of its patterns can never match.
    #[error("the pattern {pattern} can never match: {because}")]
    NeverMatches {
        /// The pattern.
        pattern: String,
        /// Why not.
        because: String,
    },
    /// None of its patterns fits one of its actions.
    #[error("none of its patterns can match an object of {0}")]
    ActionUnmatched(Action),
    /// It has patterns, and none of the kind that one of its actions needs.
    #[error("it lists objects, and no {key} for {action}")]
    ActionUnlisted {
        /// The action.
        action: Action,
        /// The key that would list them.
        key: &'static str,
    },
    /// It is about answers, and does something else than refuse them.
    #[error("it is about answers, which are shown unless a rule denies them; its effect is {0}")]
    Answers(Effect),
    /// Another rule of the role has its way wherever this one matches.
    #[error("it can never fire: rule {by} of the same role always has precedence over it")]
    Shadowed {
        /// The other rule.
        by: RuleId,
    },
    /// Its approvers.
    #[error(transparent)]
    Approvers(#[from] ApproverProblem),
    /// Its condition.
    #[error("its condition cannot be used: {0}")]
    Condition(#[from] ConditionError),
}

impl RuleProblem {
    fn remedy(&self) -> String {
        match self {
            Self::DuplicateId(_) => "give each rule an id of its own".to_owned(),
            Self::UnknownTarget { nearest: Some(nearest), .. } => {
                format!("did you mean {nearest}?")
            }
            Self::UnknownTarget { name, .. } => {
                format!("define the target {name} under targets, or remove the rule")
            }
            Self::NoTarget(_) => {
                "name an environment that one of its targets has, or remove the rule".to_owned()
            }
            Self::NoActions(Domain::Http) => "list methods, such as GET".to_owned(),
            Self::NoActions(Domain::Kubernetes) => "list verbs, such as get".to_owned(),
            Self::NoActions(_) => "list the actions, such as select or exec".to_owned(),
            Self::ForeignAction { domain, .. } => format!(
                "use one of: {}",
                Action::ALL
                    .iter()
                    .filter(|action| action.domain() == *domain)
                    .map(|action| action.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Self::ForeignTarget { theirs, .. } => format!("write a {theirs} block for it"),
            Self::NeverMatches { .. } => "correct the pattern, or remove it".to_owned(),
            Self::ActionUnmatched(action) => {
                format!("add a pattern for objects of {action}, or remove {action}")
            }
            Self::ActionUnlisted { action, key } => {
                format!("add {key}: [..], or write a rule of its own for {action}")
            }
            Self::Answers(_) => {
                "write effect: deny, or remove statuses to speak of requests".to_owned()
            }
            Self::Shadowed { by } => format!("narrow rule {by}, or remove this one"),
            Self::Approvers(problem) => problem.remedy(),
            Self::Condition(problem) => problem.remedy(),
        }
    }
}

/// What is wrong with the approvers of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApproverProblem {
    /// A hold rule without any.
    #[error("it holds, and does not say who may approve")]
    Missing,
    /// Approvers without a hold.
    #[error("it names approvers, and its effect is not hold")]
    NotAHold,
    /// Nobody has to approve.
    #[error("it asks for 0 approvers")]
    CountZero,
    /// There is no time to approve.
    #[error("it gives approvers no time")]
    NoTime,
    /// Nobody can be in the group.
    #[error("nobody can be in the approver group {group}")]
    UnknownGroup {
        /// The group.
        group: Group,
        /// A group of nearly that name.
        nearest: Option<Group>,
    },
}

impl ApproverProblem {
    fn remedy(&self) -> String {
        match self {
            Self::Missing => "add approvers: { group: .., count: 1, within: 10m }".to_owned(),
            Self::NotAHold => "write effect: hold, or remove the approvers".to_owned(),
            Self::CountZero => "write a count of at least 1, or effect: allow".to_owned(),
            Self::NoTime => "write how long the hold may wait, such as 10m".to_owned(),
            Self::UnknownGroup { nearest: Some(nearest), .. } => format!("did you mean {nearest}?"),
            Self::UnknownGroup { group, .. } => format!("say who is in {group} under control"),
        }
    }
}

/// What is wrong with a classification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassificationProblem {
    /// It finds nothing.
    #[error("it names neither columns nor files nor fields nor a detector, so it finds nothing")]
    FindsNothing,
    /// It says where fields are, and no field.
    #[error("it has {0}, and no fields to look for there")]
    PlacesWithoutFields(&'static str),
    /// It names a target that does not exist.
    #[error("there is no target {name}")]
    UnknownTarget {
        /// What it says.
        name: TargetName,
        /// A target of nearly that name.
        nearest: Option<TargetName>,
    },
    /// One of its patterns can never match.
    #[error("the pattern {pattern} can never match: {because}")]
    NeverMatches {
        /// The pattern.
        pattern: String,
        /// Why not.
        because: String,
    },
    /// Its target has no such things.
    #[error("its target has no {0}")]
    NotThere(&'static str),
}

impl ClassificationProblem {
    fn remedy(&self) -> String {
        match self {
            Self::FindsNothing => {
                "add columns: [..], paths: [..], fields: [..] or detect: ..".to_owned()
            }
            Self::PlacesWithoutFields(_) => {
                "add fields: [..]; detectors look through every body".to_owned()
            }
            Self::UnknownTarget { nearest: Some(nearest), .. } => {
                format!("did you mean {nearest}?")
            }
            Self::UnknownTarget { name, .. } => {
                format!("define the target {name} under targets, or leave it out to mean all")
            }
            Self::NotThere(what) => format!("remove the {what}, or name another target"),
            Self::NeverMatches { .. } => {
                "write database.schema.table.column, with * for one or more of them".to_owned()
            }
        }
    }
}

/// What is wrong with a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetProblem {
    /// Its name is taken.
    #[error("another target has the same name")]
    Duplicate,
    /// Nobody can use it.
    #[error("no allow or hold rule reaches it, so nobody can use it")]
    NotReached,
}

impl TargetProblem {
    fn remedy(&self) -> String {
        match self {
            Self::Duplicate => "give each target its own name".to_owned(),
            Self::NotReached => "write a rule for it, or remove it".to_owned(),
        }
    }
}

fn environments(environments: &[Environment]) -> String {
    let names: Vec<&str> = environments.iter().map(|one| &*one.0).collect();
    names.join(" or ")
}
