//! SFTP, scp, rsync and git by path.
//!
//! Owns the tries: parents, links, renames, and what the recording says of files.

use tests::programs::Said;
use tests::sshd::SshServer;
use tests::workstation::Workstation;
use tests::world::{World, text_of};

use super::role;

/// A place of the server's, and a world in which only its `releases` may be written and only it, less
/// `secret`, may be read.
fn world() -> (World, String) {
    let place = SshServer::shared().fresh_place();
    let rules = [
        "{ id: sftp, effect: allow, target: shop, ssh: { actions: [subsystem], names: [sftp] } }"
            .to_owned(),
        format!(
            "{{ id: read, effect: allow, target: shop, ssh: {{ actions: [read, list, fetch], paths: [\"{place}/**\"] }} }}"
        ),
        format!(
            "{{ id: write, effect: allow, target: shop, ssh: {{ actions: [write, remove, rename, mkdir, attributes, link, push], paths: [\"{place}/releases/**\"] }} }}"
        ),
        format!(
            "{{ id: secret, effect: deny, target: shop, ssh: {{ actions: [read, list], paths: [\"{place}/secret/**\"] }} }}"
        ),
    ];
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    (World::with(SshServer::shared(), |usual| role(usual, &rules)), place)
}

fn sftp(station: &Workstation, batch: &str) -> Said {
    station.write("home/batch", batch);
    station.run("sftp", &["-q", "-b", "batch", "web"])
}

#[test]
fn sftp_does_what_its_paths_grant_and_nothing_else() {
    let (world, place) = world();
    let station = world.workstation();
    station.write("home/new", "new\n");
    let granted = format!(
        "get {place}/notes.txt got\nput new {place}/releases/2\nrename {place}/releases/2 {place}/releases/3\n\
         mkdir {place}/releases/d\nchmod 600 {place}/releases/3\nls {place}/log\nrm {place}/releases/1.bin\n"
    );
    let said = sftp(&station, &granted);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(world.ssh_server().text(&format!("{place}/releases/3")), "new\n");
    for refused in [
        format!("put new {place}/other"),
        format!("get {place}/secret/key"),
        format!("get {place}/releases/../secret/key"),
        format!("get {place}/log/../releases/.././secret//key"),
        format!("cd {place}/releases\nget ../secret/key"),
        // A link that leads into it.
        format!("get {place}/way-in/key"),
        format!("rename {place}/releases/3 {place}/out"),
        format!("rename {place}/notes.txt {place}/releases/in"),
        format!("ln {place}/secret/key {place}/releases/hard"),
        format!("ln -s {place}/secret {place}/releases/soft\nget {place}/releases/soft/key"),
        format!("rm {place}/notes.txt"),
        format!("rmdir {place}/empty"),
        format!("mkdir {place}/more"),
        format!("chmod 777 {place}/notes.txt"),
        format!("ls {place}/secret"),
        "get /etc/passwd".to_owned(),
        "get /etc/../etc/passwd".to_owned(),
        "get /proc/self/environ".to_owned(),
    ] {
        let said = sftp(&station, &format!("{refused}\n"));
        assert_eq!(said.status, Some(1), "{refused}: {said:?}");
        let words = said.everything().to_lowercase();
        assert!(
            words.contains("permission denied") || words.contains("not found"),
            "{refused}: {said:?}"
        );
    }
    for got in ["key", "passwd", "environ", "hard"] {
        assert!(!station.home().join(got).exists(), "{got}");
    }
    for gone in ["other", "out", "more", "releases/hard", "releases/in"] {
        assert!(
            !world.ssh_server().srv().join(place.trim_start_matches("/srv/")).join(gone).exists(),
            "{gone}"
        );
    }
    assert_eq!(world.ssh_server().text(&format!("{place}/notes.txt")).lines().count(), 2);
}

#[test]
fn scp_rsync_and_git_are_judged_by_path() {
    let (world, place) = world();
    let station = world.workstation();
    station.write("home/new", "new\n");
    let scp = |protocol: &str, from: &str, to: &str| {
        station.run("scp", &["-q", "-r", protocol, from, to])
    };
    for protocol in ["-s", "-O"] {
        let _ = scp(protocol, &format!("web:{place}/notes.txt"), "got").success();
        let _ = scp(protocol, "new", &format!("web:{place}/releases/scp{protocol}")).success();
        for (from, to) in [
            ("new".to_owned(), format!("web:{place}/scp")),
            (format!("web:{place}/secret/key"), "key".to_owned()),
            (format!("web:{place}/releases/../secret/key"), "key".to_owned()),
            (format!("web:{place}/way-in/key"), "key".to_owned()),
            (format!("web:{place}/secret"), "key".to_owned()),
        ] {
            let said = scp(protocol, &from, &to);
            assert_ne!(said.status, Some(0), "{protocol} {from} {to}: {said:?}");
            assert!(!station.home().join("key").is_file(), "{protocol} {from}");
        }
    }
    let rsync = |from: &str, to: &str| station.run("rsync", &["-a", from, to]);
    let _ = rsync(&format!("web:{place}/notes.txt"), "got").success();
    let _ = rsync("new", &format!("web:{place}/releases/rsync")).success();
    for (from, to) in [
        ("new".to_owned(), format!("web:{place}/rsync")),
        (format!("web:{place}/secret/key"), "key".to_owned()),
        (format!("web:{place}/"), "all".to_owned()),
        ("web:/etc/passwd".to_owned(), "key".to_owned()),
    ] {
        let said = rsync(&from, &to);
        assert_ne!(said.status, Some(0), "rsync {from} {to}: {said:?}");
        assert!(said.error.contains("portcullis: "), "{said:?}");
    }
    assert!(!station.home().join("key").is_file() && !station.home().join("all/secret").exists());
    let git = |arguments: &[&str]| station.run("git", arguments);
    let _ = git(&["clone", "-q", &format!("web:{place}/app.git"), "cloned"]).success();
    let push = format!(
        "cd cloned && git -c user.name=a -c user.email=a@a commit -q --allow-empty -m x && \
         git push -q web:{place}/app.git HEAD:main"
    );
    let said = station.run("sh", &["-c", &push]);
    assert_ne!(said.status, Some(0), "{said:?}");
    assert!(said.error.contains("portcullis: "), "{said:?}");
}

#[test]
fn the_recording_says_which_files_went_through() {
    let (world, place) = world();
    let station = world.workstation();
    let _ = sftp(&station, &format!("get {place}/releases/1.bin got\n")).success();
    let sum = station.run("sha256sum", &["got"]).success();
    let sum = sum.split(' ').next().unwrap();
    tests::assert_eventually!(world.recordings().iter().any(|(report, _)| report.ok()));
    let recorded: String = world.recordings().iter().map(|(_, all)| text_of(all)).collect();
    let line = recorded.lines().find(|line| line.contains(sum));
    let line = line.unwrap_or_else(|| panic!("no {sum} in {recorded}"));
    assert!(line.contains("100000 bytes"), "{line}");
    let typed = recorded.lines().find(|line| line.starts_with("Transferred"));
    assert!(typed.is_some_and(|line| line.contains("whole: true")), "{recorded}");
    assert!(recorded.contains(&format!("{place}/releases/1.bin")), "{recorded}");
}
