//! What the programs tell userspace through the ring.
//!
//! The ring is telemetry: it can be full. Nothing is decided by an event; identity travels with the
//! socket's storage.

/// What happened.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A connect was bound and redirected (only while `FLAG_REPORT_REDIRECTED` is set).
    Redirected = 1,
    /// Something was refused; `Event::refusal` says why.
    Refused = 2,
    /// A governed task made a socket in, or moved or executed into, a network namespace without a
    /// listener. Nothing was refused yet.
    NetnsSeen = 3,
    /// A new cgroup was governed at its creation; `Event::cgroup` is its id.
    CgroupGoverned = 4,
    /// A governed cgroup was removed.
    CgroupGone = 5,
    /// A task entered a governed cgroup, perhaps with connections it already had.
    TaskEntered = 6,
}

impl EventKind {
    /// From the number in an event; `None` for one that this version does not know.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Redirected,
            2 => Self::Refused,
            3 => Self::NetnsSeen,
            4 => Self::CgroupGoverned,
            5 => Self::CgroupGone,
            6 => Self::TaskEntered,
            _ => return None,
        })
    }
}

/// Why something was refused.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A datagram, or a datagram socket's connect, to a captured destination.
    Datagram = 1,
    /// An unlisted destination while those are denied.
    Unlisted = 2,
    /// The network namespace has no listener.
    UnknownNetns = 3,
    /// The socket could not hold a binding.
    Storage = 4,
    /// A kind of socket that cannot be bound: raw, SCTP, MPTCP and the like.
    SocketKind = 5,
    /// A connect straight to the gateway's listener.
    ListenerDirect = 6,
    /// An attempt to bind the gateway's port.
    ListenerBind = 7,
    /// A packet of a governed socket to a captured destination.
    Egress = 8,
}

impl Refusal {
    /// From the number in an event; `None` for one that this version does not know.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Datagram,
            2 => Self::Unlisted,
            3 => Self::UnknownNetns,
            4 => Self::Storage,
            5 => Self::SocketKind,
            6 => Self::ListenerDirect,
            7 => Self::ListenerBind,
            8 => Self::Egress,
            _ => return None,
        })
    }

    /// The reason's name in metrics, logs and audit events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Datagram => "datagram",
            Self::Unlisted => "unlisted",
            Self::UnknownNetns => "unknown_netns",
            Self::Storage => "storage",
            Self::SocketKind => "socket_kind",
            Self::ListenerDirect => "listener_direct",
            Self::ListenerBind => "listener_bind",
            Self::Egress => "egress",
        }
    }
}

/// One event on the ring.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// [`EventKind`] as a number.
    pub kind: u32,
    /// [`Refusal`] as a number; 0 where nothing was refused.
    pub refusal: u32,
    /// Boot time in nanoseconds.
    pub boottime_ns: u64,
    /// The task's cgroup, or the cgroup that the event is about.
    pub cgroup: u64,
    /// Cookie of the network namespace; 0 where it is not known.
    pub netns_cookie: u64,
    /// Cookie of the socket; 0 where there is none.
    pub socket_cookie: u64,
    /// Destination, in 16 bytes; zero where there is none.
    pub destination: [u8; 16],
    /// Destination port.
    pub port: u16,
    /// Socket type (`SOCK_*`); 0 where there is none.
    pub socket_type: u16,
    /// IP protocol number; 0 where there is none.
    pub protocol: u32,
    /// Process id in the initial pid namespace; 0 where the event has no task.
    pub tgid: u32,
    /// Real user id in the initial user namespace.
    pub uid: u32,
    /// `comm`, for people only.
    pub comm: [u8; 16],
}

#[cfg(feature = "user")]
// SAFETY: `repr(C)`, only integers, no padding (88 bytes), so every bit pattern is a value.
unsafe impl aya::Pod for Event {}
