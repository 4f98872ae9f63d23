//! Roles, rules and classification: from raw keys to the source of a policy.
//!
//! Owns reading patterns and words. What is wrong with the rules themselves is the policy's to
//! find; the number of the node goes along as the origin, so that its errors find their place.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Action, ApprovalRequirement, CommandPattern, Domain, EndpointPattern, Environment,
    FieldPattern, FilePattern, Group, PathPattern, Protocol, ResourcePattern, RoleName,
    RoutePattern, RuleId, Tag, TargetName, Transform,
};
use policy::{
    BlockSource, ClassificationSource, GroupsKnown, ObjectPattern, Origin, PolicySource,
    RoleSource, RuleSource, TargetFacts, TargetScope,
};

use super::Checker;
use super::http::{self, ROUTES};
use super::kubernetes::RESOURCES;
use crate::config::raw::RawConfig;
use crate::config::raw::roles::{
    RawApprovers, RawClassification, RawRole, RawRule, RawSql, RawSsh,
};
use crate::config::raw::scalar::{OneOrMany, WordOr};
use crate::config::raw::target::RawTarget;
use crate::config::read::At;

const APPROVAL_WITHIN: Duration = Duration::from_secs(600);
/// What a rule writes to mean every target.
const EVERY: &str = "*";
// What patterns look like, for whoever wrote one that cannot be read.
const SQL_NAMES: &str = "write it like shop.public.users, shop.* or \"odd.name\".public.users";
pub(super) const COMMANDS: &str =
    "write it like systemctl restart app, tail -n * /var/log/app/*.log or ls **";
const PATHS: &str = "write it like /srv/app/config.yaml, /var/log/app/*.log or /srv/app/**";
const DESTINATIONS: &str = "write it like 10.0.0.5:5432, *.internal:443 or localhost:*";
const NAMES: &str = "write it like LANG or LC_*";
const FIELDS: &str = "write it like email, users.*.email, **.email or \"first.name\"";

