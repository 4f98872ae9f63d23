//! Counters and events.

use aya_ebpf::bindings::bpf_sock_addr;
use aya_ebpf::helpers::generated::{
    bpf_get_current_comm, bpf_get_netns_cookie, bpf_get_socket_cookie, bpf_ktime_get_boot_ns,
    bpf_set_retval,
};
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_get_current_uid_gid};
use gateway_ebpf::{Counter, Event, EventKind, Refusal};

use super::context::field;
use super::destination::Destination;
use super::govern::task_cgroup;
use super::maps::{COUNTERS, EVENTS};

/// "Permission denied": refused by policy.
pub(crate) const EACCES: i32 = 13;
/// "Address already in use".
pub(crate) const EADDRINUSE: i32 = 98;
/// "Connection refused": nobody there to take it, for now.
pub(crate) const ECONNREFUSED: i32 = 111;
/// "Protocol not supported": callers fall back to plain TCP.
pub(crate) const EPROTONOSUPPORT: i32 = 93;

/// Adds one to a counter of this CPU.
#[inline(always)]
pub(crate) fn count(counter: Counter) {
    if let Some(slot) = COUNTERS.get_ptr_mut(counter as u32) {
        // SAFETY: this CPU's slot; programs of these types are not preempted by one another here,
        // and a lost increment would only cost a count.
        unsafe { *slot += 1 };
    }
}

/// Sends an event that `fill` completes, or counts it as lost.
#[inline(always)]
pub(crate) fn send(kind: EventKind, fill: impl FnOnce(&mut Event)) {
    let Some(mut entry) = EVENTS.reserve(0) else {
        count(Counter::EventsLost);
        return;
    };
    let event = entry.write(Event::default());
    event.kind = kind as u32;
    // SAFETY: no arguments.
    event.boottime_ns = unsafe { bpf_ktime_get_boot_ns() };
    fill(event);
    entry.submit(0);
}

/// Fills in the calling task. Only where the hook runs in the task's own context.
#[inline(always)]
pub(crate) fn fill_task(event: &mut Event) {
    event.cgroup = task_cgroup();
    event.tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    event.uid = bpf_get_current_uid_gid() as u32;
    // SAFETY: the destination is 16 bytes of the event.
    unsafe { bpf_get_current_comm(event.comm.as_mut_ptr().cast(), 16) };
}

/// Fills in the socket of an address hook and its destination.
#[inline(always)]
fn fill_socket(event: &mut Event, context: *mut bpf_sock_addr, destination: &Destination) {
    // SAFETY: the helpers take this context.
    unsafe {
        event.netns_cookie = bpf_get_netns_cookie(context.cast());
        event.socket_cookie = bpf_get_socket_cookie(context.cast());
    }
    event.destination = destination.bytes();
    event.port = destination.port();
    event.socket_type = field!(context, bpf_sock_addr, type_) as u16;
    event.protocol = field!(context, bpf_sock_addr, protocol);
}

/// Tells of a connect or datagram of the calling task.
#[inline(always)]
pub(crate) fn tell(
    kind: EventKind,
    refusal: u32,
    context: *mut bpf_sock_addr,
    destination: &Destination,
) {
    send(kind, |event| {
        event.refusal = refusal;
        fill_task(event);
        fill_socket(event, context, destination);
    });
}

/// Refuses what an address hook judges: counts, tells, sets the errno that the caller will see.
/// Returns the hook's verdict.
#[inline(always)]
pub(crate) fn refuse(
    counter: Counter,
    refusal: Refusal,
    errno: i32,
    context: *mut bpf_sock_addr,
    destination: &Destination,
) -> i32 {
    count(counter);
    tell(EventKind::Refused, refusal as u32, context, destination);
    // SAFETY: the helper takes a negative errno.
    unsafe { bpf_set_retval(-errno) };
    0
}
