//! Command lines that real clients send, and those that none does.

use model::Action;

use crate::{Base, Direction, Git, GitService, Odd, Reading, Transfer, read, transfer};

fn of(text: &str) -> Result<Option<Transfer>, Odd> {
    match read(text.as_bytes()) {
        Reading::Command(command) => transfer(command.words()),
        Reading::Opaque { because } => panic!("{text} is opaque: {because}"),
    }
}

/// `download read+list /srv/** remove /srv/**`
fn told(text: &str) -> String {
    let transfer = match of(text) {
        Ok(Some(transfer)) => transfer,
        Ok(None) => return String::from("command"),
        Err(_) => return String::from("odd"),
    };
    let needs: Vec<String> = transfer
        .needs()
        .iter()
        .map(|need| format!("{} {}", need.action, need.object("/home/u")))
        .collect();
    format!("{}: {}", transfer.kind(), needs.join(", "))
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(told(text), *expected, "{text}");
    }
}

#[test]
fn what_scp_clients_send_is_understood() {
    check(&[
        ("scp -t /tmp/x", "scp upload: write /tmp/x/**"),
        ("scp -r -p -t /tmp/x", "scp upload: write /tmp/x/**, mkdir /tmp/x/**"),
        ("scp -d -t .", "scp upload: write /home/u/**"),
        ("scp -v -t /tmp/../etc/x", "scp upload: write /etc/x/**"),
        ("scp -f /tmp/x", "scp download: read /tmp/x"),
        ("scp -r -p -f ~/x", "scp download: read /home/u/x/**, list /home/u/x/**"),
        ("scp -f -- -x", "scp download: read /home/u/-x"),
        ("scp -f '*.log'", "scp download: read /home/u/*.log"),
        ("scp -pf '/a b'", "scp download: read /a b"),
        ("/usr/bin/scp -qrt x", "scp upload: write /home/u/x/**, mkdir /home/u/x/**"),
        ("scp -f a b", "scp download: read /home/u/a, read /home/u/b"),
        ("scp /a h2:/b", "command"),
        ("/tmp/scp -t /x", "command"),
        ("./scp -t /x", "command"),
    ]);
}

#[test]
fn what_no_scp_client_sends_is_odd() {
    for text in [
        "scp -t",
        "scp -f",
        "scp -t ''",
        "scp -t -f /x",
        "scp -tf /x",
        "scp -t /a /b",
        "scp -S /x -t /y",
        "scp -St /y",
        "scp -oProxyCommand=x -t /y",
        "scp -t /x -S/y",
        "scp -f /x -t",
        "scp -f -F /x",
        "scp -tS /y",
        "scp -D /bin/sh -f /x",
        "scp -J x -t y",
        "scp --t x",
        "scp -t -Sx",
        "scp -f x -r",
    ] {
        assert!(of(text).is_err(), "{text}");
    }
}

#[test]
fn what_rsync_clients_send_is_understood() {
    let send = "rsync --server --sender -logDtpre.iLsfxCIvu";
    let take = "rsync --server -vlogDtpre.iLsfxCIvu";
    let (x, d) = ("/tmp/x", "/tmp/d");
    check(&[
        (&format!("{send} . {x}"), "rsync download: read /tmp/x/**, list /tmp/x/**"),
        (
            &format!("{send} . /tmp/a\\ b /c"),
            "rsync download: read /tmp/a b/**, list /tmp/a b/**, read /c/**, list /c/**",
        ),
        (
            &format!("{take} --delete . {d}"),
            "rsync upload: write /tmp/d/**, mkdir /tmp/d/**, link /tmp/d/**, remove /tmp/d/**",
        ),
        ("rsync --server -e.LsfxCIvu . x", "rsync upload: write /home/u/x/**"),
        ("rsync --server --sender -e.LsfxCIvu . x", "rsync download: read /home/u/x"),
        (
            "rsync --server --sender -de.LsfxCIvu . .",
            "rsync download: read /home/u/**, list /home/u/**",
        ),
        (
            "rsync --server -blHogDtpAXrcze.iLsfxCIvu --log-format=X --timeout=5 --bwlimit=100 \
             --backup-dir /bk '--suffix=~' --delete-excluded --stats --numeric-ids --usermap=\\*:a \
             --groupmap=\\*:b --compare-dest /cd --inplace --remove-source-files . /tmp/d",
            "rsync upload: write /tmp/d/**, mkdir /tmp/d/**, link /tmp/d/**, remove /tmp/d/**, \
             write /bk/**, mkdir /bk/**, read /cd/**",
        ),
        (
            "rsync --server -tre.iLsfxCIvu --link-dest ../old --partial-dir .p . /srv/new",
            "rsync upload: write /srv/new/**, mkdir /srv/new/**, read /srv/old/**, \
             link /srv/old/**, write /srv/new/.p/**, mkdir /srv/new/.p/**",
        ),
        (
            "rsync --server --sender -logDtpRe.LsfxCIvu --files-from /list . /src",
            "rsync download: read /src/**, list /src/**, read /list/**",
        ),
        (
            "rsync --server --sender -logDtpRe.LsfxCIvu --files-from - --from0 . /src",
            "rsync download: read /src/**, list /src/**",
        ),
        ("rsync --server -logDtpRe.LsfxCIvu . /tmp/d", "rsync upload: write *, mkdir *, link *"),
        ("rsync --server -tKre.iLsfxCIvu . /d", "rsync upload: write *, mkdir *"),
        ("rsync -a /a /b", "command"),
        ("/opt/rsync --server . /b", "command"),
    ]);
}

