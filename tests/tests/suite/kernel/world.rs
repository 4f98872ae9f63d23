//! What a kernel test stands on: a network namespace with a real server, an installed instance of the
//! programs, a gateway that greets, and workloads inside and outside governance.
//!
//! Everything is removed when the world is dropped, also by a panic; what a killed run left behind is
//! swept by the next.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test stands on fails by panicking")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::{self, JoinHandle};

use gateway::interception::{
    Captured, CgroupPattern, Counter, FlowTable, Govern, Installation, InstanceName, KernelFlows,
    Listeners, MapSizes, NamespaceListeners, Namespaces, Programs, Unlisted,
};
use model::Binding;
use nix::sched::{CloneFlags, setns, unshare};
use tokio::runtime::Runtime;

/// Worlds exclude those that govern the whole host, also of other runs of this binary.
const LOCK: &str = "/run/lock/portcullis-kernel-tests";
/// The prefix of everything that these tests name.
const PREFIX: &str = "pcl-test-";
/// The real server, by both families.
pub(super) const REAL4: &str = "10.77.0.2:5432";
pub(super) const REAL6: &str = "[fd77::2]:5432";
/// A real server that is not captured.
pub(super) const OPEN4: &str = "10.77.0.2:6000";

/// A network namespace: loopback up, with the servers' addresses on it.
#[derive(Clone)]
pub(super) struct Netns(Arc<File>);

impl Netns {
    pub(super) fn make() -> Self {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            for arguments in [
                "link set lo up",
                "addr add 10.77.0.1/32 dev lo",
                "addr add 10.77.0.2/32 dev lo",
                "route add local 10.78.0.0/16 dev lo",
                "-6 addr add fd77::1/128 dev lo nodad",
                "-6 addr add fd77::2/128 dev lo nodad",
            ] {
                run("ip", arguments);
            }
            File::open("/proc/thread-self/ns/net").unwrap()
        };
        Self(Arc::new(thread::spawn(make).join().unwrap()))
    }

    /// Its cookie, as a socket inside says it.
    pub(super) fn cookie(&self) -> u64 {
        self.inside(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            gateway::interception::netns_cookie(socket.as_fd()).unwrap()
        })
    }

    /// Runs something on a thread inside.
    pub(super) fn inside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let file = Arc::clone(&self.0);
        let enter = move || {
            setns(file.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        thread::spawn(enter).join().unwrap()
    }
}

