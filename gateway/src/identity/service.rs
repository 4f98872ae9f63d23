//! The way from a binding to a principal, and back again before an operation.
//!
//! Owns the sequence. Must not know how any step is done. See the head of `identity` for the
//! picture.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::audit::SocketRefusal;
use model::{Attestation, Binding, Clock, Group, Principal, Timestamp, UserFacts, WorkloadName};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::attestation::{AttestationError, Attested, Attestor};
use super::process::ProcessError;
use super::tokens::{
    Presenters, ProviderError, ProviderSettings, Providers, SourceError, Standing, TokenFile,
    TokenLease, TokenRefusal, TokenSettings, TokenSource, Vantage, read_token,
};
use super::workload::{DefinitionError, WorkloadDefinition, WorkloadRefusal, WorkloadTable};
use crate::tls::DialHost;

/// Token files read at once for one workload. What a workload puts at the path may stall the
/// thread that reads it; this many threads it can stall, and then nobody but itself waits.
const READS_PER_WORKLOAD_MAX: usize = 4;
/// How long one read may take.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// What the configuration says about identity.
#[derive(Clone, Debug, Default)]
pub struct IdentitySettings {
    /// The workloads.
    pub workloads: Vec<WorkloadDefinition>,
    /// The identity providers.
    pub providers: Vec<ProviderSettings>,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// In a workload.
    #[error(transparent)]
    Workload(#[from] DefinitionError),
    /// In an identity provider.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A workload's token names a provider that there is not.
    #[error("workload `{workload}`, token.provider: there is no identity provider `{provider}`")]
    NoProvider {
        /// The workload.
        workload: WorkloadName,
        /// The name it gives.
        provider: String,
    },
}

/// Why a socket has no principal.
#[derive(Debug, thiserror::Error)]
pub enum IdentityRefusal {
    /// Nothing can be said about its owner.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
    /// It belongs to no workload, or to several.
    #[error(transparent)]
    Workload(#[from] WorkloadRefusal),
    /// Its workload needs a token and has no valid one.
    #[error("workload `{workload}`: {refusal}")]
    Token {
        /// The workload.
        workload: WorkloadName,
        /// What is wrong.
        refusal: TokenRefusal,
    },
}

impl IdentityRefusal {
    /// The word that the audit log uses for it.
    #[must_use]
    pub const fn kind(&self) -> SocketRefusal {
        match self {
            Self::Attestation(_) | Self::Workload(WorkloadRefusal::None { .. }) => {
                SocketRefusal::NoWorkload
            }
            Self::Workload(WorkloadRefusal::Ambiguous(_)) => SocketRefusal::AmbiguousWorkload,
            Self::Token { .. } => SocketRefusal::NoValidToken,
        }
    }

    /// The path of the cgroup that no workload claims.
    #[must_use]
    pub fn cgroup(&self) -> Option<&str> {
        match self {
            Self::Workload(WorkloadRefusal::None { cgroup_path, .. }) => Some(cgroup_path),
            _ => None,
        }
    }

    /// The workload, where it came that far.
    #[must_use]
    pub const fn workload(&self) -> Option<&WorkloadName> {
        match self {
            Self::Token { workload, .. } => Some(workload),
            _ => None,
        }
    }
}

/// A socket's owner, found out.
#[derive(Clone, Debug)]
pub struct Identified {
    /// What was found out about the process at the start.
    pub attestation: Arc<Attestation>,
    /// The workload.
    pub workload: Arc<WorkloadDefinition>,
    /// The principal.
    pub principal: Arc<Principal>,
    user: UserFacts,
    root: Result<Arc<OwnedFd>, ProcessError>,
    lease: Option<Arc<TokenLease>>,
}

impl Identified {
    /// Whether the principal still stands; to be asked before each operation. Cheap.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        self.lease.as_ref().map_or(Standing::Good, |lease| lease.standing(now))
    }
}

/// Finds out who sockets belong to.
#[derive(Debug)]
pub struct IdentityService {
    attestor: Attestor,
    workloads: WorkloadTable,
    providers: Providers,
    presenters: Arc<Presenters>,
    readers: Mutex<HashMap<WorkloadName, Arc<Semaphore>>>,
    clock: Arc<dyn Clock>,
    dialer: Arc<dyn DialHost>,
}

impl IdentityService {
    /// From a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    pub fn new(
        attestor: Attestor,
        settings: IdentitySettings,
        clock: Arc<dyn Clock>,
        dialer: Arc<dyn DialHost>,
    ) -> Result<Self, Vec<SettingsError>> {
        let (workloads, providers) = check(settings, &clock, &dialer, None)?;
        let presenters = Arc::default();
        let readers = Mutex::default();
        Ok(Self { attestor, workloads, providers, presenters, readers, clock, dialer })
    }