#[test]
fn what_no_rsync_client_sends_is_odd() {
    for text in [
        "rsync --server",
        "rsync --server .",
        "rsync --server --daemon .",
        "rsync --daemon",
        "rsync -a --server . /x",
        "rsync --server -slogDtpre.iLsfxCIvu",
        "rsync --server -slogDtpre.iLsfxCIvu . /x",
        "rsync --server -logDtpre.iLsfxCIvu /x",
        "rsync --server -re.i . /x /y",
        "rsync --server -re.i . /x --log-file=/y",
        "rsync --server -re.i . -x",
        "rsync --server -re.i --log-file=/etc/cron.d/x . /x",
        "rsync --server -re.i -M--log-file=/x . /x",
        "rsync --server -re 'sh -c id' . /x",
        "rsync --server -e . /x",
        "rsync --server '-re;id' . /x",
        "rsync --server -re.i --rsh=sh . /x",
        "rsync --server -re.i --write-devices . /x",
        "rsync --server -re.i --filter 'merge /etc/shadow' . /x",
        "rsync --server -re.i --exclude-from /etc/shadow . /x",
        "rsync --server -re.i --suffix=/../x . /x",
        "rsync --server -re.i --backup-dir= . /x",
        "rsync --server -re.i --backup-dir",
        "rsync --server -re.i --delete=5 . /x",
        "rsync --server -re.i --timeout . ",
        "rsync --server -re.i -T/tmp . /x",
        "rsync --server -re.i -B . /x",
        "rsync --server - . /x",
        "rsync --server -re.i -- . /x",
        "rsync --server --protect-args . /x",
        "rsync --server --sender --copy-as=root . /x",
        "rsync --server=x . /x",
        "rsync --server -Fre.i . /x",
    ] {
        assert!(of(text).is_err(), "{text}: {}", told(text));
    }
}

#[test]
fn what_git_clients_send_is_understood() {
    check(&[
        ("git-upload-pack '/srv/r.git'", "git fetch: fetch /srv/r.git"),
        ("git-receive-pack '/srv/r.git'", "git push: push /srv/r.git"),
        ("git-upload-archive '/x'", "git fetch: fetch /x"),
        ("git upload-pack 'r e.git'", "git fetch: fetch /home/u/r e.git"),
        ("/usr/bin/git-upload-pack '/x'", "git fetch: fetch /x"),
        ("git-upload-pack '~/x'", "git fetch: fetch /home/u/x"),
        ("git-upload-pack '~bob/it'\\''s'\\!'x.git'", "git fetch: fetch *"),
        ("git-receive-pack '/srv/../r'", "git push: push /r"),
        ("git status", "command"),
        ("git -c core.pager=x upload-pack /x", "command"),
        ("git-shell", "command"),
    ]);
    for text in [
        "git-upload-pack",
        "git-upload-pack ''",
        "git-upload-pack --help",
        "git-upload-pack -x /y",
        "git-upload-pack --strict /x",
        "git-upload-pack /x /y",
        "git-receive-pack /x --y",
        "git upload-pack --timeout=1 /x",
        "git-upload-pack 'a\\b'",
        "git receive-pack",
    ] {
        assert!(of(text).is_err(), "{text}");
    }
}

#[test]
fn git_is_sent_its_repository_in_the_form_that_git_shell_reads() {
    for text in [
        "git-upload-pack '/srv/r.git'",
        "git-receive-pack '~bob/it'\\''s'\\!'x.git'",
        "git-upload-archive '!'",
    ] {
        let Reading::Command(command) = read(text.as_bytes()) else { panic!("{text}") };
        let expected = text.replace("'!'", "''\\!''");
        assert_eq!(command.canonical(), expected);
    }
}

#[test]
fn a_transfer_says_its_direction_and_where_relative_paths_begin() {
    let Ok(Some(Transfer::Git(Git { service, repository }))) = of("git-upload-pack '~bob/x'")
    else {
        panic!("not git")
    };
    assert_eq!(service, GitService::UploadPack);
    assert_eq!(repository.base, Base::HomeOf("bob".into()));
    let Ok(Some(transfer)) = of("rsync --server -lre.i --delete . x") else { panic!("not rsync") };
    assert_eq!(transfer.direction(), Direction::Upload);
    assert!(transfer.needs().iter().any(|need| need.action == Action::Remove));
    assert_eq!(transfer.needs()[0].path.resolve("home is not known"), "*");
}
