//! The cgroup2 tree: ids to paths, paths to ids.
//!
//! Owns the mount point and a cache. A cgroup's id is the inode of its directory and, as a kernfs
//! file handle, opens it without a walk. Knows nothing of who is governed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::CgroupId;
use parking_lot::Mutex;

use super::InterceptionError;

/// Paths that are remembered. A host has thousands of cgroups; beyond this the cache starts anew.
const CACHED_MAX: usize = 16_384;
/// A kernfs handle: the node's 64-bit id (`enum fid_type` in linux/exportfs.h).
const FILEID_KERNFS: libc::c_int = 0xfe;

/// The mounted cgroup2 hierarchy.
#[derive(Debug)]
pub struct CgroupTree {
    mount: PathBuf,
    root: File,
    paths: Mutex<HashMap<CgroupId, PathBuf>>,
}

impl CgroupTree {
    /// Finds the mount in `/proc/self/mountinfo`.
    ///
    /// # Errors
    /// [`InterceptionError::Cgroup`] where there is none, or it cannot be opened.
    pub fn find() -> Result<Self, InterceptionError> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")
            .map_err(|source| cgroup_error("/proc/self/mountinfo", source))?;
        let mount = mount_point(&mounts).ok_or_else(|| {
            cgroup_error("/proc/self/mountinfo", io::Error::other("no cgroup2 mount"))
        })?;
        let root = File::open(&mount).map_err(|source| cgroup_error(&mount, source))?;
        Ok(Self { mount, root, paths: Mutex::default() })
    }

    /// Where the hierarchy is mounted.
    #[must_use]
    pub fn mount(&self) -> &Path {
        &self.mount
    }

    /// The root cgroup, for attaching.
    pub(super) fn open_root(&self) -> Result<File, InterceptionError> {
        self.root.try_clone().map_err(|source| cgroup_error(&self.mount, source))
    }

    /// The id of the cgroup at `path` (`/` is the root, `/a/b` two levels below it); `None` where
    /// there is no such cgroup.
    ///
    /// # Errors
    /// [`InterceptionError::Cgroup`] for anything else.
    pub fn id_of(&self, path: &str) -> Result<Option<CgroupId>, InterceptionError> {
        let directory = self.directory(path);
        match fs::metadata(&directory) {
            Ok(found) => Ok(found.is_dir().then(|| CgroupId(found.ino()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(cgroup_error(&directory, source)),
        }
    }

    /// The path of a cgroup, starting with `/`; `None` where it is gone. A cgroup that was seen
    /// before it went is still known.
    ///
    /// # Errors
    /// [`InterceptionError::Cgroup`] for anything else.
    pub fn path_of(&self, id: CgroupId) -> Result<Option<PathBuf>, InterceptionError> {
        if let Some(known) = self.paths.lock().get(&id) {
            return Ok(Some(known.clone()));
        }
        let Some(directory) = self.resolve(id)? else { return Ok(None) };
        let Ok(below) = directory.strip_prefix(&self.mount) else { return Ok(None) };
        let path = Path::new("/").join(below);
        let mut paths = self.paths.lock();
        if paths.len() >= CACHED_MAX {
            paths.clear();
        }
        paths.insert(id, path.clone());
        Ok(Some(path))
    }

    /// Whether the cgroup is there now; says nothing of the cache.
    ///
    /// # Errors
    /// [`InterceptionError::Cgroup`].
    pub fn exists(&self, id: CgroupId) -> Result<bool, InterceptionError> {
        self.resolve(id).map(|found| found.is_some())
    }

    /// The directory of a cgroup in the file system.
    #[must_use]
    pub fn directory(&self, path: &str) -> PathBuf {
        self.mount.join(path.trim_start_matches('/'))
    }

    /// Every cgroup below the root with its path, parents before children.
    ///
    /// # Errors
    /// [`InterceptionError::Cgroup`]; a cgroup that goes meanwhile is none.
    pub fn walk(&self) -> Result<Vec<(String, CgroupId)>, InterceptionError> {
        let mut found = Vec::new();
        let mut pending = vec![String::new()];
        while let Some(parent) = pending.pop() {
            let directory = self.directory(&parent);
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(cgroup_error(&directory, source)),
                Ok(entries) => entries,
            };
            for entry in entries.flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let path = format!("{parent}/{}", entry.file_name().to_string_lossy());
                if let Some(id) = self.id_of(&path)? {
                    found.push((path.clone(), id));
                    pending.push(path);
                }
            }
        }
        Ok(found)
    }

    /// The processes in the cgroup at `path` and below it. A cgroup that goes meanwhile has none.
    ///
    /// # Errors
    /// [`InterceptionError::Cgroup`].
    pub fn processes_below(&self, path: &Path) -> Result<Vec<u32>, InterceptionError> {
        let mut found = Vec::new();
        let mut pending = vec![self.mount.join(path.strip_prefix("/").unwrap_or(path))];
        while let Some(directory) = pending.pop() {
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(cgroup_error(&directory, source)),
                Ok(entries) => entries,
            };
            // A threaded cgroup lists its threads only.
            let list = fs::read_to_string(directory.join("cgroup.procs"))
                .or_else(|_| fs::read_to_string(directory.join("cgroup.threads")));
            let list = list.unwrap_or_default();
            found.extend(list.lines().filter_map(|line| line.parse::<u32>().ok()));
            let directories =
                entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            pending.extend(directories.map(|entry| entry.path()));
        }
        Ok(found)
    }

    /// Opens a cgroup by its id and asks where it is.
    fn resolve(&self, id: CgroupId) -> Result<Option<PathBuf>, InterceptionError> {
        let failed = |source| cgroup_error(&self.mount, source);
        let Some(directory) = open_by_id(&self.root, id).map_err(failed)? else {
            return Ok(None);
        };
        let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
        fs::read_link(link).map(Some).map_err(failed)
    }
}

