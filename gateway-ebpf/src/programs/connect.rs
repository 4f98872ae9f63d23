//! `connect`: binds a governed task's connection and sends it to the gateway.
//!
//! ```text
//! any task ── forget an old binding ── governed? ──no──► pass (unless it aims at the gateway's port)
//!                                         │yes
//!                                     exempt? ──yes──► pass
//!                                         │no
//!                                     captured? ──no──► unlisted policy: pass, or EACCES
//!                                         │yes
//!                           datagram ► EACCES; no listener here ► ECONNREFUSED; else bind, rewrite
//! ```

use core::ptr::{addr_of, null_mut};

use aya_ebpf::bindings::{BPF_SK_STORAGE_GET_F_CREATE, bpf_sock, bpf_sock_addr};
use aya_ebpf::helpers::generated::{
    bpf_get_netns_cookie, bpf_get_socket_cookie, bpf_setsockopt, bpf_sk_storage_delete,
    bpf_sk_storage_get,
};
use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use aya_log_ebpf::debug;
use gateway_ebpf::{
    Counter, EventKind, FLAG_DENY_UNLISTED, FLAG_REPORT_REDIRECTED, Record, Refusal, Settings,
};

use super::context::{field, set_field, socket_of};
use super::destination::{Destination, LOOPBACK4, LOOPBACK6_LAST};
use super::govern::{settings, task_cgroup, task_is_governed};
use super::maps::{self, EXEMPT, LISTENERS, REDIRECTED, UNLISTED};
use super::report::{EACCES, ECONNREFUSED, count, refuse, tell};
use super::task;

const PASS: i32 = 1;
const SOCK_STREAM: u32 = 1;
const SOL_SOCKET: i32 = 1;
const SO_BINDTODEVICE: i32 = 25;

#[cgroup_sock_addr(connect4)]
pub(crate) fn pcl_connect4(context: SockAddrContext) -> i32 {
    let destination = Destination::from_context4(context.sock_addr);
    match judge(&context, &destination) {
        Verdict::Done(verdict) => verdict,
        Verdict::Redirect(port_be) => {
            set_field!(context.sock_addr, bpf_sock_addr, user_ip4, LOOPBACK4);
            set_field!(context.sock_addr, bpf_sock_addr, user_port, port_be);
            PASS
        }
    }
}

#[cgroup_sock_addr(connect6)]
pub(crate) fn pcl_connect6(context: SockAddrContext) -> i32 {
    let destination = Destination::from_context6(context.sock_addr);
    match judge(&context, &destination) {
        Verdict::Done(verdict) => verdict,
        Verdict::Redirect(port_be) => {
            // A mapped destination keeps its prefix, so that the socket goes the IPv4 way.
            let words = if destination.is_v4() {
                [0, 0, destination.words[2], LOOPBACK4]
            } else {
                [0, 0, 0, LOOPBACK6_LAST]
            };
            set_field!(context.sock_addr, bpf_sock_addr, user_ip6, 0, words[0]);
            set_field!(context.sock_addr, bpf_sock_addr, user_ip6, 1, words[1]);
            set_field!(context.sock_addr, bpf_sock_addr, user_ip6, 2, words[2]);
            set_field!(context.sock_addr, bpf_sock_addr, user_ip6, 3, words[3]);
            set_field!(context.sock_addr, bpf_sock_addr, user_port, port_be);
            PASS
        }
    }
}

/// What becomes of a connect.
enum Verdict {
    /// The hook's return value.
    Done(i32),
    /// To the gateway's listener at this port, in network order.
    Redirect(u32),
}

#[inline(always)]
fn judge(hook: &SockAddrContext, destination: &Destination) -> Verdict {
    let context = hook.sock_addr;
    let socket = socket_of(context);
    // A socket may connect more than once (after a failure, after AF_UNSPEC). What an earlier
    // connect left must not speak for this one, whoever makes it.
    // SAFETY: the map and the hook's socket.
    unsafe { bpf_sk_storage_delete(addr_of!(REDIRECTED).cast_mut().cast(), socket.cast()) };

    let Some(settings) = settings() else { return Verdict::Done(0) };
    if !task_is_governed(settings) {
        return Verdict::Done(refuse_listener(context, socket, destination));
    }
    if is_exempt(socket) {
        count(Counter::Exempt);
        return Verdict::Done(PASS);
    }
    if !destination.is_captured() {
        if refuse_listener(context, socket, destination) != PASS {
            return Verdict::Done(0);
        }
        return Verdict::Done(unlisted(settings, context, destination));
    }
    if field!(context, bpf_sock_addr, type_) != SOCK_STREAM {
        return Verdict::Done(refuse(
            Counter::DatagramRefused,
            Refusal::Datagram,
            EACCES,
            context,
            destination,
        ));
    }
    bind(hook, settings, socket, destination)
}

