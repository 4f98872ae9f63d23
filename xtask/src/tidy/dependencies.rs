//! What is built with us: licences, sources and banned crates, by the lists of `deny.toml`.
//!
//! Owns reading those lists and judging the resolved packages by them; cargo-deny reads the same
//! file where it is installed and looks at advisories too. Must not know why a crate is banned.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Finding;
use crate::call::Call;
use crate::fault::{During, Outcome};

const LISTS: &str = "deny.toml";

/// What `deny.toml` allows and bans.
#[derive(Debug)]
struct Lists {
    licences: Vec<String>,
    banned: Vec<String>,
}

/// Checks every package that is built or run with us, on any platform.
pub(super) fn check(root: &Path) -> Outcome<Vec<Finding>> {
    let text = fs::read_to_string(root.join(LISTS)).during(format!("cannot read {LISTS}"))?;
    let lists = read_lists(&text);
    let tree = Call::cargo()
        .with(["tree", "--workspace", "--locked", "--target", "all", "--prefix", "none"])
        .with(["--edges", "normal,build,dev", "--no-dedupe", "--format", "{p}|{l}"])
        .inside(root)
        .output()?;
    let packages: BTreeSet<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
    Ok(packages.into_iter().flat_map(|package| judge(package, &lists)).collect())
}

/// Judges `name version (where from)|licence`; a crate of crates.io says not where from.
fn judge(package: &str, lists: &Lists) -> Vec<Finding> {
    let (name, licence) = package.split_once('|').unwrap_or((package, ""));
    let (name, rest) = name.split_once(' ').unwrap_or((name, ""));
    let mut findings = Vec::new();
    let mut found = |says: String| findings.push(Finding::at("Cargo.lock", 1, says));
    if lists.banned.iter().any(|banned| banned == name) {
        found(format!("{name} is banned by {LISTS}"));
    }
    if rest.contains("://") {
        found(format!("{name} {rest} comes from elsewhere than crates.io"));
    }
    if !allows(licence, &lists.licences) {
        found(format!("{name} has the licence `{licence}`, which {LISTS} does not allow"));
    }
    findings
}

/// Whether a licence expression can be satisfied with the allowed licences alone.
fn allows(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens, allowed };
    let good = reader.alternatives();
    good && reader.tokens.is_empty()
}

/// Reads SPDX expressions: `OR` binds weaker than `AND`, `WITH` strongest.
struct Reader<'a> {
    tokens: &'a [&'a str],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if *first == token => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn alternatives(&mut self) -> bool {
        let mut good = self.conjunction();
        while self.take("OR") {
            good |= self.conjunction();
        }
        good
    }

    fn conjunction(&mut self) -> bool {
        let mut good = self.single();
        while self.take("AND") {
            good &= self.single();
        }
        good
    }

    fn single(&mut self) -> bool {
        if self.take("(") {
            let good = self.alternatives();
            return self.take(")") && good;
        }
        let Some((first, rest)) = self.tokens.split_first() else { return false };
        self.tokens = rest;
        let mut name = (*first).to_owned();
        if self.take("WITH") {
            let Some((exception, rest)) = self.tokens.split_first() else { return false };
            self.tokens = rest;
            name.push_str(" WITH ");
            name.push_str(exception);
        }
        self.allowed.contains(&name)
    }
}

/// Reads the two lists out of `deny.toml`: the strings of `allow = [..]` and the `crate = ".."` of
/// the bans. Not a TOML parser: the file is ours and has one entry a line.
fn read_lists(text: &str) -> Lists {
    let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let licences = text
        .lines()
        .skip_while(|line| !line.starts_with("allow = ["))
        .skip(1)
        .take_while(|line| !line.starts_with(']'))
        .filter_map(quoted)
        .collect();
    let banned = text
        .lines()
        .filter(|line| line.trim_start().starts_with("{ crate = "))
        .filter_map(quoted)
        .collect();
    Lists { licences, banned }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions_are_read_with_their_precedence() {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        assert!(allows("MIT", &allowed));
        assert!(allows("MIT/Apache-2.0", &allowed));
        assert!(allows("GPL-3.0 OR MIT AND ISC", &allowed));
        assert!(allows("Apache-2.0 WITH LLVM-exception", &allowed));
        assert!(!allows("MIT AND GPL-3.0", &allowed));
        assert!(!allows("(MIT OR ISC) AND (GPL-3.0 OR Zlib)", &allowed));
        assert!(!allows("", &allowed));
        assert!(!allows("MIT ISC", &allowed));
    }

    #[test]
    fn a_package_is_judged_by_name_source_and_licence() {
        let lists = Lists { licences: vec!["MIT".to_owned()], banned: vec!["ring".to_owned()] };
        assert_eq!(judge("a v1.0.0|MIT", &lists), []);
        assert_eq!(judge("a v1.0.0 (/here)|MIT", &lists), []);
        assert_eq!(judge("ring v1.0.0|MIT", &lists).len(), 1);
        assert_eq!(judge("a v1.0.0 (https://git.example/a)|MIT", &lists).len(), 1);
        assert_eq!(judge("a v1.0.0|GPL-3.0", &lists).len(), 1);
    }

    #[test]
    fn the_lists_are_read() {
        let text = "[licenses]\nallow = [\n    \"MIT\",\n]\n[bans]\ndeny = [\n  \
                    { crate = \"ring\", reason = \"x\" },\n]\n";
        let lists = read_lists(text);
        assert_eq!(lists.licences, ["MIT"]);
        assert_eq!(lists.banned, ["ring"]);
    }
}
