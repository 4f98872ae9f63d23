//! Where the paths of a transfer lead, as the target sees them.
//!
//! Owns the questions and what follows from the answers. Must not know a channel (`home` has one),
//! nor what a transfer is for. Ends with the answer to the last question.
//!
//! scp, rsync and git follow links in the paths that they are given. Where paths are strict, what
//! is judged is the path that the target resolves; between that and the transfer somebody else on
//! the target may put a link in the place of a directory, as with SFTP. Links below a path that is
//! transferred as a whole are followed or not as the program does it: whoever may not make links
//! cannot put one there.
//!
//! `scp -t P` writes to `P`, or where `P` is a directory to a file in it by a name that the client
//! says later. Only where the target says that it is no directory is the path itself what is
//! written.

use std::collections::HashMap;
use std::future::Future;

use bytes::Bytes;
use shell::{Need, Reach};
use wire::ssh::sftp::{Answer, Body, StatusCode};

use super::home::UNKNOWN;

/// Paths that are asked for, for one transfer. Those beyond are not known.
const PATHS_MAX: usize = 64;

/// Directories that are asked for, from a path that does not exist upwards.
const PARENTS_MAX: usize = 32;

/// Who answers requests of SFTP; `None` where nobody does.
pub(super) trait Ask {
    /// Sends a request, and waits for its answer.
    fn ask(&mut self, body: Body<'_>) -> impl Future<Output = Option<Bytes>> + Send;
}

/// Whether the target must be asked to know what a transfer is about.
pub(super) fn must_ask(needs: &[Need], strict: bool) -> bool {
    strict || needs.iter().any(|need| need.reach == Reach::Into)
}

/// The paths of a transfer as rules see them, one for each need: as the target resolves them where
/// `strict`, with `/**` where everything below is meant. What cannot be told is [`UNKNOWN`].
pub(super) async fn objects(
    needs: &[Need],
    home: &str,
    strict: bool,
    target: &mut impl Ask,
) -> Vec<String> {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut objects = Vec::with_capacity(needs.len());
    for need in needs {
        let lexical = need.path.resolve(home);
        if need.reach == Reach::Anywhere || lexical == UNKNOWN {
            objects.push(String::from(UNKNOWN));
            continue;
        }
        if strict && !known.contains_key(&lexical) {
            let real = if known.len() < PATHS_MAX { real(target, &lexical).await } else { None };
            known.insert(lexical.clone(), real.unwrap_or_else(|| String::from(UNKNOWN)));
        }
        let path = known.get(&lexical).unwrap_or(&lexical).clone();
        let is_tree = match need.reach {
            Reach::Tree => true,
            Reach::Into => kind(target, &lexical).await == Kind::MayBeDirectory,
            Reach::Itself | Reach::Anywhere => false,
        };
        objects.push(if is_tree && path != UNKNOWN {
            format!("{}/**", path.trim_end_matches('/'))
        } else {
            path
        });
    }
    objects
}

/// What is found at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A directory, or it could not be told.
    MayBeDirectory,
    /// Nothing, or something else.
    NoDirectory,
}

/// What is at the end of an absolute path, links followed.
async fn kind(target: &mut impl Ask, path: &str) -> Kind {
    let answer = target.ask(Body::Stat { path: path.as_bytes() }).await;
    match answer.as_deref().map(Answer::read) {
        Some(Ok((_, Answer::Attributes(attributes)))) if !attributes.may_be_directory() => {
            Kind::NoDirectory
        }
        Some(Ok((_, Answer::Status(status)))) if status.code == StatusCode::NoSuchFile as u32 => {
            Kind::NoDirectory
        }
        _ => Kind::MayBeDirectory,
    }
}

/// The path as the target resolves it: the deepest part of it that exists, with what would be made
/// below. `None` where the target does not say, or where a link leads to nowhere.
async fn real(target: &mut impl Ask, path: &str) -> Option<String> {
    let mut existing = path;
    let mut missing: Vec<&str> = Vec::new();
    for _ in 0..PARENTS_MAX {
        if let Some(real) = whole(target, existing).await {
            let mut real = real.trim_end_matches('/').to_owned();
            for name in missing.iter().rev() {
                real.push('/');
                real.push_str(name);
            }
            return Some(if real.is_empty() { String::from("/") } else { real });
        }
        if !is_absent(target, existing).await {
            return None;
        }
        let (parent, name) = existing.rsplit_once('/')?;
        missing.push(name);
        existing = if parent.is_empty() { "/" } else { parent };
    }
    None
}

async fn whole(target: &mut impl Ask, path: &str) -> Option<String> {
    let answer = target.ask(Body::RealPath { path: path.as_bytes() }).await?;
    match Answer::read(&answer) {
        Ok((_, Answer::Names { first: Some(entry), .. })) if entry.name.starts_with(b"/") => {
            String::from_utf8(entry.name.to_vec()).ok()
        }
        _ => None,
    }
}

