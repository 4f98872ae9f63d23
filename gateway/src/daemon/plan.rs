//! From checked settings to the parts' own inputs.
//!
//! Owns the translation and nothing else: each part keeps its own vocabulary, so that none has to
//! import the configuration. Must not decide anything.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::config as from;
use crate::config::{Settings, TargetAddress, TargetSettings};
use crate::credentials::{CredentialSettings, SourceSettings};
use crate::host_keys::{ClientHostKey, HostKeyError, HostKeyTrust, HostKeys};
use crate::identity::workload::{UserMatch, WorkloadDefinition, WorkloadMatch};
use crate::identity::{IdentitySettings, JwksSource, ProviderSettings, TokenSettings, TokenSource};
use crate::interception::{Captured, CgroupPattern, Govern, Unlisted};
use crate::session::{
    ClientTls, Enforcement, HttpTarget, OnRecordingFailure, SshTarget, Target, TargetHost,
    UntrustingClients,
};
use crate::tls::{
    CertificateNames, ClientCertificateFiles, NameError, UpstreamTls, UpstreamTlsError,
    UpstreamTlsMode, UpstreamTlsSettings,
};

/// Why a target cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TargetProblem {
    /// TLS towards it cannot be set up.
    #[error("target `{target}`: {source}")]
    Tls {
        /// The target.
        target: String,
        /// Why.
        source: UpstreamTlsError,
    },
    /// Its host keys cannot be used.
    #[error("target `{target}`: {source}")]
    HostKeys {
        /// The target.
        target: String,
        /// Why.
        source: HostKeyError,
    },
    /// One of its names cannot be in a certificate.
    #[error("target `{target}`: {source}")]
    Name {
        /// The target.
        target: String,
        /// Why.
        source: NameError,
    },
}

/// What identity is told.
pub(super) fn identity(settings: &Settings) -> IdentitySettings {
    IdentitySettings {
        workloads: settings.workloads.iter().map(workload).collect(),
        providers: settings.identity_providers.iter().map(provider).collect(),
    }
}

fn workload(settings: &from::WorkloadSettings) -> WorkloadDefinition {
    let matching = &settings.matching;
    let (token, groups) = match &settings.identity {
        from::WorkloadIdentity::Groups(groups) => (None, groups.clone()),
        from::WorkloadIdentity::Token { provider, file } => {
            let source = TokenSource::WorkloadFile(file.clone());
            (Some(TokenSettings { provider: provider.clone(), source }), BTreeSet::new())
        }
    };
    WorkloadDefinition {
        name: settings.name.clone(),
        matches: WorkloadMatch {
            systemd_unit: matching.systemd_unit.clone(),
            cgroup: matching.cgroup.clone(),
            user: matching.user.as_ref().map(|user| match user {
                from::UserMatch::Name(name) => UserMatch::Name(name.clone()),
                from::UserMatch::Id(id) => UserMatch::Id(*id),
            }),
            executable: matching.executable.as_ref().map(|path| path.display().to_string()),
            container: matching.container.clone(),
        },
        token,
        groups,
    }
}

fn provider(settings: &from::IdentityProviderSettings) -> ProviderSettings {
    ProviderSettings {
        name: settings.name.clone(),
        issuer: settings.issuer.clone(),
        audiences: settings.audiences.clone(),
        groups_claim: settings.groups_claim.clone(),
        jwks: match &settings.jwks {
            from::JwksSource::File(path) => JwksSource::File(path.clone()),
            from::JwksSource::Url { url, authorities } => {
                JwksSource::Url { url: url.clone(), ca_file: authorities.clone() }
            }
        },
        algorithms: settings.algorithms.iter().map(|one| one.as_str().to_owned()).collect(),
        leeway: settings.clock_skew,
        keys_believed: settings.keys_kept_for,
    }
}

/// Who the kernel captures. `own_cgroup` is the gateway's, which `host` leaves out.
pub(super) fn govern(settings: &Settings, own_cgroup: String) -> Govern {
    match &settings.govern {
        from::Govern::Host => Govern::HostExcept(own_cgroup),
        from::Govern::Parts(parts) => Govern::Cgroups(
            parts
                .iter()
                .map(|part| match part {
                    from::Governed::SystemdUnit(unit) => CgroupPattern::Unit(unit.clone()),
                    from::Governed::Cgroup(path) => CgroupPattern::Path(path.clone()),
                })
                .collect(),
        ),
    }
}

/// What governed tasks may reach beside the targets.
pub(super) const fn unlisted(settings: &Settings) -> Unlisted {
    match settings.unlisted_destinations {
        from::UnlistedDestinations::Allow => Unlisted::Allow,
        from::UnlistedDestinations::Deny => Unlisted::Deny,
    }
}

