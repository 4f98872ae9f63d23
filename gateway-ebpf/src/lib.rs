//! The types that the kernel programs and userspace share, byte for byte.
//!
//! Owns the layout of every map's keys and values and of the events on the ring. Must not know how
//! either side uses them. Whoever changes a layout raises [`LAYOUT_VERSION`]: it is part of the path
//! under which maps are pinned, so that a daemon never adopts maps of another shape.
//!
//! Addresses are 16 bytes in network order; IPv4 is in its v4-mapped form (`::ffff:a.b.c.d`).
//! Ports are in host order unless a field says otherwise.
#![no_std]

mod counter;
mod event;
mod record;
mod settings;

pub use counter::Counter;
pub use event::{Event, EventKind, Refusal};
pub use record::{EXECUTABLE_KNOWN, LOGIN_UID_UNSET, Record, Tuple};
pub use settings::{
    FLAG_DENY_UNLISTED, FLAG_GOVERN_HOST, FLAG_REPORT_REDIRECTED, LEVELS, Listener, NAME_BYTES,
    Offsets, Settings, WatchedName,
};

/// The version of all layouts in this crate.
pub const LAYOUT_VERSION: u32 = 1;
