//! What an operation needs: accesses, each one action on one object.
//!
//! Owns the action words and the shapes of objects. Must not know how a statement is read (`sql`)
//! nor which rule grants it (`policy`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::request::RequestFacts;
use crate::resource::ResourceFacts;

/// The family an action belongs to; a rule's block (`sql:`) speaks of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Being connected at all.
    Session,
    /// SQL statements.
    Sql,
    /// What an SSH connection carries: commands, files, forwards.
    Ssh,
    /// HTTP requests, and the answers to them.
    Http,
    /// What requests ask of the API server of a Kubernetes cluster.
    Kubernetes,
}

impl Domain {
    /// The word of a rule's block.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Sql => "sql",
            Self::Ssh => "ssh",
            Self::Http => "http",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Defines the actions with their domain, word and meaning, so that no list is written twice.
macro_rules! actions {
    ($( $(#[$doc:meta])* $variant:ident = $domain:ident $word:literal, )*) => {
        /// What is done to an object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $( $(#[$doc])* $variant, )*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The words of all, in the same order. A word may be there once for each domain.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word used in rules, audit and explanations.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The family it belongs to.
            #[must_use]
            pub const fn domain(self) -> Domain {
                match self { $(Self::$variant => Domain::$domain,)* }
            }
        }
    };
}

actions! {
    /// Open a session to the target at all.
    Connect = Session "connect",
    /// Read rows.
    Select = Sql "select",
    /// Add rows.
    Insert = Sql "insert",
    /// Change rows.
    Update = Sql "update",
    /// Remove rows.
    Delete = Sql "delete",
    /// `MERGE`, beside the accesses of its branches.
    Merge = Sql "merge",
    /// Empty a table.
    Truncate = Sql "truncate",
    /// Call a function or procedure that is not known to be harmless.
    Execute = Sql "execute",
    /// Create an object.
    Create = Sql "create",
    /// Change an object's definition, its comment, owner or statistics.
    Alter = Sql "alter",
    /// Remove an object.
    Drop = Sql "drop",
    /// `GRANT`, `REVOKE`, roles and their passwords.
    Grant = Sql "grant",
    /// Explicit locks (`LOCK TABLE`, `SELECT FOR UPDATE` is `Update`).
    Lock = Sql "lock",
    /// `VACUUM`, `ANALYZE`, `REINDEX`, `CLUSTER`, `CHECKPOINT`, `REFRESH`.
    Maintain = Sql "maintain",
    /// Set a session setting that is neither harmless nor pinned.
    Set = Sql "set",
    /// `LISTEN`, `NOTIFY`, `UNLISTEN`.
    Notify = Sql "notify",
    /// Read or write files or programs of the server (`COPY .. PROGRAM`, `COPY .. 'file'`).
    ServerFile = Sql "server_file",
    /// Code whose effect cannot be read from the statement (`DO`, `CREATE FUNCTION` bodies).
    Code = Sql "code",
    /// What could not be understood. Only a rule that names it grants it.
    Unknown = Sql "unknown",
    /// Run one command of literal words.
    Exec = Ssh "exec",
    /// Run a text that is not one command of literal words: its effect cannot be read from it.
    Opaque = Ssh "opaque",
    /// Open a login shell.
    Shell = Ssh "shell",
    /// Have a terminal.
    Pty = Ssh "pty",
    /// Pass an environment variable.
    Env = Ssh "env",
    /// Start a subsystem other than `sftp`.
    Subsystem = Ssh "subsystem",
    /// Read a file's content (sftp, scp, rsync).
    Read = Ssh "read",
    /// Write or create a file (sftp, scp, rsync).
    Write = Ssh "write",
    /// Learn what a directory holds, or the attributes of a file.
    List = Ssh "list",
    /// Remove a file or directory.
    Remove = Ssh "remove",
    /// Give a file another name; needed on both names.
    Rename = Ssh "rename",
    /// Make a directory.
    Mkdir = Ssh "mkdir",
    /// Change owner, mode, times or size of a file.
    Attributes = Ssh "attributes",
    /// Make a hard or symbolic link; needed on both names.
    Link = Ssh "link",
    /// `git fetch` and `git clone` over SSH.
    Fetch = Ssh "fetch",
    /// `git push` over SSH.
    Push = Ssh "push",
    /// Have the target connect elsewhere for the workload (`ssh -L`, `-W`, `-J`, `-D`).
    Forward = Ssh "forward",
    /// Have the target listen for the workload (`ssh -R`).
    Listen = Ssh "listen",
    /// Lend the target the workload's SSH agent.
    Agent = Ssh "agent",
    /// Lend the target the workload's X11 display.
    X11 = Ssh "x11",
    /// A `GET` request. The methods of HTTP are in upper case, as they are on the wire: SQL has
    /// a `delete` too.
    Get = Http "GET",
    /// A `HEAD` request.
    Head = Http "HEAD",
    /// A `POST` request.
    Post = Http "POST",
    /// A `PUT` request.
    Put = Http "PUT",
    /// A `PATCH` request.
    Patch = Http "PATCH",
    /// A `DELETE` request.
    HttpDelete = Http "DELETE",
    /// An `OPTIONS` request.
    Options = Http "OPTIONS",
    /// A request of any other method.
    OtherMethod = Http "OTHER",
    /// Go on in another protocol (WebSocket); needed beside the method of the request.
    Upgrade = Http "UPGRADE",
    /// Show the answer to a request. It needs no grant: only denials are asked.
    Answer = Http "ANSWER",
    /// Read one object, or a path that is no resource. The verbs of Kubernetes are its own words:
    /// which domain is meant is never in doubt where one is written.
    KubeGet = Kubernetes "get",
    /// Read the objects of a kind.
    KubeList = Kubernetes "list",
    /// Be told of each change to an object or to the objects of a kind.
    KubeWatch = Kubernetes "watch",
    /// Make an object.
    KubeCreate = Kubernetes "create",
    /// Put a whole object in the place of another.
    KubeUpdate = Kubernetes "update",
    /// Change parts of an object.
    KubePatch = Kubernetes "patch",
    /// Remove an object.
    KubeDelete = Kubernetes "delete",
    /// Remove the objects of a kind.
    KubeDeleteCollection = Kubernetes "deletecollection",
    /// Run a command in a container, whatever the method of the request.
    KubeExec = Kubernetes "exec",
    /// Be joined to what runs in a container.
    KubeAttach = Kubernetes "attach",
    /// Reach ports of a pod through the API server.
    KubePortForward = Kubernetes "portforward",
    /// Speak HTTP with a node, pod or service through the API server.
    KubeProxy = Kubernetes "proxy",
    /// What the API server has no verb for.
    KubeOther = Kubernetes "other",
}

impl Action {
    /// Reads the word that [`Action::as_str`] gives: the first action that has it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == word)
    }

    /// Reads a word where one domain is meant: its own action, or else whichever has the word.
    #[must_use]
    pub fn in_domain(domain: Domain, word: &str) -> Option<Self> {
        let own = |action: &Self| action.domain() == domain && action.as_str() == word;
        Self::ALL.iter().copied().find(own).or_else(|| Self::from_word(word))
    }

    /// Whether only a rule that names it grants it: nobody who grants every verb of Kubernetes
    /// thinks of these.
    #[must_use]
    pub const fn must_be_named(self) -> bool {
        matches!(
            self,
            Self::KubeExec
                | Self::KubeAttach
                | Self::KubePortForward
                | Self::KubeProxy
                | Self::KubeOther
        )
    }

    /// The action of a request by its method. Case counts (RFC 9110 section 9.1).
    #[must_use]
    pub fn of_method(method: &str) -> Self {
        let own = [
            Self::Get,
            Self::Head,
            Self::Post,
            Self::Put,
            Self::Patch,
            Self::HttpDelete,
            Self::Options,
        ];
        own.into_iter().find(|one| one.as_str() == method).unwrap_or(Self::OtherMethod)
    }

    /// Its place in [`Action::ALL`], for tables keyed by action.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// How few and how many parts the name of an object of this action can have. A pattern that
    /// fits none of these can never match.
    #[must_use]
    pub const fn path_parts(self) -> (usize, usize) {
        match self {
            Self::Connect => (1, 1),
            Self::Select
            | Self::Insert
            | Self::Update
            | Self::Delete
            | Self::Merge
            | Self::Truncate
            | Self::Execute => (3, 3),
            Self::Pty | Self::Shell | Self::Env | Self::Subsystem | Self::Agent | Self::X11 => {
                (1, 1)
            }
            _ => (1, 4),
        }
    }

    /// Whether an access of this action can name columns. Where it cannot, it is about the
    /// object as a whole, and a rule that lists columns would never see it.
    #[must_use]
    pub const fn may_name_columns(self) -> bool {
        matches!(
            self,
            Self::Select
                | Self::Insert
                | Self::Update
                | Self::Merge
                | Self::Alter
                | Self::Grant
                | Self::Unknown
        )
    }
}

impl Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The full name of an object from the outside in: `database.schema.name`, or fewer parts for
/// objects that live higher up (a database has one, a role has one). Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectPath(pub Vec<Arc<str>>);

impl ObjectPath {
    /// From its parts, outermost first.
    pub fn new<T: Into<Arc<str>>>(parts: impl IntoIterator<Item = T>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// Which columns of a relation an access touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// No column in particular (`count(*)`, `TRUNCATE`, `DROP`).
    None,
    /// These, sorted, without repetition.
    Named(Vec<Arc<str>>),
    /// Every column, or it could not be told which.
    All,
}

/// What an action is done to. Serialised as the text that [`Display`](fmt::Display) gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A table, view, materialised view, sequence, foreign table: anything rows come from.
    Relation {
        /// `database.schema.name`.
        path: ObjectPath,
        /// The columns touched.
        columns: Columns,
    },
    /// A function, procedure or aggregate.
    Function {
        /// `database.schema.name`; the schema is `*` where the search path decides and the
        /// function was not found in the catalogue.
        path: ObjectPath,
    },
    /// Anything else that has a kind and a name: `database`, `schema`, `role`, `type`,
    /// `extension`, `setting`, `channel`, ...
    Named {
        /// The kind, one word in lower case with underscores.
        kind: &'static str,
        /// Its name.
        path: ObjectPath,
    },
    /// A command: the words that the program will be given, the program first. Never empty.
    Command {
        /// The words.
        words: Arc<[Arc<str>]>,
    },
    /// A file or directory of the target.
    File {
        /// Absolute, without `.`, `..`, empty parts or a slash at the end; `*` where it could not
        /// be found out. Where everything below is meant too, a last part `**` is added: a grant
        /// must then cover the whole tree, and a denial of any part of it applies. Bytes that are not UTF-8 are written as the replacement character, which
        /// no pattern that grants matches.
        path: Arc<str>,
    },
    /// Where a connection goes to or is waited for.
    Endpoint {
        /// A host name in lower case, or an address; `*` for every address of the target.
        host: Arc<str>,
        /// The port; 0 for one that the target chooses. A socket of the file system has none.
        port: u16,
    },
    /// A request over HTTP, or the answer to one.
    Request(Arc<RequestFacts>),
    /// What a request means to an API server: a resource, or a path that is none.
    Resource(Arc<ResourceFacts>),
}

impl Object {
    /// The object's dotted name, where it has one.
    #[must_use]
    pub const fn path(&self) -> Option<&ObjectPath> {
        match self {
            Self::Relation { path, .. } | Self::Function { path } | Self::Named { path, .. } => {
                Some(path)
            }
            Self::Command { .. }
            | Self::File { .. }
            | Self::Endpoint { .. }
            | Self::Request(_)
            | Self::Resource(_) => None,
        }
    }
}

impl fmt::Display for Object {
    /// `shop.public.users(email)`, `shop.pg_catalog.pg_sleep()`, `role bob`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation { path, columns } => {
                write!(f, "{path}")?;
                match columns {
                    Columns::None => Ok(()),
                    Columns::All => f.write_str("(*)"),
                    Columns::Named(names) => {
                        f.write_str("(")?;
                        for (index, name) in names.iter().enumerate() {
                            if index > 0 {
                                f.write_str(", ")?;
                            }
                            f.write_str(name)?;
                        }
                        f.write_str(")")
                    }
                }
            }
            Self::Function { path } => write!(f, "{path}()"),
            Self::Named { kind, path } => write!(f, "{kind} {path}"),
            Self::Command { words } => write_words(f, words),
            Self::File { path } => f.write_str(path),
            Self::Endpoint { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Endpoint { host, port } => write!(f, "{host}:{port}"),
            Self::Request(facts) => facts.fmt(f),
            Self::Resource(facts) => facts.fmt(f),
        }
    }
}

