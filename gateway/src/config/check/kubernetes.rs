//! What only rules for Kubernetes have.
//!
//! Owns the forms of a rule's lists, and what every verb is. Must not know how a pattern matches.

use model::{
    Action, ApiPattern, CommandPattern, Domain, Effect, PathPattern, ResourcePattern, RoutePattern,
};
use policy::BlockSource;

use super::Checker;
use super::http::ROUTES;
use super::roles::COMMANDS;
use crate::config::raw::kubernetes::{EVERY_VERB, RawKubernetes, verb_words};
use crate::config::read::At;
use crate::config::report::suggestion;

// What patterns look like, for whoever wrote one that cannot be read.
pub(super) const RESOURCES: &str =
    "write it like pods, pods/log, deployments.apps, deployments/scale.apps or \"*\"";
const NAMES: &str = "write it like shop or team-*";

impl Checker<'_> {
    pub(super) fn kubernetes_block(
        self,
        raw: &RawKubernetes,
        effect: Effect,
    ) -> Option<BlockSource> {
        let verbs = self.verbs(&raw.verbs, effect);
        let resources = self.patterns(raw.resources.as_ref(), RESOURCES, ResourcePattern::parse);
        let namespaces = self.patterns(raw.namespaces.as_ref(), NAMES, PathPattern::parse_name);
        let names = self.patterns(raw.names.as_ref(), NAMES, PathPattern::parse_name);
        let commands = self.patterns(raw.commands.as_ref(), COMMANDS, CommandPattern::parse);
        let paths = self.patterns(raw.paths.as_ref(), ROUTES, RoutePattern::parse);
        let Verbs { actions, named } = verbs?;
        let api = ApiPattern {
            verbs: named,
            resources: resources?,
            namespaces: namespaces?,
            names: names?,
            commands: commands?,
            paths: paths?,
        };
        Some(BlockSource { api, ..BlockSource::new(Domain::Kubernetes, actions) })
    }

    fn verbs(self, at: &At<Vec<At<String>>>, effect: Effect) -> Option<Verbs> {
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(at, "the list is empty", "name a verb, such as get");
            return None;
        }
        let mut verbs = Verbs::default();
        let mut read = 0;
        for one in list {
            let word = one.get()?.as_str();
            let action = Action::in_domain(Domain::Kubernetes, word);
            match action.filter(|action| action.domain() == Domain::Kubernetes) {
                Some(action) => verbs.add(action, true),
                None if word == EVERY_VERB => verbs.add_all(effect),
                None => {
                    let lower = word.to_ascii_lowercase();
                    let hint = if verb_words().contains(&lower.as_str()) {
                        format!("write it in lower case: {lower}")
                    } else {
                        suggestion(word, &verb_words())
                    };
                    self.refuse(one, "this is not a verb that rules name", hint);
                    continue;
                }
            }
            read += 1;
        }
        (read == list.len()).then_some(verbs)
    }
}

/// What `verbs` says.
#[derive(Default)]
struct Verbs {
    /// All that are spoken of.
    actions: Vec<Action>,
    /// Those that are named, or need not be.
    named: Vec<Action>,
}

impl Verbs {
    fn add(&mut self, action: Action, is_named: bool) {
        if !self.actions.contains(&action) {
            self.actions.push(action);
        }
        if is_named && !self.named.contains(&action) {
            self.named.push(action);
        }
    }

    /// Every verb. What must be named to be granted is spoken of only where that restricts it.
    fn add_all(&mut self, effect: Effect) {
        let own = |action: &&Action| action.domain() == Domain::Kubernetes;
        for action in Action::ALL.iter().filter(own) {
            match (action.must_be_named(), effect) {
                (false, _) => self.add(*action, true),
                (true, Effect::Allow) => {}
                (true, Effect::Hold | Effect::Deny) => self.add(*action, false),
            }
        }
    }
}