    /// The successor under a new configuration. It keeps the providers' keys and the memory of
    /// who presented which token; this one goes on serving until it is dropped.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    pub fn succeed(&self, settings: IdentitySettings) -> Result<Self, Vec<SettingsError>> {
        let (workloads, providers) =
            check(settings, &self.clock, &self.dialer, Some(&self.providers))?;
        Ok(Self {
            attestor: self.attestor.clone(),
            workloads,
            providers,
            presenters: Arc::clone(&self.presenters),
            readers: Mutex::new(self.readers.lock().clone()),
            clock: Arc::clone(&self.clock),
            dialer: Arc::clone(&self.dialer),
        })
    }

    /// The workloads of the configuration.
    #[must_use]
    pub const fn workloads(&self) -> &WorkloadTable {
        &self.workloads
    }

    /// Finds out who a captured socket belongs to.
    ///
    /// # Errors
    /// Where that cannot be said for certain: refuse the socket.
    pub async fn identify(&self, binding: &Binding) -> Result<Identified, IdentityRefusal> {
        let Attested { attestation, process } = self.attestor.attest(binding).await?;
        let root = process.and_then(|process| process.root()).map(Arc::new);
        self.establish(attestation, binding.user, root).await
    }

    /// Establishes a principal again, by the configuration, the token and the keys of now. What
    /// was found out about the process stays: it is a fact of the moment of `connect`.
    ///
    /// # Errors
    /// Where the principal no longer stands: refuse the operation, end the session.
    pub async fn reidentify(&self, earlier: &Identified) -> Result<Identified, IdentityRefusal> {
        let attestation = Arc::clone(&earlier.attestation);
        let workload = self.workloads.resolve(&attestation, earlier.user.uid)?;
        if let (Some(lease), Some(token), true) =
            (&earlier.lease, &workload.token, *workload == *earlier.workload)
        {
            let refused =
                |refusal| IdentityRefusal::Token { workload: workload.name.clone(), refusal };
            let provider = self.providers.get(&token.provider).map_err(refused)?;
            provider.keep_keys_fresh().await;
            let read = self.read(&workload.name, token, &earlier.root, earlier.user).await;
            if read.is_ok_and(|file| lease.renew(&file.seal, provider, self.clock.now())) {
                return Ok(earlier.clone());
            }
        }
        self.establish(attestation, earlier.user, earlier.root.clone()).await
    }

    async fn establish(
        &self,
        attestation: Arc<Attestation>,
        user: UserFacts,
        root: Result<Arc<OwnedFd>, ProcessError>,
    ) -> Result<Identified, IdentityRefusal> {
        let workload = self.workloads.resolve(&attestation, user.uid)?;
        let (token, groups, lease) = match &workload.token {
            None => (None, workload.groups.clone(), None),
            Some(settings) => {
                let held = self.hold_token(&workload.name, settings, &root, user).await;
                let held = held.map_err(|refusal| {
                    let workload = workload.name.clone();
                    IdentityRefusal::Token { workload, refusal }
                })?;
                (Some(held.subject), held.groups, Some(Arc::new(held.lease)))
            }
        };
        let principal = Principal { workload: workload.name.clone(), token, groups };
        Ok(Identified { attestation, workload, principal: Arc::new(principal), user, root, lease })
    }

    async fn hold_token(
        &self,
        workload: &WorkloadName,
        settings: &TokenSettings,
        root: &Result<Arc<OwnedFd>, ProcessError>,
        user: UserFacts,
    ) -> Result<HeldToken, TokenRefusal> {
        let provider = self.providers.get(&settings.provider)?;
        let TokenFile { text, seal } = self.read(workload, settings, root, user).await?;
        let (verified, generation) = provider.verify(text.expose(), self.clock.as_ref()).await?;
        let useless_from = verified.subject.expires_at.after(provider.leeway());
        let (now, issuer) = (self.clock.now(), verified.subject.issuer.as_str());
        let id = verified.id.as_deref().map(|id| (issuer, id));
        let bytes = text.expose().as_bytes();
        if let Err(error) = self.presenters.present(workload, bytes, id, useless_from, now) {
            tracing::warn!(%workload, %error, "token refused");
            return Err(error.into());
        }
        let lease = TokenLease::new(seal, useless_from, Arc::clone(provider), generation, now);
        Ok(HeldToken { subject: verified.subject, groups: verified.groups, lease })
    }

    /// Reads a token's file apart from the event loop, within bounds of number and time.
    async fn read(
        &self,
        workload: &WorkloadName,
        settings: &TokenSettings,
        root: &Result<Arc<OwnedFd>, ProcessError>,
        user: UserFacts,
    ) -> Result<TokenFile, SourceError> {
        let root = match &settings.source {
            TokenSource::HostFile(_) => None,
            TokenSource::WorkloadFile(_) => Some(Arc::clone(root.as_ref().map_err(Clone::clone)?)),
        };
        let path: Arc<Path> = match &settings.source {
            TokenSource::HostFile(path) | TokenSource::WorkloadFile(path) => {
                Arc::from(path.as_path())
            }
        };
        let reader = {
            let mut readers = self.readers.lock();
            let new = || Arc::new(Semaphore::new(READS_PER_WORKLOAD_MAX));
            Arc::clone(readers.entry(workload.clone()).or_insert_with(new))
        };
        let slow = |_| SourceError::Slow(READ_WITHIN.as_secs());
        let permit = tokio::time::timeout(READ_WITHIN, reader.acquire_owned())
            .await
            .map_err(|_| SourceError::Busy)?
            .map_err(|_| SourceError::Busy)?;
        let reading = tokio::task::spawn_blocking(move || {
            // The permit comes back when the thread does, not when we stop waiting for it.
            let _permit = permit;
            let vantage = match &root {
                None => Vantage::Host,
                Some(root) => Vantage::Workload { root, uid: user.uid, gid: user.gid },
            };
            read_token(&vantage, &path)
        });
        let read = tokio::time::timeout(READ_WITHIN, reading).await.map_err(slow)?;
        read.map_err(|_| SourceError::Busy)?
    }
}

