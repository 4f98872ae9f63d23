//! What becomes of each value of an answer.
//!
//! Owns the join of three witnesses: the server's own column identity, the statement's lineage
//! and the classification of the catalogue. Must not know frames: a driver goes through its rows
//! and asks for each value. A plan lives as long as its answer.

use std::sync::Arc;

use masking::{ColumnFacts, ColumnPlan, Lineage, Masked, Masker, ValueKind, plan_column};
use model::{Action, ColumnMask, MaskProfile, Tag};
use sql::{Catalog, Comparison, Form, Meeting, OutputLineage, Outputs, Source, Statement};

use super::classified::{Classification, Classified};
use super::live::Session;
use super::own_tables::OwnTables;
use super::permit::Receipt;
use super::refusal::{Refusal, RefusalKind};
use super::statements::Statements;

/// A column of an answer, as the upstream announced it.
#[derive(Clone, Copy, Debug)]
pub struct OutputColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// The relation and attribute it is, by the server's word; `None` where the server names
    /// none. An attribute of 0 stands for the whole row.
    pub origin: Option<(u32, i16)>,
    /// What kind of value it has.
    pub kind: ValueKind,
    /// Whether a value of its type can be changed or made NULL in the format it is sent in.
    pub maskable: bool,
}

/// What becomes of each column.
#[derive(Clone, Debug)]
pub struct RowPlan {
    columns: Vec<(ColumnPlan, ValueKind)>,
    masker: Arc<Masker>,
}

impl RowPlan {
    /// Whether every value passes as it is.
    #[must_use]
    pub fn passes_everything(&self) -> bool {
        self.columns.iter().all(|(plan, _)| *plan == ColumnPlan::Keep)
    }

    /// Whether values of this column pass as they are. A column that was not announced does not.
    #[inline]
    #[must_use]
    pub fn passes(&self, column: usize) -> bool {
        matches!(self.columns.get(column), Some((ColumnPlan::Keep, _)))
    }

    /// How many columns were announced.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The kind of values of a column.
    #[must_use]
    pub fn kind(&self, column: usize) -> ValueKind {
        self.columns.get(column).map_or(ValueKind::Other, |(_, kind)| *kind)
    }

    /// Changes one value given as text, appending to `out`. [`Masked::Unchanged`] appends nothing.
    #[inline]
    pub fn value(&self, column: usize, value: &[u8], out: &mut Vec<u8>) -> Masked {
        match self.columns.get(column) {
            Some((plan, kind)) => self.masker.value(plan, *kind, value, out),
            None => Masked::Null,
        }
    }
}

impl Session {
    /// Plans the answer to statement `which` of an operation that went through.
    ///
    /// # Errors
    /// The refusal, where a value that must be masked could not be; nothing of the answer may be
    /// shown then.
    pub fn row_plan(
        &self,
        receipt: &Receipt,
        statements: &Arc<Statements>,
        which: usize,
        columns: &[OutputColumn<'_>],
    ) -> Result<RowPlan, Refusal> {
        if !Arc::ptr_eq(&receipt.operation, &statements.operation) {
            return Err(Refusal::new(RefusalKind::Internal, "portcullis: answer without a permit"));
        }
        let masker = Arc::clone(self.masker());
        let scans = !receipt.decision.masks.detectors.is_empty();
        let profile = &receipt.decision.masks;
        let statement = statements.statements().get(which);
        let Some(view) = self.view(profile) else {
            let plan = if scans { ColumnPlan::Scan } else { ColumnPlan::Keep };
            let columns = columns.iter().map(|column| (plan.clone(), column.kind)).collect();
            return Ok(RowPlan { columns, masker });
        };
        let touches = view.touches(statement);
        let unforeseen = statement.is_none_or(|one| unforeseen(one, columns.len()));
        let mut plans = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let lineage = statement.and_then(|one| output(one, index, columns.len()));
            let (classification, lineage, forced) = view.witness(column, lineage);
            let forced = forced || unforeseen;
            let tag =
                touches.or(if forced { profile.columns.first().map(|m| &m.tag) } else { None });
            let facts = ColumnFacts {
                classification: classification.as_deref(),
                lineage,
                touches: tag,
                maskable: column.maskable,
            };
            let plan = plan_column(&facts, scans);
            if let ColumnPlan::Refuse { tag } = &plan {
                return Err(cannot_mask(column.name, tag));
            }
            plans.push((plan, column.kind));
        }
        Ok(RowPlan { columns: plans, masker })
    }

