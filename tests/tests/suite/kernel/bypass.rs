//! Each way past the gateway that we know of, tried. The names carry the numbers of the attack list.

use gateway::interception::{Captured, Counter, Unlisted};

use super::world::{Netns, OPEN4, REAL4, REAL6, Workload, World, usual_capture};

const EPERM: &str = "err 1";
const EACCES: &str = "err 13";
const EPROTONOSUPPORT: &str = "err 93";
const EADDRINUSE: &str = "err 98";
const ECONNREFUSED: &str = "err 111";
/// The real server's IPv4 address as an IPv6 socket says it.
const MAPPED: &str = "[::ffff:10.77.0.2]:5432";

#[test]
fn a4_connects_of_every_family_are_bound_and_say_their_original_peer() {
    let world = World::new();
    let mut workload = world.governed();
    let cases = [("inet", REAL4, REAL4), ("inet6", REAL6, REAL6), ("inet6", MAPPED, REAL4)];
    for (family, to, original) in cases {
        assert_eq!(workload.greeting("a", family, to), "PROXY", "{to}");
        let binding = world.last_binding();
        assert_eq!(binding.original.to_string(), original);
        assert_eq!(binding.process.tgid, workload.pid());
        assert_eq!(workload.all(&["peer a"]), to);
    }
    // What is not captured is reached as it is, and counted.
    assert_eq!(workload.greeting("b", "inet", OPEN4), "REAL");
    assert_eq!(world.count(Counter::UnlistedPassed), 1);
    assert_eq!(world.count(Counter::Redirected), 3);
    assert_eq!(world.count(Counter::Carried), 3);
}

#[test]
fn an_ungoverned_connect_is_left_alone() {
    let world = World::new();
    let mut free = world.free();
    for (family, to) in [("inet", REAL4), ("inet6", REAL6), ("inet6", MAPPED)] {
        assert_eq!(free.greeting("a", family, to), "REAL");
        assert_eq!(free.all(&["peer a"]), to);
    }
    assert!(world.bindings().is_empty());
}

#[test]
fn a4_the_unspecified_address_is_no_way_to_a_captured_loopback() {
    let mut world = World::new();
    let mut captured = usual_capture();
    captured.insert(Captured::host("127.0.0.1".parse().unwrap(), 5432));
    captured.insert(Captured::host("::1".parse().unwrap(), 5432));
    captured.insert(Captured::host("10.77.0.1".parse().unwrap(), 5432));
    world.programs.capture(&captured).unwrap();
    let mut workload = world.governed();
    for (family, to, original) in [
        ("inet", "0.0.0.0:5432", "127.0.0.1:5432"),
        ("inet6", "[::]:5432", "[::1]:5432"),
        ("inet6", "[::ffff:0.0.0.0]:5432", "127.0.0.1:5432"),
    ] {
        assert_eq!(workload.greeting("a", family, to), "PROXY", "{to}");
        assert_eq!(world.last_binding().original.to_string(), original);
    }
    // On a socket that is bound to one of the host's addresses it means that address.
    let greeting = workload.all(&[
        "socket b inet stream 0",
        "bind b 10.77.0.1:0",
        "connect b 0.0.0.0:5432",
        "receive b",
    ]);
    assert_eq!(greeting, "PROXY");
    assert_eq!(world.last_binding().original.to_string(), "10.77.0.1:5432");
    world.close_gateways();
}

#[test]
fn a1_data_with_the_syn_is_caught() {
    let world = World::new();
    let mut workload = world.governed();
    // `sendto` with MSG_FASTOPEN connects without `connect`.
    for (name, family, to) in [("a", "inet", REAL4), ("b", "inet6", REAL6), ("c", "inet6", MAPPED)]
    {
        let greeting = workload.all(&[
            &format!("socket {name} {family} stream 0"),
            &format!("fast-open {name} {to} hello"),
            &format!("receive {name}"),
        ]);
        assert_eq!(greeting, "PROXY", "{to}");
    }
    let greeting = workload.all(&[
        "socket d inet stream 0",
        "fast-open-connect d",
        &format!("connect d {REAL4}"),
        "send d hello",
        "receive d",
    ]);
    assert_eq!(greeting, "PROXY");
    assert!(world.bindings().iter().all(Option::is_some));
}

#[test]
fn a_connect_that_does_not_block_is_caught() {
    let world = World::new();
    let mut workload = world.governed();
    workload.all(&["socket a inet stream 0", "nonblocking a on"]);
    let begun = workload.say(&format!("connect a {REAL4}"));
    assert!(begun == "ok" || begun == "err 115", "{begun}");
    assert_eq!(workload.all(&["wait a", "nonblocking a off", "receive a"]), "PROXY");
}

