//! What only targets of SSH have.
//!
//! Owns logins and host keys. Must not read a key.

use std::path::PathBuf;
use std::sync::Arc;

use model::Protocol;

use super::Checker;
use crate::config::raw::ssh::{RawClientHostKey, RawHostKeys, RawSftpPaths};
use crate::config::raw::target::RawTarget;
use crate::config::read::At;
use crate::config::settings::{ClientHostKeySettings, HostKeySettings, SshSettings};

impl Checker<'_> {
    /// What SSH has more: nothing for other protocols. `None` where anything was refused.
    pub(super) fn ssh(
        self,
        raw: &RawTarget,
        protocol: Option<Protocol>,
    ) -> Option<Option<SshSettings>> {
        // Each is read also for other protocols, so that all that is wrong is said at once.
        let users = self.logins(raw.users.as_ref());
        let host_keys = raw.host_keys.as_ref().map(|at| self.host_keys(at));
        let client_host_key = self.client_host_key(raw.client_host_key.as_ref());
        let paths = raw.sftp_paths.as_ref().map_or(Some(&RawSftpPaths::Strict), At::get);
        if protocol != Some(Protocol::Ssh) {
            return Some(None);
        }
        let Some(host_keys) = host_keys else {
            self.report.refuse(
                raw.name.spot,
                "the target has no host_keys, so the upstream could be anybody",
                Some("add host_keys: { known_hosts: /etc/portcullis/known_hosts }".to_owned()),
            );
            return None;
        };
        Some(Some(SshSettings {
            users: users?,
            upstream_host_keys: host_keys?,
            client_host_key: client_host_key?,
            strict_paths: matches!(paths?, RawSftpPaths::Strict),
        }))
    }

    fn logins(self, at: Option<&At<Vec<At<String>>>>) -> Option<Vec<Arc<str>>> {
        let Some(at) = at else { return Some(Vec::new()) };
        let list = at.get()?;
        if list.is_empty() {
            self.refuse(at, "no login belongs to it", "list them, or leave the key out for all");
            return None;
        }
        let names: Vec<Arc<str>> =
            list.iter().filter_map(|one| self.free_text(one)).map(Arc::from).collect();
        (names.len() == list.len()).then_some(names)
    }

    fn host_keys(self, at: &At<RawHostKeys>) -> Option<HostKeySettings> {
        match at.get()? {
            RawHostKeys::KnownHosts(at) => self.path(at).map(HostKeySettings::KnownHosts),
            RawHostKeys::CertificateAuthority(at) => {
                self.path(at).map(HostKeySettings::CertificateAuthority)
            }
        }
    }

    fn client_host_key(self, at: Option<&At<RawClientHostKey>>) -> Option<ClientHostKeySettings> {
        let Some(at) = at else { return Some(ClientHostKeySettings::Certificate) };
        let files = match at.get()? {
            RawClientHostKey::Certificate => return Some(ClientHostKeySettings::Certificate),
            RawClientHostKey::Enrolled(files) => files,
        };
        let list = files.get()?;
        if list.is_empty() {
            let remedy = "list the files of the target's private host keys, or write certificate";
            self.refuse(files, "no host key is enrolled", remedy);
            return None;
        }
        let paths: Vec<PathBuf> = list.iter().filter_map(|one| self.path(one)).collect();
        (paths.len() == list.len()).then_some(ClientHostKeySettings::Enrolled(paths))
    }
}

pub(super) fn referenced<'a>(
    targets: &'a [At<RawTarget>],
    files: &mut Vec<(&'static str, &'a At<String>)>,
) {
    for target in targets.iter().filter_map(At::get) {
        match target.host_keys.as_ref().and_then(At::get) {
            Some(RawHostKeys::KnownHosts(at)) => files.push(("the file of known hosts", at)),
            Some(RawHostKeys::CertificateAuthority(at)) => {
                files.push(("the file of the authority", at));
            }
            None => {}
        }
        if let Some(RawClientHostKey::Enrolled(list)) =
            target.client_host_key.as_ref().and_then(At::get)
        {
            let keys = list.get().into_iter().flatten();
            files.extend(keys.map(|at| ("the file of the host key", at)));
        }
    }
}
