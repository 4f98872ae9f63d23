use std::process::Command;

use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(place.path("state/ca")).unwrap();
        fs::write(place.path("state/ca/ssh-ca.pub"), format!("{KEY} Portcullis SSH host CA\n"))
            .unwrap();
        place.configure("web1.internal:22, 10.0.0.5:2222", "certificate");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn configure(&self, addresses: &str, client_host_key: &str) {
        let state = self.path("state");
        let text = format!(
            "instance: main\nstate_directory: {}\ngovern: [{{ cgroup: /system.slice }}]\n\
             workloads:\n  - name: job\n    match: {{ systemd_unit: job.service }}\n    \
             groups: [jobs]\n\
             targets:\n  - name: web\n    protocol: ssh\n    addresses: [{}]\n    \
             host_keys: {{ known_hosts: /etc/portcullis/known_hosts }}\n    \
             credential: {{ private_key: {{ file: /etc/portcullis/key }} }}\n    \
             client_host_key: {client_host_key}\n\
             roles:\n  - name: jobs\n    groups: [jobs]\n    rules:\n      \
             - {{ id: in, effect: allow, target: web }}\n",
            state.display(),
            addresses.split(", ").map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", "),
        );
        fs::write(self.path("portcullis.yaml"), text).unwrap();
    }

    fn arguments(&self) -> Arguments {
        Arguments {
            config: self.path("portcullis.yaml"),
            apply: false,
            remove: false,
            file: self.path("known"),
            ssh_config: self.path("ssh_config"),
            instance: None,
        }
    }

    fn apply(&self) -> Report {
        install(&Arguments { apply: true, ..self.arguments() }).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path("known")).unwrap_or_default()
    }
}

#[test]
fn the_line_is_good_for_the_targets_and_for_nobody_else() {
    let place = Place::new();
    fs::write(place.path("known"), "other ssh-ed25519 AAAA\n").unwrap();
    let printed = install(&place.arguments()).unwrap();
    assert_eq!((printed.state, printed.changed), (State::Absent, false));
    let line = format!("@cert-authority [10.0.0.5]:2222,web1.internal {KEY} portcullis");
    assert_eq!(printed.line.as_deref(), Some(line.as_str()));
    assert_eq!(place.text(), "other ssh-ed25519 AAAA\n");
    let applied = place.apply();
    assert_eq!((applied.state, applied.changed), (State::Installed, true));
    assert!(!place.apply().changed);
    for (host, known) in [
        ("web1.internal", true),
        ("[10.0.0.5]:2222", true),
        ("10.0.0.5", false),
        ("web2.internal", false),
    ] {
        let found = Command::new("ssh-keygen")
            .args(["-F", host, "-f"])
            .arg(place.path("known"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        assert_eq!(said.contains("CA"), known, "{host}: {said}");
    }
}

#[test]
fn the_line_follows_the_targets_and_goes_without_a_trace() {
    let place = Place::new();
    fs::write(place.path("known"), "other ssh-ed25519 AAAA").unwrap();
    place.apply();
    place.configure("db1:22", "certificate");
    assert_eq!(install(&place.arguments()).unwrap().state, State::Outdated);
    assert_eq!(place.apply().patterns, ["db1"]);
    let removed = remove(&Arguments { remove: true, ..place.arguments() }).unwrap();
    assert!(removed.changed);
    assert_eq!(place.text(), "other ssh-ed25519 AAAA");
    // By the instance's name alone, where the configuration is gone.
    place.apply();
    fs::remove_file(place.path("portcullis.yaml")).unwrap();
    let gone = Arguments { remove: true, ..place.arguments() };
    assert!(remove(&gone).is_err());
    let named = Arguments { instance: Some(String::from("main")), ..gone };
    assert!(remove(&named).unwrap().changed);
    assert_eq!(place.text(), "other ssh-ed25519 AAAA");
}

#[test]
fn a_revert_takes_the_line_out_and_no_plan_does() {
    use crate::trust::{Plan, Subject, apply, revert};
    let place = Place::new();
    fs::write(place.path("known"), "other ssh-ed25519 AAAA").unwrap();
    place.apply();
    let files = Files::below("/");
    let mut journal = Journal::open(&files, &place.path("state")).unwrap();
    // A plan for the rest of the host leaves a file alone that somebody named.
    let subject = Subject {
        instance: String::from("main"),
        authority: None,
        units: Vec::new(),
        others: Vec::new(),
        ssh: None,
    };
    let plan = Plan::make(&files, &subject, &crate::trust::Options::default()).unwrap();
    assert!(apply(&files, &plan, &mut journal, false).unwrap().taken_back.is_empty());
    assert!(place.text().contains("@cert-authority"));
    let reverted = revert(&files, &mut journal, false).unwrap();
    assert_eq!(reverted.restored, [place.path("known").canonicalize().unwrap()]);
    assert_eq!(place.text(), "other ssh-ed25519 AAAA");
    assert!(!place.path("state/trust").exists());
    // A line that was put in before there was a journal is taken into it.
    place.apply();
    fs::remove_dir_all(place.path("state/trust")).unwrap();
    assert!(!place.apply().changed);
    let mut journal = Journal::open(&files, &place.path("state")).unwrap();
    revert(&files, &mut journal, false).unwrap();
    assert_eq!(place.text(), "other ssh-ed25519 AAAA");
}

#[test]
fn targets_with_enrolled_keys_need_no_line_and_lose_the_one_there_was() {
    let place = Place::new();
    place.apply();
    place.configure("web1.internal:22", "{ enrolled: [/etc/portcullis/web1] }");
    let applied = place.apply();
    assert_eq!((applied.state, applied.changed, applied.line), (State::Absent, true, None));
    assert!(!place.path("known").exists());
}

#[test]
fn what_cannot_be_done_is_said_with_what_to_do() {
    let place = Place::new();
    fs::write(place.path("ssh_config"), "GlobalKnownHostsFile /other\n").unwrap();
    let warned = install(&place.arguments()).unwrap();
    assert_eq!(warned.warnings.len(), 1);
    assert!(render(&warned, &Look { color: false, width: None }).contains("warning: "));
    fs::remove_file(place.path("state/ca/ssh-ca.pub")).unwrap();
    let failure = install(&place.arguments()).unwrap_err();
    assert!(failure.remedy().unwrap().contains("first started"), "{failure:?}");
}
