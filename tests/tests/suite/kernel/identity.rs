//! What a binding says, and that it is never another's.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use gateway::interception::{Counter, MapSizes, byte_counts};
use nix::sys::socket::sockopt::ReuseAddr;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, listen, setsockopt, socket,
};
use socket2::{Domain, SockRef, Socket, Type};

use super::world::{REAL4, World};

/// A listener in the world's namespace with room for one waiting connection, named to the kernel as
/// the gateway's: further SYNs wait, and connects stay half open.
fn narrow_listener(world: &World) -> (TcpListener, u64) {
    let listener = world.netns.inside(|| {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
        setsockopt(&fd, ReuseAddr, &true).unwrap();
        bind(std::os::fd::AsRawFd::as_raw_fd(&fd), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
        listen(&fd, Backlog::new(0).unwrap()).unwrap();
        TcpListener::from(fd)
    });
    let cookie = world.netns.cookie();
    world.programs.set_listener(cookie, listener.local_addr().unwrap().port()).unwrap();
    (listener, cookie)
}

#[test]
fn a_binding_says_what_proc_says() {
    let world = World::new();
    let mut workload = world.governed();
    workload.greeting("a", "inet", REAL4);
    let binding = world.last_binding();
    let pid = workload.pid();
    // The name may hold anything; what follows its closing parenthesis does not.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start_ticks: u64 =
        stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().parse().unwrap();
    assert_eq!(binding.process.start_boottime_ns / 10_000_000, start_ticks);
    let executable = fs::metadata(format!("/proc/{pid}/exe")).unwrap();
    let found = binding.process.executable.unwrap();
    assert_eq!((found.device, found.inode), (executable.dev(), executable.ino()));
    assert_eq!(binding.cgroup.0, fs::metadata(world.cgroup("governed")).unwrap().ino());
    assert_eq!((binding.process.tgid, binding.process.tid), (pid, pid));
    assert_eq!((binding.user.uid, binding.user.gid), (0, 0));
    let login = fs::read_to_string(format!("/proc/{pid}/loginuid")).unwrap();
    let login: u32 = login.trim().parse().unwrap();
    assert_eq!(binding.user.login_uid, (login != u32::MAX).then_some(login));
    assert_eq!(binding.process.comm, "workload");
    assert_eq!(binding.netns_cookie, world.netns.cookie());
    assert!(binding.socket_cookie != 0 && binding.connected_boottime_ns != 0);
}

#[test]
fn b1_an_exec_after_the_connect_does_not_change_the_binding() {
    let world = World::new();
    let mut workload = world.governed();
    workload.greeting("a", "inet", REAL4);
    let before = world.last_binding();
    let executable = fs::metadata(env!("CARGO_BIN_EXE_workload")).unwrap();
    workload.all(&["exec /bin/sleep 60"]);
    let now = || fs::metadata(format!("/proc/{}/exe", workload.pid())).unwrap();
    tests::assert_eventually!(now().ino() != executable.ino());
    // The same process with the same start: only the executable and the exec id tell.
    assert_eq!(before.process.executable.unwrap().inode, executable.ino());
}

#[test]
fn two_thousand_connects_from_one_source_port_have_their_own_bindings() {
    let world = World::new();
    let greeted = world.governed().all(&["storm 40000 10.78 2000"]);
    assert_eq!(greeted, "2000");
    let bindings = world.bindings();
    assert_eq!(bindings.len(), 2_000);
    for (index, binding) in bindings.iter().enumerate() {
        let expected = format!("10.78.{}.{}:5432", index / 250, index % 250 + 1);
        assert_eq!(binding.as_ref().unwrap().original.to_string(), expected);
    }
    assert_eq!(world.count(Counter::CarryFailed), 0);
}

#[test]
fn a_failed_redirect_leaves_nothing_that_another_could_use() {
    let mut world = World::without_gateway(MapSizes::default());
    let (narrow, _) = narrow_listener(&world);
    let port = narrow.local_addr().unwrap().port();
    let mut workload = world.governed();
    // Two connects fill the queue; the third stays half open, its tuple waiting, until it is closed.
    for name in ["a", "b", "victim"] {
        workload.all(&[&format!("socket {name} inet stream 0"), &format!("nonblocking {name} on")]);
        if name == "victim" {
            workload.all(&["bind victim 127.0.0.1:41000"]);
        }
        workload.say(&format!("connect {name} {REAL4}"));
    }
    workload.all(&["close a", "close b", "close victim"]);
    drop(narrow);
    // Now a gateway at that very port, and somebody who is not governed, with a socket that passes
    // every hook, from the victim's port.
    let netns = world.netns.clone();
    world.open_gateway(&netns);
    assert_eq!(world.gateway().port, port);
    let flows = std::sync::Arc::clone(&world.flows);
    let spoofer = world.netns.inside(move || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        flows.exempt(socket.as_fd()).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&"127.0.0.1:41000".parse::<SocketAddr>().unwrap().into()).unwrap();
        socket.connect(&SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
        socket
    });
    tests::assert_eventually!(!world.bindings().is_empty());
    assert_eq!(world.bindings(), [None], "the spoofer was taken for the victim");
    drop(spoofer);
}

