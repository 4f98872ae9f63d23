//! Each way past the gateway that we know of, tried.

use super::world::{OPEN4, REAL4, REAL6, World};

#[test]
fn a_governed_connect_is_bound_and_redirected() {
    let world = World::new();
    let mut workload = world.governed();
    assert_eq!(workload.greeting("a", "inet", REAL4), "PROXY");
    let binding = world.last_binding();
    assert_eq!(binding.original.to_string(), REAL4);
    assert_eq!(binding.process.tgid, workload.pid());
    assert_eq!(workload.say("peer a"), format!("ok {REAL4}"));
    assert_eq!(workload.greeting("b", "inet6", REAL6), "PROXY");
    assert_eq!(world.last_binding().original.to_string(), REAL6);
    assert_eq!(workload.say("peer b"), format!("ok {REAL6}"));
    assert_eq!(workload.greeting("c", "inet6", "[::ffff:10.77.0.2]:5432"), "PROXY");
    assert_eq!(world.last_binding().original.to_string(), REAL4);
    assert_eq!(workload.say("peer c"), "ok [::ffff:10.77.0.2]:5432");
    // What is not captured is reached as it is.
    assert_eq!(workload.greeting("d", "inet", OPEN4), "REAL");
}

#[test]
fn an_ungoverned_connect_is_left_alone() {
    let world = World::new();
    assert_eq!(world.free().greeting("a", "inet", REAL4), "REAL");
    assert!(world.bindings().is_empty());
}
