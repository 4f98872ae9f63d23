//! Doing the steps.
//!
//! Owns the order: the journal first, then the step, then the journal again. Must not know why a
//! step is wanted. A step that fails does not keep the others from being done; one that was cut off
//! is finished by the next run, or taken back.

use std::path::PathBuf;

use super::block::Rest;
use super::files::{Attributes, Files, Found};
use super::journal::{Entry, Journal, Kept, Undo, sha256};
use super::plan::Plan;
use super::step::{Action, Step, is_by_hand};
use super::{State, TrustError, anchors, keystore, kubeconfig, revert, state};

/// What was done.
#[derive(Debug, Default)]
pub struct Applied {
    /// Files that were changed.
    pub changed: Vec<PathBuf>,
    /// Steps that had been done before.
    pub unchanged: usize,
    /// Files whose steps are no longer wanted, and were taken back.
    pub taken_back: Vec<PathBuf>,
    /// Files whose steps failed.
    pub failed: Vec<(PathBuf, TrustError)>,
}

/// Does every step that is not done, and takes back what is no longer wanted. `force` also
/// overwrites files of ours that somebody has changed.
///
/// # Errors
/// Where the journal cannot be kept. Steps that fail are in the answer.
pub fn apply(
    files: &Files,
    plan: &Plan,
    journal: &mut Journal,
    force: bool,
) -> Result<Applied, TrustError> {
    let mut applied = Applied::default();
    let unwanted = |entry: &&Entry| {
        !is_by_hand(&entry.id) && plan.steps.iter().all(|step| step.id != entry.id)
    };
    let unwanted: Vec<Entry> = journal.written.entries.iter().filter(unwanted).cloned().collect();
    for entry in unwanted.iter().rev() {
        match revert::take_back(files, journal, entry, force) {
            Ok(_) => {
                journal.take(files, &entry.id)?;
                applied.taken_back.push(entry.path.clone());
            }
            Err(error) => applied.failed.push((entry.path.clone(), error)),
        }
    }
    if journal.written.options != plan.options {
        journal.written.options = plan.options.clone();
        if !journal.is_empty() {
            journal.save(files)?;
        }
    }
    for step in &plan.steps {
        match one(files, journal, step, force) {
            Ok(true) => applied.changed.push(step.path.clone()),
            Ok(false) => applied.unchanged += 1,
            Err(error) => applied.failed.push((step.path.clone(), error)),
        }
    }
    if !applied.taken_back.is_empty() {
        journal.tidy(files)?;
    }
    Ok(applied)
}

/// Does one step by itself; false where it was done.
///
/// # Errors
/// Where it fails, or the journal cannot be kept.
pub fn apply_step(files: &Files, journal: &mut Journal, step: &Step) -> Result<bool, TrustError> {
    one(files, journal, step, false)
}

/// Does a step; false where it was done.
fn one(files: &Files, journal: &mut Journal, step: &Step, force: bool) -> Result<bool, TrustError> {
    let state = state(files, journal, step)?;
    let cut_off = journal.entry(&step.id).filter(|entry| !entry.done).cloned();
    match (state, cut_off) {
        (State::Applied, None) => {
            adopt(files, journal, step)?;
            return Ok(false);
        }
        (State::Applied, Some(entry)) => {
            if let Action::Anchor { system, .. } = &step.action {
                anchors::run(files, &system.tool)?;
            }
            finish(files, journal, step, entry)?;
            return Ok(true);
        }
        (State::Changed, _) if !force => return Err(TrustError::Changed("overwrite it")),
        _ => {}
    }
    files.sweep(&step.path)?;
    let now = files.read(&step.path)?;
    let after = changed(files, journal, step, now.as_ref())?;
    let entry = begin(files, journal, step, now.as_ref(), &after)?;
    journal.put(files, entry.clone())?;
    for directory in &entry.made {
        files.make_directory(directory, 0o755)?;
    }
    let like = now.map_or(Attributes::public(), |now| now.attributes);
    files.write(&step.path, &after, &Attributes { modified_ns: 0, ..like })?;
    if let Action::Anchor { system, .. } = &step.action {
        anchors::run(files, &system.tool)?;
    }
    finish(files, journal, step, entry)?;
    Ok(true)
}

/// Takes a block that is there already into the journal, so that it is taken back with the rest.
fn adopt(files: &Files, journal: &mut Journal, step: &Step) -> Result<(), TrustError> {
    if journal.entry(&step.id).is_some() || !matches!(step.action, Action::Block { .. }) {
        return Ok(());
    }
    let Some(now) = files.read(&step.path)? else { return Ok(()) };
    let entry = begin(files, journal, step, Some(&now), &now.bytes)?;
    finish(files, journal, step, entry)
}

