//! `getpeername`: a redirected socket says where its task meant to go.

use core::ptr::{addr_of, null_mut};

use aya_ebpf::bindings::bpf_sock_addr;
use aya_ebpf::helpers::generated::bpf_sk_storage_get;
use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use gateway_ebpf::Record;

use super::context::{set_field, socket_of};
use super::maps::REDIRECTED;

/// `getpeername` cannot be refused, only answered.
const ANSWER: i32 = 1;

#[cgroup_sock_addr(getpeername4)]
pub(crate) fn pcl_peer4(hook: SockAddrContext) -> i32 {
    if let Some((words, port_be)) = original(hook.sock_addr) {
        set_field!(hook.sock_addr, bpf_sock_addr, user_ip4, words[3]);
        set_field!(hook.sock_addr, bpf_sock_addr, user_port, port_be);
    }
    ANSWER
}

#[cgroup_sock_addr(getpeername6)]
pub(crate) fn pcl_peer6(hook: SockAddrContext) -> i32 {
    if let Some((words, port_be)) = original(hook.sock_addr) {
        set_field!(hook.sock_addr, bpf_sock_addr, user_ip6, 0, words[0]);
        set_field!(hook.sock_addr, bpf_sock_addr, user_ip6, 1, words[1]);
        set_field!(hook.sock_addr, bpf_sock_addr, user_ip6, 2, words[2]);
        set_field!(hook.sock_addr, bpf_sock_addr, user_ip6, 3, words[3]);
        set_field!(hook.sock_addr, bpf_sock_addr, user_port, port_be);
    }
    ANSWER
}

/// The original destination in network order, if this socket was redirected.
#[inline(always)]
fn original(context: *mut bpf_sock_addr) -> Option<([u32; 4], u32)> {
    // SAFETY: the map and the hook's socket.
    let record = unsafe {
        bpf_sk_storage_get(
            addr_of!(REDIRECTED).cast_mut().cast(),
            socket_of(context).cast(),
            null_mut(),
            0,
        )
    }
    .cast::<Record>();
    // SAFETY: null, or this socket's record.
    let record = unsafe { record.as_ref() }?;
    // SAFETY: sixteen bytes are four words, and any bytes are a value.
    let words = unsafe { core::mem::transmute::<[u8; 16], [u32; 4]>(record.original) };
    Some((words, u32::from(record.original_port.to_be())))
}
