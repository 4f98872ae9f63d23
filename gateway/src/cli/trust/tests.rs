use std::fs;
use std::path::{Path, PathBuf};

use super::super::look::Look;
use super::host::{Host, HostArguments, OptionArguments};
use super::*;
use crate::tls::{CertificateNames, HostCa};
use crate::trust::verify::{Matrix, Row, Trusts};
use crate::trust::{self, Files};

const WIDE: Look = Look { color: false, width: Some(140) };
const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
struct Still;

impl model::Clock for Still {
    fn now(&self) -> model::Timestamp {
        model::Timestamp::from_seconds(NOW)
    }
}

/// A host in a directory, with a governed service that runs an environment's Python.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.put(
            "portcullis.yaml",
            "instance: main\nstate_directory: /var/lib/portcullis\n\
             govern: [{ systemd_unit: job.service }, { cgroup: /automation.slice }]\n\
             workloads:\n  - name: job\n    match: { systemd_unit: job.service }\n    \
             groups: [jobs]\n\
             targets:\n  - name: shop\n    protocol: postgres\n    addresses: [\"db.example:5432\"]\n    \
             credential: { user: job, password: { file: /etc/portcullis/password } }\n\
             roles:\n  - name: jobs\n    groups: [jobs]\n    rules:\n      \
             - { id: in, effect: allow, target: shop }\n",
        );
        place.put("usr/share/ca-certificates/all.crt", "");
        place.put("usr/sbin/update-ca-certificates", "");
        let bundle = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n".repeat(20);
        place.put("srv/venv/lib/python3.11/site-packages/certifi/cacert.pem", &bundle);
        place.put(
            "etc/systemd/system/job.service",
            "[Service]\nExecStart=/srv/venv/bin/python /srv/job.py\n",
        );
        place
    }

    fn with_authority() -> Self {
        let place = Self::new();
        let names = CertificateNames::of(["db.example", "10.0.0.5"]).unwrap();
        HostCa::open(&place.at("var/lib/portcullis/ca"), &names, &Still).unwrap();
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn arguments(&self) -> HostArguments {
        HostArguments { config: self.at("portcullis.yaml"), root: self.0.path().to_owned() }
    }

    fn report(&self) -> plan::Report {
        let host = Host::open(&self.arguments()).unwrap();
        let mut report = plan::report(&host, &OptionArguments::default()).unwrap();
        report.authority.as_mut().unwrap().fingerprint = "ab".repeat(32);
        report
    }
}

