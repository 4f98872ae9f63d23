//! A stage's nginx: a server of its own, or a proxy, with its files in the stage's directory.
//!
//! Owns its making and its log. Must not know what it serves, nor who connects. One worker, which
//! is as many as a benchmark gives anybody.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use super::postgres::Listen;
use super::{Stage, network, spawn_logged, wait_until};
use crate::call::Call;
use crate::fault::{During, Fault, Outcome};

/// Whom its worker runs as; Debian has the user everywhere.
const USER: &str = "www-data";

/// A server that is up.
#[derive(Debug)]
pub(crate) struct Nginx {
    directory: PathBuf,
    process: u32,
}

impl Nginx {
    /// The directory of a server of this name.
    pub(crate) fn directory(stage: &Stage, name: &str) -> PathBuf {
        stage.directory().join(name)
    }

    /// Starts a server; `site` is what its `http` block holds, and `listen` one place where it will
    /// answer.
    pub(crate) fn start(stage: &Stage, name: &str, listen: Listen, site: &str) -> Outcome<Self> {
        let directory = Self::directory(stage, name);
        fs::create_dir_all(&directory).during(directory.display())?;
        let settings = directory.join("nginx.conf");
        fs::write(&settings, configuration(&directory, site)).during(settings.display())?;
        let unit = format!("{name}.service");
        let mut command = if listen.in_namespace {
            let mut command = stage.command(&unit, "nsenter")?;
            command.arg(format!("--net={}", network::file(stage.name()).display()));
            command.args(["--", "nginx"]);
            command
        } else {
            stage.command(&unit, "nginx")?
        };
        command.args(["-e", "stderr", "-c"]).arg(&settings);
        let process = spawn_logged(command, &directory.join("output"))?.id();
        let server = Self { directory, process };
        let up =
            wait_until("nginx is up", || TcpStream::connect((listen.address, listen.port)).is_ok());
        up.or_else(|fault| Fault::because(format!("{fault}\n{}", server.said())))?;
        Ok(server)
    }

    /// Its first process; the worker is a child of it.
    pub(crate) const fn process(&self) -> u32 {
        self.process
    }

    /// What it noted of requests, where `access.log` is where the site has them noted.
    pub(crate) fn access_log(&self) -> String {
        fs::read_to_string(self.directory.join("access.log")).unwrap_or_default()
    }

    fn said(&self) -> String {
        fs::read_to_string(self.directory.join("output")).unwrap_or_default()
    }
}

/// Gives a directory with all that is in it to the worker.
pub(crate) fn own(directory: &Path) -> Outcome {
    let owner = format!("{USER}:");
    Call::new("chown").with(["--recursive", &owner]).with([directory]).output().map(|_| ())
}

fn configuration(directory: &Path, site: &str) -> String {
    let place = directory.display();
    format!(
        "user {USER};\nworker_processes 1;\npid {place}/pid;\ndaemon off;\n\
         events {{ worker_connections 2048; }}\n\
         http {{\n  \
         client_body_temp_path {place}/bodies;\n  proxy_temp_path {place}/answers;\n  \
         types {{ }}\n  default_type application/json;\n  sendfile on;\n  tcp_nodelay on;\n  \
         keepalive_requests 100000000;\n  map_hash_bucket_size 128;\n\
         {site}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_closed() {
        let text = configuration(Path::new("/stage"), "  server { listen 80; }\n");
        assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
        assert!(text.contains("pid /stage/pid;"), "{text}");
    }
}
