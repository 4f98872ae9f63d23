use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// A process that is ended when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Running {
    fn of(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it runs the program: between `fork` and `execve` it is still ours.
    fn running(self, program: &Path) -> Self {
        let exe = format!("/proc/{}/exe", self.pid());
        within(|| std::fs::metadata(&exe).is_ok_and(|exe| same(&exe, program)));
        self
    }
}

fn same(exe: &std::fs::Metadata, program: &Path) -> bool {
    let program = std::fs::metadata(program).unwrap();
    (exe.dev(), exe.ino()) == (program.dev(), program.ino())
}

fn within(mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "it never held");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn file(path: &Path) -> FileId {
    let found = std::fs::metadata(path).unwrap();
    FileId { device: found.dev(), inode: found.ino() }
}

/// What the kernel would have recorded of a living process.
fn facts(pid: u32, executable: &Path) -> ProcessFacts {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap();
    ProcessFacts {
        tgid: pid,
        tid: pid,
        start_boottime_ns: start_ticks(&stat).unwrap() * TICK_NS + 1_234,
        exec_id: 1,
        executable: Some(file(executable)),
        comm: String::from("lies"),
    }
}

fn sleep() -> PathBuf {
    std::fs::canonicalize("/usr/bin/sleep").unwrap()
}

fn processes() -> HostProcesses {
    HostProcesses::open().unwrap()
}

#[test]
fn the_program_of_a_living_process_is_known_by_its_path() {
    let running = Running::of("/usr/bin/sleep", &["100"]).running(&sleep());
    let found = processes().find(&facts(running.pid(), &sleep())).unwrap();
    assert_eq!(found.executable().as_deref(), Ok("/usr/bin/sleep"));
    found.root().unwrap();
}

#[test]
fn b1_a_process_that_started_at_another_time_is_another() {
    let running = Running::of("/usr/bin/sleep", &["100"]).running(&sleep());
    let recorded = facts(running.pid(), &sleep());
    for off_ns in [TICK_NS, 3_600_000_000_000] {
        for start_boottime_ns in
            [recorded.start_boottime_ns + off_ns, recorded.start_boottime_ns.saturating_sub(off_ns)]
        {
            let other = ProcessFacts { start_boottime_ns, ..recorded.clone() };
            let refused = processes().find(&other).unwrap_err();
            assert_eq!(refused, ProcessError::AnotherProcess(running.pid()));
        }
    }
}

#[test]
fn b1_a_process_that_ended_is_gone_reaped_or_not() {
    let mut running = Running::of("/usr/bin/sleep", &["100"]).running(&sleep());
    let recorded = facts(running.pid(), &sleep());
    let held = processes().find(&recorded).unwrap();
    running.0.kill().unwrap();
    let stat = format!("/proc/{}/stat", recorded.tgid);
    within(|| std::fs::read_to_string(&stat).unwrap().contains(") Z "));
    let ended = ProcessError::Ended(recorded.tgid);
    assert_eq!(processes().find(&recorded).unwrap_err(), ended);
    assert_eq!(held.executable().unwrap_err(), ExecutableUnknown::Process(ended.clone()));
    assert_eq!(held.root().unwrap_err(), ended);
    running.0.wait().unwrap();
    assert_eq!(processes().find(&recorded).unwrap_err(), ended);
    assert_eq!(held.executable().unwrap_err(), ExecutableUnknown::Process(ended.clone()));
    assert_eq!(held.root().unwrap_err(), ended);
}

#[test]
fn b1_a_process_that_runs_another_program_by_now_has_none() {
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let mut running = Running::of("/bin/sh", &["-c", "read go; exec /usr/bin/sleep 100"]);
    let exe = format!("/proc/{}/exe", running.pid());
    within(|| std::fs::metadata(&exe).is_ok_and(|exe| same(&exe, &shell)));
    let recorded = facts(running.pid(), &shell);
    let held = processes().find(&recorded).unwrap();
    assert_eq!(held.executable().unwrap(), shell.to_str().unwrap());
    running.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
    within(|| std::fs::metadata(&exe).is_ok_and(|exe| same(&exe, &sleep())));
    let another = ExecutableUnknown::AnotherProgram(running.pid());
    assert_eq!(held.executable().unwrap_err(), another);
    assert_eq!(processes().find(&recorded).unwrap().executable().unwrap_err(), another);
}

#[test]
fn b2_a_program_mounted_over_a_known_path_is_not_that_program() {
    let directory = tempfile::tempdir().unwrap();
    let fake = directory.path().join("fake");
    std::fs::copy(sleep(), &fake).unwrap();
    let script = format!("mount --bind {} /usr/bin/yes && exec /usr/bin/yes 100", fake.display());
    let unshared = ["--mount", "--propagation", "private", "/bin/sh", "-c", &script];
    let running = Running::of("/usr/bin/unshare", &unshared).running(&fake);
    // Its own link says /usr/bin/yes, and the kernel's record agrees with the file it runs.
    let shown = std::fs::read_link(format!("/proc/{}/exe", running.pid())).unwrap();
    assert_eq!(shown, Path::new("/usr/bin/yes"));
    let found = processes().find(&facts(running.pid(), &fake)).unwrap();
    let refused = found.executable().unwrap_err();
    assert_eq!(refused, ExecutableUnknown::AnotherFileAtPath("/usr/bin/yes".into()));
}