impl Checker<'_> {
    pub(super) fn policy_source(self, raw: &RawConfig) -> PolicySource {
        let providers = || raw.identity_providers.iter().filter_map(At::get);
        let from_workloads = raw
            .workloads
            .iter()
            .filter_map(At::get)
            .filter(|workload| workload.token.is_none())
            .flat_map(|workload| &workload.groups);
        let from_providers =
            providers().filter_map(|one| one.groups.as_ref()).filter_map(At::get).flatten();
        let named = from_workloads.chain(from_providers).filter_map(At::get);
        let control = raw.control.as_ref().and_then(At::get);
        let approvers = control.and_then(|one| one.approver_groups.as_ref()).and_then(At::get);
        PolicySource {
            roles: raw.roles.iter().filter_map(|at| self.role(at)).collect(),
            classification: raw
                .classification
                .iter()
                .filter_map(|at| self.classification(at))
                .collect(),
            targets: raw.targets.iter().filter_map(target_facts).collect(),
            groups: GroupsKnown {
                named: named.map(|name| Group::from(name.as_str())).collect(),
                others_possible: providers().any(|one| one.groups.is_none()),
            },
            approver_groups: approvers
                .map(|groups| groups.keys().map(|name| Group::from(name.as_str())).collect()),
        }
    }

    fn role(self, at: &At<RawRole>) -> Option<RoleSource> {
        let raw = at.get()?;
        let groups = raw.groups.get().map(|groups| self.texts(groups));
        let unmask = self.texts(&raw.unmask);
        let rules = raw.rules.iter().filter_map(|rule| self.rule(rule)).collect();
        Some(RoleSource {
            name: self.name(&raw.name).map(RoleName::new)?,
            origin: origin(at),
            groups: groups?.into_iter().map(Group::from).collect(),
            unmask: unmask.into_iter().map(Tag::from).collect(),
            rules,
        })
    }

    fn texts(self, list: &[At<String>]) -> Vec<&str> {
        list.iter().filter_map(|one| self.free_text(one)).collect()
    }

    fn rule(self, at: &At<RawRule>) -> Option<RuleSource> {
        let raw = at.get()?;
        let id = self.name(&raw.id).map(RuleId::new);
        let targets = self.scope(&raw.target);
        let environments = raw.environment.as_ref().map(|at| self.one_or_many(at));
        // A block, condition or restriction that was refused must not become one that is not
        // there: the rule is left out whole.
        let block = self.block(raw);
        let when = match &raw.when {
            None => Some(None),
            Some(at) => at.get().map(|text| Some(Arc::from(text.as_str()))),
        };
        let approvers = match &raw.approvers {
            None => Some(None),
            Some(at) => at.get().and_then(|approvers| self.approvers(approvers)).map(Some),
        };
        let environments = match environments {
            None => Vec::new(),
            Some(names) => names?.into_iter().map(|name| Environment(name.into())).collect(),
        };
        Some(RuleSource {
            id: id?,
            origin: origin(at),
            effect: *raw.effect.get()?,
            targets: targets?,
            environments,
            block: block?,
            when: when?,
            approvers: approvers?,
        })
    }

    /// The block of the rule, if it has one.
    fn block(self, raw: &RawRule) -> Option<Option<BlockSource>> {
        let spots = [
            raw.sql.as_ref().map(|at| at.spot),
            raw.ssh.as_ref().map(|at| at.spot),
            raw.http.as_ref().map(|at| at.spot),
            raw.kubernetes.as_ref().map(|at| at.spot),
        ];
        if let Some(second) = spots.into_iter().flatten().nth(1) {
            let remedy = Some("write two rules".to_owned());
            self.report.refuse(second, "the rule has two blocks", remedy);
            return None;
        }
        if let Some(at) = &raw.sql {
            return at.get().and_then(|sql| self.sql_block(sql)).map(Some);
        }
        if let Some(at) = &raw.ssh {
            return at.get().and_then(|ssh| self.ssh_block(ssh)).map(Some);
        }
        if let Some(at) = &raw.kubernetes {
            let effect = raw.effect.get().copied();
            return at.get().and_then(|block| self.kubernetes_block(block, effect?)).map(Some);
        }
        raw.http.as_ref().map_or(Some(None), |at| self.http_block(at).map(Some))
    }

    fn scope(self, at: &At<OneOrMany<At<String>>>) -> Option<TargetScope> {
        let names = self.one_or_many(at)?;
        if names == [EVERY] {
            return Some(TargetScope::All);
        }
        Some(TargetScope::Named(names.into_iter().map(TargetName::from).collect()))
    }

    fn one_or_many(self, at: &At<OneOrMany<At<String>>>) -> Option<Vec<&str>> {
        match at.get()? {
            WordOr::Word(one, _) => Some(vec![one]),
            WordOr::More(many) if many.is_empty() => {
                self.refuse(
                    at,
                    "the list is empty, so the rule is about nothing",
                    "name at least one",
                );
                None
            }
            WordOr::More(many) => Some(self.texts(many)).filter(|read| read.len() == many.len()),
        }
    }

    fn sql_block(self, raw: &RawSql) -> Option<BlockSource> {
        let objects = self.patterns(raw.objects.as_ref(), SQL_NAMES, ObjectPattern::parse);
        let functions = self.patterns(raw.functions.as_ref(), SQL_NAMES, PathPattern::parse);
        let block = BlockSource::new(Domain::Sql, actions(&raw.actions)?);
        Some(BlockSource { objects: objects?, functions: functions?, ..block })
    }

    fn ssh_block(self, raw: &RawSsh) -> Option<BlockSource> {
        let commands = self.patterns(raw.commands.as_ref(), COMMANDS, CommandPattern::parse);
        let paths = self.patterns(raw.paths.as_ref(), PATHS, FilePattern::parse);
        let destinations =
            self.patterns(raw.destinations.as_ref(), DESTINATIONS, EndpointPattern::parse);
        let names = self.patterns(raw.names.as_ref(), NAMES, ObjectPattern::parse_name);
        let block = BlockSource::new(Domain::Ssh, actions(&raw.actions)?);
        Some(BlockSource {
            commands: commands?,
            paths: paths?,
            destinations: destinations?,
            objects: names?,
            ..block
        })
    }

    /// Patterns; all or none, because a list with one missing means something else.
    pub(super) fn patterns<T, E: ToString>(
        self,
        at: Option<&At<Vec<At<String>>>>,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let Some(at) = at else { return Some(Vec::new()) };
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(
                at,
                "the list is empty",
                "name something, or leave the key out to mean all",
            );
            return None;
        }
        let mut patterns = Vec::new();
        for one in list {
            match parse(one.get()?) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => self.refuse(one, error.to_string(), example),
            }
        }
        (patterns.len() == list.len()).then_some(patterns)
    }

    fn approvers(self, raw: &RawApprovers) -> Option<ApprovalRequirement> {
        let group = self.free_text(&raw.group).map(Group::new);
        let count = raw.count.as_ref().map_or(Some(1), |at| at.get().copied());
        let within = raw.within.as_ref().map_or(Some(APPROVAL_WITHIN), |at| self.span(at));
        Some(ApprovalRequirement { group: group?, count: count?, within: within? })
    }

    fn classification(self, at: &At<RawClassification>) -> Option<ClassificationSource> {
        let raw = at.get()?;
        let tag = self.name(&raw.tag).map(Tag::new);
        let target = match &raw.target {
            None => Some(None),
            Some(at) => self.free_text(at).map(|name| Some(TargetName::new(name))),
        };
        let columns = self.patterns(raw.columns.as_ref(), SQL_NAMES, PathPattern::parse);
        let paths = self.patterns(raw.paths.as_ref(), PATHS, FilePattern::parse);
        let fields = self.patterns(raw.fields.as_ref(), FIELDS, FieldPattern::parse);
        let routes = self.patterns(raw.routes.as_ref(), ROUTES, RoutePattern::parse);
        let resources = self.patterns(raw.resources.as_ref(), RESOURCES, ResourcePattern::parse);
        let detect = match &raw.detect {
            None => Some(None),
            Some(at) => at.get().copied().map(Some),
        };
        let mask = match &raw.mask {
            Some(at) => at.get().copied(),
            None if raw.columns.is_none() && raw.fields.is_none() && raw.detect.is_none() => {
                Some(Transform::Redact)
            }
            None => {
                let remedy = "add mask: redact, or another way to mask";
                self.refuse(&raw.tag, "the key mask is missing", remedy);
                None
            }
        };
        Some(ClassificationSource {
            tag: tag?,
            origin: origin(at),
            target: target?,
            columns: columns?,
            detect: detect?,
            paths: paths?,
            fields: fields?,
            routes: routes?,
            resources: resources?,
            mask: mask?,
        })
    }
}

