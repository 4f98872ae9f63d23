//! From the client to the upstream.
//!
//! Owns what becomes of each request. Must not know the queues' readers. Every request has one
//! answer: the upstream's, or one from here.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use wire::ssh::sftp::{
    Body, Extension, OpenFlags, Packet, Request, StatusCode, VERSION, Violation, answer, request,
};

use super::authority::{Authority, Ended};
use super::front::{Front, Question, Step};
use super::handles::{Handle, Name, Opening};
use super::owed::{Asked, Expects, Owed};
use super::plan::plan;
use super::{HANDLES_MAX, OWED_MAX, Over, Phase, Relay, TOLD_MAX, paths};
use crate::session::{OperationOutcome, Refusal};

impl<A: Authority> Relay<A> {
    /// Takes bytes of the client's.
    pub(super) fn take_requests(&mut self, bytes: Bytes) -> Result<(), Over> {
        self.client.push(bytes);
        while let Some(packet) = self.client.framed().map_err(Over::BrokenByClient)? {
            if matches!(self.phase, Phase::Silent) {
                let version = request::read_init(packet.head()).map_err(Over::BrokenByClient)?;
                if version < VERSION {
                    return Err(Over::BrokenByClient(Violation::Value { field: "version" }));
                }
                self.to_upstream.protocol(request::write_init().into());
                self.phase = Phase::Greeted;
            } else {
                self.waiting_bytes += packet.len();
                self.waiting.push_back(packet);
            }
        }
        Ok(())
    }

    /// Takes requests that wait, as far as their order allows.
    pub(super) fn advance(&mut self) {
        if !matches!(self.phase, Phase::Open(_)) {
            return;
        }
        while self.owed.len() < OWED_MAX
            && let Some(index) = self.eligible()
            && let Some(packet) = self.waiting.remove(index)
        {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(packet.len());
            self.dispatch(packet);
        }
    }

    /// Which of the waiting requests may be taken now.
    fn eligible(&self) -> Option<usize> {
        match &self.front {
            None => (!self.waiting.is_empty()).then_some(0),
            Some(front) if front.is_held() => self.overtaking(front),
            Some(_) => None,
        }
    }

    /// The first request that may overtake one that is held: on a handle that nothing before it
    /// names, to a file that nothing before it is about.
    fn overtaking(&self, front: &Front<A>) -> Option<usize> {
        let targets = front.plan.targets.iter();
        let mut about: Vec<Vec<u8>> =
            targets.flat_map(|target| [target.path.clone(), target.judged().to_vec()]).collect();
        let mut named: Vec<&[u8]> = Vec::new();
        for (index, packet) in self.waiting.iter().enumerate() {
            let Ok(Request { body, .. }) = packet.request() else { return Some(index) };
            let of_handle = handle_of(&body).map(|name| (name, self.handles.get(name)));
            match (plan(&body, &self.home, Some(b"/")), of_handle) {
                (None, Some((name, handle))) => {
                    let path = handle.map(|handle| &handle.opening.path);
                    let is_free =
                        path.is_none_or(|path| !about.iter().any(|one| paths::related(one, path)));
                    if is_free && !named.contains(&name) {
                        return Some(index);
                    }
                    named.push(name);
                }
                (None, None) => return Some(index),
                (Some(plan), of_handle) => {
                    about.extend(plan.targets.into_iter().map(|target| target.path));
                    named.extend(of_handle.map(|(name, _)| name));
                }
            }
        }
        None
    }

    fn dispatch(&mut self, packet: Packet) {
        let Request { id, body } = match packet.request() {
            Ok(request) => request,
            Err(violation) => return self.not_understood(packet.head(), &violation),
        };
        match body {
            Body::RealPath { path } => {
                let name = paths::absolute(&self.home, path);
                self.to_client.push(answer::write_name(id, &name).into());
            }
            Body::Extended(extension) => {
                self.extended(Bytes::copy_from_slice(packet.head()), id, &extension);
            }
            Body::Read { .. }
            | Body::Write { .. }
            | Body::Close { .. }
            | Body::Fstat { .. }
            | Body::ReadDir { .. } => {
                // It goes on as it came, under an id of ours: content is not copied.
                if let Some((own, name)) = self.on_handle(id, &body)
                    && let Some(pieces) = packet.under(own)
                {
                    self.forward_on_handle(&name, pieces);
                }
            }
            _ => self.on_paths(Bytes::copy_from_slice(packet.head()), id, &body),
        }
        // The last answer to a decision that needed no waiting is not waited for.
        self.judge_if_resolved();
    }

    fn not_understood(&mut self, packet: &[u8], violation: &Violation) {
        let Some(id) = request::id_of(packet) else { return };
        let code = match violation {
            Violation::Type(_) => StatusCode::OpUnsupported,
            _ => StatusCode::BadMessage,
        };
        self.answer(id, code, &format!("portcullis: {violation}"));
    }