#[test]
fn a_program_whose_file_was_replaced_is_not_known_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("job");
    std::fs::copy(sleep(), &program).unwrap();
    let running = Running::of(program.to_str().unwrap(), &["100"]).running(&program);
    let recorded = facts(running.pid(), &program);
    let found = processes().find(&recorded).unwrap();
    assert_eq!(found.executable().as_deref(), Ok(program.to_str().unwrap()));
    std::fs::remove_file(&program).unwrap();
    std::fs::copy(sleep(), &program).unwrap();
    assert!(matches!(found.executable(), Err(ExecutableUnknown::AnotherFileAtPath(_))));
}

#[test]
fn a_program_on_an_overlay_is_known_by_what_the_kernel_records() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let place = directory.path().join(name);
        std::fs::create_dir(&place).unwrap();
        place
    };
    let (lower, upper, merged) = (place("lower"), place("upper"), place("merged"));
    // Layers on two file systems: then `stat` shows a device that is not the overlay's own.
    let _upper = Mounted::new(&["-t", "tmpfs", "tmpfs"], &upper);
    for inside in ["files", "work"] {
        std::fs::create_dir(upper.join(inside)).unwrap();
    }
    std::fs::copy(sleep(), lower.join("job")).unwrap();
    let layers = format!(
        "lowerdir={},upperdir={upper}/files,workdir={upper}/work",
        lower.display(),
        upper = upper.display()
    );
    let _merged = Mounted::new(&["-t", "overlay", "overlay", "-o", &layers], &merged);
    let program = merged.join("job");
    let running = Running::of(program.to_str().unwrap(), &["100"]).running(&program);
    let mut recorded = facts(running.pid(), &program);
    let mountinfo = std::fs::read("/proc/self/mountinfo").unwrap();
    let device = mounts::parse(&mountinfo).find(|mount| mount.place == merged).unwrap().device;
    let by_stat = recorded.executable.unwrap();
    assert_ne!(by_stat.device, device, "the layers are on one file system");
    // The superblock's device and the overlay's own inode, as the kernel's record has them.
    let opened = File::open(&program).unwrap();
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", opened.as_raw_fd()));
    let inode = info.unwrap().lines().find_map(|line| line.strip_prefix("ino:\t")?.parse().ok());
    recorded.executable = Some(FileId { device, inode: inode.unwrap() });
    let found = processes().find(&recorded).unwrap();
    assert_eq!(found.executable().as_deref(), Ok(program.to_str().unwrap()));
    recorded.executable = Some(FileId { device, inode: inode.unwrap() + 1 });
    let refused = processes().find(&recorded).unwrap().executable();
    assert_eq!(refused, Err(ExecutableUnknown::AnotherProgram(running.pid())));
}

/// A mount that is undone when it goes out of scope.
struct Mounted(PathBuf);

impl Mounted {
    fn new(arguments: &[&str], place: &Path) -> Self {
        let done = Command::new("mount").args(arguments).arg(place).status().unwrap();
        assert!(done.success(), "mounting takes root: mount {arguments:?}");
        Self(place.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _undone = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn without_a_recorded_executable_there_is_none() {
    let running = Running::of("/usr/bin/sleep", &["100"]).running(&sleep());
    let recorded = ProcessFacts { executable: None, ..facts(running.pid(), &sleep()) };
    let found = processes().find(&recorded).unwrap();
    assert_eq!(found.executable(), Err(ExecutableUnknown::NotRecorded));
}

#[test]
fn b2_a_name_with_parentheses_and_digits_does_not_move_the_start_time() {
    let mut fields = vec![String::from("7"), String::from("(a) S 1 2 3) 4)"), String::from("S")];
    fields.extend((4..=52).map(|field: u32| field.to_string()));
    let stat = fields.join(" ");
    assert_eq!(start_ticks(stat.as_bytes()), Some(22));
    assert_eq!(start_ticks(b"7 (name"), None);
    assert_eq!(start_ticks(b"7 (name) S 1"), None);
}

#[test]
fn the_offset_of_a_time_namespace_is_read() {
    assert_eq!(boottime_offset_ns("monotonic  0  0\nboottime  -2  500\n"), -1_999_999_500);
    assert_eq!(boottime_offset_ns("monotonic 7 7\nboottime 604800 0\n"), 604_800_000_000_000);
    assert_eq!(boottime_offset_ns(""), 0);
    let processes = HostProcesses { boottime_offset_ns: -1_999_999_500 };
    assert_eq!(processes.started_at(5_000_000_000), Some(300));
    assert_eq!(processes.started_at(1_000_000_000), None);
}
