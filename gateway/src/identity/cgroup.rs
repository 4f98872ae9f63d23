//! From a cgroup's id to its path.
//!
//! Owns the cgroup2 mount as this process sees it and a cache of paths. Must not know what a path
//! means (`unit`) nor which cgroups are governed (`interception`). Kernel ids are 64 bits with a
//! generation and are never given twice while the host is up (`kernfs_new_node`), and a cgroup2
//! directory cannot be renamed, so a path once read stays true; it is still checked on every use
//! that the cgroup lives, because a path without its cgroup is nobody's. Ends with its owner.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::CgroupId;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, fstatat};
use parking_lot::Mutex;

use super::mounts::{MountError, cgroup2_mount};

/// Paths kept. Raised, a host with very many short cgroups costs more memory; one is ~150 bytes.
const CACHED_PATHS_MAX: usize = 16_384;

/// `FILEID_KERNFS` of the kernel's `exportfs.h`: the handle is the 64-bit id of a kernfs node.
const HANDLE_KIND_KERNFS: libc::c_int = 0xfe;

/// Why a cgroup id has no path.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The cgroup2 file system is not usable.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The cgroup was removed after the socket connected.
    #[error("cgroup {} no longer exists", .0.0)]
    Vanished(CgroupId),
    /// The path is not text.
    #[error("the path of cgroup {} is not UTF-8", .0.0)]
    NotText(CgroupId),
    /// The kernel refused.
    #[error("cgroup {} cannot be looked up (this takes CAP_DAC_READ_SEARCH): {source}", .id.0)]
    Lookup {
        /// The cgroup asked for.
        id: CgroupId,
        /// What the kernel said.
        source: io::Error,
    },
}

/// From cgroup ids to paths: the kernel's tree, or a made-up one in tests.
pub trait CgroupPaths: Send + Sync + std::fmt::Debug {
    /// The path below the cgroup2 root, beginning with `/`, of a cgroup that lives now.
    ///
    /// # Errors
    /// Where the cgroup is gone or cannot be looked up: refuse the socket.
    fn path_of(&self, id: CgroupId) -> Result<Arc<str>, CgroupError>;
}

/// The cgroup2 tree of this host.
#[derive(Debug)]
pub struct CgroupTree {
    root: OwnedFd,
    mount: PathBuf,
    paths: Mutex<HashMap<CgroupId, Arc<str>>>,
}

impl CgroupTree {
    /// Finds the cgroup2 mount in `/proc/self/mountinfo` and holds it open.
    ///
    /// # Errors
    /// Where there is none, or only one that shows part of the tree.
    pub fn open() -> Result<Self, CgroupError> {
        let mount = cgroup2_mount()?;
        // Not O_PATH: open_by_handle_at(2) refuses such a descriptor.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = nix::fcntl::open(&mount, flags, Mode::empty()).map_err(|error| {
            MountError::Unreadable { path: mount.clone(), source: error.into() }
        })?;
        Ok(Self { root, mount, paths: Mutex::default() })
    }

    /// Where the cgroup2 file system is mounted.
    #[must_use]
    pub fn mount(&self) -> &Path {
        &self.mount
    }

    /// Whether `path` (as in [`CgroupPaths::path_of`]) is at this moment the cgroup `id`.
    fn is_at(&self, path: &str, id: CgroupId) -> bool {
        let below = path.trim_start_matches('/');
        let below = if below.is_empty() { "." } else { below };
        fstatat(&self.root, below, AtFlags::AT_SYMLINK_NOFOLLOW)
            .is_ok_and(|found| found.st_ino == id.0)
    }

    fn look_up(&self, id: CgroupId) -> Result<Arc<str>, CgroupError> {
        let directory = open_by_id(&self.root, id).map_err(|source| {
            if source.raw_os_error() == Some(libc::ESTALE) {
                CgroupError::Vanished(id)
            } else {
                CgroupError::Lookup { id, source }
            }
        })?;
        let shown = |descriptor: &OwnedFd| {
            let link = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
            std::fs::read_link(link).map_err(|source| CgroupError::Lookup { id, source })
        };
        let (root, path) = (shown(&self.root)?, shown(&directory)?);
        let below = path.strip_prefix(&root).map_err(|_| CgroupError::Vanished(id))?;
        let below = below.to_str().ok_or(CgroupError::NotText(id))?;
        let path: Arc<str> = Arc::from(format!("/{below}"));
        // A cgroup removed between the two steps shows as `NAME (deleted)`, which is also a name
        // that a user may give to a living one: what stands at the path decides.
        if self.is_at(&path, id) { Ok(path) } else { Err(CgroupError::Vanished(id)) }
    }
}

