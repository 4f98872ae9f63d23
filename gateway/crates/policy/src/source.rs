//! A policy as it was written, read into plain checked data: what `compile` takes.
//!
//! Owns the shapes. Must not know the text they came from; each part carries an [`Origin`], which
//! whoever built the source can turn into a file and a line again.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{
    Action, ApiPattern, ApprovalRequirement, CommandPattern, Detector, Domain, Effect,
    EndpointPattern, Environment, FieldPattern, FilePattern, Group, HostPattern, PathPattern,
    RequestPattern, ResourcePattern, RoleName, RoutePattern, RuleId, Tag, TargetName, Transform,
};

use crate::object::ObjectPattern;

/// Where a part of the source was written. Only its maker knows what the number means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u32);

/// Everything a policy is made of.
#[derive(Clone, Debug, Default)]
pub struct PolicySource {
    /// The roles with their rules.
    pub roles: Vec<RoleSource>,
    /// What is classified, and how it is masked.
    pub classification: Vec<ClassificationSource>,
    /// The targets that rules can name.
    pub targets: Vec<TargetFacts>,
    /// The groups that a principal can have.
    pub groups: GroupsKnown,
    /// The groups that approvers can belong to; `None` where they are not listed anywhere.
    pub approver_groups: Option<BTreeSet<Group>>,
}

/// Which groups a principal can come to have.
#[derive(Clone, Debug, Default)]
pub struct GroupsKnown {
    /// Those given by name.
    pub named: BTreeSet<Group>,
    /// Whether an identity provider can yield others that nobody has listed.
    pub others_possible: bool,
}

/// What a policy must know of a target.
#[derive(Clone, Debug)]
pub struct TargetFacts {
    /// Its name.
    pub name: TargetName,
    /// Where it was written.
    pub origin: Origin,
    /// The family of actions its operations need.
    pub domain: Domain,
    /// Its environment.
    pub environment: Option<Environment>,
    /// The first parts that names of its objects can have (a SQL server's databases); empty
    /// where any is possible.
    pub roots: Vec<Arc<str>>,
    /// The hosts that requests to it can be for; empty where any is possible.
    pub hosts: Vec<HostPattern>,
    /// Whether requests with a `%2F` in their path reach it.
    pub encoded_slashes: bool,
}

/// A role.
#[derive(Clone, Debug)]
pub struct RoleSource {
    /// Its name.
    pub name: RoleName,
    /// Where it was written.
    pub origin: Origin,
    /// Whoever has one of these has the role. Compared exactly.
    pub groups: Vec<Group>,
    /// What it sees raw: at the targets that its allow and hold rules reach, or, for a role
    /// without any rule, at every target.
    pub unmask: Vec<Tag>,
    /// Its rules.
    pub rules: Vec<RuleSource>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct RuleSource {
    /// Its id, unique within the policy.
    pub id: RuleId,
    /// Where it was written.
    pub origin: Origin,
    /// What it does.
    pub effect: Effect,
    /// The targets it speaks of.
    pub targets: TargetScope,
    /// Of those, only the ones in these environments; empty for all.
    pub environments: Vec<Environment>,
    /// What is done to which objects; without it the rule speaks of `connect`.
    pub block: Option<BlockSource>,
    /// A CEL expression that must hold for the rule to apply.
    pub when: Option<Arc<str>>,
    /// Who must approve; for hold rules, and only for those.
    pub approvers: Option<ApprovalRequirement>,
}

/// The targets a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetScope {
    /// Every target whose family of actions is the rule's.
    All,
    /// These.
    Named(Vec<TargetName>),
}

/// Actions on objects, of one domain.
#[derive(Clone, Debug)]
pub struct BlockSource {
    /// The domain.
    pub domain: Domain,
    /// The actions: of the domain, or `connect`.
    pub actions: Vec<Action>,
    /// The objects that have a name; where every list is empty, every object. An object is matched
    /// by the list of its kind alone (functions by `objects` where `functions` is empty), so where
    /// some list is not empty, an empty one matches nothing of its kind.
    pub objects: Vec<ObjectPattern>,
    /// The functions, where they are not to be matched by `objects`.
    pub functions: Vec<PathPattern>,
    /// The commands.
    pub commands: Vec<CommandPattern>,
    /// The files.
    pub paths: Vec<FilePattern>,
    /// The end points of connections.
    pub destinations: Vec<EndpointPattern>,
    /// The requests.
    pub requests: RequestPattern,
    /// The requests to an API server of resources.
    pub api: ApiPattern,
}

impl BlockSource {
    /// Actions on every object.
    #[must_use]
    pub fn new(domain: Domain, actions: Vec<Action>) -> Self {
        Self {
            domain,
            actions,
            objects: Vec::new(),
            functions: Vec::new(),
            commands: Vec::new(),
            paths: Vec::new(),
            destinations: Vec::new(),
            requests: RequestPattern::default(),
            api: ApiPattern::default(),
        }
    }

    /// Whether it speaks of every object there is.
    #[must_use]
    pub fn is_about_everything(&self) -> bool {
        self.objects.is_empty()
            && self.functions.is_empty()
            && self.commands.is_empty()
            && self.paths.is_empty()
            && self.destinations.is_empty()
            && self.requests.is_about_everything()
            && self.api.is_empty()
    }
}

/// A classification of columns, of files, of fields, or of what a detector finds.
#[derive(Clone, Debug)]
pub struct ClassificationSource {
    /// What it is called.
    pub tag: Tag,
    /// Where it was written.
    pub origin: Origin,
    /// The target it is about; `None` for all.
    pub target: Option<TargetName>,
    /// Columns by name: `database.schema.table.column`.
    pub columns: Vec<PathPattern>,
    /// What to look for in values whose column says nothing.
    pub detect: Option<Detector>,
    /// Files by path, whose content is not to be seen: what would show it is refused.
    pub paths: Vec<FilePattern>,
    /// Fields of the bodies of requests and answers.
    pub fields: Vec<FieldPattern>,
    /// The paths of the requests whose bodies are meant; empty for all.
    pub routes: Vec<RoutePattern>,
    /// The resources whose objects are meant; empty for all, and for what is no object.
    pub resources: Vec<ResourcePattern>,
    /// How it is masked.
    pub mask: Transform,
}
