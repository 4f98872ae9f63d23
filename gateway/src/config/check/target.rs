//! Targets: addresses and TLS.
//!
//! Owns the canonical form of an address, and when two targets could be confused. Must not resolve
//! a name nor read a secret.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::{Environment, Protocol, TargetName};

use super::Checker;
use super::text::is_host_name;
use crate::config::raw::scalar::WordOr;
use crate::config::raw::target::{
    RawClientCertificate, RawClientTls, RawEnforcement, RawOnFailure, RawTarget, RawUpstreamTls,
    RawUpstreamTlsMore, TLS_MODES,
};
use crate::config::read::At;
use crate::config::report::suggestion;
use crate::config::settings::{
    ClientCertificate, ClientTls, Enforcement, OnRecordingFailure, TargetAddress, TargetSettings,
    UpstreamTls, UpstreamTlsMode,
};
use crate::config::tree::Spot;

impl Checker<'_> {
    pub(super) fn targets(self, raw: &[At<RawTarget>], audited: bool) -> Vec<TargetSettings> {
        let mut targets: Vec<TargetSettings> = Vec::new();
        for one in raw.iter().filter_map(At::get) {
            let Some(target) = self.target(one, audited) else { continue };
            for other in &targets {
                if let Some(shared) = ambiguous(&target, other) {
                    let reason =
                        format!("target {} has the address {} too", other.name, shown(shared));
                    let remedy = match target.protocol {
                        Protocol::Postgres => {
                            "give both targets databases that do not overlap, or merge them"
                        }
                        // The host key is shown before anybody says who wants to log in.
                        Protocol::Ssh => "merge the two; rules can tell their logins apart",
                        Protocol::Http | Protocol::Kubernetes => {
                            "give both targets hosts that do not overlap, or merge them"
                        }
                        // A statement may name any database of the server.
                        Protocol::Mysql => "merge the two; rules can tell their databases apart",
                    };
                    self.refuse(&one.addresses, reason, remedy);
                }
            }
            targets.push(target);
        }
        targets
    }

    fn target(self, raw: &RawTarget, audited: bool) -> Option<TargetSettings> {
        let name = self.name(&raw.name).map(TargetName::new);
        let addresses = self.addresses(&raw.addresses);
        let databases = self.databases(raw);
        let environment = match &raw.environment {
            None => Some(None),
            Some(at) => self.name(at).map(|name| Some(Environment(name.into()))),
        };
        let upstream_tls = self.upstream_tls(raw.upstream_tls.as_ref());
        if let (Some(at), Some(tls), Some(addresses)) =
            (&raw.upstream_tls, &upstream_tls, &addresses)
        {
            self.warn_of_unverified(at, tls.mode, addresses);
        }
        let protocol = raw.protocol.get().copied();
        let kept = protocol.is_some_and(|protocol| self.keys_fit(raw, protocol));
        let ssh = self.ssh(raw, protocol);
        let http = self.http(raw, protocol, addresses.as_deref().unwrap_or_default());
        let credential = raw.credential.get().and_then(|one| {
            let at = raw.credential.spot;
            self.credential(one, at, protocol)
        });
        let audit = raw.audit.as_ref().and_then(At::get);
        let allowed = audit.and_then(|audit| audit.allowed_operations.as_ref());
        let settings = TargetSettings {
            name: name?,
            protocol: protocol?,
            addresses: addresses?,
            databases: databases?,
            environment: environment?,
            // SSH is its own encryption; these keys are refused there.
            client_tls: match protocol? {
                Protocol::Ssh => ClientTls::Refuse,
                Protocol::Postgres | Protocol::Http | Protocol::Mysql | Protocol::Kubernetes => {
                    client_tls(raw.client_tls.as_ref())?
                }
            },
            upstream_tls: match protocol? {
                Protocol::Ssh => no_tls(),
                Protocol::Postgres | Protocol::Http | Protocol::Mysql | Protocol::Kubernetes => {
                    upstream_tls?
                }
            },
            ssh: ssh?,
            http: http?,
            credential: credential?,
            enforcement: enforcement(raw.enforcement.as_ref())?,
            audit_allowed_operations: allowed.map_or(Some(audited), |at| at.get().copied())?,
            on_recording_failure: on_failure(raw.on_recording_failure.as_ref())?,
        };
        kept.then_some(settings)
    }

    fn addresses(self, at: &At<Vec<At<String>>>) -> Option<Vec<TargetAddress>> {
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(
                at,
                "it has no address, so nothing can reach it",
                "write ip:port or name:port",
            );
            return None;
        }
        let mut addresses = Vec::new();
        for one in list {
            let Some(address) = self.address(one) else { continue };
            if addresses.contains(&address) {
                self.refuse(one, "the address is listed twice", "remove one of them");
            }
            addresses.push(address);
        }
        (addresses.len() == list.len()).then_some(addresses)
    }

    fn address(self, at: &At<String>) -> Option<TargetAddress> {
        let text = at.get()?.trim();
        match parse_address(text) {
            Ok(address) => Some(address),
            Err((reason, remedy)) => {
                self.refuse(at, reason, remedy);
                None
            }
        }
    }

    fn databases(self, raw: &RawTarget) -> Option<Vec<Arc<str>>> {
        let Some(at) = &raw.databases else { return Some(Vec::new()) };
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(at, "no database belongs to it", "list them, or leave the key out for all");
            return None;
        }
        let names: Vec<Arc<str>> =
            list.iter().filter_map(|one| self.free_text(one)).map(Arc::from).collect();
        (names.len() == list.len()).then_some(names)
    }

    fn upstream_tls(self, at: Option<&At<RawUpstreamTls>>) -> Option<UpstreamTls> {
        let plain = |mode| UpstreamTls {
            mode,
            authorities: None,
            server_name: None,
            client_certificate: None,
        };
        let Some(at) = at else { return Some(plain(UpstreamTlsMode::VerifyFull)) };
        let tls = match at.get()? {
            WordOr::Word(word, _) => self.tls_mode(at.spot, word).map(plain),
            WordOr::More(more) => self.upstream_tls_more(more),
        }?;
        if tls.mode == UpstreamTlsMode::VerifyAuthority && tls.authorities.is_none() {
            let reason = "every certificate that any public authority signed would be trusted";
            self.refuse(at, reason, "add ca: with the file of your authority, or verify-full");
        }
        Some(tls)
    }

    /// Whoever answers is believed: that may be meant, and must not go unnoticed.
    fn warn_of_unverified(
        self,
        at: &At<RawUpstreamTls>,
        mode: UpstreamTlsMode,
        addresses: &[TargetAddress],
    ) {
        let local = |address: &TargetAddress| matches!(address, TargetAddress::Ip(address) if address.ip().is_loopback());
        let reason = match mode {
            UpstreamTlsMode::Require => {
                "the upstream is not verified: whoever stands on the way can answer in its place"
            }
            UpstreamTlsMode::Disable if !addresses.iter().all(local) => {
                "the upstream is neither verified nor is anything encrypted"
            }
            _ => return,
        };
        self.warn(at, reason, "write verify-full, with the server's authority as ca");
    }

    fn upstream_tls_more(self, raw: &RawUpstreamTlsMore) -> Option<UpstreamTls> {
        let mode = raw.mode.get().and_then(|word| self.tls_mode(raw.mode.spot, word));
        let authorities = match &raw.ca {
            None => Some(None),
            Some(at) => self.path(at).map(Some),
        };
        let server_name = match &raw.server_name {
            None => Some(None),
            Some(at) => self.server_name(at).map(Some),
        };
        let client_certificate = match &raw.client_certificate {
            None => Some(None),
            Some(at) => at.get().and_then(|raw| self.client_certificate(raw)).map(Some),
        };
        let mode = mode?;
        if let Some(at) =
            raw.client_certificate.as_ref().filter(|_| mode == UpstreamTlsMode::Disable)
        {
            self.refuse(at, "there is no TLS in this mode", "write mode: verify-full");
        }
        let verifies =
            matches!(mode, UpstreamTlsMode::VerifyFull | UpstreamTlsMode::VerifyAuthority);
        if let Some(at) = raw.ca.as_ref().filter(|_| !verifies) {
            self.refuse(at, "nothing is verified in this mode", "write mode: verify-full");
        }
        if let Some(at) = raw.server_name.as_ref().filter(|_| mode != UpstreamTlsMode::VerifyFull) {
            self.refuse(at, "no name is verified in this mode", "write mode: verify-full");
        }
        Some(UpstreamTls {
            mode,
            authorities: authorities?,
            server_name: server_name?,
            client_certificate: client_certificate?,
        })
    }

    pub(super) fn client_certificate(
        self,
        raw: &RawClientCertificate,
    ) -> Option<ClientCertificate> {
        let (certificate, key) = (self.path(&raw.certificate), self.path(&raw.key));
        Some(ClientCertificate { certificate: certificate?, key: key? })
    }

    fn tls_mode(self, spot: Spot, word: &str) -> Option<UpstreamTlsMode> {
        let mode = match word {
            "verify-full" => UpstreamTlsMode::VerifyFull,
            "verify-ca" => UpstreamTlsMode::VerifyAuthority,
            "require" => UpstreamTlsMode::Require,
            "disable" => UpstreamTlsMode::Disable,
            _ => {
                let reason = "this is not a way to verify the upstream";
                self.report.refuse(spot, reason, suggestion(word, TLS_MODES));
                return None;
            }
        };
        Some(mode)
    }

    fn server_name(self, at: &At<String>) -> Option<String> {
        let name = at.get()?;
        if !is_host_name(name) && name.parse::<IpAddr>().is_err() {
            self.refuse(at, "this is not a host name or address", "write the certificate's name");
            return None;
        }
        Some(name.to_ascii_lowercase())
    }
}

