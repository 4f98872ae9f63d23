//! What programs are known to run other programs: interpreters, wrappers, and options that do.
//!
//! Owns the lists. Must not know who grants what (`policy`) nor how a command line is read
//! (`shell`). Such lists cannot be complete: what a program does is the target's affair. They are
//! there so that a wildcard never grants what nobody thought of; whoever means a shell spells it
//! out.

/// Programs that run what their arguments, their input or whoever types at them says: base names
/// in lower case, without a version.
const INTERPRETERS: [&[&str]; 3] = [SHELLS, WRAPPERS, OTHERS];

/// Shells, and words of shells that run a command or a text.
const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "busybox",
    "csh",
    "dash",
    "elvish",
    "fish",
    "ksh",
    "mksh",
    "nu",
    "osh",
    "pwsh",
    "rbash",
    "rksh",
    "rzsh",
    "sash",
    "sh",
    "tcsh",
    "toybox",
    "xonsh",
    "yash",
    "zsh", //
    ".",
    "alias",
    "builtin",
    "command",
    "coproc",
    "eval",
    "exec",
    "noglob",
    "source",
    "time",
    "trap",
    "nocorrect",
];

/// Programs to which what they run is given as further words.
const WRAPPERS: &[&str] = &[
    "apptainer",
    "at",
    "batch",
    "bwrap",
    "capsh",
    "catchsegv",
    "cgexec",
    "choom",
    "chpst",
    "chronic",
    "chroot",
    "chrt",
    "cpulimit",
    "daemonize",
    "dbus-launch",
    "dbus-run-session",
    "doas",
    "entr",
    "env",
    "envdir",
    "fakeroot",
    "faketime",
    "firejail",
    "flatpak",
    "flock",
    "gosu",
    "ifne",
    "inotifywait",
    "ionice",
    "ip",
    "ld-linux",
    "ld.so",
    "linux32",
    "linux64",
    "logsave",
    "ltrace",
    "machinectl",
    "memusage",
    "nice",
    "nocache",
    "nohup",
    "nsenter",
    "numactl",
    "parallel",
    "perf",
    "pkexec",
    "prlimit",
    "proot",
    "proxychains",
    "rlwrap",
    "run-parts",
    "runcon",
    "runuser",
    "s6-setuidgid",
    "schedtool",
    "screen",
    "script",
    "setarch",
    "setpriv",
    "setsid",
    "setuidgid",
    "sg",
    "singularity",
    "softlimit",
    "ssh-agent",
    "sshpass",
    "start-stop-daemon",
    "stdbuf",
    "strace",
    "su",
    "su-exec",
    "sudo",
    "sudoedit",
    "systemd-inhibit",
    "systemd-nspawn",
    "systemd-run",
    "taskset",
    "tini",
    "timeout",
    "tmux",
    "torify",
    "torsocks",
    "ts",
    "unbuffer",
    "unshare",
    "valgrind",
    "watch",
    "xargs",
    "xvfb-run",
    "find",
];

