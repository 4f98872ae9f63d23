//! Where a forwarded connection goes to, read.
//!
//! Owns the one form that is judged and sent upstream: what is judged is what is connected to.
//! Must not resolve anything: names are resolved at the target, and what a name stands for there
//! is for whoever writes the policy to know. Addresses in forms that resolvers read in their own
//! ways (`127.1`, `0x7f000001`) are refused.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use model::{Access, Action, Object, Operation};

use super::Wanted;

/// Bytes of a host's name (RFC 1035 2.3.4).
const NAME_BYTES_MAX: usize = 253;
/// Bytes of a socket's path (unix(7)).
const PATH_BYTES_MAX: usize = 107;

/// Where a connection goes to, or is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// A port.
    Port {
        /// A name in lower case, or an address; `*` for every address of the target.
        host: Arc<str>,
        /// Its number; 0 for one that the target chooses.
        port: u16,
    },
    /// A socket of the file system, by its absolute path.
    Socket(Arc<str>),
}

/// Why it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Odd {
    /// The host.
    #[error("the host is neither a name nor an address in its usual form")]
    Host,
    /// The port.
    #[error("the port is none")]
    Port,
    /// The path.
    #[error("the path of the socket is not absolute and plain")]
    Path,
}

impl Destination {
    /// Where to connect to.
    pub(super) fn of(wanted: &Wanted) -> Result<Self, Odd> {
        match wanted {
            Wanted::Port { host, port } => {
                let port = u16::try_from(*port).ok().filter(|port| *port != 0).ok_or(Odd::Port)?;
                Ok(Self::Port { host: read_host(host)?, port })
            }
            Wanted::Socket { path } => read_path(path),
        }
    }

    /// Where to listen. An empty host and `*` are every address (RFC 4254 7.1).
    pub(super) fn listening(wanted: &Wanted) -> Result<Self, Odd> {
        match wanted {
            Wanted::Port { host, port } => {
                let port = u16::try_from(*port).map_err(|_| Odd::Port)?;
                let every = host.is_empty() || host == "*";
                let host = if every { "*".into() } else { read_host(host)? };
                Ok(Self::Port { host, port })
            }
            Wanted::Socket { path } => read_path(path),
        }
    }

    /// What the upstream is asked for.
    pub(super) fn asked(&self) -> Wanted {
        match self {
            Self::Port { host, port } => {
                let host = if &**host == "*" { "" } else { host };
                Wanted::Port { host: host.to_owned(), port: u32::from(*port) }
            }
            Self::Socket(path) => Wanted::Socket { path: path.to_string() },
        }
    }

    /// What it takes.
    pub(super) fn operation(&self, action: Action, kind: &str, text: &str) -> Arc<Operation> {
        let object = match self {
            Self::Port { host, port } => Object::Endpoint { host: Arc::clone(host), port: *port },
            Self::Socket(path) => Object::File { path: Arc::clone(path) },
        };
        let text = format!("{text} {object}").into();
        let accesses = [Access { action, object }].into();
        Arc::new(Operation { kind: kind.into(), text, accesses })
    }
}

/// What cannot be read, for the record.
pub(super) fn unreadable(kind: &str, wanted: &Wanted) -> Arc<Operation> {
    let text = match wanted {
        Wanted::Port { host, port } => format!("{kind} {host:?} port {port}"),
        Wanted::Socket { path } => format!("{kind} {path:?}"),
    };
    let object = Object::Endpoint { host: "unreadable".into(), port: 0 };
    let accesses = [Access { action: Action::Unknown, object }].into();
    Arc::new(Operation { kind: kind.into(), text: text.into(), accesses })
}

fn read_host(text: &str) -> Result<Arc<str>, Odd> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Some(address) = inner {
        let address: Ipv6Addr = address.parse().map_err(|_| Odd::Host)?;
        return Ok(plain(IpAddr::V6(address)));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(plain(address));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
    let labels = name.split('.').all(|label| !label.is_empty());
    if !fits || !labels || !name.bytes().all(is_name) || looks_like_a_number(name) {
        return Err(Odd::Host);
    }
    Ok(name.to_ascii_lowercase().into())
}

/// One address, one form: what is mapped into IPv6 is the IPv4 address it maps.
fn plain(address: IpAddr) -> Arc<str> {
    address.to_canonical().to_string().into()
}

/// Whether a resolver could take it for an address: its last label is a number (as inet_aton(3)
/// reads them; no top-level domain is one).
fn looks_like_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let hexadecimal = last.strip_prefix("0x");
    hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || last.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_path(path: &str) -> Result<Destination, Odd> {
    let rest = path.strip_prefix('/').ok_or(Odd::Path)?;
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    let fits = path.len() <= PATH_BYTES_MAX && !path.chars().any(char::is_control);
    if fits && rest.split('/').all(plain) {
        Ok(Destination::Socket(path.into()))
    } else {
        Err(Odd::Path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Result<String, Odd> {
        match Destination::of(&Wanted::Port { host: text.to_owned(), port: 22 })? {
            Destination::Port { host, .. } => Ok(host.to_string()),
            Destination::Socket(_) => Err(Odd::Host),
        }
    }

    #[test]
    fn one_host_has_one_form() {
        for (text, expected) in [
            ("db1", "db1"),
            ("DB1.Internal.", "db1.internal"),
            ("10.0.0.5", "10.0.0.5"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("0:0::0:1", "::1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("[::ffff:7f00:1]", "127.0.0.1"),
            ("x_y-z", "x_y-z"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_resolvers_read_in_their_own_ways_is_refused() {
        for text in [
            "",
            ".",
            "..",
            "a..b",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.01",
            "10.0.0.0x5",
            "10.0.0.5.",
            "fe80::1%eth0",
            "[db1]",
            "db1:22",
            "a b",
            "a\nb",
            "a\0b",
            "d\u{f6}main",
            "*",
            "a/b",
            "a,b",
        ] {
            assert_eq!(host(text), Err(Odd::Host), "{text:?}");
        }
        for port in [0, 65_536, u32::MAX] {
            let wanted = Wanted::Port { host: String::from("db1"), port };
            assert_eq!(Destination::of(&wanted), Err(Odd::Port));
        }
    }

    #[test]
    fn listening_everywhere_has_one_form_and_any_port_may_be_asked_for() {
        for (host, expected) in
            [("", "*"), ("*", "*"), ("localhost", "localhost"), ("0.0.0.0", "0.0.0.0")]
        {
            let wanted = Wanted::Port { host: host.to_owned(), port: 0 };
            let read = Destination::listening(&wanted).unwrap();
            assert_eq!(read, Destination::Port { host: expected.into(), port: 0 });
        }
        let everywhere = Destination::Port { host: "*".into(), port: 8080 };
        assert_eq!(everywhere.asked(), Wanted::Port { host: String::new(), port: 8080 });
    }

    #[test]
    fn a_socket_is_named_by_a_plain_absolute_path() {
        let read = |path: &str| Destination::of(&Wanted::Socket { path: path.to_owned() });
        assert_eq!(read("/run/app.sock"), Ok(Destination::Socket("/run/app.sock".into())));
        for path in [
            "",
            "/",
            "run/app",
            "/run/../x",
            "/run//x",
            "/run/x/",
            "/run/./x",
            "\0abstract",
            "/a\n",
        ] {
            assert_eq!(read(path), Err(Odd::Path), "{path:?}");
        }
    }
}