    pub(super) fn answer(&mut self, id: u32, code: StatusCode, message: &str) {
        self.to_client.push(answer::write_status(id, code, message).into());
    }

    fn extended(&mut self, packet: Bytes, id: u32, extension: &Extension<'_>) {
        let Phase::Open(version) = &self.phase else { return };
        let name = extension.name();
        if !version.extensions.iter().any(|(known, _)| known.as_bytes() == name) {
            let message = "portcullis: this extension is not offered";
            return self.answer(id, StatusCode::OpUnsupported, message);
        }
        match extension {
            Extension::ExpandPath { path } if in_own_home(path) => {
                let below = path
                    .strip_prefix(b"~")
                    .map_or(*path, |path| path.strip_prefix(b"/").unwrap_or(path));
                let name = paths::absolute(&self.home, below);
                self.to_client.push(answer::write_name(id, &name).into());
            }
            Extension::HomeDirectory { user: b"" } => {
                self.to_client.push(answer::write_name(id, &self.home).into());
            }
            Extension::Limits => {
                let own = self.id();
                let body = Body::Extended(Extension::Limits);
                self.to_upstream.protocol(Request { id: own, body }.write().into());
                self.owed.insert(own, Owed::Limits { client: id });
            }
            Extension::Fsync { .. } | Extension::FstatVfs { .. } | Extension::CopyData { .. } => {
                let body = Body::Extended(*extension);
                if let Some((own, name)) = self.on_handle(id, &body) {
                    self.forward_on_handle(&name, [Request { id: own, body }.write().into()]);
                }
            }
            _ => self.on_paths(packet, id, &Body::Extended(*extension)),
        }
    }

    /// A request on something open was granted when that was opened. Answered with the id and the
    /// handle that it goes on under; `None` where it was answered here.
    fn on_handle(&mut self, id: u32, body: &Body<'_>) -> Option<(u32, Name)> {
        match self.take_on_handle(id, body) {
            Ok(taken) => Some(taken),
            Err((code, message)) => {
                self.answer(id, code, message);
                None
            }
        }
    }

    fn forward_on_handle(&mut self, name: &Name, packet: impl IntoIterator<Item = BytesMut>) {
        if let Some(handle) = self.handles.get(name) {
            for piece in packet {
                self.to_upstream.forward::<A>(&handle.receipt, piece);
            }
        }
    }

    fn take_on_handle(
        &mut self,
        client: u32,
        body: &Body<'_>,
    ) -> Result<(u32, Name), (StatusCode, &'static str)> {
        const DENIED: &str = "portcullis: it was not opened for this";
        const UNKNOWN: (StatusCode, &str) = (StatusCode::Failure, "portcullis: no such handle");
        let own = self.id();
        let name = handle_of(body).ok_or(UNKNOWN)?;
        if let Body::Extended(Extension::CopyData { to, .. }) = body {
            let to = self.handles.get_mut(*to).filter(|to| !to.closing).ok_or(UNKNOWN)?;
            if !to.opening.writes || to.revoked {
                return Err((StatusCode::PermissionDenied, DENIED));
            }
            to.written.spoil();
        }
        let (key, _) = self.handles.get_key_value(name).ok_or(UNKNOWN)?;
        let key = Arc::clone(key);
        let handle = self.handles.get_mut(name).filter(|to| !to.closing).ok_or(UNKNOWN)?;
        let granted = match body {
            Body::Close { .. } => true,
            _ if handle.revoked => false,
            Body::Read { .. } | Body::Extended(Extension::CopyData { .. }) => {
                handle.opening.reads && !handle.opening.is_directory
            }
            Body::ReadDir { .. } => handle.opening.is_directory,
            Body::Write { .. } | Body::Extended(Extension::Fsync { .. }) => handle.opening.writes,
            _ => true,
        };
        if !granted {
            return Err((StatusCode::PermissionDenied, DENIED));
        }
        let asked = asked(handle, body);
        self.owed.insert(own, Owed::Handle { client, name: Arc::clone(&key), asked });
        Ok((own, key))
    }

    /// A request on paths is resolved and judged.
    fn on_paths(&mut self, packet: Bytes, id: u32, body: &Body<'_>) {
        let of_handle = match body {
            Body::FsetStat { handle, .. } => {
                self.handles.get(*handle).filter(|handle| !handle.closing)
            }
            _ => None,
        };
        let of_handle = of_handle.map(|handle| handle.opening.path.as_slice());
        let Some(plan) = plan(body, &self.home, of_handle) else {
            return self.answer(id, StatusCode::Failure, "portcullis: no such handle");
        };
        let opens = matches!(body, Body::Open { .. } | Body::OpenDir { .. });
        if opens && self.handles.len() >= HANDLES_MAX {
            return self.answer(id, StatusCode::Failure, "portcullis: too many open files");
        }
        let (front, questions) = Front::begin(packet, id, plan, self.strict);
        self.front = Some(front);
        for (target, question) in questions {
            self.ask(target, question);
        }
    }

