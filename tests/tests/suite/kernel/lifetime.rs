//! Installing, adopting, replacing, and being killed.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use gateway::interception::{
    Adoption, Dialer, Govern, InterceptionError, MapSizes, Programs, Unlisted,
};

use super::world::{REAL4, REAL6, Workload, World};

const ECONNREFUSED: &str = "err 111";

#[test]
fn a10_a_killed_daemon_leaves_governed_connects_refused_and_the_next_one_serves() {
    let mut world = World::without_gateway(MapSizes::default());
    let mut command = Command::new(env!("CARGO_BIN_EXE_installer"));
    command.arg(&world.name);
    let mut daemon = Workload::run(command, &world.cgroup("free"), &world.netns);
    assert_eq!(daemon.answer(), "ok");
    assert_eq!(world.governed().greeting("a", "inet", REAL4), "PROXY");
    daemon.kill();
    let mut workload = world.governed();
    for (family, to) in [("inet", REAL4), ("inet6", REAL6), ("inet6", "[::ffff:10.77.0.2]:5432")] {
        workload.all(&[&format!("socket a {family} stream 0")]);
        assert_eq!(workload.say(&format!("connect a {to}")), ECONNREFUSED, "{to}");
    }
    assert_eq!(world.free().greeting("a", "inet", REAL4), "REAL");
    let netns = world.netns.clone();
    world.open_gateway(&netns);
    assert_eq!(workload.greeting("b", "inet", REAL4), "PROXY");
}

#[test]
fn an_adopting_daemon_finds_everything_as_it_was() {
    let world = World::new();
    let mut workload = world.governed();
    assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY");
    assert_eq!(world.programs.adoption(), Adoption::Fresh);
    let next = Programs::load_or_adopt(&world.installation).unwrap();
    assert_eq!(next.adoption(), Adoption::Adopted);
    assert_eq!(next.governed().unwrap(), world.programs.governed().unwrap());
    // A connection of before is still known, by the new programs, to both of its ends.
    assert_eq!(workload.all(&["peer a"]), REAL4);
    assert_eq!(workload.greeting("b", "inet", REAL4), "PROXY");
    assert_eq!(next.counters().unwrap(), world.programs.counters().unwrap());
}

#[test]
fn pinned_maps_of_another_size_are_refused_and_capture_goes_on() {
    let world = World::new();
    let mut other = world.installation.clone();
    other.sizes.governed = 7;
    let error = Programs::load_or_adopt(&other).unwrap_err();
    assert!(matches!(error, InterceptionError::MapShape { name: "GOVERNED", .. }), "{error}");
    assert_eq!(world.governed().greeting("a", "inet", REAL4), "PROXY");
}

#[test]
fn a10_programs_are_replaced_under_load_without_one_connect_escaping() {
    let world = World::new();
    let (stop, connects) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut workload = world.governed();
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY");
                assert_eq!(workload.greeting("b", "inet6", REAL6), "PROXY");
                connects.fetch_add(2, Ordering::Relaxed);
            }
        });
        for _ in 0..6 {
            let before = connects.load(Ordering::Relaxed);
            Programs::load_or_adopt(&world.installation).unwrap();
            tests::assert_eventually!(connects.load(Ordering::Relaxed) > before);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(world.bindings().iter().all(Option::is_some));
}

#[test]
fn uninstalling_ends_capture() {
    let world = World::new();
    let mut workload = world.governed();
    assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY");
    Programs::uninstall(&world.installation).unwrap();
    assert_eq!(workload.greeting("b", "inet", REAL4), "REAL");
    // A second time is no error.
    Programs::uninstall(&world.installation).unwrap();
}

#[test]
fn releasing_a_cgroup_and_a_destination_ends_their_capture() {
    let world = World::new();
    let mut workload = world.governed();
    world.govern_also("later");
    let mut later = Workload::start(&world.cgroup("later"), &world.netns);
    assert_eq!(later.greeting("a", "inet", REAL4), "PROXY");
    world.govern(Unlisted::Allow);
    assert_eq!(later.greeting("b", "inet", REAL4), "REAL");
    assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY");
    world.programs.capture(&Default::default()).unwrap();
    assert_eq!(workload.greeting("b", "inet", REAL4), "REAL");
    assert_eq!(workload.greeting("c", "inet6", REAL6), "REAL");
}

#[test]
fn a9_governing_the_host_leaves_out_the_gateway_and_its_marked_sockets_only() {
    let mut world = World::alone(MapSizes::default());
    let netns = world.netns.clone();
    let cookie = world.open_gateway(&netns);
    let own = format!("/{}/free", world.name);
    world.programs.govern(&Govern::HostExcept(own), Unlisted::Allow, false).unwrap();
    // The governed cgroup is nothing special now; `free` plays the gateway's own.
    let mut anybody = Workload::start(&world.cgroup("later"), &world.netns);
    assert_eq!(anybody.greeting("a", "inet", REAL4), "PROXY");
    assert_eq!(world.free().greeting("a", "inet", REAL4), "REAL");
    // This process is not in that cgroup: only the mark lets its sockets through.
    let dialer = Dialer::new(std::sync::Arc::clone(&world.flows), world.namespaces.clone());
    let greeting = world.runtime.block_on(async {
        let mut stream = dialer.connect(cookie, REAL4.parse().unwrap()).await.unwrap();
        let mut greeting = Vec::new();
        tokio::io::AsyncReadExt::read_buf(&mut stream, &mut greeting).await.unwrap();
        greeting
    });
    assert_eq!(greeting, b"REAL");
    let unmarked = world.netns.inside(|| {
        let mut stream = std::net::TcpStream::connect(REAL4).unwrap();
        let mut greeting = String::new();
        std::io::Read::read_to_string(&mut std::io::Read::take(&mut stream, 5), &mut greeting)
            .unwrap();
        greeting
    });
    assert_eq!(unmarked, "PROXY");
    world.govern(Unlisted::Allow);
    assert_eq!(anybody.greeting("b", "inet", REAL4), "REAL");
}
