//! The pinned maps, with their keys and values as Rust types.
//!
//! Owns the opening. What is written into them is decided in `capture`.

use aya::maps::lpm_trie::Key;
use gateway_ebpf::{Listener, Record, Settings, WatchedName};

use super::InterceptionError;
use super::pins::Pins;
use super::syscall::MapHandle;

/// One handle per map that userspace reads or writes.
#[derive(Debug)]
pub(super) struct Maps {
    pub(super) settings: MapHandle<u32, Settings>,
    pub(super) governed: MapHandle<u64, u32>,
    pub(super) captured4: MapHandle<Key<[u32; 2]>, u32>,
    pub(super) captured6: MapHandle<Key<[u32; 5]>, u32>,
    pub(super) listeners: MapHandle<u64, Listener>,
    pub(super) accepted: MapHandle<i32, Record>,
    pub(super) exempt: MapHandle<i32, u32>,
    pub(super) watched: MapHandle<WatchedName, u32>,
    pub(super) counters: MapHandle<u32, u64>,
    pub(super) unlisted: MapHandle<u64, u64>,
}

impl Maps {
    /// Opens the pins. Their shapes were checked, or they were just made.
    pub(super) fn open(pins: &Pins) -> Result<Self, InterceptionError> {
        Ok(Self {
            settings: open(pins, "SETTINGS")?,
            governed: open(pins, "GOVERNED")?,
            captured4: open(pins, "CAPTURED4")?,
            captured6: open(pins, "CAPTURED6")?,
            listeners: open(pins, "LISTENERS")?,
            accepted: open(pins, "ACCEPTED")?,
            exempt: open(pins, "EXEMPT")?,
            watched: open(pins, "WATCHED")?,
            counters: open(pins, "COUNTERS")?,
            unlisted: open(pins, "UNLISTED")?,
        })
    }
}

fn open<K: aya::Pod, V: aya::Pod>(
    pins: &Pins,
    name: &'static str,
) -> Result<MapHandle<K, V>, InterceptionError> {
    MapHandle::open(&pins.map(name)).map_err(|source| InterceptionError::MapAccess { name, source })
}
