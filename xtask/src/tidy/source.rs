//! Rust sources as the rules see them: the text, and the same text with everything that is not
//! code blanked out.
//!
//! Owns the walk and the blanking. Must not know a rule. Blanking keeps every line break, so that
//! line numbers of the code are those of the file.

use std::fs;
use std::path::Path;

use crate::fault::{During, Outcome};

/// Directories that hold sources of ours.
const ROOTS: &[&str] = &["gateway", "gateway-ebpf", "tests", "xtask"];
/// Directories below them that hold sources of others, and what was built.
const OTHERS: &[&str] = &["target", "vendor"];

/// One source file.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the repository's root, with `/`.
    pub(super) path: String,
    /// The text.
    pub(super) text: String,
    /// The text with comments, strings and characters replaced by blanks.
    pub(super) code: String,
}

impl Source {
    /// A source with this path and text.
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let code = blank(&text);
        Self { path: path.into(), text, code }
    }

    /// The number of lines before the module of unit tests, which is last in a file.
    pub(super) fn lines_without_tests(&self) -> usize {
        self.code_without_tests().lines().count()
    }

    /// The code before the module of unit tests.
    pub(super) fn code_without_tests(&self) -> &str {
        let end = self.code.find("\n#[cfg(test)]\nmod ").map_or(self.code.len(), |at| at + 1);
        self.code.get(..end).unwrap_or(&self.code)
    }

    /// Whether the whole file is test code, or an example.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.contains("/examples/")
            || name == "tests.rs"
    }

    /// The line (from 1) of a byte offset.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// Every source of ours below `root`.
pub(super) fn sources(root: &Path) -> Outcome<Vec<Source>> {
    let mut found = Vec::new();
    let mut pending: Vec<_> = ROOTS.iter().map(|name| root.join(name)).collect();
    while let Some(directory) = pending.pop() {
        let entries = fs::read_dir(&directory).during(directory.display())?;
        for entry in entries {
            let path = entry.during(directory.display())?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| OTHERS.iter().all(|other| name != *other)) {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).during(path.display())?;
                let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                found.push(Source::new(shown, text));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// What the blanking is inside of.
#[derive(Clone, Copy)]
enum Within {
    Code,
    LineComment,
    /// Block comments nest.
    BlockComment(usize),
    Text,
    /// A raw string that ends with a quote and this many hashes.
    RawText(usize),
}

/// Replaces what is not code by blanks, byte for byte.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(b'\n');
    let mut code = Vec::with_capacity(bytes.len());
    let mut within = Within::Code;
    let mut index = 0;
    while index < bytes.len() {
        let (next, taken, shown) = step(within, index, &at);
        for offset in index..index + taken {
            let byte = at(offset);
            code.push(if shown || byte == b'\n' { byte } else { b' ' });
        }
        index += taken;
        within = next;
    }
    code.truncate(bytes.len());
    String::from_utf8_lossy(&code).into_owned()
}

/// From a state at a place: the next state, how many bytes were read, and whether they are code.
fn step(within: Within, index: usize, at: &impl Fn(usize) -> u8) -> (Within, usize, bool) {
    match within {
        Within::Code => step_code(index, at),
        Within::LineComment if at(index) == b'\n' => (Within::Code, 1, true),
        Within::LineComment => (within, 1, false),
        Within::BlockComment(depth) => match (at(index), at(index + 1)) {
            (b'*', b'/') if depth == 1 => (Within::Code, 2, false),
            (b'*', b'/') => (Within::BlockComment(depth - 1), 2, false),
            (b'/', b'*') => (Within::BlockComment(depth + 1), 2, false),
            _ => (within, 1, false),
        },
        Within::Text => match at(index) {
            b'\\' => (within, 2, false),
            b'"' => (Within::Code, 1, true),
            _ => (within, 1, false),
        },
        Within::RawText(hashes) => {
            let ends = at(index) == b'"' && (1..=hashes).all(|offset| at(index + offset) == b'#');
            if ends { (Within::Code, hashes + 1, true) } else { (within, 1, false) }
        }
    }
}

fn step_code(index: usize, at: &impl Fn(usize) -> u8) -> (Within, usize, bool) {
    match (at(index), at(index + 1)) {
        (b'/', b'/') => (Within::LineComment, 2, false),
        (b'/', b'*') => (Within::BlockComment(1), 2, false),
        (b'"', _) => (Within::Text, 1, true),
        (b'r', b'"' | b'#') if !is_word(at(index.wrapping_sub(1))) || is_prefix(index, at) => {
            let hashes = (1..).take_while(|offset| at(index + offset) == b'#').count();
            // `r#name` is an identifier, not a string.
            if at(index + 1 + hashes) == b'"' {
                (Within::RawText(hashes), hashes + 2, true)
            } else {
                (Within::Code, 1, true)
            }
        }
        // A character, not a lifetime: it closes within two, or is an escape.
        (b'\'', b'\\') => {
            let length = (3..12).find(|offset| at(index + offset) == b'\'').unwrap_or(2);
            (Within::Code, length + 1, false)
        }
        (b'\'', _) if at(index + 2) == b'\'' => (Within::Code, 3, false),
        _ => (Within::Code, 1, true),
    }
}

/// Whether the `r` at `index` follows the `b` or `c` of `br"` and `cr"`.
fn is_prefix(index: usize, at: &impl Fn(usize) -> u8) -> bool {
    matches!(at(index.wrapping_sub(1)), b'b' | b'c') && !is_word(at(index.wrapping_sub(2)))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let text = concat!(
            "let a = \"crate::x \\\" // no\"; // crate::y\n",
            "/* crate::z /* nested */ still */ use crate::a;\n",
            "let c = '\"'; let l: &'static str = r#\"crate::\"q\"#; let b = br\"x\"; r#type\n",
        );
        let code = Source::new("x.rs", text).code;
        assert_eq!(code.len(), text.len());
        assert!(!code.contains("crate::x") && !code.contains("crate::y"));
        assert!(!code.contains("crate::z") && !code.contains("still"));
        assert!(code.contains("use crate::a;"));
        assert!(code.contains("let l: &'static str = r#\""));
        assert!(code.contains("r#type"));
        assert_eq!(code.matches('\n').count(), 3);
    }

    #[test]
    fn unit_tests_are_told_from_the_rest() {
        let source = Source::new("x.rs", "//! x\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(source.lines_without_tests(), 3);
    }
}