/// Languages, other hosts, programs that open a shell for whoever types the right keys, and
/// those whose input or options are a program.
const OTHERS: &[&str] = &[
    // Languages.
    "awk",
    "bc",
    "bpftrace",
    "bun",
    "busctl",
    "dc",
    "deno",
    "ed",
    "elixir",
    "erl",
    "ex",
    "expect",
    "gawk",
    "groovy",
    "guile",
    "irb",
    "java",
    "jshell",
    "julia",
    "lua",
    "luajit",
    "m4",
    "mawk",
    "nawk",
    "node",
    "nodejs",
    "npx",
    "ocaml",
    "octave",
    "original-awk",
    "perl",
    "php",
    "pip",
    "pipx",
    "pypy",
    "python",
    "r",
    "racket",
    "rscript",
    "ruby",
    "runghc",
    "scala",
    "sed",
    "tclsh",
    "ts-node",
    "uv",
    "uvx",
    "wish", //
    // Other hosts and containers.
    "ansible",
    "buildah",
    "crictl",
    "crun",
    "ctr",
    "docker",
    "docker-compose",
    "ftp",
    "helm",
    "incus",
    "kubectl",
    "lftp",
    "lxc",
    "lxc-attach",
    "lxc-execute",
    "mosh",
    "nc",
    "ncat",
    "nerdctl",
    "netcat",
    "oc",
    "podman",
    "rexec",
    "rlogin",
    "rsh",
    "rsync",
    "runc",
    "salt",
    "salt-call",
    "scp",
    "sftp",
    "socat",
    "ssh",
    "ssh-keygen",
    "sshfs",
    "telnet",
    "vagrant",
    "virsh", //
    // Pagers, editors and others that open a shell for whoever types the right keys.
    "crontab",
    "emacs",
    "emacsclient",
    "gdb",
    "helix",
    "hx",
    "info",
    "joe",
    "kak",
    "less",
    "lldb",
    "lynx",
    "mail",
    "mailx",
    "man",
    "mc",
    "mdadm",
    "micro",
    "mongo",
    "mongosh",
    "more",
    "most",
    "mutt",
    "mysql",
    "mariadb",
    "nano",
    "nvim",
    "pg",
    "pico",
    "psql",
    "ranger",
    "rview",
    "rvim",
    "sqlite3",
    "vi",
    "view",
    "vifm",
    "vigr",
    "vim",
    "vimdiff",
    "vipw",
    "visudo",
    "w3m", //
    // Build tools, package managers and others whose input or options are a program.
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "bsdtar",
    "bundle",
    "bundler",
    "c++",
    "cargo",
    "cc",
    "clang",
    "cmake",
    "composer",
    "conda",
    "cpan",
    "cpio",
    "dnf",
    "dpkg",
    "dumpcap",
    "g++",
    "gcc",
    "gem",
    "git",
    "gmake",
    "go",
    "gradle",
    "gtar",
    "just",
    "ld",
    "logrotate",
    "make",
    "mvn",
    "nmap",
    "npm",
    "openssl",
    "pacman",
    "pdb",
    "pnpm",
    "poetry",
    "puppet",
    "rake",
    "rpm",
    "rustc",
    "snap",
    "split",
    "star",
    "tar",
    "tcpdump",
    "terraform",
    "tshark",
    "yarn",
    "yum",
    "zip",
    "zypper",
];

/// Options by which a program runs another one: the program, and what such a word begins with.
/// An option of two dashes stands for its abbreviations too.
const RUNNING_OPTIONS: &[(&str, &[&str])] = &[
    ("find", &["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fls", "-files0-from"]),
    (
        "tar",
        &[
            "--checkpoint-action",
            "--to-command",
            "--use-compress-program",
            "--info-script",
            "--new-volume-script",
            "--rsh-command",
            "--rmt-command",
            "-I",
            "-F",
        ],
    ),
    (
        "git",
        &[
            "-c",
            "-p",
            "--config-env",
            "--exec-path",
            "--upload-pack",
            "--receive-pack",
            "--paginate",
        ],
    ),
    ("rsync", &["-e", "--rsh", "--rsync-path", "--daemon", "--config"]),
    ("ssh", &["-o", "-F", "-L", "-R", "-D", "-w", "-W", "-S"]),
    ("scp", &["-o", "-F", "-S", "-D"]),
    ("sftp", &["-o", "-F", "-S", "-D", "-b"]),
    ("sort", &["--compress-program"]),
    ("split", &["--filter"]),
    ("zip", &["-T", "-TT", "--unzip-command"]),
    ("man", &["-P", "-H", "--pager", "--html", "--browser"]),
    ("tcpdump", &["-z", "-Z"]),
    ("apt", &["-o", "-c", "--option", "--config-file"]),
    ("apt-get", &["-o", "-c", "--option", "--config-file"]),
    ("dpkg", &["--pre-invoke", "--post-invoke", "--admindir", "--instdir", "--root"]),
    ("make", &["--eval", "-f", "-C", "--file", "--makefile", "--directory"]),
    ("journalctl", &["--file", "--directory", "-D"]),
    ("systemctl", &["-H", "-M", "--host", "--machine", "--root"]),
    ("rpm", &["--eval", "-E", "--define", "--pipe", "--root", "-D"]),
    ("xz", &["--files"]),
];

/// The last part of a program's path: what it is called, wherever it stands.
#[must_use]
pub fn base_name(program: &str) -> &str {
    program.rsplit('/').find(|part| !part.is_empty()).unwrap_or(program)
}

