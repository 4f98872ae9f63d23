//! What a statement sets against each other, and when a row would show a value of another by it.
//!
//! Owns that judgement. A condition on a masked value with constants answers yes or no for its
//! row; a condition with the columns of *other* rows shows those instead of the value: the row
//! whose `n` is the code of a letter tells the letter. So does the number of rows that a value
//! decides. Neither can be masked, since what is shown is not the value.
//!
//! The rule: a masked value may not be compared with a known column of another row source. Known
//! is what is not masked: stored columns without a classification, and rows that the statement
//! makes up (series, lists, numberings). Columns of the value's own row, constants, parameters
//! and values of scalar subqueries do not vary beside it and are no candidates; nor are masked
//! columns of other rows, so tables may be joined on a classified column.
//!
//! Must not know a grammar, nor which column is classified: the caller says. Immutable.

use crate::Source;

/// How values of several row sources meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meeting {
    /// They are added or put through a function that seldom fails: only rows that the statement
    /// makes up could tell something, by the row at which it fails.
    Added,
    /// They are divided, which fails for some.
    Divided,
    /// They are compared.
    Compared,
    /// The number of rows depends on them, whatever else is there.
    Counted,
}

/// A place that a value varies with: one mention of a relation, a function or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowSource(pub(crate) u32);

impl RowSource {
    /// A value of no row in particular.
    pub(crate) const NONE: Self = Self(0);

    /// Whether its values are counts. They are odd.
    const fn counts(self) -> bool {
        self.0 % 2 == 1
    }
}

/// Values of several row sources that meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How they meet.
    pub meeting: Meeting,
    /// The columns, each with the row source that it varies with.
    pub columns: Vec<(RowSource, Source)>,
    /// Row sources of values that are computed from no column.
    pub computed: Vec<RowSource>,
}

impl Comparison {
    /// What `masked` says of a column that would be shown by the rows it meets, if any would.
    pub fn shows<T>(&self, masked: impl Fn(&Source) -> Option<T>) -> Option<T> {
        let known: Vec<RowSource> = self.known(|source| masked(source).is_some()).collect();
        self.columns.iter().find_map(|(own, source)| {
            let shown =
                self.meeting == Meeting::Counted || known.iter().any(|candidate| candidate != own);
            if shown { masked(source) } else { None }
        })
    }

    /// The row sources of which something is known.
    fn known(&self, masked: impl Fn(&Source) -> bool) -> impl Iterator<Item = RowSource> {
        let stored = self.columns.iter().filter(move |(row, source)| {
            // What is not listed may be of the session's own making, whatever it is called.
            let known = matches!(source, Source::Unlisted { .. }) || !masked(source);
            self.meeting > Meeting::Added && *row != RowSource::NONE && known
        });
        let computed = self
            .computed
            .iter()
            .filter(|row| self.meeting >= Meeting::Compared || !row.counts())
            .copied();
        stored.map(|(row, _)| *row).chain(computed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: Source = Source::Column { relation: 1, attribute: 2 };
    const ID: Source = Source::Column { relation: 1, attribute: 1 };

    fn shows(meeting: Meeting, columns: &[(u32, Source)], computed: &[u32]) -> bool {
        let columns = columns.iter().map(|(row, source)| (RowSource(*row), source.clone()));
        let computed = computed.iter().copied().map(RowSource);
        Comparison { meeting, columns: columns.collect(), computed: computed.collect() }
            .shows(|source| (*source == EMAIL).then_some(()))
            .is_some()
    }

    #[test]
    fn known_values_of_another_row_are_candidates() {
        assert!(shows(Meeting::Compared, &[(2, EMAIL), (4, ID)], &[]));
        assert!(shows(Meeting::Compared, &[(2, EMAIL)], &[4]));
        assert!(shows(Meeting::Compared, &[(0, EMAIL), (4, ID)], &[]));
        assert!(shows(Meeting::Compared, &[(2, EMAIL)], &[5]));
    }

    #[test]
    fn the_own_row_masked_columns_and_single_values_are_none() {
        assert!(!shows(Meeting::Compared, &[(2, EMAIL), (2, ID)], &[]));
        assert!(!shows(Meeting::Compared, &[(2, EMAIL), (4, EMAIL)], &[]));
        assert!(!shows(Meeting::Compared, &[(2, EMAIL), (0, ID)], &[]));
        assert!(!shows(Meeting::Compared, &[(2, ID), (4, ID)], &[6]));
    }

    #[test]
    fn sums_meet_made_up_rows_only_and_quotients_no_counts() {
        assert!(!shows(Meeting::Added, &[(2, EMAIL), (4, ID)], &[]));
        assert!(shows(Meeting::Added, &[(2, EMAIL)], &[4]));
        assert!(shows(Meeting::Divided, &[(2, EMAIL), (4, ID)], &[]));
        assert!(!shows(Meeting::Divided, &[(2, EMAIL)], &[5]));
    }

    #[test]
    fn a_number_of_rows_shows_any_masked_value() {
        assert!(shows(Meeting::Counted, &[(2, EMAIL)], &[]));
        assert!(!shows(Meeting::Counted, &[(2, ID)], &[4]));
    }
}
