//! A gateway that stands until its standard input ends: for a driver's own test suite, or a hand at
//! a client, direct and through.
//!
//! Owns a world whose workload may do everything the database user may. Prints one line of JSON:
//! the two ports, and who logs in. Ends with its standard input.
//!
//! ```text
//! stand [15|18|mariadb]        everything allowed, nothing classified
//! stand [15|18|mariadb] masks  everything allowed, the usual classification
//! stand mariadb at PORT        the same before a MariaDB that is there, as its root with the password `suite`
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::Ipv4Addr;

use tests::cluster::{APP, Cluster, SHOP, User};
use tests::mariadb::{APP_NATIVE, MariaDb};
use tests::world::{Configuration, Upstream, WORKLOAD, World};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is = |word: &str| arguments.iter().any(|one| one == word);
    let there = arguments.iter().skip_while(|one| *one != "at").nth(1);
    let there: Option<u16> = there.map(|port| port.parse()).transpose()?;
    let (upstream, directory, user) = if is("mariadb") {
        let server = MariaDb::shared();
        (Upstream::from(server), server.directory(), APP_NATIVE)
    } else {
        let cluster = if is("18") {
            Cluster::shared_18().ok_or("no PostgreSQL 18: run `cargo xtask setup`")?
        } else {
            Cluster::shared()
        };
        (Upstream::from(cluster), cluster.directory(), APP)
    };
    let user = if there.is_some() { User { name: "root", password: "suite" } } else { user };
    let direct = there.unwrap_or_else(|| upstream.address().port());
    let world = World::with(upstream, |usual: Configuration| {
        let usual = usual.everything_allowed();
        let usual = if is("masks") { usual } else { usual.classification("") };
        match there {
            Some(port) => usual.upstream_at((Ipv4Addr::LOCALHOST, port).into()).credential(user),
            None => usual,
        }
    });
    let line = serde_json::json!({
        "gateway": world.port(),
        "direct": direct,
        "socket_directory": directory,
        "database": SHOP,
        "workload": WORKLOAD.name,
        "user": user.name,
        "password": user.password,
    });
    writeln!(std::io::stdout(), "{line}")?;
    let _ = std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