    /// Asks the upstream about a path of the request that is being decided.
    pub(super) fn ask(&mut self, target: usize, question: Question) {
        let own = self.id();
        let Some(body) = self.front.as_ref().and_then(|front| front.ask(target, question)) else {
            return;
        };
        self.to_upstream.protocol(Request { id: own, body }.write().into());
        self.owed.insert(own, Owed::Resolve { target, question });
    }

    /// Asks the session, once the upstream has answered all.
    pub(super) fn judge_if_resolved(&mut self) {
        if let Some(front) = self.front.as_mut().filter(|front| front.is_resolved()) {
            front.judge(self.authority.clone());
        }
    }

    /// Takes what came of the request that is being decided.
    pub(super) async fn stepped(&mut self, step: Step<A>) -> Result<(), Over> {
        let decided = match step {
            Step::Held(notice) => {
                self.authority.tell(&notice).await;
                return Ok(());
            }
            Step::Decided(decided) => decided,
        };
        let Some(front) = self.front.take() else { return Ok(()) };
        match decided {
            Ok(permit) => self.carry_out(front, permit).await,
            Err(refusal) => self.deny(front.id, &refusal).await,
        }
        Ok(())
    }

    async fn deny(&mut self, id: u32, refusal: &Refusal) {
        self.answer(id, StatusCode::PermissionDenied, &refusal.message);
        self.told += 1;
        if self.told <= TOLD_MAX {
            self.authority.tell(&refusal.message).await;
        }
    }

    async fn carry_out(&mut self, front: Front<A>, permit: A::Permit) {
        let receipt = self.authority.begin(permit);
        let client = front.id;
        if let Some((code, message)) = front.failure {
            let words = String::from_utf8_lossy(&message).into_owned();
            self.to_client.push(answer::write_status_code(client, code, &words).into());
            let ended = Ended {
                outcome: OperationOutcome::Failed,
                status: words,
                bytes: 0,
                files: Vec::new(),
            };
            return self.authority.finished(receipt, ended).await;
        }
        let Ok(Request { body, .. }) = Request::read(&front.packet) else { return };
        let body = front.plan.rewrite(&body);
        let own = self.id();
        self.to_upstream.forward::<A>(&receipt, Request { id: own, body }.write().into());
        let owed = match opening(&body) {
            Some(opening) => Owed::Open { client, receipt, opening },
            None => Owed::Path { client, receipt, expects: Expects::of(&body) },
        };
        self.owed.insert(own, owed);
    }
}

/// The handle that a request is on.
const fn handle_of<'a>(body: &Body<'a>) -> Option<&'a [u8]> {
    match body {
        Body::Read { handle, .. }
        | Body::Write { handle, .. }
        | Body::Close { handle }
        | Body::Fstat { handle }
        | Body::ReadDir { handle }
        | Body::FsetStat { handle, .. }
        | Body::Extended(
            Extension::Fsync { handle }
            | Extension::FstatVfs { handle }
            | Extension::CopyData { from: handle, .. },
        ) => Some(handle),
        _ => None,
    }
}

/// Notes what a request does to the content.
fn asked<R>(handle: &mut Handle<R>, body: &Body<'_>) -> Asked {
    match body {
        Body::Read { offset, length, .. } => Asked::Read { offset: *offset, length: *length },
        Body::Write { offset, data, .. } => {
            if handle.opening.appends {
                handle.written.append(data.pieces());
            } else {
                handle.written.take(*offset, data.pieces());
            }
            Asked::Write
        }
        Body::Close { .. } => {
            handle.closing = true;
            Asked::Close
        }
        Body::Extended(Extension::CopyData { .. }) => {
            handle.read.spoil();
            Asked::Other(Expects::Status)
        }
        other => Asked::Other(Expects::of(other)),
    }
}

fn opening(body: &Body<'_>) -> Option<Opening> {
    let (path, flags, is_directory) = match body {
        Body::Open { path, flags, .. } => (path, Some(flags), false),
        Body::OpenDir { path } => (path, None, true),
        _ => return None,
    };
    Some(Opening {
        path: path.to_vec(),
        reads: flags.is_none_or(|flags| flags.reads()),
        writes: flags.is_some_and(|flags| flags.writes()),
        appends: flags.is_some_and(|flags: &OpenFlags| flags.appends()),
        is_directory,
    })
}

/// Whether a path does not begin with another user's home.
fn in_own_home(path: &[u8]) -> bool {
    path.strip_prefix(b"~").is_none_or(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// The server's name for something open, kept.
pub(super) fn name(handle: &[u8]) -> Name {
    handle.into()
}
