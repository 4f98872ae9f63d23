//! Socket creation and `bind`.
//!
//! A governed task may make only the kinds of socket that the other hooks judge. And nobody but the
//! gateway binds the gateway's port, so that nobody stands in for it while it is down.

use aya_ebpf::bindings::{bpf_sock, bpf_sock_addr};
use aya_ebpf::helpers::generated::{bpf_get_netns_cookie, bpf_set_retval};
use aya_ebpf::macros::{cgroup_sock, cgroup_sock_addr};
use aya_ebpf::programs::{SockAddrContext, SockContext};
use gateway_ebpf::{Counter, EventKind, Refusal, Settings};

use super::connect::is_exempt;
use super::context::{field, socket_of};
use super::destination::{Destination, MAPPED_PREFIX};
use super::govern::{settings, task_is_governed};
use super::maps::LISTENERS;
use super::report::{EADDRINUSE, EPROTONOSUPPORT, count, fill_task, refuse, send};

const PASS: i32 = 1;
const SOCK_STREAM: u32 = 1;
const SOCK_DGRAM: u32 = 2;
const SOCK_RAW: u32 = 3;
const IPPROTO_ICMP: u32 = 1;
const IPPROTO_TCP: u32 = 6;
const IPPROTO_UDP: u32 = 17;
const IPPROTO_ICMPV6: u32 = 58;

#[cgroup_sock(sock_create)]
pub(crate) fn pcl_socket(hook: SockContext) -> i32 {
    let socket = hook.sock;
    let Some(settings) = settings() else { return 0 };
    if !task_is_governed(settings) {
        return PASS;
    }
    let (kind, protocol) = (field!(socket, bpf_sock, type_), field!(socket, bpf_sock, protocol));
    let judged = match kind {
        SOCK_STREAM => protocol == IPPROTO_TCP,
        SOCK_DGRAM => {
            protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6
        }
        _ => false,
    };
    if !judged {
        return refuse_kind(kind, protocol);
    }
    if kind == SOCK_STREAM {
        announce_netns(settings, socket);
    }
    PASS
}

/// Raw sockets could send anything; SCTP, MPTCP and the rest pass hooks that cannot bind them.
#[inline(always)]
fn refuse_kind(kind: u32, protocol: u32) -> i32 {
    count(Counter::SocketKindRefused);
    send(EventKind::Refused, |event| {
        event.refusal = Refusal::SocketKind as u32;
        fill_task(event);
        event.socket_type = kind as u16;
        event.protocol = protocol;
    });
    if kind != SOCK_RAW {
        // What a kernel without that protocol says: callers fall back to TCP.
        // SAFETY: the helper takes a negative errno.
        unsafe { bpf_set_retval(-EPROTONOSUPPORT) };
    }
    0
}

/// Tells userspace early of a network namespace that has no listener yet, so that there may be one
/// by the time of the first connect.
#[inline(always)]
fn announce_netns(_settings: &Settings, socket: *mut bpf_sock) {
    // SAFETY: the helper takes this context.
    let netns_cookie = unsafe { bpf_get_netns_cookie(socket.cast()) };
    if LISTENERS.get_ptr(&netns_cookie).is_none() {
        send(EventKind::NetnsSeen, |event| {
            fill_task(event);
            event.netns_cookie = netns_cookie;
        });
    }
}

#[cgroup_sock_addr(bind4)]
pub(crate) fn pcl_bind4(hook: SockAddrContext) -> i32 {
    keep_port(hook.sock_addr, |context| {
        // Not `from_context4`: an unspecified address here is every address, not loopback.
        Destination {
            words: [0, 0, MAPPED_PREFIX, field!(context, bpf_sock_addr, user_ip4)],
            port_be: field!(context, bpf_sock_addr, user_port),
        }
    })
}

#[cgroup_sock_addr(bind6)]
pub(crate) fn pcl_bind6(hook: SockAddrContext) -> i32 {
    keep_port(hook.sock_addr, |context| Destination {
        words: [
            field!(context, bpf_sock_addr, user_ip6, 0),
            field!(context, bpf_sock_addr, user_ip6, 1),
            field!(context, bpf_sock_addr, user_ip6, 2),
            field!(context, bpf_sock_addr, user_ip6, 3),
        ],
        port_be: field!(context, bpf_sock_addr, user_port),
    })
}

/// Refuses to bind the gateway's port, on any address, to a stream socket that is not the gateway's.
#[inline(always)]
fn keep_port(
    context: *mut bpf_sock_addr,
    address: impl FnOnce(*mut bpf_sock_addr) -> Destination,
) -> i32 {
    let port_be = field!(context, bpf_sock_addr, user_port);
    if port_be == 0 || field!(context, bpf_sock_addr, type_) != SOCK_STREAM {
        return PASS;
    }
    // SAFETY: the helper takes this context.
    let netns_cookie = unsafe { bpf_get_netns_cookie(context.cast()) };
    let Some(listener) = LISTENERS.get_ptr(&netns_cookie) else { return PASS };
    // SAFETY: map values stay readable while the program runs.
    if unsafe { (*listener).port_be } != port_be || is_exempt(socket_of(context)) {
        return PASS;
    }
    refuse(
        Counter::ListenerBindRefused,
        Refusal::ListenerBind,
        EADDRINUSE,
        context,
        &address(context),
    )
}
