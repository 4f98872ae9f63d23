//! Programs of the host that are run for a moment.
//!
//! Owns that they end: each has a process group of its own that is killed when its time is over,
//! and what it prints is read to a bound. Must not know what they are run for.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The search path that systemd gives to a service.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes of what a program prints that are kept.
const OUTPUT_BYTES_MAX: u64 = 256 * 1024;
/// How often a program is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(10);

/// How a program ended, and what it printed.
#[derive(Debug)]
pub(super) struct Ended {
    status: Option<ExitStatus>,
    pub(super) output: String,
    pub(super) error: String,
}

impl Ended {
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The last line that says something, or how it ended.
    pub(super) fn complaint(&self) -> String {
        let said = [&self.error, &self.output].into_iter().find_map(|text| {
            text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
        });
        let ended = || match self.status {
            None => String::from("it did not end in time"),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("it ended with status {code}"),
                (None, Some(signal)) => format!("it was ended by signal {signal}"),
                (None, None) => String::from("it ended"),
            },
        };
        said.unwrap_or_else(ended)
    }
}

/// Runs a program to its end, or until its time is over.
pub(super) fn run(command: &mut Command, within: Duration) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let (output, error) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let output = scope.spawn(move || read(output));
        let error = scope.spawn(move || read(error));
        let status = wait(&mut child, within);
        let text = |read: thread::ScopedJoinHandle<'_, String>| read.join().unwrap_or_default();
        let (output, error) = (text(output), text(error));
        Ok(Ended { status: status?, output, error })
    })
}

/// Waits; the group is killed in any case, for a program may leave others behind that hold its
/// output open.
fn wait(child: &mut Child, within: Duration) -> io::Result<Option<ExitStatus>> {
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(None) if began.elapsed() < within => thread::sleep(LOOKED_AT_EVERY),
            status => break status,
        }
    };
    if let Ok(id) = i32::try_from(child.id()) {
        let _gone = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    if !matches!(status, Ok(Some(_))) {
        child.wait()?;
    }
    status
}

fn read(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _broken = pipe.by_ref().take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes);
        // What is beyond the bound is read and dropped, so that the program can end.
        let _broken = io::copy(&mut pipe, &mut io::sink());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str, within: Duration) -> Ended {
        run(Command::new("/bin/sh").args(["-c", text]), within).unwrap()
    }

    #[test]
    fn a_program_and_what_it_started_are_ended_when_their_time_is_over() {
        let began = Instant::now();
        let ended = shell("echo started; sleep 60 & sleep 60", Duration::from_millis(300));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert!(!ended.succeeded());
        assert_eq!(ended.output, "started\n");
    }

    #[test]
    fn a_program_that_prints_much_ends_and_says_its_last_line() {
        let ended = shell("yes | head -c 1000000; echo why >&2; exit 3", Duration::from_secs(20));
        assert!(!ended.succeeded());
        assert_eq!((ended.complaint().as_str(), ended.output.len()), ("why", 256 * 1024));
        assert!(shell("true", Duration::from_secs(20)).succeeded());
    }
}
