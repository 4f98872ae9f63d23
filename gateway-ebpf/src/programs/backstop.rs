//! Packets on their way out: what the connect hooks did not see does not leave.
//!
//! Catches sockets that were connected before they were governed. It judges by the cgroup in which
//! the socket was *created*, the only one a packet knows. A dropped TCP packet is silent: the
//! connection stalls; userspace closes such sockets (`SOCK_DESTROY`) so that the task is told.

use core::ptr::{addr_of, null_mut};

use aya_ebpf::bindings::{__sk_buff, bpf_sock};
use aya_ebpf::helpers::generated::{bpf_sk_storage_get, bpf_skb_load_bytes};
use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use gateway_ebpf::{Counter, EventKind, Refusal};

use super::context::{field, load_pointer};
use super::destination::{Destination, MAPPED_PREFIX};
use super::govern::{packet_is_governed, settings};
use super::maps::EXEMPT;
use super::report::{count, send};

const PASS: i32 = 1;
const DROP: i32 = 0;
const ETH_P_IP: u32 = 0x0800_u32.swap_bytes() >> 16;
const ETH_P_IPV6: u32 = 0x86dd_u32.swap_bytes() >> 16;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;

#[cgroup_skb(egress)]
pub(crate) fn pcl_egress(hook: SkBuffContext) -> i32 {
    let packet = hook.skb.skb;
    let Some(destination) = destination(packet) else { return PASS };
    if !destination.is_captured() {
        return PASS;
    }
    let Some(settings) = settings() else { return DROP };
    if !packet_is_governed(settings, packet) || is_exempt(packet) {
        return PASS;
    }
    count(Counter::EgressDropped);
    send(EventKind::Refused, |event| {
        event.refusal = Refusal::Egress as u32;
        event.destination = destination.bytes();
        event.port = destination.port();
    });
    DROP
}

/// Where a TCP or UDP packet goes; `None` for every other packet. Fragments after the first have no
/// port; without the first they are of no use to anybody.
#[inline(always)]
fn destination(packet: *mut __sk_buff) -> Option<Destination> {
    match field!(packet, __sk_buff, protocol) {
        ETH_P_IP => {
            let mut header = [0_u8; 20];
            load(packet, 0, &mut header)?;
            let first_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x1fff == 0;
            if !carries_ports(header[9]) || !first_fragment {
                return None;
            }
            let port_be = load_port(packet, u32::from(header[0] & 0x0f) * 4)?;
            let address = u32::from_ne_bytes([header[16], header[17], header[18], header[19]]);
            Some(Destination { words: [0, 0, MAPPED_PREFIX, address], port_be })
        }
        ETH_P_IPV6 => {
            let mut header = [0_u8; 8];
            load(packet, 0, &mut header)?;
            if !carries_ports(header[6]) {
                return None;
            }
            let mut words = [0_u32; 4];
            load(packet, 24, &mut words)?;
            let port_be = load_port(packet, 40)?;
            Some(Destination { words, port_be })
        }
        _ => None,
    }
}

#[inline(always)]
fn carries_ports(protocol: u8) -> bool {
    protocol == IPPROTO_TCP || protocol == IPPROTO_UDP
}

/// The destination port of the TCP or UDP header at `offset`, in network order.
#[inline(always)]
fn load_port(packet: *mut __sk_buff, offset: u32) -> Option<u32> {
    let mut port = 0_u16;
    load(packet, offset + 2, &mut port)?;
    Some(u32::from(port))
}

/// Copies bytes of the packet, from the start of its IP header, into `value`.
#[inline(always)]
fn load<T>(packet: *mut __sk_buff, offset: u32, value: &mut T) -> Option<()> {
    // SAFETY: the helper checks the range; the destination is a value of plain integers.
    let failed = unsafe {
        bpf_skb_load_bytes(
            packet.cast(),
            offset,
            core::ptr::from_mut(value).cast(),
            size_of::<T>() as u32,
        )
    };
    (failed == 0).then_some(())
}

/// Whether the sending socket is the gateway's own.
#[inline(always)]
fn is_exempt(packet: *mut __sk_buff) -> bool {
    // SAFETY: `sk` is a readable pointer field of this context type.
    let socket: *mut bpf_sock = unsafe {
        load_pointer::<{ core::mem::offset_of!(__sk_buff, __bindgen_anon_2) }, _, _>(packet)
    };
    if socket.is_null() {
        return false;
    }
    // SAFETY: the map and the packet's socket, just found not to be null.
    let mark = unsafe {
        bpf_sk_storage_get(addr_of!(EXEMPT).cast_mut().cast(), socket.cast(), null_mut(), 0)
    };
    !mark.is_null()
}
