//! What the hooks cost. The bars are the design's; this fails only far beyond them, because the
//! machine is not ours alone. `cargo test -p tests -- kernel::cost --nocapture` prints the figures.

use std::net::UdpSocket;

use gateway::interception::{ProgramCost, measure};

use super::world::World;

/// Runs after which an average means something.
const RUNS: u32 = 20_000;

#[expect(clippy::print_stdout, reason = "the figures are what one runs this for")]
fn average_ns(costs: &[ProgramCost], program: &str) -> u128 {
    let cost = costs.iter().find(|cost| cost.program == program).unwrap();
    println!(
        "{program}: {} runs, {} ns each, {} instructions verified",
        cost.runs,
        cost.run_time.as_nanos() / u128::from(cost.runs.max(1)),
        cost.verified_instructions
    );
    cost.run_time.as_nanos() / u128::from(cost.runs.max(1))
}

#[test]
fn a_miss_and_a_hit_cost_what_the_design_allows() {
    let world = World::new();
    let measuring = measure().unwrap();
    // Misses: connects of a task that is not governed. A datagram socket's connect is the hook and
    // little else.
    world.netns.inside(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..RUNS {
            socket.connect("10.77.0.2:6000").unwrap();
        }
    });
    let miss = average_ns(&world.programs.costs().unwrap(), "pcl_connect4");
    drop(measuring);

    let world = World::new();
    let measuring = measure().unwrap();
    assert_eq!(world.governed().all(&["storm 40000 10.78 2000"]), "2000");
    let costs = world.programs.costs().unwrap();
    let hit = average_ns(&costs, "pcl_connect4");
    for program in ["pcl_carry", "pcl_egress", "pcl_socket", "pcl_peer4"] {
        average_ns(&costs, program);
    }
    drop(measuring);
    assert!(miss < 3_000, "a miss costs {miss} ns");
    assert!(hit < 13_000, "a hit costs {hit} ns");
}
