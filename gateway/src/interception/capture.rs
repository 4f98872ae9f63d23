//! What the kernel captures: who is governed, which destinations, where the listeners are.
//!
//! Owns the translation of configuration into maps, and its order: a change never leaves a moment in
//! which less is captured than before and after it. Additions come first, removals last.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use aya::maps::lpm_trie::Key;
use gateway_ebpf::{
    Counter, FLAG_DENY_UNLISTED, FLAG_GOVERN_HOST, FLAG_REPORT_REDIRECTED, LEVELS, Listener,
    NAME_BYTES, Settings, WatchedName,
};
use model::CgroupId;

use super::InterceptionError;
use super::programs::Programs;

/// Who is governed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Govern {
    /// Every task of the host but those in the gateway's own cgroup, by its path.
    HostExcept(String),
    /// The cgroups that match one of these, with everything below them, now and whenever they
    /// appear.
    Cgroups(BTreeSet<CgroupPattern>),
}

/// Which cgroups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CgroupPattern {
    /// The last component of the path, as systemd names the cgroup of a unit: `report.service`.
    Unit(String),
    /// The whole path from the root of the hierarchy: `/automation.slice`.
    Path(String),
}

impl CgroupPattern {
    /// Whether the cgroup at `path` is meant itself (not by an ancestor).
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Unit(name) => path.rsplit('/').next() == Some(name),
            Self::Path(whole) => whole == path,
        }
    }

    /// The text under which the kernel looks for it.
    fn watched(&self) -> Result<WatchedName, InterceptionError> {
        let (Self::Unit(text) | Self::Path(text)) = self;
        let mut name = WatchedName { text: [0; NAME_BYTES] };
        // One byte stays for the NUL; a path that the kernel cuts short is longer than any of ours.
        let room = name.text.get_mut(..text.len()).filter(|room| room.len() < NAME_BYTES - 1);
        let plain = match self {
            Self::Unit(text) => !text.is_empty() && !text.contains('/'),
            Self::Path(text) => text.len() > 1 && text.starts_with('/') && !text.ends_with('/'),
        };
        match room {
            Some(room) if plain && !text.contains('\0') => room.copy_from_slice(text.as_bytes()),
            _ => return Err(InterceptionError::Pattern(text.clone())),
        }
        Ok(name)
    }

    /// The level at which it lies, where that is known.
    fn level(&self) -> Option<usize> {
        match self {
            Self::Unit(_) => None,
            Self::Path(path) => Some(level_of(path)),
        }
    }
}

/// What governed tasks may reach beside the captured destinations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// Anything; counted by cgroup.
    #[default]
    Allow,
    /// Nothing: `EACCES`.
    Deny,
}

/// A captured destination: an address, or a network, and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Captured {
    /// The address, or the network's.
    pub address: IpAddr,
    /// Leading bits that count: 32 or 128 for one address.
    pub prefix_length: u8,
    /// The port.
    pub port: u16,
}

impl Captured {
    /// One address. A v4-mapped one is IPv4.
    #[must_use]
    pub fn host(address: IpAddr, port: u16) -> Self {
        let address = address.to_canonical();
        Self { address, prefix_length: if address.is_ipv4() { 32 } else { 128 }, port }
    }
}

impl Captured {
    /// Whether a destination is captured by this.
    #[must_use]
    pub fn contains(&self, destination: SocketAddr) -> bool {
        let same_bits = |a: &[u8], b: &[u8]| {
            let whole = usize::from(self.prefix_length / 8);
            let mask = !(0xff_u8.checked_shr(u32::from(self.prefix_length % 8)).unwrap_or(0));
            let byte = |bytes: &[u8]| bytes.get(whole).map_or(0, |byte| byte & mask);
            a.get(..whole) == b.get(..whole) && byte(a) == byte(b)
        };
        self.port == destination.port()
            && match (self.address.to_canonical(), destination.ip().to_canonical()) {
                (IpAddr::V4(a), IpAddr::V4(b)) => same_bits(&a.octets(), &b.octets()),
                (IpAddr::V6(a), IpAddr::V6(b)) => same_bits(&a.octets(), &b.octets()),
                _ => false,
            }
    }
}

/// The key of a destination, by family: the port (network order, as a word) counts whole.
enum CapturedKey {
    V4(Key<[u32; 2]>),
    V6(Key<[u32; 5]>),
}

impl Captured {
    fn key(&self) -> CapturedKey {
        let port = u32::from(self.port.to_be());
        let bits = 32 + u32::from(self.prefix_length);
        match self.address.to_canonical() {
            IpAddr::V4(address) => {
                CapturedKey::V4(Key::new(bits, [port, u32::from_ne_bytes(address.octets())]))
            }
            IpAddr::V6(address) => {
                let mut words = [port; 5];
                for (word, bytes) in words.iter_mut().skip(1).zip(address.octets().chunks(4)) {
                    *word = bytes.try_into().map(u32::from_ne_bytes).unwrap_or(0);
                }
                CapturedKey::V6(Key::new(bits, words))
            }
        }
    }
}

