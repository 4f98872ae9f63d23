//! Keys about roles, rules and classification.
//!
//! Owns their names, kinds and documentation. Must not know what makes a rule good (`policy`).

use model::{Detector, Effect, Transform};
use schemars::JsonSchema;
use serde::Deserialize;

use super::http::RawHttp;
use super::kubernetes::RawKubernetes;
use super::scalar::{OneOrMany, Span, SqlAction, SshAction, Word};
use crate::config::read::At;

/// A role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Role")]
pub(in crate::config) struct RawRole {
    /// Its name.
    pub(in crate::config) name: At<String>,
    /// Whoever has one of these groups has the role.
    pub(in crate::config) groups: At<Vec<At<String>>>,
    /// Tags that are seen raw: where the role's rules let in, or everywhere if it has none.
    #[serde(default)]
    pub(in crate::config) unmask: Vec<At<String>>,
    /// Its rules. `deny` beats `hold` beats `allow`, whatever the order.
    #[serde(default)]
    pub(in crate::config) rules: Vec<At<RawRule>>,
}

/// A rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
pub(in crate::config) struct RawRule {
    /// Its id, unique among all rules.
    pub(in crate::config) id: At<String>,
    /// What it does.
    #[schemars(with = "Word<Effect>")]
    pub(in crate::config) effect: At<Effect>,
    /// The target, or a list of them, or `"*"` for all.
    pub(in crate::config) target: At<OneOrMany<At<String>>>,
    /// Only targets of this environment, or of one of these.
    pub(in crate::config) environment: Option<At<OneOrMany<At<String>>>>,
    /// SQL actions on objects. A rule without any block of actions is about connecting.
    pub(in crate::config) sql: Option<At<RawSql>>,
    /// SSH actions on commands, files, end points and names.
    pub(in crate::config) ssh: Option<At<RawSsh>>,
    /// Requests over HTTP, or the answers to them.
    pub(in crate::config) http: Option<At<RawHttp>>,
    /// Verbs of Kubernetes on resources, or on paths that are none.
    pub(in crate::config) kubernetes: Option<At<RawKubernetes>>,
    /// A CEL expression that must be true for the rule to apply, over `operation.kind`,
    /// `operation.text`, `operation.accesses`, `principal.workload`, `principal.subject`,
    /// `principal.issuer`, `principal.groups`, `target`, `environment` and `time`. An operation
    /// for which it cannot be evaluated is denied. An access of a request has `method`, `host`,
    /// `path`, `status` and, as maps of names to lists of values, `query` and `headers`; headers
    /// are asked for by name: `a.headers["x-team"]`. One to the API of a cluster has `group`,
    /// `version`, `resource`, `subresource` and `namespace` too.
    pub(in crate::config) when: Option<At<String>>,
    /// Who must approve; for `hold` rules.
    pub(in crate::config) approvers: Option<At<RawApprovers>>,
}

/// SQL actions on objects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SqlBlock")]
pub(in crate::config) struct RawSql {
    /// The actions.
    #[schemars(with = "Vec<Word<SqlAction>>")]
    pub(in crate::config) actions: At<Vec<At<SqlAction>>>,
    /// The objects, by name: `shop.public.users`, `shop.public.*`, or with columns
    /// `shop.public.users(id, name)`. A part that is `*` alone stands for one or more parts.
    /// Default: every object.
    pub(in crate::config) objects: Option<At<Vec<At<String>>>>,
    /// Functions, by name: `shop.public.area`. Where given, functions are matched by these and
    /// not by `objects`.
    pub(in crate::config) functions: Option<At<Vec<At<String>>>>,
}

/// SSH actions on commands, files, end points and names. An object is matched by the list of its
/// kind; without any list the block is about everything but interpreters (`sh`, `sudo`, `python`,
/// ..), which only a command pattern grants that spells the program out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SshBlock")]
pub(in crate::config) struct RawSsh {
    /// The actions.
    #[schemars(with = "Vec<Word<SshAction>>")]
    pub(in crate::config) actions: At<Vec<At<SshAction>>>,
    /// For `exec`: commands as words in the quoting of a shell. `*` stands for characters of a word
    /// without a slash, `?` for one, `**` as the last word for any further words:
    /// `systemctl restart app`, `tail -n * /var/log/app/*.log`, `ls **`.
    pub(in crate::config) commands: Option<At<Vec<At<String>>>>,
    /// For `read`, `write`, `list`, `remove`, `rename`, `mkdir`, `attributes`, `link`, `fetch`,
    /// `push` and for sockets that are forwarded: absolute paths. `*` stands for characters of a
    /// component, `?` for one, `**` for any number of components: `/srv/app/**` is the directory
    /// and all below it.
    pub(in crate::config) paths: Option<At<Vec<At<String>>>>,
    /// For `forward` and `listen`: host and port, `*` for any: `10.0.0.5:5432`, `*.internal:443`,
    /// `localhost:*`.
    pub(in crate::config) destinations: Option<At<Vec<At<String>>>>,
    /// For `shell`, `pty`, `opaque`, `agent` and `x11` the login, for `env` the variable, for
    /// `subsystem` its name. `*` stands for any characters: `LC_*`.
    pub(in crate::config) names: Option<At<Vec<At<String>>>>,
}

/// Who must approve what is held.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approvers")]
pub(in crate::config) struct RawApprovers {
    /// The group that approvers belong to, as under `control.approver_groups`.
    pub(in crate::config) group: At<String>,
    /// How many must approve. Default: 1.
    pub(in crate::config) count: Option<At<u32>>,
    /// How long the operation waits. Default: `10m`.
    pub(in crate::config) within: Option<At<Span>>,
}

/// Something sensitive.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Classification")]
pub(in crate::config) struct RawClassification {
    /// What it is called, such as `pii.email`.
    pub(in crate::config) tag: At<String>,
    /// The target it is about. Default: all.
    pub(in crate::config) target: Option<At<String>>,
    /// Columns, by name: `*.users.email` stands for `database.schema.users.email`.
    pub(in crate::config) columns: Option<At<Vec<At<String>>>>,
    /// Files, by absolute path: `/srv/exports/**`. What would show their content is refused.
    pub(in crate::config) paths: Option<At<Vec<At<String>>>>,
    /// Fields of JSON, forms and events in the bodies of requests and answers, by their names from
    /// the root down: `users.*.email`, `**.email`. `*` stands for any one name or index, `**` for
    /// any number of them, `"a.b"` for a name as it is.
    pub(in crate::config) fields: Option<At<Vec<At<String>>>>,
    /// The paths of the requests whose fields are meant: `/v1/users/**`. Default: all.
    pub(in crate::config) routes: Option<At<Vec<At<String>>>>,
    /// The resources of a cluster whose objects' fields are meant: `secrets`, `widgets.example.com`.
    /// The names of fields then begin at the object, wherever it stands: `data.*`. Default: all.
    pub(in crate::config) resources: Option<At<Vec<At<String>>>>,
    /// What to look for in values whose column says nothing.
    #[schemars(with = "Option<Word<Detector>>")]
    pub(in crate::config) detect: Option<At<Detector>>,
    /// How it is masked. Needed for columns, fields and detectors; files are never masked.
    #[schemars(with = "Option<Word<Transform>>")]
    pub(in crate::config) mask: Option<At<Transform>>,
}
