//! Debian packages: what is needed of them, and installing only what is missing.
//!
//! Owns the package list. Must not start any service: the servers of these packages are run by
//! the tests themselves, so the machine's own service starts are held off while installing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Need;
use crate::call::{Call, find_program};
use crate::console;
use crate::fault::{During, Fault, Outcome};
use crate::places;

/// A package, or a file that shows that its work is done by something else.
struct Package {
    name: &'static str,
    need: Need,
    why: &'static str,
    /// Something that makes the package unnecessary where it exists.
    instead: Instead,
}

enum Instead {
    Nothing,
    /// A program on the search path.
    Program(&'static str),
}

const PACKAGES: &[Package] = &[
    needed("gcc", Need::Build, "links Rust programs and compiles their C parts").or_program("gcc"),
    needed("g++", Need::Kernel, "compiles the C++ parts of bpf-linker").or_program("g++"),
    needed("libc6-dev", Need::Build, "headers of the C library"),
    needed("make", Need::Build, "builds the C parts of some crates").or_program("make"),
    needed("libclang-dev", Need::Build, "reads the headers of PostgreSQL's own parser"),
    needed("llvm-22-dev", Need::Kernel, "bpf-linker turns Rust into BPF with LLVM 22"),
    needed("zlib1g-dev", Need::Kernel, "LLVM 22 links it"),
    needed("libzstd-dev", Need::Kernel, "LLVM 22 links it"),
    needed("iproute2", Need::Stage, "network namespaces for the tests and the demos")
        .or_program("ip"),
    needed("util-linux", Need::Stage, "nsenter, setpriv").or_program("nsenter"),
    needed("ca-certificates", Need::Stage, "the system's store of authorities, and its tool"),
    needed("openssl", Need::Stage, "certificates of the demos' servers").or_program("openssl"),
    needed("postgresql-15", Need::Postgres, "the real server behind the tests and the demo"),
    needed("postgresql-contrib", Need::Postgres, "extensions that the tests exercise"),
    needed("postgresql-client-15", Need::Postgres, "psql, the unchanged client"),
    needed("python3-venv", Need::Postgres, "an environment for psycopg and asyncpg"),
    needed("mariadb-server", Need::Mysql, "the real server behind the tests"),
    needed("mariadb-client", Need::Mysql, "mariadb and mariadb-dump, the unchanged clients"),
    needed("libmariadb-java", Need::Mysql, "JDBC, an unchanged client"),
    needed("default-jdk-headless", Need::Mysql, "runs a Java client from its source")
        .or_program("javac"),
    needed("golang-go", Need::Mysql, "builds a client of Go's").or_program("go"),
    needed("golang-github-go-sql-driver-mysql-dev", Need::Mysql, "Go's driver, unchanged"),
    needed("python3-mysqldb", Need::Mysql, "mysqlclient, as Debian has it"),
    needed("nodejs", Need::Mysql, "runs a client of Node's").or_program("node"),
    needed("npm", Need::Mysql, "fetches the client of Node's").or_program("npm"),
    needed("openssh-server", Need::Ssh, "the real server behind the tests and the demo of SSH"),
    needed("openssh-client", Need::Ssh, "ssh, scp and sftp, the unchanged clients"),
    needed("rsync", Need::Ssh, "copies files over ssh, on both ends").or_program("rsync"),
    needed("git", Need::Ssh, "fetches and pushes over ssh, on both ends").or_program("git"),
    needed("dropbear-bin", Need::Ssh, "dbclient, an unchanged client").or_program("dbclient"),
    needed("putty-tools", Need::Ssh, "plink, an unchanged client").or_program("plink"),
    needed("sshpass", Need::Ssh, "jobs that type a password").or_program("sshpass"),
    needed("xauth", Need::Ssh, "what a server needs to forward X11").or_program("xauth"),
    needed("wget", Need::Trust, "reads the system's store with GnuTLS").or_program("wget"),
    needed("nodejs", Need::Trust, "brings its own authorities").or_program("node"),
    needed("nginx", Need::Http, "the real server behind the demo of HTTP").or_program("nginx"),
    needed("curl", Need::Http, "an unchanged client of HTTP, and of sftp://").or_program("curl"),
    needed("python3-requests", Need::Http, "an unchanged client, as Debian has it"),
    needed("default-jdk-headless", Need::Http, "java.net.http, an unchanged client")
        .or_program("javac"),
    needed("golang-go", Need::Http, "net/http, an unchanged client").or_program("go"),
    needed("etcd-server", Need::Kubernetes, "keeps what a real API server knows")
        .or_program("etcd"),
    needed("golang-1.19-go", Need::Kubernetes, "builds a real API server from its source"),
    needed("python3-venv", Need::Kubernetes, "an environment for the client of Python"),
    needed("wrk", Need::HttpPeers, "loads HTTP/1.1 in the benchmarks").or_program("wrk"),
    needed("nghttp2-client", Need::HttpPeers, "h2load, which loads HTTP/2 in the benchmarks")
        .or_program("h2load"),
    needed("sysbench", Need::MysqlPeers, "loads databases in the benchmarks")
        .or_program("sysbench"),
    needed("pgbouncer", Need::Peers, "a peer of the benchmarks").or_program("pgbouncer"),
    needed("haproxy", Need::Peers, "a peer of the benchmarks").or_program("haproxy"),
];

const fn needed(name: &'static str, need: Need, why: &'static str) -> Package {
    Package { name, need, why, instead: Instead::Nothing }
}

impl Package {
    const fn or_program(self, program: &'static str) -> Self {
        Self { instead: Instead::Program(program), ..self }
    }

