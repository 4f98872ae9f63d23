//! What only targets of HTTP and rules for them have.
//!
//! Owns hosts and the forms of a rule's lists. Must not resolve a name.

use model::{
    Action, Domain, HostPattern, Protocol, QueryPattern, RequestPattern, RoutePattern,
    StatusPattern,
};
use policy::BlockSource;

use super::Checker;
use super::target::parse_address;
use crate::config::raw::http::{
    EVERY_METHOD, RawEncodedSlashes, RawHttp, RawUntrusting, method_words,
};
use crate::config::raw::target::{RawClientTls, RawTarget};
use crate::config::read::At;
use crate::config::report::suggestion;
use crate::config::settings::{HttpSettings, TargetAddress, UntrustingClients};

// What patterns look like, for whoever wrote one that cannot be read.
const HOSTS: &str =
    "write it like api.example, *.api.example, 10.0.0.5 or [fd00::5], without a port";
pub(super) const ROUTES: &str = "write it like /v1/users, /v1/users/* or /v1/**";
const STATUSES: &str = "write it like 404 or 5xx";

impl Checker<'_> {
    /// What HTTP has more: nothing for other protocols. `None` where anything was refused.
    pub(super) fn http(
        self,
        raw: &RawTarget,
        protocol: Option<Protocol>,
        addresses: &[TargetAddress],
    ) -> Option<Option<HttpSettings>> {
        // Each is read also for other protocols, so that all that is wrong is said at once.
        let hosts = match &raw.hosts {
            None => Some(addresses.iter().filter_map(host_of).collect()),
            Some(at) => self.patterns(Some(at), HOSTS, HostPattern::parse),
        };
        let untrusting =
            raw.untrusting_clients.as_ref().map_or(Some(&RawUntrusting::Deny), At::get);
        let authority = match &raw.client_authority {
            None => Some(None),
            Some(at) => at.get().and_then(|raw| self.client_certificate(raw)).map(Some),
        };
        let slashes =
            raw.encoded_slashes.as_ref().map_or(Some(&RawEncodedSlashes::Refuse), At::get);
        if !protocol?.is_over_http() {
            return Some(None);
        }
        if let (Some(at), Some(hosts)) = (&raw.hosts, &hosts) {
            self.warn_of_certificates(raw, at, hosts);
        }
        let untrusting_clients = match untrusting? {
            RawUntrusting::Deny => UntrustingClients::Deny,
            RawUntrusting::Passthrough => UntrustingClients::Passthrough,
        };
        if let (Some(at), UntrustingClients::Passthrough) =
            (&raw.untrusting_clients, untrusting_clients)
        {
            let reason = "a client that does not trust the gateway reaches the target with its own \
                          credentials, and nothing of what it does is judged, masked or recorded";
            self.warn(at, reason, "have clients trust the gateway: portcullis trust plan");
        }
        Some(Some(HttpSettings {
            hosts: hosts?,
            untrusting_clients,
            client_authority: authority?,
            encoded_slashes: matches!(slashes?, RawEncodedSlashes::Allow),
        }))
    }

    /// Clients get certificates by the gateway's own authority, which is limited to names.
    fn warn_of_certificates(
        self,
        raw: &RawTarget,
        at: &At<Vec<At<String>>>,
        hosts: &[HostPattern],
    ) {
        let client_tls = raw.client_tls.as_ref().and_then(At::get);
        if matches!(client_tls, Some(RawClientTls::Refuse)) || raw.client_authority.is_some() {
            return;
        }
        for (one, host) in at.get().into_iter().flatten().zip(hosts) {
            if host.name().is_some() || host.address().is_some() {
                continue;
            }
            let (reason, remedy) = match host.parent() {
                None => (
                    "the gateway's authority cannot be limited to such hosts, so their clients get \
                     no certificate that they could trust"
                        .to_owned(),
                    "write the names, or *. and a name; client_tls: refuse where there is no TLS",
                ),
                Some(parent) if !parent.contains('.') => (
                    format!("the gateway's authority is trusted for every name below {parent}"),
                    "write a longer name after the *",
                ),
                Some(_) => continue,
            };
            self.warn(one, reason, remedy);
        }
    }

    pub(super) fn http_block(self, at: &At<RawHttp>) -> Option<BlockSource> {
        let raw = at.get()?;
        let methods = raw.methods.as_ref().map(|at| self.methods(at));
        let hosts = self.patterns(raw.hosts.as_ref(), HOSTS, HostPattern::parse);
        let paths = self.patterns(raw.paths.as_ref(), ROUTES, RoutePattern::parse);
        let query = self.query(raw);
        let statuses = self.statuses(raw);
        let about = self.about(at, raw, methods)?;
        let requests = RequestPattern {
            methods: about.methods,
            hosts: hosts?,
            paths: paths?,
            query: query?,
            statuses: statuses?,
        };
        Some(BlockSource { requests, ..BlockSource::new(Domain::Http, about.actions) })
    }

    /// What is spoken of: requests of some methods, their upgrades, or answers.
    fn about(
        self,
        at: &At<RawHttp>,
        raw: &RawHttp,
        methods: Option<Option<Methods>>,
    ) -> Option<About> {
        if raw.statuses.is_some() {
            let methods = methods.map_or(Some(Methods::default()), |read| read)?;
            let upgrade = raw.upgrade.as_ref().map(|at| at.spot);
            let named = raw.methods.as_ref().filter(|_| methods.names_upgrade).map(|at| at.spot);
            if let Some(spot) = upgrade.or(named) {
                let remedy = "remove it, or write a rule of its own without statuses";
                let reason = "with statuses the rule is about answers, and none is an upgrade";
                self.report.refuse(spot, reason, Some(remedy.to_owned()));
                return None;
            }
            return Some(About { actions: vec![Action::Answer], methods: methods.named });
        }
        let Some(methods) = methods else {
            let remedy = "add methods: [GET, HEAD], or [\"*\"] for every method";
            self.refuse(at, "the key methods is missing", remedy);
            return None;
        };
        let Methods { named, every, names_upgrade } = methods?;
        let upgrade = match &raw.upgrade {
            None => every || names_upgrade,
            Some(at) => {
                let wanted = *at.get()?;
                if names_upgrade && !wanted {
                    let reason = "methods names UPGRADE, and this takes it away";
                    self.refuse(at, reason, "remove one of the two");
                    return None;
                }
                wanted
            }
        };
        let mut actions = if every { all_methods() } else { named.clone() };
        actions.extend(upgrade.then_some(Action::Upgrade));
        Some(About { actions, methods: if upgrade { named } else { Vec::new() } })
    }

    fn methods(self, at: &At<Vec<At<String>>>) -> Option<Methods> {
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(at, "the list is empty", "name a method, such as GET");
            return None;
        }
        let mut methods = Methods::default();
        let mut read = 0;
        for one in list {
            let word = one.get()?.as_str();
            match Action::from_word(word).filter(|_| method_words().contains(&word)) {
                Some(Action::Upgrade) => methods.names_upgrade = true,
                Some(action) => methods.named.push(action),
                None if word == EVERY_METHOD => methods.every = true,
                None => {
                    self.refuse(one, "this is not a method that rules name", method_hint(word));
                    continue;
                }
            }
            read += 1;
        }
        if methods.every {
            methods.named.clear();
        }
        (read == list.len()).then_some(methods)
    }

    fn query(self, raw: &RawHttp) -> Option<Vec<QueryPattern>> {
        let Some(at) = &raw.query else { return Some(Vec::new()) };
        let map = at.get()?;
        if map.is_empty() {
            self.refuse(at, "it is empty", "name something, or leave the key out to mean all");
            return None;
        }
        let mut patterns = Vec::new();
        for (name, value) in map {
            match QueryPattern::parse(name, value.get()?) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    self.refuse(value, error.to_string(), "write it like dry_run: \"true\"");
                }
            }
        }
        (patterns.len() == map.len()).then_some(patterns)
    }

    fn statuses(self, raw: &RawHttp) -> Option<Vec<StatusPattern>> {
        let Some(at) = &raw.statuses else { return Some(Vec::new()) };
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(at, "the list is empty", STATUSES);
            return None;
        }
        let mut statuses = Vec::new();
        for one in list {
            match StatusPattern::parse(&one.get()?.0) {
                Ok(status) => statuses.push(status),
                Err(error) => self.refuse(one, error.to_string(), STATUSES),
            }
        }
        (statuses.len() == list.len()).then_some(statuses)
    }
}

