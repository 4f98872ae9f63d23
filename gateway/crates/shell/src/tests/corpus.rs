//! Texts with their readings: the first corpus was tried against three parsers before this one was
//! chosen; whatever was found since stays here for good.

use crate::{Reading, TEXT_BYTES_MAX, read};

fn words(text: &[u8]) -> Option<Vec<String>> {
    match read(text) {
        Reading::Command(command) => Some(command.words().iter().map(|w| w.to_string()).collect()),
        Reading::Opaque { .. } => None,
    }
}

/// Texts of literal words.
const LITERAL: &[(&str, &[&str])] = &[
    ("ls", &["ls"]),
    ("ls -l /srv", &["ls", "-l", "/srv"]),
    ("  ls\t -l  ", &["ls", "-l"]),
    ("ls\n", &["ls"]),
    ("systemctl restart app\n\n", &["systemctl", "restart", "app"]),
    ("echo 'a b'", &["echo", "a b"]),
    ("echo \"a b\"", &["echo", "a b"]),
    ("echo a\\ b", &["echo", "a b"]),
    ("\"r\"m -rf /", &["rm", "-rf", "/"]),
    ("r\\m -rf /", &["rm", "-rf", "/"]),
    ("'r''m' x", &["rm", "x"]),
    ("echo 'a; rm -rf /'", &["echo", "a; rm -rf /"]),
    ("echo '$(rm)' '`rm`' '$x'", &["echo", "$(rm)", "`rm`", "$x"]),
    ("echo \\$HOME", &["echo", "$HOME"]),
    ("echo \"\\$x \\`y\\` \\\" \\\\ \\n\"", &["echo", "$x `y` \" \\ \\n"]),
    ("echo ''", &["echo", ""]),
    ("echo \"\" '' x\"\"", &["echo", "", "", "x"]),
    ("echo 'it'\\''s'", &["echo", "it's"]),
    ("echo a#b", &["echo", "a#b"]),
    ("echo a~b x~", &["echo", "a~b", "x~"]),
    ("echo A=b", &["echo", "A=b"]),
    ("date +%Y-%m-%d", &["date", "+%Y-%m-%d"]),
    ("echo hi!", &["echo", "hi!"]),
    ("git show HEAD^", &["git", "show", "HEAD^"]),
    ("echo ^a", &["echo", "^a"]),
    ("[ -f /x ]", &["[", "-f", "/x", "]"]),
    ("find . -exec rm {} \\;", &["find", ".", "-exec", "rm", "{}", ";"]),
    ("echo \\* \\? \\[a\\] \\{a,b\\} \\~", &["echo", "*", "?", "[a]", "{a,b}", "~"]),
    ("echo '*' \"?\" '[a]'", &["echo", "*", "?", "[a]"]),
    ("echo a,b a:b a@b a%b a+b", &["echo", "a,b", "a:b", "a@b", "a%b", "a+b"]),
    ("export A=b", &["export", "A=b"]),
    ("sh -c 'a && b'", &["sh", "-c", "a && b"]),
    ("/usr/bin/env ls", &["/usr/bin/env", "ls"]),
    ("echo 'tab\there'", &["echo", "tab\there"]),
    ("echo größe 'naïve café' 日本", &["echo", "größe", "naïve café", "日本"]),
    ("echo -n", &["echo", "-n"]),
    ("echo if then fi", &["echo", "if", "then", "fi"]),
    ("ls [", &["ls", "["]),
    ("echo time !", &["echo", "time", "!"]),
    ("cd /srv/app", &["cd", "/srv/app"]),
    ("echo 'a\\b' 'a\\\\b'", &["echo", "a\\b", "a\\\\b"]),
    ("echo \\\\", &["echo", "\\"]),
    ("echo 1 2", &["echo", "1", "2"]),
    ("echo \u{a0}x", &["echo", "\u{a0}x"]),
];

