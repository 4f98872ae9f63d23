//! The maps and globals.
//!
//! Their names, types and sizes are what userspace checks when it adopts pinned ones.

use aya_ebpf::btf_maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, RingBuf, SkStorage};
use aya_ebpf::macros::btf_map;
use gateway_ebpf::{
    Counter, Event, Listener, NAME_BYTES, Offsets, Record, Settings, Tuple, WatchedName,
};

/// One element: what userspace wants.
#[btf_map]
pub(crate) static SETTINGS: Array<Settings, 1> = Array::new();

/// Ids of governed cgroups; everything below them is governed too.
#[btf_map]
pub(crate) static GOVERNED: HashMap<u64, u32, 16384> = HashMap::new();

/// Captured IPv4 destinations: port (network order, as a word), then address.
#[btf_map]
pub(crate) static CAPTURED4: LpmTrie<[u32; 2], u32, 65536> = LpmTrie::new();

/// Captured IPv6 destinations: port, then address.
#[btf_map]
pub(crate) static CAPTURED6: LpmTrie<[u32; 5], u32, 65536> = LpmTrie::new();

/// The gateway's listener in each network namespace, by netns cookie.
#[btf_map]
pub(crate) static LISTENERS: HashMap<u64, Listener, 8192> = HashMap::new();

/// The binding on the client's socket. `getpeername` answers from it.
#[btf_map]
pub(crate) static REDIRECTED: SkStorage<Record> = SkStorage::new();

/// The binding on the accepted socket. Userspace reads it by the socket's descriptor.
#[btf_map]
pub(crate) static ACCEPTED: SkStorage<Record> = SkStorage::new();

/// The gateway's own sockets. Only a holder of this map can mark one.
#[btf_map]
pub(crate) static EXEMPT: SkStorage<u32> = SkStorage::new();

/// Bindings between the client's SYN and the accepted socket: microseconds. Least recently used
/// entries go first when half-open connects flood it, and a connection whose entry went is refused.
#[btf_map]
pub(crate) static TUPLES: LruHashMap<Tuple, Record, 65536> = LruHashMap::new();

/// Names and paths of cgroups that are governed from the moment they are made.
#[btf_map]
pub(crate) static WATCHED: HashMap<WatchedName, u32, 1024> = HashMap::new();

/// Room for a name: too large for the stack.
#[btf_map]
pub(crate) static SCRATCH: PerCpuArray<[u8; NAME_BYTES], 2> = PerCpuArray::new();

/// The counters.
#[btf_map]
pub(crate) static COUNTERS: PerCpuArray<u64, { Counter::COUNT as usize }> = PerCpuArray::new();

/// Connects of governed tasks to destinations that are not captured, by the task's cgroup.
#[btf_map]
pub(crate) static UNLISTED: LruHashMap<u64, u64, 4096> = LruHashMap::new();

/// Events for userspace.
#[btf_map]
pub(crate) static EVENTS: RingBuf<Event, 1048576> = RingBuf::new();

/// Offsets of kernel fields, set by userspace before loading; the verifier then sees constants.
#[unsafe(no_mangle)]
static OFFSETS: Offsets = Offsets::UNKNOWN;

/// Not 0: write debug lines through aya-log. Set before loading, so that otherwise the verifier
/// drops the code.
#[unsafe(no_mangle)]
static DEBUG: u32 = 0;

/// The offsets.
#[inline(always)]
pub(crate) fn offsets() -> Offsets {
    // SAFETY: a valid static. Volatile, because userspace changes it behind the compiler's back.
    unsafe { core::ptr::read_volatile(&raw const OFFSETS) }
}

/// Whether debug lines are wanted.
#[inline(always)]
pub(crate) fn debug() -> bool {
    // SAFETY: as above.
    unsafe { core::ptr::read_volatile(&raw const DEBUG) != 0 }
}