impl CgroupPaths for CgroupTree {
    fn path_of(&self, id: CgroupId) -> Result<Arc<str>, CgroupError> {
        let known = self.paths.lock().get(&id).cloned();
        if let Some(path) = known {
            if self.is_at(&path, id) {
                return Ok(path);
            }
            self.paths.lock().remove(&id);
            return Err(CgroupError::Vanished(id));
        }
        let path = self.look_up(id)?;
        let mut paths = self.paths.lock();
        if paths.len() >= CACHED_PATHS_MAX {
            paths.clear();
        }
        paths.insert(id, Arc::clone(&path));
        Ok(path)
    }
}

/// `struct file_handle` with room for the eight bytes of a kernfs id.
#[repr(C)]
struct KernfsHandle {
    bytes: libc::c_uint,
    kind: libc::c_int,
    id: [u8; 8],
}

fn open_by_id(mount: &OwnedFd, id: CgroupId) -> io::Result<OwnedFd> {
    let mut handle = MaybeUninit::new(KernfsHandle {
        bytes: 8,
        kind: HANDLE_KIND_KERNFS,
        id: id.0.to_ne_bytes(),
    });
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the handle has the layout of `struct file_handle` followed by the eight bytes that
    // its first field announces, and outlives the call; `mount` is an open descriptor.
    let opened = unsafe {
        libc::open_by_handle_at(
            mount.as_raw_fd(),
            handle.as_mut_ptr().cast::<libc::file_handle>(),
            flags,
        )
    };
    if opened < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call gave a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// A cgroup that is removed when it goes out of scope.
    struct Made(PathBuf);

    impl Made {
        fn new(tree: &CgroupTree, name: &str) -> Self {
            let path = tree.mount().join(format!("identity-test-{}-{name}", std::process::id()));
            std::fs::create_dir(&path).expect("making a cgroup takes root and cgroup2");
            Self(path)
        }

        fn id(&self) -> CgroupId {
            CgroupId(std::fs::metadata(&self.0).unwrap().ino())
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            let _gone = std::fs::remove_dir(&self.0);
        }
    }

    #[test]
    fn the_path_of_a_living_cgroup_is_found_and_found_again() {
        let tree = CgroupTree::open().unwrap();
        let made = Made::new(&tree, "living (deleted)");
        let expected = format!("/{}", made.0.file_name().unwrap().to_str().unwrap());
        assert_eq!(&*tree.path_of(made.id()).unwrap(), expected);
        assert_eq!(&*tree.path_of(made.id()).unwrap(), expected);
        let root = CgroupId(std::fs::metadata(tree.mount()).unwrap().ino());
        assert_eq!(&*tree.path_of(root).unwrap(), "/");
    }

    #[test]
    fn a_vanished_cgroup_is_an_error_cached_or_not() {
        let tree = CgroupTree::open().unwrap();
        let (cached, unseen) = (Made::new(&tree, "cached"), Made::new(&tree, "unseen"));
        let (cached_id, unseen_id) = (cached.id(), unseen.id());
        tree.path_of(cached_id).unwrap();
        drop((cached, unseen));
        for id in [cached_id, unseen_id, CgroupId(u64::MAX)] {
            assert!(matches!(tree.path_of(id), Err(CgroupError::Vanished(gone)) if gone == id));
        }
    }

    #[test]
    fn a_cgroup_made_again_under_the_same_name_is_another() {
        let tree = CgroupTree::open().unwrap();
        let first = Made::new(&tree, "again");
        let old = first.id();
        tree.path_of(old).unwrap();
        drop(first);
        let second = Made::new(&tree, "again");
        assert_ne!(old, second.id());
        assert!(matches!(tree.path_of(old), Err(CgroupError::Vanished(_))));
        tree.path_of(second.id()).unwrap();
    }
}
