//! Rows and COPY data on their way to the client.
//!
//! Owns the plan of each answer's columns, and the recording of what was shown. Must not know
//! which columns are masked, nor sockets. A row without a plan is not shown while anything is
//! masked for the session.

use std::sync::Arc;

use model::MaskProfile;
use model::audit::SessionEnd;
use rustc_hash::FxHashMap;
use wire::postgres::backend::{CopyResponse, DataRow, Kind, RowChange, RowDescription};
use wire::postgres::frame::{Frame, HEADER_BYTES};
use wire::postgres::message;

use super::answers::{Show, unexpected, upstream_violation};
use super::expected::{Answer, Copying, Description, Owed, Running};
use super::{Conversation, Ended};
use crate::protocols::postgres::copy_out::{CopyMask, value_format};
use crate::protocols::postgres::lines::Lines;
use crate::protocols::postgres::shape::{Buffers, Shape, WireColumn, output_columns};
use crate::protocols::pump::Ending;
use crate::session::sql::{CopyOptions, Form, Outputs, Source, Statement, StatementKind};
use crate::session::{OutputColumn, Receipt, Session, Statements};

/// Shapes of late answers, by the reading they answer.
#[derive(Debug, Default)]
pub(super) struct ShapeCache {
    shapes: FxHashMap<(usize, usize), Cached>,
}

#[derive(Debug)]
struct Cached {
    /// Kept alive, so that the address it is found by stays its own.
    _statements: Arc<Statements>,
    masks: Arc<MaskProfile>,
    description: Arc<[u8]>,
    shape: Arc<Shape>,
}

/// Shapes remembered; all are forgotten when there are more.
const SHAPES_MAX: usize = 256;

impl Conversation {
    /// Plans the rows that `description` (the body of a `RowDescription`) announces for the
    /// operation in front.
    pub(super) fn describe_rows(&mut self, description: &Arc<[u8]>) -> Result<(), Ended> {
        let Some(running) = self.owed.front().and_then(Owed::running) else {
            return Err(unexpected(Kind::RowDescription));
        };
        let shape = self.shapes.shape(&self.session, running, description)?;
        let described = RowDescription::read(description).map_err(upstream_violation)?;
        let names: Vec<&str> =
            described.columns().map(|one| str::from_utf8(one.name).unwrap_or("?")).collect();
        self.session.record_columns(&running.receipt, names.iter().copied());
        if let Some(running) = self.front_running() {
            running.shape = Some(shape);
        }
        Ok(())
    }

    /// Shows one row.
    #[inline]
    pub(super) fn show_row(&mut self, lines: &mut Lines, frame: &Frame) -> Result<(), Ended> {
        if matches!(self.owed.front().and_then(Owed::running), Some(one) if one.shape.is_none()) {
            self.describe_from_portal()?;
        }
        let Some(Answer::Query(running) | Answer::Execute(running)) =
            self.owed.front_mut().map(|owed| &mut owed.answer)
        else {
            return Err(unexpected(Kind::DataRow));
        };
        let bytes = (frame.range.end - frame.range.start) as u64;
        running.rows += 1;
        running.bytes += bytes;
        let change = match &running.shape {
            Some(shape) if !shape.passes() => {
                let change = edit(lines, frame, shape, &mut self.buffers, running.rewriting)?;
                running.masked += change.1;
                running.rewriting = change.0 == RowChange::Rewritten;
                change.0
            }
            // Where there is no shape, nothing is masked for this session.
            _ => RowChange::None,
        };
        if change != RowChange::Rewritten {
            lines.shown.pass(frame.range.clone());
        }
        if running.unrecorded == (0, 0) && self.session.keeps_rows(&running.receipt) {
            let row = if change == RowChange::Rewritten {
                lines.shown.last_put()
            } else {
                lines.shown.answers.bytes(frame.range.clone())
            };
            return record_row(&mut self.session, running, row);
        }
        running.unrecorded.0 += 1;
        running.unrecorded.1 += bytes;
        Ok(())
    }