    /// Why a statement must be refused for the sake of masking, whatever the policy says: it would
    /// copy what is masked to where it is not, or show it by rows that are not masked.
    pub(super) fn masking_objection(&self, statements: &Statements) -> Option<Refusal> {
        let view = self.view(&self.masks)?;
        for statement in statements.statements() {
            let mut comparisons = flattened(statement).flat_map(|one| &one.comparisons);
            if let Some(refusal) = comparisons.find_map(|one| view.objects_to(one)) {
                return Some(refusal);
            }
            for write in flattened(statement).flat_map(|one| &one.writes_from) {
                let found = write.sources.iter().find_map(|source| view.masked(source));
                let tag = match found {
                    Some(mask) => mask.tag.clone(),
                    None if write.opaque => match view.touches(Some(statement)) {
                        Some(tag) => tag.clone(),
                        None => continue,
                    },
                    None => continue,
                };
                return Some(
                    Refusal::new(
                        RefusalKind::Masking,
                        format!(
                            "portcullis: this would copy {tag} values, which are masked here, to {}",
                            write.relation
                        ),
                    )
                    .because("A copy would carry the values past their classification.")
                    .with_hint(format!("A role with unmask: [{tag}] may copy them.")),
                );
            }
        }
        None
    }

    /// Whether messages about these statements may quote values that are masked.
    #[must_use]
    pub fn messages_may_leak(&self, statements: Option<&Statements>) -> bool {
        let Some(view) = self.view(&self.masks) else { return false };
        statements.is_none_or(|all| {
            all.unreadable.is_some()
                || all.statements().iter().any(|one| view.touches(Some(one)).is_some())
        })
    }

    /// Makes the text of an error or a notice safe to show. `None` where it is so already. `unread`
    /// says that it was written before any row was read: then only the detectors look at it.
    #[must_use]
    pub fn safe_message(
        &self,
        statements: Option<&Statements>,
        text: &[u8],
        unread: bool,
    ) -> Option<Vec<u8>> {
        let leaks = !unread && self.messages_may_leak(statements);
        let redacted = leaks.then(|| masking::redact_message(text));
        let shown = redacted.as_deref().unwrap_or(text);
        let mut out = Vec::new();
        if self.masker().scan_set().mask(shown, &mut out) > 0 {
            return Some(out);
        }
        redacted
    }

    fn view<'a>(&'a self, profile: &'a Arc<MaskProfile>) -> Option<View<'a>> {
        if profile.columns.is_empty() {
            return None;
        }
        let database = self.database.as_ref()?;
        let classified = if Arc::ptr_eq(profile, &self.masks) {
            Arc::clone(&self.classified)
        } else {
            database.snapshot.classified(profile)
        };
        Some(View {
            database: &database.snapshot.key.database,
            catalog: database.catalog(),
            own: self.own_tables.as_ref(),
            classified,
            profile,
        })
    }
}

/// The classification as one answer sees it.
struct View<'a> {
    database: &'a str,
    catalog: &'a Catalog,
    own: Option<&'a OwnTables>,
    classified: Arc<Classified>,
    profile: &'a MaskProfile,
}