/// Texts that are not one command of literal words.
const OPAQUE: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\n\n",
    "a; b",
    "ls;",
    "; ls",
    ";;",
    "a && b",
    "a || b",
    "a | b",
    "a |& b",
    "ls &",
    "&",
    "a & b",
    "ls\nrm",
    "\nls\n",
    "ls\n rm",
    "ls \\\nrm",
    "ls\r\nrm",
    "ls\r",
    "ls \\\n",
    "echo $HOME",
    "$CMD arg",
    "${x}",
    "echo ${x:-$(rm)}",
    "echo $((1+1))",
    "echo $[1+1]",
    "echo a$",
    "echo \"$HOME\"",
    "echo \"a`b`\"",
    "echo $'a\\nb'",
    "echo $\"a\"",
    "echo $(rm)",
    "echo `rm`",
    "echo $@",
    "echo $1",
    "echo $$",
    "echo $?",
    "echo $!",
    "(ls)",
    "{ ls; }",
    "( )",
    "ls ()",
    "f() { ls; }",
    "function f { ls; }",
    "f () (ls)",
    "ls > x",
    "ls >x",
    "ls 2>&1",
    "< x cat",
    "cat <<E\nx\nE",
    "cat <<< x",
    ">x",
    "ls <(a)",
    "ls >(a)",
    "ls >| x",
    "ls &> x",
    "ls <> x",
    "A=b",
    "A=b ls",
    "A=b B=c ls",
    "'A=b' ls",
    "A='b' ls",
    "\\A=b ls",
    "A+=b ls",
    "a[0]=b ls",
    "PATH=/tmp ls",
    "LD_PRELOAD=/tmp/x.so ls",
    "ls *",
    "ls *.log",
    "ls ?",
    "ls [ab]",
    "ls a[b]",
    "[a] x",
    "ls [x",
    "[x",
    "*",
    "ls {a,b}",
    "ls {1..3}",
    "ls {",
    "ls }",
    "ls x{}",
    "{} x",
    "{}",
    "~",
    "~/x",
    "ls ~",
    "ls ~/x",
    "ls ~bob",
    "ls ~bob/x",
    "ls ~+",
    "ls A=~/x",
    "ls a:~",
    "cat ~/.ssh/id",
    "=ls",
    "echo =ls",
    "%1",
    "%",
    "%job x",
    "ls # x",
    "#",
    "# ls",
    "#!sh",
    "!ls",
    "! ls",
    "!!",
    "!",
    "time ls",
    "time",
    "if x; then y; fi",
    "if",
    "while true; do x; done",
    "for i in a; do x; done",
    "case a in a) ls;; esac",
    "case",
    "until",
    "do",
    "done",
    "fi",
    "select",
    "[[ -f x ]]",
    "[[",
    "coproc ls",
    "function",
    "'if' x",
    "\\if",
    "\"while\" x",
    "then",
    "else",
    "in",
    "repeat 3 ls",
    "foreach x (a b)",
    "end",
    "begin; ls; end",
    "begin",
    "not ls",
    "and ls",
    "or ls",
    "noglob ls",
    "nocorrect ls",
    "switch",
    "@ x = 1",
    "@",
    "goto x",
    "declare -x A",
    "typeset x",
    "local x",
    "eval ls",
    "eval 'rm -rf /'",
    "'eval' ls",
    "source x",
    ". x",
    ". /etc/profile",
    "alias ls=rm",
    "trap 'rm x' EXIT",
    "\\eval ls",
    "e\"val\" x",
    "history",
    "fc -s",
    "emulate sh -c ls",
    "complete -C ls",
    "enable -f x y",
    "zmodload x",
    "readonly A",
    "let x=1",
    "echo 'a",
    "echo \"a",
    "echo a\\",
    "'",
    "\"",
    "\\",
    "echo 'a\nb'",
    "echo \"a\nb\"",
    "echo \"a\\",
    "echo \u{0}",
    "ls\u{0}rm",
    "echo \u{1b}[31m",
    "echo '\u{1b}]0;x\u{7}'",
    "echo \u{7f}",
    "echo \u{85}",
    "echo '\u{9b}31m'",
    "echo '\u{8}'",
    "''",
    "\"\"",
    "'' ls",
    "\\\u{0}",
    "foo: x",
    "ls ${",
    "ls $(",
    "ls `",
    "((1))",
    "((",
    "let",
    "echo @(a|b)",
    "echo +(a)",
    "echo !(a)",
    "echo ?(a)",
    "echo *(a)",
    "a=(b c)",
    "echo a(b)",
    "export A=~/x",
    "export A=(b)",
    "ls (Nom)",
    "ls **",
    "exec >x",
    "exec 3<>/dev/tcp/a/1",
    "cat < /etc/shadow",
    "echo x | sudo tee y",
    "ls\u{b}rm;x",
    "ls\u{c}rm",
    "/bin/sh -c echo && sleep 0",
    "a\\\nb",
];

