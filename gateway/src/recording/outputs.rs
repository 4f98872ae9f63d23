//! How much of each operation's output is kept.
//!
//! Owns the budgets. Must not know files. A command's output has a bound, as a result has: the
//! command is known, and a dump of gigabytes would cost the disk more than it tells. What a terminal
//! shows is kept whole: what was done there is known by it alone. An operation's budgets end with it.

use model::OperationNumber;
use rustc_hash::FxHashMap;

use super::record::Stream;

/// Budgets of the operations that have put something out and not ended.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    running: FxHashMap<OperationNumber, Budget>,
}

/// What one operation may still have kept.
#[derive(Debug, Default)]
struct Budget {
    terminal: bool,
    kept: [usize; 3],
    omitted: u64,
}

impl Outputs {
    /// From here on the operation's output is a terminal's.
    pub(super) fn opens_terminal(&mut self, operation: OperationNumber) {
        self.running.entry(operation).or_default().terminal = true;
    }

    /// The part of `bytes` that is kept, by a bound for each stream of the operation.
    pub(super) fn keep<'b>(
        &mut self,
        operation: OperationNumber,
        stream: Stream,
        bytes: &'b [u8],
        bytes_max: usize,
    ) -> &'b [u8] {
        let budget = self.running.entry(operation).or_default();
        if budget.terminal {
            return bytes;
        }
        let [input, output, error] = &mut budget.kept;
        let used = match stream {
            Stream::Input => input,
            Stream::Output => output,
            Stream::Error => error,
        };
        let kept = bytes.get(..bytes_max.saturating_sub(*used)).unwrap_or(bytes);
        *used += kept.len();
        budget.omitted += (bytes.len() - kept.len()) as u64;
        kept
    }

    /// The operation ended: how many bytes of its output were not kept.
    pub(super) fn end(&mut self, operation: OperationNumber) -> u64 {
        self.running.remove(&operation).map_or(0, |budget| budget.omitted)
    }
}
