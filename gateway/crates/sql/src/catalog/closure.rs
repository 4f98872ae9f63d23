//! The closure of "shows values of": every column that lies beneath one, through any number of
//! views and round any cycle.
//!
//! Owns the search. Must not know what a view is.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::BaseColumn;

/// For each column that an edge starts from: itself and all it reaches, sorted.
pub(super) fn close(
    edges: &[(BaseColumn, BaseColumn)],
) -> FxHashMap<BaseColumn, Arc<[BaseColumn]>> {
    let mut next: FxHashMap<BaseColumn, Vec<BaseColumn>> = FxHashMap::default();
    for (from, base) in edges {
        next.entry(*from).or_default().push(*base);
    }
    next.keys().map(|start| (*start, reach(*start, &next))).collect()
}

fn reach(start: BaseColumn, next: &FxHashMap<BaseColumn, Vec<BaseColumn>>) -> Arc<[BaseColumn]> {
    let mut seen = FxHashSet::default();
    let mut waiting = vec![start];
    while let Some(column) = waiting.pop() {
        if seen.insert(column) {
            waiting.extend(next.get(&column).into_iter().flatten());
        }
    }
    let mut reached: Vec<BaseColumn> = seen.into_iter().collect();
    reached.sort_unstable();
    reached.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_over_a_view_reaches_the_table_and_a_cycle_ends() {
        let closed =
            close(&[((3, 1), (2, 1)), ((2, 1), (1, 2)), ((1, 2), (3, 1)), ((9, 1), (8, 1))]);
        assert_eq!(*closed[&(3, 1)], [(1, 2), (2, 1), (3, 1)]);
        assert_eq!(*closed[&(9, 1)], [(8, 1), (9, 1)]);
        assert!(!closed.contains_key(&(8, 1)));
    }
}
