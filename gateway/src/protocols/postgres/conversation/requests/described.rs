//! Statements and portals by their names: described, and closed.
//!
//! Owns writing those messages anew. Must not know how a description is shown.

use wire::postgres::frame::Frame;
use wire::postgres::frontend::{Describe, Subject, put_close, put_describe};

use super::{Flow, client_violation};
use crate::protocols::postgres::conversation::effects::{key, no_portal, no_statement};
use crate::protocols::postgres::conversation::expected::{Answer, Description, NameUndo};
use crate::protocols::postgres::conversation::{Conversation, Ended};
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::names::Found;

impl Conversation {
    pub(super) fn take_describe(
        &mut self,
        lines: &mut Lines,
        frame: &Frame,
    ) -> Result<Flow, Ended> {
        let describe = Describe::read(lines.requests.body(frame)).map_err(client_violation)?;
        let name = describe.name;
        let answer = match describe.subject {
            Subject::Statement => match self.statements.get(key(name), self.batch) {
                Found::Known(_) => Answer::DescribeStatement { types_came: false },
                Found::Unsettled => return Ok(Flow::Wait),
                Found::Missing => {
                    let complaint = no_statement(name);
                    self.complain(lines, false, &complaint);
                    return Ok(Flow::Next);
                }
            },
            Subject::Portal => match self.portals.get(key(name), self.batch) {
                Found::Known(portal) => {
                    *portal.description.lock() = Description::Asked;
                    Answer::DescribePortal { portal, shown: true }
                }
                Found::Unsettled => return Ok(Flow::Wait),
                Found::Missing => {
                    let complaint = no_portal(name);
                    self.complain(lines, false, &complaint);
                    return Ok(Flow::Next);
                }
            },
        };
        let mut out = Vec::new();
        put_describe(&mut out, describe.subject, name);
        lines.gate.protocol(&out);
        self.owe(answer, Vec::new());
        Ok(Flow::Next)
    }

    pub(super) fn take_close(&mut self, lines: &mut Lines, frame: &Frame) -> Result<Flow, Ended> {
        let close = Describe::read(lines.requests.body(frame)).map_err(client_violation)?;
        let undo = match close.subject {
            Subject::Statement => {
                self.statements.remove(key(close.name), self.batch).map(NameUndo::Statement)
            }
            Subject::Portal => {
                self.portals.remove(key(close.name), self.batch).map(NameUndo::Portal)
            }
        };
        let mut out = Vec::new();
        put_close(&mut out, close.subject, close.name);
        lines.gate.protocol(&out);
        self.owe(Answer::Close, undo.into_iter().collect());
        Ok(Flow::Next)
    }
}