impl<'a> View<'a> {
    /// The tag of a classified column that the statement touches or may touch.
    fn touches(&self, statement: Option<&Statement>) -> Option<&'a Tag> {
        let any = self.profile.columns.first().map(|mask| &mask.tag);
        let Some(statement) = statement else { return any };
        let unclear = statement
            .accesses
            .iter()
            .any(|one| matches!(one.action, Action::Execute | Action::Unknown | Action::Code));
        let touched = flattened(statement).flat_map(|one| &one.relations).any(|relation| {
            if self.own.is_some_and(|own| own.has(relation)) {
                return false;
            }
            relation.oid.is_none_or(|oid| {
                self.classified.touches(oid) || self.catalog.relation_by_oid(oid).is_none()
            })
        });
        if unclear || touched { any } else { None }
    }

    /// The classification of a column by the server's own identity of it.
    fn column(&self, relation: u32, attribute: i16) -> Classification {
        let own = || self.own?.column(self.profile, self.database, (relation, attribute));
        match self.classified.column(self.catalog, relation, attribute) {
            Classification::Unknown => own().unwrap_or(Classification::Unknown),
            found => found,
        }
    }

    /// The classification of a source of a statement's lineage.
    fn source(&self, source: &Source) -> Classification {
        let own = self.own.and_then(|own| own.source(self.profile, source));
        own.unwrap_or_else(|| self.classified.source(self.catalog, self.profile, source))
    }

    /// Classification and lineage of one output; the last says that nothing is known at all.
    fn witness(
        &self,
        column: &OutputColumn<'_>,
        lineage: Option<&OutputLineage>,
    ) -> (Option<Arc<ColumnMask>>, Lineage, bool) {
        let identity = match (column.origin, lineage) {
            (Some((relation, attribute)), _) if attribute != 0 => Some((relation, attribute)),
            // A whole row: whatever its columns are.
            (Some(_), _) => None,
            (None, Some(OutputLineage { form: Form::Direct, opaque: false, sources, .. })) => {
                match sources.as_slice() {
                    [Source::Column { relation, attribute }] => Some((*relation, *attribute)),
                    _ => None,
                }
            }
            (None, _) => None,
        };
        if let Some((relation, attribute)) = identity {
            return match self.column(relation, attribute) {
                Classification::Masked(mask) => (Some(mask), Lineage::Known, false),
                Classification::Plain => (None, Lineage::Known, false),
                Classification::Unknown => (None, Lineage::Opaque, true),
            };
        }
        let Some(lineage) = lineage else { return (None, Lineage::Opaque, false) };
        let mut forced = false;
        for source in &lineage.sources {
            match self.source(source) {
                Classification::Masked(mask) => return (Some(mask), Lineage::Derived, false),
                Classification::Unknown => forced = true,
                Classification::Plain => {}
            }
        }
        let opaque = lineage.opaque || forced;
        (None, if opaque { Lineage::Opaque } else { Lineage::Derived }, forced)
    }

    /// Why a comparison is refused: other rows would show by it what is masked.
    fn objects_to(&self, comparison: &Comparison) -> Option<Refusal> {
        let made_up = !comparison.computed.is_empty();
        let tag = comparison.shows(|source| {
            match self.source(source) {
                Classification::Masked(mask) => Some(mask.tag.clone()),
                // It may be a classified one under a new name, unless it is temporary: joins of
                // temporary relations with stored ones stay.
                Classification::Unknown if made_up || !is_temporary(source) => {
                    self.profile.columns.first().map(|mask| mask.tag.clone())
                }
                Classification::Plain | Classification::Unknown => None,
            }
        })?;
        let (message, reason) = match comparison.meeting {
            Meeting::Counted => (
                format!(
                    "portcullis: {tag} values, which are masked here, would decide how many rows there are"
                ),
                "The number of rows would show the value.",
            ),
            Meeting::Added | Meeting::Divided | Meeting::Compared => (
                format!(
                    "portcullis: this compares {tag} values, which are masked here, with those of other rows"
                ),
                "The rows that match would show the value.",
            ),
        };
        Some(Refusal::new(RefusalKind::Masking, message).because(reason).with_hint(format!(
            "Compare with constants and parameters, classify the other column, too, or use a role \
             with unmask: [{tag}]."
        )))
    }

    /// The mask of a source, where it has one.
    fn masked(&self, source: &Source) -> Option<Arc<ColumnMask>> {
        match self.source(source) {
            Classification::Masked(mask) => Some(mask),
            // A relation this very session made is a copy that was judged when it was made.
            Classification::Plain | Classification::Unknown => None,
        }
    }
}

/// Whether a source is a column of a temporary relation, which is what the session has made.
fn is_temporary(source: &Source) -> bool {
    match source {
        Source::Unlisted { path, .. } => {
            path.0.get(1).is_some_and(|schema| schema.starts_with("pg_temp"))
        }
        _ => false,
    }
}

/// The statement and those it explains, prepares or declares.
fn flattened(statement: &Statement) -> impl Iterator<Item = &Statement> {
    use sql::StatementKind as Kind;
    std::iter::successors(Some(statement), |one| match &one.kind {
        Kind::Explain { inner, .. }
        | Kind::Prepare { inner, .. }
        | Kind::DeclareCursor { inner, .. }
        | Kind::CopyOut { inner: Some(inner), .. } => Some(inner),
        _ => None,
    })
}

/// The lineage of output `index`, if the analysis and the server agree on how many there are.
fn output(statement: &Statement, index: usize, columns: usize) -> Option<&OutputLineage> {
    match &statement.outputs {
        Outputs::Columns(outputs) if outputs.len() == columns => outputs.get(index),
        _ => None,
    }
}

/// Whether rows have come where none, or others, were foreseen: a rule of the server's may have
/// put a query in the statement's place, so that what it touches is not known either.
fn unforeseen(statement: &Statement, columns: usize) -> bool {
    match &statement.outputs {
        Outputs::NoRows => true,
        Outputs::Columns(outputs) => outputs.len() != columns,
        Outputs::Unknown => false,
    }
}

fn cannot_mask(column: &str, tag: &Tag) -> Refusal {
    Refusal::new(
        RefusalKind::Masking,
        format!("portcullis: column \"{column}\" may hold {tag} values and cannot be masked here"),
    )
    .because("Its type or format has no masked form, so the answer is withheld whole.")
    .with_hint(format!("Leave the column out, or use a role with unmask: [{tag}]."))
}
