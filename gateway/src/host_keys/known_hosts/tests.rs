use super::super::testing::{key, keygen, public_text};
use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

fn speaks_of(hosts: &str, name: &str) -> bool {
    let lines = read(&format!("{hosts} {KEY} a comment")).unwrap();
    lines.iter().any(|line| line.speaks_of(name))
}

#[test]
fn names_are_matched_as_openssh_matches_them() {
    for (hosts, name, expected) in [
        ("web1", "web1", true),
        ("WEB1", "web1", true),
        ("web1", "web10", false),
        ("web1,10.0.0.5", "10.0.0.5", true),
        ("web*", "web10", true),
        ("web?", "web10", false),
        ("web?", "web1", true),
        ("*.internal,!db.internal", "web.internal", true),
        ("*.internal,!db.internal", "db.internal", false),
        ("!db.internal", "web.internal", false),
        ("[web1]:2222", "[web1]:2222", true),
        ("[web1]:2222", "web1", false),
        ("web1", "[web1]:2222", false),
        ("[*]:2222", "[web1]:2222", true),
        ("2001:db8::1", "2001:db8::1", true),
        ("*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
    ] {
        assert_eq!(speaks_of(hosts, name), expected, "{hosts} and {name}");
    }
}

#[test]
fn names_that_ssh_keygen_hashed_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let host = key(directory.path(), "host", "ed25519");
    let text = format!("web1,[db1]:2222 {}", public_text(&host));
    std::fs::write(directory.path().join("known"), text).unwrap();
    keygen(directory.path(), &["-H", "-f", "known"]);
    let hashed = std::fs::read_to_string(directory.path().join("known")).unwrap();
    assert!(hashed.starts_with("|1|") && !hashed.contains("web1"), "{hashed}");
    let lines = read(&hashed).unwrap();
    let known = |name: &str| lines.iter().filter(|line| line.speaks_of(name)).count();
    assert_eq!((known("web1"), known("[db1]:2222"), known("db1"), known("web2")), (1, 1, 0, 0));
}

#[test]
fn what_openssh_skips_is_skipped_and_a_revocation_that_cannot_be_read_is_an_error() {
    let text = format!(
        "# a comment\n\n   \nweb1 ssh-ed25519 broken\nweb1\nweb1 ssh-unheard AAAA\n@odd web1 {KEY}\n\
         \t web1 {KEY}\n@cert-authority *.internal {KEY}\n@revoked web9\t{KEY}\n|1|bad|bad {KEY}\n"
    );
    let says: Vec<_> = read(&text).unwrap().iter().map(|line| (line.number, line.says)).collect();
    let expected = [(8, Says::Known), (9, Says::Authority), (10, Says::Revoked)];
    assert_eq!(says, expected);
    assert_eq!(read("web1 nonsense\n@revoked web1 ssh-ed25519 broken").unwrap_err(), 2);
}

#[test]
fn a_list_of_authorities_is_read_whole_or_not_at_all() {
    let text = format!("# ours\n{KEY} the authority\n@cert-authority *.internal {KEY}\n");
    let lines = read_authorities(&text).unwrap();
    assert!(lines.iter().all(|line| line.says == Says::Authority));
    let known = |name: &str| lines.iter().filter(|line| line.speaks_of(name)).count();
    assert_eq!((known("anything"), known("web.internal")), (1, 2));
    assert_eq!(read_authorities(&format!("{KEY}\nweb1 {KEY}\n")).unwrap_err(), 2);
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd_to_be_read(text in "(?s).{0,300}") {
        let _ = read(&text);
        let _ = read_authorities(&text);
        let _ = read(&format!("{text} {KEY}"));
    }
}
