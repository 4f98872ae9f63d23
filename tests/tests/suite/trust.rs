//! Trust on a host: real runtimes before `apply`, after it, and after `revert`.
//!
//! Owns the private copy of this machine's files that the tries run in: a mount namespace in which
//! every directory that is written to is an overlay. The machine itself is never changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use gateway::tls::{CertificateNames, HostCa};
use gateway::trust::verify::{Matrix, Trusts, verify};
use gateway::trust::{Authority, Files, Journal, Options, Plan, State, Subject};
use gateway::trust::{apply, revert, state};
use model::{Clock, Timestamp};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use tests::programs;

const UNIT: &str = "portcullis-trust-test.service";
/// What the system's tool, its hooks and the steps write to.
const WRITTEN: [&str; 4] =
    ["/etc", "/usr/local/share", "/var/lib/dpkg", "/var/lib/ca-certificates-java"];

#[derive(Debug)]
struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_seconds(now.as_secs())
    }
}

/// This machine, as the thread sees it that made it.
struct Host {
    directory: tempfile::TempDir,
    files: Files,
    options: Options,
    watched: Vec<PathBuf>,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("portcullis-trust-").tempdir().unwrap();
        unshare(CloneFlags::CLONE_NEWNS).expect("these tests take root");
        let none = None::<&str>;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(none, "/", none, private, none).unwrap();
        let python = programs::cache().join("python");
        let python = fs::canonicalize(python).expect("`cargo xtask setup` makes it");
        for (number, path) in WRITTEN.iter().map(Path::new).chain([python.as_path()]).enumerate() {
            if path.is_dir() {
                overlay(path, &directory.path().join(number.to_string()));
            }
        }
        let unit = format!(
            "[Service]\nExecStart=/usr/bin/env node /srv/job.js\nExecStartPre={}/bin/python -c 'import requests'\n",
            python.display()
        );
        fs::write(Path::new("/etc/systemd/system").join(UNIT), unit).unwrap();
        let state = directory.path().join("state");
        let names = CertificateNames::of(["api.trust-test.example"]).unwrap();
        HostCa::open(&state.join("ca"), &names, &Now).unwrap();
        let site = fs::read_dir(python.join("lib")).unwrap().next().unwrap().unwrap().path();
        let watched = vec![
            "/etc".into(),
            "/usr/local/share/ca-certificates".into(),
            site.join("site-packages/certifi"),
            site.join("site-packages/pip/_vendor/certifi"),
            state,
        ];
        let options = Options { scan: Some(vec![python]), ..Options::default() };
        Self { directory, files: Files::below("/"), options, watched }
    }

    /// The same machine and authority, looked through there.
    fn scanning(&self, path: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let names = CertificateNames::of(["api.trust-test.example"]).unwrap();
        HostCa::open(&directory.path().join("state/ca"), &names, &Now).unwrap();
        let options = Options { scan: Some(vec![path.to_owned()]), ..Options::default() };
        Self { directory, files: Files::below("/"), options, watched: self.watched.clone() }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn subject(&self) -> Subject {
        Subject {
            instance: "trust-test".into(),
            authority: Authority::read(&self.files, &self.state()).unwrap(),
            units: vec![UNIT.into()],
            others: Vec::new(),
            ssh: None,
        }
    }

    fn plan(&self) -> Plan {
        Plan::make(&self.files, &self.subject(), &self.options).unwrap()
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.files, &self.state()).unwrap()
    }

    fn verify(&self) -> Matrix {
        verify(&self.files, &self.subject(), &self.state(), &self.options).unwrap()
    }

    fn apply(&self) {
        let plan = self.plan();
        let applied = apply(&self.files, &plan, &mut self.journal(), false).unwrap();
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        let journal = self.journal();
        for step in &plan.steps {
            let state = state(&self.files, &journal, step).unwrap();
            assert_eq!(state, State::Applied, "{}", step.id);
        }
    }

    fn revert(&self) {
        let reverted = revert(&self.files, &mut self.journal(), false).unwrap();
        assert!(reverted.refused.is_empty(), "{:?}", reverted.refused);
    }

    /// Bytes, rights, owners and times of what could be written.
    fn everything(&self) -> BTreeMap<PathBuf, (String, Vec<u8>)> {
        let mut all = BTreeMap::new();
        let mut ahead = self.watched.clone();
        while let Some(directory) = ahead.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                let about = fs::symlink_metadata(&path).unwrap();
                let says = format!("{:o} {} {}", about.mode(), about.uid(), about.gid());
                let said = if about.is_symlink() {
                    (says, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes())
                } else if about.is_file() {
                    let time = format!("{says} {}.{:09}", about.mtime(), about.mtime_nsec());
                    (time, fs::read(&path).unwrap())
                } else {
                    if about.is_dir() {
                        ahead.push(path.clone());
                    }
                    (says, Vec::new())
                };
                all.insert(path, said);
            }
        }
        all
    }
}

