//! Keys that only rules for Kubernetes have.
//!
//! Owns their names, kinds and documentation. Must not know what makes a value good (`check`).

use model::{Action, Domain};
use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{Word, Words};
use crate::config::read::At;

/// Verbs of Kubernetes on resources, or on paths that are none. Each list that is given must fit a
/// request. Whatever else is said, `exec`, `attach`, `portforward` and `proxy` are granted by rules
/// only that name them, and `serviceaccounts/token`, `nodes/proxy` and `pods/ephemeralcontainers`
/// by no wildcard.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KubernetesBlock")]
pub(in crate::config) struct RawKubernetes {
    /// The verbs, as the API server has them; `exec`, `attach`, `portforward` and `proxy` are verbs
    /// of their own, whatever the method; `other` is what the API server has no verb for. `"*"` is
    /// every verb: to deny or hold, also those that must be named to be allowed.
    #[schemars(with = "Vec<Word<KubernetesVerb>>")]
    pub(in crate::config) verbs: At<Vec<At<String>>>,
    /// The resources: `pods`, `pods/log`, `deployments.apps`, `deployments/scale.apps`. A name
    /// alone is of the core group; `"*"` is every resource of every group, with its subresources,
    /// `*.apps` every one of a group.
    pub(in crate::config) resources: Option<At<Vec<At<String>>>>,
    /// The namespaces: `shop`, `team-*`. To allow, a request must name one of them, which one for
    /// all namespaces does not.
    pub(in crate::config) namespaces: Option<At<Vec<At<String>>>>,
    /// The names of the objects: `web-*`. To allow, a request must name one of them, which
    /// `create` does not, and `list` by `metadata.name` only.
    pub(in crate::config) names: Option<At<Vec<At<String>>>>,
    /// For `exec`: commands, as under `ssh`: `ls **`, `tail -n * /var/log/app/*.log`. Default:
    /// every command but interpreters (`sh`, `env`, `python`, ..).
    pub(in crate::config) commands: Option<At<Vec<At<String>>>>,
    /// Paths that are no resource, decoded: `/version`, `/healthz`, `/apis/**`. Where there are
    /// paths and nothing of resources, the rule is about paths only, and the other way round.
    pub(in crate::config) paths: Option<At<Vec<At<String>>>>,
}

/// The words of `verbs`.
pub(in crate::config) struct KubernetesVerb;

/// Stands for every verb.
pub(in crate::config) const EVERY_VERB: &str = "*";

/// The words for verbs.
pub(in crate::config) fn verb_words() -> Vec<&'static str> {
    let own = |action: &&Action| action.domain() == Domain::Kubernetes;
    let words = Action::ALL.iter().filter(own).map(|action| action.as_str());
    words.chain([EVERY_VERB]).collect()
}

impl Words for KubernetesVerb {
    fn words() -> Vec<String> {
        verb_words().into_iter().map(str::to_owned).collect()
    }
}
