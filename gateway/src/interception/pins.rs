//! Where maps and links live while no daemon runs: a directory per instance on the BPF file system.
//!
//! ```text
//! /sys/fs/bpf/portcullis/v<layout>/<instance>/maps/<MAP>
//!                                            /links/<program>
//! ```
//! Owns the paths, the mounting of the file system, and the check that a pinned map has the shape
//! that this daemon's programs were built for. Removing a link's pin detaches its program at once:
//! only `uninstall` does that.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use aya::maps::{MapInfo, MapType};
use gateway_ebpf::{Counter, Event, LAYOUT_VERSION, Listener, NAME_BYTES, Record, Settings, Tuple};
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

use super::{InterceptionError, syscall};

/// The usual mount point of the BPF file system.
pub const BPF_FILE_SYSTEM: &str = "/sys/fs/bpf";

/// The name of one installation on this host: letters, digits, `-` and `_`, at most 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceName(String);

impl InstanceName {
    /// Checks the text.
    ///
    /// # Errors
    /// [`InterceptionError::InstanceName`] for anything that is not one plain path component.
    pub fn new(text: &str) -> Result<Self, InterceptionError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
            return Err(InterceptionError::InstanceName(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The pins of one instance.
#[derive(Clone, Debug)]
pub(super) struct Pins {
    root: PathBuf,
}

impl Pins {
    /// The paths of `instance` below the BPF file system at `file_system`.
    pub(super) fn new(file_system: &Path, instance: &InstanceName) -> Self {
        let root = file_system
            .join("portcullis")
            .join(format!("v{LAYOUT_VERSION}"))
            .join(instance.as_str());
        Self { root }
    }

    /// The pin of a map.
    pub(super) fn map(&self, name: &str) -> PathBuf {
        self.root.join("maps").join(name)
    }

    /// The directory of links.
    pub(super) fn links(&self) -> PathBuf {
        self.root.join("links")
    }

    /// The pin of a program's link.
    pub(super) fn link(&self, program: &str) -> PathBuf {
        self.links().join(program)
    }

    /// Mounts the BPF file system if nothing of the kind is there, and makes the directories, for
    /// root only: whoever can unlink a pin detaches the program.
    pub(super) fn prepare(&self, file_system: &Path) -> Result<(), InterceptionError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| InterceptionError::Pins { path, source }
        };
        let there = statfs(file_system).map_err(|e| failed(file_system)(e.into()))?;
        if there.filesystem_type() != BPF_FS_MAGIC {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            mount(Some("bpf"), file_system, Some("bpf"), flags, Some("mode=0700"))
                .map_err(|e| failed(file_system)(e.into()))?;
        }
        for directory in [self.root.join("maps"), self.links()] {
            make_directory(&directory).map_err(failed(&directory))?;
        }
        Ok(())
    }

    /// Whether an instance is installed: it has at least one link.
    pub(super) fn are_installed(&self) -> bool {
        fs::read_dir(self.links()).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Compares the maps that are already pinned with what the programs expect.
    pub(super) fn check_maps(&self, sizes: &MapSizes) -> Result<(), InterceptionError> {
        for shape in shapes(sizes) {
            let path = self.map(shape.name);
            if !path.exists() {
                continue;
            }
            let info = MapInfo::from_pin(&path)
                .map_err(|source| InterceptionError::Map { name: shape.name, source })?;
            let found = (info.map_type().ok(), info.key_size(), info.value_size());
            if found != (Some(shape.kind), shape.key, shape.value)
                || info.max_entries() != shape.entries
            {
                return Err(InterceptionError::MapShape { name: shape.name, path });
            }
        }
        Ok(())
    }

    /// Removes every pin of the instance. Links first: a program must not outlive its maps' names.
    /// When this returns, no hook runs any more.
    pub(super) fn remove(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.links()).into_iter().flatten() {
            let link = syscall::object_get(&entry?.path())?;
            match syscall::link_detach(link.as_fd()) {
                // Tracepoints detach by losing their pin, a moment later.
                Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
                detached => detached?,
            }
        }
        for directory in [self.links(), self.root.join("maps"), self.root.clone()] {
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                fs::remove_file(entry?.path())?;
            }
            fs::remove_dir(&directory)?;
        }
        self.remove_empty_parents()
    }

