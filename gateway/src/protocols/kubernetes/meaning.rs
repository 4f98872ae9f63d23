//! A request, read as the API server reads it.
//!
//! Owns the step from a request of HTTP to verb and resource, and what follows from them: where the
//! objects of an answer stand, and what must be neither written back nor recorded. Must not know
//! whether anything is allowed.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, Response, StatusCode};
use model::{
    Access, Action, Domain, FieldPattern, MaskProfile, Object, Operation, RequestFacts,
    ResourceFacts,
};
use wire::kubernetes::Attributes;

use super::super::http::{AnswerBody, Asked, Masks, Meaning, Meant, Recorded, Streams, take};
use super::{accept, schema, selector, status, streams};
use crate::session::{Place, Refusal, RefusalKind};

/// What a name of the query has that is a word of a command.
const COMMAND: &str = "command";
/// Subresources that are verbs of their own, whatever the method.
const VERBS: &[(&str, Action)] = &[
    ("exec", Action::KubeExec),
    ("attach", Action::KubeAttach),
    ("portforward", Action::KubePortForward),
    ("proxy", Action::KubeProxy),
];
/// Where an object stands in an answer, beside its root: in a list, in what a watch tells, in a row
/// of a table, and in a row of a table that a watch tells.
const FRAMES: &[&str] = &["items.*", "object", "rows.*.object", "object.rows.*.object"];
/// Where kubectl keeps the whole object as it was applied last.
const COPIES: &[&str] =
    &["metadata.annotations.\"kubectl.kubernetes.io/last-applied-configuration\""];
/// Members of objects of the core group whose values are bytes, in base64: clients with types decode
/// them, and do not go on where they cannot.
const CODED: &[(&str, &[&str])] = &[("secrets", &["data"]), ("configmaps", &["binaryData"])];
/// Headers by which a client asks to be taken for somebody else begin so.
const OF_OTHERS: &[&str] = &["impersonate-", "x-remote-"];
/// What gives out a credential, or is asked about one: neither is recorded. Group, resource and
/// subresource.
const CREDENTIALS: &[(&str, &str, &str)] =
    &[("", "serviceaccounts", "token"), ("authentication.k8s.io", "tokenreviews", "")];

static FRAME_PATTERNS: LazyLock<Vec<FieldPattern>> = LazyLock::new(|| patterns(FRAMES));
static COPY_PATTERNS: LazyLock<Vec<FieldPattern>> = LazyLock::new(|| patterns(COPIES));

/// What requests mean to an API server.
#[derive(Debug)]
pub(super) struct Cluster;

impl Meaning for Cluster {
    fn means(
        &self,
        facts: &Arc<RequestFacts>,
        query: &str,
        upgrades: bool,
    ) -> Result<Meant, String> {
        let read = Attributes::read(&facts.method, &facts.path, query, &facts.query);
        let read = read.map_err(|unclear| format!("{unclear}: it is unclear what is asked for"))?;
        let action = action(&read);
        check_streams(action, &read, upgrades)?;
        let resource = Arc::new(resource(facts, &read));
        let kind = if upgrades { "upgrade" } else { "request" };
        let object = Object::Resource(Arc::clone(&resource));
        Ok(Meant { accesses: [Access { action, object }].into(), kind, resource: Some(resource) })
    }

    fn place<'a>(&self, asked: &'a Asked) -> Place<'a> {
        match asked.resource() {
            Some(facts) => {
                let (frames, copies) = (&FRAME_PATTERNS[..], &COPY_PATTERNS[..]);
                Place::Objects { facts, frames, copies, coded: coded(facts) }
            }
            None => Place::Path(asked.path()),
        }
    }

    fn has_hosts(&self) -> bool {
        false
    }

    fn holds_values(&self, asked: &Asked) -> bool {
        let is_path = asked.resource().is_none_or(ResourceFacts::is_path);
        !(is_path && schema::is_schema(asked.path()))
    }

    fn strip(&self, headers: &mut HeaderMap) {
        take(headers, |name| OF_OTHERS.iter().any(|prefix| name.as_str().starts_with(prefix)));
    }

    fn refuses_masked(&self, operation: &Operation, masks: &MaskProfile) -> Option<Refusal> {
        operation.accesses.iter().find_map(|access| match &access.object {
            Object::Resource(facts) => refuses_masked(access.action, facts, masks),
            _ => None,
        })
    }

    fn prepare(
        &self,
        asked: &Asked,
        masks: Masks<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), Refusal> {
        if let Some(refusal) = self.refuses_masked(asked.operation(), masks.profile) {
            return Err(refusal);
        }
        let (Some(facts), Some(fields)) = (asked.resource(), masks.fields) else { return Ok(()) };
        let about = masks.profile.fields.iter().filter(|mask| mask.is_about_objects(facts));
        // What is no object is in whatever form it is in: a log, metrics, the answer of a service.
        if facts.has_objects() || fields.has_fields() {
            accept::narrow(headers, accept::shows_tables(facts, about));
        }
        Ok(())
    }

    fn streams(
        &self,
        asked: &Asked,
        wanted: &str,
        headers: &mut HeaderMap,
    ) -> Result<Option<Box<dyn Streams>>, Refusal> {
        let streams = asked.actions().find(|action| is_stream(*action));
        let (Some(action), Some(facts)) = (streams, asked.resource()) else { return Ok(None) };
        streams::offer(action, facts, wanted, headers).map(Some)
    }

    fn recorded(&self, asked: &Asked) -> Recorded {
        let is_credential = asked.resource().is_some_and(|facts| {
            CREDENTIALS.contains(&(&*facts.group, &*facts.resource, &*facts.subresource))
        });
        Recorded { sent: !is_credential, shown: !is_credential }
    }

    fn refused(
        &self,
        refusal: &Refusal,
        status: Option<StatusCode>,
        session: &str,
        _is_grpc: bool,
    ) -> Response<AnswerBody> {
        status::refused(refusal, status, session)
    }
}

