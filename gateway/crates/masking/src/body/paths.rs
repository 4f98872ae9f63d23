//! Field patterns, compiled into one machine that reads a path name by name.
//!
//! Owns the compiled form and the step. All patterns stand behind each other in one row of bits,
//! a bit a place; the places reached so far are the state, and a step moves all of them at once:
//!
//! ```text
//!   pattern          users . * . email        ** . email
//!   bit            0   1     2     3     4    5     6
//!   passes any         x           end   deep       end
//!   passes a name  users     email            email
//! ```
//!
//! `deep` stays where it is for any name, and what stands behind it is reached with it. Must not
//! know a document; [`Walk`](super::walk::Walk) keeps one state for each depth.

use model::{FieldPart, FieldPattern, NameGlob};

const BITS: usize = 64;

/// The compiled patterns.
#[derive(Debug)]
pub(super) struct FieldPaths {
    /// The state at the root.
    start: Vec<u64>,
    /// Places that any one name passes.
    any: Vec<u64>,
    /// Places that any number of names pass.
    deep: Vec<u64>,
    /// The place behind each pattern's last part.
    ends: Vec<u64>,
    /// The same places in the order of the patterns.
    end_of: Vec<usize>,
    /// Names with the places that they pass, by length and bytes.
    names: Vec<(Box<[u8]>, Vec<usize>)>,
    /// The lengths that the names have, a bit a length; the last for all beyond.
    lengths: u64,
    globs: Vec<(NameGlob, usize)>,
    /// Whether elements of one array may differ by their index.
    counts: bool,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// Whether a longer path could match.
    pub(super) alive: bool,
    /// The first pattern that matches.
    pub(super) pattern: Option<usize>,
}

impl FieldPaths {
    /// Compiles patterns; where several match, the first counts.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a FieldPattern>) -> Self {
        let (mut any, mut deep, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut names, mut globs) = (Vec::<(Box<[u8]>, Vec<usize>)>::new(), Vec::new());
        let (mut end_of, mut place) = (Vec::new(), 0);
        for pattern in patterns {
            starts.push(place);
            for part in pattern.parts() {
                match part {
                    FieldPart::Deep => deep.push(place),
                    FieldPart::Any => any.push(place),
                    FieldPart::Glob(glob) => globs.push((glob.clone(), place)),
                    FieldPart::Name(name) => {
                        match names.iter_mut().find(|(known, _)| **known == *name.as_bytes()) {
                            Some((_, places)) => places.push(place),
                            None => names.push((name.as_bytes().into(), vec![place])),
                        }
                    }
                }
                place += 1;
            }
            end_of.push(place);
            place += 1;
        }
        names.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        let words = place.div_ceil(BITS);
        let lengths = names.iter().fold(0, |all, (name, _)| all | length_bit(name.len()));
        let is_index = |name: &[u8]| name.iter().all(u8::is_ascii_digit);
        let counts = !globs.is_empty() || names.iter().any(|(name, _)| is_index(name));
        let (any, deep) = (bits(words, &any), bits(words, &deep));
        let (start, ends) = (bits(words, &starts), bits(words, &end_of));
        Self { start, any, deep, ends, end_of, names, lengths, globs, counts }
    }

    /// Words of a state.
    pub(super) const fn words(&self) -> usize {
        self.start.len()
    }

    /// Whether elements of one array may differ by their index.
    pub(super) const fn counts(&self) -> bool {
        self.counts
    }

    /// The state at the root.
    pub(super) fn begin(&self, to: &mut [u64]) -> Reached {
        to.copy_from_slice(&self.start);
        self.settle(to)
    }

    /// The state one name further; without a name, one that no pattern names.
    #[inline]
    pub(super) fn step(&self, from: &[u64], name: Option<&[u8]>, to: &mut [u64]) -> Reached {
        // What a word holds is what most sets of patterns are.
        if let ([to], [from], [any], [deep]) = (&mut *to, from, &*self.any, &*self.deep) {
            *to = (from & any) << 1 | from & deep;
        } else {
            let mut carried = 0;
            for (((to, from), any), deep) in to.iter_mut().zip(from).zip(&self.any).zip(&self.deep)
            {
                let passed = from & any;
                *to = passed << 1 | carried | from & deep;
                carried = passed >> (BITS - 1);
            }
        }
        if let Some(name) = name {
            for place in self.places_of(name).iter().filter(|place| has(from, **place)) {
                set(to, place + 1);
            }
            for (glob, place) in self.globs.iter().filter(|(_, place)| has(from, *place)) {
                if glob.matches(&String::from_utf8_lossy(name)) {
                    set(to, place + 1);
                }
            }
        }
        self.settle(to)
    }

    /// Whether a name is one that no pattern names, for sure: its step is that without a name.
    #[inline]
    pub(super) fn is_other(&self, name: &[u8]) -> bool {
        self.lengths & length_bit(name.len()) == 0 && self.globs.is_empty()
    }

    /// Places that pass this name.
    #[inline]
    fn places_of(&self, name: &[u8]) -> &[usize] {
        if self.lengths & length_bit(name.len()) == 0 {
            return &[];
        }
        let found = self
            .names
            .binary_search_by(|(known, _)| (known.len(), &**known).cmp(&(name.len(), name)));
        found.ok().and_then(|at| self.names.get(at)).map_or(&[], |(_, places)| places)
    }

    /// Reaches what stands behind `**`, which may stand for nothing, and reads the ends.
    #[inline]
    fn settle(&self, state: &mut [u64]) -> Reached {
        if let ([word], [deep], [ends]) = (&mut *state, &*self.deep, &*self.ends) {
            *word |= (*word & deep) << 1;
            let pattern = (*word & ends != 0).then(|| self.pattern_at(*word & ends, 0));
            return Reached { alive: *word & !ends != 0, pattern };
        }
        self.settle_words(state)
    }

    fn settle_words(&self, state: &mut [u64]) -> Reached {
        let mut reached = Reached { alive: false, pattern: None };
        let mut carried = 0;
        for (index, ((word, deep), ends)) in
            state.iter_mut().zip(&self.deep).zip(&self.ends).enumerate()
        {
            let passed = *word & deep;
            *word |= passed << 1 | carried;
            carried = passed >> (BITS - 1);
            reached.alive |= *word & !ends != 0;
            let ended = *word & ends;
            if ended != 0 && reached.pattern.is_none() {
                reached.pattern = Some(self.pattern_at(ended, index));
            }
        }
        reached
    }

    /// The first pattern of those whose ends are in a word.
    fn pattern_at(&self, ended: u64, word: usize) -> usize {
        let place = word * BITS + usize::try_from(ended.trailing_zeros()).unwrap_or(0);
        // A place that is no end cannot be; the first pattern is the strongest.
        self.end_of.binary_search(&place).unwrap_or(0)
    }
}

