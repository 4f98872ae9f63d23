//! Datagrams with an address of their own: refused to captured destinations.
//!
//! The gateway speaks no datagram protocol, so that a driver which would try QUIC falls back to TCP.
//! Nothing is rewritten, hence there is no `recvmsg` hook. Sending to a v4-mapped address goes
//! through the IPv4 hook. A datagram socket that was connected before its task was governed is the
//! backstop's business.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use gateway_ebpf::{Counter, Refusal};

use super::connect::{is_exempt, unlisted};
use super::context::socket_of;
use super::destination::Destination;
use super::govern::{settings, task_is_governed};
use super::report::{EACCES, refuse};

const PASS: i32 = 1;

#[cgroup_sock_addr(sendmsg4)]
pub(crate) fn pcl_sendmsg4(hook: SockAddrContext) -> i32 {
    judge(&hook, &Destination::from_context4(hook.sock_addr))
}

#[cgroup_sock_addr(sendmsg6)]
pub(crate) fn pcl_sendmsg6(hook: SockAddrContext) -> i32 {
    judge(&hook, &Destination::from_context6(hook.sock_addr))
}

#[inline(always)]
fn judge(hook: &SockAddrContext, destination: &Destination) -> i32 {
    let context = hook.sock_addr;
    let Some(settings) = settings() else { return 0 };
    if !task_is_governed(settings) || is_exempt(socket_of(context)) {
        return PASS;
    }
    if destination.is_captured() {
        return refuse(Counter::DatagramRefused, Refusal::Datagram, EACCES, context, destination);
    }
    unlisted(settings, context, destination)
}
