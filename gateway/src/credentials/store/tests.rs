use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use insta::assert_snapshot;
use model::{Clock, Timestamp};

use super::*;
use crate::credentials::SECRET_BYTES_MAX;
use crate::tls::HostDialer;

#[derive(Debug)]
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(0)
    }
}

#[derive(Debug, Default)]
struct Variables(Vec<(&'static str, OsString)>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

fn store(variables: &[(&'static str, &str)]) -> CredentialStore {
    let variables = variables.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
    of(Variables(variables))
}

fn of(environment: Variables) -> CredentialStore {
    let clock = Arc::new(Standstill);
    CredentialStore::new(Arc::new(environment), Arc::new(Tokens::new(Arc::new(HostDialer), clock)))
}

fn bare_store() -> CredentialStore {
    store(&[])
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn read(store: &CredentialStore, path: &Path) -> Result<String, String> {
    let secret = store.secret(&SourceSettings::File(path.to_owned()));
    secret.map(|secret| secret.expose().clone()).map_err(|error| error.to_string())
}

#[test]
fn one_line_end_is_not_part_of_a_secret() {
    let (store, directory) = (store(&[]), tempfile::tempdir().unwrap());
    for (at, (text, secret)) in [
        ("s", "s"),
        ("s\n", "s"),
        ("s\r\n", "s"),
        ("s\n\n", "s\n"),
        (" s ", " s "),
        ("a\nb", "a\nb"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = directory.path().join(at.to_string());
        write(&path, text);
        assert_eq!(read(&store, &path).as_deref(), Ok(secret));
    }
}

#[test]
fn a_secret_is_read_again_when_its_file_changes_and_forgotten_when_it_is_gone() {
    let (store, directory) = (store(&[]), tempfile::tempdir().unwrap());
    let path = directory.path().join("password");
    write(&path, "first");
    assert_eq!(read(&store, &path).as_deref(), Ok("first"));
    assert_eq!(read(&store, &path).as_deref(), Ok("first"));
    let beside = directory.path().join("new");
    write(&beside, "second");
    fs::rename(&beside, &path).unwrap();
    assert_eq!(read(&store, &path).as_deref(), Ok("second"));
    write(&path, "third, in place");
    assert_eq!(read(&store, &path).as_deref(), Ok("third, in place"));
    fs::remove_file(&path).unwrap();
    assert!(read(&store, &path).unwrap_err().contains("No such file"));
    assert!(store.files.lock().is_empty());
}

#[test]
fn a_file_that_others_can_read_or_change_is_refused_also_after_it_was_good() {
    let (store, directory) = (store(&[]), tempfile::tempdir().unwrap());
    let path = directory.path().join("password");
    write(&path, "secret");
    read(&store, &path).unwrap();
    for mode in [0o604, 0o644, 0o620, 0o602, 0o601, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = read(&store, &path).unwrap_err();
        assert!(refused.contains("lets others read or change it"), "{mode:o}: {refused}");
    }
    for mode in [0o400, 0o440, 0o640] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read(&store, &path).as_deref(), Ok("secret"), "{mode:o}");
    }
    chown(&path, Some(64_001), None).expect("changing owners takes root");
    assert!(read(&store, &path).unwrap_err().contains("it belongs to user 64001"));
}

#[test]
fn only_a_plain_file_with_a_bounded_text_is_a_secret() {
    let (store, directory) = (store(&[]), tempfile::tempdir().unwrap());
    let place = |name: &str| directory.path().join(name);
    let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
    nix::unistd::mkfifo(&place("pipe"), mode).unwrap();
    assert!(read(&store, &place("pipe")).unwrap_err().contains("not a plain file"));
    assert!(read(&store, directory.path()).unwrap_err().contains("not a plain file"));
    write(&place("empty"), "\n");
    write(&place("large"), "x".repeat(SECRET_BYTES_MAX + 1));
    write(&place("binary"), [0xff]);
    for name in ["empty", "large", "binary"] {
        assert!(read(&store, &place(name)).unwrap_err().contains("holds no secret"), "{name}");
    }
    write(&place("largest"), "x".repeat(SECRET_BYTES_MAX));
    read(&store, &place("largest")).unwrap();
}

#[test]
fn variables_and_systemd_credentials_are_read() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("db"), "from systemd\n");
    let variables = [
        ("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap()),
        ("PASSWORD", "from a variable"),
        ("EMPTY", ""),
    ];
    let store = store(&variables);
    let secret = |source: SourceSettings| {
        store.secret(&source).map(|secret| secret.expose().clone()).map_err(|e| e.to_string())
    };
    let variable = |name: &str| secret(SourceSettings::Environment(name.to_owned()));
    let systemd = |name: &str| secret(SourceSettings::Systemd(name.to_owned()));
    assert_eq!(variable("PASSWORD").as_deref(), Ok("from a variable"));
    assert_eq!(systemd("db").as_deref(), Ok("from systemd"));
    assert_snapshot!(variable("EMPTY").unwrap_err(), @"the environment variable `EMPTY` is not set for the daemon, or empty");
    assert_snapshot!(variable("MISSING").unwrap_err(), @"the environment variable `MISSING` is not set for the daemon, or empty");
    for name in ["", ".", "..", "../db", "/etc/passwd"] {
        assert!(systemd(name).unwrap_err().contains("is no name"), "{name}");
    }
    let bare = bare_store();
    let source = SourceSettings::Systemd(String::from("db"));
    assert_snapshot!(bare.secret(&source).unwrap_err(), @"the credential `db` was not handed over: $CREDENTIALS_DIRECTORY is not set; add LoadCredential=db:/path to the daemon's unit");
    let odd = Variables(vec![("ODD", OsString::from_vec(vec![0xff]))]);
    let odd = of(odd);
    let source = SourceSettings::Environment(String::from("ODD"));
    assert_snapshot!(odd.secret(&source).unwrap_err(), @"the environment variable `ODD` is not UTF-8");
}

#[test]
fn a_target_may_ask_for_no_password() {
    let settings = settings("report_ro", None);
    let credential = store(&[]).credential(&settings).unwrap();
    assert_eq!(credential.user.as_deref(), Some("report_ro"));
    assert!(credential.password.is_none());
}

#[test]
fn d4_a_secret_is_in_no_text_about_it() {
    const CANARY: &str = "canary-2b91";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    write(&path, CANARY);
    let store = store(&[]);
    let password = Some(SourceSettings::File(path.clone()));
    let settings = settings("u", password);
    let credential = store.credential(&settings).unwrap();
    assert_eq!(credential.password.as_ref().unwrap().expose(), CANARY);
    let mut texts = vec![format!("{credential:?} {store:?} {settings:?} {credential:#?}")];
    for damage in ["mode", "size"] {
        match damage {
            "mode" => fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap(),
            _ => write(&path, format!("{CANARY}{}", "x".repeat(SECRET_BYTES_MAX))),
        }
        let error = store.credential(&settings).unwrap_err();
        texts.push(format!("{error} {error:?}"));
    }
    // As a field of an event, in both ways tracing can take it.
    let log = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || Sink(Arc::clone(&sink)))
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::error!(?credential, ?store, password = ?credential.password, "canary");
    });
    let log = String::from_utf8(log.lock().clone()).unwrap();
    assert!(log.contains("redacted"), "the event was not written: {log}");
    texts.push(log);
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
    }
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn settings(user: &str, password: Option<SourceSettings>) -> CredentialSettings {
    CredentialSettings {
        user: Some(user.to_owned()),
        password,
        private_key: None,
        certificate: None,
        http: None,
    }
}