struct HeldToken {
    subject: model::TokenSubject,
    groups: BTreeSet<Group>,
    lease: TokenLease,
}

fn check(
    settings: IdentitySettings,
    clock: &Arc<dyn Clock>,
    dialer: &Arc<dyn DialHost>,
    earlier: Option<&Providers>,
) -> Result<(WorkloadTable, Providers), Vec<SettingsError>> {
    let mut errors: Vec<SettingsError> = Vec::new();
    let names: BTreeSet<String> =
        settings.providers.iter().map(|provider| provider.name.clone()).collect();
    for workload in &settings.workloads {
        if let Some(token) = &workload.token
            && !names.contains(&token.provider)
        {
            let (workload, provider) = (workload.name.clone(), token.provider.clone());
            errors.push(SettingsError::NoProvider { workload, provider });
        }
    }
    let workloads = WorkloadTable::new(settings.workloads);
    let providers = Providers::new(settings.providers, clock, dialer, earlier);
    match (workloads, providers) {
        (Ok(workloads), Ok(providers)) if errors.is_empty() => Ok((workloads, providers)),
        (workloads, providers) => {
            errors.extend(workloads.err().into_iter().flatten().map(SettingsError::from));
            errors.extend(providers.err().into_iter().flatten().map(SettingsError::from));
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests;
