//! The kernel programs. Built for `bpfel-unknown-none` by `gateway/build.rs`; on the host this is an
//! empty program, so that commands over the whole workspace work.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::{macros::cgroup_sock_addr, programs::SockAddrContext};

    #[cgroup_sock_addr(connect4)]
    pub fn connect4(_ctx: SockAddrContext) -> i32 {
        1
    }

    #[panic_handler]
    fn panic(_info: &core::panic::PanicInfo) -> ! {
        loop {}
    }

    #[unsafe(link_section = "license")]
    #[unsafe(no_mangle)]
    static LICENSE: [u8; 4] = *b"GPL\0";
}
