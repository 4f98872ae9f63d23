//! The bounds of one analysis.
//!
//! Owns the numbers and what breaks when one is raised. Must not know who asks.

/// Bounds of one analysis; a text beyond any of them is refused whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnalysisLimits {
    /// Bytes of text. Raised, the grammar needs more time: long chains of `AND` cost it more than
    /// linear time.
    pub text_bytes_max: usize,
    /// Statements in one text. Raised, one message can ask for more decisions.
    pub statements_max: usize,
    /// Nodes of the syntax tree that are visited. Raised, one statement can cost more time:
    /// recursive `WITH` queries are read more than once.
    pub nodes_max: usize,
    /// Levels of nesting. Raised, the walk needs more stack, which it takes from the heap at
    /// about 2 KiB a level.
    pub depth_max: usize,
}

impl Default for AnalysisLimits {
    fn default() -> Self {
        Self {
            text_bytes_max: 4 * 1024 * 1024,
            statements_max: 1_024,
            nodes_max: 1_000_000,
            depth_max: 2_000,
        }
    }
}