#[test]
fn a_plan_says_what_where_for_whom_why_and_at_what_risk() {
    let text = plan::render(&Place::with_authority().report(), &WIDE);
    assert!(text.lines().take(8).all(|line| line.chars().count() <= 140), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_status_says_how_steps_and_authority_stand() {
    let report = Place::with_authority().report();
    insta::assert_snapshot!(status::render(&report, NOW + 86_400, &WIDE));
    let over = status::render(&report, NOW + 10_000_000_000, &WIDE);
    assert!(over.contains("it is over"), "{over}");
}

#[test]
fn an_apply_and_a_revert_say_what_became_of_each_file() {
    let failed = || apply::Failed { path: "/srv/x".into(), because: "it is read-only".into() };
    let report = apply::Report {
        changed: vec!["/a".into(), "/etc/systemd/system/job.service.d/x.conf".into()],
        unchanged: 2,
        taken_back: vec!["/b".into()],
        failed: vec![failed()],
        restart: vec!["job.service".into()],
        notes: vec!["systemd has not read its files again: run systemctl daemon-reload".into()],
    };
    let applied = apply::render(&report, &WIDE);
    let report = revert::Report {
        restored: vec!["/a".into()],
        edited: vec!["/b".into()],
        refused: vec![failed()],
        notes: Vec::new(),
    };
    let reverted = revert::render(&report, &WIDE);
    let none = revert::Report { restored: vec![], edited: vec![], refused: vec![], notes: vec![] };
    insta::assert_snapshot!(format!("{applied}\n{reverted}\n{}", revert::render(&none, &WIDE)));
}

#[test]
fn systemd_reads_its_files_again_where_it_runs_and_where_not_that_is_said() {
    let apply = |place: &Place| {
        let arguments = apply::Arguments {
            host: place.arguments(),
            options: OptionArguments { no_scan: true, ..OptionArguments::default() },
            force: false,
        };
        apply::report(&arguments).unwrap().0
    };
    let program = |place: &Place, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        place.put("usr/bin/systemctl", text);
        let path = place.at("usr/bin/systemctl");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let place = Place::with_authority();
    place.put("usr/sbin/update-ca-certificates", "#!/bin/sh\n");
    let notes = place.report().notes;
    assert!(notes.iter().any(|note| note.contains("does not run here")), "{notes:?}");
    program(&place, "#!/bin/sh\necho \"$*\" >> \"${0%/*}/said\"\n");
    assert!(apply(&place).notes.is_empty());
    assert!(!place.at("usr/bin/said").exists());

    let place = Place::with_authority();
    place.put("usr/sbin/update-ca-certificates", "#!/bin/sh\n");
    fs::create_dir_all(place.at("run/systemd/system")).unwrap();
    let notes = place.report().notes;
    assert!(notes.iter().any(|note| note.contains("daemon-reload")), "{notes:?}");
    program(&place, "#!/bin/sh\necho \"$*\" >> \"${0%/*}/said\"\n");
    let report = apply(&place);
    assert_eq!((report.notes.len(), report.restart.as_slice()), (0, &["job.service".into()][..]));
    assert_eq!(fs::read_to_string(place.at("usr/bin/said")).unwrap(), "daemon-reload\n");
    // Nothing has changed since: there is nothing to read.
    assert_eq!(apply(&place).changed, [""; 0]);
    assert_eq!(fs::read_to_string(place.at("usr/bin/said")).unwrap(), "daemon-reload\n");
    program(&place, "#!/bin/sh\necho no bus >&2; exit 1\n");
    let files = Files::below(place.0.path());
    let note = host::reload_systemd(&files).unwrap();
    assert!(note.contains("run systemctl daemon-reload") && note.contains("no bus"), "{note}");
}

#[test]
fn the_matrix_says_who_trusts_by_what_and_else_what_to_do() {
    let row = |runtime, alone, in_units, by, needed: &[&str]| Row {
        runtime,
        program: Path::new("/usr/bin").join(runtime),
        version: "1.2.3".into(),
        alone,
        in_units: Some(in_units),
        by,
        needed_by: needed.iter().map(|one| (*one).to_owned()).collect(),
        remedy: (in_units != Trusts::Yes).then(|| "portcullis trust apply".to_owned()),
        said: (in_units != Trusts::Yes).then(|| "unknown \u{1b}[31missuer".to_owned()),
    };
    let matrix = Matrix {
        name: "api.example".into(),
        rows: vec![
            row("curl", Trusts::Yes, Trusts::Yes, Some("the system's store"), &["job.service"]),
            row("node", Trusts::No, Trusts::Yes, Some("the units' environment"), &["job.service"]),
            row("java", Trusts::No, Trusts::No, None, &["job.service"]),
            row("wget", Trusts::Unknown, Trusts::Unknown, None, &[]),
        ],
    };
    assert_eq!(matrix.rows.iter().filter(|row| row.is_bad()).count(), 1);
    let text = verify::render(&matrix, &WIDE);
    assert!(!text.contains('\u{1b}'), "what a program prints steers no terminal");
    insta::assert_snapshot!(text);
}

#[test]
fn without_an_authority_it_is_said_how_to_get_one() {
    let failure = Host::open(&Place::new().arguments()).unwrap_err();
    assert_eq!(failure.exit(), Exit::Impossible);
    assert!(failure.remedy().unwrap().contains("first started"), "{failure:?}");
}

#[test]
fn options_stay_as_they_were_said_last() {
    let place = Place::with_authority();
    place.put("usr/sbin/update-ca-certificates", "#!/bin/sh\n");
    let host = Host::open(&place.arguments()).unwrap();
    let bound = OptionArguments { bind: true, no_scan: true, ..OptionArguments::default() };
    let files = Files::below(place.0.path());
    let mut journal = host.journal;
    let plan = trust::Plan::make(
        &files,
        &host.subject,
        &trust::Options { bind: true, scan: Some(Vec::new()), ..trust::Options::default() },
    );
    trust::apply(&files, &plan.unwrap(), &mut journal, false).unwrap();
    let host = Host::open(&place.arguments()).unwrap();
    let said = host.options(&OptionArguments::default()).unwrap();
    assert_eq!(said, host.options(&bound).unwrap());
    assert!(said.bind && said.scan == Some(Vec::new()));
    let other = OptionArguments { append: true, scan: vec!["/srv".into()], ..bound };
    let other = host.options(&OptionArguments { bind: false, no_scan: false, ..other }).unwrap();
    assert!(!other.bind && other.scan == Some(vec!["/srv".into()]));
}
