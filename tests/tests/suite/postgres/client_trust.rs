//! TLS between an unchanged client and the gateway: by request, at once, and what the client
//! verifies.
//!
//! Owns the client's side of trust. The upstream's is `upstream_trust`.

use std::net::{Ipv4Addr, SocketAddr};

use tests::client::messages::rows;
use tests::client::{Client, LoginFailure};
use tests::cluster::{APP, Cluster, SHOP, User};
use tests::programs::{self, Said};
use tests::world::{WORKLOAD, World};

/// A target that is configured by its host name.
fn named() -> World {
    World::with(Cluster::shared(), |usual| usual.named("localhost"))
}

/// What psycopg's own libpq is asked to do with a connection string; prints whether there is TLS, and a
/// row.
const PSYCOPG: &str = "import sys, psycopg\n\
                       with psycopg.connect(sys.argv[1]) as connection:\n    \
                       print(connection.pgconn.ssl_in_use)\n    \
                       print(connection.execute('SELECT count(*) FROM orders').fetchone()[0])";

/// Connects to the gateway by `host` with these settings of libpq.
fn settings(world: &World, host: &str, more: &str) -> String {
    format!(
        "host={host} hostaddr=127.0.0.1 port={} user={} dbname={SHOP} gssencmode=disable {more}",
        world.port(),
        WORKLOAD.name
    )
}

fn psql(world: &World, host: &str, more: &str) -> Said {
    programs::psql(&settings(world, host, more), &["-c", "SELECT count(*) FROM orders"])
}

fn psycopg(world: &World, host: &str, more: &str) -> Said {
    programs::python(PSYCOPG, &[&settings(world, host, more)])
}

fn verified(world: &World, mode: &str) -> String {
    format!("sslmode={mode} sslrootcert={}", world.authority_file().display())
}

#[test]
fn a_client_that_verifies_the_name_or_the_authority_is_let_in() {
    let world = named();
    for mode in ["verify-full", "verify-ca", "require"] {
        let more = verified(&world, mode);
        assert_eq!(psql(&world, "localhost", &more).success(), "200\n", "{mode}");
        assert_eq!(psycopg(&world, "localhost", &more).success(), "True\n200\n", "{mode}");
    }
    // By its address, too, and without any file where nothing is verified.
    assert_eq!(psql(&world, "127.0.0.1", &verified(&world, "verify-full")).success(), "200\n");
    assert_eq!(
        psql(&world, "elsewhere.example", &verified(&world, "verify-ca")).success(),
        "200\n"
    );
    assert_eq!(
        psql(&world, "elsewhere.example", "sslmode=require sslrootcert=").success(),
        "200\n"
    );
}

#[test]
fn a_client_that_knows_another_authority_or_another_name_goes_away() {
    let world = named();
    let other = world.cluster().authority_file();
    for mode in ["verify-full", "verify-ca"] {
        let more = format!("sslmode={mode} sslrootcert={}", other.display());
        for said in [psql(&world, "localhost", &more), psycopg(&world, "localhost", &more)] {
            assert_ne!(said.status, Some(0), "{mode}");
            assert!(said.error.contains("certificate verify failed"), "{mode}: {}", said.error);
        }
    }
    let more = verified(&world, "verify-full");
    let name = "elsewhere.example";
    for said in [psql(&world, name, &more), psycopg(&world, name, &more)] {
        assert_ne!(said.status, Some(0));
        assert!(said.error.contains("does not match host name"), "{}", said.error);
    }
}

#[test]
fn a_client_that_insists_on_a_proof_of_its_password_goes_away() {
    // As documented: the gateway asks for no password, so there is nothing to bind to a channel.
    let world = named();
    let more = verified(&world, "verify-full");
    for (demand, says) in [
        ("channel_binding=require", "channel binding required"),
        ("require_auth=scram-sha-256", "scram-sha-256"),
    ] {
        let said = psycopg(&world, "localhost", &format!("{more} password=any {demand}"));
        assert_ne!(said.status, Some(0), "{demand}");
        assert!(said.error.contains(says), "{demand}: {}", said.error);
    }
    let said = psql(&world, "localhost", &format!("{more} password=any channel_binding=require"));
    assert!(said.error.contains("channel binding required"), "{}", said.error);
    for demand in ["channel_binding=prefer", "channel_binding=disable", "require_auth=none"] {
        let said = psycopg(&world, "localhost", &format!("{more} password=any {demand}"));
        assert_eq!(said.success(), "True\n200\n", "{demand}");
    }
}

