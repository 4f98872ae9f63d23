//! Looking for values that a governed job, a log or a recording must never show.
//!
//! Owns the search. Must not know where the texts come from.

/// How many of the values stand in any of the texts.
pub(super) fn count<V: AsRef<str>, T: AsRef<str>>(values: &[V], texts: &[T]) -> usize {
    let stands = |value: &&V| texts.iter().any(|text| text.as_ref().contains(value.as_ref()));
    values.iter().filter(stands).count()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn a_value_counts_once_wherever_it_stands() {
        let values = ["one@mail.example", "4111111111111111", "other"].map(str::to_owned);
        let texts = ["x|one@mail.example|y", "one@mail.example", "411111111111****"];
        assert_eq!(count(&values, &texts), 1);
        assert_eq!(count(&values, &["nothing"]), 0);
    }
}
