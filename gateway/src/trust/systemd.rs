//! The service manager, which reads its files only when it is told to.
//!
//! Owns the question whether it runs here, and telling it. Must not know what was changed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::TrustError;
use super::children;
use super::files::Files;

/// There while systemd is the host's first process (sd_booted(3)).
const RUNNING: &str = "/run/systemd/system";
const PROGRAMS: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];
const WITHIN: Duration = Duration::from_secs(60);

/// Whether systemd runs this host.
pub(super) fn runs(files: &Files) -> bool {
    files.is_directory(Path::new(RUNNING))
}

/// Has systemd read its files again. False where it does not run: it will read them at its start.
///
/// # Errors
/// What its program says, where it fails.
pub fn daemon_reload(files: &Files) -> Result<bool, TrustError> {
    if !runs(files) {
        return Ok(false);
    }
    let failed = |said: String| TrustError::Program {
        program: String::from("systemctl daemon-reload"),
        said,
    };
    let program = PROGRAMS.iter().map(Path::new).find(|program| files.is_file(program));
    let program = program.ok_or_else(|| failed(String::from("there is no systemctl")))?;
    let mut command = Command::new(files.outside(program));
    command.arg("daemon-reload").env_clear().current_dir("/");
    command.env("PATH", children::PATH).env("LC_ALL", "C.UTF-8");
    let ended = children::run(&mut command, WITHIN).map_err(|error| failed(error.to_string()))?;
    if ended.succeeded() { Ok(true) } else { Err(failed(ended.complaint())) }
}