#[test]
fn tls_at_once_works_for_a_new_libpq() {
    let world = named();
    for mode in ["verify-full", "require"] {
        let more = format!("{} sslnegotiation=direct", verified(&world, mode));
        assert_eq!(psycopg(&world, "localhost", &more).success(), "True\n200\n", "{mode}");
    }
    let more = format!("{} sslnegotiation=direct", verified(&world, "verify-full"));
    let said = psycopg(&world, "elsewhere.example", &more);
    assert!(said.error.contains("does not match host name"), "{}", said.error);
}

/// Direct TLS with these names in ALPN, a log-in, and one row.
fn at_once(
    address: SocketAddr,
    authority_pem: &str,
    user: User,
    alpn: &[&[u8]],
) -> Result<Vec<Vec<String>>, LoginFailure> {
    let mut client = Client::connect_direct_tls_saying(address, authority_pem, "localhost", alpn)?;
    client.start(user, &[("user", user.name), ("database", SHOP)])?;
    Ok(rows(&client.query("SELECT count(*) FROM orders")))
}

#[test]
fn tls_at_once_needs_the_protocols_name_as_with_the_server() {
    let world = named();
    let (gateway, ours) = ((Ipv4Addr::LOCALHOST, world.port()).into(), world.authority_pem());
    let accepted: [&[&[u8]]; 2] = [&[b"postgresql"], &[b"http/1.1", b"postgresql"]];
    let refused: [&[&[u8]]; 4] = [&[], &[b"http/1.1"], &[b"PostgreSQL"], &[b"h2", b"http/1.1"]];
    let server = Cluster::shared_18();
    let direct = |alpn: &[&[u8]]| {
        let cluster = server?;
        let address = (Ipv4Addr::LOCALHOST, cluster.port()).into();
        Some(at_once(address, cluster.authority().certificate_pem(), APP, alpn))
    };
    for alpn in accepted {
        assert_eq!(at_once(gateway, &ours, WORKLOAD, alpn).unwrap(), [["200"]], "{alpn:?}");
        assert!(direct(alpn).is_none_or(|said| said.is_ok()), "{alpn:?}");
    }
    for alpn in refused {
        let failure = at_once(gateway, &ours, WORKLOAD, alpn).unwrap_err();
        assert!(matches!(failure, LoginFailure::Broken(_)), "{alpn:?}: {failure:?}");
        let failure = direct(alpn).map(Result::unwrap_err);
        assert!(matches!(failure, None | Some(LoginFailure::Broken(_))), "{alpn:?}: {failure:?}");
    }
}

#[test]
fn a_target_can_insist_on_tls_or_have_none() {
    let cluster = Cluster::shared();
    let insists = World::with(cluster, |usual| usual.target_key("client_tls: require"));
    let refusal = insists.login(SHOP).err().unwrap().refused();
    assert_eq!(refusal.code(), "42501", "{refusal:?}");
    assert!(refusal.get(b'M').contains("TLS only"), "{refusal:?}");
    assert_eq!(psql(&insists, "localhost", "sslmode=require").success(), "200\n");
    let said = psql(&insists, "localhost", "sslmode=disable");
    assert!(said.error.contains("over TLS only"), "{}", said.error);
    let none = World::with(cluster, |usual| usual.target_key("client_tls: refuse"));
    assert_eq!(psql(&none, "localhost", "sslmode=prefer").success(), "200\n");
    let said = psql(&none, "localhost", "sslmode=require");
    assert!(said.error.contains("does not support SSL"), "{}", said.error);
    let said = psycopg(&none, "localhost", "sslmode=require sslnegotiation=direct");
    assert_ne!(said.status, Some(0), "{said:?}");
}