/// What `methods` says.
#[derive(Default)]
struct Methods {
    /// The methods, without upgrades; none where every one is meant.
    named: Vec<Action>,
    every: bool,
    names_upgrade: bool,
}

/// What a block is about.
struct About {
    actions: Vec<Action>,
    /// The methods of the requests that upgrades and answers are of; empty for all.
    methods: Vec<Action>,
}

/// Every action that a request of some method needs.
fn all_methods() -> Vec<Action> {
    let beside = [Action::Upgrade, Action::Answer];
    let own = |action: &Action| action.domain() == Domain::Http && !beside.contains(action);
    Action::ALL.iter().copied().filter(own).collect()
}

/// What to write instead of a word that is no method here.
fn method_hint(word: &str) -> String {
    let upper = word.to_ascii_uppercase();
    if upper != word && method_words().contains(&upper.as_str()) {
        return format!("write it in upper case: {upper}");
    }
    suggestion(word, &method_words())
}

/// The host that requests to an address are for, where nothing else is said.
fn host_of(address: &TargetAddress) -> Option<HostPattern> {
    match address {
        TargetAddress::Ip(address) => Some(HostPattern::of_address(address.ip())),
        TargetAddress::Name { host, .. } => HostPattern::parse(host).ok(),
    }
}

/// Whether requests with a `%2F` in their path can reach the target.
pub(super) fn keeps_encoded_slashes(raw: &RawTarget) -> bool {
    matches!(raw.encoded_slashes.as_ref().and_then(At::get), Some(RawEncodedSlashes::Allow))
}

/// The hosts of a target, for the policy, though something else about it may have been refused:
/// none where they cannot be told.
pub(super) fn hosts(raw: &RawTarget) -> Vec<HostPattern> {
    let read = match &raw.hosts {
        Some(at) => {
            let texts = at.get().into_iter().flatten().map(At::get);
            texts.map(|text| HostPattern::parse(text?).ok()).collect()
        }
        None => {
            let texts = raw.addresses.get().into_iter().flatten().map(At::get);
            texts.map(|text| host_of(&parse_address(text?.trim()).ok()?)).collect()
        }
    };
    let hosts: Option<Vec<HostPattern>> = read;
    hosts.unwrap_or_default()
}
