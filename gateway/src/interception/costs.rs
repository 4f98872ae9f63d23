//! What the programs cost, as the kernel measures it.
//!
//! Owns reading the kernel's statistics of each attached program. Measuring is off unless somebody
//! asks for it (`kernel.bpf_stats_enabled`, or [`measure`]), for it costs some 100 ns per run itself.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::loaded_programs;
use aya::sys::{Stats, enable_stats};

use super::InterceptionError;
use super::programs::Programs;

/// The statistics of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramCost {
    /// The program.
    pub program: String,
    /// Runs while measuring was on.
    pub runs: u64,
    /// What they took together.
    pub run_time: Duration,
    /// Instructions that the verifier went through at loading.
    pub verified_instructions: u32,
}

/// Turns measuring on until the descriptor is dropped.
///
/// # Errors
/// Of `bpf(2)`: `CAP_SYS_ADMIN` is needed.
pub fn measure() -> io::Result<OwnedFd> {
    enable_stats(Stats::RunTime).map_err(|error| error.io_error)
}

impl Programs {
    /// The statistics of every attached program of this instance.
    ///
    /// # Errors
    /// [`InterceptionError::Pins`] where a link or its program cannot be looked at.
    pub fn costs(&self) -> Result<Vec<ProgramCost>, InterceptionError> {
        let failed = |source| InterceptionError::Pins { path: self.pinned_at(), source };
        let mut wanted = Vec::new();
        for entry in fs::read_dir(self.pinned_at()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let link: FdLink = PinnedLink::from_pin(entry.path())
                .map_err(|error| failed(io::Error::other(error)))?
                .into();
            let info = link.info().map_err(|error| failed(io::Error::other(error)))?;
            wanted.push((info.program_id(), entry.file_name().to_string_lossy().into_owned()));
        }
        let mut costs = Vec::new();
        // A program of somebody else may go while the list is read.
        for info in loaded_programs().flatten() {
            let Some((_, name)) = wanted.iter().find(|(id, _)| *id == info.id()) else { continue };
            costs.push(ProgramCost {
                program: name.clone(),
                runs: info.run_count(),
                run_time: info.run_time(),
                verified_instructions: info.verified_instruction_count().unwrap_or(0),
            });
        }
        costs.sort_by(|a, b| a.program.cmp(&b.program));
        Ok(costs)
    }
}
