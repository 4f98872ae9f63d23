//! Host keys of SSH in the life of a connection: what the client is shown, and what the upstream
//! must show.
//!
//! Owns the join of a target, the names it has and the keys. Must not know files or formats of
//! keys. Lives as long as the connection asks.

use std::sync::Arc;

use model::Binding;
use model::audit::AuditEvent;

use super::pending::Pending;
use super::refusal::{Refusal, RefusalKind};
use super::services::Services;
use super::target::Target;
use super::upstream::Upstream;
use crate::host_keys::{
    ClientHostKey, Expected, HostIdentity, HostKeyError, HostKeyTrust, HostKeys, Shown,
    UpstreamName,
};

/// What an upstream's host key is checked with.
#[derive(Clone, Debug)]
pub struct HostKeyCheck {
    keys: Arc<HostKeys>,
    trust: HostKeyTrust,
    name: UpstreamName,
}

impl HostKeyCheck {
    /// The check of a target; `None` where it is no target of SSH.
    pub(super) fn of(services: &Services, target: &Target, binding: &Binding) -> Option<Self> {
        let ssh = target.ssh.as_ref()?;
        let address = binding.original;
        // Other names of the target stand for other hosts: their keys are not this one's.
        let names = ssh.names.iter().filter(|host| host.addresses.contains(&address));
        let mut hosts: Vec<String> = names.map(|host| host.name.to_string()).collect();
        hosts.push(address.ip().to_string());
        Some(Self {
            keys: Arc::clone(&services.host_keys),
            trust: ssh.upstream_host_keys.clone(),
            name: UpstreamName { hosts, port: address.port() },
        })
    }
}

impl HostKeyCheck {
    /// Whether what the upstream shows of itself is what the target's configuration trusts.
    ///
    /// # Errors
    /// Where it is not.
    pub fn verdict(&self, shown: Shown<'_>) -> Result<(), HostKeyError> {
        self.keys.verdict(&self.trust, &self.name, shown)
    }

    /// What the upstream may show, to be asked for in its order.
    ///
    /// # Errors
    /// Where what it is checked against cannot be used.
    pub fn expected(&self) -> Result<Expected, HostKeyError> {
        self.keys.expected(&self.trust, &self.name)
    }
}

impl Upstream {
    /// What the host key of a target of SSH is checked with.
    ///
    /// # Errors
    /// Where the target is none of SSH.
    pub fn host_key_check(&self) -> Result<HostKeyCheck, HostKeyError> {
        self.host_key.clone().ok_or(HostKeyError::NoTarget)
    }
}

impl Pending {
    /// What to show the client of an SSH target. `client_version` is its version line, where it
    /// has come.
    ///
    /// # Errors
    /// The refusal, where there is nothing to show; the operator gets the whole story.
    pub fn host_identity(&self, client_version: Option<&str>) -> Result<HostIdentity, Refusal> {
        let shown = self.target.ssh.as_ref().map_or_else(
            || Err(HostKeyError::NoTarget),
            |ssh| {
                let mut names: Vec<String> =
                    ssh.names.iter().map(|host| host.name.to_string()).collect();
                names.extend(self.target.addresses.iter().map(|one| one.ip().to_string()));
                self.services.host_keys.identity(&ssh.client_host_key, &names, client_version)
            },
        );
        shown.map_err(|error| {
            tracing::error!(target = %self.target.name, error = %error, "no host key for clients");
            Refusal::new(RefusalKind::Internal, format!("portcullis: {}", error.for_client()))
                .with_hint("Operator: see the daemon's log for the whole story.")
        })
    }

    /// Whether clients are shown the target's own host key, not a certificate of the gateway's.
    #[must_use]
    pub fn shows_enrolled_host_key(&self) -> bool {
        let choice = self.target.ssh.as_ref().map(|ssh| &ssh.client_host_key);
        matches!(choice, Some(ClientHostKey::Enrolled(_)))
    }

    /// Reports that the client went away when it was shown our host key.
    pub fn host_key_refused(&self, client: impl Into<Arc<str>>, remedy: impl Into<Arc<str>>) {
        self.services.events.emit(AuditEvent::HostKeyRefused {
            session: (*self.facts).clone(),
            client: client.into(),
            remedy: remedy.into(),
        });
    }
}

#[cfg(test)]
impl HostKeyCheck {
    pub(crate) const fn for_test(
        keys: Arc<HostKeys>,
        trust: HostKeyTrust,
        name: UpstreamName,
    ) -> Self {
        Self { keys, trust, name }
    }
}
