//! Carries a binding from the client's socket to the accepted one.
//!
//! At `TCP_CONNECT` (before the SYN, so also before data of TCP Fast Open) the client's record is
//! put under the connection's tuple; at `PASSIVE_ESTABLISHED` the accepted socket takes it. A tuple
//! must never speak for another connection: it is dropped when a connect without a record uses the
//! same tuple, and when the client's socket closes. That is why this hook sees every socket of the
//! host, governed or not. It runs in softirq too: nothing here asks for the current task.

use core::ptr::{addr_of, null_mut};

use aya_ebpf::bindings::{
    BPF_SK_STORAGE_GET_F_CREATE, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, BPF_SOCK_OPS_STATE_CB,
    BPF_SOCK_OPS_STATE_CB_FLAG, BPF_SOCK_OPS_TCP_CONNECT_CB, bpf_sock, bpf_sock_ops,
};
use aya_ebpf::helpers::generated::{
    bpf_get_netns_cookie, bpf_sk_storage_delete, bpf_sk_storage_get, bpf_sock_ops_cb_flags_set,
};
use aya_ebpf::macros::sock_ops;
use aya_ebpf::programs::SockOpsContext;
use gateway_ebpf::{Counter, Record, Tuple};

use super::context::{field, load_pointer};
use super::destination::{LOOPBACK6_LAST, MAPPED_PREFIX};
use super::maps::{ACCEPTED, REDIRECTED, TUPLES};
use super::report::count;

const AF_INET: u32 = 2;
const TCP_CLOSE: u32 = 7;

#[sock_ops]
pub(crate) fn pcl_carry(hook: SockOpsContext) -> u32 {
    let context = hook.ops;
    match field!(context, bpf_sock_ops, op) {
        BPF_SOCK_OPS_TCP_CONNECT_CB => connecting(context),
        BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB => accepted(context),
        BPF_SOCK_OPS_STATE_CB => closing(context),
        _ => {}
    }
    1
}

/// A client is about to send its SYN.
#[inline(always)]
fn connecting(context: *mut bpf_sock_ops) {
    let Some(tuple) = client_tuple(context) else { return };
    let Some(record) = stored(context, addr_of!(REDIRECTED).cast()) else {
        let _ = TUPLES.remove(&tuple);
        return;
    };
    if TUPLES.insert(&tuple, &*record, 0).is_err() {
        // An older connection's entry may still be there under this tuple; it must not stay.
        let _ = TUPLES.remove(&tuple);
        count(Counter::CarryFailed);
    }
    let flags = field!(context, bpf_sock_ops, bpf_sock_ops_cb_flags) | BPF_SOCK_OPS_STATE_CB_FLAG;
    // SAFETY: the helper takes this context.
    unsafe { bpf_sock_ops_cb_flags_set(context, flags as i32) };
}

/// A connection was accepted: `context` is the new socket of the accepting side.
#[inline(always)]
fn accepted(context: *mut bpf_sock_ops) {
    let Some(tuple) = server_tuple(context) else { return };
    let Some(waiting) = TUPLES.get_ptr(&tuple) else { return };
    let socket = socket(context);
    if socket.is_null() {
        return;
    }
    // SAFETY: the map and the hook's socket, just found not to be null.
    let record = unsafe {
        bpf_sk_storage_get(
            addr_of!(ACCEPTED).cast_mut().cast(),
            socket.cast(),
            null_mut(),
            u64::from(BPF_SK_STORAGE_GET_F_CREATE),
        )
    }
    .cast::<Record>();
    if record.is_null() {
        count(Counter::CarryFailed);
    } else {
        // SAFETY: two distinct map values of one type. A flood may evict the entry during the copy
        // and give its memory to another connection's record; so it is looked up again below.
        unsafe { *record = *waiting };
        if TUPLES.get_ptr(&tuple) == Some(waiting) {
            count(Counter::Carried);
        } else {
            // SAFETY: the map and the hook's socket. Without a record the gateway refuses.
            unsafe { bpf_sk_storage_delete(addr_of!(ACCEPTED).cast_mut().cast(), socket.cast()) };
            count(Counter::CarryFailed);
        }
    }
    let _ = TUPLES.remove(&tuple);
}

