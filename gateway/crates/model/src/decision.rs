//! The answer to an operation: an effect, the rules that made it, and what goes with it.
//!
//! Owns the finished decision as data, so that explaining one is printing it. Must not know how
//! it was reached (`policy`). A decision never changes; judging again makes a new one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{Group, PolicyDigest, RoleName, RuleId};
use crate::mask::MaskProfile;

/// What a rule, and in the end a decision, does. Ordered by precedence: deny beats hold beats
/// allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It goes through.
    Allow,
    /// It waits for an approver.
    Hold,
    /// It is refused.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "allow",
            Self::Hold => "hold",
            Self::Deny => "deny",
        })
    }
}

/// A rule that had a say in a decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DecidingRule {
    /// The role it belongs to.
    pub role: RoleName,
    /// The rule.
    pub rule: RuleId,
    /// Its effect.
    pub effect: Effect,
    /// The access it spoke about, as people read it (`delete on shop.public.users`).
    pub access: Arc<str>,
}

/// Why the effect is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reason {
    /// Every access is granted by a rule.
    Granted,
    /// A deny rule matched.
    DeniedByRule,
    /// A hold rule matched and nothing was denied.
    HeldByRule,
    /// No rule grants this access.
    NotGranted {
        /// The first access without a grant, as people read it.
        access: Arc<str>,
    },
    /// The principal's groups give it no role at this target.
    NoRole,
    /// A `when:` expression could not be evaluated; it counts as a denial.
    ConditionFailed {
        /// The rule.
        rule: RuleId,
        /// What went wrong.
        because: Arc<str>,
    },
    /// Not the policy's word: refused for another reason (protocol, limits, masking, recording).
    Refused {
        /// Why, in a sentence for the client.
        because: Arc<str>,
    },
}

/// Who must approve a hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ApprovalRequirement {
    /// The group approvers must belong to.
    pub group: Group,
    /// How many different approvers are needed.
    pub count: u32,
    /// How long the hold waits before it expires.
    pub within: Duration,
}

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What happens.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// The rules that made it: the denying ones of a denial, the holding ones of a hold, the
    /// granting ones of an allowance.
    pub rules: Vec<DecidingRule>,
    /// Who must approve, where the effect is hold; one entry a distinct requirement, all needed.
    pub approvals: Vec<ApprovalRequirement>,
    /// What must be masked for this principal at this target.
    pub masks: Arc<MaskProfile>,
    /// The policy that gave the answer.
    pub policy: PolicyDigest,
}

impl Decision {
    /// The first rule that made the decision, for one-line displays.
    #[must_use]
    pub fn rule(&self) -> Option<&RuleId> {
        self.rules.first().map(|deciding| &deciding.rule)
    }
}
