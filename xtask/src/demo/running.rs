//! A job that runs, and what it says.
//!
//! Owns its output and its end. Must not know what it does.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::fault::{During, Fault, Outcome};

/// No run of a job takes longer.
const WITHIN: Duration = Duration::from_secs(120);

/// A job that runs.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    output: PathBuf,
}

/// What a program said.
#[derive(Debug)]
pub(super) struct Said {
    /// Whether it ended well.
    pub(super) succeeded: bool,
    /// Its output and its errors, in the order they came.
    pub(super) text: String,
}

impl Running {
    /// Starts it with its output in this file.
    pub(super) fn start(mut command: Command, output: PathBuf) -> Outcome<Self> {
        let file = File::create(&output).during(output.display())?;
        let again = file.try_clone().during(output.display())?;
        command.stdout(file).stderr(again);
        let child = command.spawn().during("cannot start the job")?;
        Ok(Self { child, output })
    }

    /// Waits for the end of the script, which always ends well: it does not look at what its
    /// commands say.
    pub(super) fn wait(self) -> Outcome<String> {
        let said = self.ended()?;
        if said.succeeded {
            return Ok(said.text);
        }
        Fault::because(format!("the job failed:\n{}", said.text))
    }

    /// Waits for its end, however it ends.
    pub(super) fn ended(mut self) -> Outcome<Said> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().during("cannot wait for the job")? {
                let text = std::fs::read_to_string(&self.output).during(self.output.display())?;
                return Ok(Said { succeeded: status.success(), text });
            }
            if began.elapsed() > WITHIN {
                let text = std::fs::read_to_string(&self.output).unwrap_or_default();
                return Fault::because(format!("the job does not end; so far:\n{text}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
