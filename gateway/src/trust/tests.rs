use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;

use super::*;
use crate::tls::{CertificateNames, HostCa};

mod distributions;

const STATE: &str = "/var/lib/portcullis";
const VENV: &str = "/srv/venv/lib/python3.11/site-packages/certifi/cacert.pem";
const ANCHOR: &str = "/usr/local/share/ca-certificates/portcullis-main.crt";
const DROP_IN: &str = "/etc/systemd/system/job.service.d/50-portcullis-trust-main.conf";

/// What Debian's tool does, below a root.
const TOOL: &str = r#"#!/bin/sh
set -e
cd "$PORTCULLIS_ROOT/etc/ssl/certs"
cat ../../../usr/share/ca-certificates/*.crt ../../../usr/local/share/ca-certificates/*.crt > new 2>/dev/null || :
mv new ca-certificates.crt
for link in *.pem; do [ -e "../../..$(readlink "$link")" ] || rm -f "$link"; done
for file in ../../../usr/local/share/ca-certificates/*.crt; do
    [ ! -e "$file" ] || ln -sf "/usr/local/share/ca-certificates/${file##*/}" "$(basename "$file" .crt).pem"
done
"#;

fn certificates(count: usize) -> String {
    (0..count)
        .map(|n| format!("-----BEGIN CERTIFICATE-----\n{n:064}\n-----END CERTIFICATE-----\n"))
        .collect()
}

/// A host in a directory.
struct Host {
    root: tempfile::TempDir,
    files: Files,
    options: Options,
}

impl Host {
    fn new() -> Self {
        // In memory where there is such a place: everything here is written through to the disk.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let root = tempfile::Builder::new().prefix("portcullis-host-").tempdir_in(place).unwrap();
        let files = Files::below(root.path());
        let options =
            Options { kubeconfigs: vec!["/home/job/kubeconfig".into()], ..Options::default() };
        let host = Self { root, files, options };
        host.put("/usr/share/ca-certificates/all.crt", &certificates(25));
        host.put("/etc/ssl/certs/ca-certificates.crt", &certificates(25));
        fs::create_dir_all(host.at("/usr/local/share/ca-certificates")).unwrap();
        host.put("/usr/sbin/update-ca-certificates", TOOL);
        host.mode("/usr/sbin/update-ca-certificates", 0o755);
        // Its last line has no end.
        host.put(VENV, certificates(30).trim_end());
        host.mode(VENV, 0o640);
        chown(host.at(VENV), Some(1_234), Some(1_235)).expect("these tests take root");
        host.put("/opt/corp.pem", &certificates(1));
        host.put(
            "/usr/lib/systemd/system/job.service",
            "[Service]\nExecStart=/srv/venv/bin/python /srv/job.py\nEnvironment=REQUESTS_CA_BUNDLE=/opt/corp.pem\n",
        );
        let data = base64::engine::general_purpose::STANDARD.encode(certificates(1));
        host.put(
            "/home/job/kubeconfig",
            &format!(
                "clusters:\n- name: prod\n  cluster:\n    server: https://api.example:6443\n    \
                 certificate-authority-data: {data}\nusers: []\n"
            ),
        );
        host.mode("/home/job/kubeconfig", 0o600);
        host.put("/real/known_hosts", "other ssh-ed25519 AAAA\n");
        fs::create_dir_all(host.at("/etc/ssh")).unwrap();
        symlink("/real/known_hosts", host.at("/etc/ssh/ssh_known_hosts2")).unwrap();
        host.authority(&["api.example"]);
        for path in
            [VENV, "/opt/corp.pem", "/real/known_hosts", "/etc/ssl/certs/ca-certificates.crt"]
        {
            let file = fs::File::options().append(true).open(host.at(path)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789))
                .unwrap();
        }
        host
    }

    /// Makes or widens the authority.
    fn authority(&self, names: &[&str]) {
        let names = CertificateNames::of(names).unwrap();
        HostCa::open(&self.at(STATE).join("ca"), &names, &Clock).unwrap();
    }

    fn at(&self, path: &str) -> PathBuf {
        self.files.outside(Path::new(path))
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn subject(&self) -> Subject {
        Subject {
            instance: "main".into(),
            authority: Authority::read(&self.files, Path::new(STATE)).unwrap(),
            units: vec!["job.service".into()],
            others: vec!["/automation.slice".into()],
            ssh: Some((
                "/etc/ssh/ssh_known_hosts2".into(),
                "@cert-authority web ssh-ed25519 AAAA portcullis\n".into(),
            )),
        }
    }

    fn plan(&self) -> Plan {
        Plan::make(&self.files, &self.subject(), &self.options).unwrap()
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.files, Path::new(STATE)).unwrap()
    }

    fn states(&self) -> BTreeMap<String, State> {
        let (plan, journal) = (self.plan(), self.journal());
        let of = |step: &Step| (step.id.clone(), state(&self.files, &journal, step).unwrap());
        plan.steps.iter().map(of).collect()
    }

    fn apply(&self) -> Applied {
        self.apply_forced(false)
    }

    fn apply_forced(&self, force: bool) -> Applied {
        apply(&self.files, &self.plan(), &mut self.journal(), force).unwrap()
    }

    fn apply_all(&self) {
        let applied = self.apply();
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        assert!(
            self.states().values().all(|state| *state == State::Applied),
            "{:?}",
            self.states()
        );
    }

    fn revert(&self) -> Reverted {
        revert(&self.files, &mut self.journal(), false).unwrap()
    }

    fn revert_all(&self) {
        let reverted = self.revert();
        assert!(reverted.refused.is_empty(), "{:?}", reverted.refused);
    }

    /// Everything below the root: bytes, rights, owner, time.
    fn everything(&self) -> BTreeMap<PathBuf, String> {
        let mut all = BTreeMap::new();
        let mut ahead = vec![self.root.path().to_owned()];
        while let Some(directory) = ahead.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let about = fs::symlink_metadata(&path).unwrap();
                let (mode, owner) = (about.mode(), (about.uid(), about.gid()));
                let says = if about.is_dir() {
                    ahead.push(path.clone());
                    format!("{mode:o} {owner:?}")
                } else if about.is_symlink() {
                    format!("-> {}", fs::read_link(&path).unwrap().display())
                } else {
                    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                    format!("{mode:o} {owner:?} {}.{:09} {text}", about.mtime(), about.mtime_nsec())
                };
                all.insert(path.strip_prefix(self.root.path()).unwrap().to_owned(), says);
            }
        }
        all
    }
}