/// Writes the binding and gives the listener's port.
#[inline(always)]
fn bind(
    hook: &SockAddrContext,
    settings: &Settings,
    socket: *mut bpf_sock,
    destination: &Destination,
) -> Verdict {
    let context = hook.sock_addr;
    // SAFETY: the helper takes this context.
    let netns_cookie = unsafe { bpf_get_netns_cookie(context.cast()) };
    let Some(listener) = LISTENERS.get_ptr(&netns_cookie) else {
        return Verdict::Done(refuse(
            Counter::UnknownNetns,
            Refusal::UnknownNetns,
            ECONNREFUSED,
            context,
            destination,
        ));
    };
    // SAFETY: map values stay readable while the program runs.
    let port_be = unsafe { (*listener).port_be };
    // SAFETY: the map and the hook's socket; the value is zeroed when created.
    let record = unsafe {
        bpf_sk_storage_get(
            addr_of!(REDIRECTED).cast_mut().cast(),
            socket.cast(),
            null_mut(),
            u64::from(BPF_SK_STORAGE_GET_F_CREATE),
        )
    }
    .cast::<Record>();
    // SAFETY: null, or a record that this hook alone writes: the socket is locked.
    let Some(record) = (unsafe { record.as_mut() }) else {
        return Verdict::Done(refuse(
            Counter::StorageRefused,
            Refusal::Storage,
            EACCES,
            context,
            destination,
        ));
    };
    record.original = destination.bytes();
    record.original_port = destination.port();
    record.socket_family = field!(context, bpf_sock_addr, family) as u16;
    record.netns_cookie = netns_cookie;
    // SAFETY: the helper takes this context.
    record.socket_cookie = unsafe { bpf_get_socket_cookie(context.cast()) };
    task::fill(record);
    free_from_device(context, socket);
    count(Counter::Redirected);
    if settings.flags & FLAG_REPORT_REDIRECTED != 0 {
        tell(EventKind::Redirected, 0, context, destination);
    }
    if maps::debug() {
        debug!(hook, "redirected tgid {} port {}", record.tgid, record.original_port);
    }
    Verdict::Redirect(port_be)
}

/// A governed task's destination that is not captured: counted, and passed or refused.
#[inline(always)]
pub(crate) fn unlisted(
    settings: &Settings,
    context: *mut bpf_sock_addr,
    destination: &Destination,
) -> i32 {
    if settings.flags & FLAG_DENY_UNLISTED != 0 {
        return refuse(Counter::UnlistedRefused, Refusal::Unlisted, EACCES, context, destination);
    }
    count(Counter::UnlistedPassed);
    let cgroup = task_cgroup();
    match UNLISTED.get_ptr_mut(&cgroup) {
        // SAFETY: a map value; two CPUs may lose a count to one another.
        Some(passed) => unsafe { *passed += 1 },
        None => {
            let _ = UNLISTED.insert(&cgroup, 1_u64, 0);
        }
    }
    PASS
}

/// Whether userspace marked this socket as the gateway's own.
#[inline(always)]
pub(crate) fn is_exempt(socket: *mut bpf_sock) -> bool {
    // SAFETY: the map and the hook's socket.
    let mark = unsafe {
        bpf_sk_storage_get(addr_of!(EXEMPT).cast_mut().cast(), socket.cast(), null_mut(), 0)
    };
    !mark.is_null()
}

/// Refuses a connect that aims at the gateway's own listener: without a binding the gateway would
/// close it anyway, and so it never takes a place in the accept queue.
#[inline(always)]
fn refuse_listener(
    context: *mut bpf_sock_addr,
    socket: *mut bpf_sock,
    destination: &Destination,
) -> i32 {
    if !destination.is_loopback() {
        return PASS;
    }
    // SAFETY: the helper takes this context.
    let netns_cookie = unsafe { bpf_get_netns_cookie(context.cast()) };
    let Some(listener) = LISTENERS.get_ptr(&netns_cookie) else { return PASS };
    // SAFETY: map values stay readable while the program runs.
    if unsafe { (*listener).port_be } != destination.port_be || is_exempt(socket) {
        return PASS;
    }
    refuse(
        Counter::ListenerDirectRefused,
        Refusal::ListenerDirect,
        ECONNREFUSED,
        context,
        destination,
    )
}

/// Undoes `SO_BINDTODEVICE`: a socket tied to another device could not reach loopback and would time
/// out.
#[inline(always)]
fn free_from_device(context: *mut bpf_sock_addr, socket: *mut bpf_sock) {
    if field!(socket, bpf_sock, bound_dev_if) == 0 {
        return;
    }
    let mut none = [0_u8; 4];
    // SAFETY: the helper takes this context and four readable bytes. If it fails, the connect times
    // out: closed.
    unsafe {
        bpf_setsockopt(context.cast(), SOL_SOCKET, SO_BINDTODEVICE, none.as_mut_ptr().cast(), 4)
    };
}
