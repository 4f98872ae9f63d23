//! What appears while the programs run: cgroups, network namespaces, tasks with connections.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use gateway::interception::{
    CgroupPattern, Counter, EventReader, Govern, InterceptionError, KernelEvent, MapSizes,
    Predating, Refusal, Unlisted, Whose,
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::world::{Netns, REAL4, Workload, World, usual_capture};

const ECONNREFUSED: &str = "err 111";
const ECONNABORTED: &str = "err 103";

/// Reads this world's events until one is as wanted.
fn wait_for<T>(
    world: &World,
    events: &mut Receiver<KernelEvent>,
    wanted: impl Fn(KernelEvent) -> Option<T>,
) -> T {
    world.runtime.block_on(async {
        let find = async {
            loop {
                if let Some(found) = events.recv().await.and_then(&wanted) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), find).await.unwrap()
    })
}

fn events(world: &World) -> (Receiver<KernelEvent>, tokio_util::sync::DropGuard) {
    let stop = CancellationToken::new();
    let _inside = world.runtime.enter();
    let (receiver, task) = EventReader::open(&world.programs).unwrap().run(stop.clone());
    world.runtime.spawn(task);
    (receiver, stop.drop_guard())
}

fn govern_units(world: &World, units: &[&str]) -> Result<(), InterceptionError> {
    let patterns = units.iter().map(|unit| CgroupPattern::Unit((*unit).to_owned())).collect();
    world.programs.govern(&Govern::Cgroups(patterns), Unlisted::Allow, false)
}

#[test]
fn a_units_cgroup_is_governed_from_the_moment_it_is_made() {
    let world = World::new();
    assert!(world.programs.governs_new_cgroups());
    let unit = format!("{}.service", world.name);
    govern_units(&world, &[&unit]).unwrap();
    for round in 0..20 {
        let slice = world.cgroup(&format!("free/slice-{round}"));
        fs::create_dir(&slice).unwrap();
        let made = slice.join(&unit);
        fs::create_dir(&made).unwrap();
        let look_alike = slice.join(format!("x{unit}"));
        fs::create_dir(&look_alike).unwrap();
        let mut workload = Workload::start(&made, &world.netns);
        assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY", "round {round}");
        drop(workload);
        if round == 0 {
            let mut other = Workload::start(&look_alike, &world.netns);
            assert_eq!(other.greeting("a", "inet", REAL4), "REAL");
        }
    }
    assert_eq!(world.count(Counter::CgroupsGoverned), 20);
    assert_eq!(world.programs.governed().unwrap().len(), 20);
    // A cgroup that goes takes its entry with it.
    let last = world.cgroup(&format!("free/slice-19/{unit}"));
    tests::assert_eventually!(fs::remove_dir(&last).is_ok());
    tests::assert_eventually!(world.programs.governed().unwrap().len() == 19);
}

#[test]
fn a_path_that_appears_later_is_governed_and_a_longer_one_is_not() {
    let world = World::new();
    let path = format!("/{}/free/automation", world.name);
    let govern = Govern::Cgroups(BTreeSet::from([CgroupPattern::Path(path)]));
    world.programs.govern(&govern, Unlisted::Allow, false).unwrap();
    for (child, expected) in [("free/automation", "PROXY"), ("free/automation2", "REAL")] {
        fs::create_dir(world.cgroup(child)).unwrap();
        let mut workload = Workload::start(&world.cgroup(child), &world.netns);
        assert_eq!(workload.greeting("a", "inet", REAL4), expected, "{child}");
    }
}

#[test]
fn a11_a_full_map_of_cgroups_governs_too_much_rather_than_too_little() {
    let mut world = World::alone(MapSizes { governed: 2, ..MapSizes::default() });
    let netns = world.netns.clone();
    world.open_gateway(&netns);
    let unit = format!("{}.service", world.name);
    govern_units(&world, &[&unit]).unwrap();
    let make = |slice: &str| {
        let path = world.cgroup(&format!("free/{slice}/{unit}"));
        fs::create_dir_all(&path).unwrap();
        path
    };
    for slice in ["a", "b"] {
        make(slice);
    }
    let third = make("c");
    assert_eq!(world.count(Counter::CgroupsMissed), 1);
    let mut missed = Workload::start(&third, &world.netns);
    assert_eq!(missed.greeting("a", "inet", REAL4), "PROXY");
    // The next change of configuration says so, and leaves it so.
    let error = govern_units(&world, &[&unit]).unwrap_err();
    assert!(matches!(error, InterceptionError::Full { name: "GOVERNED" }), "{error}");
    assert_eq!(missed.greeting("b", "inet", REAL4), "PROXY");
    drop(missed);
    tests::assert_eventually!(fs::remove_dir(&third).is_ok());
    govern_units(&world, &[&unit]).unwrap();
    assert_eq!(world.free().greeting("a", "inet", REAL4), "REAL");
}

