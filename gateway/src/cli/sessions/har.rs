//! A session of HTTP as an archive (HAR 1.2), which browsers' tools and many others read.
//!
//! Owns the form, and telling what a recording has of a request apart: its line, bodies, status and
//! times. Headers are not in a recording, so their lists are empty. Values of queries and bodies are as
//! they were recorded: masked.

use std::time::Duration;

use model::{Effect, OperationNumber, Timestamp};
use serde_json::{Value, json};

use crate::recording::{Entry, OperationOutcome, Record, SessionHeader, Stream};

/// Writes the archive as the entries of a recording come.
#[derive(Debug)]
pub(super) struct Archive {
    started: Timestamp,
    open: Vec<Exchange>,
    count: usize,
}

/// A request, until it has ended.
#[derive(Debug)]
struct Exchange {
    number: OperationNumber,
    at: Duration,
    method: String,
    url: String,
    sent: Vec<u8>,
    shown: Vec<u8>,
    answered_at: Option<Duration>,
    decided: Vec<String>,
}

impl Archive {
    pub(super) const fn new(header: &SessionHeader) -> Self {
        Self { started: header.started_us, open: Vec::new(), count: 0 }
    }

    /// What the file begins with.
    pub(super) fn head(&self, header: &SessionHeader) -> String {
        let creator = json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") });
        let comment = format!("{} of {} to {}", header.session, header.principal, header.target);
        format!(
            "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"comment\":{},\"entries\":[\n",
            json!(comment)
        )
    }

    /// What an entry adds to it.
    pub(super) fn entry(&mut self, entry: &Entry) -> String {
        match &entry.record {
            Record::OperationStarted { operation, text, .. } => {
                self.open.extend(Exchange::new(*operation, entry.at, text));
            }
            Record::Decided { operation, effect, rules, .. } => {
                if let Some(exchange) = self.of(*operation) {
                    let effect = match effect {
                        Effect::Allow => "allowed",
                        Effect::Deny => "denied",
                        Effect::Hold => "held",
                    };
                    let rules: Vec<String> =
                        rules.iter().map(|deciding| deciding.rule.to_string()).collect();
                    exchange.decided.push(format!("{effect} by {}", rules.join(", ")));
                }
            }
            Record::Output { operation: Some(operation), stream, bytes } => {
                if let Some(exchange) = self.of(*operation) {
                    match stream {
                        Stream::Input => exchange.sent.extend_from_slice(bytes),
                        Stream::Output | Stream::Error => {
                            exchange.answered_at.get_or_insert(entry.at);
                            exchange.shown.extend_from_slice(bytes);
                        }
                    }
                }
            }
            Record::OperationEnded { operation, outcome, status, bytes, .. } => {
                let place = self.open.iter().position(|one| one.number == *operation);
                if let Some(place) = place {
                    let exchange = self.open.remove(place);
                    return self.line(&exchange, Some((*outcome, status, *bytes)), entry.at);
                }
            }
            _ => {}
        }
        String::new()
    }

    /// What it ends with; exchanges that did not end come first.
    pub(super) fn end(&mut self) -> String {
        let open = std::mem::take(&mut self.open);
        let mut text: String = open.iter().map(|one| self.line(one, None, one.at)).collect();
        text.push_str("\n]}}\n");
        text
    }

    fn of(&mut self, number: OperationNumber) -> Option<&mut Exchange> {
        self.open.iter_mut().find(|one| one.number == number)
    }

    fn line(
        &mut self,
        exchange: &Exchange,
        end: Option<(OperationOutcome, &str, u64)>,
        at: Duration,
    ) -> String {
        let comma = if self.count == 0 { "" } else { ",\n" };
        self.count += 1;
        format!("{comma}{}", exchange.value(self.started, end, at))
    }
}

impl Exchange {
    /// `None` where the operation is no request.
    fn new(number: OperationNumber, at: Duration, text: &str) -> Option<Self> {
        // One that was held has its body below its line.
        let (method, url) = text.lines().next()?.split_once(' ')?;
        url.starts_with("http").then(|| Self {
            number,
            at,
            method: method.to_owned(),
            url: url.to_owned(),
            sent: Vec::new(),
            shown: Vec::new(),
            answered_at: None,
            decided: Vec::new(),
        })
    }

    fn value(
        &self,
        started: Timestamp,
        end: Option<(OperationOutcome, &str, u64)>,
        at: Duration,
    ) -> Value {
        let (outcome, status, bytes) = end.unwrap_or((OperationOutcome::Abandoned, "no end", 0));
        // `200 application/json`; of what was not answered, words.
        let (code, kind) = status.split_once(' ').unwrap_or((status, ""));
        let code: Option<u16> = code.parse().ok();
        let kind = if code.is_some() { kind } else { "" };
        let milliseconds = |span: Duration| span.as_secs_f64() * 1_000.0;
        let answered = self.answered_at.unwrap_or(at);
        let mut request = json!({
            "method": self.method, "url": self.url, "httpVersion": "", "cookies": [], "headers": [],
            "queryString": query(&self.url), "headersSize": -1, "bodySize": self.sent.len(),
        });
        if let (false, Some(members)) = (self.sent.is_empty(), request.as_object_mut()) {
            let text = String::from_utf8_lossy(&self.sent);
            members.insert("postData".to_owned(), json!({ "mimeType": "", "text": text }));
        }
        let comment = match code {
            Some(_) => self.decided.join("; "),
            None => format!("{}; {} ({status})", self.decided.join("; "), word(outcome)),
        };
        json!({
            "startedDateTime": moment(started.after(self.at)),
            "time": milliseconds(at.saturating_sub(self.at)),
            "request": request,
            "response": {
                "status": code.unwrap_or(0), "statusText": "", "httpVersion": "", "cookies": [],
                "headers": [], "redirectURL": "", "headersSize": -1, "bodySize": bytes,
                "content": content(&self.shown, kind, bytes),
            },
            "cache": {},
            "timings": {
                "send": 0, "wait": milliseconds(answered.saturating_sub(self.at)),
                "receive": milliseconds(at.saturating_sub(answered)),
            },
            "comment": comment,
        })
    }
}

/// A body: as text where it is one, else in base64.
fn content(shown: &[u8], kind: &str, bytes: u64) -> Value {
    use base64::Engine as _;
    let mut content = match std::str::from_utf8(shown) {
        Ok(text) => json!({ "size": bytes, "mimeType": kind, "text": text }),
        Err(_) => {
            let text = base64::engine::general_purpose::STANDARD.encode(shown);
            json!({ "size": bytes, "mimeType": kind, "text": text, "encoding": "base64" })
        }
    };
    if (shown.len() as u64) < bytes
        && let Some(members) = content.as_object_mut()
    {
        members.insert("comment".to_owned(), json!("the recording has its beginning only"));
    }
    content
}

fn query(url: &str) -> Vec<Value> {
    let Some((_, query)) = url.split_once('?') else { return Vec::new() };
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

const fn word(outcome: OperationOutcome) -> &'static str {
    match outcome {
        OperationOutcome::Completed => "completed",
        OperationOutcome::Failed => "failed",
        OperationOutcome::Refused => "refused",
        OperationOutcome::Abandoned => "abandoned",
    }
}

/// As ISO 8601, to the millisecond.
fn moment(moment: Timestamp) -> String {
    i64::try_from(moment.0)
        .ok()
        .and_then(|moment| jiff::Timestamp::from_microsecond(moment).ok())
        .map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
