//! Facts from files, judgements from facts, and how both look.

use std::fs;

use super::facts::HostFacts;
use super::findings::{State, findings};
use super::{Look, render};

fn ready() -> HostFacts {
    HostFacts {
        release: Some("6.1.0-28-amd64".into()),
        has_btf: true,
        cgroup2: Some("/sys/fs/cgroup".into()),
        bpffs: Some("/sys/fs/bpf".into()),
        has_bpffs_place: true,
        capabilities: Some(0x0000_01ff_ffff_ffff),
        memlock: Some("8388608".into()),
        lsm: Some("lockdown,capability,bpf".into()),
        lockdown: Some("none".into()),
        tracefs: Some("/sys/kernel/tracing".into()),
        trusts_ssh: true,
    }
}

#[test]
fn facts_are_read_from_where_the_kernel_puts_them() {
    let root = tempfile::tempdir().unwrap();
    let file = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file("proc/sys/kernel/osrelease", "6.1.0-28-amd64\n");
    file("sys/kernel/btf/vmlinux", "");
    file("sys/fs/bpf/x", "");
    file(
        "proc/self/mountinfo",
        "24 30 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n\
         25 30 0:23 / /sys/kernel/tracing rw - tracefs tracefs rw\n\
         36 24 0:32 / /sys/fs/bpf rw,nosuid - bpf bpf rw,mode=700\n",
    );
    file("proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n");
    file(
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units\n\
         Max locked memory         8388608              8388608              bytes\n",
    );
    file("etc/ssh/ssh_known_hosts2", "# >>> portcullis trust ssh, instance main\n");
    file("sys/kernel/security/lsm", "lockdown,capability,bpf");
    file("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
    assert_eq!(HostFacts::read(root.path()), ready());
}

#[test]
fn a_ready_host_lacks_nothing() {
    assert!(findings(&ready()).iter().all(|finding| finding.state == State::Good));
    insta::assert_snapshot!("ready", render(&findings(&ready()), &Look::default()));
}

#[test]
fn every_missing_thing_has_a_remedy() {
    let bare = HostFacts {
        release: Some("5.4.0".into()),
        lockdown: Some("confidentiality".into()),
        memlock: Some("65536".into()),
        ..HostFacts::default()
    };
    let found = findings(&bare);
    assert!(found.iter().filter(|f| f.state == State::Missing).all(|f| f.remedy.is_some()));
    insta::assert_snapshot!("bare", render(&found, &Look::default()));
}

#[test]
fn each_required_fact_alone_makes_a_host_unready() {
    let breaks: [fn(&mut HostFacts); 7] = [
        |facts| facts.release = Some("5.10.0".into()),
        |facts| facts.release = None,
        |facts| facts.has_btf = false,
        |facts| facts.cgroup2 = None,
        |facts| facts.lockdown = Some("confidentiality".into()),
        |facts| facts.capabilities = None,
        |facts| facts.capabilities = Some(!(1 << 39)),
    ];
    for (index, break_it) in breaks.iter().enumerate() {
        let mut facts = ready();
        break_it(&mut facts);
        assert!(
            findings(&facts).iter().any(|finding| finding.state == State::Missing),
            "change {index} should count"
        );
    }
}