/// A redirected client's socket changed its state.
#[inline(always)]
fn closing(context: *mut bpf_sock_ops) {
    // The arguments are (old state, new state).
    let new_state = unsafe {
        super::context::load32::<
            { core::mem::offset_of!(bpf_sock_ops, __bindgen_anon_1) + 4 },
            bpf_sock_ops,
        >(context)
    };
    if new_state != TCP_CLOSE {
        return;
    }
    let Some(tuple) = client_tuple(context) else { return };
    let Some(record) = stored(context, addr_of!(REDIRECTED).cast()) else { return };
    // Only what this socket put there: the tuple may be in use again.
    let ours = TUPLES
        .get_ptr(&tuple)
        // SAFETY: a map value stays readable while the program runs.
        .is_some_and(|waiting| unsafe { (*waiting).socket_cookie } == record.socket_cookie);
    if ours {
        let _ = TUPLES.remove(&tuple);
    }
}

/// The record that `map` has for the hook's socket.
#[inline(always)]
fn stored(context: *mut bpf_sock_ops, map: *const core::ffi::c_void) -> Option<&'static Record> {
    let socket = socket(context);
    if socket.is_null() {
        return None;
    }
    // SAFETY: the map and the hook's socket.
    let record = unsafe { bpf_sk_storage_get(map.cast_mut(), socket.cast(), null_mut(), 0) };
    // SAFETY: null, or this socket's record.
    unsafe { record.cast::<Record>().as_ref() }
}

#[inline(always)]
fn socket(context: *mut bpf_sock_ops) -> *mut bpf_sock {
    // SAFETY: `sk` is a readable pointer field of this context type.
    unsafe {
        load_pointer::<{ core::mem::offset_of!(bpf_sock_ops, __bindgen_anon_2) }, _, _>(context)
    }
}

/// The tuple as the client's end says it; `None` where the other end is not on loopback.
#[inline(always)]
fn client_tuple(context: *mut bpf_sock_ops) -> Option<Tuple> {
    let remote = end(context, true);
    if !is_listener_address(&remote) {
        return None;
    }
    Some(Tuple {
        netns_cookie: netns_cookie(context),
        client: end(context, false),
        client_port: field!(context, bpf_sock_ops, local_port),
        server_port: u32::from_be(field!(context, bpf_sock_ops, remote_port)),
    })
}

/// The tuple as the accepting end says it; `None` where that end is not on loopback.
#[inline(always)]
fn server_tuple(context: *mut bpf_sock_ops) -> Option<Tuple> {
    let local = end(context, false);
    if !is_listener_address(&local) {
        return None;
    }
    Some(Tuple {
        netns_cookie: netns_cookie(context),
        client: end(context, true),
        client_port: u32::from_be(field!(context, bpf_sock_ops, remote_port)),
        server_port: field!(context, bpf_sock_ops, local_port),
    })
}

/// One end's address; IPv4, also on an IPv6 socket, in v4-mapped form.
#[inline(always)]
fn end(context: *mut bpf_sock_ops, remote: bool) -> [u32; 4] {
    let mapped = field!(context, bpf_sock_ops, family) == AF_INET
        || (field!(context, bpf_sock_ops, remote_ip6, 2) == MAPPED_PREFIX
            && field!(context, bpf_sock_ops, remote_ip6, 0) == 0
            && field!(context, bpf_sock_ops, remote_ip6, 1) == 0);
    match (mapped, remote) {
        (true, true) => [0, 0, MAPPED_PREFIX, field!(context, bpf_sock_ops, remote_ip4)],
        (true, false) => [0, 0, MAPPED_PREFIX, field!(context, bpf_sock_ops, local_ip4)],
        (false, true) => [
            field!(context, bpf_sock_ops, remote_ip6, 0),
            field!(context, bpf_sock_ops, remote_ip6, 1),
            field!(context, bpf_sock_ops, remote_ip6, 2),
            field!(context, bpf_sock_ops, remote_ip6, 3),
        ],
        (false, false) => [
            field!(context, bpf_sock_ops, local_ip6, 0),
            field!(context, bpf_sock_ops, local_ip6, 1),
            field!(context, bpf_sock_ops, local_ip6, 2),
            field!(context, bpf_sock_ops, local_ip6, 3),
        ],
    }
}

/// Whether the gateway's listeners can be at this address.
#[inline(always)]
fn is_listener_address(words: &[u32; 4]) -> bool {
    words[0] | words[1] == 0
        && ((words[2] == MAPPED_PREFIX && words[3] == super::destination::LOOPBACK4)
            || (words[2] == 0 && words[3] == LOOPBACK6_LAST))
}

#[inline(always)]
fn netns_cookie(context: *mut bpf_sock_ops) -> u64 {
    // SAFETY: the helper takes this context.
    unsafe { bpf_get_netns_cookie(context.cast()) }
}