/// The file with the step done.
fn changed(
    files: &Files,
    journal: &Journal,
    step: &Step,
    now: Option<&Found>,
) -> Result<Vec<u8>, TrustError> {
    let bytes = now.map(|now| now.bytes.as_slice());
    Ok(match &step.action {
        Action::File { bytes } | Action::Anchor { bytes, .. } => bytes.clone(),
        Action::Block { marks, body } => marks.with(bytes, body)?,
        Action::Keystore { tool, alias, pem } => {
            keystore::with(files, tool, bytes.unwrap_or_default(), alias, pem)?
        }
        Action::Kubeconfig { certificates, clusters, .. } => {
            let without = without_ours(files, journal, step, now)?;
            let text = String::from_utf8_lossy(without.as_deref().unwrap_or_default());
            let data = kubeconfig::data_of(clusters, &text)?;
            kubeconfig::with(&text, &data, certificates)?.into_bytes()
        }
    })
}

/// The entry for a step that begins: what was there without us.
fn begin(
    files: &Files,
    journal: &Journal,
    step: &Step,
    now: Option<&Found>,
    after: &[u8],
) -> Result<Entry, TrustError> {
    let old = journal.entry(&step.id);
    let as_left = old.filter(|old| now.is_some_and(|now| sha256(&now.bytes) == old.after));
    let before: Option<Kept> = match as_left {
        Some(old) => old.before.clone(),
        None => match (without_ours(files, journal, step, now)?, now) {
            (Some(bytes), Some(now)) => {
                Some(journal.keep(files, &bytes, now.attributes.clone())?)
            }
            _ => None,
        },
    };
    let mut made = old.map(|old| old.made.clone()).unwrap_or_default();
    for directory in files.missing_directories(&step.path) {
        if !made.contains(&directory) {
            made.push(directory);
        }
    }
    let undo = match &step.action {
        Action::File { .. } => Undo::File,
        Action::Block { marks, .. } => Undo::Block(marks.clone()),
        Action::Keystore { tool, alias, .. } => {
            Undo::Keystore { tool: tool.clone(), alias: alias.clone() }
        }
        Action::Kubeconfig { certificates, .. } => {
            Undo::Kubeconfig { certificates: certificates.clone() }
        }
        Action::Anchor { system, .. } => {
            let now = anchors::record(files, journal, &system.outputs)?;
            let before = match old.map(|old| &old.undo) {
                None => Some(now),
                // What others have changed since is not ours to take back.
                Some(Undo::Anchor { before, after: Some(after), .. })
                    if anchors::is_same(after, &now) =>
                {
                    before.clone()
                }
                // It was cut off: what differs is ours.
                Some(Undo::Anchor { before, after: None, .. }) => before.clone(),
                Some(Undo::Anchor { before: Some(before), .. })
                    if anchors::is_same(before, &now) =>
                {
                    Some(before.clone())
                }
                Some(_) => None,
            };
            Undo::Anchor {
                tool: system.tool.clone(),
                outputs: system.outputs.clone(),
                before,
                after: None,
            }
        }
    };
    Ok(Entry {
        id: step.id.clone(),
        layer: step.layer,
        path: step.path.clone(),
        done: false,
        before,
        after: sha256(after),
        of: of(step),
        made,
        undo,
    })
}

/// What is there, without what an earlier run has put in; `None` for no file.
fn without_ours(
    files: &Files,
    journal: &Journal,
    step: &Step,
    now: Option<&Found>,
) -> Result<Option<Vec<u8>>, TrustError> {
    let Some(now) = now else { return Ok(None) };
    let old = journal.entry(&step.id);
    Ok(match (&step.action, old) {
        (Action::Block { marks, .. }, _) => match marks.without(&now.bytes)? {
            Some(Rest::Nothing) => None,
            Some(Rest::Bytes(bytes)) => Some(bytes),
            None => Some(now.bytes.clone()),
        },
        (Action::File { .. } | Action::Anchor { .. }, Some(old)) => match &old.before {
            Some(before) => Some(journal.kept(files, before)?),
            None => None,
        },
        (Action::Keystore { tool, alias, .. }, Some(_)) => Some(
            keystore::without(files, tool, &now.bytes, alias).unwrap_or_else(|_| now.bytes.clone()),
        ),
        (Action::Kubeconfig { .. }, Some(old)) => {
            let text = String::from_utf8_lossy(&now.bytes);
            let without = match &old.undo {
                Undo::Kubeconfig { certificates } => kubeconfig::without(&text, certificates),
                _ => None,
            };
            Some(without.map_or_else(|| now.bytes.clone(), String::into_bytes))
        }
        (_, None) => Some(now.bytes.clone()),
    })
}

fn finish(
    files: &Files,
    journal: &mut Journal,
    step: &Step,
    mut entry: Entry,
) -> Result<(), TrustError> {
    if let (Undo::Anchor { after, .. }, Action::Anchor { system, .. }) =
        (&mut entry.undo, &step.action)
    {
        *after = Some(anchors::record(files, journal, &system.outputs)?);
    }
    entry.of = of(step);
    entry.done = true;
    Ok(journal.put(files, entry)?)
}

/// What a step was done with.
fn of(step: &Step) -> String {
    match &step.action {
        Action::Keystore { pem, .. } => sha256(pem.as_bytes()),
        _ => String::new(),
    }
}