/// What is captured for these targets.
pub(super) fn captured(targets: &[Arc<Target>]) -> BTreeSet<Captured> {
    let addresses = targets.iter().flat_map(|target| &target.addresses);
    addresses.map(|address| Captured::host(address.ip(), address.port())).collect()
}

/// The targets, names resolved. A name that cannot be resolved now is left out and looked for
/// again; nothing is captured for it until then.
pub(super) async fn targets(settings: &Settings) -> Result<Vec<Arc<Target>>, TargetProblem> {
    let mut targets = Vec::with_capacity(settings.targets.len());
    for one in &settings.targets {
        targets.push(Arc::new(target(one).await?));
    }
    Ok(targets)
}

async fn target(settings: &TargetSettings) -> Result<Target, TargetProblem> {
    let tls = UpstreamTlsSettings {
        mode: match settings.upstream_tls.mode {
            from::UpstreamTlsMode::VerifyFull => UpstreamTlsMode::VerifyFull,
            from::UpstreamTlsMode::VerifyAuthority => UpstreamTlsMode::VerifyCa,
            from::UpstreamTlsMode::Require => UpstreamTlsMode::InsecureNoVerify,
            from::UpstreamTlsMode::Disable => UpstreamTlsMode::Disable,
        },
        ca_file: settings.upstream_tls.authorities.clone(),
        server_name: settings.upstream_tls.server_name.clone(),
        client_certificate: settings.upstream_tls.client_certificate.as_ref().map(|own| {
            ClientCertificateFiles { certificate: own.certificate.clone(), key: own.key.clone() }
        }),
    };
    let name = settings.addresses.first().map_or_else(String::new, host_of);
    let upstream_tls = UpstreamTls::new(&tls, &name, &[])
        .map_err(|source| TargetProblem::Tls { target: settings.name.to_string(), source })?;
    let hosts = hosts(settings).await;
    Ok(Target {
        name: settings.name.clone(),
        protocol: settings.protocol,
        environment: settings.environment.clone(),
        addresses: addresses(settings, &hosts),
        databases: settings.databases.clone(),
        client_tls: match settings.client_tls {
            from::ClientTls::Offer => ClientTls::Offer,
            from::ClientTls::Require => ClientTls::Require,
            from::ClientTls::Refuse => ClientTls::Refuse,
        },
        upstream_tls,
        credential: CredentialSettings {
            user: settings.credential.user.clone(),
            password: settings.credential.password.as_ref().map(secret),
            private_key: settings.credential.private_key.as_ref().map(secret),
            certificate: settings.credential.certificate.clone(),
            http: settings.credential.http.as_ref().map(|http| http.map(secret)),
        },
        enforcement: match settings.enforcement {
            from::Enforcement::Enforce => Enforcement::Enforce,
            from::Enforcement::Observe => Enforcement::Observe,
        },
        on_recording_failure: match settings.on_recording_failure {
            from::OnRecordingFailure::Deny => OnRecordingFailure::Deny,
            from::OnRecordingFailure::Allow => OnRecordingFailure::Allow,
        },
        audit_allowed: settings.audit_allowed_operations,
        http: settings.http.as_ref().map(|http| http_target(http, hosts.clone())),
        ssh: settings.ssh.as_ref().map(|ssh| ssh_target(ssh, hosts)),
    })
}

fn secret(source: &from::SecretSource) -> SourceSettings {
    match source {
        from::SecretSource::File(path) => SourceSettings::File(path.clone()),
        from::SecretSource::Environment(name) => SourceSettings::Environment(name.clone()),
        from::SecretSource::SystemdCredential(name) => SourceSettings::Systemd(name.clone()),
    }
}

fn ssh_target(ssh: &from::SshSettings, names: Vec<TargetHost>) -> SshTarget {
    SshTarget {
        names,
        users: ssh.users.clone(),
        upstream_host_keys: match &ssh.upstream_host_keys {
            from::HostKeySettings::KnownHosts(path) => HostKeyTrust::KnownHosts(path.clone()),
            from::HostKeySettings::CertificateAuthority(path) => {
                HostKeyTrust::CertificateAuthority(path.clone())
            }
        },
        client_host_key: match &ssh.client_host_key {
            from::ClientHostKeySettings::Certificate => ClientHostKey::Certificate,
            from::ClientHostKeySettings::Enrolled(files) => ClientHostKey::Enrolled(files.clone()),
        },
        strict_paths: ssh.strict_paths,
    }
}