/// Whether there is nothing of that name, not even a link.
async fn is_absent(target: &mut impl Ask, path: &str) -> bool {
    let answer = target.ask(Body::Lstat { path: path.as_bytes() }).await;
    matches!(
        answer.as_deref().map(Answer::read),
        Some(Ok((_, Answer::Status(status)))) if status.code == StatusCode::NoSuchFile as u32
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Stdio;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::process::{Child, ChildStdin, ChildStdout, Command};
    use wire::ssh::sftp::{Framer, Request, request};

    use super::*;

    struct Server {
        stdin: ChildStdin,
        stdout: ChildStdout,
        framer: Framer,
        _process: Child,
    }

    impl Server {
        async fn new() -> Self {
            let mut process = Command::new("/usr/lib/openssh/sftp-server")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .expect("openssh-sftp-server");
            let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
            let mut server = Self { stdin, stdout, framer: Framer::default(), _process: process };
            server.stdin.write_all(&request::write_init()).await.unwrap();
            server.packet().await;
            server
        }

        async fn packet(&mut self) -> Bytes {
            loop {
                if let Some(packet) = self.framer.packet().unwrap() {
                    return packet;
                }
                let mut buffer = [0; 4096];
                let count = self.stdout.read(&mut buffer).await.unwrap();
                assert!(count > 0);
                self.framer.push(Bytes::copy_from_slice(&buffer[..count]));
            }
        }
    }

    impl Ask for Server {
        async fn ask(&mut self, body: Body<'_>) -> Option<Bytes> {
            self.stdin.write_all(&Request { id: 1, body }.write()).await.unwrap();
            Some(self.packet().await)
        }
    }

    #[tokio::test]
    async fn a_path_is_where_the_target_says_that_it_leads() {
        let directory = tempfile::TempDir::new().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(root.join("etc/deep")).unwrap();
        fs::create_dir(root.join("app")).unwrap();
        fs::write(root.join("etc/x"), b"").unwrap();
        symlink(root.join("etc"), root.join("app/link")).unwrap();
        symlink(root.join("etc/x"), root.join("app/file")).unwrap();
        symlink(root.join("gone/far"), root.join("app/nowhere")).unwrap();
        let mut server = Server::new().await;
        let root = root.to_str().unwrap();
        for (path, expected) in [
            ("app", Some("app")),
            ("app/link/x", Some("etc/x")),
            ("app/file", Some("etc/x")),
            ("app/link/new", Some("etc/new")),
            ("app/link/new/deeper/still", Some("etc/new/deeper/still")),
            ("app/nowhere", None),
            ("app/nowhere/x", None),
        ] {
            let real = real(&mut server, &format!("{root}/{path}")).await;
            assert_eq!(real, expected.map(|path| format!("{root}/{path}")), "{path}");
        }
        assert_eq!(real(&mut server, "/").await.as_deref(), Some("/"));
        for (path, expected) in [
            ("app", Kind::MayBeDirectory),
            ("app/link", Kind::MayBeDirectory),
            ("app/file", Kind::NoDirectory),
            ("app/new", Kind::NoDirectory),
        ] {
            assert_eq!(kind(&mut server, &format!("{root}/{path}")).await, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_transfer_is_about_what_its_paths_lead_to() {
        let directory = tempfile::TempDir::new().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        symlink(root.join("etc"), root.join("link")).unwrap();
        fs::write(root.join("etc/x"), b"").unwrap();
        let root = root.to_str().unwrap();
        let mut server = Server::new().await;
        for (text, strict, expected) in [
            ("scp -f link/x", true, &["etc/x"][..]),
            ("scp -f link/x", false, &["link/x"]),
            ("scp -t link", true, &["etc/**"]),
            ("scp -t link", false, &["link/**"]),
            ("scp -t link/x", true, &["etc/x"]),
            ("scp -t link/new", true, &["etc/new"]),
            ("scp -r -f link", true, &["etc/**", "etc/**"]),
            ("git-upload-pack 'link'", true, &["etc"]),
        ] {
            let shell::Reading::Command(command) = shell::read(text.as_bytes()) else { panic!() };
            let needs = shell::transfer(command.words()).unwrap().unwrap().needs();
            let objects = objects(&needs, root, strict, &mut server).await;
            let expected: Vec<_> = expected.iter().map(|path| format!("{root}/{path}")).collect();
            assert_eq!(objects, expected, "{text}");
            assert!(must_ask(&needs, strict) || text.contains("-f"));
        }
    }

    struct Silent;

    impl Ask for Silent {
        async fn ask(&mut self, _: Body<'_>) -> Option<Bytes> {
            None
        }
    }

    #[tokio::test]
    async fn a_target_that_does_not_answer_leaves_everything_open() {
        assert_eq!(real(&mut Silent, "/srv").await, None);
        let shell::Reading::Command(command) = shell::read(b"scp -t /srv/x") else { panic!() };
        let needs = shell::transfer(command.words()).unwrap().unwrap().needs();
        assert_eq!(objects(&needs, UNKNOWN, true, &mut Silent).await, ["*"]);
        assert_eq!(objects(&needs, UNKNOWN, false, &mut Silent).await, ["/srv/x/**"]);
        let shell::Reading::Command(command) = shell::read(b"scp -f x") else { panic!() };
        let needs = shell::transfer(command.words()).unwrap().unwrap().needs();
        assert_eq!(objects(&needs, UNKNOWN, false, &mut Silent).await, ["*"]);
        assert_eq!(kind(&mut Silent, "/srv").await, Kind::MayBeDirectory);
    }
}