impl Programs {
    /// Sets who is governed and what they may reach. Cgroups that exist are found by walking the
    /// tree; those that appear later the kernel governs at their creation.
    ///
    /// # Errors
    /// [`InterceptionError::Pattern`] for a pattern that cannot be a cgroup's,
    /// [`InterceptionError::Full`] where the map of cgroups is full; what was governed before still
    /// is, and part of the new may be.
    pub fn govern(
        &self,
        govern: &Govern,
        unlisted: Unlisted,
        report_redirected: bool,
    ) -> Result<(), InterceptionError> {
        let mut flags = 0;
        if unlisted == Unlisted::Deny {
            flags |= FLAG_DENY_UNLISTED;
        }
        if report_redirected {
            flags |= FLAG_REPORT_REDIRECTED;
        }
        match govern {
            Govern::HostExcept(own) => {
                let id = self
                    .tree()
                    .id_of(own)?
                    .ok_or_else(|| InterceptionError::Pattern(own.clone()))?;
                self.set(Settings {
                    flags: flags | FLAG_GOVERN_HOST,
                    own_level: u32::try_from(level_of(own)).unwrap_or(u32::MAX),
                    own_cgroup: id.0,
                    levels: [1; LEVELS],
                    overflowed: 0,
                })
            }
            Govern::Cgroups(patterns) => self.govern_cgroups(patterns, flags),
        }
    }

    fn govern_cgroups(
        &self,
        patterns: &BTreeSet<CgroupPattern>,
        flags: u32,
    ) -> Result<(), InterceptionError> {
        let watched = patterns.iter().map(CgroupPattern::watched).collect::<Result<Vec<_>, _>>()?;
        for pattern in patterns {
            if pattern.level().is_some_and(|level| level >= LEVELS) {
                let (CgroupPattern::Path(path) | CgroupPattern::Unit(path)) = pattern;
                return Err(InterceptionError::Pattern(path.clone()));
            }
        }
        // First the names, then the walk: a cgroup that is made in between is caught by one of them.
        for name in &watched {
            self.maps.watched.put(name, &1).map_err(full("WATCHED"))?;
        }
        let before = self.settings()?;
        let mut levels = [0_u8; LEVELS];
        for pattern in patterns {
            match pattern.level().and_then(|level| levels.get_mut(level)) {
                Some(level) => *level = 1,
                None => levels = [1; LEVELS],
            }
        }
        let mut both = levels;
        for (level, old) in both.iter_mut().zip(before.levels) {
            *level |= old;
        }
        let host = before.flags & FLAG_GOVERN_HOST;
        self.set(Settings { levels: both, flags: flags | host, ..before })?;
        for (path, id) in self.tree().walk()? {
            if patterns.iter().any(|pattern| pattern.matches(&path)) {
                self.maps.governed.put(&id.0, &1).map_err(full("GOVERNED"))?;
            }
        }
        self.release_others(patterns, &watched)?;
        self.set(Settings { flags, own_level: 0, own_cgroup: 0, levels, overflowed: 0 })
    }

    /// Removes what no pattern asks for any more.
    fn release_others(
        &self,
        patterns: &BTreeSet<CgroupPattern>,
        watched: &[WatchedName],
    ) -> Result<(), InterceptionError> {
        for name in self.maps.watched.keys().map_err(access("WATCHED"))? {
            if !watched.contains(&name) {
                self.maps.watched.remove(&name).map_err(access("WATCHED"))?;
            }
        }
        for id in self.maps.governed.keys().map_err(access("GOVERNED"))? {
            // Asked by its path, not by the walk above: it may have been made since.
            let path = if self.tree().exists(CgroupId(id))? {
                self.tree().path_of(CgroupId(id))?
            } else {
                None
            };
            let wanted = path.is_some_and(|path| {
                let path = path.to_string_lossy();
                patterns.iter().any(|pattern| pattern.matches(&path))
            });
            if !wanted {
                self.maps.governed.remove(&id).map_err(access("GOVERNED"))?;
            }
        }
        Ok(())
    }

    /// Governs one more cgroup: for the watcher of the tree, where the kernel does not do it.
    ///
    /// # Errors
    /// [`InterceptionError::Full`].
    pub fn govern_one(&self, id: CgroupId) -> Result<(), InterceptionError> {
        self.maps.governed.put(&id.0, &1).map_err(full("GOVERNED"))
    }

