//! Patterns over commands, tried with what people write and with what attackers write.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn pattern(text: &str) -> CommandPattern {
    CommandPattern::parse(text).unwrap()
}

/// Words divided by single spaces; `''` is the empty word.
fn words(text: &str) -> Vec<&str> {
    text.split(' ').map(|word| if word == "''" { "" } else { word }).collect()
}

fn grants(own: &str, command: &str) -> bool {
    pattern(own).matches(&words(command))
}

fn touches(own: &str, command: &str) -> bool {
    pattern(own).may_match(&words(command))
}

#[test]
fn a_command_is_granted_as_it_is_written() {
    assert!(grants("systemctl restart app", "systemctl restart app"));
    for other in [
        "systemctl restart",
        "systemctl restart app web",
        "systemctl restart App",
        "systemctl restart app.service",
        "/bin/systemctl restart app",
        "./systemctl restart app",
        "Systemctl restart app",
        "systemctl --now restart app",
        "systemctl '' restart app",
    ] {
        assert!(!grants("systemctl restart app", other), "{other}");
    }
    assert!(grants("/bin/ls", "/bin/ls") && !grants("/bin/ls", "ls"));
}

#[test]
fn a_star_stands_for_a_run_without_a_slash() {
    let tail = "tail -n * /var/log/app/*.log";
    assert!(grants(tail, "tail -n 5 /var/log/app/today.log"));
    for other in [
        "tail -n 5 /var/log/app/old/today.log",
        "tail -n 5 /var/log/app/../../../etc/x.log",
        "tail -n -f /var/log/app/today.log",
        "tail -n '' /var/log/app/today.log",
        "tail -n 5 /var/log/app/today.log /etc/shadow",
        "tail -n /etc/shadow /var/log/app/a.log",
        "tail -n 5 /var/log//app/today.log",
    ] {
        assert!(!grants(tail, other), "{other}");
    }
}

#[test]
fn a_wildcard_is_never_an_option_nothing_or_a_dot() {
    assert!(grants("cat *", "cat x") && !grants("cat *", "cat -v"));
    assert!(!grants("cat ?*", "cat -v") && !grants("cat *", "cat --"));
    for word in ["''", ".", "..", "/", "/etc", "a/b"] {
        assert!(!grants("rm -r *", &format!("rm -r {word}")), "{word}");
    }
    for word in ["/srv/app/", "/srv/app/.", "/srv/app/..", "/srv/app"] {
        assert!(!grants("rm -r /srv/app/*", &format!("rm -r {word}")), "{word}");
    }
    assert!(grants("cat -* x", "cat -v x"));
    assert!(grants("rm -r /srv/app/..", "rm -r /srv/app/.."));
}

#[test]
fn two_stars_stand_for_any_further_words_that_do_not_climb() {
    assert!(grants("ls **", "ls") && grants("ls **", "ls -la /srv '' ."));
    assert!(grants("ls /srv **", "ls /srv x") && !grants("ls /srv **", "ls"));
    for climbing in ["ls ..", "ls /srv/../etc", "ls ../x", "ls --x=../y", "ls a:.."] {
        assert!(!grants("ls **", climbing), "{climbing}");
    }
}

#[test]
fn an_interpreter_is_granted_only_by_its_name() {
    for program in ["sh", "/bin/sh", "python3.11", "busybox", "sudo", "env", "xargs", "vim", "find"]
    {
        assert!(!grants("* **", &format!("{program} x")), "{program}");
        assert!(!grants("/bin/* **", &format!("{program} x")), "{program}");
    }
    assert!(!grants("py* **", "python3 x") && !grants("b?sh", "bash"));
    assert!(grants("python3.11 /srv/x.py", "python3.11 /srv/x.py"));
    assert!(grants("sh -c *", "sh -c x") && grants("* **", "ls x"));
}

#[test]
fn an_option_that_runs_a_program_is_granted_only_spelt_out() {
    assert!(grants("find /srv **", "find /srv -name x"));
    assert!(!grants("find /srv **", "find /srv -exec sh {} ;"));
    assert!(!grants("tar -* x", "tar -I x") && !grants("tar **", "tar --to-command=sh"));
    assert!(grants("find /srv -delete", "find /srv -delete"));
}

#[test]
fn quotes_make_wildcards_characters() {
    assert!(grants("echo '*'", "echo *") && !grants("echo '*'", "echo a"));
    assert!(grants("echo \\*", "echo *") && grants("echo \"*\"", "echo *"));
    assert!(pattern("echo 'a b' \"c d\"").matches(&["echo", "a b", "c d"]));
    assert!(pattern("echo ''").matches(&["echo", ""]));
    assert!(pattern("echo \"a\\\"b\"").matches(&["echo", "a\"b"]));
    assert!(pattern("echo '**'").matches(&["echo", "**"]));
    assert!(!pattern("echo '**'").matches(&["echo", "a", "b"]));
}