#[derive(Debug)]
struct Clock;

impl model::Clock for Clock {
    fn now(&self) -> model::Timestamp {
        model::Timestamp::from_seconds(1_800_000_000)
    }
}

#[test]
fn what_is_applied_is_applied_once_and_goes_without_a_trace() {
    let host = Host::new();
    let before = host.everything();
    let steps = host.plan().steps.len();
    assert_eq!(host.everything(), before, "a plan changes nothing");
    host.apply_all();
    let once = host.everything();
    let again = host.apply();
    assert_eq!((again.changed.len(), again.unchanged), (0, steps));
    assert_eq!(host.everything(), once, "a second apply changes nothing");
    host.revert_all();
    assert_eq!(host.everything(), before);
    assert!(host.revert().restored.is_empty());
    assert_eq!(host.everything(), before);
}

#[test]
fn every_store_has_the_certificate_once_and_keeps_rights_and_owner() {
    let host = Host::new();
    host.apply_all();
    let ours = host.text("/var/lib/portcullis/ca/host-ca.pem");
    let count = |path: &str| host.text(path).matches(ours.trim_end()).count();
    for path in ["/etc/ssl/certs/ca-certificates.crt", VENV, "/opt/corp.pem", ANCHOR] {
        assert_eq!(count(path), 1, "{path}");
    }
    let about = fs::metadata(host.at(VENV)).unwrap();
    assert_eq!((about.mode() & 0o777, about.uid(), about.gid()), (0o640, 1_234, 1_235));
    // What the unit sets itself stays in force.
    let drop_in = host.text(DROP_IN);
    assert!(!drop_in.contains("REQUESTS_CA_BUNDLE"), "{drop_in}");
    assert!(
        drop_in
            .contains("Environment=\"NODE_EXTRA_CA_CERTS=/etc/portcullis-trust/main/host-ca.pem\"")
    );
    assert!(drop_in.contains("Environment=\"AWS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt\""));
    assert!(host.text("/real/known_hosts").contains("@cert-authority web"));
    assert!(fs::symlink_metadata(host.at("/etc/ssh/ssh_known_hosts2")).unwrap().is_symlink());
    let journal = host.at("/var/lib/portcullis/trust");
    assert_eq!(fs::metadata(&journal).unwrap().mode() & 0o777, 0o700);
    for file in fs::read_dir(journal.join("originals")).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
}

