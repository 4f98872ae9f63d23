//! Which streams follow a switch of protocols, and what each is.
//!
//! Owns what is offered to the server (of what the client offers, what can be read here), and the
//! words of the streams: their names and numbers, sizes of terminals, how a command ended. Must not
//! know how frames look (`spdy`, `socket`).

use std::io;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::{Action, ResourceFacts};
use serde::Deserialize;
use tokio::io::copy_bidirectional;

use super::super::http::{Side, Stage, Streams};
use super::{socket, spdy};
use crate::session::{BoxFuture, Refusal, RefusalKind};

/// What a client of SPDY and its server agree on by.
const SPDY_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// The agreements that are read here. They differ in what a client need not send, and in the form of
/// the last word.
const SPDY_PROTOCOLS: &[&str] = &[
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v3.channel.k8s.io",
    "v2.channel.k8s.io",
    "channel.k8s.io",
];
/// The same for WebSocket: one byte before each message says which stream it is of.
const SOCKET_PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// A client may put its token among them, which is nobody's agreement.
const TOKEN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";
/// The size of a terminal of which none was told.
const TERMINAL: (u32, u32) = (80, 24);

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is typed.
    Input,
    /// The output.
    Output,
    /// The error output.
    Error,
    /// The last word: how it ended.
    Status,
    /// Sizes of the terminal.
    Resize,
}

impl Kind {
    /// By its name in SPDY.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "stdin" => Self::Input,
            "stdout" => Self::Output,
            "stderr" => Self::Error,
            "error" => Self::Status,
            "resize" => Self::Resize,
            _ => return None,
        })
    }

    /// By its number in WebSocket.
    pub(super) const fn numbered(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Input,
            1 => Self::Output,
            2 => Self::Error,
            3 => Self::Status,
            4 => Self::Resize,
            _ => return None,
        })
    }
}

/// How streams are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Spdy,
    Socket,
}

/// The streams of a request.
#[derive(Debug)]
struct Offered {
    form: Form,
    /// Whether what they carry is read; ports are passed on as they are.
    are_read: bool,
    in_terminal: bool,
}

/// The streams that follow a request, offered to the server in the form that can be read.
///
/// # Errors
/// Where the client offers no such form.
pub(super) fn offer(
    action: Action,
    facts: &ResourceFacts,
    wanted: &str,
    headers: &mut HeaderMap,
) -> Result<Box<dyn Streams>, Refusal> {
    let are_read = action != Action::KubePortForward;
    let form = match wanted.to_ascii_lowercase().as_str() {
        "spdy/3.1" => Form::Spdy,
        "websocket" => Form::Socket,
        _ => return Err(unread("what it asks to go on in")),
    };
    let (name, known) = match form {
        Form::Spdy => (SPDY_PROTOCOL, SPDY_PROTOCOLS),
        Form::Socket => (header::SEC_WEBSOCKET_PROTOCOL, SOCKET_PROTOCOLS),
    };
    let given = listed(headers, &name);
    let is_offered = |protocol: &&String| {
        !protocol.starts_with(TOKEN_PROTOCOL) && (!are_read || known.contains(&protocol.as_str()))
    };
    let left: Vec<String> = given.iter().filter(is_offered).cloned().collect();
    // Without a word both sides take the oldest agreement: SPDY's is read here.
    if left.is_empty() && are_read && (form == Form::Socket || !given.is_empty()) {
        return Err(unread("every form of streams that it offers"));
    }
    headers.remove(&name);
    for protocol in joined(form, left) {
        let value = HeaderValue::from_str(&protocol).map_err(|_| unread("its form of streams"))?;
        headers.append(&name, value);
    }
    let in_terminal = facts.request.query.iter().any(|(name, value)| {
        **name == *"tty" && !matches!(&**value, "0") && !value.eq_ignore_ascii_case("false")
    });
    Ok(Box::new(Offered { form, are_read, in_terminal }))
}

