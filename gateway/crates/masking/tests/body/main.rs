//! Bodies: what is masked in them, at every cut, and what ends them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the whole crate is a test; a wrong index fails it"
)]

mod corpus;
mod events;
mod fixture;
mod forms;
mod lines;
mod long;
mod oracle;
mod splits;
