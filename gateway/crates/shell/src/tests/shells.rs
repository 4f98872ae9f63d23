//! The oracle: real shells print exactly the words that were judged.

use std::path::Path;
use std::process::{Command as Process, Stdio};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRng, TestRunner};

use super::properties::word;
use crate::{Command, Reading, read};

/// The shells, with the words that come before the text. Login shells of this kind are what the
/// canonical form is for. The first three must be there; the others are tried where they are.
const SHELLS: &[&[&str]] = &[
    &["sh", "-c"],
    &["bash", "-c"],
    &["dash", "-c"],
    &["bash", "--posix", "-c"],
    &["bash", "-O", "extglob", "-ic"],
    &["busybox", "sh", "-c"],
    &["mksh", "-c"],
    &["ksh", "-c"],
    &["zsh", "-c"],
    &["zsh", "-fic"],
    &["zsh", "-o", "extendedglob", "-o", "magicequalsubst", "-o", "rcquotes", "-c"],
    &["fish", "-c"],
    &["tcsh", "-c"],
    &["tcsh", "-fc"],
    &["csh", "-c"],
];
const REQUIRED: usize = 3;

fn installed(shell: &[&str]) -> bool {
    ["/bin", "/usr/bin"].iter().any(|dir| Path::new(dir).join(shell[0]).exists())
}

/// What the shell hands to a program when it is given a text.
fn printed(shell: &[&str], locale: &str, text: &str) -> Vec<u8> {
    let output = Process::new(shell[0])
        .args(&shell[1..])
        .arg(text)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", locale)
        // Under a file, so that no shell can make itself a home there.
        .env("HOME", "/dev/null/home")
        .stdin(Stdio::null())
        .output();
    output.expect("the shell runs").stdout
}

fn check_all(words: &[String]) {
    let mut all = vec!["/usr/bin/printf", "%s\\0"];
    all.extend(words.iter().map(String::as_str));
    let Some(command) = Command::new(&all) else { return };
    let text = command.canonical();
    let expected: Vec<u8> =
        words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    for (index, shell) in SHELLS.iter().enumerate() {
        if !installed(shell) {
            assert!(index >= REQUIRED, "{shell:?} is not installed");
            continue;
        }
        for locale in ["C.UTF-8", "C"] {
            let printed = printed(shell, locale, &text);
            assert_eq!(
                String::from_utf8_lossy(&printed),
                String::from_utf8_lossy(&expected),
                "{shell:?} in {locale} of {text}"
            );
        }
    }
}

#[test]
fn every_shell_reads_back_the_words_that_are_hard_to_quote() {
    let hard = [
        "",
        " ",
        "'",
        "''",
        "\"",
        "\\",
        "\\\\",
        "\\n",
        "\\'",
        "a\\",
        "!",
        "!!",
        "!$",
        "!ls",
        "a!b",
        "'!'",
        "$HOME",
        "${HOME}",
        "$(id)",
        "`id`",
        "*",
        "?",
        "[a-z]*",
        "{a,b}",
        "{}",
        "{1..3}",
        "~",
        "~root",
        "~/x",
        "=ls",
        "=",
        "a=~/x",
        "%self",
        "%1",
        "%",
        "#",
        "#a",
        "a#b",
        ";",
        "&",
        "&&",
        "|",
        "<x",
        ">x",
        "(a)",
        ")",
        "^a^b",
        "^",
        "@",
        "@(a|b)",
        "+(a)",
        "-n",
        "--",
        "-",
        "\t",
        "a\tb",
        "it's",
        "'a'b'",
        "if",
        "then",
        "end",
        "größe",
        "naïve café",
        "日本",
        "\u{a0}",
        "\u{3000}",
        "\u{ff07}",
        "é'é",
        "é\\",
        ":",
        ":h",
        "a:b",
        ",",
        ".",
        "..",
        "a b c",
        "\\!",
        "!\\",
        "'\\!'",
        "$'a'",
        "$\"a\"",
        "2>&1",
        "a=b",
        "\\\\\\'",
        "(Nom)",
        "**",
        "a\u{301}",
        "\u{202e}x",
        "$",
        "a$",
        "$!",
        "!{a}",
        "\\u0041",
        "\\x41",
    ];
    for words in hard.chunks(12) {
        check_all(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
}

#[test]
fn every_shell_reads_back_any_words() {
    let rng = TestRng::deterministic_rng(Config::default().rng_algorithm);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..8 {
        let words = proptest::collection::vec(word(), 1..40);
        check_all(&words.new_tree(&mut runner).expect("a tree").current());
    }
}

#[test]
fn shells_read_the_original_text_as_we_do() {
    let rng = TestRng::deterministic_rng(Config::default().rng_algorithm);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut tried = 0;
    while tried < 60 {
        let text = r#"[ '"\\!~=%#{}\[\]^@+,:.a$*;&-]{0,16}"#.new_tree(&mut runner).expect("a tree");
        let text = format!("/usr/bin/printf '%s\\0' x {}", text.current());
        let Reading::Command(command) = read(text.as_bytes()) else { continue };
        tried += 1;
        let words: Vec<u8> = command
            .words()
            .iter()
            .skip(2)
            .flat_map(|word| [word.as_bytes(), b"\0"].concat())
            .collect();
        for shell in [&["bash", "-c"], &["dash", "-c"]] {
            let printed = printed(shell, "C.UTF-8", &text);
            assert_eq!(
                String::from_utf8_lossy(&printed),
                String::from_utf8_lossy(&words),
                "{shell:?} of {text}"
            );
        }
    }
}