#[test]
fn a_socket_that_connects_again_does_not_carry_its_first_binding() {
    let world = World::new();
    let (mut governed, mut free) = (world.governed(), world.free());
    assert_eq!(governed.greeting("a", "inet", REAL4), "PROXY");
    // Back to an open destination: the peer is the real one, and so is the greeting.
    governed.all(&["disconnect a", "connect a 10.77.0.2:6000"]);
    assert_eq!(governed.all(&["receive a"]), "REAL");
    assert_eq!(governed.all(&["peer a"]), "10.77.0.2:6000");
    // And a captured one again is bound anew.
    governed.all(&["disconnect a", "connect a 10.78.0.9:5432", "receive a"]);
    assert_eq!(world.last_binding().original.to_string(), "10.78.0.9:5432");
    // Handed to somebody who is not governed, it carries nothing to the gateway either. It does not
    // get out at all: the backstop knows a socket by the cgroup that it was made in.
    let at = format!("{}-again", world.name);
    governed.all(&["disconnect a"]);
    governed.tell(&format!("pass a {at}"));
    free.all(&[&format!("take a {at}"), "nonblocking a on"]);
    assert_eq!(free.say(&format!("connect a {REAL4}")), "err 115");
    tests::assert_eventually!(world.count(Counter::EgressDropped) > 0);
    assert_eq!(world.bindings().len(), 2);
}

#[test]
fn a11_a_flood_of_half_open_connects_costs_bindings_and_never_mixes_them() {
    let sizes = MapSizes { tuples: 16, ..MapSizes::default() };
    let world = World::without_gateway(sizes);
    let (narrow, _) = narrow_listener(&world);
    let mut workload = world.governed();
    let mut expected = BTreeMap::new();
    for index in 1..=48 {
        let original = format!("10.78.0.{index}:5432");
        workload
            .all(&[&format!("socket s{index} inet stream 0"), &format!("nonblocking s{index} on")]);
        let begun = workload.say(&format!("connect s{index} {original}"));
        assert!(begun == "ok" || begun == "err 115", "{begun}");
        let local = workload.all(&[&format!("local s{index}")]);
        expected.insert(local.rsplit(':').next().unwrap().to_owned(), original);
    }
    // With a longer queue, the waiting ones come in by retransmission.
    SockRef::from(&narrow).listen(128).unwrap();
    narrow.set_nonblocking(true).unwrap();
    let (mut bound, mut unbound) = (0, 0);
    let mut take = || {
        while let Ok((stream, from)) = narrow.accept() {
            match world.flows.binding(stream.as_fd()).unwrap() {
                None => unbound += 1,
                Some(binding) => {
                    bound += 1;
                    let original = expected.get(&from.port().to_string());
                    assert_eq!(Some(&binding.original.to_string()), original);
                }
            }
        }
        bound + unbound
    };
    tests::assert_eventually!(take() >= 24);
    assert!(bound > 0, "no connection kept its binding");
    assert!(unbound > 0, "nothing was evicted: the test does not test");
}

#[test]
fn the_kernel_counts_a_bound_connections_bytes() {
    let world = World::without_gateway(MapSizes::default());
    let (narrow, _) = narrow_listener(&world);
    let mut workload = world.governed();
    workload.all(&["socket a inet stream 0", &format!("connect a {REAL4}"), "send a hello"]);
    let (stream, _) = narrow.accept().unwrap();
    tests::assert_eventually!(byte_counts(stream.as_fd()).unwrap().received == 5);
}
