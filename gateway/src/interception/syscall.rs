//! The few `bpf(2)` commands that the loader library does not offer.
//!
//! Owns their attribute layouts and nothing else: creating a link and replacing the program in a
//! pinned one, pinning, and map access through a shared reference (the library wants `&mut` for
//! every insert, which would put a lock before every accepted connection). Layouts are those of
//! `union bpf_attr` in linux/bpf.h; the kernel takes any prefix of it, with the rest read as zero.

use std::ffi::CString;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use aya::Pod;

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_MAP_DELETE_ELEM: libc::c_long = 3;
const BPF_MAP_GET_NEXT_KEY: libc::c_long = 4;
const BPF_OBJ_PIN: libc::c_long = 6;
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_LINK_UPDATE: libc::c_long = 29;
const BPF_LINK_DETACH: libc::c_long = 34;

/// A map of keys `K` and values `V`, usable from any thread at once.
///
/// The sizes are those of the kernel's map: whoever makes one checked them (`pins`).
pub(super) struct MapHandle<K, V> {
    fd: OwnedFd,
    _types: PhantomData<fn(K) -> V>,
}

impl<K, V> std::fmt::Debug for MapHandle<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MapHandle").field(&self.fd).finish()
    }
}

impl<K: Pod, V: Pod> MapHandle<K, V> {
    /// The map pinned at `path`, whose key and value sizes are `K`'s and `V`'s.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { fd: object_get(path)?, _types: PhantomData })
    }

    /// The value under `key`; `None` where there is none.
    pub(super) fn get(&self, key: &K) -> io::Result<Option<V>> {
        let mut value = std::mem::MaybeUninit::<V>::zeroed();
        let attribute = self.element(key, value.as_mut_ptr().cast_const(), 0);
        match bpf(BPF_MAP_LOOKUP_ELEM, &attribute) {
            // SAFETY: the kernel filled the value, and any bytes are a value of a `Pod` type.
            Ok(_) => Ok(Some(unsafe { value.assume_init() })),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts `value` under `key`.
    pub(super) fn put(&self, key: &K, value: &V) -> io::Result<()> {
        bpf(BPF_MAP_UPDATE_ELEM, &self.element(key, value, 0)).map(|_| ())
    }

    /// Removes `key`; no error if it is not there.
    pub(super) fn remove(&self, key: &K) -> io::Result<()> {
        let attribute = self.element(key, std::ptr::null(), 0);
        match bpf(BPF_MAP_DELETE_ELEM, &attribute) {
            Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
            _ => Ok(()),
        }
    }

    /// All keys. Keys that come or go meanwhile may or may not be among them.
    pub(super) fn keys(&self) -> io::Result<Vec<K>> {
        let mut keys: Vec<K> = Vec::new();
        loop {
            let last = keys.last().map_or(std::ptr::null(), std::ptr::from_ref);
            let mut next = std::mem::MaybeUninit::<K>::zeroed();
            let attribute = Element {
                map_fd: self.raw(),
                _pad: 0,
                key: last as u64,
                value: next.as_mut_ptr() as u64,
                flags: 0,
            };
            match bpf(BPF_MAP_GET_NEXT_KEY, &attribute) {
                // SAFETY: the kernel filled the key, and any bytes are a value of a `Pod` type.
                Ok(_) => keys.push(unsafe { next.assume_init() }),
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(keys),
                Err(error) => return Err(error),
            }
        }
    }

    fn raw(&self) -> u32 {
        raw(self.fd.as_fd())
    }

    fn element(&self, key: *const K, value: *const V, flags: u64) -> Element {
        Element { map_fd: self.raw(), _pad: 0, key: key as u64, value: value as u64, flags }
    }
}

impl<V: Pod> MapHandle<u32, V> {
    /// The values of all CPUs at one index of a per-CPU array. `V` is at most 8 bytes long, which
    /// the kernel rounds up to 8.
    pub(super) fn get_per_cpu(&self, index: u32, cpus: usize) -> io::Result<Vec<u64>> {
        let mut values = vec![0_u64; cpus];
        let attribute = Element {
            map_fd: self.raw(),
            _pad: 0,
            key: std::ptr::from_ref(&index) as u64,
            value: values.as_mut_ptr() as u64,
            flags: 0,
        };
        bpf(BPF_MAP_LOOKUP_ELEM, &attribute)?;
        Ok(values)
    }
}

#[repr(C)]
struct Element {
    map_fd: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ObjectPath {
    pathname: u64,
    fd: u32,
    flags: u32,
}

#[repr(C)]
struct LinkCreate {
    program_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
}

#[repr(C)]
struct LinkUpdate {
    link_fd: u32,
    program_fd: u32,
    flags: u32,
    old_program_fd: u32,
}

#[repr(C)]
struct RawTracepoint {
    name: u64,
    program_fd: u32,
    _pad: u32,
}

/// Opens the object pinned at `path`.
pub(super) fn object_get(path: &Path) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let attribute = ObjectPath { pathname: path.as_ptr() as u64, fd: 0, flags: 0 };
    bpf(BPF_OBJ_GET, &attribute).map(owned)
}

/// Pins an object at `path`.
pub(super) fn object_pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    let attribute = ObjectPath { pathname: path.as_ptr() as u64, fd: raw(object), flags: 0 };
    bpf(BPF_OBJ_PIN, &attribute).map(|_| ())
}

/// Attaches a program to a cgroup. With a link, several programs may be attached at one place.
pub(super) fn link_create(
    program: BorrowedFd<'_>,
    cgroup: BorrowedFd<'_>,
    attach_type: u32,
) -> io::Result<OwnedFd> {
    let attribute =
        LinkCreate { program_fd: raw(program), target_fd: raw(cgroup), attach_type, flags: 0 };
    bpf(BPF_LINK_CREATE, &attribute).map(owned)
}

/// Replaces the program of a link. At every moment one of the two runs.
pub(super) fn link_update(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    let attribute =
        LinkUpdate { link_fd: raw(link), program_fd: raw(program), flags: 0, old_program_fd: 0 };
    bpf(BPF_LINK_UPDATE, &attribute).map(|_| ())
}

/// Detaches a link's program before this returns; dropping the last reference does it some time later.
pub(super) fn link_detach(link: BorrowedFd<'_>) -> io::Result<()> {
    bpf(BPF_LINK_DETACH, &raw(link)).map(|_| ())
}

/// Attaches a BTF tracepoint program, which knows its tracepoint from its loading.
pub(super) fn tracepoint_open(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let attribute = RawTracepoint { name: 0, program_fd: raw(program), _pad: 0 };
    bpf(BPF_RAW_TRACEPOINT_OPEN, &attribute).map(owned)
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from)
}

/// A descriptor as the attributes have it.
fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

fn owned(fd: RawFd) -> OwnedFd {
    // SAFETY: the kernel just gave us this descriptor, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn bpf<T>(command: libc::c_long, attribute: &T) -> io::Result<RawFd> {
    // SAFETY: `attribute` is a prefix of `union bpf_attr` for this command, of the size given, and
    // every pointer in it is valid for the call; callers borrow what they point to.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attribute), size_of::<T>())
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    RawFd::try_from(result).map_err(|_| io::ErrorKind::InvalidData.into())
}