/// A kernfs file handle (`struct file_handle` in fcntl.h, with 8 bytes of handle).
#[repr(C)]
struct KernfsHandle {
    bytes: libc::c_uint,
    kind: libc::c_int,
    id: [u8; 8],
}

fn open_by_id(root: &File, id: CgroupId) -> io::Result<Option<OwnedFd>> {
    let mut handle = KernfsHandle { bytes: 8, kind: FILEID_KERNFS, id: id.0.to_ne_bytes() };
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the handle has the layout of `struct file_handle` with 8 bytes behind it, as it says.
    let fd = unsafe { libc::open_by_handle_at(root.as_raw_fd(), (&raw mut handle).cast(), flags) };
    if fd >= 0 {
        // SAFETY: the kernel just gave us this descriptor, and nobody else has it.
        return Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) }));
    }
    let error = io::Error::last_os_error();
    if matches!(error.raw_os_error(), Some(libc::ESTALE | libc::ENOENT)) {
        return Ok(None);
    }
    Err(error)
}

/// The mount point of cgroup2 in a mountinfo file (proc_pid_mountinfo(5)): the fifth field of the line
/// whose type, the first field behind ` - `, is `cgroup2`.
fn mount_point(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        (after.split(' ').next()? == "cgroup2").then_some(())?;
        before.split(' ').nth(4).map(|path| PathBuf::from(path.replace("\\040", " ")))
    })
}

fn cgroup_error(path: impl AsRef<Path>, source: io::Error) -> InterceptionError {
    InterceptionError::Cgroup { path: path.as_ref().to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_is_found_beside_cgroup1_mounts() {
        let mounts = "\
33 32 0:28 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
34 32 0:29 / /sys/fs/cgroup/unified rw,relatime shared:10 master:1 - cgroup2 cgroup2 rw
";
        assert_eq!(mount_point(mounts), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        assert_eq!(mount_point("33 32 0:28 / / rw - ext4 /dev/vda rw\n"), None);
    }

    #[test]
    fn the_root_is_known_by_id_and_by_path() {
        let tree = CgroupTree::find().unwrap();
        let root = tree.id_of("/").unwrap().unwrap();
        assert_eq!(tree.path_of(root).unwrap(), Some(PathBuf::from("/")));
        assert_eq!(tree.id_of("/no-such-cgroup").unwrap(), None);
        assert_eq!(tree.path_of(CgroupId(u64::MAX)).unwrap(), None);
    }
}
