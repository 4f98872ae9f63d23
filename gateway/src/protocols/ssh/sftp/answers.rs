//! From the upstream to the client.
//!
//! Owns what becomes of each answer. Must not decide. An answer goes to the client under the
//! client's id, and only where it fits what is owed; the upstream may be hostile too.

use bytes::Bytes;
use wire::ssh::sftp::{
    Answer, Body, PACKET_BYTES_MAX, Packet, Request, StatusCode, VERSION, Version, answer,
};

use super::authority::{Authority, Ended};
use super::front::Question;
use super::handles::{Handle, Name, Opening};
use super::owed::{Asked, Owed};
use super::{Over, Phase, Relay, paths, requests};
use crate::session::OperationOutcome;

fn broken(because: &str) -> Over {
    Over::BrokenByUpstream(because.to_owned())
}

impl<A: Authority> Relay<A> {
    /// Takes bytes of the upstream's.
    pub(super) async fn take_answers(&mut self, bytes: Bytes) -> Result<(), Over> {
        self.upstream.push(bytes);
        while let Some(packet) = self.upstream.framed().map_err(|by| broken(&by.to_string()))? {
            match self.phase {
                Phase::Silent => return Err(broken("it spoke before it was greeted")),
                Phase::Greeted => self.greeted(packet.head())?,
                Phase::Asked(_) | Phase::Open(_) => self.answered(packet).await?,
            }
        }
        Ok(())
    }

    fn greeted(&mut self, packet: &[u8]) -> Result<(), Over> {
        let version = Version::read(packet).map_err(|by| broken(&by.to_string()))?;
        if version.version < VERSION {
            return Err(broken("it speaks a version of SFTP before 3"));
        }
        let own = self.id();
        let question = Request { id: own, body: Body::RealPath { path: b"." } };
        self.to_upstream.protocol(question.write().into());
        self.owed.insert(own, Owed::Home);
        self.phase = Phase::Asked(version);
        Ok(())
    }

    async fn answered(&mut self, packet: Packet) -> Result<(), Over> {
        let (id, answer) = packet.answer().map_err(|by| broken(&by.to_string()))?;
        let Some(owed) = self.owed.remove(&id) else {
            return Err(broken("an answer that nobody asked for"));
        };
        match owed {
            Owed::Home => self.at_home(&answer),
            Owed::Limits { client } => {
                let limits = match answer {
                    Answer::Extended(fields) => answer::read_limits(fields),
                    _ => None,
                };
                let limits = limits.map_or([0; 4], bounded);
                self.to_client.push(answer::write_limits(client, limits).into());
                Ok(())
            }
            Owed::Resolve { target, question } => {
                self.resolved(target, question, &answer);
                Ok(())
            }
            Owed::Open { client, receipt, opening } => {
                self.opened(receipt, opening, &answer).await?;
                self.show(packet, client);
                Ok(())
            }
            Owed::Path { client, receipt, expects } => {
                if !expects.fits(&answer) {
                    return Err(broken("an answer that does not fit its question"));
                }
                let ended = ended(&answer);
                self.show(packet, client);
                self.authority.finished(receipt, ended).await;
                Ok(())
            }
            Owed::Handle { client, name, asked } => {
                if !asked.expects().fits(&answer) {
                    return Err(broken("an answer that does not fit its question"));
                }
                self.on_handle_answered(&name, asked, &answer).await?;
                self.show(packet, client);
                Ok(())
            }
        }
    }

    fn show(&mut self, packet: Packet, client: u32) {
        for piece in packet.under(client).into_iter().flatten() {
            self.to_client.push(piece);
        }
    }

    fn at_home(&mut self, answer: &Answer<'_>) -> Result<(), Over> {
        let Answer::Names { first: Some(entry), .. } = answer else {
            return Err(broken("it does not say where the login's home is"));
        };
        if !entry.name.starts_with(b"/") {
            return Err(broken("the login's home is no absolute path"));
        }
        self.home = paths::absolute(b"/", entry.name);
        if let Phase::Asked(version) = std::mem::replace(&mut self.phase, Phase::Silent) {
            self.to_client.push(version.write().into());
            self.phase = Phase::Open(version);
        }
        Ok(())
    }

    fn resolved(&mut self, target: usize, question: Question, answer: &Answer<'_>) {
        let Some(front) = &mut self.front else { return };
        if let Some(next) = front.answered(target, question, answer) {
            self.ask(target, next);
        }
        self.judge_if_resolved();
    }

    async fn opened(
        &mut self,
        receipt: A::Receipt,
        opening: Opening,
        answer: &Answer<'_>,
    ) -> Result<(), Over> {
        match answer {
            Answer::Handle(handle) => {
                let name = requests::name(handle);
                let handle = Handle::new(receipt, opening);
                if let Some(before) = self.handles.insert(name, handle) {
                    let (receipt, ended) = before.ended(false);
                    self.authority.finished(receipt, ended).await;
                    return Err(broken("a handle that is already open"));
                }
            }
            Answer::Status(status) if status.code != StatusCode::Ok as u32 => {
                self.authority.finished(receipt, ended(answer)).await;
            }
            _ => return Err(broken("an answer that does not fit its question")),
        }
        Ok(())
    }

    async fn on_handle_answered(
        &mut self,
        name: &Name,
        asked: Asked,
        answer: &Answer<'_>,
    ) -> Result<(), Over> {
        let Some(handle) = self.handles.get_mut(name) else { return Ok(()) };
        match (asked, answer) {
            (Asked::Read { offset, length }, Answer::Data(data)) => {
                if data.len() as u64 > u64::from(length) {
                    return Err(broken("more content than was asked for"));
                }
                handle.read.take(offset, data.pieces());
            }
            (Asked::Write, Answer::Status(status)) => {
                handle.failed |= status.code != StatusCode::Ok as u32;
            }
            (Asked::Close, _) => {
                if let Some(handle) = self.handles.remove(name) {
                    let (receipt, ended) = handle.ended(true);
                    self.authority.finished(receipt, ended).await;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The upstream's limits, and ours: a client must not make packets that we refuse.
fn bounded([packet, read, write, handles]: [u64; 4]) -> [u64; 4] {
    let ours = PACKET_BYTES_MAX as u64;
    let least = |limit: u64, ours: u64| if limit == 0 { ours } else { limit.min(ours) };
    // Room for the fields around the content, as OpenSSH reckons.
    let content = ours - 1024;
    [least(packet, ours), least(read, content), least(write, content), handles]
}

fn ended(answer: &Answer<'_>) -> Ended {
    let (outcome, status) = match answer {
        Answer::Status(status) if status.code != StatusCode::Ok as u32 => {
            (OperationOutcome::Failed, paths::shown(status.message))
        }
        _ => (OperationOutcome::Completed, String::from("ok")),
    };
    Ended { outcome, status, bytes: 0, files: Vec::new() }
}