fn coded(facts: &ResourceFacts) -> &'static [&'static str] {
    let mut known = CODED
        .iter()
        .filter(|(resource, _)| facts.group.is_empty() && **resource == *facts.resource);
    known.next().map_or(&[], |(_, members)| members)
}

/// Refused is what puts back what it was shown in the place of what is there, and what asks for a
/// value that is not shown.
fn refuses_masked(action: Action, facts: &ResourceFacts, masks: &MaskProfile) -> Option<Refusal> {
    let about = || masks.fields.iter().filter(|mask| mask.is_about_objects(facts));
    about().next()?;
    let because = format!("Fields of {} are masked for this workload.", facts.kind());
    let refused = |message| Refusal::new(RefusalKind::Policy, message).because(because);
    if matches!(action, Action::KubeUpdate | Action::KubePatch) {
        let message = "portcullis: what is masked here would be written back masked";
        let hint = "Delete the object and create it anew, with all its fields.";
        return Some(refused(String::from(message)).with_hint(hint));
    }
    let asked_by = selector::tells(&facts.request.query, about())?;
    let message = format!("portcullis: the {asked_by} would tell what is masked here");
    Some(refused(message).with_hint("Ask without it, and choose among what is shown."))
}

/// The verb that rules name.
fn action(read: &Attributes<'_>) -> Action {
    if !read.is_resource {
        return match &*read.verb {
            "get" | "head" => Action::KubeGet,
            "post" => Action::KubeCreate,
            "put" => Action::KubeUpdate,
            "patch" => Action::KubePatch,
            "delete" => Action::KubeDelete,
            _ => Action::KubeOther,
        };
    }
    if let Some((_, own)) = VERBS.iter().find(|(subresource, _)| *subresource == read.subresource) {
        return *own;
    }
    Action::in_domain(Domain::Kubernetes, &read.verb)
        .filter(|action| action.domain() == Domain::Kubernetes)
        .unwrap_or(Action::KubeOther)
}

const fn is_stream(action: Action) -> bool {
    matches!(action, Action::KubeExec | Action::KubeAttach | Action::KubePortForward)
}

/// Streams are what goes on in another protocol, and nothing else does.
fn check_streams(action: Action, read: &Attributes<'_>, upgrades: bool) -> Result<(), String> {
    match (is_stream(action), upgrades) {
        (true, false) => {
            Err(format!("{action} goes on in SPDY or WebSocket, and was not asked to"))
        }
        (false, true) if action != Action::KubeProxy => {
            let what = if read.is_resource { read.resource } else { "this path" };
            Err(format!("a request for {what} does not go on in another protocol here"))
        }
        _ => Ok(()),
    }
}

fn resource(facts: &Arc<RequestFacts>, read: &Attributes<'_>) -> ResourceFacts {
    let of_path = ResourceFacts::of_path(Arc::clone(facts));
    if !read.is_resource {
        return of_path;
    }
    let runs = read.subresource == "exec";
    let words = facts.query.iter().filter(|(name, _)| runs && **name == *COMMAND);
    ResourceFacts {
        group: read.group.into(),
        version: read.version.into(),
        resource: read.resource.into(),
        // The verb of old says the same.
        subresource: if read.verb == "proxy" { "proxy" } else { read.subresource }.into(),
        namespace: read.namespace.into(),
        name: read.name.as_ref().into(),
        command: words.map(|(_, word)| Arc::clone(word)).collect(),
        ..of_path
    }
}

fn patterns(texts: &[&str]) -> Vec<FieldPattern> {
    texts.iter().filter_map(|text| FieldPattern::parse(text).ok()).collect()
}

#[cfg(test)]
mod tests;