    /// The ids of governed cgroups; not those below them.
    ///
    /// # Errors
    /// [`InterceptionError::MapAccess`].
    pub fn governed(&self) -> Result<BTreeSet<CgroupId>, InterceptionError> {
        let keys = self.maps.governed.keys().map_err(access("GOVERNED"))?;
        Ok(keys.into_iter().map(CgroupId).collect())
    }

    /// Whether a cgroup is governed, itself or by an ancestor; also when it cannot be told.
    #[must_use]
    pub fn is_governed(&self, id: CgroupId) -> bool {
        let (Ok(settings), Ok(governed), Ok(path)) =
            (self.settings(), self.governed(), self.tree().path_of(id))
        else {
            return true;
        };
        let below = |ancestor: CgroupId| {
            let ancestor = self.tree().path_of(ancestor).ok().flatten();
            path.as_ref().zip(ancestor).is_some_and(|(path, ancestor)| path.starts_with(ancestor))
        };
        if settings.flags & FLAG_GOVERN_HOST != 0 {
            return !below(CgroupId(settings.own_cgroup));
        }
        governed.contains(&id) || governed.iter().any(|ancestor| below(*ancestor))
    }

    /// The processes in governed cgroups and below them, at this moment.
    ///
    /// # Errors
    /// [`InterceptionError::MapAccess`], [`InterceptionError::Cgroup`].
    pub fn governed_processes(&self) -> Result<Vec<u32>, InterceptionError> {
        if self.settings()?.flags & FLAG_GOVERN_HOST != 0 {
            let own = CgroupId(self.settings()?.own_cgroup);
            let own: BTreeSet<u32> = match self.tree().path_of(own)? {
                Some(path) => self.tree().processes_below(&path)?.into_iter().collect(),
                None => BTreeSet::new(),
            };
            let all = self.tree().processes_below(Path::new("/"))?;
            return Ok(all.into_iter().filter(|tgid| !own.contains(tgid)).collect());
        }
        let mut found = Vec::new();
        for id in self.governed()? {
            if let Some(path) = self.tree().path_of(id)? {
                found.extend(self.tree().processes_below(&path)?);
            }
        }
        Ok(found)
    }

    /// Sets the captured destinations.
    ///
    /// # Errors
    /// [`InterceptionError::Full`]: those that were captured before still are, and part of the new
    /// may be.
    pub fn capture(&self, wanted: &BTreeSet<Captured>) -> Result<(), InterceptionError> {
        let (mut v4, mut v6) = (BTreeSet::new(), BTreeSet::new());
        for captured in wanted {
            match captured.key() {
                CapturedKey::V4(key) => {
                    self.maps.captured4.put(&key, &1).map_err(full("CAPTURED4"))?;
                    v4.insert((key.prefix_len(), key.data()));
                }
                CapturedKey::V6(key) => {
                    self.maps.captured6.put(&key, &1).map_err(full("CAPTURED6"))?;
                    v6.insert((key.prefix_len(), key.data()));
                }
            }
        }
        for key in self.maps.captured4.keys().map_err(access("CAPTURED4"))? {
            if !v4.contains(&(key.prefix_len(), key.data())) {
                self.maps.captured4.remove(&key).map_err(access("CAPTURED4"))?;
            }
        }
        for key in self.maps.captured6.keys().map_err(access("CAPTURED6"))? {
            if !v6.contains(&(key.prefix_len(), key.data())) {
                self.maps.captured6.remove(&key).map_err(access("CAPTURED6"))?;
            }
        }
        Ok(())
    }

    /// Names the gateway's listener in a network namespace.
    ///
    /// # Errors
    /// [`InterceptionError::Full`].
    pub fn set_listener(&self, netns_cookie: u64, port: u16) -> Result<(), InterceptionError> {
        let listener = Listener { port_be: u32::from(port.to_be()), state: 1 };
        self.maps.listeners.put(&netns_cookie, &listener).map_err(full("LISTENERS"))
    }

    /// Forgets the listener of a network namespace that is gone.
    ///
    /// # Errors
    /// [`InterceptionError::MapAccess`].
    pub fn forget_listener(&self, netns_cookie: u64) -> Result<(), InterceptionError> {
        self.maps.listeners.remove(&netns_cookie).map_err(access("LISTENERS"))
    }

    /// The port of the gateway's listener in a network namespace, as the kernel has it: perhaps from
    /// an earlier daemon.
    ///
    /// # Errors
    /// [`InterceptionError::MapAccess`].
    pub fn listener_port(&self, netns_cookie: u64) -> Result<Option<u16>, InterceptionError> {
        let listener = self.maps.listeners.get(&netns_cookie).map_err(access("LISTENERS"))?;
        Ok(listener.map(|listener| {
            u16::from_be(u16::try_from(listener.port_be & 0xffff).unwrap_or_default())
        }))
    }

