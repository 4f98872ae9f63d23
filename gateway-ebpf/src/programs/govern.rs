//! Who is governed: the calling task's cgroup and its ancestors.

use aya_ebpf::bindings::__sk_buff;
use aya_ebpf::helpers::bpf_get_current_cgroup_id;
use aya_ebpf::helpers::generated::{
    bpf_get_current_ancestor_cgroup_id, bpf_skb_ancestor_cgroup_id,
};
use gateway_ebpf::{FLAG_GOVERN_HOST, LEVELS, Settings};

use super::maps::{GOVERNED, SETTINGS};

/// The settings. `None` cannot be: an array always has its elements.
#[inline(always)]
pub(crate) fn settings() -> Option<&'static Settings> {
    SETTINGS.get(0)
}

/// Whether the calling task is governed. Only for hooks that run in the task's own context.
#[inline(always)]
pub(crate) fn task_is_governed(settings: &Settings) -> bool {
    // SAFETY: the helper takes any level and answers 0 where there is none.
    is_governed(settings, |level| unsafe { bpf_get_current_ancestor_cgroup_id(level) })
}

/// Whether the socket that sends this packet was created in a governed cgroup.
#[inline(always)]
pub(crate) fn packet_is_governed(settings: &Settings, packet: *mut __sk_buff) -> bool {
    // SAFETY: the packet is the program's context; any level will do.
    is_governed(settings, |level| unsafe { bpf_skb_ancestor_cgroup_id(packet, level) })
}

/// The calling task's cgroup.
#[inline(always)]
pub(crate) fn task_cgroup() -> u64 {
    // SAFETY: no arguments.
    unsafe { bpf_get_current_cgroup_id() }
}

#[inline(always)]
fn is_governed(settings: &Settings, ancestor: impl Fn(i32) -> u64) -> bool {
    if settings.flags & FLAG_GOVERN_HOST != 0 {
        return settings.own_cgroup == 0
            || ancestor(settings.own_level as i32) != settings.own_cgroup;
    }
    if settings.overflowed != 0 {
        return true;
    }
    for level in 1..LEVELS {
        if settings.levels[level] == 0 {
            continue;
        }
        let id = ancestor(level as i32);
        if id == 0 {
            return false;
        }
        if GOVERNED.get_ptr(&id).is_some() {
            return true;
        }
    }
    false
}