#[test]
fn a_connect_from_an_unknown_namespace_is_refused_until_there_is_a_listener() {
    let mut world = World::new();
    let (mut events, _stop) = events(&world);
    let other = Netns::make();
    let mut workload = Workload::start(&world.cgroup("governed"), &other);
    workload.all(&["socket a inet stream 0"]);
    assert_eq!(workload.say(&format!("connect a {REAL4}")), ECONNREFUSED);
    let (tgid, cookie) = wait_for(&world, &mut events, |event| match event {
        KernelEvent::Refused(Refusal::UnknownNetns, attempt) => {
            Some((attempt.tgid, attempt.netns_cookie))
        }
        _ => None,
    });
    assert_eq!((tgid, cookie), (workload.pid(), other.cookie()));
    let listeners = world.listeners();
    let opened = world.runtime.block_on(listeners.open_for(tgid, cookie)).unwrap().unwrap();
    world.serve(opened);
    assert_eq!(workload.greeting("b", "inet", REAL4), "PROXY");
    // Asked again, it is open already.
    assert!(world.runtime.block_on(listeners.open_for(tgid, cookie)).unwrap().is_none());
    // And let go of when nobody is in the namespace any more.
    drop(workload);
    let mut gone = Vec::new();
    tests::assert_eventually!({
        gone.extend(world.runtime.block_on(listeners.let_go()).unwrap());
        gone.contains(&cookie)
    });
    assert_eq!(world.programs.listener_port(cookie).unwrap(), None);
}

#[test]
fn a_job_announces_its_namespace_when_it_is_executed() {
    let world = World::new();
    let (mut events, _stop) = events(&world);
    let other = Netns::make();
    let workload = Workload::start(&world.cgroup("governed"), &other);
    let cookie = other.cookie();
    let tgid = wait_for(&world, &mut events, |event| match event {
        KernelEvent::NetnsSeen { netns_cookie, tgid } if netns_cookie == cookie => Some(tgid),
        _ => None,
    });
    // It has not made a socket yet.
    assert_eq!(tgid, workload.pid());
}

#[test]
fn listeners_are_discovered_in_every_namespace_of_a_governed_process() {
    let world = World::new();
    let other = Netns::make();
    let _workloads = [world.governed(), Workload::start(&world.cgroup("governed"), &other)];
    let listeners = world.listeners();
    let opened = world.runtime.block_on(listeners.discover()).unwrap();
    let cookies: BTreeSet<u64> = opened.iter().map(|opened| opened.netns_cookie).collect();
    assert!(cookies.contains(&other.cookie()));
    assert!(cookies.contains(&world.namespaces.own_cookie()));
    assert!(world.runtime.block_on(listeners.discover()).unwrap().is_empty());
}

#[test]
fn a6_a_connection_that_predates_governance_is_ended() {
    let world = World::new();
    let cookie = world.gateway().netns_cookie;
    let predating = Predating::new(Arc::clone(&world.programs), world.namespaces.clone());
    let mut old = Workload::start(&world.cgroup("later"), &world.netns);
    let mut bystander = world.free();
    for workload in [&mut old, &mut bystander] {
        assert_eq!(workload.greeting("a", "inet", REAL4), "REAL");
        assert_eq!(workload.greeting("b", "inet6", "[fd77::2]:5432"), "REAL");
        assert_eq!(workload.greeting("c", "inet", "10.77.0.2:6000"), "REAL");
    }
    world.govern_also("later");
    let end =
        |whose| world.runtime.block_on(predating.end(cookie, &usual_capture(), whose)).unwrap();
    assert_eq!(end(Whose::Governed), 2);
    for name in ["a", "b"] {
        assert_eq!(old.say(&format!("receive {name}")), ECONNABORTED);
        bystander.all(&[&format!("send {name} hello")]);
    }
    old.all(&["send c hello"]);
    assert_eq!(end(Whose::Governed), 0);
}

#[test]
fn a7_a_task_that_brings_a_connection_into_a_governed_cgroup_is_told_of() {
    let world = World::new();
    let (mut events, _stop) = events(&world);
    let mut workload = world.free();
    assert_eq!(workload.greeting("a", "inet", REAL4), "REAL");
    let procs = world.cgroup("governed").join("cgroup.procs");
    workload.all(&[&format!("enter {}", procs.display())]);
    let pid = workload.pid();
    wait_for(&world, &mut events, |event| match event {
        KernelEvent::TaskEntered { tgid, .. } if tgid == pid => Some(()),
        _ => None,
    });
    let predating = Predating::new(Arc::clone(&world.programs), world.namespaces.clone());
    let cookie = world.gateway().netns_cookie;
    let captured = usual_capture();
    let ended = predating.end(cookie, &captured, Whose::Process(pid));
    assert_eq!(world.runtime.block_on(ended).unwrap(), 1);
    assert_eq!(workload.say("receive a"), ECONNABORTED);
    assert_eq!(workload.greeting("b", "inet", REAL4), "PROXY");
}
