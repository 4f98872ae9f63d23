//! What changes while programs run: cgroups that appear, tasks that enter them.
//!
//! A unit's cgroup is made when the unit starts. The tracepoint fires before the new directory can be
//! seen, so that no task can be in the cgroup before it is governed. Optional: where tracepoints with
//! BTF cannot be loaded, userspace watches the tree instead, and there is a race.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use gateway_ebpf::{
    Counter, EventKind, FLAG_GOVERN_HOST, LEVELS, NAME_BYTES, Offsets, Settings, WatchedName,
};

use super::govern::{settings, task_is_governed};
use super::maps::{GOVERNED, LISTENERS, SCRATCH, SETTINGS, WATCHED, offsets};
use super::report::{count, fill_task, send};
use super::task::{current, read};

/// The cgroup2 hierarchy; the others (cgroup1) have their own numbers.
const DEFAULT_HIERARCHY: u32 = 0;

#[btf_tracepoint(function = "cgroup_mkdir")]
pub(crate) fn pcl_cgroup_made(hook: BtfTracePointContext) -> i32 {
    let (cgroup, path) = (hook.arg::<*const c_void>(0), hook.arg::<*const c_void>(1));
    let Some(id) = id_of(cgroup as u64) else { return 0 };
    let at = offsets();
    let node = read::<u64>(cgroup as u64, at.cgroup_kn).unwrap_or(0);
    let name = read::<u64>(node, at.kernfs_node_name).unwrap_or(0);
    if !is_watched(path) && !is_watched(name as *const c_void) {
        return 0;
    }
    if GOVERNED.insert(&id, 1_u32, 0).is_err() {
        count(Counter::CgroupsMissed);
        if let Some(settings) = SETTINGS.get_ptr_mut(0) {
            // SAFETY: a map value; the one field that only this side sets.
            unsafe { (*settings).overflowed = 1 };
        }
        return 0;
    }
    count(Counter::CgroupsGoverned);
    send(EventKind::CgroupGoverned, |event| event.cgroup = id);
    0
}

#[btf_tracepoint(function = "cgroup_rmdir")]
pub(crate) fn pcl_cgroup_gone(hook: BtfTracePointContext) -> i32 {
    let Some(id) = id_of(hook.arg::<*const c_void>(0) as u64) else { return 0 };
    if GOVERNED.get_ptr(&id).is_some() {
        let _ = GOVERNED.remove(&id);
        send(EventKind::CgroupGone, |event| event.cgroup = id);
    }
    0
}

#[btf_tracepoint(function = "cgroup_attach_task")]
pub(crate) fn pcl_task_moved(hook: BtfTracePointContext) -> i32 {
    let (cgroup, task) = (hook.arg::<*const c_void>(0) as u64, hook.arg::<*const c_void>(2) as u64);
    let (Some(id), Some(settings)) = (id_of(cgroup), settings()) else { return 0 };
    if settings.flags & FLAG_GOVERN_HOST != 0 || !is_below_governed(settings, cgroup) {
        return 0;
    }
    let tgid = read(task, offsets().task_tgid).unwrap_or(0);
    send(EventKind::TaskEntered, |event| {
        event.cgroup = id;
        event.tgid = tgid;
    });
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
pub(crate) fn pcl_task_exec(_hook: BtfTracePointContext) -> i32 {
    let Some(settings) = settings() else { return 0 };
    if !task_is_governed(settings) {
        return 0;
    }
    // A job is executed into its namespace long before it connects: time to open a listener there.
    let at = offsets();
    let proxies = read::<u64>(current(), at.task_nsproxy).unwrap_or(0);
    let namespace = read::<u64>(proxies, at.nsproxy_net_ns).unwrap_or(0);
    let Some(netns_cookie) = read::<u64>(namespace, at.net_cookie) else { return 0 };
    if LISTENERS.get_ptr(&netns_cookie).is_none() {
        send(EventKind::NetnsSeen, |event| {
            fill_task(event);
            event.netns_cookie = netns_cookie;
        });
    }
    0
}

/// Whether a cgroup or one of its ancestors is governed.
#[inline(always)]
fn is_below_governed(settings: &Settings, cgroup: u64) -> bool {
    let at = offsets();
    let Some(own_level) = read::<u32>(cgroup, at.cgroup_level) else { return false };
    if at.cgroup_ancestors == Offsets::ABSENT {
        return false;
    }
    for level in 1..LEVELS as u32 {
        // The array of ancestors ends with the cgroup itself.
        if level > own_level {
            return false;
        }
        if settings.levels[level as usize] == 0 {
            continue;
        }
        let ancestor = read::<u64>(cgroup, at.cgroup_ancestors + 8 * level).unwrap_or(0);
        if id_of(ancestor).is_some_and(|id| GOVERNED.get_ptr(&id).is_some()) {
            return true;
        }
    }
    false
}

/// The id of a cgroup of the cgroup2 hierarchy.
#[inline(always)]
fn id_of(cgroup: u64) -> Option<u64> {
    let at = offsets();
    let root = read::<u64>(cgroup, at.cgroup_root)?;
    if read::<u32>(root, at.cgroup_root_hierarchy_id)? != DEFAULT_HIERARCHY {
        return None;
    }
    read(read(cgroup, at.cgroup_kn)?, at.kernfs_node_id)
}

/// Whether a NUL-terminated kernel string is one of the watched names and paths.
#[inline(always)]
fn is_watched(text: *const c_void) -> bool {
    let Some(room) = SCRATCH.get_ptr_mut(0) else { return false };
    // SAFETY: this CPU's room, `NAME_BYTES` long. The copy leaves what follows the NUL as it is, so
    // it is cleared first: the key is the whole room.
    let copied = unsafe {
        core::ptr::write_bytes(room, 0, 1);
        bpf_probe_read_kernel_str(room.cast(), NAME_BYTES as u32, text)
    };
    if copied <= 1 {
        return false;
    }
    // SAFETY: same size and alignment: an array of bytes.
    let name = unsafe { &*room.cast::<WatchedName>() };
    WATCHED.get_ptr(name).is_some()
}