const fn no_tls() -> UpstreamTls {
    UpstreamTls {
        mode: UpstreamTlsMode::Disable,
        authorities: None,
        server_name: None,
        client_certificate: None,
    }
}

fn client_tls(at: Option<&At<RawClientTls>>) -> Option<ClientTls> {
    at.map_or(Some(&RawClientTls::Offer), At::get).map(|raw| match raw {
        RawClientTls::Offer => ClientTls::Offer,
        RawClientTls::Require => ClientTls::Require,
        RawClientTls::Refuse => ClientTls::Refuse,
    })
}

fn enforcement(at: Option<&At<RawEnforcement>>) -> Option<Enforcement> {
    at.map_or(Some(&RawEnforcement::Enforce), At::get).map(|raw| match raw {
        RawEnforcement::Enforce => Enforcement::Enforce,
        RawEnforcement::Observe => Enforcement::Observe,
    })
}

fn on_failure(at: Option<&At<RawOnFailure>>) -> Option<OnRecordingFailure> {
    at.map_or(Some(&RawOnFailure::Deny), At::get).map(|raw| match raw {
        RawOnFailure::Deny => OnRecordingFailure::Deny,
        RawOnFailure::Allow => OnRecordingFailure::Allow,
    })
}

/// The address by which a connection could belong to both targets, if there is one.
fn ambiguous<'a>(one: &'a TargetSettings, other: &TargetSettings) -> Option<&'a TargetAddress> {
    let named = !one.databases.is_empty() && !other.databases.is_empty();
    let by_database = named && one.databases.iter().all(|name| !other.databases.contains(name));
    let by_host = match (&one.http, &other.http) {
        (Some(one), Some(other)) => {
            one.hosts.iter().all(|host| !other.hosts.iter().any(|theirs| theirs.overlaps(host)))
        }
        _ => false,
    };
    let apart = by_database || by_host;
    one.addresses.iter().find(|address| !apart && other.addresses.contains(address))
}