/// Lays a layer over a directory that takes what is written to it.
fn overlay(path: &Path, taking: &Path) {
    layer(path, path, taking);
}

/// Shows a directory at another place, where a layer takes what is written.
fn layer(from: &Path, at: &Path, taking: &Path) {
    for name in ["upper", "work"] {
        fs::create_dir_all(taking.join(name)).unwrap();
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        from.display(),
        taking.join("upper").display(),
        taking.join("work").display()
    );
    mount(Some("overlay"), at, Some("overlay"), MsFlags::empty(), Some(options.as_str())).unwrap();
}

/// A layer that is taken away before the directory that it is at: a mount cannot be removed.
struct Layered<'a>(&'a Path);

impl Drop for Layered<'_> {
    fn drop(&mut self) {
        let taken = umount2(self.0, MntFlags::MNT_DETACH);
        assert!(taken.is_ok() || thread::panicking(), "{taken:?}");
    }
}

/// On a thread of its own, for the namespace is the thread's and goes with it.
fn on_a_host(tried: impl FnOnce(&Host) + Send + 'static) {
    let done = thread::spawn(move || {
        let host = Host::new();
        tried(&host);
    });
    if let Err(panic) = done.join() {
        std::panic::resume_unwind(panic);
    }
}

/// How runtimes stand, alone and in units; of several of a kind, those of the environment's own.
fn stand(matrix: &Matrix) -> BTreeMap<&'static str, (Trusts, Trusts)> {
    let rows = matrix.rows.iter().filter(|row| {
        !row.runtime.starts_with("python") || row.program.starts_with(programs::cache())
    });
    rows.map(|row| (row.runtime, (row.alone, row.in_units.unwrap()))).collect()
}

fn differences(
    before: &BTreeMap<PathBuf, (String, Vec<u8>)>,
    after: &BTreeMap<PathBuf, (String, Vec<u8>)>,
) -> Vec<String> {
    let paths: std::collections::BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    let differs = |path: &&&PathBuf| before.get(**path) != after.get(**path);
    let say = |path: &&PathBuf| {
        let about = |one: Option<&(String, Vec<u8>)>| {
            one.map(|(says, bytes)| format!("{says}, {} bytes", bytes.len()))
        };
        format!(
            "{}: {:?}, then {:?}",
            path.display(),
            about(before.get(*path)),
            about(after.get(*path))
        )
    };
    paths.iter().filter(differs).map(say).collect()
}

#[test]
fn real_runtimes_trust_the_gateway_after_apply_and_no_longer_after_revert() {
    on_a_host(|host| {
        let untouched = host.everything();
        let before = host.verify();
        for row in &before.rows {
            assert_eq!((row.alone, row.in_units), (Trusts::No, Some(Trusts::No)), "{row:?}");
        }
        let kinds = stand(&before);
        for runtime in [
            "curl",
            "wget",
            "openssl",
            "git",
            "node",
            "python urllib",
            "python requests",
            "python httpx",
        ] {
            assert!(kinds.contains_key(runtime), "no {runtime}: run `cargo xtask setup`");
        }
        assert_eq!(differences(&untouched, &host.everything()), [""; 0], "verify changes nothing");

        host.apply();
        let applied = host.everything();
        host.apply();
        assert_eq!(differences(&applied, &host.everything()), [""; 0], "a second apply, too");
        let after = host.verify();
        for (runtime, stands) in stand(&after) {
            let alone = if runtime == "node" { Trusts::No } else { Trusts::Yes };
            assert_eq!(stands, (alone, Trusts::Yes), "{runtime}: {after:#?}");
        }
        let node = after.rows.iter().find(|row| row.runtime == "node").unwrap();
        assert_eq!(node.needed_by, [UNIT]);
        assert_eq!(node.by, Some("the units' environment"));
        assert!(!after.rows.iter().any(|row| row.is_bad()));

        host.revert();
        assert_eq!(differences(&untouched, &host.everything()), [""; 0]);
        for row in host.verify().rows {
            assert_eq!((row.alone, row.in_units), (Trusts::No, Some(Trusts::No)), "{row:?}");
        }
    });
}