    /// The counters, summed over CPUs.
    ///
    /// # Errors
    /// [`InterceptionError::MapAccess`].
    pub fn counters(&self) -> Result<Vec<(Counter, u64)>, InterceptionError> {
        let cpus = aya::util::nr_cpus().map_err(|(_, source)| access("COUNTERS")(source))?;
        Counter::ALL
            .iter()
            .map(|counter| {
                let values = self
                    .maps
                    .counters
                    .get_per_cpu(*counter as u32, cpus)
                    .map_err(access("COUNTERS"))?;
                Ok((*counter, values.iter().sum()))
            })
            .collect()
    }

    /// Connects and datagrams of governed tasks to destinations that are not captured, by cgroup.
    /// The least recently counted cgroups are forgotten when there are thousands.
    ///
    /// # Errors
    /// [`InterceptionError::MapAccess`].
    pub fn unlisted(&self) -> Result<Vec<(CgroupId, u64)>, InterceptionError> {
        let mut counts = Vec::new();
        for id in self.maps.unlisted.keys().map_err(access("UNLISTED"))? {
            if let Some(count) = self.maps.unlisted.get(&id).map_err(access("UNLISTED"))? {
                counts.push((CgroupId(id), count));
            }
        }
        Ok(counts)
    }

    fn settings(&self) -> Result<Settings, InterceptionError> {
        let settings = self.maps.settings.get(&0).map_err(access("SETTINGS"))?;
        Ok(settings.unwrap_or_default())
    }

    fn set(&self, settings: Settings) -> Result<(), InterceptionError> {
        self.maps.settings.put(&0, &settings).map_err(access("SETTINGS"))
    }
}

/// Components of a path below the root: `/a/b` is at level 2.
fn level_of(path: &str) -> usize {
    path.split('/').filter(|component| !component.is_empty()).count()
}

/// An error of writing to a map: most often it is full (`E2BIG`, for tries `ENOSPC`).
fn full(name: &'static str) -> impl FnOnce(std::io::Error) -> InterceptionError {
    move |source| match source.raw_os_error() {
        Some(libc::E2BIG | libc::ENOSPC) => InterceptionError::Full { name },
        _ => InterceptionError::MapAccess { name, source },
    }
}

fn access(name: &'static str) -> impl FnOnce(std::io::Error) -> InterceptionError {
    move |source| InterceptionError::MapAccess { name, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_matches_by_its_last_component_wherever_it_lies() {
        let unit = CgroupPattern::Unit("report.service".into());
        assert!(unit.matches("/system.slice/report.service"));
        assert!(unit.matches("/report.service"));
        assert!(!unit.matches("/system.slice/report.service/child"));
        assert!(!unit.matches("/system.slice/x-report.service"));
    }

    #[test]
    fn a_pattern_that_cannot_be_a_cgroup_is_refused() {
        let long = "x".repeat(NAME_BYTES);
        for wrong in ["", "a/b", long.as_str(), "nul\0"] {
            assert!(CgroupPattern::Unit(wrong.into()).watched().is_err(), "{wrong:?}");
        }
        for wrong in ["", "/", "relative", "/trailing/"] {
            assert!(CgroupPattern::Path(wrong.into()).watched().is_err(), "{wrong:?}");
        }
        assert!(CgroupPattern::Path("/automation.slice".into()).watched().is_ok());
    }

    #[test]
    fn a_mapped_address_is_captured_as_ipv4() {
        let mapped = Captured::host("::ffff:10.0.5.10".parse().unwrap(), 5432);
        let plain = Captured::host("10.0.5.10".parse().unwrap(), 5432);
        assert_eq!(mapped, plain);
        assert_eq!(mapped.prefix_length, 32);
    }

    #[test]
    fn a_network_contains_its_addresses_at_its_port_only() {
        let network =
            Captured { address: "10.78.192.0".parse().unwrap(), prefix_length: 18, port: 5432 };
        for (destination, inside) in [
            ("10.78.255.1:5432", true),
            ("[::ffff:10.78.192.1]:5432", true),
            ("10.78.191.1:5432", false),
            ("10.78.255.1:5433", false),
            ("[fd77::1]:5432", false),
        ] {
            assert_eq!(network.contains(destination.parse().unwrap()), inside, "{destination}");
        }
        let host = Captured::host("fd77::2".parse().unwrap(), 5432);
        assert!(host.contains("[fd77::2]:5432".parse().unwrap()));
        assert!(!host.contains("[fd77::3]:5432".parse().unwrap()));
        let all = Captured { address: "0.0.0.0".parse().unwrap(), prefix_length: 0, port: 1 };
        assert!(all.contains("255.255.255.255:1".parse().unwrap()));
    }

    #[test]
    fn the_level_of_a_path_is_its_depth() {
        assert_eq!(level_of("/"), 0);
        assert_eq!(level_of("/a.slice"), 1);
        assert_eq!(level_of("/a.slice/b.service"), 2);
    }
}