fn shown(address: &TargetAddress) -> String {
    match address {
        TargetAddress::Ip(address) => address.to_string(),
        TargetAddress::Name { host, port } => format!("{host}:{port}"),
    }
}

/// Reads `ip:port`, `[ip]:port` or `name:port`, or says what is wrong and what to write.
pub(super) fn parse_address(text: &str) -> Result<TargetAddress, (&'static str, String)> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        let example = SocketAddr::new(ip, 5432);
        return Err(("the address has no port", format!("write it with its port: {example}")));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        let ip = address.ip().to_canonical();
        if ip.is_unspecified() || ip.is_multicast() {
            return Err((
                "nobody can connect to this address",
                "write where the target is".to_owned(),
            ));
        }
        return with_port(address.port(), |port| TargetAddress::Ip(SocketAddr::new(ip, port)));
    }
    let form = || "write it like 10.0.5.10:5432, [fd00::10]:5432 or db.example:5432".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(|| ("this is not an address", form()))?;
    let host = host.strip_suffix('.').unwrap_or(host);
    let port = port.parse().map_err(|_| ("the port is not a number from 1 to 65535", form()))?;
    if !is_host_name(host) {
        return Err(("this is neither an address nor a host name", form()));
    }
    with_port(port, |port| TargetAddress::Name { host: host.to_ascii_lowercase(), port })
}