fn length_bit(len: usize) -> u64 {
    1 << len.min(BITS - 1)
}

fn bits(words: usize, places: &[usize]) -> Vec<u64> {
    let mut all = vec![0; words];
    for place in places {
        set(&mut all, *place);
    }
    all
}

fn has(state: &[u64], place: usize) -> bool {
    state.get(place / BITS).is_some_and(|word| word >> (place % BITS) & 1 == 1)
}

fn set(state: &mut [u64], place: usize) {
    if let Some(word) = state.get_mut(place / BITS) {
        *word |= 1 << (place % BITS);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn first_match(patterns: &[&str], path: &[&str]) -> Option<usize> {
        let patterns: Vec<_> = patterns.iter().map(|p| FieldPattern::parse(p).unwrap()).collect();
        let paths = FieldPaths::new(patterns.iter());
        let mut state = vec![0; paths.words()];
        let mut reached = paths.begin(&mut state);
        for name in path {
            let from = state.clone();
            reached = paths.step(&from, Some(name.as_bytes()), &mut state);
        }
        reached.pattern
    }

    /// The definition, read literally.
    fn matches(parts: &[FieldPart], path: &[&str]) -> bool {
        match (parts.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((FieldPart::Deep, rest)), _) => {
                (0..=path.len()).any(|skipped| matches(rest, &path[skipped..]))
            }
            (Some((part, parts)), Some((name, path))) => {
                let fits = match part {
                    FieldPart::Name(want) => want == name,
                    FieldPart::Glob(glob) => glob.matches(name),
                    FieldPart::Any | FieldPart::Deep => true,
                };
                fits && matches(parts, path)
            }
            _ => false,
        }
    }

    #[test]
    fn the_first_pattern_that_matches_counts() {
        assert_eq!(first_match(&["a.b", "**.b"], &["a", "b"]), Some(0));
        assert_eq!(first_match(&["a.b", "**.b"], &["x", "b"]), Some(1));
        assert_eq!(first_match(&["a.b", "**.b"], &["a"]), None);
        assert_eq!(first_match(&["**"], &[]), Some(0));
        assert_eq!(first_match(&[], &["a"]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Many patterns, so that states have several words.
        #[test]
        fn the_machine_matches_what_a_literal_reading_matches(
            patterns in prop::collection::vec(
                prop::collection::vec(select(vec!["a", "b", "*", "**", "a*", "0"]), 1..7),
                0..40,
            ),
            path in prop::collection::vec(select(vec!["a", "b", "ab", "0", "c"]), 0..7),
        ) {
            let texts: Vec<String> = patterns.iter().map(|parts| parts.join(".")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let want = texts.iter().position(|text| {
                matches(FieldPattern::parse(text).unwrap().parts(), &path)
            });
            prop_assert_eq!(first_match(&texts, &path), want);
        }
    }
}
