//! Logging in at a server of MySQL 8's: the fast way, in full over TLS, in full under its key.

use tests::certificates::Authority;
use tests::cluster::{SHOP, User};
use tests::mariadb::MariaDb;
use tests::mysql_client::MysqlClient;
use tests::mysql_peer::MysqlPeer;
use tests::world::{Upstream, World};

/// Who the gateway is at the peer.
const AT_PEER: User = User { name: "modern", password: "canary-sha2-3f77b1" };
const WRONG: User = User { name: "modern", password: "canary-wrong-sha2-90aa" };

/// What it is to be, and how it must be proved who logs in.
struct Case {
    knows: bool,
    tls: bool,
    heard: &'static [&'static str],
}

const CASES: [Case; 4] = [
    Case { knows: true, tls: false, heard: &["fast"] },
    Case { knows: true, tls: true, heard: &["fast"] },
    Case { knows: false, tls: true, heard: &["in full over TLS"] },
    Case { knows: false, tls: false, heard: &["asked for the key", "under the key"] },
];

/// A gateway in front of a peer, which is in front of the real server.
fn world(case: &Case, authority: &Authority, mode: &str, user: User) -> (World, MysqlPeer) {
    let server = MariaDb::shared();
    let identity = authority.issue(&["localhost", "127.0.0.1"]);
    let address = Upstream::from(server).address();
    let peer =
        MysqlPeer::before(address, AT_PEER.password, case.knows, case.tls.then_some(&identity));
    let world = World::with(server, |usual| {
        let file = authority.write(usual.directory());
        let usual = usual.upstream_at(peer.address()).credential(user);
        match case.tls {
            true => usual.upstream_tls(&mode.replace("@CA@", &file.display().to_string())),
            false => usual,
        }
    });
    (world, peer)
}

const VERIFIED: &str = "{ mode: verify-full, ca: @CA@ }";

fn login(world: &World) -> Result<MysqlClient, String> {
    MysqlClient::login(world.open_as(&world.usual_opener()), SHOP)
}

#[test]
fn every_way_of_caching_sha2_leads_in_and_the_session_goes_on() {
    let authority = Authority::new("authority of a server of MySQL 8's");
    for case in &CASES {
        let (world, peer) = world(case, &authority, VERIFIED, AT_PEER);
        let mut client = login(&world).unwrap();
        assert_eq!(peer.heard(), case.heard);
        let shown = client.query("SELECT name, email FROM users WHERE id = 1");
        assert_eq!(shown.rows, [["Customer 1", "c***@***.example"]]);
        assert_eq!(client.query("SELECT DATABASE()").rows, [[SHOP]]);
        assert!(!world.everything_written().contains(AT_PEER.password));
    }
}

#[test]
fn a_wrong_password_is_refused_in_every_way_and_told_to_nobody() {
    let authority = Authority::new("authority of a server of MySQL 8's");
    for case in &CASES {
        let (world, peer) = world(case, &authority, VERIFIED, WRONG);
        let refused = login(&world).err().unwrap();
        assert!(refused.contains("refused the login (error 1045)"), "{refused}");
        assert!(!refused.contains(WRONG.password), "{refused}");
        assert_eq!(peer.heard(), case.heard);
        assert!(!world.everything_written().contains(WRONG.password));
    }
}

#[test]
fn a_server_that_is_not_verified_is_not_told_the_password() {
    let authority = Authority::new("authority of a server of MySQL 8's");
    let other = Authority::new("another authority");
    let case = Case { knows: false, tls: true, heard: &[] };
    // Encrypted, for whoever it is.
    let (require, peer) = world(&case, &authority, "require", AT_PEER);
    let refused = login(&require).err().unwrap();
    assert!(refused.contains("over a connection that is not verified TLS"), "{refused}");
    assert_eq!(peer.heard(), case.heard);
    // Of another authority than the one that is trusted: it hears nothing at all.
    let server = MariaDb::shared();
    let identity = other.issue(&["localhost", "127.0.0.1"]);
    let address = Upstream::from(server).address();
    let peer = MysqlPeer::before(address, AT_PEER.password, false, Some(&identity));
    let strange = World::with(server, |usual| {
        let file = authority.write(usual.directory());
        let tls = VERIFIED.replace("@CA@", &file.display().to_string());
        usual.upstream_at(peer.address()).credential(AT_PEER).upstream_tls(&tls)
    });
    assert!(login(&strange).is_err());
    assert_eq!(peer.heard(), [""; 0]);
}
