//! Identity providers: checked settings, their rules and their keys.
//!
//! Owns the providers of one configuration. Must not know workloads. Keys are handed on to the
//! next configuration where a provider's source stays the same, so that a reload while the source
//! is down loses nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use model::Clock;

use super::claims::GroupsClaim;
use super::jwks::{HttpsKeys, Keys, Origin};
use super::verify::{Rules, Unverified, VerifiedToken};
use super::{JwksSource, LEEWAY_MAX, ProviderError, ProviderSettings, TokenRefusal};
use crate::tls::DialHost;

/// Every asymmetric algorithm that is verified here.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// The providers of a configuration, by name.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    providers: HashMap<String, Arc<Provider>>,
}

/// One provider.
#[derive(Debug)]
pub struct Provider {
    rules: Rules,
    source: JwksSource,
    keys_believed: Duration,
    keys: Arc<Keys>,
}

impl Providers {
    /// Checks settings. Keys of `earlier` providers with the same name and source are kept.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    pub fn new(
        settings: impl IntoIterator<Item = ProviderSettings>,
        clock: &Arc<dyn Clock>,
        dialer: &Arc<dyn DialHost>,
        earlier: Option<&Self>,
    ) -> Result<Self, Vec<ProviderError>> {
        let mut providers = HashMap::new();
        let mut errors = Vec::new();
        for setting in settings {
            let before = earlier
                .and_then(|earlier| earlier.providers.get(&setting.name))
                .filter(|before| before.source == setting.jwks)
                .filter(|before| before.keys_believed == setting.keys_believed);
            let name = setting.name.clone();
            match Provider::new(setting, clock, dialer, before) {
                Ok(provider) => {
                    if providers.insert(name.clone(), Arc::new(provider)).is_some() {
                        let reason = String::from("another provider has this name");
                        let remedy = "names are unique: rename one";
                        errors.push(ProviderError { provider: name, key: "name", reason, remedy });
                    }
                }
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(Self { providers }) } else { Err(errors) }
    }

    /// The provider with a name.
    pub fn get(&self, name: &str) -> Result<&Arc<Provider>, TokenRefusal> {
        self.providers.get(name).ok_or_else(|| TokenRefusal::NoProvider(name.to_owned()))
    }

    /// Whether there is one with this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.providers.contains_key(name)
    }
}

impl Provider {
    fn new(
        settings: ProviderSettings,
        clock: &Arc<dyn Clock>,
        dialer: &Arc<dyn DialHost>,
        before: Option<&Arc<Self>>,
    ) -> Result<Self, Vec<ProviderError>> {
        let mut errors = Vec::new();
        let mut wrong = |key, reason: String, remedy| {
            let provider = settings.name.clone();
            errors.push(ProviderError { provider, key, reason, remedy });
        };
        if settings.issuer.is_empty() {
            wrong("issuer", String::from("it is empty"), "give the `iss` of its tokens");
        }
        if settings.audiences.is_empty() || settings.audiences.iter().any(String::is_empty) {
            let reason = String::from("there is none, or an empty one");
            wrong("audience", reason, "give the `aud` that tokens for this gateway have");
        }
        if settings.groups_claim.split('.').any(str::is_empty) {
            let reason = format!("`{}` names no claim", settings.groups_claim);
            wrong("groups_claim", reason, "give a claim (groups) or a path (realm_access.roles)");
        }
        if settings.leeway > LEEWAY_MAX {
            let reason = format!("{} seconds are too many", settings.leeway.as_secs());
            wrong("leeway", reason, "at most 60 seconds are forgiven");
        }
        let (algorithms, unknown) = algorithms_of(&settings.algorithms);
        for name in unknown {
            let reason = format!("`{name}` is not accepted");
            let remedy = "choose among RS*, PS*, ES256, ES384 and EdDSA; secrets shared with a \
                          provider (HS*) prove nothing";
            wrong("algorithms", reason, remedy);
        }
        let keys = match (before, origin_of(&settings.jwks, dialer)) {
            (Some(before), _) => Some(Arc::clone(&before.keys)),
            (None, Ok(origin)) => {
                let (name, believed) = (settings.name.clone(), settings.keys_believed);
                Some(Arc::new(Keys::new(name, origin, believed, Arc::clone(clock))))
            }
            (None, Err(reason)) => {
                wrong("jwks.url", reason, "give an address that begins with https://");
                None
            }
        };
        match keys {
            Some(keys) if errors.is_empty() => Ok(Self {
                rules: Rules {
                    issuer: settings.issuer,
                    audiences: settings.audiences,
                    groups: GroupsClaim::new(settings.groups_claim),
                    algorithms,
                    leeway: settings.leeway,
                },
                source: settings.jwks,
                keys_believed: settings.keys_believed,
                keys,
            }),
            _ => Err(errors),
        }
    }

    /// Verifies a token at this moment. Gives the generation of the keys it was verified with as
    /// well: it stays good while [`Self::generation`] is the same.
    ///
    /// # Errors
    /// The keys are not to be had, or the token is not valid.
    pub async fn verify(
        &self,
        token: &str,
        clock: &dyn Clock,
    ) -> Result<(VerifiedToken, u64), TokenRefusal> {
        let unverified = Unverified::read(token)?;
        let (key, generation) = self.keys.key(&unverified.key_id).await?;
        Ok((unverified.verify(&key, &self.rules, clock.now())?, generation))
    }

    /// The clock difference that is forgiven.
    #[must_use]
    pub const fn leeway(&self) -> Duration {
        self.rules.leeway
    }

    /// Asks for the provider's keys again where that is due: a key that was taken away must end
    /// what rests on it, also where nobody presents a new token.
    pub async fn keep_keys_fresh(&self) {
        self.keys.keep_fresh().await;
    }

    /// Grows when the provider's keys change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.keys.generation()
    }
}

fn origin_of(source: &JwksSource, dialer: &Arc<dyn DialHost>) -> Result<Origin, String> {
    match source {
        JwksSource::File(path) => Ok(Origin::File(path.clone())),
        JwksSource::Url { url, ca_file } => {
            HttpsKeys::new(url, ca_file.clone(), Arc::clone(dialer))
                .map(|keys| Origin::Asked(Arc::new(keys)))
                .map_err(|error| error.to_string())
        }
    }
}

/// The algorithms with these names, all where none is given; and the names that are none.
fn algorithms_of(names: &[String]) -> (HashSet<Algorithm>, Vec<&String>) {
    if names.is_empty() {
        return (ALGORITHMS.iter().map(|(_, algorithm)| *algorithm).collect(), Vec::new());
    }
    let find = |name: &String| ALGORITHMS.iter().find(|(known, _)| known == name).map(|(_, a)| *a);
    let unknown = names.iter().filter(|name| find(name).is_none()).collect();
    (names.iter().filter_map(find).collect(), unknown)
}
