//! What requests mean at a target, beyond HTTP.
//!
//! Owns the seam to protocols that HTTP carries, and its plainest side: a request that means what it
//! says. Whoever gives requests another meaning says what they ask for, what is masked where, and
//! how a refusal is worded; it has no way of its own to the upstream. Must not decide anything.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use model::{Access, Action, MaskProfile, Object, Operation, RequestFacts, ResourceFacts};

use super::asked::Asked;
use super::body::AnswerBody;
use super::streams::Streams;
use super::words;
use crate::session::{FieldSet, Place, Refusal};

/// What a request means.
#[derive(Clone, Debug)]
pub(in crate::protocols) struct Meant {
    /// What it needs.
    pub(in crate::protocols) accesses: Arc<[Access]>,
    /// The kind of operation, for people.
    pub(in crate::protocols) kind: &'static str,
    /// The resource that it is about, where requests are about resources.
    pub(in crate::protocols) resource: Option<Arc<ResourceFacts>>,
}

/// What of an exchange may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocols) struct Recorded {
    /// The body that is sent.
    pub(in crate::protocols) sent: bool,
    /// The body that is shown.
    pub(in crate::protocols) shown: bool,
}

/// What is masked in an answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::protocols) struct Masks<'a> {
    /// All masks of the decision.
    pub(in crate::protocols) profile: &'a MaskProfile,
    /// Those that are about this answer; `None` where nothing is masked.
    pub(in crate::protocols) fields: Option<&'a FieldSet>,
}

/// What requests mean.
pub(in crate::protocols) trait Meaning: Send + Sync + std::fmt::Debug {
    /// What a request asks for. `query` is as it was sent.
    ///
    /// # Errors
    /// Why that cannot be told, for people.
    fn means(
        &self,
        facts: &Arc<RequestFacts>,
        query: &str,
        upgrades: bool,
    ) -> Result<Meant, String>;

    /// What the bodies of an exchange are, for its masks.
    fn place<'a>(&self, asked: &'a Asked) -> Place<'a> {
        Place::Path(&asked.facts.path)
    }

    /// Whether the host that a request names says what is asked for. Where it does not, one that is not
    /// the target's is taken for the one that was connected to, and the upstream is told that.
    fn has_hosts(&self) -> bool {
        true
    }

    /// Whether an answer may hold anybody's values, so that detectors look through it.
    fn holds_values(&self, _asked: &Asked) -> bool {
        true
    }

    /// Takes out of a request what says who sends it, beyond what no server should believe.
    fn strip(&self, _headers: &mut HeaderMap) {}

    /// Why what the policy allows is refused all the same, for what is masked of it.
    fn refuses_masked(&self, _operation: &Operation, _masks: &MaskProfile) -> Option<Refusal> {
        None
    }

    /// Sees to it that the answer to a request can be masked, before it is sent.
    ///
    /// # Errors
    /// Where what is masked makes it harmful.
    fn prepare(
        &self,
        _asked: &Asked,
        _masks: Masks<'_>,
        _headers: &mut HeaderMap,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// What follows a switch of protocols, offered to the upstream in a form that can be read;
    /// `None` where it is frames of WebSocket, or bytes. `wanted` is what the client asks to go on in.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn streams(
        &self,
        _asked: &Asked,
        _wanted: &str,
        _headers: &mut HeaderMap,
    ) -> Result<Option<Box<dyn Streams>>, Refusal> {
        Ok(None)
    }

    /// What of an exchange may be recorded.
    fn recorded(&self, _asked: &Asked) -> Recorded {
        Recorded { sent: true, shown: true }
    }

    /// Words a refusal.
    fn refused(
        &self,
        refusal: &Refusal,
        status: Option<StatusCode>,
        session: &str,
        is_grpc: bool,
    ) -> Response<AnswerBody> {
        words::refused(refusal, status, session, is_grpc)
    }
}

/// A request means its method on its path.
#[derive(Debug)]
pub(super) struct Plain;

impl Meaning for Plain {
    fn means(&self, facts: &Arc<RequestFacts>, _: &str, upgrades: bool) -> Result<Meant, String> {
        let access = |action| Access { action, object: Object::Request(Arc::clone(facts)) };
        let method = access(Action::of_method(&facts.method));
        let accesses: Arc<[Access]> =
            if upgrades { [method, access(Action::Upgrade)].into() } else { [method].into() };
        let kind = if upgrades { "upgrade" } else { "request" };
        Ok(Meant { accesses, kind, resource: None })
    }
}