/// Clients of SPDY say each in a field of its own, and servers read only the first of a list.
fn joined(form: Form, protocols: Vec<String>) -> Vec<String> {
    match form {
        Form::Spdy => protocols,
        Form::Socket if protocols.is_empty() => protocols,
        Form::Socket => vec![protocols.join(", ")],
    }
}

fn listed(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let all = values.flat_map(|list| list.split(',')).map(|one| one.trim().to_owned());
    all.filter(|one| !one.is_empty()).collect()
}

fn unread(what: &str) -> Refusal {
    Refusal::new(RefusalKind::Unreadable, format!("portcullis: {what} is not read here"))
        .with_hint("SPDY/3.1, and WebSocket with v4.channel.k8s.io or v5.channel.k8s.io, are.")
}

impl Streams for Offered {
    fn agrees(&self, headers: &HeaderMap) -> bool {
        let (wanted, name, known) = match self.form {
            Form::Spdy => ("spdy/3.1", SPDY_PROTOCOL, SPDY_PROTOCOLS),
            Form::Socket => ("websocket", header::SEC_WEBSOCKET_PROTOCOL, SOCKET_PROTOCOLS),
        };
        let switches = listed(headers, &header::UPGRADE);
        let agreed = listed(headers, &name);
        let is_known = match agreed.as_slice() {
            [] => self.form == Form::Spdy,
            [one] => known.contains(&one.as_str()),
            _ => false,
        };
        let is_wanted = switches.iter().any(|one| one.eq_ignore_ascii_case(wanted));
        is_wanted && (is_known || !self.are_read)
    }

    fn are_in_terminal(&self) -> bool {
        self.in_terminal && self.are_read
    }

    fn relay<'a>(
        self: Box<Self>,
        mut client: Side,
        mut upstream: Side,
        stage: &'a mut Stage,
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            if !self.are_read {
                let (sent, shown) = copy_bidirectional(&mut client, &mut upstream).await?;
                stage.others += shown;
                stage.ended = Some((format!("{sent} bytes sent, {shown} shown"), true));
                return Ok(());
            }
            if self.in_terminal {
                stage.terminal.opens(TERMINAL.0, TERMINAL.1);
            }
            match self.form {
                Form::Spdy => spdy::relay(client, upstream, stage).await,
                Form::Socket => socket::relay(client, upstream, stage).await,
            }
        })
    }
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Size {
    #[serde(rename = "Width")]
    width: u16,
    #[serde(rename = "Height")]
    height: u16,
}

/// The size that is told last, in columns and rows.
pub(super) fn size(told: &[u8]) -> Option<(u32, u32)> {
    let sizes = serde_json::Deserializer::from_slice(told).into_iter::<Size>();
    let last = sizes.map_while(Result::ok).last()?;
    Some((u32::from(last.width), u32::from(last.height)))
}

/// The last word of the server.
#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    causes: Vec<Cause>,
}

#[derive(Debug, Deserialize)]
struct Cause {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

/// How what ran ended, by the server's last word, and whether well. Of the words of the server only
/// those are kept that are a number or a reason.
pub(super) fn ended(told: &[u8]) -> (String, bool) {
    let Ok(status) = serde_json::from_slice::<Status>(told) else {
        return (String::from("failed"), false);
    };
    if status.status == "Success" {
        return (String::from("exit 0"), true);
    }
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut codes = causes.filter(|cause| cause.reason == "ExitCode");
    match codes.next().and_then(|cause| cause.message.parse::<u32>().ok()) {
        Some(code) => (format!("exit {code}"), code == 0),
        None => {
            let is_word = |c: char| c.is_ascii_alphanumeric();
            let reason: String = status.reason.chars().filter(|c| is_word(*c)).take(64).collect();
            (format!("failed {reason}").trim_end().to_owned(), false)
        }
    }
}

/// What broke the rules of a stream.
pub(super) fn broken(because: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, because)
}

#[cfg(test)]
mod tests;