#[test]
fn a_java_that_was_unpacked_by_hand_trusts_the_gateway_after_apply() {
    on_a_host(|host| {
        let system = Path::new("/usr/bin/java").canonicalize().expect("`cargo xtask setup`");
        let home = system.ancestors().nth(2).unwrap();
        let jdk = host.directory.path().join("jdk");
        fs::create_dir(&jdk).unwrap();
        layer(home, &jdk, &host.directory.path().join("java"));
        let _layered = Layered(&jdk);
        // A keystore of its own, as a runtime from an archive has it.
        let keystore = jdk.join("lib/security/cacerts");
        let bytes = fs::read(&keystore).unwrap();
        fs::remove_file(&keystore).unwrap();
        fs::write(&keystore, &bytes).unwrap();
        let host = host.scanning(&jdk);
        let java = jdk.join("bin/java");
        let of = |matrix: &Matrix, program: &Path| {
            let row = matrix.rows.iter().find(|row| row.program == program);
            let row = row.unwrap_or_else(|| panic!("no {}: {matrix:#?}", program.display()));
            assert_eq!(row.runtime, "java");
            (row.alone, row.in_units.unwrap())
        };
        let before = host.verify();
        let systems = Path::new("/usr/bin/java");
        for program in [systems, &java] {
            assert_eq!(of(&before, program), (Trusts::No, Trusts::No), "{program:?}");
        }
        host.apply();
        assert_ne!(fs::read(&keystore).unwrap(), bytes);
        let after = host.verify();
        for program in [systems, &java] {
            assert_eq!(of(&after, program), (Trusts::Yes, Trusts::Yes), "{program:?}");
        }
        // The runtime's own list is still whole.
        let listed = |path: &Path| {
            let mut keytool = std::process::Command::new(jdk.join("bin/keytool"));
            keytool.args(["-list", "-storepass", "changeit", "-keystore"]).arg(path);
            programs::run(&mut keytool).success().matches("trustedCertEntry").count()
        };
        let copy = host.directory.path().join("before");
        fs::write(&copy, &bytes).unwrap();
        assert_eq!(listed(&keystore), listed(&copy) + 1);
        host.revert();
        assert_eq!(fs::read(&keystore).unwrap(), bytes);
        assert_eq!(of(&host.verify(), &java), (Trusts::No, Trusts::No));
    });
}

#[test]
fn bundles_that_are_bound_over_are_trusted_in_units_only_and_stay_as_they_are() {
    on_a_host(|host| {
        let host = Host {
            options: Options { bind: true, ..host.options.clone() },
            directory: tempfile::tempdir().unwrap(),
            files: Files::below("/"),
            watched: host.watched.clone(),
        };
        let names = CertificateNames::of(["api.trust-test.example"]).unwrap();
        HostCa::open(&host.state().join("ca"), &names, &Now).unwrap();
        let bundle = |host: &Host| {
            let certifi = host.watched.iter().find(|path| path.ends_with("site-packages/certifi"));
            fs::read(certifi.unwrap().join("cacert.pem")).unwrap()
        };
        let before = bundle(&host);
        host.apply();
        assert_eq!(bundle(&host), before);
        let kinds = stand(&host.verify());
        for library in ["python requests", "python httpx"] {
            assert_eq!(kinds[library], (Trusts::No, Trusts::Yes), "{library}");
        }
        host.revert();
    });
}
