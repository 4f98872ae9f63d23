use std::sync::Arc;

use model::RequestFacts;

use super::*;

fn facts(query: &[(&str, &str)]) -> ResourceFacts {
    ResourceFacts::of_path(Arc::new(RequestFacts {
        method: "POST".into(),
        host: "a".into(),
        path: "/".into(),
        query: query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        headers: Vec::new(),
        status: None,
    }))
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn offered(
    action: Action,
    wanted: &str,
    pairs: &[(&'static str, &'static str)],
) -> Option<Vec<String>> {
    let mut headers = headers(pairs);
    offer(action, &facts(&[]), wanted, &mut headers).ok()?;
    Some(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect(),
    )
}

const SPDY: &str = "x-stream-protocol-version";
const SOCKET: &str = "sec-websocket-protocol";

#[test]
fn what_can_be_read_is_offered_and_nothing_else() {
    let kubectl = [(SPDY, "v4.channel.k8s.io"), (SPDY, "v3.channel.k8s.io"), (SPDY, "x.y")];
    assert_eq!(
        offered(Action::KubeExec, "SPDY/3.1", &kubectl).unwrap(),
        [
            "x-stream-protocol-version: v4.channel.k8s.io",
            "x-stream-protocol-version: v3.channel.k8s.io"
        ]
    );
    let socket = [(SOCKET, "base64url.bearer.authorization.k8s.io.dG9r, v5.channel.k8s.io, x")];
    assert_eq!(
        offered(Action::KubeAttach, "websocket", &socket).unwrap(),
        ["sec-websocket-protocol: v5.channel.k8s.io"]
    );
    // Ports are passed on in whatever form.
    let ports = [(SOCKET, "v2.portforward.k8s.io, base64url.bearer.authorization.k8s.io.dG9r")];
    assert_eq!(
        offered(Action::KubePortForward, "websocket", &ports).unwrap(),
        ["sec-websocket-protocol: v2.portforward.k8s.io"]
    );
    assert_eq!(offered(Action::KubeExec, "SPDY/3.1", &[]).unwrap(), Vec::<String>::new());
    for (wanted, pairs) in [
        ("websocket", &[][..]),
        ("websocket", &[(SOCKET, "base64.channel.k8s.io")]),
        ("websocket", &[(SOCKET, "base64url.bearer.authorization.k8s.io.dG9r")]),
        ("SPDY/3.1", &[(SPDY, "v9.channel.k8s.io")]),
        ("h2c", &[(SPDY, "v4.channel.k8s.io")]),
        ("SPDY/2", &[]),
    ] {
        assert_eq!(offered(Action::KubeExec, wanted, pairs), None, "{wanted} {pairs:?}");
    }
}

#[test]
fn an_upstream_that_agrees_to_something_else_does_not_agree() {
    let agrees = |form, pairs: &[(&'static str, &'static str)]| {
        Offered { form, are_read: true, in_terminal: false }.agrees(&headers(pairs))
    };
    assert!(agrees(Form::Spdy, &[("upgrade", "SPDY/3.1"), (SPDY, "v4.channel.k8s.io")]));
    assert!(agrees(Form::Spdy, &[("upgrade", "SPDY/3.1")]));
    assert!(agrees(Form::Socket, &[("upgrade", "websocket"), (SOCKET, "v4.channel.k8s.io")]));
    for (form, pairs) in [
        (Form::Spdy, &[("upgrade", "websocket")][..]),
        (Form::Spdy, &[("upgrade", "SPDY/3.1"), (SPDY, "v9.channel.k8s.io")]),
        (Form::Socket, &[("upgrade", "websocket")]),
        (Form::Socket, &[("upgrade", "websocket"), (SOCKET, "base64.channel.k8s.io")]),
        (Form::Socket, &[(SOCKET, "v4.channel.k8s.io")]),
    ] {
        assert!(!agrees(form, pairs), "{form:?} {pairs:?}");
    }
}

#[test]
fn the_last_word_says_how_it_ended_and_nothing_else() {
    for (told, want) in [
        (r#"{"metadata":{},"status":"Success"}"#, ("exit 0", true)),
        (
            r#"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"5"}]}}"#,
            ("exit 5", false),
        ),
        (r#"{"status":"Failure","reason":"InternalError"}"#, ("failed InternalError", false)),
        (
            r#"{"status":"Failure","reason":"a\u001b[2J b@c.example"}"#,
            ("failed a2Jbcexample", false),
        ),
        ("command terminated with exit code 5", ("failed", false)),
    ] {
        let (word, well) = ended(told.as_bytes());
        assert_eq!((word.as_str(), well), want);
    }
}

#[test]
fn the_size_that_is_told_last_counts() {
    assert_eq!(size(b"{\"Width\":120,\"Height\":40}\n"), Some((120, 40)));
    assert_eq!(size(b"{\"Width\":1,\"Height\":2}\n{\"Width\":3,\"Height\":4}\n"), Some((3, 4)));
    assert_eq!(size(b"{\"Width\":-1}"), None);
    assert_eq!(size(b""), None);
}