/// Writes the words of a command, each as every shell reads it back.
pub(crate) fn write_words(f: &mut fmt::Formatter<'_>, words: &[Arc<str>]) -> fmt::Result {
    for (index, word) in words.iter().enumerate() {
        write!(f, "{}{}", if index > 0 { " " } else { "" }, Quoted(word))?;
    }
    Ok(())
}

/// A word as every shell reads it back: bare where that is safe, else in single quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
        if !self.0.is_empty() && self.0.bytes().all(is_bare) {
            return f.write_str(self.0);
        }
        write!(f, "'{}'", self.0.replace('\'', "'\\''"))
    }
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One action on one object.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    /// The action.
    pub action: Action,
    /// The object.
    pub object: Object,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_word() {
        for action in Action::ALL {
            assert_eq!(Action::in_domain(action.domain(), action.as_str()), Some(*action));
            assert_eq!(Action::ALL.get(action.index()), Some(action));
            assert_eq!(Action::WORDS.get(action.index()), Some(&action.as_str()));
        }
        assert_eq!(Action::in_domain(Domain::Kubernetes, "delete"), Some(Action::KubeDelete));
        assert_eq!(Action::in_domain(Domain::Kubernetes, "select"), Some(Action::Select));
        assert_eq!(Action::from_word("SELECT"), None);
        assert_eq!(Action::from_word("delete"), Some(Action::Delete));
        assert_eq!(Action::from_word("DELETE"), Some(Action::HttpDelete));
    }

    #[test]
    fn a_method_is_its_action_and_case_counts() {
        assert_eq!(Action::of_method("GET"), Action::Get);
        assert_eq!(Action::of_method("DELETE"), Action::HttpDelete);
        for other in ["get", "PROPFIND", "CONNECT", "UPGRADE", "ANSWER", "OTHER", "", "select"] {
            assert_eq!(Action::of_method(other), Action::OtherMethod, "{other}");
        }
    }

    #[test]
    fn an_access_prints_as_people_say_it() {
        let access = Access {
            action: Action::Select,
            object: Object::Relation {
                path: ObjectPath::new(["shop", "public", "users"]),
                columns: Columns::Named(vec!["email".into(), "id".into()]),
            },
        };
        assert_eq!(access.to_string(), "select on shop.public.users(email, id)");
        let words = ["echo", "it's", "", "a b"].map(Arc::from);
        let exec = Access { action: Action::Exec, object: Object::Command { words: words.into() } };
        assert_eq!(exec.to_string(), r"exec on echo 'it'\''s' '' 'a b'");
        let endpoint = Object::Endpoint { host: "fd00::1".into(), port: 22 };
        assert_eq!(endpoint.to_string(), "[fd00::1]:22");
    }
}