    /// In the extended protocol the columns were described with the portal.
    fn describe_from_portal(&mut self) -> Result<(), Ended> {
        let Some(running) = self.owed.front().and_then(Owed::running) else {
            return Err(unexpected(Kind::DataRow));
        };
        let description = running
            .portal
            .as_ref()
            .map(|portal| portal.description.lock().clone())
            .unwrap_or_default();
        match description {
            Description::Rows(body) => self.describe_rows(&body),
            _ if running.receipt.masks().is_empty() => Ok(()),
            _ => Err(Ended::violation("upstream", "rows that nobody has described")),
        }
    }

    /// A COPY to the client begins: its columns are those of the statement.
    pub(super) fn begin_copy_out(&mut self, lines: &Lines, frame: &Frame) -> Result<Show, Ended> {
        let response =
            CopyResponse::read(lines.shown.answers.body(frame)).map_err(upstream_violation)?;
        let Some(running) = self.owed.front().and_then(Owed::running) else {
            return Err(unexpected(Kind::CopyOut));
        };
        let copy = if running.receipt.masks().is_empty() {
            Copying::OutAsIs
        } else {
            self.plan_copy(running, response.columns)?
        };
        if let Some(running) = self.front_running() {
            running.copy = copy;
        }
        Ok(Show::AsIs)
    }

    fn plan_copy(&self, running: &Running, count: usize) -> Result<Copying, Ended> {
        let statement = running.statements.statements().get(running.which);
        let Some((statement, options)) = statement.and_then(copy_options) else {
            return Err(Ended::violation("upstream", "COPY data that no statement asked for"));
        };
        let Some(format) = value_format(options) else {
            return Err(Ended::violation("upstream", "COPY data in a format it was not asked for"));
        };
        let columns: Vec<WireColumn> = (0..count)
            .map(|index| WireColumn {
                type_oid: stored_type(&self.session, statement, index, count).unwrap_or_default(),
                format,
            })
            .collect();
        let names: Vec<&str> = (0..count).map(|index| output_name(statement, index)).collect();
        let outputs: Vec<OutputColumn<'_>> = columns
            .iter()
            .zip(&names)
            .map(|(column, name)| OutputColumn {
                name,
                origin: None,
                kind: column.kind(),
                maskable: true,
            })
            .collect();
        let plan = self
            .session
            .row_plan(&running.receipt, &running.statements, running.which, &outputs)
            .map_err(|refusal| Ended::refused(SessionEnd::Refused, &refusal))?;
        if plan.passes_everything() {
            return Ok(Copying::OutAsIs);
        }
        let row_bytes_max = self.session.limits().message_bytes_max;
        CopyMask::new(options, Shape::new(plan, columns), row_bytes_max)
            .map(|mask| Copying::Out(Box::new(mask)))
            .ok_or_else(|| Ended::violation("upstream", "COPY data that cannot be masked"))
    }

    /// Shows a piece of COPY data.
    pub(super) fn show_copy_data(
        &mut self,
        lines: &mut Lines,
        frame: &Frame,
    ) -> Result<Show, Ended> {
        let length = (frame.range.end - frame.range.start) as u64;
        let Some(Answer::Query(running) | Answer::Execute(running)) =
            self.owed.front_mut().map(|owed| &mut owed.answer)
        else {
            return Err(unexpected(Kind::CopyData));
        };
        running.bytes += length;
        let data = lines.shown.answers.body(frame);
        match &mut running.copy {
            Copying::OutAsIs => {
                running.rows += 1;
                record_copy(&mut self.session, &running.receipt, data);
                Ok(Show::AsIs)
            }
            Copying::Out(mask) => {
                let mut shown = Vec::new();
                mask.push(data, &mut shown).map_err(upstream_violation)?;
                running.rows = mask.rows();
                if !shown.is_empty() {
                    record_copy(&mut self.session, &running.receipt, &shown);
                    lines.shown.put(|out| {
                        message(out, frame.tag, |out| out.extend_from_slice(&shown));
                    });
                }
                Ok(Show::No)
            }
            Copying::No | Copying::In => Err(unexpected(Kind::CopyData)),
        }
    }
}

