//! The place in a document that is being read, and the mask that is about it.
//!
//! Owns one state of the field machine for each object and array that is open. A mask of an object
//! or array is about all in it; where another is about something deeper, the stronger counts, which
//! is the first. Must not know how the document is written.

use std::io::Write as _;

use super::paths::{FieldPaths, Reached};
use super::{BodyFault, DEPTH_MAX};

/// Digits of the largest number of 64 bits.
const INDEX_DIGITS_MAX: usize = 20;

/// The way from the root to the value that comes next.
#[derive(Debug)]
pub(super) struct Walk {
    frames: Vec<Frame>,
    /// The states of the frames, one behind the other.
    states: Vec<u64>,
    /// Of the value that comes next.
    next: Vec<u64>,
    alive: bool,
    mask: Option<usize>,
    /// Of the innermost object's members that no pattern names, once one came: most are such.
    other: Option<(u64, bool, Option<usize>)>,
}

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    is_array: bool,
    /// Whether a path further down could match.
    alive: bool,
    /// Whether all elements have the frame's own state.
    uniform: bool,
    /// The index of the element that comes next.
    index: u64,
    /// The mask of all in it.
    mask: Option<usize>,
}

impl Walk {
    /// At the root.
    pub(super) fn new(paths: &FieldPaths) -> Self {
        let mut next = vec![0; paths.words()];
        let Reached { alive, pattern } = paths.begin(&mut next);
        let (frames, states) = (Vec::new(), Vec::new());
        Self { frames, states, next, alive, mask: pattern, other: None }
    }

    /// Back at the root, for the next document.
    pub(super) fn restart(&mut self, paths: &FieldPaths) {
        self.frames.clear();
        self.states.clear();
        self.other = None;
        let Reached { alive, pattern } = paths.begin(&mut self.next);
        (self.alive, self.mask) = (alive, pattern);
    }

    /// The mask of the value that comes next.
    pub(super) const fn mask(&self) -> Option<usize> {
        self.mask
    }

    /// Whether nothing is open.
    pub(super) const fn is_at_root(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether what is open innermost is an array.
    pub(super) fn is_in_array(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_array)
    }

    /// Whether the name of the next member matters.
    pub(super) fn wants_name(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.alive)
    }

    /// The value that came next is an object.
    pub(super) fn open_object(&mut self) -> Result<(), BodyFault> {
        self.open(Frame {
            is_array: false,
            alive: self.alive,
            uniform: false,
            index: 0,
            mask: self.mask,
        })
    }

    /// The value that came next is an array.
    pub(super) fn open_array(&mut self, paths: &FieldPaths) -> Result<(), BodyFault> {
        let (alive, mask) = (self.alive, self.mask);
        let uniform = !alive || !paths.counts();
        self.open(Frame { is_array: true, alive, uniform, index: 0, mask })?;
        if alive && uniform {
            // The state of the array is not needed again: its place takes the elements'.
            self.step(paths, None);
            let begin = self.states.len().saturating_sub(self.next.len());
            if let Some(state) = self.states.get_mut(begin..) {
                state.copy_from_slice(&self.next);
            }
            if let Some(frame) = self.frames.last_mut() {
                (frame.alive, frame.mask) = (self.alive, self.mask);
            }
        }
        self.element(paths);
        Ok(())
    }

    fn open(&mut self, frame: Frame) -> Result<(), BodyFault> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(BodyFault::Depth);
        }
        self.frames.push(frame);
        self.states.extend_from_slice(&self.next);
        self.other = None;
        Ok(())
    }

    /// What is open innermost ends.
    pub(super) fn close(&mut self) {
        self.frames.pop();
        self.other = None;
        self.states.truncate(self.states.len().saturating_sub(self.next.len()));
        if let Some(frame) = self.frames.last()
            && frame.is_array
            && frame.uniform
        {
            (self.alive, self.mask) = (frame.alive, frame.mask);
            let begin = self.states.len().saturating_sub(self.next.len());
            if let Some(state) = self.states.get(begin..) {
                self.next.copy_from_slice(state);
            }
        }
    }

    /// The value of the member of this name comes next.
    #[inline]
    pub(super) fn member(&mut self, paths: &FieldPaths, name: &[u8]) {
        if !paths.is_other(name) {
            return self.step(paths, Some(name));
        }
        if let (Some((state, alive, mask)), [next]) = (self.other, self.next.as_mut_slice()) {
            *next = state;
            (self.alive, self.mask) = (alive, mask);
            return;
        }
        self.step(paths, None);
        self.other = match self.next.as_slice() {
            [state] => Some((*state, self.alive, self.mask)),
            _ => None,
        };
    }

    /// The value of a member comes next whose name does not matter.
    pub(super) fn some_member(&mut self) {
        self.alive = false;
        self.mask = self.frames.last().and_then(|frame| frame.mask);
    }

    /// The next element of the array comes.
    pub(super) fn element(&mut self, paths: &FieldPaths) {
        let Some(frame) = self.frames.last_mut().filter(|frame| !frame.uniform) else { return };
        let index = frame.index;
        frame.index += 1;
        let mut digits = [0; INDEX_DIGITS_MAX];
        let mut room = digits.as_mut_slice();
        // There is room for every number of 64 bits.
        let written = write!(room, "{index}").map_or(0, |()| INDEX_DIGITS_MAX - room.len());
        self.step(paths, digits.get(..written));
    }

    fn step(&mut self, paths: &FieldPaths, name: Option<&[u8]>) {
        let begin = self.states.len().saturating_sub(self.next.len());
        let from = self.states.get(begin..).unwrap_or_default();
        let Reached { alive, pattern } = paths.step(from, name, &mut self.next);
        let above = self.frames.last().and_then(|frame| frame.mask);
        self.alive = alive;
        self.mask = match (above, pattern) {
            (Some(above), Some(pattern)) => Some(above.min(pattern)),
            (above, pattern) => above.or(pattern),
        };
    }
}