#[test]
fn letters_are_compared_as_they_are() {
    assert!(grants("cat \u{e9}*", "cat \u{e9}a") && !grants("cat \u{e9}*", "cat e\u{301}a"));
    assert!(!grants("cat *", "cat a\u{fffd}") && !grants("cat **", "cat a\nb"));
    assert!(!grants("cat *", "cat \u{0}"));
    // A dash that only looks like one begins no option.
    assert!(grants("cat *", "cat \u{2212}v"));
}

#[test]
fn what_restricts_a_program_touches_it_wherever_it_stands() {
    for command in [
        "rm x",
        "/bin/rm -rf x",
        "./rm",
        "rm",
        "/usr/bin/../bin/rm x",
        "sudo rm -rf x",
        "sudo -u root /bin/rm x",
        "env A=b rm x",
        "busybox rm x",
        "nice -n 5 timeout 3 rm x",
        "xargs rm",
        "find /srv -exec rm {} ;",
    ] {
        assert!(touches("rm **", command), "{command}");
    }
    assert!(pattern("rm **").may_match(&["sh", "-c", "cd /srv; rm -rf x"]));
    assert!(pattern("rm **").may_match(&["bash", "-c", "true&&/bin/rm x"]));
    assert!(!pattern("rm **").may_match(&["sh", "-c", "rmdir x"]));
    for command in ["ls rm", "rmdir x", "docker rm x", "systemctl restart rm"] {
        assert!(!touches("rm **", command), "{command}");
    }
    assert!(touches("python **", "python3.11 x") && touches("/bin/rm **", "rm x"));
}

#[test]
fn what_restricts_words_is_not_walked_around() {
    for command in [
        "systemctl stop app",
        "systemctl --no-block stop app",
        "systemctl -H host stop app",
        "/bin/systemctl stop -q app",
        "systemctl stop -- app",
    ] {
        assert!(touches("systemctl stop app", command), "{command}");
    }
    assert!(!touches("systemctl stop app", "systemctl status app"));
    for command in [
        "cat /etc/shadow",
        "cat //etc/./shadow",
        "cat /srv/../etc/shadow",
        "cat ../../etc/shadow",
        "cat -v /etc/shadow",
    ] {
        assert!(touches("cat /etc/shadow", command), "{command}");
    }
    assert!(touches("cat /etc/*", "cat /etc/ssl/key") && touches("rm *", "rm /etc/x"));
    assert!(!touches("cat /etc/shadow", "cat /etc/hosts"));
}

#[test]
fn a_mistake_is_refused_with_its_reason() {
    use CommandPatternError as E;
    for (text, error) in [
        ("", E::Empty),
        ("  ", E::Empty),
        ("''", E::Empty),
        ("**", E::Rest),
        ("ls ** x", E::Rest),
        ("ls /srv/**", E::Rest),
        ("ls 'x", E::Quote),
        ("ls x\\", E::Quote),
        ("ls; rm x", E::Special(';')),
        ("ls $HOME", E::Special('$')),
        ("ls ~", E::Special('~')),
        ("ls [ab]", E::Special('[')),
        ("a | b", E::Special('|')),
        ("A=b ls", E::Assignment),
        ("ls a\nb", E::Control),
        ("ls 'a\nb'", E::Control),
    ] {
        assert_eq!(CommandPattern::parse(text), Err(error), "{text:?}");
    }
    assert!(grants("dd if=/srv/a", "dd if=/srv/a"));
}

fn word() -> impl Strategy<Value = &'static str> {
    select(vec![
        "ls",
        "rm",
        "/bin/rm",
        "a",
        "-f",
        "--x=y",
        "..",
        "/srv/../a",
        "/srv/a",
        "",
        "sh",
        "*",
    ])
}

fn own() -> impl Strategy<Value = String> {
    let word = select(vec!["ls", "rm", "*", "a*", "-f", "/srv/*", "'*'", "?"]);
    (prop::collection::vec(word, 1..4), any::<bool>())
        .prop_map(|(words, rest)| format!("{}{}", words.join(" "), if rest { " **" } else { "" }))
}

proptest! {
    #[test]
    fn what_is_granted_is_possible(own in own(), command in prop::collection::vec(word(), 1..5)) {
        let own = pattern(&own);
        if own.matches(&command) { prop_assert!(own.may_match(&command)); }
    }

    #[test]
    fn a_command_grants_itself_when_it_is_spelt_out(command in prop::collection::vec("[a-z-][a-z'\\\\ \"$*;é/.-]{0,6}", 1..5)) {
        let quoted: Vec<String> =
            command.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        let own = pattern(&quoted.join(" "));
        prop_assert!(own.matches(&command));
        prop_assert!(own.may_match(&command));
    }

    #[test]
    fn wildcards_grant_no_climbing_and_no_option(
        own in own(), command in prop::collection::vec(word(), 1..5), at in 1_usize..5,
    ) {
        let literal = own.contains("..") || own.contains("-f");
        let mut command = command;
        let at = at.min(command.len());
        command.insert(at, "/srv/../etc");
        prop_assert!(literal || !pattern(&own).matches(&command));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,30}", command in prop::collection::vec(".{0,10}", 0..4)) {
        if let Ok(own) = CommandPattern::parse(&text) {
            _ = (own.matches(&command), own.may_match(&command));
        }
    }
}
