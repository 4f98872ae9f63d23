//! Reading `mountinfo`: where cgroup2 is mounted, and which file system a mount shows.
//!
//! Owns the format (proc_pid_mountinfo(5)). Must not know who asks. Holds nothing.

use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Why a mount could not be found or used.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// There is no cgroup2 mount that shows the whole tree.
    #[error(
        "no cgroup2 file system is mounted with its root visible; run on the host, outside any \
         cgroup namespace, or: mount -t cgroup2 none /sys/fs/cgroup"
    )]
    NoCgroup2,
    /// A file or directory could not be opened or read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One line of `mountinfo`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The mount's id, as `fdinfo` names it.
    pub(super) id: u64,
    /// The file system's own device number, in the encoding of `stat(2)`.
    pub(super) device: u64,
    /// The directory of the file system that is mounted.
    pub(super) root: PathBuf,
    /// Where it is mounted.
    pub(super) place: PathBuf,
    /// The type, such as `cgroup2`.
    pub(super) kind: String,
}

/// The directory where cgroup2 is mounted whole.
pub(super) fn cgroup2_mount() -> Result<PathBuf, MountError> {
    let path = PathBuf::from("/proc/self/mountinfo");
    let text = std::fs::read(&path).map_err(|source| MountError::Unreadable { path, source })?;
    find_cgroup2(&text).ok_or(MountError::NoCgroup2)
}

fn find_cgroup2(mountinfo: &[u8]) -> Option<PathBuf> {
    parse(mountinfo)
        .find(|mount| mount.kind == "cgroup2" && mount.root.as_os_str() == "/")
        .map(|mount| mount.place)
}

/// The mounts of a `mountinfo` text; a line that cannot be read is left out.
pub(super) fn parse(mountinfo: &[u8]) -> impl Iterator<Item = Mount> {
    mountinfo.split(|&byte| byte == b'\n').filter_map(parse_line)
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let _parent = fields.next()?;
    let (major, minor) = std::str::from_utf8(fields.next()?).ok()?.split_once(':')?;
    let device = libc::makedev(major.parse().ok()?, minor.parse().ok()?);
    let root = unescape(fields.next()?);
    let place = unescape(fields.next()?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some(Mount { id, device, root, place, kind: String::from_utf8(kind.to_vec()).ok()? })
}

/// Undoes the octal escapes (`\040`) of space, tab, newline and backslash.
fn unescape(field: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'\\').then(|| after.split_at_checked(3)).flatten().and_then(
            |(digits, tail)| {
                let digits = std::str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 8).ok()?, tail))
            },
        );
        let (byte, tail) = escaped.unwrap_or((first, after));
        plain.push(byte);
        rest = tail;
    }
    PathBuf::from(std::ffi::OsString::from_vec(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_optional_fields_and_escapes_is_read() {
        let line = b"36 35 254:3 / /mnt/a\\040b rw,noatime shared:1 master:2 - ext4 /dev/root rw";
        let mount = parse_line(line).unwrap();
        assert_eq!(mount.device, (254 << 8) | 3);
        assert_eq!(mount.place, PathBuf::from("/mnt/a b"));
        assert_eq!((mount.id, mount.kind.as_str()), (36, "ext4"));
    }

    #[test]
    fn only_a_cgroup2_mount_that_shows_the_root_counts() {
        let hybrid = b"30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            31 30 0:27 /../.. /sys/fs/cgroup/inner rw - cgroup2 cgroup2 rw\n\
            32 30 0:27 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n\
            33 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
        assert_eq!(find_cgroup2(hybrid), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        let namespaced = b"31 30 0:27 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(find_cgroup2(namespaced), None);
    }
}
