//! Events from the programs: the reader of the ring.
//!
//! Owns the task that drains it. Events are telemetry; when the reader is slow the programs drop them
//! and count what they dropped. The task ends with its cancellation token, or with its receiver.

use std::net::SocketAddr;
use std::path::Path;

use aya::Ebpf;
use aya::maps::{Map, MapData, RingBuf};
use aya_log::EbpfLogger;
use gateway_ebpf::{Event, EventKind, Refusal};
use model::CgroupId;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::InterceptionError;
use super::flow::{address, text};
use super::programs::Programs;

/// Events that wait for whoever takes them. Beyond them the reader waits, the ring fills, and the
/// programs count what they lose.
const WAITING_MAX: usize = 1_024;

/// What a program told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelEvent {
    /// A connect was bound and redirected. Only with `report_redirected`.
    Redirected(Attempt),
    /// Something was refused.
    Refused(Refusal, Attempt),
    /// A governed task is in a network namespace that has no listener.
    NetnsSeen {
        /// The namespace's cookie; 0 where the kernel did not say.
        netns_cookie: u64,
        /// A process in it.
        tgid: u32,
    },
    /// A new cgroup was governed at its creation.
    CgroupGoverned(CgroupId),
    /// A governed cgroup was removed.
    CgroupGone(CgroupId),
    /// A task entered a governed cgroup, perhaps with open connections.
    TaskEntered {
        /// The process.
        tgid: u32,
        /// The cgroup.
        cgroup: CgroupId,
    },
}

/// An attempt to reach something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Boot time in nanoseconds.
    pub boottime_ns: u64,
    /// Where to; unspecified with port 0 where a socket was only to be made.
    pub destination: SocketAddr,
    /// `SOCK_*`; 0 where not known.
    pub socket_type: u16,
    /// IP protocol; 0 where not known.
    pub protocol: u32,
    /// The process; 0 for a packet, which has none.
    pub tgid: u32,
    /// Its real user id.
    pub uid: u32,
    /// Its cgroup; 0 for a packet.
    pub cgroup: CgroupId,
    /// The network namespace's cookie.
    pub netns_cookie: u64,
    /// The socket's cookie.
    pub socket_cookie: u64,
    /// `comm`, for people only.
    pub comm: String,
}

impl KernelEvent {
    /// Reads an event; `None` for one of a kind that this daemon does not know.
    fn decode(event: &Event) -> Option<Self> {
        Some(match EventKind::from_number(event.kind)? {
            EventKind::Redirected => Self::Redirected(Attempt::decode(event)),
            EventKind::Refused => {
                Self::Refused(Refusal::from_number(event.refusal)?, Attempt::decode(event))
            }
            EventKind::NetnsSeen => {
                Self::NetnsSeen { netns_cookie: event.netns_cookie, tgid: event.tgid }
            }
            EventKind::CgroupGoverned => Self::CgroupGoverned(CgroupId(event.cgroup)),
            EventKind::CgroupGone => Self::CgroupGone(CgroupId(event.cgroup)),
            EventKind::TaskEntered => {
                Self::TaskEntered { tgid: event.tgid, cgroup: CgroupId(event.cgroup) }
            }
        })
    }
}

impl Attempt {
    fn decode(event: &Event) -> Self {
        Self {
            boottime_ns: event.boottime_ns,
            destination: SocketAddr::new(address(event.destination), event.port),
            socket_type: event.socket_type,
            protocol: event.protocol,
            tgid: event.tgid,
            uid: event.uid,
            cgroup: CgroupId(event.cgroup),
            netns_cookie: event.netns_cookie,
            socket_cookie: event.socket_cookie,
            comm: text(&event.comm),
        }
    }
}

/// The ring, opened and not yet read.
pub struct EventReader {
    ring: AsyncFd<RingBuf<MapData>>,
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").finish_non_exhaustive()
    }
}

impl EventReader {
    /// Opens the ring of these programs. Only one reader may run at a time.
    ///
    /// # Errors
    /// [`InterceptionError::Map`], [`InterceptionError::MapAccess`] outside a tokio runtime.
    pub fn open(programs: &Programs) -> Result<Self, InterceptionError> {
        let ring = open_ring(&programs.events_pin())?;
        // SAFETY: the ring gives out the same descriptor for as long as it lives.
        let ring = unsafe { AsyncFd::register(ring) }.map_err(|error| {
            InterceptionError::MapAccess { name: "EVENTS", source: error.into() }
        })?;
        Ok(Self { ring })
    }

    /// The channel, and the future that fills it; whoever spawns it owns it. It ends when `stop` is
    /// cancelled or the receiver is dropped.
    pub fn run(
        self,
        stop: CancellationToken,
    ) -> (mpsc::Receiver<KernelEvent>, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (receiver, self.drain(sender, stop))
    }

    async fn drain(mut self, sender: mpsc::Sender<KernelEvent>, stop: CancellationToken) {
        loop {
            let ready = tokio::select! {
                // Ending comes first: a busy ring must not keep the task alive.
                biased;
                () = stop.cancelled() => return,
                () = sender.closed() => return,
                ready = self.ring.readable_mut() => ready,
            };
            let Ok(mut ready) = ready else { return };
            while let Some(event) = next(ready.get_inner_mut()) {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    sent = sender.send(event) => if sent.is_err() { return },
                }
            }
            ready.clear_ready();
        }
    }
}

/// The next event that this daemon knows.
fn next(ring: &mut RingBuf<MapData>) -> Option<KernelEvent> {
    loop {
        let item = ring.next()?;
        let bytes: &[u8] = &item;
        if bytes.len() != size_of::<Event>() {
            continue;
        }
        // SAFETY: as long as an event, and any bytes are one; the read does not need alignment.
        let event = unsafe { bytes.as_ptr().cast::<Event>().read_unaligned() };
        if let Some(event) = KernelEvent::decode(&event) {
            return Some(event);
        }
    }
}

fn open_ring(pin: &Path) -> Result<RingBuf<MapData>, InterceptionError> {
    let failed = |source| InterceptionError::Map { name: "EVENTS", source };
    RingBuf::try_from(Map::RingBuf(MapData::from_pin(pin).map_err(failed)?)).map_err(failed)
}

/// Shows the programs' debug lines in the log for as long as the runtime runs. Development only: the
/// lines are dropped under load.
pub(super) fn log_debug_lines(object: &mut Ebpf) -> Result<(), Box<dyn std::error::Error>> {
    let logger = EbpfLogger::init(object)?;
    // SAFETY: the logger gives out the same descriptor for as long as it lives.
    let mut logger = unsafe { AsyncFd::register(logger) }.map_err(std::io::Error::from)?;
    tokio::runtime::Handle::try_current()?.spawn(async move {
        while let Ok(mut ready) = logger.readable_mut().await {
            ready.get_inner_mut().flush();
            ready.clear_ready();
        }
    });
    Ok(())
}