fn with_port(
    port: u16,
    make: impl FnOnce(u16) -> TargetAddress,
) -> Result<TargetAddress, (&'static str, String)> {
    if port == 0 {
        return Err(("the port is not a number from 1 to 65535", "write the port".to_owned()));
    }
    Ok(make(port))
}

pub(super) fn referenced<'a>(
    targets: &'a [At<RawTarget>],
    files: &mut Vec<(&'static str, &'a At<String>)>,
) {
    for target in targets.iter().filter_map(At::get) {
        if let Some(WordOr::More(tls)) = target.upstream_tls.as_ref().and_then(At::get) {
            files.extend(tls.ca.as_ref().map(|at| ("the file of authorities", at)));
            let own = tls.client_certificate.as_ref().and_then(At::get);
            files.extend(own.map(|own| ("the file of the certificate", &own.certificate)));
            files.extend(own.map(|own| ("the file of the certificate's key", &own.key)));
        }
        let authority = target.client_authority.as_ref().and_then(At::get);
        files.extend(authority.map(|own| ("the file of the certificate", &own.certificate)));
        files.extend(authority.map(|own| ("the file of the certificate's key", &own.key)));
        super::credential::referenced(target.credential.get(), files);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_its_canonical_form() {
        let read = |text| parse_address(text).map(|address| shown(&address)).unwrap();
        assert_eq!(read("10.0.5.10:5432"), "10.0.5.10:5432");
        assert_eq!(read("[fd00::0:10]:5432"), "[fd00::10]:5432");
        assert_eq!(read("[::ffff:10.0.5.10]:5432"), "10.0.5.10:5432");
        assert_eq!(read("DB.Example.:5432"), "db.example:5432");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_write() {
        for (text, reason) in [
            ("10.0.5.10", "the address has no port"),
            ("fd00::10", "the address has no port"),
            ("10.0.5.10:0", "the port is not a number from 1 to 65535"),
            ("10.0.5.10:70000", "the port is not a number from 1 to 65535"),
            ("0.0.0.0:5432", "nobody can connect to this address"),
            ("10.0.5:5432", "this is neither an address nor a host name"),
            ("postgres://db:5432", "this is neither an address nor a host name"),
            ("db", "this is not an address"),
        ] {
            assert_eq!(parse_address(text).unwrap_err().0, reason, "{text}");
        }
    }
}