/// Shows a row to the masks. A row that follows a rewritten one is likely to be rewritten too, and
/// is written where it will be sent from; otherwise it is put there only if it must be.
fn edit(
    lines: &mut Lines,
    frame: &Frame,
    shape: &Shape,
    buffers: &mut Buffers,
    rewriting: bool,
) -> Result<(RowChange, u64), Ended> {
    if rewriting {
        let (answers, out) = lines.shown.rewrite();
        let before = out.len();
        let edited = shape.edit_row(answers.bytes_mut(frame.range.clone()), out, buffers);
        // Half a message must not be sent.
        return edited.map_err(|violation| {
            out.truncate(before);
            upstream_violation(violation)
        });
    }
    let mut rewritten = Vec::new();
    let row = lines.shown.answers.bytes_mut(frame.range.clone());
    let edited = shape.edit_row(row, &mut rewritten, buffers).map_err(upstream_violation)?;
    if edited.0 == RowChange::Rewritten {
        lines.shown.rewrite().1.extend_from_slice(&rewritten);
    }
    Ok(edited)
}

/// Records a row as it was shown.
fn record_row(session: &mut Session, running: &Running, row: &[u8]) -> Result<(), Ended> {
    let columns = running.shape.as_deref().map_or(&[][..], Shape::columns);
    let body = row.get(HEADER_BYTES..).unwrap_or_default();
    let row = DataRow::read(body).map_err(upstream_violation)?;
    // Binary values are recorded as their text; all buffers are dropped with the row, of which
    // the recording keeps few.
    let mut decoded: Vec<Vec<u8>> = vec![Vec::new(); row.len()];
    let mut values = Vec::with_capacity(row.len());
    for (index, (value, buffer)) in row.values().zip(&mut decoded).enumerate() {
        let value = value.map_err(upstream_violation)?;
        values.push(value.map(|value| Shape::text(columns, index, value, buffer)));
    }
    session.record_row(&running.receipt, values.iter().copied());
    Ok(())
}

/// Records COPY data as it was shown, a line at a time as the server cuts it.
fn record_copy(session: &mut Session, receipt: &Receipt, data: &[u8]) {
    if session.keeps_rows(receipt) {
        let line = data.strip_suffix(b"\n").unwrap_or(data);
        session.record_row(receipt, std::iter::once(Some(line)));
    } else {
        session.skip_rows(receipt, 1, data.len() as u64);
    }
}

impl ShapeCache {
    fn shape(
        &mut self,
        session: &Session,
        running: &Running,
        description: &Arc<[u8]>,
    ) -> Result<Arc<Shape>, Ended> {
        let key = (Arc::as_ptr(&running.statements).addr(), running.which);
        let masks = running.receipt.masks();
        if let Some(cached) = self.shapes.get(&key)
            && Arc::ptr_eq(&cached.masks, masks)
            && cached.description == *description
        {
            return Ok(Arc::clone(&cached.shape));
        }
        let described = RowDescription::read(description).map_err(upstream_violation)?;
        let (outputs, columns) = output_columns(&described);
        let plan = session
            .row_plan(&running.receipt, &running.statements, running.which, &outputs)
            .map_err(|refusal| Ended::refused(SessionEnd::Refused, &refusal))?;
        let shape = Arc::new(Shape::new(plan, columns));
        if self.shapes.len() >= SHAPES_MAX {
            self.shapes.clear();
        }
        self.shapes.insert(
            key,
            Cached {
                _statements: Arc::clone(&running.statements),
                masks: Arc::clone(masks),
                description: Arc::clone(description),
                shape: Arc::clone(&shape),
            },
        );
        Ok(shape)
    }
}

fn copy_options(statement: &Statement) -> Option<(&Statement, &CopyOptions)> {
    match &statement.kind {
        StatementKind::CopyOut { options, .. } => Some((statement, options)),
        _ => None,
    }
}

/// The type of a COPY's column, where it is one stored column as it is.
fn stored_type(
    session: &Session,
    statement: &Statement,
    index: usize,
    count: usize,
) -> Option<u32> {
    let Outputs::Columns(outputs) = &statement.outputs else { return None };
    let output = outputs.get(index).filter(|_| outputs.len() == count)?;
    match (output.form, output.sources.as_slice()) {
        (Form::Direct, [Source::Column { relation, attribute }]) => {
            session.column_type(*relation, *attribute)
        }
        _ => None,
    }
}

fn output_name(statement: &Statement, index: usize) -> &str {
    match &statement.outputs {
        Outputs::Columns(outputs) => outputs.get(index).map_or("?", |output| &output.name),
        Outputs::NoRows | Outputs::Unknown => "?",
    }
}
