//! A gateway that stands until its standard input ends: for a driver's own test suite, or a hand at
//! a client, direct and through.
//!
//! Owns a world whose workload may do everything the database user may. Prints one line of JSON:
//! the two ports, and who logs in. Ends with its standard input.
//!
//! ```text
//! stand [15|18]        everything allowed, nothing classified
//! stand [15|18] masks  everything allowed, the usual classification
//! ```

use std::error::Error;
use std::io::{Read, Write};

use tests::cluster::{APP, Cluster, SHOP};
use tests::world::{WORKLOAD, World};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let cluster = if arguments.iter().any(|one| one == "18") {
        Cluster::shared_18().ok_or("no PostgreSQL 18: run `cargo xtask setup`")?
    } else {
        Cluster::shared()
    };
    let masks = arguments.iter().any(|one| one == "masks");
    let world = World::with(cluster, |usual| {
        let usual = usual.everything_allowed();
        if masks { usual } else { usual.classification("") }
    });
    let line = serde_json::json!({
        "gateway": world.port(),
        "direct": cluster.port(),
        "socket_directory": cluster.directory(),
        "database": SHOP,
        "workload": WORKLOAD.name,
        "user": APP.name,
        "password": APP.password,
    });
    writeln!(std::io::stdout(), "{line}")?;
    let _ = std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
