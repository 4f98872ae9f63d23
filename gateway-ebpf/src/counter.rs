//! The counters that the programs keep, one slot per CPU.

/// What is counted. The discriminant is the index into the per-CPU array.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Connects bound and redirected to the gateway.
    Redirected = 0,
    /// Connects and datagrams of governed tasks to destinations that are not captured, let pass.
    UnlistedPassed = 1,
    /// The same, refused by `unlisted_destinations: deny`.
    UnlistedRefused = 2,
    /// Connects of sockets that the gateway marked as its own.
    Exempt = 3,
    /// Bindings carried to an accepted socket.
    Carried = 4,
    /// Bindings that could not be handed over to the accepting side; the gateway refuses those.
    CarryFailed = 5,
    /// Datagrams and datagram connects to captured destinations, refused.
    DatagramRefused = 6,
    /// Connects refused because the network namespace has no listener yet.
    UnknownNetns = 7,
    /// Connects refused because the socket could not hold a binding.
    StorageRefused = 8,
    /// Sockets of kinds that the hooks cannot bind, refused at creation.
    SocketKindRefused = 9,
    /// Connects straight to the gateway's listener, refused.
    ListenerDirectRefused = 10,
    /// Attempts to bind the gateway's port, refused.
    ListenerBindRefused = 11,
    /// Packets of governed sockets to captured destinations, dropped on their way out.
    EgressDropped = 12,
    /// Events that did not fit the ring.
    EventsLost = 13,
    /// Cgroups governed at their creation, by name or path.
    CgroupsGoverned = 14,
    /// Cgroups that had to be governed at their creation but did not fit the map. From then on every
    /// task is governed.
    CgroupsMissed = 15,
}

impl Counter {
    /// Number of counters.
    pub const COUNT: u32 = 16;

    /// Every counter, in index order.
    pub const ALL: [Self; Self::COUNT as usize] = [
        Self::Redirected,
        Self::UnlistedPassed,
        Self::UnlistedRefused,
        Self::Exempt,
        Self::Carried,
        Self::CarryFailed,
        Self::DatagramRefused,
        Self::UnknownNetns,
        Self::StorageRefused,
        Self::SocketKindRefused,
        Self::ListenerDirectRefused,
        Self::ListenerBindRefused,
        Self::EgressDropped,
        Self::EventsLost,
        Self::CgroupsGoverned,
        Self::CgroupsMissed,
    ];

    /// The counter's name in metrics and in `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::UnlistedPassed => "unlisted_passed",
            Self::UnlistedRefused => "unlisted_refused",
            Self::Exempt => "exempt",
            Self::Carried => "carried",
            Self::CarryFailed => "carry_failed",
            Self::DatagramRefused => "datagram_refused",
            Self::UnknownNetns => "unknown_netns",
            Self::StorageRefused => "storage_refused",
            Self::SocketKindRefused => "socket_kind_refused",
            Self::ListenerDirectRefused => "listener_direct_refused",
            Self::ListenerBindRefused => "listener_bind_refused",
            Self::EgressDropped => "egress_dropped",
            Self::EventsLost => "events_lost",
            Self::CgroupsGoverned => "cgroups_governed",
            Self::CgroupsMissed => "cgroups_missed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_stands_at_its_own_index() {
        for (index, counter) in (0_u32..).zip(Counter::ALL) {
            assert_eq!(counter as u32, index, "{}", counter.name());
        }
    }
}
