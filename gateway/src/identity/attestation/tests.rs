use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use model::{CgroupId, FileId, ProcessFacts, UserFacts};

use super::super::testing::HandSetClock;
use super::*;

/// A process in a cgroup that is named like a unit; both go when it goes out of scope.
struct Unit {
    cgroup: PathBuf,
    process: Child,
}

impl Unit {
    fn start(tree: &CgroupTree) -> Self {
        let name = format!("identity-test-{}-attest.service", std::process::id());
        let cgroup = tree.mount().join(name);
        std::fs::create_dir(&cgroup).expect("making a cgroup takes root and cgroup2");
        let process = Command::new("/usr/bin/sleep").arg("100").spawn().unwrap();
        let unit = Self { cgroup, process };
        std::fs::write(unit.cgroup.join("cgroup.procs"), unit.process.id().to_string()).unwrap();
        let exe = format!("/proc/{}/exe", unit.process.id());
        let sleep = std::fs::metadata("/usr/bin/sleep").unwrap().ino();
        while std::fs::metadata(&exe).unwrap().ino() != sleep {
            std::thread::yield_now();
        }
        unit
    }

    fn stop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }

    /// As the kernel would record a socket of the process.
    fn binding(&self) -> Binding {
        let pid = self.process.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks: u64 = stat.split_whitespace().nth(21).unwrap().parse().unwrap();
        let program = std::fs::metadata("/usr/bin/sleep").unwrap();
        Binding {
            original: "10.0.5.10:5432".parse().unwrap(),
            cgroup: CgroupId(std::fs::metadata(&self.cgroup).unwrap().ino()),
            process: ProcessFacts {
                tgid: pid,
                tid: pid,
                start_boottime_ns: ticks * 10_000_000 + 7,
                exec_id: 2,
                executable: Some(FileId { device: program.dev(), inode: program.ino() }),
                comm: String::from("sleep"),
            },
            user: UserFacts { uid: 0, gid: 0, login_uid: None },
            socket_cookie: 1,
            netns_cookie: 1,
            connected_boottime_ns: 2,
        }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.stop();
        // The kernel lets go of a cgroup a moment after its last process.
        for _ in 0..500 {
            match std::fs::remove_dir(&self.cgroup) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                _ => break,
            }
        }
    }
}

#[tokio::test]
async fn a_living_process_is_attested_in_full_and_a_dead_one_without_its_program() {
    let mut unit = Unit::start(&CgroupTree::open().unwrap());
    let binding = unit.binding();
    let attestor = Attestor::of_host(HandSetClock::at_second(1_000)).unwrap();
    let attested = attestor.attest(&binding).await.unwrap();
    let name = unit.cgroup.file_name().unwrap().to_str().unwrap();
    let expected = Attestation {
        cgroup_path: format!("/{name}"),
        systemd_unit: Some(name.to_owned()),
        container: None,
        user_name: Some(String::from("root")),
        executable: Some(String::from("/usr/bin/sleep")),
        executable_file: binding.process.executable,
        executable_unknown_because: None,
    };
    assert_eq!(*attested.attestation, expected);
    attested.process.unwrap().root().unwrap();

    unit.stop();
    let attested = attestor.attest(&binding).await.unwrap();
    let because = format!("process {} has ended since it connected", binding.process.tgid);
    let expected =
        Attestation { executable: None, executable_unknown_because: Some(because), ..expected };
    assert_eq!(*attested.attestation, expected);
    assert!(attested.process.is_err());

    drop(unit);
    let gone = attestor.attest(&binding).await.unwrap_err();
    assert!(matches!(gone, AttestationError::Cgroup(CgroupError::Vanished(_))), "{gone}");
}
