//! Roles and rules, compiled once, and the decision they give for every operation.
//!
//! Owns the checked source of a policy, everything that can be wrong with one, the compiled form,
//! the decision and its explanation. Must not know a file, a clock or a protocol: rules speak of
//! actions on objects, the time is passed in, and where a rule was written is an opaque
//! [`Origin`]. A compiled [`Policy`] never changes; a reload makes a new one, and a [`Standing`]
//! of the old one goes on answering as the old one until its holder lets go of it.
//!
//! What the rules mean:
//! - Nothing is allowed unless a rule says so. An operation is allowed when every access it needs
//!   is granted by an `allow` rule, and held when a `hold` rule touches one and the rest is
//!   granted. A `hold` rule grants what it names, once approved. `deny` beats `hold` beats
//!   `allow`, whatever the order.
//! - What grants must match for certain; what restricts needs only to be possible. So an `allow`
//!   with a column list grants an access whose columns are all listed, a `deny` with one matches
//!   an access that touches any of them, and a `hold` needs approval for the latter and grants
//!   the former. A part of a name that could not be resolved (`*`) fits a `deny` or `hold`
//!   pattern and never an `allow` pattern that spells that part out.
//! - `objects` speaks of everything that has a name. Where a rule also has `functions`, functions
//!   are matched by that list alone; a rule with neither speaks of every object.
//! - An object is matched by the list of its kind: `commands`, `paths`, `destinations`, and
//!   `objects` (`names` of SSH) for the rest. Where a rule has some list, what has none is not
//!   spoken of.
//! - A command that is an interpreter is granted only by a pattern that spells its program out,
//!   never by a rule without commands. What restricts a rename or a link touches all that is below
//!   the path.
//! - What runs, attaches, forwards or passes through an API server is granted only by a rule that
//!   names that verb, and what gives out more than its resource only by one that names it.
//! - The action `unknown` is matched by rules that name it and by nothing else.
//! - A rule without a block of actions speaks of `connect`. Connecting is also granted to whoever
//!   has any allow or hold rule for another action at the target.
//! - A `when:` condition that cannot be evaluated refuses the operation.

mod check;
mod compile;
mod condition;
mod decide;
mod digest;
mod error;
mod explain;
mod masks;
mod object;
mod objects;
mod recent;
mod rule;
mod source;
mod standing;

pub use compile::{Policy, compile};
pub use condition::{CONDITION_BYTES_MAX, ConditionError};
pub use error::{
    ApproverProblem, ClassificationProblem, PolicyError, Problem, RoleProblem, RuleProblem,
    TargetProblem,
};
pub use explain::{ExplainedAccess, ExplainedRole, ExplainedRule, Explanation, Outcome, Verdict};
pub use object::ObjectPattern;
pub use source::{
    BlockSource, ClassificationSource, GroupsKnown, Origin, PolicySource, RoleSource, RuleSource,
    TargetFacts, TargetScope,
};
pub use standing::Standing;