    /// Removes the directories that all instances share, once the last instance is gone.
    fn remove_empty_parents(&self) -> io::Result<()> {
        for directory in self.root.ancestors().skip(1).take(2) {
            match fs::remove_dir(directory) {
                // Another instance is there, or the BPF file system itself is busy.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::DirectoryNotEmpty
                            | io::ErrorKind::NotFound
                            | io::ErrorKind::ResourceBusy
                    ) => {}
                removed => removed?,
            }
        }
        Ok(())
    }
}

/// Makes a directory for root only, and those above it. An instance that is being uninstalled may
/// take an empty shared one away in between: then it is made again.
fn make_directory(directory: &Path) -> io::Result<()> {
    const ATTEMPTS_MAX: u32 = 8;
    let mut builder = fs::DirBuilder::new();
    let builder = builder.recursive(true).mode(0o700);
    for _ in 1..ATTEMPTS_MAX {
        match builder.create(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            made => return made,
        }
    }
    builder.create(directory)
}

/// Entries of the maps whose fill depends on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapSizes {
    /// Governed cgroups. Each takes some 60 bytes; a cgroup beyond them is refused at reload, and
    /// counted as missed when it appears by itself.
    pub governed: u32,
    /// Captured destinations of each family.
    pub captured: u32,
    /// Connections between SYN and accept. Beyond them the oldest is refused.
    pub tuples: u32,
    /// Network namespaces with a listener.
    pub listeners: u32,
}

impl Default for MapSizes {
    fn default() -> Self {
        Self { governed: 16_384, captured: 65_536, tuples: 65_536, listeners: 8_192 }
    }
}

impl MapSizes {
    /// The maps whose size is set at loading.
    pub(super) const fn by_name(&self) -> [(&'static str, u32); 5] {
        [
            ("GOVERNED", self.governed),
            ("CAPTURED4", self.captured),
            ("CAPTURED6", self.captured),
            ("TUPLES", self.tuples),
            ("LISTENERS", self.listeners),
        ]
    }
}

/// What a map must look like.
pub(super) struct Shape {
    /// Its name in the object.
    pub(super) name: &'static str,
    kind: MapType,
    key: u32,
    value: u32,
    entries: u32,
}

/// Every map that is pinned. The order is that of `gateway-ebpf/src/programs/maps.rs`.
pub(super) fn shapes(sizes: &MapSizes) -> Vec<Shape> {
    let word = size_of::<u32>();
    let double = size_of::<u64>();
    let shape = |name, kind, key: usize, value: usize, entries| Shape {
        name,
        kind,
        key: u32::try_from(key).unwrap_or(u32::MAX),
        value: u32::try_from(value).unwrap_or(u32::MAX),
        entries,
    };
    let record = size_of::<Record>();
    vec![
        shape("SETTINGS", MapType::Array, word, size_of::<Settings>(), 1),
        shape("GOVERNED", MapType::Hash, double, word, sizes.governed),
        shape("CAPTURED4", MapType::LpmTrie, 3 * word, word, sizes.captured),
        shape("CAPTURED6", MapType::LpmTrie, 6 * word, word, sizes.captured),
        shape("LISTENERS", MapType::Hash, double, size_of::<Listener>(), sizes.listeners),
        shape("REDIRECTED", MapType::SkStorage, word, record, 0),
        shape("ACCEPTED", MapType::SkStorage, word, record, 0),
        shape("EXEMPT", MapType::SkStorage, word, word, 0),
        shape("TUPLES", MapType::LruHash, size_of::<Tuple>(), record, sizes.tuples),
        shape("WATCHED", MapType::Hash, NAME_BYTES, word, 1_024),
        shape("COUNTERS", MapType::PerCpuArray, word, double, Counter::COUNT),
        shape("UNLISTED", MapType::LruHash, double, double, 4_096),
        shape("EVENTS", MapType::RingBuf, 0, 0, ring_bytes()),
    ]
}

/// Bytes of the ring of events.
const fn ring_bytes() -> u32 {
    // Room for 8,000 events between two turns of the reader.
    const _: () = assert!(size_of::<Event>() * 8_000 < 1 << 20);
    1 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_name_is_one_plain_path_component() {
        assert!(InstanceName::new("pcl-test-1_a").is_ok());
        for wrong in ["", ".", "..", "a/b", "a b", "\u{e9}", &"x".repeat(65)] {
            assert!(InstanceName::new(wrong).is_err(), "{wrong:?} was accepted");
        }
    }
}
