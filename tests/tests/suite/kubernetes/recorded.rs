//! What a real API server and its clients said, once more with the gateway in between.
//!
//! Owns what must have become of it. `cargo xtask test --kubernetes` looks whether a server still says
//! so; here it is a recording. What is expected is worked out on the parsed objects, apart from how
//! the gateway does it.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde_json::Value;
use tests::web::client::{Answered, WebClient, request};
use tests::web::replay::{Exchange, Stream, exchanges, streams};
use tests::web::{TOKEN, WebServer};
use tests::world::World;
use wire::http::websocket::FrameHead as Message;
use wire::spdy::FrameHead;

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const EMAIL: (&str, &str) = ("customer1@mail.example", "c***@***.example");
/// `***`, as the API writes bytes.
const STARS: &str = "Kioq";

fn world() -> (World, &'static WebServer) {
    super::world_with(|usual| {
        usual.everything_allowed().classification(
            "\n  - { tag: secret, target: shop, resources: [secrets], \
             fields: [\"data.*\", \"stringData.*\"], mask: redact }\n  \
             - { tag: pii.email, detect: email, mask: partial }\n",
        )
    })
}

/// Whether it is about secrets.
fn is_secret(exchange: &Exchange) -> bool {
    exchange.uri.contains("/secrets")
}

fn ask(world: &World, exchange: &Exchange) -> Answered {
    let kind = match exchange.method.as_str() {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let body = exchange.request_body.clone().unwrap_or_default();
    let fields = [
        format!("Accept: {}", exchange.accept),
        format!("Content-Type: {kind}"),
        format!("Content-Length: {}", body.len()),
        "Authorization: Bearer own".to_owned(),
    ];
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let mut client = world.web();
    client.send(request(&exchange.method, &exchange.uri, &fields) + &body);
    client.answer_to(&exchange.method).expect(&exchange.name)
}

fn documents(text: &str) -> Option<Vec<Value>> {
    let all = serde_json::Deserializer::from_str(text).into_iter();
    all.collect::<Result<_, _>>().ok().filter(|all: &Vec<Value>| !all.is_empty())
}

/// What must be shown of an object.
fn mask(value: &mut Value, in_secrets: bool) {
    match value {
        Value::String(text) => *text = text.replace(EMAIL.0, EMAIL.1),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, in_secrets)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &mut *member) {
                    ("data", Value::Object(data)) if in_secrets => {
                        data.values_mut().for_each(|value| *value = STARS.into());
                    }
                    (APPLIED, _) if in_secrets => *member = "***".into(),
                    _ => mask(member, in_secrets),
                }
            }
        }
        _ => {}
    }
}

/// Every value of the recorded answer that must not be shown.
fn hidden(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| hidden(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("data", Value::Object(data)) => {
                        found.extend(data.values().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => hidden(member, found),
                }
            }
        }
        _ => {}
    }
}

fn raw_values() -> Vec<String> {
    let mut found = vec!["canary-secret".to_owned(), "Y2FuYXJ5".to_owned()];
    for exchange in exchanges().iter().filter(|one| is_secret(one)) {
        for document in documents(&String::from_utf8_lossy(&exchange.body)).unwrap_or_default() {
            hidden(&document, &mut found);
        }
    }
    found
}

