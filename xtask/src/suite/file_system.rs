//! The BPF file system, which programs under test mount where the machine has none.
//!
//! Owns leaving the machine with or without it, as it was found: the kernel puts files of its own
//! (`maps.debug`, `progs.debug`) into a new one. Must not know what is pinned there; `leftovers`
//! looks first. Ends with [`BpfFileSystem::leave_as_found`].

use crate::call::Call;
use crate::fault::Outcome;
use crate::stage::gateway::bpf_is_mounted;

/// Where it is mounted, as by everybody.
const PLACE: &str = "/sys/fs/bpf";

/// What a run found.
#[derive(Debug)]
pub(super) struct BpfFileSystem {
    was_mounted: bool,
}

impl BpfFileSystem {
    /// Looks.
    pub(super) fn find() -> Outcome<Self> {
        Ok(Self { was_mounted: bpf_is_mounted()? })
    }

    /// Unmounts it where the run has brought it.
    pub(super) fn leave_as_found(self) -> Outcome {
        if !self.was_mounted && bpf_is_mounted()? {
            Call::new("umount").with([PLACE]).output()?;
        }
        Ok(())
    }
}