#[test]
fn a3_io_uring_connects_are_caught_on_every_path() {
    let world = World::new();
    // Rings, with their kernel threads, are made before the process is governed.
    let mut workload = world.free();
    for kind in ["inline", "async", "polled"] {
        workload.all(&[&format!("ring {kind} {kind}"), &format!("socket {kind} inet stream 0")]);
    }
    let procs = world.cgroup("governed").join("cgroup.procs");
    workload.all(&[&format!("enter {}", procs.display())]);
    for kind in ["inline", "async", "polled"] {
        let greeting = workload
            .all(&[&format!("ring-connect {kind} {kind} {REAL4}"), &format!("receive {kind}")]);
        assert_eq!(greeting, "PROXY", "{kind}");
        let binding = world.last_binding();
        assert_eq!(binding.process.tgid, workload.pid(), "{kind}");
        let executable = std::fs::metadata(format!("/proc/{}/exe", workload.pid())).unwrap();
        let found = binding.process.executable.unwrap();
        assert_eq!(found.inode, std::os::unix::fs::MetadataExt::ino(&executable), "{kind}");
    }
}

#[test]
fn a2_kinds_of_socket_that_cannot_be_bound_are_refused_to_governed_tasks_only() {
    let world = World::new();
    let mut workload = world.governed();
    for (line, refusal) in [
        ("socket a inet stream 262", EPROTONOSUPPORT), // MPTCP
        ("socket a inet6 stream 262", EPROTONOSUPPORT),
        ("socket a inet raw 6", EPERM),
        ("socket a inet raw 255", EPERM),
        ("socket a inet6 raw 58", EPERM),
        ("socket a inet stream 132", EPROTONOSUPPORT), // SCTP
        ("socket a inet dgram 136", EPROTONOSUPPORT),  // UDP-Lite
    ] {
        assert_eq!(workload.say(line), refusal, "{line}");
    }
    let mut free = world.free();
    free.all(&["socket a inet raw 6", "socket b inet dgram 136"]);
    workload.all(&["socket a inet dgram 17", "socket b inet6 dgram 17", "socket c inet stream 6"]);
}

#[test]
fn a7_a_socket_made_before_its_task_was_governed_is_caught() {
    let world = World::new();
    let mut workload = world.free();
    workload.all(&["socket a inet stream 0"]);
    let procs = world.cgroup("governed").join("cgroup.procs");
    workload.all(&[&format!("enter {}", procs.display()), &format!("connect a {REAL4}")]);
    assert_eq!(workload.all(&["receive a"]), "PROXY");
}

#[test]
fn a6_a_socket_passed_by_an_ungoverned_task_is_judged_by_who_connects_it() {
    let world = World::new();
    let (mut free, mut governed) = (world.free(), world.governed());
    let at = format!("{}-pass", world.name);
    free.all(&["socket a inet stream 0"]);
    free.tell(&format!("pass a {at}"));
    governed.all(&[&format!("take a {at}"), &format!("connect a {REAL4}")]);
    assert_eq!(free.answer(), "ok");
    assert_eq!(governed.all(&["receive a"]), "PROXY");
}

#[test]
fn a5_a_second_thread_and_a_child_are_caught() {
    let world = World::new();
    let mut workload = world.governed();
    assert_eq!(workload.all(&[&format!("thread-connect {REAL4}")]), "PROXY");
    let binding = world.last_binding();
    assert_eq!(binding.process.tgid, workload.pid());
    assert_ne!(binding.process.tid, workload.pid());
    // The child is gone before anybody looks: what the kernel wrote down stays.
    let child = workload.all(&[&format!("fork-connect {REAL4}")]);
    tests::assert_eventually!(world.bindings().len() == 2);
    assert_eq!(world.last_binding().process.tgid.to_string(), child);
}

#[test]
fn a7_children_of_a_governed_cgroup_are_governed_however_deep() {
    let world = World::new();
    let deep = world.cgroup("governed/one/two/three");
    std::fs::create_dir_all(&deep).unwrap();
    let mut workload = Workload::start(&deep, &world.netns);
    assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY");
    let path = world.programs.tree().path_of(world.last_binding().cgroup).unwrap().unwrap();
    assert!(path.ends_with("governed/one/two/three"), "{}", path.display());
}

#[test]
fn a2_datagrams_to_a_captured_address_are_refused() {
    let world = World::new();
    let mut workload = world.governed();
    workload.all(&["socket a inet dgram 0", "socket b inet6 dgram 0"]);
    assert_eq!(workload.say(&format!("connect a {REAL4}")), EACCES);
    assert_eq!(workload.say(&format!("send-to a {REAL4} hello")), EACCES);
    for to in [REAL6, MAPPED] {
        assert_eq!(workload.say(&format!("connect b {to}")), EACCES);
        assert_eq!(workload.say(&format!("send-to b {to} hello")), EACCES);
    }
    assert_eq!(world.count(Counter::DatagramRefused), 6);
    // Elsewhere they go, as they do for anybody.
    workload.all(&["send-to a 10.77.0.2:9 hello"]);
    world.free().all(&["socket a inet dgram 0", &format!("send-to a {REAL4} hello")]);
}

