//! git over the web, unchanged: what it prints and fetches is the same straight to the server and
//! through the gateway.

use tests::web::WebServer;
use tests::web::station::WebStation;
use tests::world::World;

use super::bare;

/// Clones, fetches what somebody else has pushed meanwhile, and pushes more than git sends in one
/// piece. What differs from one repository to the next is not printed.
const JOB: &str = r#"
git config --global user.name job; git config --global user.email job@t.example
git config --global init.defaultBranch main; git config --global gc.auto 0
git clone -q "$BASE/repo.git" one
git clone -q "$BASE/repo.git" two
cd one; cat readme; echo more > more; git add more; git commit -qm second; git push -q
cd ../two; git pull -q; cat more
head -c 3000000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null > big
git add big; git commit -qm third; git push -q
git checkout -qb side; echo side > side; git add side; git commit -qm fourth; git push -q origin side
cd ../one; git fetch -q; git merge -q; cksum big; git log --format=%s origin/side
git ls-remote "$BASE/repo.git" | cut -f2
git push -q origin :side; git ls-remote "$BASE/repo.git" | cut -f2
"#;

/// How git is told to trust, and which version it speaks: nothing at all is what the system's store
/// is for.
const WAYS: &[&str] = &[
    "unset GIT_SSL_CAINFO SSL_CERT_FILE\n",
    "",
    "export GIT_SSL_CAINFO=$HOME/../authority.pem\n",
    "git config --global http.version HTTP/1.1\n",
];

fn run(station: &WebStation, server: &'static WebServer, way: &str) -> String {
    station.offer_repository(server);
    station.run("sh", &["-ec", &format!("exec 2>&1\n{way}{JOB}")]).success()
}

#[test]
fn a_repository_is_cloned_fetched_and_pushed_as_without_the_gateway() {
    let server = WebServer::secure();
    let world = World::with(server, bare);
    let direct = run(&WebStation::direct(server), server, "");
    assert!(direct.starts_with("hello\nmore\n") && direct.contains("fourth"), "{direct}");
    for way in WAYS {
        assert_eq!(run(&world.web_station(), server, way), direct, "{way}");
    }
}

#[test]
fn a_repository_behind_a_credential_is_pushed_to_where_a_rule_allows_it() {
    let server = WebServer::secure();
    let world = World::with(server, |usual| {
        usual.rule(
            "{ id: no-pushes, effect: deny, target: shop, http: { methods: [\"*\"], \
             paths: [\"/repo.git/git-receive-pack\"] } }",
        )
    });
    let station = world.web_station();
    station.offer_repository(server);
    let script = "git clone -q $BASE/repo.git one; cd one; cat readme; git config user.name t; \
                  git config user.email t; echo more > more; git add more; git commit -qm more; \
                  git push -q";
    let said = station.run("sh", &["-ec", script]);
    assert_eq!((said.status, said.output.as_str()), (Some(1), "hello\n"), "{said:?}");
    assert!(said.error.contains("403"), "{said:?}");
    let authorization = format!("Bearer {}", tests::web::TOKEN);
    assert_eq!(server.last_seen().header("authorization"), Some(&*authorization));
}
