//! The kernel programs: capture, binding, and refusal of what cannot be bound.
//!
//! Attached at the root of the cgroup2 tree, because the kernel chooses connect hooks by the cgroup
//! in which a socket was *created*; who is governed is decided here, by the cgroup of the *calling
//! task* and its ancestors. Each hook is a file: `connect` (redirect), `peer` (what `getpeername`
//! says), `datagram` (UDP), `socket` (creation and bind), `carry` (binding to the accepting side),
//! `backstop` (packets on their way out), `cgroups` (new cgroups, tasks entering them).
//!
//! The rule of the house: what cannot be bound is refused with an errno, counted, and told on the
//! ring; nothing is let through because a lookup failed. Programs and maps outlive the daemon by
//! being pinned; removing the pins is the only end they have.

mod backstop;
mod carry;
mod cgroups;
mod connect;
mod context;
mod datagram;
mod destination;
mod govern;
mod maps;
mod peer;
mod report;
mod socket;
mod task;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // Unreachable: the verifier refuses a program that could get here, for it never ends.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