/// The actions; all or none.
fn actions<A: Copy + Into<Action>>(at: &At<Vec<At<A>>>) -> Option<Vec<Action>> {
    let listed = at.get()?;
    let actions: Vec<_> = listed.iter().filter_map(At::get).map(|one| (*one).into()).collect();
    Some(actions).filter(|read| read.len() == listed.len())
}

/// What rules need of a target, though something else about it may have been refused.
fn target_facts(at: &At<RawTarget>) -> Option<TargetFacts> {
    let raw = at.get()?;
    let text = |at: &At<Vec<At<String>>>| -> BTreeSet<String> {
        at.get().into_iter().flatten().filter_map(At::get).cloned().collect()
    };
    Some(TargetFacts {
        name: TargetName::from(raw.name.get()?.as_str()),
        origin: origin(at),
        domain: raw.protocol.get()?.domain(),
        environment: raw
            .environment
            .as_ref()
            .and_then(At::get)
            .map(|name| Environment(name.as_str().into())),
        roots: match raw.protocol.get()? {
            // Its rules name databases below the one catalogue that every server has.
            Protocol::Mysql => vec!["def".into()],
            _ => {
                let names = raw.databases.as_ref().map(text).unwrap_or_default();
                names.into_iter().map(Arc::from).collect()
            }
        },
        encoded_slashes: http::keeps_encoded_slashes(raw),
        hosts: if raw.protocol.get()?.is_over_http() { http::hosts(raw) } else { Vec::new() },
    })
}

const fn origin<T>(at: &At<T>) -> Origin {
    Origin(at.spot.0)
}
