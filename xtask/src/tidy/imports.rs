//! Who may import whom: the table of docs/architecture.md, as a check.
//!
//! Owns reading the table and judging sources by it. Must not know a row: a part that has none is
//! a finding. Unit tests are free: they may build what they need.

use std::collections::BTreeMap;

use super::Finding;
use super::source::Source;
use crate::fault::{During, Fault, Outcome};

/// The first line of the table.
const HEADER: &str = "| part | may import | never |";

/// What a row says to a part that puts things together.
const EVERYTHING: &str = "everything";

/// Files of the gateway that belong to no part and put things together.
const UNBOUND: &[&str] = &["lib", "bin"];

/// The pure crates, whose sources are searched for effects.
const PURE: &[&str] = &["model", "wire", "shell", "sql", "policy", "masking"];

/// Crates of ours that code can name directly.
const CRATES: &[&str] = &["model", "wire", "shell", "sql", "policy", "masking", "gateway_ebpf"];

/// The parts of the house and what each may import of ours.
#[derive(Debug)]
pub(super) struct Table {
    rows: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// Reads the table out of the document.
    pub(super) fn read(document: &str) -> Outcome<Self> {
        let mut rows = BTreeMap::new();
        let lines = document.lines().skip_while(|line| *line != HEADER).skip(2);
        for line in lines.take_while(|line| line.starts_with('|')) {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let (parts, may) = cells.next().zip(cells.next()).during("a row without two cells")?;
            let may: Vec<String> = may.split(", ").map(str::to_owned).collect();
            for part in parts.split(", ") {
                rows.insert(part.to_owned(), may.clone());
            }
        }
        if rows.is_empty() {
            return Fault::because(format!("the document has no table that begins {HEADER:?}"));
        }
        Ok(Self { rows })
    }
}

/// Effects that a pure crate's source must not name.
const EFFECTS: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "SystemTime::now",
    "Instant::now",
    "tokio::",
];

/// Checks one file.
pub(super) fn check(source: &Source, table: &Table) -> Vec<Finding> {
    if source.is_test() {
        return Vec::new();
    }
    let Some(part) = part_of(&source.path) else { return Vec::new() };
    if UNBOUND.contains(&part) {
        return Vec::new();
    }
    let mut findings = effects(source, part);
    let Some(may) = table.rows.get(part) else {
        let says = format!("`{part}` has no row in the import table of docs/architecture.md");
        findings.push(Finding::at(&source.path, 1, says));
        return findings;
    };
    if may.iter().any(|word| word == EVERYTHING) {
        return findings;
    }
    for (offset, named) in references(source) {
        let ours = CRATES.contains(&named) || table.rows.contains_key(named);
        if ours && named != part && !may.iter().any(|other| other == named) {
            findings.push(Finding::at(
                &source.path,
                source.line_of(offset),
                format!("{part} may not import {named} (it may: {})", may.join(", ")),
            ));
        }
    }
    findings
}

/// The part a source belongs to, where the table speaks of it.
fn part_of(path: &str) -> Option<&str> {
    if let Some(rest) = path.strip_prefix("gateway/crates/") {
        return rest.split('/').next();
    }
    let rest = path.strip_prefix("gateway/src/")?;
    rest.split('/').next().map(|name| name.trim_end_matches(".rs"))
}

fn effects(source: &Source, part: &str) -> Vec<Finding> {
    if !PURE.contains(&part) {
        return Vec::new();
    }
    let code = source.code_without_tests();
    let found = EFFECTS.iter().filter_map(|effect| Some((code.find(effect)?, effect)));
    found
        .map(|(offset, effect)| {
            let says = format!("{part} is pure, but this names {effect}");
            Finding::at(&source.path, source.line_of(offset), says)
        })
        .collect()
}