    fn is_there(&self) -> bool {
        match self.instead {
            Instead::Program(name) if find_program(name).is_some() => true,
            _ => is_installed(self.name),
        }
    }
}

/// Installs the missing packages of these needs.
pub(super) fn ensure(needs: &[Need]) -> Outcome {
    let wanted: Vec<&Package> = wanted(needs).collect();
    install(&wanted)
}

/// Names and reasons of the missing packages of these needs.
pub(super) fn missing(needs: &[Need]) -> Outcome<Vec<String>> {
    Ok(wanted(needs).map(|package| format!("{} ({})", package.name, package.why)).collect())
}

/// Installs packages by name, for a part of setup that found out what it needs.
pub(super) fn install_named(names: &[&'static str], need: Need, why: &'static str) -> Outcome {
    let packages: Vec<Package> = names
        .iter()
        .filter(|name| !is_installed(name))
        .map(|name| needed(name, need, why))
        .collect();
    install(&packages.iter().collect::<Vec<_>>())
}

/// Whether dpkg has the package installed.
pub(super) fn is_installed(name: &str) -> bool {
    Call::new("dpkg-query")
        .with(["--show", "--showformat=${db:Status-Status}", name])
        .output()
        .is_ok_and(|status| status.trim() == "installed")
}

fn wanted(needs: &[Need]) -> impl Iterator<Item = &'static Package> {
    PACKAGES.iter().filter(move |package| needs.contains(&package.need) && !package.is_there())
}

fn install(packages: &[&Package]) -> Outcome {
    if packages.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    require_apt(&names)?;
    for package in packages {
        console::step("Installing", &format!("{}: {}", package.name, package.why));
    }
    let _held = HeldServices::hold()?;
    let log = places::cache()?.join("log/apt.log");
    if !names.iter().all(|name| has_candidate(name)) {
        apt(["update"]).run_logged(&log)?;
    }
    if install_names(&names).run_logged(&log).is_ok() {
        return Ok(());
    }
    // The package lists may name versions that the mirror no longer has.
    apt(["update"]).run_logged(&log)?;
    install_names(&names).run_logged(&log)
}

fn require_apt(names: &[&str]) -> Outcome {
    let command = format!("apt-get install --no-install-recommends {}", names.join(" "));
    if find_program("apt-get").is_none() {
        return Fault::because(format!(
            "this machine has no apt-get; install what Debian calls {}",
            names.join(", ")
        ));
    }
    let uid = Call::new("id").with(["-u"]).output()?;
    if uid.trim() != "0" {
        return Fault::because(format!("packages are missing; run as root: {command}"));
    }
    Ok(())
}

fn has_candidate(name: &str) -> bool {
    Call::new("apt-cache")
        .with(["policy", name])
        .output()
        .is_ok_and(|policy| policy.contains("Candidate:") && !policy.contains("Candidate: (none)"))
}

fn install_names(names: &[&str]) -> Call {
    apt(["install", "--yes", "--no-install-recommends"]).with(names)
}

fn apt<const N: usize>(arguments: [&str; N]) -> Call {
    Call::new("apt-get")
        .environment("DEBIAN_FRONTEND", "noninteractive")
        .with(["-o", "DPkg::Lock::Timeout=120"])
        .with(arguments)
}

/// While it lives, installing a package starts no service and makes no database cluster.
struct HeldServices {
    made: Vec<PathBuf>,
}

impl HeldServices {
    fn hold() -> Outcome<Self> {
        let mut held = Self { made: Vec::new() };
        held.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)?;
        // The tests make their own clusters; Debian's default one would only listen on 5432.
        let directory = "/etc/postgresql-common";
        if !Path::new(directory).exists() {
            fs::create_dir_all(directory).during(format!("cannot make {directory}"))?;
            held.write(
                "/etc/postgresql-common/createcluster.conf",
                "create_main_cluster = false\n",
                0o644,
            )?;
            // That one stays: it is a setting, and the package takes it for the administrator's.
            held.made.pop();
        }
        Ok(held)
    }

    fn write(&mut self, path: &str, text: &str, mode: u32) -> Outcome {
        let path = Path::new(path);
        if path.exists() {
            return Ok(());
        }
        fs::write(path, text).during(format!("cannot write {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .during(format!("cannot set the mode of {}", path.display()))?;
        self.made.push(path.to_path_buf());
        Ok(())
    }
}

impl Drop for HeldServices {
    fn drop(&mut self) {
        for path in &self.made {
            let _ = fs::remove_file(path);
        }
    }
}