fn http_target(http: &from::HttpSettings, names: Vec<TargetHost>) -> HttpTarget {
    HttpTarget {
        hosts: http.hosts.clone(),
        untrusting_clients: match http.untrusting_clients {
            from::UntrustingClients::Deny => UntrustingClients::Deny,
            from::UntrustingClients::Passthrough => UntrustingClients::Passthrough,
        },
        encoded_slashes: http.encoded_slashes,
        names,
    }
}

fn host_of(address: &TargetAddress) -> String {
    match address {
        TargetAddress::Ip(address) => address.ip().to_string(),
        TargetAddress::Name { host, .. } => host.clone(),
    }
}

/// The target's names, and what each stands for now.
async fn hosts(settings: &TargetSettings) -> Vec<TargetHost> {
    let mut hosts = Vec::new();
    for address in &settings.addresses {
        let TargetAddress::Name { host, port } = address else { continue };
        match tokio::net::lookup_host((host.as_str(), *port)).await {
            Ok(found) => {
                hosts.push(TargetHost { name: host.as_str().into(), addresses: found.collect() });
            }
            Err(error) => tracing::error!(
                target_name = %settings.name, host, error = %error,
                "a target's name cannot be resolved; nothing is captured for it until it can"
            ),
        }
    }
    hosts
}

fn addresses(settings: &TargetSettings, hosts: &[TargetHost]) -> Vec<SocketAddr> {
    let plain = settings.addresses.iter().filter_map(|address| match address {
        TargetAddress::Ip(address) => Some(*address),
        TargetAddress::Name { .. } => None,
    });
    let named = hosts.iter().flat_map(|host| host.addresses.iter().copied());
    let addresses: BTreeSet<SocketAddr> = plain.chain(named).collect();
    addresses.into_iter().collect()
}

/// Makes sure that the host keys of targets can be used, on both sides.
pub(super) fn check_host_keys(
    targets: &[Arc<Target>],
    host_keys: &HostKeys,
) -> Result<(), TargetProblem> {
    for target in targets {
        let Some(ssh) = &target.ssh else { continue };
        host_keys.check(&ssh.client_host_key, &ssh.upstream_host_keys).map_err(|source| {
            TargetProblem::HostKeys { target: target.name.to_string(), source }
        })?;
    }
    Ok(())
}

/// The names that workloads know a target by, for its certificate.
pub(super) fn certificate_names(
    settings: &TargetSettings,
    target: &Target,
) -> Result<CertificateNames, TargetProblem> {
    let mut texts: BTreeSet<String> = settings.addresses.iter().map(host_of).collect();
    texts.extend(target.addresses.iter().map(|address| address.ip().to_string()));
    texts.extend(settings.upstream_tls.server_name.clone());
    // Those of a pattern are below its name, which the authority's constraints then cover.
    let hosts = settings.http.iter().flat_map(|http| &http.hosts);
    texts.extend(hosts.filter_map(|host| {
        let address = host.address().map(|address| address.to_string());
        address.or_else(|| host.name()).or_else(|| host.parent())
    }));
    CertificateNames::of(&texts)
        .map_err(|source| TargetProblem::Name { target: settings.name.to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;

    #[tokio::test]
    async fn a_target_of_http_is_known_by_its_addresses_and_hosts() {
        let text = r#"
govern: host
workloads: [{ name: sync, match: { cgroup: /sync }, groups: [syncers] }]
targets:
  - name: crm
    protocol: http
    addresses: ["127.0.0.1:443", "[::1]:443"]
    hosts: [api.crm.example, "eu-*.crm.example", "10.0.7.*"]
    encoded_slashes: allow
    upstream_tls: disable
    credential: { header: { name: X-Api-Key, value: { env: KEY } } }
roles:
  - { name: syncer, groups: [syncers], rules: [{ id: in, effect: allow, target: crm }] }
"#;
        let file = ConfigFile { path: "portcullis.yaml".into(), text: text.to_owned() };
        let settings = Settings::parse(&[file]).map_err(|errors| errors.to_string()).unwrap();
        let targets = targets(&settings).await.unwrap();
        let http = targets[0].http.as_ref().unwrap();
        assert!(http.encoded_slashes && http.serves("api.crm.example"));
        assert!(http.serves("eu-1.crm.example") && !http.serves("crm.example"));
        let credential = targets[0].credential.http.as_ref().unwrap();
        let value = SourceSettings::Environment("KEY".into());
        let header = model::HttpCredential::Header { name: "x-api-key".into(), value };
        assert_eq!(*credential, header);
        let names = certificate_names(&settings.targets[0], &targets[0]).unwrap();
        let dns: Vec<&str> = names.dns.iter().map(String::as_str).collect();
        assert_eq!(dns, ["api.crm.example", "crm.example"]);
        assert_eq!(names.addresses.len(), 2);
        assert_eq!(captured(&targets).len(), 2);
    }
}
