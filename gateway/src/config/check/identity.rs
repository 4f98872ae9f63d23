//! What is captured, workloads and identity providers.
//!
//! Owns what a unit, a cgroup, a user, a container and a provider can be. Must not know how a
//! process is attested nor how a token is verified (`identity`).

use std::collections::BTreeSet;
use std::time::Duration;

use model::{Group, WorkloadName};

use super::Checker;
use crate::config::raw::RawConfig;
use crate::config::raw::identity::{
    HOST, RawAlgorithm, RawGoverned, RawJwks, RawMatch, RawProvider, RawToken, RawWorkload,
};
use crate::config::raw::scalar::{OneOrMany, WordOr};
use crate::config::read::At;
use crate::config::report::nearest;
use crate::config::settings::{
    Govern, Governed, IdentityProviderSettings, JwksSource, SignatureAlgorithm, UserMatch,
    WorkloadIdentity, WorkloadMatch, WorkloadSettings,
};
use crate::config::tree::Spot;

/// Endings of names of units that processes live in.
const UNIT_ENDINGS: &[&str] = &[".service", ".scope", ".slice"];
/// Digits of a container's id that tell it from others.
const CONTAINER_DIGITS: std::ops::RangeInclusive<usize> = 12..=64;
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(60);

impl Checker<'_> {
    pub(super) fn govern(self, raw: &RawConfig, root: Spot) -> Option<Govern> {
        let Some(at) = &raw.govern else {
            if !raw.targets.is_empty() {
                self.report.refuse(
                    root,
                    "there are targets, and govern does not say whose connections are captured",
                    Some("add govern: [{ systemd_unit: .. }], or govern: host".to_owned()),
                );
            }
            return None;
        };
        match at.get()? {
            WordOr::Word(word, _) if word == HOST => Some(Govern::Host),
            WordOr::Word(..) => {
                self.refuse(at, "this is not known here", "write host, or a list");
                None
            }
            WordOr::More(parts) => {
                let parts = parts.iter().filter_map(At::get);
                Some(Govern::Parts(parts.filter_map(|part| self.governed(part)).collect()))
            }
        }
    }

    fn governed(self, part: &RawGoverned) -> Option<Governed> {
        match part {
            RawGoverned::SystemdUnit(unit) => self.unit(unit).map(Governed::SystemdUnit),
            RawGoverned::Cgroup(path) => self.cgroup(path).map(Governed::Cgroup),
        }
    }

    fn unit(self, at: &At<String>) -> Option<String> {
        let unit = self.free_text(at)?;
        if unit.contains(['/', '*', ' ']) || !UNIT_ENDINGS.iter().any(|end| unit.ends_with(end)) {
            let remedy =
                format!("write its full name, which ends in {}", UNIT_ENDINGS.join(" or "));
            self.refuse(at, "this is not the name of a systemd unit with processes", remedy);
            return None;
        }
        Some(unit.to_owned())
    }

    fn cgroup(self, at: &At<String>) -> Option<String> {
        let path = self.path(at)?;
        let path = path.to_str()?.trim_end_matches('/');
        if path.is_empty() {
            self.refuse(at, "this is the root of all cgroups", "write govern: host for everybody");
            return None;
        }
        if path.starts_with("/sys/fs/cgroup") {
            self.refuse(at, "this begins with the mount point", "leave out /sys/fs/cgroup");
            return None;
        }
        Some(path.to_owned())
    }

    pub(super) fn workloads(
        self,
        raw: &[At<RawWorkload>],
        providers: &[At<RawProvider>],
    ) -> Vec<WorkloadSettings> {
        self.refuse_repeated("workload", raw.iter().filter_map(At::get).map(|one| &one.name));
        let mut workloads: Vec<WorkloadSettings> = Vec::new();
        for one in raw.iter().filter_map(At::get) {
            let Some(workload) = self.workload(one, providers) else { continue };
            let twin = workloads.iter().find(|other| other.matching == workload.matching);
            if let Some(twin) = twin {
                let reason = format!("the same processes are those of workload {}", twin.name);
                self.refuse(&one.matching, reason, "tell the two apart, or merge them");
            }
            workloads.push(workload);
        }
        workloads
    }

    fn workload(
        self,
        raw: &RawWorkload,
        providers: &[At<RawProvider>],
    ) -> Option<WorkloadSettings> {
        let name = self.name(&raw.name).map(WorkloadName::new);
        let matching = self.matching(&raw.matching);
        let groups: BTreeSet<Group> =
            raw.groups.iter().filter_map(|at| self.free_text(at)).map(Group::new).collect();
        let identity = match &raw.token {
            None => Some(WorkloadIdentity::Groups(groups)),
            Some(token) => token.get().and_then(|token| self.token(token, providers)),
        };
        Some(WorkloadSettings { name: name?, matching: matching?, identity: identity? })
    }

    fn token(self, raw: &RawToken, providers: &[At<RawProvider>]) -> Option<WorkloadIdentity> {
        let names = || providers.iter().filter_map(At::get).filter_map(|one| one.name.get());
        let file = self.path(&raw.file);
        let provider = raw.provider.get()?;
        if !names().any(|name| name == provider) {
            let remedy = nearest(provider, names().map(String::as_str)).map_or_else(
                || "define it under identity_providers".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            self.refuse(&raw.provider, format!("there is no identity provider {provider}"), remedy);
            return None;
        }
        Some(WorkloadIdentity::Token { provider: provider.clone(), file: file? })
    }

    fn matching(self, at: &At<RawMatch>) -> Option<WorkloadMatch> {
        let raw = at.get()?;
        let fields = [&raw.systemd_unit, &raw.cgroup, &raw.user, &raw.executable, &raw.container];
        if fields.iter().all(|field| field.is_none()) {
            let remedy = "say one of systemd_unit, cgroup, user, executable, container";
            self.refuse(at, "this matches every process", remedy);
            return None;
        }
        Some(WorkloadMatch {
            systemd_unit: self.part(raw.systemd_unit.as_ref(), Self::unit)?,
            cgroup: self.part(raw.cgroup.as_ref(), Self::cgroup)?,
            user: self.part(raw.user.as_ref(), Self::user)?,
            executable: self.part(raw.executable.as_ref(), Self::path)?,
            container: self.part(raw.container.as_ref(), Self::container)?,
        })
    }

    /// One condition of a match. One that was refused must not become one that is not there.
    fn part<T>(
        self,
        at: Option<&At<String>>,
        check: impl Fn(Self, &At<String>) -> Option<T>,
    ) -> Option<Option<T>> {
        at.map(|at| check(self, at)).map_or(Some(None), |checked| checked.map(Some))
    }

    fn user(self, at: &At<String>) -> Option<UserMatch> {
        let text = self.free_text(at)?;
        let Some(number) = text.strip_prefix("uid:") else {
            return Some(UserMatch::Name(text.to_owned()));
        };
        let id = number.parse().ok();
        if id.is_none() {
            self.refuse(at, "this is not a user id", "write it like uid:1000");
        }
        id.map(UserMatch::Id)
    }

    fn container(self, at: &At<String>) -> Option<String> {
        let id = self.free_text(at)?.to_ascii_lowercase();
        if !CONTAINER_DIGITS.contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            let remedy = "write the first 12 or more hexadecimal digits of its id";
            self.refuse(at, "this is not the id of a container", remedy);
            return None;
        }
        Some(id)
    }

    pub(super) fn providers(self, raw: &[At<RawProvider>]) -> Vec<IdentityProviderSettings> {
        self.refuse_repeated(
            "identity provider",
            raw.iter().filter_map(At::get).map(|one| &one.name),
        );
        raw.iter().filter_map(At::get).filter_map(|one| self.provider(one)).collect()
    }

    fn provider(self, raw: &RawProvider) -> Option<IdentityProviderSettings> {
        let name = self.name(&raw.name);
        let issuer = self.free_text(&raw.issuer);
        let audiences = self.audiences(&raw.audience);
        let claim = raw.groups_claim.as_ref();
        let groups_claim = claim.map_or(Some("groups"), |at| self.free_text(at));
        let jwks = raw.jwks.get().and_then(|jwks| self.jwks(&raw.jwks, jwks));
        let clock_skew = self.clock_skew(raw);
        let kept = raw.keys_kept_for.as_ref();
        let keys_kept_for = kept.map_or(Some(Duration::from_secs(86_400)), |at| self.span(at));
        Some(IdentityProviderSettings {
            name: name?.to_owned(),
            issuer: issuer?.to_owned(),
            audiences: audiences?,
            groups_claim: groups_claim?.to_owned(),
            jwks: jwks?,
            algorithms: self.algorithms(raw)?,
            clock_skew: clock_skew?,
            keys_kept_for: keys_kept_for?,
        })
    }

    fn audiences(self, at: &At<OneOrMany<At<String>>>) -> Option<Vec<String>> {
        let audiences: Vec<String> = match at.get()? {
            WordOr::Word(one, _) => vec![one.clone()],
            WordOr::More(many) => {
                many.iter().filter_map(|one| self.free_text(one)).map(str::to_owned).collect()
            }
        };
        if audiences.iter().all(|one| one.trim().is_empty()) {
            self.refuse(at, "no audience is named, so any token would do", "write the audience");
            return None;
        }
        Some(audiences)
    }

    fn clock_skew(self, raw: &RawProvider) -> Option<Duration> {
        let Some(at) = &raw.clock_skew else { return Some(Duration::from_secs(30)) };
        let skew = self.span(at)?;
        if skew > CLOCK_SKEW_MAX {
            self.refuse(at, "expired tokens would be good for too long", "write at most 60s");
            return None;
        }
        Some(skew)
    }

    fn jwks(self, at: &At<RawJwks>, raw: &RawJwks) -> Option<JwksSource> {
        match (&raw.file, &raw.url) {
            (Some(file), None) => {
                if let Some(ca) = &raw.ca {
                    self.refuse(ca, "nobody is asked for keys in a file", "remove the key");
                }
                self.path(file).map(JwksSource::File)
            }
            (None, Some(url)) => {
                let authorities = match &raw.ca {
                    None => Some(None),
                    Some(ca) => self.path(ca).map(Some),
                };
                let url = self.https_url(url, "https://idp.example/keys")?;
                Some(JwksSource::Url { url, authorities: authorities? })
            }
            (None, None) => {
                self.refuse(at, "the keys are nowhere", "write file: or url:");
                None
            }
            (Some(_), Some(url)) => {
                self.refuse(url, "the keys are in a file already", "remove one of file and url");
                None
            }
        }
    }

    fn algorithms(self, raw: &RawProvider) -> Option<Vec<SignatureAlgorithm>> {
        use SignatureAlgorithm as S;
        let Some(at) = &raw.algorithms else { return Some(vec![S::Rs256, S::Es256, S::EdDsa]) };
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(at, "no algorithm is accepted, so no token is", "name one, such as RS256");
            return None;
        }
        let known = |raw: &RawAlgorithm| match raw {
            RawAlgorithm::RS256 => S::Rs256,
            RawAlgorithm::RS384 => S::Rs384,
            RawAlgorithm::RS512 => S::Rs512,
            RawAlgorithm::PS256 => S::Ps256,
            RawAlgorithm::PS384 => S::Ps384,
            RawAlgorithm::PS512 => S::Ps512,
            RawAlgorithm::ES256 => S::Es256,
            RawAlgorithm::ES384 => S::Es384,
            RawAlgorithm::EdDSA => S::EdDsa,
        };
        Some(list.iter().filter_map(At::get).map(known).collect())
    }
}

pub(super) fn referenced<'a>(
    providers: &'a [At<RawProvider>],
    files: &mut Vec<(&'static str, &'a At<String>)>,
) {
    for provider in providers.iter().filter_map(At::get) {
        let Some(jwks) = provider.jwks.get() else { continue };
        files.extend(jwks.file.as_ref().map(|at| ("the file of keys", at)));
        files.extend(jwks.ca.as_ref().map(|at| ("the file of authorities", at)));
    }
}