#[test]
fn every_recorded_answer_is_shown_as_it_is_but_for_what_is_masked() {
    let (world, server) = world();
    let (all, raw) = (exchanges(), raw_values());
    assert!(raw.len() > 4, "{raw:?}");
    for (at, exchange) in all.iter().enumerate() {
        server.replay(at);
        let before = server.seen().len();
        let answered = ask(&world, exchange);
        let name = &exchange.name;
        let secret = is_secret(exchange);
        if secret && ["PUT", "PATCH"].contains(&exchange.method.as_str()) {
            assert_eq!(answered.status, 403, "{name}: {answered:?}");
            assert!(answered.text().contains("masked"), "{name}: {answered:?}");
            assert_eq!(server.seen().len(), before, "{name}");
            continue;
        }
        // The server was asked for a form that can be masked, and answered in it.
        let asked = server.last_seen();
        let accept = asked.header("accept").unwrap();
        let form = |one: &Exchange| {
            (one.method == exchange.method && one.uri == exchange.uri, one.accept == accept)
        };
        let same = all.iter().find(|one| form(one) == (true, true));
        let said = if exchange.accept == accept { exchange } else { same.expect(name) };
        assert_eq!(answered.status, said.status, "{name}: {answered:?}");
        match documents(&String::from_utf8_lossy(&said.body)) {
            Some(mut expected) => {
                expected.iter_mut().for_each(|document| mask(document, secret));
                let shown = documents(&answered.text()).expect(name);
                assert_eq!(shown, expected, "{name}");
            }
            None => {
                let expected = String::from_utf8_lossy(&said.body).replace(EMAIL.0, EMAIL.1);
                assert_eq!(answered.text(), expected, "{name}");
            }
        }
        let text = answered.text();
        assert!(!secret || !raw.iter().any(|value| text.contains(value)), "{name}: {text}");
    }
    tests::assert_eventually!(world.open_connections() == 0);
    let written = world.everything_written();
    let token = all.iter().find(|one| one.name == "a token is asked for").unwrap();
    let token = documents(&String::from_utf8_lossy(&token.body)).unwrap();
    let token = token[0]["status"]["token"].as_str().unwrap();
    for value in raw.iter().map(String::as_str).chain([token, TOKEN, EMAIL.0]) {
        assert!(!written.contains(value), "{value}");
    }
}

/// What is said over SPDY: frames that are no data in their order, and of each stream the bytes, and
/// whether it ended.
type Spoken = (Vec<Vec<u8>>, BTreeMap<u32, (Vec<u8>, bool)>);

fn spdy(mut bytes: &[u8]) -> Spoken {
    let (mut others, mut streams) = (Vec::new(), BTreeMap::<u32, (Vec<u8>, bool)>::new());
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let read = FrameHead::read(*head).unwrap();
        let (payload, rest) = rest.split_at(usize::try_from(read.length()).unwrap());
        match read {
            FrameHead::Data { stream, flags, .. } => {
                let known = streams.entry(stream).or_default();
                known.0.extend(payload);
                known.1 |= flags & 1 == 1;
            }
            FrameHead::Control { .. } => others.push([head.as_slice(), payload].concat()),
        }
        bytes = rest;
    }
    assert!(bytes.is_empty());
    (others, streams)
}

/// What is said over WebSocket, by channel, and the messages that are about the connection.
fn socket(mut bytes: &[u8]) -> (Vec<Vec<u8>>, BTreeMap<u8, Vec<u8>>) {
    let (mut others, mut channels) = (Vec::new(), BTreeMap::<u8, Vec<u8>>::new());
    while let Some((head, length)) = Message::read(bytes).unwrap() {
        let payload_bytes = usize::try_from(head.payload_bytes).unwrap();
        let (payload, rest) = bytes.split_at(length).1.split_at(payload_bytes);
        match payload.split_first() {
            Some((channel, said)) if !head.opcode.is_control() => {
                channels.entry(*channel).or_default().extend(said);
            }
            _ => others.push(payload.to_vec()),
        }
        bytes = rest;
    }
    assert!(bytes.is_empty());
    (others, channels)
}

fn played(world: &World, stream: &Stream) -> Vec<u8> {
    let mut client: WebClient = world.web();
    let fields: Vec<&str> = stream.fields.iter().map(String::as_str).collect();
    client.send(request(&stream.method, &stream.uri, &fields));
    let answered = client.head().unwrap();
    assert_eq!(answered.status, 101, "{}: {answered:?} {}", stream.name, answered.text());
    for (is_client, said) in &stream.turns {
        if *is_client {
            client.stream().write_all(said).unwrap();
        }
    }
    let mut came = client.some();
    let _ = client.stream().read_to_end(&mut came);
    came
}

#[test]
fn every_recorded_stream_is_passed_on_in_both_directions() {
    let (world, server) = world();
    for stream in streams() {
        server.replay_stream(stream.clone());
        let came = played(&world, &stream);
        let turns = stream.turns.iter().filter(|(is_client, _)| !is_client);
        let said: Vec<u8> = turns.flat_map(|(_, said)| said.clone()).collect();
        let name = &stream.name;
        if stream.uri.ends_with("/portforward") {
            assert_eq!(came, said, "{name}");
        } else if stream.fields.iter().any(|field| field.contains("SPDY")) {
            assert_eq!(spdy(&came), spdy(&said), "{name}");
        } else {
            assert_eq!(socket(&came), socket(&said), "{name}");
        }
    }
}