/// Whether a program is known to run what others say. By its base name, whatever its case and
/// version: `/usr/bin/python3.11`, `PERL`, `lua5.4`, `ld-linux-x86-64.so.2`.
#[must_use]
pub fn is_interpreter(program: &str) -> bool {
    let base = base_name(program).to_ascii_lowercase();
    let known = |name: &str| INTERPRETERS.iter().any(|list| list.contains(&name));
    // Suffixes and prefixes that packages give: bash-static, python3-dbg, x86_64-linux-gnu-gcc.
    known(&base)
        || known(without_version(&base))
        || base.split('-').next().is_some_and(|head| known(without_version(head)))
        || base.split('.').next().is_some_and(|head| known(without_version(head)))
        || base.rsplit('-').map(without_version).any(|tail| known(tail) && tail.len() > 1)
        || base.starts_with("ld-linux")
        || base.starts_with("ld-musl")
}

/// Whether what a program runs is among its words: those are commands too, for what restricts.
#[must_use]
pub fn runs_its_words(program: &str) -> bool {
    let base = base_name(program).to_ascii_lowercase();
    let known = |name: &str| SHELLS.contains(&name) || WRAPPERS.contains(&name);
    known(&base)
        || base.split(['-', '.']).next().is_some_and(|head| known(without_version(head)))
        || known(without_version(&base))
        || base.starts_with("ld-")
}

/// Whether a word makes this program run another one, or read what to do from elsewhere: such a
/// word is granted only where a pattern spells it out.
#[must_use]
pub fn is_running_option(program: &str, word: &str) -> bool {
    let base = base_name(program).to_ascii_lowercase();
    let Some((_, options)) = RUNNING_OPTIONS.iter().find(|(name, _)| *name == base) else {
        return false;
    };
    options.iter().any(|option| match option.strip_prefix("--") {
        Some(long) => is_abbreviated(word, long),
        // Of one letter, a value may follow at once, or other letters come before it.
        None if option.len() == 2 => {
            let letter = option.trim_start_matches('-');
            word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
        }
        None => word.starts_with(option),
    })
}

/// Whether a word is the long option or an abbreviation of it, with or without a value.
fn is_abbreviated(word: &str, long: &str) -> bool {
    let Some(name) = word.strip_prefix("--") else { return false };
    let name = name.split('=').next().unwrap_or(name);
    !name.is_empty() && long.starts_with(name)
}

/// `python3.11` without its version, `ksh93` without its year.
#[must_use]
pub fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_known_by_any_of_its_names() {
        for program in [
            "sh",
            "/bin/sh",
            "/usr/bin/../bin/bash",
            "bash-static",
            "python3.11",
            "/usr/local/bin/python3",
            "PERL",
            "perl5.36.0",
            "lua5.4",
            "ksh93",
            "busybox",
            "busybox.static",
            "/lib64/ld-linux-x86-64.so.2",
            "x86_64-linux-gnu-gcc-12",
            "vim.basic",
            "nc.openbsd",
            "sudo",
            "env",
            ".",
            "//bin//sh",
            "/bin/sh/",
        ] {
            assert!(is_interpreter(program), "{program}");
        }
    }

    #[test]
    fn other_programs_are_not_interpreters() {
        for program in ["ls", "systemctl", "cat", "/usr/bin/df", "tail", "uptime", "id", "", "/"] {
            assert!(!is_interpreter(program), "{program}");
        }
    }

    #[test]
    fn an_option_that_runs_a_program_is_known_however_it_is_written() {
        for (program, word) in [
            ("find", "-exec"),
            ("/usr/bin/find", "-execdir"),
            ("tar", "--checkpoint-action=exec=sh x"),
            ("tar", "--checkpoint-act=exec=sh"),
            ("tar", "--to-comm=sh"),
            ("tar", "-Ish"),
            ("tar", "-xIsh"),
            ("git", "-calias.x=!sh"),
            ("rsync", "-avesh"),
            ("rsync", "--rsh=sh"),
        ] {
            assert!(is_running_option(program, word), "{program} {word}");
        }
        for (program, word) in
            [("find", "-name"), ("tar", "-xf"), ("ls", "-exec"), ("tar", "I"), ("git", "status")]
        {
            assert!(!is_running_option(program, word), "{program} {word}");
        }
    }

    #[test]
    fn the_list_is_written_as_it_is_compared() {
        for name in INTERPRETERS.iter().copied().flatten() {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(is_interpreter(name), "{name}");
        }
    }
}
