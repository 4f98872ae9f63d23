use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use nix::sys::stat::mknod;

use super::*;

const UID: u32 = 64_001;
const GID: u32 = 64_002;

/// A directory that stands for a workload's root, and an open descriptor of it.
struct Jail {
    directory: tempfile::TempDir,
    root: OwnedFd,
}

impl Jail {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let root = nix::fcntl::open(directory.path(), flags, Mode::empty()).unwrap();
        let jail = Self { directory, root };
        fs::create_dir(jail.path("run")).unwrap();
        chown(jail.path("run"), Some(UID), Some(GID)).expect("changing owners takes root");
        jail
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Writes a file of the workload's user.
    fn write(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(UID), Some(GID)).unwrap();
        path
    }

    fn read(&self, path: &str) -> Result<TokenFile, SourceError> {
        let vantage = Vantage::Workload { root: &self.root, uid: UID, gid: GID };
        read_token(&vantage, Path::new(path))
    }
}

fn error_number(read: Result<TokenFile, SourceError>) -> Option<i32> {
    match read {
        Err(SourceError::Io { source, .. }) => source.raw_os_error(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_read_inside_the_workload_s_root() {
    let jail = Jail::new();
    jail.write("run/token", "  a.b.c\n");
    assert_eq!(jail.read("/run/token").unwrap().text.expose(), "a.b.c");
    // Links are the workload's own, absolute ones too: Kubernetes changes tokens that way.
    symlink("/run/token", jail.path("run/link")).unwrap();
    assert_eq!(jail.read("/run/link").unwrap().text.expose(), "a.b.c");
}

#[test]
fn a_link_never_leads_out_of_the_workload_s_root() {
    let (jail, outside) = (Jail::new(), Jail::new());
    let secret = outside.write("run/token", "x.y.z");
    symlink(&secret, jail.path("run/absolute")).unwrap();
    let up = format!("../../../../../../..{}", secret.display());
    symlink(&up, jail.path("run/relative")).unwrap();
    symlink("/proc/self/root", jail.path("run/magic")).unwrap();
    for path in ["/run/absolute", "/run/relative", &format!("/run/magic{}", secret.display()), &up]
    {
        assert_eq!(error_number(jail.read(path)), Some(libc::ENOENT), "{path}");
    }
}

#[test]
fn a_magic_link_is_not_followed() {
    let jail = Jail::new();
    fs::create_dir(jail.path("proc")).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "proc", "proc"])
        .arg(jail.path("proc"))
        .status()
        .unwrap();
    assert!(mounted.success(), "mounting takes root");
    let read = jail.read(&format!("/proc/{}/root/etc/hostname", std::process::id()));
    let _undone =
        std::process::Command::new("umount").arg("--lazy").arg(jail.path("proc")).status();
    assert!(matches!(error_number(read), Some(libc::ELOOP | libc::EACCES)));
}

#[test]
fn d4_a_file_that_the_workload_s_user_may_not_read_is_not_read_for_it() {
    let before = credentials();
    let jail = Jail::new();
    let path = jail.write("run/other", "x.y.z");
    for (owner, group, mode) in [(0, 0, 0o600), (UID + 1, GID + 1, 0o660), (0, 0, 0o640)] {
        chown(&path, Some(owner), Some(group)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        symlink("other", jail.path("run/token")).unwrap();
        assert_eq!(error_number(jail.read("/run/token")), Some(libc::EACCES));
        fs::remove_file(jail.path("run/token")).unwrap();
    }
    chown(&path, Some(0), Some(GID)).unwrap();
    jail.read("/run/other").unwrap();
    // A directory that is closed to the workload hides what is open to all inside.
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    chown(jail.path("run"), Some(0), Some(0)).unwrap();
    fs::set_permissions(jail.path("run"), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(error_number(jail.read("/run/other")), Some(libc::EACCES));
    // The thread has its own rights back after every one of these.
    fs::read(&path).unwrap();
    assert_eq!(credentials(), before);
}

/// The calling thread's users, groups and capabilities.
fn credentials() -> Vec<String> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let kept =
        |line: &&str| ["Uid:", "Gid:", "Groups:", "CapEff:"].iter().any(|k| line.starts_with(k));
    status.lines().filter(kept).map(str::to_owned).collect()
}

#[test]
fn only_a_small_plain_file_with_text_is_a_token() {
    let jail = Jail::new();
    fs::create_dir(jail.path("run/directory")).unwrap();
    nix::unistd::mkfifo(&jail.path("run/pipe"), Mode::from_bits_truncate(0o666)).unwrap();
    let zero = nix::sys::stat::makedev(1, 5);
    mknod(&jail.path("run/zero"), SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), zero).unwrap();
    fs::set_permissions(jail.path("run/zero"), Permissions::from_mode(0o666)).unwrap();
    for path in ["/run/directory", "/run/pipe", "/run/zero"] {
        assert!(matches!(jail.read(path), Err(SourceError::NotPlain(_))), "{path}");
    }
    jail.write("run/empty", " \n");
    jail.write("run/largest", &"a".repeat(TOKEN_BYTES_MAX));
    jail.write("run/large", &"a".repeat(TOKEN_BYTES_MAX + 1));
    fs::write(jail.write("run/binary", ""), [0xff, 0xfe]).unwrap();
    for path in ["/run/empty", "/run/large", "/run/binary"] {
        assert!(matches!(jail.read(path), Err(SourceError::NotToken(_))), "{path}");
    }
    jail.read("/run/largest").unwrap();
    assert_eq!(error_number(jail.read("/run/nothing")), Some(libc::ENOENT));
}

#[test]
fn a_seal_breaks_when_the_file_is_written_replaced_moved_or_removed() {
    type Change = fn(&Jail, &Path);
    let changes: [(&str, Change); 5] = [
        ("written", |_, path| fs::write(path, "d.e.f").unwrap()),
        ("appended", |_, path| {
            use std::io::Write;
            fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"x").unwrap();
        }),
        ("replaced", |jail, path| fs::rename(jail.write("run/new", "a.b.c"), path).unwrap()),
        ("moved", |jail, path| fs::rename(path, jail.path("run/old")).unwrap()),
        ("removed", |_, path| fs::remove_file(path).unwrap()),
    ];
    for (name, change) in changes {
        let jail = Jail::new();
        let path = jail.write("run/token", "a.b.c");
        let seal = jail.read("/run/token").unwrap().seal;
        assert!(seal.unbroken(), "{name}");
        // Times of files move in ticks of the kernel's clock (4 ms at most here).
        std::thread::sleep(std::time::Duration::from_millis(10));
        assert!(seal.same_as(&jail.read("/run/token").unwrap().seal), "{name}");
        change(&jail, &path);
        assert!(!seal.unbroken(), "{name}");
    }
}

#[test]
fn the_host_s_own_files_are_read_with_the_daemon_s_rights() {
    let jail = Jail::new();
    let path = jail.write("run/token", "a.b.c");
    assert_eq!(read_token(&Vantage::Host, &path).unwrap().text.expose(), "a.b.c");
}

#[test]
fn d4_no_error_shows_what_a_file_holds() {
    let jail = Jail::new();
    let canary = "canary-7f3a";
    jail.write("run/token", &format!("{canary}{}", "a".repeat(TOKEN_BYTES_MAX)));
    let error = jail.read("/run/token").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(canary));
    jail.write("run/token", canary);
    let read = jail.read("/run/token").unwrap();
    assert!(!format!("{read:?}").contains(canary));
}