#[test]
fn a_private_key_is_kept_as_a_secret_and_its_certificate_must_be_nobodys_to_change() {
    let directory = tempfile::tempdir().unwrap();
    let (key, certificate) = (directory.path().join("key"), directory.path().join("key-cert.pub"));
    write(&key, "canary-private-key");
    fs::write(&certificate, "ssh-ed25519-cert-v01@openssh.com AAAA\n").unwrap();
    fs::set_permissions(&certificate, fs::Permissions::from_mode(0o644)).unwrap();
    let settings = CredentialSettings {
        user: None,
        password: None,
        private_key: Some(SourceSettings::File(key)),
        certificate: Some(certificate.clone()),
        http: None,
    };
    let credential = store(&[]).credential(&settings).unwrap();
    assert!(!format!("{credential:?}").contains("canary"));
    assert_eq!(credential.private_key.unwrap().expose(), "canary-private-key");
    let text = credential.certificate.unwrap();
    assert_eq!(text, "ssh-ed25519-cert-v01@openssh.com AAAA");
    fs::set_permissions(&certificate, fs::Permissions::from_mode(0o664)).unwrap();
    assert!(store(&[]).credential(&settings).unwrap_err().to_string().contains("chmod 600"));
}

#[test]
fn every_secret_of_a_credential_for_http_is_read_and_kept_as_one() {
    use crate::credentials::{HttpCredential, HttpCredentialSettings};
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = directory.path().join(name);
        write(&path, format!("canary-{name}"));
        SourceSettings::File(path)
    };
    let read = |http: HttpCredentialSettings| {
        let settings = CredentialSettings { http: Some(http), ..CredentialSettings::default() };
        let credential = store(&[]).credential(&settings)?;
        assert!(!format!("{credential:?}").contains("canary"));
        Ok::<_, CredentialError>(credential.http.unwrap())
    };
    let HttpCredential::Bearer(token) =
        read(HttpCredentialSettings::Bearer(file("token"))).unwrap()
    else {
        panic!()
    };
    assert_eq!(token.expose(), "canary-token");
    let aws = HttpCredentialSettings::Aws {
        access_key_id: "AKIA1".into(),
        secret_access_key: file("key"),
        session_token: Some(file("session")),
        region: "eu-central-1".into(),
        service: "s3".into(),
    };
    let HttpCredential::Aws { secret_access_key, session_token, .. } = read(aws).unwrap() else {
        panic!()
    };
    assert_eq!(secret_access_key.expose(), "canary-key");
    assert_eq!(session_token.unwrap().expose(), "canary-session");
    let missing = SourceSettings::File(directory.path().join("missing"));
    let basic = HttpCredentialSettings::Basic { user: "u".into(), password: missing };
    assert!(read(basic).unwrap_err().to_string().contains("missing"));
    assert!(matches!(read(HttpCredentialSettings::None), Ok(HttpCredential::None)));
}
