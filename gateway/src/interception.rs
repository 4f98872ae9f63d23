//! Interception: the kernel programs and what userspace does with them.
//!
//! Owns loading and pinning, the maps, the binding of a socket, listeners and upstream sockets inside
//! network namespaces, and the events. Must not know a session, a protocol or a policy: it says who a
//! socket belongs to as the kernel knows it, and nothing of what it may do. The programs outlive it:
//! when it ends, governed connects are refused until the next daemon adopts the pins.

use std::io;
use std::path::PathBuf;

mod btf;
mod byte_counts;
mod capture;
mod cgroups;
mod costs;
mod dialer;
mod events;
mod flow;
mod listeners;
mod maps;
mod namespaces;
mod offsets;
mod pins;
mod predating;
mod programs;
mod socket_diag;
mod syscall;

pub use btf::{Btf, BtfError};
pub use byte_counts::{ByteCounts, byte_counts};
pub use capture::{Captured, CgroupPattern, Govern, Unlisted};
pub use cgroups::CgroupTree;
pub use costs::{ProgramCost, measure};
pub use dialer::Dialer;
pub use events::{Attempt, EventReader, KernelEvent};
pub use flow::{FlowError, FlowTable, KernelFlows};
pub use gateway_ebpf::{Counter, Refusal};
pub use listeners::{Listeners, NamespaceListeners, PORT_BASE};
pub use namespaces::{Namespaces, netns_cookie};
pub use offsets::OffsetsError;
pub use pins::{BPF_FILE_SYSTEM, InstanceName, MapSizes};
pub use predating::{Predating, Whose};
pub use programs::{Adoption, Installation, Programs};

/// Why programs or maps cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InterceptionError {
    /// Not a name for pins.
    #[error("{0:?} cannot name an instance: letters, digits, `-` and `_`, at most 64")]
    InstanceName(String),
    /// The kernel's own types cannot be read.
    #[error("the kernel's types cannot be read")]
    Offsets(#[from] OffsetsError),
    /// The cgroup2 tree cannot be used.
    #[error("{path}: the cgroup2 hierarchy cannot be used")]
    Cgroup {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The BPF file system cannot be used.
    #[error("{path}: pins cannot be used")]
    Pins {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The object cannot be loaded.
    #[error("the kernel programs cannot be loaded")]
    Object(#[source] Box<aya::EbpfError>),
    /// The object has no such program: it and this daemon were not built together.
    #[error("the object has no program {0}")]
    NoProgram(&'static str),
    /// The kernel does not take a program.
    #[error("the kernel refuses the program {program}")]
    Refused {
        /// The program.
        program: &'static str,
        /// The verifier's words.
        #[source]
        source: Box<aya::programs::ProgramError>,
    },
    /// A program cannot be attached.
    #[error("the program {program} cannot be attached")]
    Attach {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A pinned map cannot be looked at.
    #[error("the map {name}")]
    Map {
        /// The map.
        name: &'static str,
        /// Why.
        #[source]
        source: aya::maps::MapError,
    },
    /// A pinned map has another shape than this daemon expects.
    #[error(
        "the pinned map {name} at {path} has another shape or size; run `portcullis uninstall` (which ends \
         capture) or restore the configured sizes"
    )]
    MapShape {
        /// The map.
        name: &'static str,
        /// Its pin.
        path: PathBuf,
    },
    /// A map cannot be read or written.
    #[error("the map {name} cannot be read or written")]
    MapAccess {
        /// The map.
        name: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A map has no room.
    #[error("the map {name} is full")]
    Full {
        /// The map.
        name: &'static str,
    },
    /// No cgroup can be meant by this.
    #[error("{0:?} cannot be a cgroup: a unit's name, or an absolute path at most 15 levels deep")]
    Pattern(String),
}
