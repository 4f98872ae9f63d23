//! Loads from, and stores into, a program's context.
//!
//! The verifier allows context access only at a constant offset and at the field's own width (or
//! few others). LLVM does not know that: it merges neighbouring loads and sinks common ones behind a
//! computed pointer. Inline assembly is opaque to both.

use core::arch::asm;

use aya_ebpf::bindings::{bpf_sock, bpf_sock_addr};

/// Loads the 32-bit field at `OFFSET` of a context or socket.
///
/// # Safety
/// `base` is a context or socket pointer whose type has a readable 32-bit field there.
#[inline(always)]
pub(crate) unsafe fn load32<const OFFSET: usize, T>(base: *const T) -> u32 {
    let value: u64;
    // SAFETY: a plain load; the caller vouches for the address.
    unsafe {
        asm!("{0} = *(u32 *)({1} + {2})", out(reg) value, in(reg) base, const OFFSET,
            options(nostack, readonly, preserves_flags));
    }
    value as u32
}

/// Stores a 32-bit field at `OFFSET` of a context.
///
/// # Safety
/// `base` is a context pointer whose type has a writable 32-bit field there.
#[inline(always)]
pub(crate) unsafe fn store32<const OFFSET: usize, T>(base: *mut T, value: u32) {
    let value = u64::from(value);
    // SAFETY: a plain store; the caller vouches for the address.
    unsafe {
        asm!("*(u32 *)({0} + {2}) = {1}", in(reg) base, in(reg) value, const OFFSET,
            options(nostack, preserves_flags));
    }
}

/// Loads the pointer at `OFFSET` of a context.
///
/// # Safety
/// `base` is a context pointer whose type has a pointer field there.
#[inline(always)]
pub(crate) unsafe fn load_pointer<const OFFSET: usize, T, P>(base: *const T) -> *mut P {
    let value: *mut P;
    // SAFETY: a plain load; the caller vouches for the address.
    unsafe {
        asm!("{0} = *(u64 *)({1} + {2})", out(reg) value, in(reg) base, const OFFSET,
            options(nostack, readonly, preserves_flags));
    }
    value
}

/// Loads a 32-bit field of a context: `field!(context, bpf_sock_addr, user_port)`, and with a number
/// at the end a word of an array field.
macro_rules! field {
    ($base:expr, $type:ty, $field:ident) => {
        // SAFETY: the field is a readable 32-bit member of that context type.
        unsafe {
            $crate::programs::context::load32::<{ core::mem::offset_of!($type, $field) }, $type>(
                $base,
            )
        }
    };
    ($base:expr, $type:ty, $field:ident, $word:literal) => {
        // SAFETY: as above, and the array has that word.
        unsafe {
            $crate::programs::context::load32::<
                { core::mem::offset_of!($type, $field) + 4 * $word },
                $type,
            >($base)
        }
    };
}
pub(crate) use field;

/// Stores a 32-bit field of a context.
macro_rules! set_field {
    ($base:expr, $type:ty, $field:ident, $value:expr) => {
        // SAFETY: the field is a writable 32-bit member of that context type.
        unsafe {
            $crate::programs::context::store32::<{ core::mem::offset_of!($type, $field) }, $type>(
                $base, $value,
            )
        }
    };
    ($base:expr, $type:ty, $field:ident, $word:literal, $value:expr) => {
        // SAFETY: as above, and the array has that word.
        unsafe {
            $crate::programs::context::store32::<
                { core::mem::offset_of!($type, $field) + 4 * $word },
                $type,
            >($base, $value)
        }
    };
}
pub(crate) use set_field;

/// The socket of an address hook. Never null there.
#[inline(always)]
pub(crate) fn socket_of(context: *mut bpf_sock_addr) -> *mut bpf_sock {
    // SAFETY: `sk` is a readable pointer field of this context type.
    unsafe {
        load_pointer::<{ core::mem::offset_of!(bpf_sock_addr, __bindgen_anon_1) }, _, _>(context)
    }
}