/// Does something that is killed after every number of changes in turn, until it is not.
fn killed_at_each(prepare: impl Fn(&Host), work: impl Fn(&Host), then: impl Fn(&Host)) {
    let before = |host: &Host| {
        let mut all = host.everything();
        // A host's authority is its own.
        all.retain(|path, _| !path.starts_with("var/lib/portcullis/ca"));
        all
    };
    let mut strokes = 0;
    loop {
        let host = Host::new();
        let was = before(&host);
        prepare(&host);
        host.files.strokes_left.set(Some(strokes));
        work(&host);
        let finished = host.files.strokes_left.get() != Some(0);
        host.files.strokes_left.set(None);
        then(&host);
        assert_eq!(before(&host), was, "killed after {strokes}");
        if finished {
            assert!(strokes > 50, "it was killed often enough: {strokes}");
            return;
        }
        strokes += 1;
    }
}

fn try_to_apply(host: &Host) {
    let _killed = apply(&host.files, &host.plan(), &mut host.journal(), false);
}

#[test]
fn an_apply_that_is_killed_anywhere_is_taken_back_without_a_trace() {
    killed_at_each(|_| {}, try_to_apply, Host::revert_all);
}

#[test]
fn an_apply_that_is_killed_anywhere_is_finished_by_the_next() {
    killed_at_each(
        |_| {},
        try_to_apply,
        |host| {
            host.apply_all();
            host.revert_all();
        },
    );
}

#[test]
fn a_revert_that_is_killed_anywhere_is_finished_by_the_next() {
    killed_at_each(
        Host::apply_all,
        |host| {
            let _killed = revert(&host.files, &mut host.journal(), false);
        },
        Host::revert_all,
    );
}

#[test]
fn what_others_have_changed_survives() {
    let host = Host::new();
    host.apply_all();
    let theirs = "-----BEGIN CERTIFICATE-----\nTHEIRS\n-----END CERTIFICATE-----\n";
    host.put(VENV, &format!("{}{theirs}", host.text(VENV)));
    let kubeconfig = host.text("/home/job/kubeconfig");
    host.put("/home/job/kubeconfig", &kubeconfig.replace("users: []", "users: [] # mine"));
    // A new authority of theirs, and their run of the system's tool.
    host.put("/usr/local/share/ca-certificates/theirs.crt", theirs);
    let tool = [String::from("/usr/sbin/update-ca-certificates")];
    anchors::run(&host.files, &tool).unwrap();
    host.revert_all();
    assert_eq!(host.text(VENV), format!("{}\n{theirs}", certificates(30).trim_end()));
    assert!(host.text("/home/job/kubeconfig").ends_with("users: [] # mine\n"));
    let ours = host.text("/var/lib/portcullis/ca/host-ca.pem");
    assert!(!host.text("/home/job/kubeconfig").contains(ours.lines().nth(1).unwrap()));
    assert_eq!(host.text("/etc/ssl/certs/ca-certificates.crt"), certificates(25) + theirs);
    assert!(!host.at(ANCHOR).exists());
}

#[test]
fn a_file_of_ours_that_somebody_has_changed_is_left_alone_and_named() {
    let host = Host::new();
    host.apply_all();
    host.put(DROP_IN, "[Service]\nEnvironment=MINE=1\n");
    let again = host.apply();
    assert_eq!(again.failed.len(), 1);
    assert!(again.failed[0].1.to_string().contains("--force"), "{:?}", again.failed);
    let reverted = host.revert();
    assert_eq!(reverted.refused.len(), 1);
    assert!(reverted.refused[0].1.to_string().contains("--force"));
    assert_eq!(host.text(DROP_IN), "[Service]\nEnvironment=MINE=1\n");
    assert!(!host.journal().is_empty(), "it is still known");
    assert_eq!(revert(&host.files, &mut host.journal(), true).unwrap().refused.len(), 0);
    assert!(!host.at(DROP_IN).exists());
    assert!(!host.at("/var/lib/portcullis/trust").exists());
}

#[test]
fn after_an_upgrade_it_is_applied_again_and_the_upgrade_stays() {
    let host = Host::new();
    host.apply_all();
    host.put(VENV, &certificates(40));
    assert_eq!(host.states()[&format!("bundle:{VENV}")], State::Missing);
    host.apply_all();
    host.revert_all();
    assert_eq!(host.text(VENV), certificates(40));
}

