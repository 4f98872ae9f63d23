//! Which keys of a target go with which protocol.
//!
//! Owns the table. Must not read what stands under a key.

use model::Protocol;

use super::Checker;
use crate::config::raw::target::RawTarget;

impl Checker<'_> {
    /// Refuses the keys that belong to other protocols; whether there was none.
    pub(super) fn keys_fit(self, raw: &RawTarget, protocol: Protocol) -> bool {
        macro_rules! keys {
            ($($key:ident: $($owner:ident)|*,)*) => {
                [$((
                    stringify!($key),
                    raw.$key.as_ref().map(|at| at.spot),
                    &[$(Protocol::$owner),*][..],
                )),*]
            };
        }
        let keys = keys! {
            databases: Postgres,
            users: Ssh,
            client_tls: Postgres | Http | Mysql | Kubernetes,
            upstream_tls: Postgres | Http | Mysql | Kubernetes,
            host_keys: Ssh,
            client_host_key: Ssh,
            sftp_paths: Ssh,
            hosts: Http | Kubernetes,
            untrusting_clients: Http | Kubernetes,
            client_authority: Http | Kubernetes,
            encoded_slashes: Http,
        };
        let mut fit = true;
        for (key, spot, owners) in keys {
            let Some(spot) = spot.filter(|_| !owners.contains(&protocol)) else { continue };
            let reason = format!("the key {key} is not for targets of {protocol}");
            let remedy = match (protocol, owners) {
                (Protocol::Ssh, _) => {
                    "remove it; SSH has host_keys, client_host_key and users".to_owned()
                }
                (Protocol::Kubernetes, [Protocol::Http]) => {
                    "remove it; an API server has no such paths".to_owned()
                }
                (_, [owner]) => format!("remove it, or write protocol: {owner}"),
                _ => "remove it".to_owned(),
            };
            self.report.refuse(spot, reason, Some(remedy));
            fit = false;
        }
        fit
    }
}
