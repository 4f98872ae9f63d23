//! What becomes of one value of a row, in every protocol that has rows.

/// What becomes of one value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It stays.
    Keep,
    /// It becomes NULL.
    Null,
    /// It becomes what the editor left in the scratch buffer.
    Replace,
}
