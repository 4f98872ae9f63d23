//! Places in the cgroup tree: unit names, path patterns, and how deep they pin a socket.
//!
//! Owns parsing and matching of both. Must not know the other things a definition asks for.

/// How far from the root a socket's cgroup path is pinned, and whether by names in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pinned {
    /// Components of the path; 0 is the whole host.
    pub(super) depth: usize,
    /// Every one of them is named in full.
    pub(super) exact: bool,
}

impl Pinned {
    /// The whole host.
    pub(super) const NOWHERE: Self = Self { depth: 0, exact: false };
}

/// The name of a unit, or of all instances of a template.
#[derive(Clone, Debug)]
pub(super) enum UnitName {
    Exact(String),
    /// Text up to and with the `@`, and the suffix.
    Template(String, String),
}

impl UnitName {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let suffixes = [".service", ".scope", ".slice", ".socket", ".mount", ".swap"];
        let Some(suffix) = suffixes.iter().find(|suffix| text.ends_with(**suffix)) else {
            return Err(format!("`{text}` does not end as a unit does ({})", suffixes.join(", ")));
        };
        let stem = text.strip_suffix(suffix).unwrap_or_default();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
        if stem.is_empty() || text.len() > 255 || !stem.bytes().all(legal) {
            return Err(format!("`{text}` is no unit name"));
        }
        Ok(match stem.strip_suffix('@') {
            Some("") => return Err(format!("`{text}` is no unit name")),
            Some(_) => Self::Template(stem.to_owned(), (*suffix).to_owned()),
            None => Self::Exact(text.to_owned()),
        })
    }

    /// Whether it is that unit; if so, whether it was named in full.
    pub(super) fn matches(&self, unit: &str) -> Option<bool> {
        match self {
            Self::Exact(name) => (name == unit).then_some(true),
            Self::Template(prefix, suffix) => {
                let instance = unit.strip_prefix(prefix.as_str())?.strip_suffix(suffix.as_str())?;
                (!instance.is_empty()).then_some(false)
            }
        }
    }
}

/// A cgroup path in which `*` stands for a run of characters within a component.
#[derive(Clone, Debug)]
pub(super) struct CgroupPattern {
    components: Vec<String>,
    exact: bool,
}

impl CgroupPattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let below = text.strip_prefix('/').ok_or_else(|| format!("`{text}` begins without /"))?;
        let below = below.strip_suffix('/').unwrap_or(below);
        if below.is_empty() {
            return Err(String::from("`/` is the whole host"));
        }
        let components: Vec<String> = below.split('/').map(str::to_owned).collect();
        if components.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            return Err(format!("`{text}` has a component that no cgroup can have"));
        }
        let exact = !components.iter().any(|part| part.contains('*'));
        Ok(Self { components, exact })
    }

    /// Whether `path` is that cgroup or lies below it; if so, what that pins.
    pub(super) fn pins(&self, path: &str) -> Option<Pinned> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let all = self
            .components
            .iter()
            .all(|pattern| parts.next().is_some_and(|part| component_matches(pattern, part)));
        all.then_some(Pinned { depth: self.components.len(), exact: self.exact })
    }
}

/// A glob with `*` only: the first and last pieces are anchored, those between are found leftmost.
fn component_matches(pattern: &str, part: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == part };
    let Some(mut left) = part.strip_prefix(head) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        let Some((_, after)) = left.split_once(piece) else { return false };
        left = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_its_component() {
        for (pattern, part, expected) in [
            ("ci-*.service", "ci-7.service", true),
            ("ci-*.service", "ci-.service", true),
            ("ci-*.service", "ci-7.scope", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXc", false),
            ("a*a", "a", false),
            ("*", "anything", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            assert_eq!(component_matches(pattern, part), expected, "{pattern} {part}");
        }
        let pattern = CgroupPattern::parse("/automation.slice/*").unwrap();
        assert_eq!(pattern.pins("/automation.slice"), None);
        let pinned = Some(Pinned { depth: 2, exact: false });
        assert_eq!(pattern.pins("/automation.slice/x/y"), pinned);
    }

    #[test]
    fn a_prefix_is_of_components_not_of_characters() {
        let pattern = CgroupPattern::parse("/automation.slice/").unwrap();
        assert!(pattern.pins("/automation.slice").is_some());
        assert!(pattern.pins("/automation.slice/a").is_some());
        assert!(pattern.pins("/automation.slice.evil/a").is_none());
        assert!(pattern.pins("/x/automation.slice").is_none());
    }

    #[test]
    fn a_template_stands_for_its_instances_only() {
        let name = UnitName::parse("backup@.service").unwrap();
        assert_eq!(name.matches("backup@db.service"), Some(false));
        assert_eq!(name.matches("backup@.service"), None);
        assert_eq!(name.matches("backup.service"), None);
        assert!(UnitName::parse("backup").is_err());
        assert!(UnitName::parse("@.service").is_err());
        assert!(UnitName::parse(".service").is_err());
        assert!(UnitName::parse("a b.service").is_err());
    }
}
