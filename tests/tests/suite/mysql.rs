//! What only MySQL's protocol can get wrong, against a real MariaDB.

mod adversary;
mod clients;
mod commands;
mod definitions;
mod generator;
mod killing;
mod logins;
mod masks;
mod oracle;
mod prepared;
mod restoring;

use tests::cluster::SHOP;
use tests::mysql_client::MysqlClient;
use tests::world::World;

/// A session of the usual workload with the shop.
fn session(world: &World) -> MysqlClient {
    MysqlClient::login(world.open_as(&world.usual_opener()), SHOP).unwrap()
}
