//! Rows on their way to the client.
//!
//! Owns the plan of each answer's columns, and the recording of what was shown. Must not know
//! which columns are masked, nor sockets. A row without a plan is not shown.

use std::ops::Range;
use std::sync::Arc;

use model::MaskProfile;
use model::audit::SessionEnd;
use rustc_hash::FxHashMap;
use wire::Edit;
use wire::mysql::row::edit_text_row;

use super::answers::upstream_violation;
use super::expected::{Owed, Running};
use super::{Conversation, Ended};
use crate::protocols::mysql::lines::Lines;
use crate::protocols::mysql::shape::{Shape, WireColumn};
use crate::protocols::pump::Ending;
use crate::session::sql::StatementKind;
use crate::session::{OutputColumn, Refusal, Session, Statements};

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
    shape: Arc<Shape>,
}

/// Shapes remembered; all are forgotten when there are more.
const SHAPES_MAX: usize = 256;

impl Conversation {
    /// Plans the rows whose columns have been described.
    pub(super) fn plan_rows(&mut self, running: &mut Running) -> Result<(), Ended> {
        let shape = self
            .shapes
            .shape(&self.session, running)
            .map_err(|refusal| Ended::refused(SessionEnd::Refused, &refusal))?;
        let names: Vec<&str> = running.columns.iter().map(|column| &*column.name).collect();
        self.session.record_columns(&running.receipt, names.into_iter());
        let statement = running.statements.statements().get(running.which);
        // Warnings quote values of whatever statement they are about.
        running.quotes = statement.is_some_and(|one| {
            matches!(&one.kind, StatementKind::Show { name } if **name == *"warnings" || **name == *"errors")
        });
        running.shape = Some(shape);
        Ok(())
    }

    /// Shows one row.
    #[inline]
    pub(super) fn show_row(&mut self, lines: &mut Lines, range: Range<usize>) -> Result<(), Ended> {
        let Self { owed, session, buffers, .. } = self;
        let Owed::Running(running) = owed else {
            return Err(Ended::violation("upstream", "a row that nothing asked for"));
        };
        if let Some(refusal) = &running.withheld {
            return Err(Ended::refused(SessionEnd::Refused, refusal));
        }
        let Some(shape) = &running.shape else {
            return Err(Ended::violation("upstream", "rows that nobody has described"));
        };
        let Lines { answers, shown, .. } = lines;
        let payload = answers.bytes(range);
        let binary = running.prepared.is_some();
        let (row, masked) = shown
            .put_row(payload, |out| {
                if running.quotes {
                    quoted(session, payload, shape.columns().len(), out)
                } else if shape.passes() {
                    Ok((false, 0))
                } else {
                    shape.edit_row(payload, binary, out, buffers)
                }
            })
            .map_err(upstream_violation)?;
        let bytes = payload.len() as u64;
        running.rows += 1;
        running.bytes += bytes;
        running.masked += masked;
        if running.unrecorded == (0, 0) && session.keeps_rows(&running.receipt) {
            let receipt = &running.receipt;
            let record = |values: &mut dyn ExactSizeIterator<Item = Option<&[u8]>>| {
                session.record_row(receipt, values);
            };
            shape.record(&row, binary, buffers, record).map_err(upstream_violation)?;
        } else {
            running.unrecorded.0 += 1;
            running.unrecorded.1 += bytes;
        }
        Ok(())
    }
}

/// A row of warnings: its texts may quote any value.
fn quoted(
    session: &Session,
    payload: &[u8],
    columns: usize,
    row: &mut Vec<u8>,
) -> Result<(bool, u64), wire::mysql::Violation> {
    /// Level and number stand before the text.
    const TEXT_COLUMN: usize = 2;
    let mut masked = 0;
    let changed = edit_text_row(payload, columns, row, &mut Vec::new(), |index, value, new| {
        if index != TEXT_COLUMN && columns > TEXT_COLUMN {
            return Edit::Keep;
        }
        match session.safe_message(None, value, false) {
            Some(safe) => {
                new.extend_from_slice(&safe);
                masked += 1;
                Edit::Replace
            }
            None => Edit::Keep,
        }
    })?;
    Ok((changed, masked))
}

impl ShapeCache {
    /// What becomes of the columns of an answer.
    pub(super) fn shape(
        &mut self,
        session: &Session,
        running: &Running,
    ) -> Result<Arc<Shape>, Refusal> {
        let key = (Arc::as_ptr(&running.statements).addr(), running.which);
        let masks = running.receipt.masks();
        if let Some(cached) = self.shapes.get(&key)
            && Arc::ptr_eq(&cached.masks, masks)
            && cached.shape.columns() == running.columns
        {
            return Ok(Arc::clone(&cached.shape));
        }
        let outputs: Vec<OutputColumn<'_>> =
            running.columns.iter().map(WireColumn::output).collect();
        let plan =
            session.row_plan(&running.receipt, &running.statements, running.which, &outputs)?;
        let shape = Arc::new(Shape::new(plan, running.columns.clone()));
        if self.shapes.len() >= SHAPES_MAX {
            self.shapes.clear();
        }
        let cached = Cached {
            _statements: Arc::clone(&running.statements),
            masks: Arc::clone(masks),
            shape: Arc::clone(&shape),
        };
        self.shapes.insert(key, cached);
        Ok(shape)
    }
}