#[test]
fn a8_a_socket_tied_to_a_device_is_freed_from_it() {
    let world = World::new();
    world.netns.inside(|| {
        super::world::run("ip", "link add d0 type veth peer name d1");
        super::world::run("ip", "link set d0 up");
    });
    let mut workload = world.governed();
    let greeting = workload.all(&[
        "socket a inet stream 0",
        "device a d0",
        &format!("connect a {REAL4}"),
        "receive a",
    ]);
    assert_eq!(greeting, "PROXY");
}

#[test]
fn a8_a_socket_bound_to_an_address_or_carrying_a_mark_is_caught() {
    let world = World::new();
    let mut workload = world.governed();
    for (family, from, to) in [("inet", "10.77.0.1:0", REAL4), ("inet6", "[fd77::1]:0", REAL6)] {
        let greeting = workload.all(&[
            &format!("socket a {family} stream 0"),
            "mark a 119",
            &format!("bind a {from}"),
            &format!("connect a {to}"),
            "receive a",
        ]);
        assert_eq!(greeting, "PROXY", "{from}");
    }
}

#[test]
fn a6_a_connection_from_before_its_cgroup_was_governed_stalls_at_the_backstop() {
    let world = World::without_gateway(Default::default());
    let mut workload = Workload::start(&world.cgroup("later"), &world.netns);
    workload.all(&[
        "socket a inet stream 0",
        &format!("connect a {REAL4}"),
        "receive a",
        "socket b inet dgram 0",
        &format!("connect b {REAL4}"),
        "send b hello",
    ]);
    world.govern_also("later");
    // The kernel tells a datagram's sender, not a stream's.
    assert_eq!(workload.say("send b hello"), EPERM);
    workload.all(&["send a hello"]);
    tests::assert_eventually!(world.count(Counter::EgressDropped) >= 2);
}

#[test]
fn unlisted_destinations_can_be_denied() {
    let world = World::new();
    world.govern(Unlisted::Deny);
    let mut workload = world.governed();
    workload.all(&["socket a inet stream 0", "socket b inet dgram 0"]);
    assert_eq!(workload.say(&format!("connect a {OPEN4}")), EACCES);
    assert_eq!(workload.say("send-to b 10.77.0.2:9 hello"), EACCES);
    assert_eq!(workload.greeting("c", "inet", REAL4), "PROXY");
    assert_eq!(world.free().greeting("a", "inet", OPEN4), "REAL");
}

#[test]
fn nobody_connects_straight_to_the_gateway() {
    let world = World::new();
    let port = world.gateway().port;
    for mut workload in [world.governed(), world.free()] {
        for (family, to) in [
            ("inet", format!("127.0.0.1:{port}")),
            ("inet", format!("0.0.0.0:{port}")),
            ("inet6", format!("[::1]:{port}")),
            ("inet6", format!("[::ffff:127.0.0.1]:{port}")),
        ] {
            workload.all(&[&format!("socket a {family} stream 0")]);
            assert_eq!(workload.say(&format!("connect a {to}")), ECONNREFUSED, "{to}");
        }
    }
    assert!(world.bindings().is_empty());
}

#[test]
fn nobody_else_takes_the_gateways_port_while_it_is_down() {
    let mut world = World::new();
    let port = world.gateway().port;
    world.close_gateways();
    for mut workload in [world.governed(), world.free()] {
        for (family, at) in [("inet", "127.0.0.1"), ("inet", "0.0.0.0"), ("inet6", "[::]")] {
            workload.all(&[&format!("socket a {family} stream 0"), "reuse a", "reuse-port a"]);
            assert_eq!(workload.say(&format!("bind a {at}:{port}")), EADDRINUSE, "{at}");
        }
    }
    // The gateway itself gets it back.
    let netns = world.netns.clone();
    world.open_gateway(&netns);
    assert_eq!(world.gateway().port, port);
    assert_eq!(world.governed().greeting("a", "inet", REAL4), "PROXY");
}

#[test]
fn a8_the_same_tuple_in_two_namespaces_is_two_connections() {
    let mut world = World::new();
    let other = Netns::make();
    let cookie = world.open_gateway(&other);
    let mut workloads = [world.governed(), Workload::start(&world.cgroup("governed"), &other)];
    for workload in &mut workloads {
        workload.all(&[
            "socket a inet stream 0",
            "bind a 127.0.0.1:40000",
            &format!("connect a {REAL4}"),
        ]);
    }
    for workload in &mut workloads {
        assert_eq!(workload.all(&["receive a"]), "PROXY");
    }
    let bindings = world.bindings();
    let found: Vec<_> = bindings
        .iter()
        .flatten()
        .map(|binding| (binding.netns_cookie, binding.process.tgid))
        .collect();
    let first = world.gateway().netns_cookie;
    let [a, b] = &workloads;
    assert_eq!(found.len(), 2);
    assert!(found.contains(&(first, a.pid())), "{found:?}");
    assert!(found.contains(&(cookie, b.pid())), "{found:?}");
}
