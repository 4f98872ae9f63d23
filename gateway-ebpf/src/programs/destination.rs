//! Where a task wants to go, in the one form that all hooks judge.

use aya_ebpf::bindings::{bpf_sock, bpf_sock_addr};
use aya_ebpf::btf_maps::lpm_trie::Key;

use super::context::{field, socket_of};
use super::maps::{CAPTURED4, CAPTURED6};

/// The third word of a v4-mapped address, in network order.
pub(crate) const MAPPED_PREFIX: u32 = 0xffff_u32.to_be();
/// 127.0.0.1 in network order.
pub(crate) const LOOPBACK4: u32 = 0x7f00_0001_u32.to_be();
/// The last word of ::1 in network order.
pub(crate) const LOOPBACK6_LAST: u32 = 1_u32.to_be();

/// An address and a port, both in network order as the hooks see them.
#[derive(Clone, Copy)]
pub(crate) struct Destination {
    /// Four words; IPv4 in v4-mapped form.
    pub(crate) words: [u32; 4],
    /// The port in the low half.
    pub(crate) port_be: u32,
}

impl Destination {
    /// An IPv4 destination. The unspecified address means this host: the address that the socket is
    /// bound to, else loopback, as the kernel will have it.
    #[inline(always)]
    pub(crate) fn v4(address: u32, port_be: u32, socket: *mut bpf_sock) -> Self {
        let address = if address == 0 {
            let bound = field!(socket, bpf_sock, src_ip4);
            if bound == 0 { LOOPBACK4 } else { bound }
        } else {
            address
        };
        Self { words: [0, 0, MAPPED_PREFIX, address], port_be }
    }

    /// Reads an IPv4 hook's context.
    #[inline(always)]
    pub(crate) fn from_context4(context: *mut bpf_sock_addr) -> Self {
        let address = field!(context, bpf_sock_addr, user_ip4);
        let port_be = field!(context, bpf_sock_addr, user_port);
        Self::v4(address, port_be, socket_of(context))
    }

    /// Reads an IPv6 hook's context. A v4-mapped destination is judged as IPv4.
    #[inline(always)]
    pub(crate) fn from_context6(context: *mut bpf_sock_addr) -> Self {
        let words = [
            field!(context, bpf_sock_addr, user_ip6, 0),
            field!(context, bpf_sock_addr, user_ip6, 1),
            field!(context, bpf_sock_addr, user_ip6, 2),
            field!(context, bpf_sock_addr, user_ip6, 3),
        ];
        let port_be = field!(context, bpf_sock_addr, user_port);
        if words[0] | words[1] != 0 {
            return Self { words, port_be };
        }
        if words[2] == MAPPED_PREFIX {
            return Self::v4(words[3], port_be, socket_of(context));
        }
        if words[2] | words[3] == 0 {
            // Unspecified: the kernel takes ::1, or 127.0.0.1 on a socket bound to a mapped address.
            let socket = socket_of(context);
            return if field!(socket, bpf_sock, src_ip6, 2) == MAPPED_PREFIX {
                Self::v4(LOOPBACK4, port_be, socket)
            } else {
                Self { words: [0, 0, 0, LOOPBACK6_LAST], port_be }
            };
        }
        Self { words, port_be }
    }

    /// Whether this is IPv4, mapped or not.
    #[inline(always)]
    pub(crate) fn is_v4(&self) -> bool {
        self.words[0] | self.words[1] == 0 && self.words[2] == MAPPED_PREFIX
    }

    /// Whether this is a loopback address.
    #[inline(always)]
    pub(crate) fn is_loopback(&self) -> bool {
        if self.is_v4() {
            self.words[3] & 0xff_u32 == 127
        } else {
            self.words[0] | self.words[1] | self.words[2] == 0 && self.words[3] == LOOPBACK6_LAST
        }
    }

    /// Whether the configuration captures this destination.
    #[inline(always)]
    pub(crate) fn is_captured(&self) -> bool {
        if self.is_v4() {
            CAPTURED4.get(&Key::new(64, [self.port_be, self.words[3]])).is_some()
        } else {
            let [a, b, c, d] = self.words;
            CAPTURED6.get(&Key::new(160, [self.port_be, a, b, c, d])).is_some()
        }
    }

    /// The address as 16 bytes in network order.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> [u8; 16] {
        // SAFETY: four words are sixteen bytes, and any bytes are a value.
        unsafe { core::mem::transmute(self.words) }
    }

    /// The port in host order.
    #[inline(always)]
    pub(crate) fn port(&self) -> u16 {
        u16::from_be(self.port_be as u16)
    }
}