/// The parts that the code names: `crate::x`, the members of `crate::{x::.., y}`, and crates.
fn references(source: &Source) -> Vec<(usize, &str)> {
    let code = source.code_without_tests();
    let mut found = Vec::new();
    for (offset, _) in code.match_indices("crate::") {
        if code.get(..offset).is_some_and(ends_with_word) {
            continue;
        }
        let after = offset + "crate::".len();
        let rest = code.get(after..).unwrap_or_default();
        if rest.starts_with('{') {
            found.extend(group_members(rest).map(|(at, name)| (after + at, name)));
        } else {
            found.push((after, word(rest)));
        }
    }
    for name in CRATES {
        for (offset, _) in code.match_indices(&format!("{name}::")) {
            let before = code.get(..offset).unwrap_or_default();
            let is_local = code.contains(&format!("mod {name};")) || is_passed_on(code, name);
            if !ends_with_word(before) && !before.ends_with("::") && !is_local {
                found.push((offset, word(code.get(offset..).unwrap_or_default())));
            }
        }
    }
    found
}

/// Whether a part that may import a crate passes it on: `use crate::session::{.., sql, ..};`.
fn is_passed_on(code: &str, name: &str) -> bool {
    let uses = code.split("use crate::").skip(1).filter_map(|rest| rest.split_once(';'));
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    uses.into_iter().any(|(path, _)| path.split(|c| !is_word(c)).skip(1).any(|one| one == name))
}

/// The first word of each member of the group that `text` opens with.
fn group_members(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut depth = 0_usize;
    let mut at_start = false;
    let mut members = Vec::new();
    for (offset, letter) in text.char_indices() {
        match letter {
            '{' => {
                depth += 1;
                at_start = depth == 1;
            }
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => at_start = true,
            letter if letter.is_whitespace() => {}
            _ if at_start => {
                members.push((offset, word(text.get(offset..).unwrap_or_default())));
                at_start = false;
            }
            _ => {}
        }
    }
    members.into_iter()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn ends_with_word(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# Who\n\n| part | may import | never |\n|---|---|---|\n\
        | model | std | anything |\n| sql, masking, credentials | model | |\n| recording, store | model | |\n\
        | session | model, sql | |\n| protocols | model, session, wire | |\n\
        | daemon | everything | |\n\nmore\n";

    fn says(path: &str, text: &str) -> Vec<String> {
        let table = Table::read(TABLE).unwrap();
        check(&Source::new(path, text), &table).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_forbidden_import_is_found_however_it_is_written() {
        let path = "gateway/src/protocols/postgres.rs";
        assert_eq!(says(path, "use crate::credentials::Source;\n").len(), 1);
        assert_eq!(
            says(path, "use crate::{\n  session::{Session, a::B},\n  store,\n};\n").len(),
            1
        );
        assert_eq!(says(path, "fn f(p: &policy::Policy) {}\n").len(), 1);
        assert_eq!(says(path, "fn f() { crate::recording::write() }\n").len(), 1);
        assert_eq!(
            says(path, "\nuse crate::daemon::Gateway;\n"),
            [format!("{path}:2: protocols may not import daemon (it may: model, session, wire)")]
        );
    }

    #[test]
    fn what_the_table_grants_passes() {
        let path = "gateway/src/protocols/postgres.rs";
        let text = "use crate::session::Session;\nuse model::Operation;\nuse wire::x;\n\
                    // use crate::store;\nuse self::policy::y;\nuse crate::protocols::registry;\n";
        assert!(says(path, text).is_empty(), "{:?}", says(path, text));
        assert!(says("gateway/src/daemon/build.rs", "use crate::store;\n").is_empty());
        let tested = "\n#[cfg(test)]\nmod tests {\n use crate::store;\n}\n";
        assert!(says(path, tested).is_empty());
    }

    #[test]
    fn a_pure_crate_names_no_effect() {
        let path = "gateway/crates/masking/src/lib.rs";
        assert_eq!(says(path, "use std::fs::File;\n").len(), 1);
        assert_eq!(says(path, "use std::time::Duration;\n").len(), 0);
        assert_eq!(says(path, "use sql::Facts;\n").len(), 1);
    }

    #[test]
    fn a_part_without_a_row_is_found() {
        assert_eq!(says("gateway/src/extras.rs", "").len(), 1);
    }
}