#[test]
fn literal_words_are_read_as_every_shell_reads_them() {
    for (text, expected) in LITERAL {
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(words(text.as_bytes()), Some(expected), "{text:?}");
    }
}

#[test]
fn anything_else_is_opaque() {
    let read: Vec<_> = OPAQUE.iter().filter(|text| words(text.as_bytes()).is_some()).collect();
    assert!(read.is_empty(), "{read:?}");
}

#[test]
fn every_metacharacter_is_opaque_wherever_it_stands_bare() {
    for char in "$`;&|<>()*?\n\r\0\u{1b}".chars() {
        for text in [
            format!("{char}"),
            format!("{char}ls"),
            format!("ls{char}"),
            format!("ls {char}"),
            format!("ls {char}x"),
            format!("ls x{char}"),
            format!("ls x{char}y"),
            format!("ls 'a'{char}'b'"),
            format!("ls \"a\"{char} z"),
            format!("{char} ls"),
        ] {
            // A newline at the very end only ends the command.
            if char == '\n' && text.ends_with('\n') && text != "\n" && text != "ls 'a'\n'b'" {
                continue;
            }
            assert_eq!(words(text.as_bytes()), None, "{text:?}");
        }
    }
}

#[test]
fn what_is_not_utf8_or_too_long_is_opaque() {
    for bytes in [&b"ls \xff"[..], b"\xc0\xaf", b"ls '\xe9'", b"ls \xed\xa0\x80", b"\xfe\xffl\x00s"]
    {
        assert_eq!(words(bytes), None, "{bytes:?}");
    }
    let long = |length: usize| format!("echo {}", "a".repeat(length - 5));
    assert!(words(long(TEXT_BYTES_MAX).as_bytes()).is_some());
    assert!(words(long(TEXT_BYTES_MAX + 1).as_bytes()).is_none());
}

#[test]
fn nesting_of_any_depth_costs_neither_stack_nor_time() {
    let begun = std::time::Instant::now();
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("${x:-", "}"),
        ("{ ", "; }"),
        ("`", "`"),
        ("\"", "\""),
        ("'", "'"),
        ("$((", "))"),
        ("if a; then ", "; fi"),
        ("[[ ( ", " ) ]]"),
        ("<(", ")"),
        ("\\", ""),
        ("! ", ""),
        ("a ", ""),
        ("'' ", ""),
        ("{", "}"),
        ("[", "]"),
        ("~", ""),
        ("a=", ""),
        ("time ", ""),
        ("\\' ", ""),
        ("\"a\" ", ""),
        ("a'b'\"c\"", ""),
        ("x=y ", ""),
    ] {
        let depth = TEXT_BYTES_MAX / (open.len() + close.len());
        for text in [
            format!("{}{}", open.repeat(depth), close.repeat(depth)),
            format!("ls {}", open.repeat(depth - 3)),
        ] {
            let _ = read(text.as_bytes());
        }
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_tilde_is_read_only_where_it_means_the_directory_that_the_program_starts_in() {
    let reading = |text: &str| words(text.as_bytes()).map(|words| words.join("|"));
    assert_eq!(reading("scp -f ~/x"), Some("scp|-f|./x".into()));
    assert_eq!(reading("scp -t ~"), Some("scp|-t|.".into()));
    assert_eq!(reading("scp -t ~/"), Some("scp|-t|./".into()));
    assert_eq!(reading("scp -f ~"), None);
    assert_eq!(reading("scp -t ~bob/x"), None);
    assert_eq!(reading("scp -t ~//x"), Some("scp|-t|./x".into()));
    let rsync = "rsync --server --sender -logDtpre.iLsfxCIvu . ~/a\\ b";
    assert_eq!(reading(rsync), Some("rsync|--server|--sender|-logDtpre.iLsfxCIvu|.|./a b".into()));
    assert_eq!(reading("ls ~/x"), None);
    assert_eq!(reading("git-upload-pack ~/x"), None);
    assert_eq!(reading("git-upload-pack '~/x'"), Some("git-upload-pack|~/x".into()));
    assert_eq!(reading("scp ~/x"), None);
}