/// A server thread; ends when its listener is shut down.
struct Server {
    listener: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(
        listener: TcpListener,
        mut serve: impl FnMut(std::net::TcpStream) + Send + 'static,
    ) -> Self {
        listener.set_nonblocking(false).unwrap();
        let fd = listener.try_clone().unwrap().into();
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                serve(stream);
            }
        });
        Self { listener: fd, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SAFETY: shutting a listener down makes `accept` return.
        unsafe { libc::shutdown(self.listener.as_raw_fd(), libc::SHUT_RDWR) };
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What came to the gateway: each accepted connection's binding.
pub(super) type Accepted = Arc<Mutex<Vec<Option<Binding>>>>;

/// The gateway of one namespace: greets bound connections with `PROXY`, others with `UNBOUND`.
pub(super) struct Gateway {
    pub(super) port: u16,
    pub(super) netns_cookie: u64,
    _servers: Vec<Server>,
}

/// The whole.
pub(super) struct World {
    pub(super) name: String,
    pub(super) installation: Installation,
    pub(super) programs: Arc<Programs>,
    pub(super) flows: Arc<dyn FlowTable>,
    pub(super) namespaces: Namespaces,
    pub(super) runtime: Runtime,
    pub(super) netns: Netns,
    pub(super) accepted: Accepted,
    gateways: Vec<Gateway>,
    _servers: Vec<Server>,
    _datagrams: UdpSocket,
    cgroup: CgroupDirectory,
    _lock: File,
}

impl World {
    /// A world with the usual capture, and a gateway in its namespace.
    pub(super) fn new() -> Self {
        let mut world = Self::without_gateway(MapSizes::default());
        let netns = world.netns.clone();
        world.open_gateway(&netns);
        world
    }

    /// A world in which nobody listens yet.
    pub(super) fn without_gateway(sizes: MapSizes) -> Self {
        let lock = lock();
        lock.lock_shared().unwrap();
        Self::with_lock(sizes, lock)
    }

    /// A world beside which there is no other: for governing the whole host, also where a full map
    /// does so.
    pub(super) fn alone(sizes: MapSizes) -> Self {
        let lock = lock();
        lock.lock().unwrap();
        Self::with_lock(sizes, lock)
    }

    fn with_lock(sizes: MapSizes, lock: File) -> Self {
        sweep();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let mut installation = Installation::new(InstanceName::new(&name).unwrap());
        installation.sizes = sizes;
        let programs = Arc::new(Programs::load_or_adopt(&installation).unwrap());
        let mount = programs.tree().mount().to_path_buf();
        let cgroup = CgroupDirectory::make(mount.join(&name));
        for child in ["governed", "free", "later"] {
            fs::create_dir(cgroup.0.join(child)).unwrap();
        }
        let flows: Arc<dyn FlowTable> = Arc::new(KernelFlows::new(Arc::clone(&programs)));
        let netns = Netns::make();
        let (servers, datagrams) = real_servers(&netns);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let world = Self {
            name,
            installation,
            programs,
            flows,
            namespaces: Namespaces::start().unwrap(),
            runtime,
            netns,
            accepted: Accepted::default(),
            gateways: Vec::new(),
            _servers: servers,
            _datagrams: datagrams,
            cgroup,
            _lock: lock,
        };
        world.govern(Unlisted::Allow);
        world.programs.capture(&usual_capture()).unwrap();
        world
    }

    /// Governs this world's governed cgroup.
    pub(super) fn govern(&self, unlisted: Unlisted) {
        let pattern = CgroupPattern::Path(format!("/{}/governed", self.name));
        let govern = Govern::Cgroups(BTreeSet::from([pattern]));
        self.programs.govern(&govern, unlisted, false).unwrap();
    }

    /// Governs another of this world's cgroups, too.
    pub(super) fn govern_also(&self, child: &str) {
        let pattern = |child| CgroupPattern::Path(format!("/{}/{child}", self.name));
        let govern = Govern::Cgroups(BTreeSet::from([pattern("governed"), pattern(child)]));
        self.programs.govern(&govern, Unlisted::Allow, false).unwrap();
    }

    /// The opener of listeners; a new one has opened nothing yet.
    pub(super) fn listeners(&self) -> Listeners {
        let (programs, flows) = (Arc::clone(&self.programs), Arc::clone(&self.flows));
        Listeners::new(programs, flows, self.namespaces.clone())
    }

    /// Opens listeners in a namespace and serves them.
    pub(super) fn open_gateway(&mut self, netns: &Netns) -> u64 {
        // A process in that namespace, for as long as it takes to learn the namespace from it.
        let guide = Workload::start(&self.cgroup("free"), netns);
        let cookie = netns.cookie();
        let opening = self.listeners();
        let opened = self.runtime.block_on(opening.open_for(guide.pid(), cookie)).unwrap();
        self.serve(opened.unwrap())
    }

    /// Serves opened listeners.
    pub(super) fn serve(&mut self, opened: NamespaceListeners) -> u64 {
        let gateway = serve(opened, &self.flows, &self.accepted);
        let cookie = gateway.netns_cookie;
        self.gateways.push(gateway);
        cookie
    }

    /// The gateway of the first namespace.
    pub(super) fn gateway(&self) -> &Gateway {
        self.gateways.first().unwrap()
    }

    /// Closes every listener, as the end of the daemon does.
    pub(super) fn close_gateways(&mut self) {
        self.gateways.clear();
    }

    /// The directory of one of this world's cgroups.
    pub(super) fn cgroup(&self, child: &str) -> PathBuf {
        self.cgroup.0.join(child)
    }

    /// A workload in the governed cgroup.
    pub(super) fn governed(&self) -> Workload {
        Workload::start(&self.cgroup("governed"), &self.netns)
    }

    /// A workload outside governance, in the same namespace.
    pub(super) fn free(&self) -> Workload {
        Workload::start(&self.cgroup("free"), &self.netns)
    }

    /// Bindings of all connections that came to the gateway so far.
    pub(super) fn bindings(&self) -> Vec<Option<Binding>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The binding of the last connection.
    pub(super) fn last_binding(&self) -> Binding {
        self.bindings().pop().unwrap().unwrap()
    }

    /// One counter.
    pub(super) fn count(&self, wanted: Counter) -> u64 {
        let counters = self.programs.counters().unwrap();
        counters.iter().find(|(counter, _)| *counter == wanted).unwrap().1
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.gateways.clear();
        let removed = Programs::uninstall(&self.installation);
        if !thread::panicking() {
            removed.unwrap();
        }
    }
}

fn lock() -> File {
    File::options().create(true).append(true).open(LOCK).unwrap()
}

/// A cgroup and those below it; removed when dropped, after killing what is inside.
struct CgroupDirectory(PathBuf);

impl CgroupDirectory {
    fn make(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for CgroupDirectory {
    fn drop(&mut self) {
        remove_cgroup(&self.0);
    }
}

fn remove_cgroup(path: &Path) {
    // Linux 5.14; kills every process in the subtree.
    let _ = fs::write(path.join("cgroup.kill"), "1");
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    tests::assert_eventually!(fs::remove_dir(path).is_ok() || !path.exists());
}

/// The captured destinations of every world.
pub(super) fn usual_capture() -> BTreeSet<Captured> {
    BTreeSet::from([
        Captured::host("10.77.0.2".parse().unwrap(), 5432),
        Captured::host("fd77::2".parse().unwrap(), 5432),
        Captured { address: "10.78.0.0".parse().unwrap(), prefix_length: 16, port: 5432 },
    ])
}

fn real_servers(netns: &Netns) -> (Vec<Server>, UdpSocket) {
    let (listeners, datagrams) = netns.inside(|| {
        let listeners = [REAL4, REAL6, OPEN4].map(|at| TcpListener::bind(at).unwrap());
        (listeners, UdpSocket::bind(REAL4).unwrap())
    });
    let greet = |listener| {
        // Connections stay open, as a database's do.
        let mut held = Vec::new();
        Server::start(listener, move |mut stream| {
            let _ = stream.write_all(b"REAL");
            held.push(stream);
        })
    };
    (listeners.map(greet).into(), datagrams)
}

/// Serves opened listeners, noting each connection's binding.
pub(super) fn serve(
    opened: NamespaceListeners,
    flows: &Arc<dyn FlowTable>,
    accepted: &Accepted,
) -> Gateway {
    let NamespaceListeners { netns_cookie, port, v4, v6 } = opened;
    let start = |listener| {
        let (flows, accepted) = (Arc::clone(flows), Arc::clone(accepted));
        let mut held = Vec::new();
        Server::start(listener, move |mut stream| {
            let binding = flows.binding(stream.as_fd()).unwrap();
            let greeting: &[u8] = if binding.is_some() { b"PROXY" } else { b"UNBOUND" };
            // Noted first: the client may act on the greeting at once.
            accepted.lock().unwrap_or_else(PoisonError::into_inner).push(binding);
            let _ = stream.write_all(greeting);
            held.push(stream);
            if held.len() > 256 {
                held.clear();
            }
        })
    };
    let servers = std::iter::once(v4).chain(v6).map(start).collect();
    Gateway { port, netns_cookie, _servers: servers }
}

/// A process that does what the test says, line by line.
pub(super) struct Workload {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Workload {
    /// Starts one in a cgroup and a network namespace.
    pub(super) fn start(cgroup: &Path, netns: &Netns) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_workload")), cgroup, netns)
    }

    /// Runs another program in the same way.
    pub(super) fn run(mut command: Command, cgroup: &Path, netns: &Netns) -> Self {
        let procs = File::options().write(true).open(cgroup.join("cgroup.procs")).unwrap();
        let netns = Arc::clone(&netns.0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let enter = move || {
            // SAFETY: ends this process with the thread that started it.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            nix::unistd::write(&procs, b"0")?;
            setns(netns.as_fd(), CloneFlags::CLONE_NEWNET)?;
            Ok(())
        };
        // SAFETY: system calls only, on descriptors that were opened before.
        let mut child = unsafe { command.pre_exec(enter) }.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// Says a line, and gives the answer.
    pub(super) fn say(&mut self, line: &str) -> String {
        self.tell(line);
        self.answer()
    }

    /// Says a line without waiting for the answer.
    pub(super) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
    }

    /// The next answer.
    pub(super) fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// Says lines that must each be answered with `ok`, and gives the last answer's text.
    pub(super) fn all(&mut self, lines: &[&str]) -> String {
        let mut last = String::new();
        for line in lines {
            let answer = self.say(line);
            let text = answer.strip_prefix("ok");
            last = text.unwrap_or_else(|| panic!("{line}: {answer}")).trim_start().to_owned();
        }
        last
    }

    /// Makes a TCP socket, connects it, and gives the greeting: who took the connection.
    pub(super) fn greeting(&mut self, name: &str, family: &str, to: &str) -> String {
        self.all(&[
            &format!("socket {name} {family} stream 0"),
            &format!("connect {name} {to}"),
            &format!("receive {name}"),
        ])
    }

    /// Kills it, as `kill -9` does.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program with arguments; it must succeed.
pub(super) fn run(program: &str, arguments: &str) {
    let output = Command::new(program).args(arguments.split(' ')).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments}: {text}");
}

/// Removes what killed runs left behind: instances and cgroups of processes that are no more.
fn sweep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(tree) = gateway::interception::CgroupTree::find() else { return };
        for (directory, is_cgroup) in
            [(tree.mount().to_path_buf(), true), ("/sys/fs/bpf/portcullis/v1".into(), false)]
        {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
                if owner.is_none_or(|owner| Path::new("/proc").join(owner).exists()) {
                    continue;
                }
                if is_cgroup {
                    remove_cgroup(&entry.path());
                } else if let Ok(instance) = InstanceName::new(&name) {
                    Programs::uninstall(&Installation::new(instance)).unwrap();
                }
            }
        }
    });
}