#[test]
fn a_new_authority_takes_the_place_of_the_old_one() {
    let host = Host::new();
    let mut before = host.everything();
    host.apply_all();
    let old = host.text("/var/lib/portcullis/ca/host-ca.pem");
    host.authority(&["api.example", "mail.example"]);
    let states = host.states();
    assert!(states.values().filter(|state| **state == State::Outdated).count() >= 4, "{states:?}");
    host.apply_all();
    for path in ["/etc/ssl/certs/ca-certificates.crt", VENV, "/opt/corp.pem", ANCHOR] {
        assert!(!host.text(path).contains(old.trim_end()), "{path}");
    }
    host.revert_all();
    let mut after = host.everything();
    for all in [&mut before, &mut after] {
        all.retain(|path, _| !path.starts_with("var/lib/portcullis/ca"));
    }
    assert_eq!(after, before);
}

#[test]
fn bundles_can_be_bound_over_and_what_is_not_wanted_any_more_is_taken_back() {
    let mut host = Host::new();
    let before = host.everything();
    host.apply_all();
    host.options.bind = true;
    let bound = host.apply();
    assert!(bound.taken_back.contains(&PathBuf::from(VENV)), "{bound:?}");
    assert_eq!(host.text(VENV), certificates(30).trim_end(), "it is as it was");
    let drop_in = host.text(DROP_IN);
    let line = drop_in.lines().find(|line| line.starts_with("BindReadOnlyPaths=-")).unwrap();
    let (from, to) = line.trim_start_matches("BindReadOnlyPaths=-").split_once(':').unwrap();
    assert_eq!(to, VENV);
    let ours = host.text("/var/lib/portcullis/ca/host-ca.pem");
    let copy = host.text(from);
    assert!(copy.starts_with(certificates(30).trim_end()) && copy.contains(ours.trim_end()));
    assert_eq!(host.journal().options(), &host.options);
    host.revert_all();
    assert_eq!(host.everything(), before);
}

#[test]
fn a_line_for_ssh_that_was_put_in_alone_is_the_plans() {
    let host = Host::new();
    let before = host.everything();
    let (path, line) = host.subject().ssh.unwrap();
    let step = Step::ssh_of_system(&host.files, &path, "main", &line).unwrap();
    assert!(apply_step(&host.files, &mut host.journal(), &step).unwrap());
    assert!(!apply_step(&host.files, &mut host.journal(), &step).unwrap());
    assert_eq!(host.states()[&step.id], State::Applied);
    host.apply_all();
    host.revert_all();
    assert_eq!(host.everything(), before);
    assert!(!revert_step(&host.files, &mut host.journal(), &step.id).unwrap());
    assert!(apply_step(&host.files, &mut host.journal(), &step).unwrap());
    assert!(revert_step(&host.files, &mut host.journal(), &step.id).unwrap());
    assert_eq!(host.everything(), before);
}

#[test]
fn without_a_tool_variables_name_a_copy_of_the_bundle_with_the_certificate() {
    let host = Host::new();
    fs::remove_file(host.at("/usr/sbin/update-ca-certificates")).unwrap();
    let before = host.everything();
    host.apply_all();
    let plan = host.plan();
    assert!(plan.notes.iter().any(|note| note.contains("no tool")), "{:?}", plan.notes);
    let bundle = "/etc/portcullis-trust/main/bundle.pem";
    assert!(host.text(DROP_IN).contains(&format!("AWS_CA_BUNDLE={bundle}")));
    let ours = host.text("/var/lib/portcullis/ca/host-ca.pem");
    assert_eq!(host.text(bundle), certificates(25) + &ours);
    host.revert_all();
    assert_eq!(host.everything(), before);
}

#[test]
fn a_tool_that_fails_is_said_and_the_rest_is_done() {
    let host = Host::new();
    let before = host.everything();
    host.put("/usr/sbin/update-ca-certificates", "#!/bin/sh\necho no room >&2\nexit 1\n");
    let applied = host.apply();
    assert_eq!(applied.failed.len(), 1);
    assert!(applied.failed[0].1.to_string().contains("no room"), "{:?}", applied.failed);
    assert!(host.text(VENV).contains("portcullis trust"));
    host.put("/usr/sbin/update-ca-certificates", TOOL);
    host.apply_all();
    host.revert_all();
    let mut after = host.everything();
    let mut before = before;
    for all in [&mut before, &mut after] {
        all.remove(Path::new("usr/sbin/update-ca-certificates"));
    }
    assert_eq!(after, before);
}

#[test]
fn a_journal_that_cannot_be_read_is_not_written_over() {
    let host = Host::new();
    host.put("/var/lib/portcullis/trust/journal.json", "{\"version\": 9}");
    assert!(matches!(
        Journal::open(&host.files, Path::new(STATE)),
        Err(JournalError::Unreadable { .. })
    ));
}
